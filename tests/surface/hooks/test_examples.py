"""Golden examples of hooks at the door: the same message on a real socket and in the player comes to the same."""

import json
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

import aiohttp
import pytest
from sqlalchemy import select

from gateway.application import build
from gateway.examples.playback import Recording, recorded_engine, run_hook
from gateway.model.model import load
from gateway.store.database import Database
from gateway.store.tables import events, receipts
from gateway.surface.http.server import listening
from gateway.values.errors import CallerRefused
from tests import shipped
from tests.applications import ambient, configured
from tests.databases import sqlite_store


@pytest.fixture(scope="module")
def settings():
    """Give the settings of a gateway whose connection is that of the examples."""
    return configured({"example": "generic"}, timeout="5s")


@dataclass
class Seller:
    """Gives a marketplace what an example says that it is given, or its error."""

    example: object
    asked: list = field(default_factory=list)

    async def answer(self, connection, asked, request_id, deadline):
        self.asked.append({"request": asked.request, "data": dict(asked.data)})
        if self.example.error:
            raise CallerRefused("", code=self.example.error)
        return self.example.answers


@dataclass
class Door:
    """What the door made of a message: the answer, and what is stored of it. `error` is told in the gateway's words."""

    status: int
    text: str
    error: dict
    asked: list
    receipts: list
    events: list
    left: list


@pytest.fixture
def at_door(tmp_path, settings):
    """Give a function that sends the message of an example to a gateway on a real socket."""

    async def of(examples, example):
        moment, seller = int(example.now.timestamp() * 1000), Seller(example)
        recording = Recording(list(example.exchanges))
        engine = recorded_engine(examples, example, load(), recording)

        async with AsyncExitStack() as stack:
            url = sqlite_store(tmp_path / "gateway.db")
            database = await stack.enter_async_context(Database(url, lambda: moment))
            made = replace(build(settings, engine, database, None, ambient(lambda: moment)), links=seller)
            base = await stack.enter_async_context(listening(made.surface(), "127.0.0.1", 0))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            status, text = await sent(session, base, example)
            kept = await database.read(lambda opened: opened.execute(select(receipts)).all())
            told = await database.read(lambda opened: opened.execute(select(events.c.body)).scalars().all())
        words = json.loads(text) if text.startswith('{"error"') else {}
        left = [*recording.unexpected, *recording.exchanges]
        return Door(status, text, words.get("error", {}), seller.asked, kept, list(map(json.loads, told)), left)

    return of


async def sent(session, base, example):
    """Send what an example says is received, and give status and text of the answer."""
    received = example.received
    token = f"/{quote(received.token, safe='')}" if received.token is not None else ""
    query = f"?{urlencode(received.query)}" if received.query else ""
    url = f"{base}/hooks/example/{example.hook}{token}{query}"
    headers = dict(received.headers)
    async with session.request(received.method, url, data=received.body, headers=headers) as answer:
        return answer.status, await answer.text()


def own(data):
    """Give the data of an event without the fields that the contract makes of the others."""
    return {name: value for name, value in data.items() if name not in load().changes.also}


def as_written(door, example):
    """Write the example that the door shows: what a message came to, and how it was answered."""
    reply = {"status": door.status} if door.error else {"status": door.status, "text": door.text}
    shown = replace(example, reply=reply)
    if example.fails is not None:
        return shown
    if door.asked:
        return replace(shown, gives=door.asked[0])
    gives = []
    told = iter(door.events)
    for receipt, message in zip(door.receipts, example.gives, strict=True):
        event = next(told) if receipt.state == "mapped" else None
        named = {"type": "ignore"} if event is None else {"type": event["event"], "data": own(event["data"])}
        # What only changed is an event of what is different, of which the first message tells nothing.
        gives.append(named | {"type": "changed"} if message["type"] == "changed" else named)
    return replace(shown, gives=gives)


def why(door):
    """Give the reasons of what was kept as a dead letter."""
    return [one.reason for one in door.receipts if one.state == "dead"]


@pytest.mark.parametrize("name", shipped.HOOKS)
async def test_shipped_examples(at_door, name):
    """What a golden example shows is what the inbound door does with its message: asked, told, kept and answered."""
    examples, example = shipped.example(name)
    door = await at_door(examples, example)
    assert [] == door.left
    assert () == (await run_hook(examples, as_written(door, example), load())).differences
    for reason in why(door):
        assert () == (await run_hook(examples, replace(example, fails={"detail": reason}), load())).differences


def message(**changed):
    """Give a change of an example: its message has these fields instead."""
    return lambda example: replace(example, received=replace(example.received, **changed))


def fetched(status=200, **answer):
    """Give a change of an example: its one fetch is answered so."""

    def change(example):
        (exchange,) = example.exchanges
        body = json.dumps({"jsonrpc": "2.0", "id": 1} | answer).encode() if answer else b"<html>"
        return replace(example, exchanges=(replace(exchange, status=status, answer=body),))

    return change


def refusing(code):
    """Give a change of an example: the provider refuses the fetch with this code of its own."""
    return fetched(error={"code": code, "message": "no"})


EVENTS = "generic", "hooks.events reads the vendor's sample"
CALLBACK = "simplybook", "hooks.callback of a new booking"
SIGNED = "anybuddy", "hooks.booking with the signature of the reference"
OTHER_SIGNATURE = (("x-anybuddy-signature", "0" * 64),)
NO_BOOKING = b'{"event": "booking.created"}'
NO_WORD = b'{"data": {"id": "bk_1"}}'
UNPROVED = b'{"company": "myclub", "notification_type": "create"}'
FAILING = {
    "another token": (EVENTS, message(token="another"), 401, "UNAUTHORIZED"),
    "another method": (EVENTS, message(method="PUT"), 401, "UNAUTHORIZED"),
    "another hook": (EVENTS, lambda one: replace(one, hook="nothing"), 401, "NOT_FOUND"),
    "another signature": (SIGNED, message(headers=OTHER_SIGNATURE), 401, "UNAUTHORIZED"),
    "a signature of other bytes": (SIGNED, message(body=b"{}"), 401, "UNAUTHORIZED"),
    "no JSON": (EVENTS, message(body=b"{"), 204, "PROVIDER_ERROR"),
    "not UTF-8": (EVENTS, message(body=b'{"event": "\xff"}'), 204, "PROVIDER_ERROR"),
    "no booking": (EVENTS, message(body=NO_BOOKING), 204, "PROVIDER_ERROR"),
    "no word": (EVENTS, message(body=NO_WORD), 204, "PROVIDER_ERROR"),
    "unproved and no JSON": (CALLBACK, lambda one: unasked(message(body=b"{")(one)), 401, "PROVIDER_ERROR"),
    "unproved and incomplete": (CALLBACK, lambda one: unasked(message(body=UNPROVED)(one)), 401, "PROVIDER_ERROR"),
    "a fetch that says forged": (CALLBACK, refusing(-32085), 401, "UNAUTHORIZED"),
    "a fetch of nothing": (CALLBACK, refusing(-32080), 401, "UNAUTHORIZED"),
    "a fetch that says no": (CALLBACK, refusing(-32999), 503, "PROVIDER_ERROR"),
    "a fetch that fails": (CALLBACK, fetched(500, error={}), 503, "PROVIDER_UNAVAILABLE"),
    "a fetch that is too much": (CALLBACK, fetched(429, error={}), 503, "RATE_LIMITED"),
    "a fetch of no JSON": (CALLBACK, fetched(), 200, "PROVIDER_ERROR"),
    "a fetch that does not fit": (CALLBACK, fetched(result={"id": []}), 200, "PROVIDER_ERROR"),
}


def unasked(example):
    """Give an example without its fetch."""
    return replace(example, exchanges=())


@pytest.mark.parametrize("case", FAILING)
async def test_failing(at_door, caplog, case):
    """What is wrong with a message, or with its fetch, is answered and told alike by the door and the player."""
    caplog.set_level(logging.DEBUG)
    (provider, name), change, status, code = FAILING[case]
    examples = shipped.played(provider)[0]
    example = change(next(one for one in examples.hooks if one.name == name))
    example = replace(example, gives=None, answers=None, fails={"code": code})
    door = await at_door(examples, example)
    assert (status, [], [], []) == (door.status, door.left, door.events, door.asked)
    assert () == (await run_hook(examples, as_written(door, example), load())).differences
    assert (status < 300) == bool(why(door))  # what is taken and cannot be read is kept
    for reason in why(door):
        assert () == (await run_hook(examples, replace(example, fails={"detail": reason}), load())).differences
    assert {401: "UNAUTHORIZED", 503: "PROVIDER_UNAVAILABLE"}.get(status) == door.error.get("code")
    waits = [one.fields["reason"] for one in caplog.records if one.getMessage() == "hook.waits"]
    assert [code] * (status == 503) == [reason.partition(":")[0] for reason in waits]


async def test_a_proof_that_is_left_out(at_door):
    """An example may leave out its proof, and the door takes no message without: the one thing that is not alike."""
    examples = shipped.played("generic")[0]
    example = message(token=None)(next(one for one in examples.hooks if one.name == EVENTS[1]))
    assert () == (await run_hook(examples, example, load())).differences
    assert 401 == (await at_door(examples, example)).status
