"""A small provider of the tests' own, and the shipped ones, played; and the engine in front of them."""

import asyncio
import contextlib
import functools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.documents import yaml
from gateway.engine.catalog import bind, load_providers
from gateway.examples.files import load_examples
from gateway.model.model import arguments, load
from gateway.simulator.incoming import decode_request
from gateway.simulator.play import Play
from gateway.simulator.script import compile_script
from gateway.simulator.server import playing
from gateway.transport.client import Client
from gateway.values.messages import Call
from tests.applications import engine_of, milliseconds

ROOT = Path(__file__).parents[2]
DROP = """
    - on: {delete: "/bookings/{id}"}
      change:
        - {remove: "bookings.{{ match.id }}", when: "{{ contains(state.bookings, match.id) }}"}
        - {add: "bookings.{{ match.id }}.count", by: 2, when: "{{ match.id == 'odd' }}"}
      answer: {status: 204, text: ""}
"""
"""A rule for what no call of the desk's mapping asks, which the desk answers all the same."""
DESK = Path(__file__).parent / "desk" / "desk.yaml"
AUTH = 'auth: {headers: {X-User: "{{ settings.user }}", X-Key: "{{ settings.key }}"}}'
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
KEYS = {"x-user": "ada", "x-key": "desk-s3cret-key"}
"""What the desk's own scheme sends."""


@functools.cache
def read(path):
    """Compile a mapping file and what belongs to it, once: its examples and its script."""
    providers, findings = load_providers([path], load())
    (plan,) = providers.values()
    examples, more = load_examples(plan)
    script, wrong = None, []
    if examples.simulator is not None:
        script, wrong = compile_script(examples.document, examples.simulator, plan, load())
    assert [] == [str(one) for one in findings + more + wrong if one.level == "error"]
    return examples, script


def played(path):
    """Play the provider of a mapping file with the settings of its examples, from the beginning."""
    examples, script = read(path)
    return Play(examples.connection, examples, script, lambda: NOW)


@pytest.fixture(scope="session")
def play(tmp_path_factory):
    """Give a function that plays the desk; `auth` takes the place of the mapping's own scheme, `swaps` of other texts.

    `examples` is the text of examples that are put before the desk's own.
    """

    @functools.cache
    def written(swaps, examples):
        text = DESK.read_text(encoding="utf-8")
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path_factory.mktemp("desk") / "desk.yaml"
        path.write_text(text, encoding="utf-8")
        text = (DESK.parent / "examples" / "desk.yaml").read_text(encoding="utf-8")
        (path.parent / "examples").mkdir()
        text = text.replace("examples:\n", f"examples:\n{examples}", 1) + DROP
        (path.parent / "examples" / "desk.yaml").write_text(text, encoding="utf-8")
        return path

    return lambda auth=AUTH, *swaps, examples="": played(written(((AUTH, auth), *swaps), examples))


@pytest.fixture(scope="session")
def shipped():
    """Give a function that plays a shipped provider."""
    return lambda name: played(ROOT / "mappings" / f"{name}.yaml")


@pytest.fixture
def ask(play):
    """Ask one desk, with its credentials: `answer = ask("GET", "/rooms?x=1", b"", {"content-type": …})`."""
    desk = play()

    def asked(method, target, body=b"", headers=None):
        path, _, query = target.partition("?")
        return desk.answer(decode_request(method, path, query, KEYS | (headers or {}), body))

    asked.play = desk
    return asked


@pytest.fixture
async def engine_on():
    """Give a function that serves a play on a socket and puts an engine before it; `over` replaces settings."""
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(["127.0.0.0/8"]))

        async def of(play, over=()):
            port = await stack.enter_async_context(playing(play, 0))
            values = dict(play.connection.scope["settings"]) | {"base_url": f"http://127.0.0.1:{port}"} | dict(over)
            connection = bind("one", play.connection.provider.compiled, values)
            return engine_of({"one": connection}, client.send, lambda: milliseconds(NOW))

        yield of


@pytest.fixture
def call():
    """Give a function that makes one call as a caller would: `data = await call(engine, "bookings.get", id="7")`."""

    async def of(engine, operation, **given):
        zone = engine.connection("one").zone
        args = given if operation.startswith("native.") else arguments(load().operations[operation], given, zone)
        deadline = asyncio.get_running_loop().time() + 10
        return (await engine.run(Call("one", operation, args, "test", deadline))).data

    return of


@pytest.fixture(scope="session")
def scripted():
    """Give a function that compiles the text of a script: the script, and findings as `line:column code message`."""
    desk = load_providers([DESK], load())[0]["desk"]

    def of(text):
        read, findings = yaml.parse(text.encode(), "script.yaml")
        assert [] == findings
        script, found = compile_script(read, read.data["simulator"], desk, load())
        errors = [one for one in sorted(found) if one.level == "error"]
        return script, [f"{one.line}:{one.column} {one.code} {one.message}" for one in errors]

    return of
