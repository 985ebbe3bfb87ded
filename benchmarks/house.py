"""The gateway's side of what is measured in one process: the one file of the benchmarks that imports the gateway.

Each task gives a function that does its work once and gives the bytes that the hand-written side must give as well.
"""

import asyncio
import hashlib
import hmac
from dataclasses import replace
from pathlib import Path

from benchmarks import data
from gateway.application import Ambient, build_engine
from gateway.documents.yaml import read
from gateway.engine.catalog import Catalog, bind
from gateway.examples.files import load_examples
from gateway.examples.playback import Recording, recorded_engine
from gateway.mapping.compile import compile_provider
from gateway.mapping.compiler.operations.native import native_arguments
from gateway.mapping.runtime.requests import to_request
from gateway.mapping.runtime.steps import assign
from gateway.model.model import arguments, load
from gateway.surface.http.responses import to_bytes
from gateway.values.messages import Call, Effect, Received, Response
from gateway.values.secrets import Secret
from gateway.webhooks.inbound.session import Session
from gateway.webhooks.inbound.verify import verify

ROOT = Path(__file__).parents[1]
SHIPPED = sorted(file.stem for file in (ROOT / "mappings").glob("*.yaml"))
_SETTINGS = {
    "base_url": "http://127.0.0.1:9",
    "api_key": Secret(data.KEY),
    "hook_secret": Secret(data.HOOK_SECRET),
    "time_zone": data.ZONE,
    "currency": data.CURRENCY,
}
_WINDOW = {"from": data.FROM, "to": data.TO}
_AT = 1_900_000_000_000
"""A moment in milliseconds since 1970."""


def _plan(file):
    document, findings = read(file)
    plan, more = compile_provider(document, load())
    assert plan is not None, [str(one) for one in (*findings, *more)]
    return plan


def _connection():
    return bind(data.CONNECTION, _plan(ROOT / "benchmarks" / "vendor.yaml"), _SETTINGS)


class Vendor:
    """An engine whose provider always gives the same answer."""

    def __init__(self, answer):
        self.answer = Response(200, {"content-type": "application/json"}, answer)
        self.connection = _connection()
        self.sent = None
        catalog = Catalog("v1", {}, {data.CONNECTION: self.connection})
        self.engine = build_engine(catalog, self._send, Ambient(clock=lambda: 0.0))

    async def _send(self, request):
        self.sent = request
        return self.answer

    async def run(self, operation, **args):
        """Answer a call with the bytes of its data."""
        given = arguments(load().operations[operation], args, data.ZONE)
        reply = await self.engine.run(Call(data.CONNECTION, operation, given, "r1", 1e9))
        return to_bytes(reply.data)


def one():
    """Read the vendor's answer with one booking."""
    vendor = Vendor(data.one())
    return lambda: vendor.run("bookings.get", id="bk_17")


def bookings(number):
    """Read the vendor's answer with so many bookings."""
    vendor = Vendor(data.bookings(number))
    return lambda: vendor.run("bookings.list", **_WINDOW)


def slots(number):
    """Read the vendor's answer with so many slots."""
    vendor = Vendor(data.slots(number))
    return lambda: vendor.run("slots.list", **_WINDOW)


def create():
    """Make a booking: what the vendor is sent, and what the caller is given."""
    vendor = Vendor(data.body(data.details(1, ref="w1")))

    async def made():
        given = await vendor.run("bookings.create", **data.wish(1))
        return vendor.sent.body + b"\n" + given

    return made


def request():
    """Build the request of a booking, but for the key that every request of the connection has."""
    connection = _connection()
    plan = connection.provider.operations["bookings.create"]
    args = arguments(load().operations["bookings.create"], data.wish(1), data.ZONE)
    call = plan.variants[0].steps[0].call

    async def built():
        scope = {**connection.scope, "args": args, "now": "2031-01-01T00:00:00+00:00"}
        assign(plan.variables, scope)
        found = to_request(call, scope)
        return b"\n".join([found.method.encode(), found.url.removeprefix("http://127.0.0.1:9").encode(), found.body])

    return built


def _received():
    body = data.message(1)
    signature = "sha256=" + hmac.digest(data.HOOK_SECRET.encode(), body, hashlib.sha256).hex()
    return Received("POST", None, (), (("content-type", "application/json"), ("x-signature", signature)), body)


def verified():
    """Verify a webhook, and one that is forged."""
    connection, received = _connection(), _received()
    forged = replace(received, body=received.body + b" ")
    plans = connection.provider.hooks["events"].verify

    async def asked():
        found = [verify(plans, one, connection.revealed, _AT / 1000, "").accepted for one in (received, forged)]
        return repr(found).encode()

    return asked


def hook():
    """Verify and read a webhook."""
    connection, received = _connection(), _received()
    plan, model = connection.provider.hooks["events"], load()

    async def no_fetch(operation, given):
        raise AssertionError((operation, given))

    async def told():
        session = Session(plan, connection, received, _AT, "", model)
        (found,) = (await session.take(no_fetch)).messages
        return f"{found.name} {found.message.type} ".encode() + to_bytes(found.data)

    return told


def shipped(provider):
    """Give the examples of a shipped mapping that succeed: those that read or, of a marketplace, those that tell it."""
    examples, _ = load_examples(_plan(ROOT / "mappings" / f"{provider}.yaml"))
    good = [one for one in examples.examples if one.fails is None and one.exchanges and one.operation != "login"]
    plans = {one.operation: examples.connection.provider.operations.get(one.operation) for one in good}
    reading = [one for one in good if (plan := plans[one.operation]) is not None and plan.effect is Effect.SAFE]
    return examples, reading or good


def reads(provider):
    """Play all of these, one after the other."""
    examples, played = shipped(provider)
    model = load()

    async def played_once():
        found = []
        for example in played:
            engine = recorded_engine(examples, example, model, Recording(list(example.exchanges)))
            plan = engine.operation(example.connection, example.operation)
            if plan.name.startswith("native."):
                args = native_arguments(plan, example.args)
            else:
                args = arguments(model.operations[plan.name], example.args, example.connection.zone)
            reply = await engine.run(Call("example", example.operation, args, "example", deadline=1e9))
            found.append(to_bytes(reply.data))
        return b"\n".join(found)

    return played_once


def recorded(provider):
    """Give the recorded answers behind these, and the bytes of what the gateway gives for each."""
    _, played = shipped(provider)
    return [exchange.answer for one in played for exchange in one.exchanges], runner("reads", provider)(1).split(b"\n")


TASKS = {
    "one": one,
    "bookings": bookings,
    "slots": slots,
    "create": create,
    "request": request,
    "verify": verified,
    "hook": hook,
    "reads": reads,
}


def runner(task, *given):
    """Give a function that does a task so many times and gives the bytes of the last."""
    loop = asyncio.new_event_loop()
    work = TASKS[task](*given)

    async def often(times):
        found = b""
        for _ in range(times):
            found = await work()
        return found

    return lambda times: loop.run_until_complete(often(times))
