"""The surface with subscriptions and the operator's side: a store in a file, and all the routes of events."""

import asyncio
import json
import time
from dataclasses import replace
from itertools import count

import pytest
from aiohttp import web

from gateway.config import DeliverySettings, WebhookSettings
from gateway.events.publisher import Publisher
from gateway.model.model import load
from gateway.store.database import Database
from gateway.store.events.events import NewEvent
from gateway.surface.admin.deliveries import admin
from gateway.surface.app import guard
from gateway.surface.dependencies import Dependencies
from gateway.surface.events.webhooks import webhooks
from gateway.surface.http.authentication import Callers
from gateway.surface.http.cors import Cors
from gateway.surface.http.middleware import Boundary
from gateway.surface.http.routing import Routes
from gateway.surface.idempotency.idempotency import Ledger
from gateway.surface.operations.calls import Calls, Standings
from gateway.transport.client import Client
from gateway.values.secrets import Redactor, Secret
from gateway.webhooks.inbound.receiver import Inbound
from gateway.webhooks.outbound.attempts import Patience
from gateway.webhooks.outbound.replay import Replays
from gateway.webhooks.outbound.sender import Dispatcher
from gateway.webhooks.outbound.subscriptions import settle
from tests.databases import sqlite_store
from tests.declared import problems

TOKEN = "admin-token-0123456789"
SHOP = "https://shop.example/hooks"
OWN = "https://own.example/hooks"
"""The consumer that the configuration names."""
START = 1_800_000_000_000
"""2027-01-15T08:00:00Z"""


def events_of(settings):
    """Give settings with an operator, one consumer, and addresses without TLS allowed."""
    consumer = WebhookSettings(OWN, ("*",), Secret("whsec_config"), None, "native", None)
    deliveries = DeliverySettings((5.0, 300.0), 15.0, 4, 100, http=True)
    return replace(settings, admin_token=Secret(TOKEN), webhooks=(consumer,), deliveries=deliveries)


def happened(number, connection="club-a", at=START, type_="booking.created"):
    """Make an event that knows little of its booking."""
    about = (connection, "courts", type_, "gateway", f"b{number}", at)
    return NewEvent(f"evt_x{number}", *about, lambda sequence: b'{"sequence":%d}' % sequence)


@pytest.fixture
async def dependencies(engine, settings, tmp_path):
    """Give a store with the configuration's subscriptions, and what belongs to it, on the real clock."""
    numbers = count(1)

    def now():
        return time.time_ns() // 1_000_000

    def fresh(prefix):
        return f"{prefix}_{next(numbers):06}"

    async with Database(sqlite_store(tmp_path / "events.db"), now) as database:
        await settle(database, settings, now())
        publisher = Publisher(database, load(), now, fresh, lambda _name: load().changes.tracked)
        yield Dependencies(database, publisher, Inbound(engine, publisher, now, fresh), now, fresh)


@pytest.fixture
def serve_events(engine, aiohttp_client):
    """Give the function that serves a backroom's routes alone: `client = await serve_events(settings, backroom)`."""

    async def of(settings, dependencies):
        calls = Calls(engine, settings, Ledger(asyncio.get_running_loop().time), Standings())
        app = web.Application()
        routes = Routes(app)
        boundary = Boundary(engine.model, Cors(settings.cors_origins)).middleware()
        app.middlewares.extend([boundary, guard(Callers(settings), routes)])
        draws = count(1)
        for part in (
            webhooks(calls, dependencies, lambda size: bytes([next(draws)]) * size),
            admin(calls, dependencies),
        ):
            routes.add_each(engine.model.gateway.operations, part.handlers())
        return await aiohttp_client(app)

    return of


class Operator:
    """A client with the admin token, as other callers are; it looks at every answer."""

    def __init__(self, client):
        self.client = client

    async def __call__(self, method, path, *, headers=None, **more):
        sent = {"Authorization": f"Bearer {TOKEN}"} | (headers or {})
        async with self.client.request(method, path, headers=sent, **more) as response:
            body = await response.read()
            told = json.loads(body) if body else None
        assert [] == problems(method, path, response.status, told)
        return response.status, told, response.headers


@pytest.fixture
def operator(call_as):
    """Call the gateway as the operator; every answer must be as its operation is declared."""
    return Operator(call_as(None).client)


@pytest.fixture
def subscribe(call):
    """Subscribe as `web` and give the answer's body."""

    async def of(url=SHOP, **more):
        status, body, _ = await call("POST", "/v1/webhooks", json={"url": url, **more})
        assert 201 == status, body
        return body

    return of


@pytest.fixture
def sending(dependencies, settings):
    """Give a function that carries on replays and sends what is due until a condition holds."""

    async def until(holds):
        clock = asyncio.get_running_loop().time
        async with Client([str(network) for network in settings.egress]) as client:
            patience = Patience(lambda: 0.5, (0.0, 0.0))
            sender = Dispatcher(dependencies.database, client.send, dependencies.now, clock, patience, Redactor(()))
            replays = asyncio.create_task(Replays(dependencies.database, dependencies.now, dependencies.fresh).run())
            running = asyncio.create_task(sender.run())
            async with asyncio.timeout(20):
                while not await holds():  # noqa: ASYNC110 - what holds stands in the store
                    await asyncio.sleep(0.02)
            replays.cancel()
            await sender.stop()
            await asyncio.wait([running, replays])
            assert replays.cancelled()
            await running

    return until


class Endpoint:
    """A consumer that notes what it gets and answers with `status`."""

    def __init__(self):
        self.status, self.got = 204, []

    async def take(self, request):
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, body=b"inner secrets" if self.status >= 400 else None)


@pytest.fixture
async def endpoint(aiohttp_server):
    """Give a consumer on a real socket, with its `url`."""
    made, app = Endpoint(), web.Application()
    app.router.add_post("/hooks", made.take)
    server = await aiohttp_server(app)
    made.url = str(server.make_url("/hooks"))
    return made
