"""The surface with hooks on real sockets: three connections, a store of either kind, and a provider that is a server.

`club` has the token of its hook in the address, `desk` is told by thin messages that a fetch proves, `yard` signs, and
sends several messages in one body.
"""

import asyncio
import hashlib
import hmac
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import func, insert, select

from gateway.application import Application
from gateway.engine.catalog import Catalog, bind, load_providers
from gateway.model.model import load
from gateway.store.tables import bookings, deliveries, events, receipts, subscriptions
from gateway.surface.http.server import listening
from gateway.values.secrets import Secret
from tests.applications import configured, opened
from tests.databases import sqlite_store

START = 1_772_352_000_000
"""2026-03-01T08:00:00Z"""
TOKEN = "t0ken~of the/hook+1"
IN_PATH = "t0ken~of%20the%2Fhook%2B1"
SECRETS = {
    "hook_token": Secret(TOKEN),
    "secret_key": Secret("s3cret-key-of-desk"),
    "sign_key": Secret("s1gning-key-of-yard"),
    "api_key": Secret("ap1-key-of-all"),
}
HASH = "785cb8cce316e64765b94c05a635f4be"
MAPPINGS = Path(__file__).parents[1] / "mappings"
COURTS = Path(__file__).with_name("surface") / "courts.yaml"
SIGNED = """
  hook_token: {type: secret}
  sign_key: {type: secret}
hooks:
  signed:
    method: [post, put]
    verify:
      hmac: sha256
      keys: ["{{ settings.sign_key }}"]
      signature: {header: X-Signature}
      signed: [body]
    rows: bookings
    dedupe: [id, rev, {header: X-Delivery-Key}]
    type:
      at: what
      as: {enum: {new: booking.created, gone: booking.cancelled, moved: booking.rescheduled}, else: ignore}
    record: booking
    reply: {status: 200, json: {taken: true}}
"""
"""The settings and the hook that `yard` has beside what the tests' own provider has."""


def courts(folder, change=("", "")):
    """Write the tests' own mapping with a hook, changed as asked, and compile it."""
    text = COURTS.read_text(encoding="utf-8").replace("\nauth:", SIGNED + "\nauth:").replace(*change)
    path = folder / "courts.yaml"
    path.write_text(text, encoding="utf-8")
    return compiled(path)["courts"]


def compiled(*paths):
    """Compile mappings."""
    found, findings = load_providers(paths, load())
    assert [] == [finding for finding in findings if finding.level == "error"]
    return found


class Vendor:
    """The provider of thin messages: JSON-RPC, and it shows a booking to whoever knows its hash and our secret."""

    def __init__(self):
        self.known, self.asked, self.answer = {}, [], None
        """`answer`, while it is set, is what is answered instead: status and body."""

    async def take(self, request):
        call = json.loads(await request.read())
        self.asked.append(call["method"])
        if call["method"] == "getToken":
            return web.json_response({"jsonrpc": "2.0", "id": call["id"], "result": "a-token-of-the-session"})
        status, told = self.answer or (200, self._shown(*call["params"]))
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], **told}, status=status)

    def _shown(self, number, sign):
        if number not in self.known:
            return {"error": {"code": -32080, "message": "Appointment couldn't be found"}}
        right = hashlib.md5(f"{number}{HASH}{SECRETS['secret_key'].reveal()}".encode()).hexdigest()
        if sign != right:
            return {"error": {"code": -32085, "message": "Signature error"}}
        times = {"start_date_time": "2031-05-06 13:00:00", "end_date_time": "2031-05-06 13:30:00"}
        about = {
            "id": str(number),
            "code": "h8vc14ca",
            "event_id": "7",
            "unit_id": "3",
            "is_confirmed": "1",
            "price": [],
        }
        return {"result": about | times | {"approve_status": self.known[number]}}


def told(key="bk_1", event="booking.created", at="2031-05-06T10:00:00Z", **more):
    """Write a message to `club`."""
    customer = {"name": "Zoë Ω", "email": "zoe@example.com"}
    data = {"id": key, "service": "s", "duration": 60, "scheduled_at": at, "customer": customer} | more
    return json.dumps({"event": event, "data": data}).encode()


def thin(number=434, kind="create", **more):
    """Write a message to `desk`."""
    about = {"booking_id": str(number), "booking_hash": HASH, "company": "myclub", "notification_type": kind}
    return json.dumps(about | more).encode()


def batch(*rows):
    """Write a message to `yard` of `(id, what)`, and the headers that prove it."""
    held = {"status": "confirmed", "start": "2031-05-06T10:00:00Z", "end": "2031-05-06T11:00:00Z", "rev": "r1"}
    body = json.dumps({"bookings": [{"id": key, "what": what, **held, **more} for key, what, more in rows]}).encode()
    return body, signed(body)


def signed(body, delivery="d1"):
    signature = hmac.digest(SECRETS["sign_key"].reveal().encode(), body, "sha256").hex()
    return {"X-Signature": signature, "X-Delivery-Key": delivery}


@dataclass(repr=False)  # a task's result is printed whenever its loop ends
class Hooked:
    """A gateway with its store. `moments`: its clock, in milliseconds since 1970."""

    url: str
    session: object
    application: Application
    vendor: Vendor
    moments: list

    @property
    def engine(self):
        return self.application.engine

    @property
    def dependencies(self):
        return self.application.dependencies

    async def post(self, path, body=b"", *, method="POST", headers=None):
        """Send a message and give status, body and headers."""
        sent = {"Content-Type": "application/json"} | (headers or {})
        async with self.session.request(method, self.url + path, data=body, headers=sent) as response:
            return response.status, await response.read(), response.headers

    async def rows(self):
        """Count what is stored: receipts, bookings, events, deliveries."""
        tables = (receipts, bookings, events, deliveries)
        return await self.dependencies.database.read(
            lambda opened: tuple(opened.scalar(select(func.count()).select_from(table)) for table in tables)
        )

    async def receipts(self):
        return await self.dependencies.database.read(
            lambda opened: opened.execute(select(receipts).order_by(receipts.c.received_at, receipts.c.id)).all()
        )

    async def told(self):
        """Give the bodies of all events, in their order."""
        found = await self.dependencies.database.read(
            lambda opened: opened.execute(select(events.c.body).order_by(events.c.sequence)).scalars().all()
        )
        return [json.loads(body) for body in found]

    async def replay(self, key):
        return await self.dependencies.receiver.replay(key, asyncio.get_running_loop().time() + 10)

    def mend(self, plan):
        """Use another mapping of `yard` or `club` from now on."""
        old = self.engine.catalog
        name = {"courts": "yard", "generic": "club"}[plan.name]
        fresh = bind(name, plan, dict(old.connections[name].scope["settings"]))
        self.engine.use(Catalog("v2", {}, {**old.connections, name: fresh}))


def values(plan, **given):
    """Give the settings of a connection, with the mapping's defaults."""
    defaults = {setting.name: setting.default for setting in plan.settings.values()}
    zone = {"time_zone": "Europe/Berlin", "currency": "EUR", "api_key": SECRETS["api_key"]}
    return defaults | zone | given


@pytest.fixture(scope="session")
def gate_plans(tmp_path_factory):
    """Give the compiled mappings of the three connections, by provider."""
    shipped = compiled(MAPPINGS / "generic.yaml", MAPPINGS / "simplybook.yaml")
    return {**shipped, "courts": courts(tmp_path_factory.mktemp("courts"))}


@pytest.fixture(scope="session")
def gate_settings():
    """Give the settings of the gateway: calls take 5 seconds at most, bodies have 64 KiB."""
    return configured({"club": "generic"}, timeout="5s", max_body="64KiB")


@pytest.fixture
def serve_gate(gate_plans, gate_settings):
    """Give the context in which a gateway is served on the store of this URL: `async with serve_gate(url) as gate`.

    A `second` one finds the subscription of the first; the rest are settings.
    """

    @asynccontextmanager
    async def of(url, *, second=False, **changed):
        async with AsyncExitStack() as stack:
            gate = await _opened(stack, url, gate_plans, replace(gate_settings, **changed))
            if not second:
                await gate.dependencies.database.write(_subscribe)
            yield gate

    return of


@pytest.fixture
async def gate(serve_gate, tmp_path):
    """Give a gateway with hooks on a store in a file."""
    async with serve_gate(sqlite_store(tmp_path / "gateway.db")) as made:
        yield made


@pytest.fixture
async def any_gate(serve_gate, store_url):
    """Give a gateway with hooks on a store of each kind."""
    async with serve_gate(store_url) as made:
        yield made


async def _opened(stack, url, plans, settings):
    vendor, moments = Vendor(), [START]
    base = await _served(stack, _provider(vendor))
    desk = {"company_login": "myclub", "secret_key": SECRETS["secret_key"]}
    own = {"generic": {"hook_token": SECRETS["hook_token"]}, "simplybook": desk}
    own |= {"courts": {"sign_key": SECRETS["sign_key"]}}
    names = {"generic": "club", "simplybook": "desk", "courts": "yard"}
    found = {
        name: bind(name, plans[provider], values(plans[provider], base_url=base, **own[provider]))
        for provider, name in names.items()
    }
    application = await stack.enter_async_context(opened(settings, found, url, lambda: moments[-1]))
    served = await stack.enter_async_context(listening(application.surface(), "127.0.0.1", 0))
    session = await stack.enter_async_context(aiohttp.ClientSession())
    return Hooked(served, session, application, vendor, moments)


def _subscribe(opened):
    about = {"owner": "ada", "url": "https://x.example", "events": ["*"], "format": "native", "secret": Secret("s")}
    opened.execute(insert(subscriptions).values(**about, id="wh_1", state="active", created_at=START))


def _provider(vendor):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", vendor.take)
    return app


async def _served(stack, app):
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"
