"""A small mapping to lay fragments over, an engine whose provider is a function, and the gateway as a process."""

import contextlib
import gc
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gateway.documents.yaml import Document, parse, read
from gateway.engine.catalog import bind
from gateway.engine.engine import Engine
from gateway.engine.sessions.tokens import Tokens
from gateway.engine.tracing import Trace
from gateway.mapping.compile import compile_provider
from gateway.mapping.compiler.operations.native import native_arguments
from gateway.model.model import arguments, load
from gateway.values.messages import Call, Response
from gateway.values.secrets import Secret
from tests import demonstration
from tests.applications import engine_of, milliseconds
from tests.databases import empty_url, postgresql_server, postgresql_store, store_url
from tests.order import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)

__all__ = ["empty_url", "postgresql_server", "postgresql_store", "store_url"]
__all__ += ["pytest_addoption", "pytest_collection_modifyitems", "pytest_runtest_logreport", "pytest_sessionfinish"]

# How long drawing takes is the machine's affair: the first draw of text in a fresh clone makes a table of all Unicode.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

ROOT = Path(__file__).parents[1]
BASE = ROOT / "tests" / "mapping" / "base.yaml"
NOW = "2026-03-01T09:00:00+01:00"
KEY = "provider-s3cret-key"


def pytest_collection(session):
    """Leave the garbage collector out of making thousands of tests, none of which is garbage."""
    gc.disable()


def pytest_collection_finish(session):
    """Have the garbage collector look no more at what stays until the end: the tests, and what they import."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture
def log_as_it_was():
    """Put the loggers of the test run back: a verb that runs in this process sets them up for itself."""
    root, ours = logging.getLogger(), logging.getLogger("gateway")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], root.level = before[:2]
    ours.setLevel(before[2])


def merge(fragment, path, values, keys):
    """Lay a fragment over the base. Only the fragment has positions: what it lacks is placed at its nearest parent."""
    base, findings = read(BASE)
    assert [] == findings
    data = dict(base.data)
    for section, value in fragment.items():
        old = data.get(section)
        if section != "auth" and isinstance(old, dict) and isinstance(value, dict):
            data[section] = {key: one for key, one in (old | value).items() if one is not None}
        else:
            data[section] = value
    stated = fragment.get("unsupported") or {}
    mapped = fragment.get("operations") if isinstance(fragment.get("operations"), dict) else {}
    if isinstance(data["unsupported"], dict):
        data["unsupported"] = {k: v for k, v in data["unsupported"].items() if k in stated or k not in mapped}
    return Document(path, {key: value for key, value in data.items() if value is not None}, values, keys)


@pytest.fixture(scope="session")
def merged():
    """Give the function that lays a fragment, a dict with the positions of its places, over the base."""
    return merge


@pytest.fixture(scope="session")
def compiled():
    """Give a function that compiles a fragment, written as YAML, laid over the base; its findings are a failure."""

    @cache
    def of(text):
        document, findings = parse(text.encode(), "example.yaml")
        assert [] == findings
        plan, findings = compile_provider(merge(document.data, document.path, document.values, document.keys), load())
        assert [] == [str(finding) for finding in findings if finding.level == "error"]
        return plan

    return of


def answer(body=None, status=200, **headers):
    """Make a provider's answer: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, content)


@dataclass
class Gateway:
    """An engine on one connection, `club`. `answers` are given in turn, or `answers` is a function of the request.

    What is no Response is a JSON body; an exception is raised. `requests` is what was sent, `trace` tells of the last
    call.
    """

    engine: Engine
    answers: list | Callable = field(default_factory=list)
    requests: list = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)
    time: float = 1000.0
    zone: str = "Europe/Berlin"

    async def send(self, request):
        """Be the provider."""
        self.requests.append(request)
        found = await self.answers(request) if callable(self.answers) else self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, Response) else answer(found)

    async def run(self, operation, *, seconds=25.0, **args):
        """Run a call of a caller and give the reply; a trailing underscore is taken off `from_`."""
        given = {name.rstrip("_"): value for name, value in args.items()}
        if not operation.startswith("native."):
            given = arguments(load().operations[operation], given, self.zone)
        self.trace = Trace()
        return await self.engine.run(Call("club", operation, given, "r1", self.time + seconds), self.trace)

    @property
    def sent(self):
        """Method and URL path of every request, with the query."""
        return [
            f"{one.method} {one.url.removeprefix('https://api.example')}"
            + ("?" + "&".join(f"{name}={value}" for name, value in one.query) if one.query else "")
            for one in self.requests
        ]


@pytest.fixture
def gateway(compiled):
    """Give a function that makes a Gateway of a fragment and the provider's answers; settings by keyword."""

    def of(fragment, *answers, zone="Europe/Berlin", now=NOW, **settings):
        plan = compiled(fragment)
        values = {name: setting.default for name, setting in plan.settings.items()}
        values |= {"time_zone": zone, "currency": "EUR", "key": Secret(KEY)} | settings
        made = Gateway(None, list(answers), zone=zone)
        at, club = milliseconds(datetime.fromisoformat(now)), bind("club", plan, values)
        made.engine = engine_of({"club": club}, made.send, lambda: at, clock=lambda: made.time)
        return made

    return of


@pytest.fixture
def club(gateway):
    """Give a function that makes a Gateway of a fragment without records: those of `club.yaml` stand before it."""
    records = BASE.parents[1].joinpath("club.yaml").read_text(encoding="utf-8")
    return lambda fragment, *answers, **settings: gateway(records + fragment, *answers, **settings)


@pytest.fixture(scope="session")
def answered():
    """Give the function that makes a provider's answer of a body, a status and headers."""
    return answer


GONE = object()


def change(draw, value, leaves):
    """Change one place of a JSON value, drawn by hypothesis: put another value there, or take away what is there."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 7)):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = draw(st.sampled_from(keys))
        inner = change(draw, value[key], leaves)
        if isinstance(value, list):
            return [*value[:key], *([] if inner is GONE else [inner]), *value[key + 1 :]]
        return {name: one for name, one in (value | {key: inner}).items() if one is not GONE}
    return draw(st.just(GONE) | leaves)


@pytest.fixture(scope="session")
def changed():
    """Give a function that changes one place of a JSON value: of a `draw`, the value and a strategy of new values."""

    def of(draw, value, leaves):
        found = change(draw, value, leaves)
        return None if found is GONE else found

    return of


@pytest.fixture(scope="session")
def replayed():
    """Give a function that runs the call of a golden example against any provider, a Send, as a gateway would."""

    async def of(examples, example, send):
        connection = example.connection
        at = milliseconds(example.now)
        engine = engine_of({"example": connection}, send, lambda: at, clock=lambda: 0.0)
        for session in engine.sessions(connection) if examples.token else ():
            session.tokens = Tokens(examples.token)
        plan = engine.operation(connection, example.operation)
        if plan.name.startswith("native."):
            given = native_arguments(plan, example.args)
        else:
            given = arguments(load().operations[plan.name], example.args, connection.zone)
        return await engine.run(Call("example", plan.name, given, "r1", deadline=60.0))

    return of


@pytest.fixture(scope="session")
def free_port():
    """Give a function that finds a port that was free a moment ago."""
    return demonstration.free_port


class Process:
    """A verb as a process, its output in files, so that no pipe fills up."""

    def __init__(self, words, folder, environ):
        self._out, self._err = folder / "stdout.txt", folder / "stderr.txt"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            command = [sys.executable, "-m", "gateway", *map(str, words)]
            self._process = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=err)

    @property
    def out(self):
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self):
        return self._err.read_text(encoding="utf-8")

    def says(self, pattern, seconds=40):
        """Wait until the output holds the expression, and give the match."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.out)) is None:
            assert self._process.poll() is None, f"ended with {self._process.returncode}: {self.out}{self.err}"
            assert time.monotonic() < deadline, f"never said {pattern}: {self.out}{self.err}"
            time.sleep(0.02)
        return found

    def stop(self, number=signal.SIGTERM):
        """End it as an operator does, and give the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self.ended()

    def ended(self):
        """Give the exit code, once there is one."""
        return self._process.wait(timeout=20)

    def kill(self):
        self._process.kill()
        self._process.wait(timeout=20)


@pytest.fixture(scope="session")
def started():
    """Give the context in which a verb runs as a process: `with started("demo", folder=tmp_path) as process: …`."""

    @contextlib.contextmanager
    def of(*words, folder, **environ):
        process = Process(words, folder, {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environ)
        try:
            yield process
        finally:
            process.kill()

    return of


@pytest.fixture
def start(started):
    """Start verbs as processes: `serving = start("serve", folder=house, WEB_KEY="…")`; they end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *words, **more: stack.enter_context(started(*words, **more))
