"""A small mapping that tests lay fragments over, and an engine whose provider is a function. No sockets here."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from gateway.catalog import Catalog, bound
from gateway.document import Document, parse, read
from gateway.engine import Engine
from gateway.mapping.compile import compile_provider
from gateway.messages import Call, Response
from gateway.model.model import arguments, load
from gateway.observe import Secret

BASE = Path(__file__).parent / "mapping" / "base.yaml"
NOW = "2026-03-01T09:00:00+01:00"
KEY = "provider-s3cret-key"


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

    What is no Response is a JSON body; an exception is raised. `requests` is what was sent, `trace` the trace of it.
    """

    engine: Engine
    answers: list | Callable = field(default_factory=list)
    requests: list = field(default_factory=list)
    trace: list = field(default_factory=list)
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
        catalog = Catalog("v1", {"example": plan}, {"club": bound("club", plan, values)})
        made = Gateway(None, list(answers), zone=zone)
        made.engine = Engine(
            catalog, load(), made.send, clock=lambda: made.time, now=lambda: datetime.fromisoformat(now)
        )
        return made

    return of


@pytest.fixture(scope="session")
def answered():
    """Give the function that makes a provider's answer of a body, a status and headers."""
    return answer
