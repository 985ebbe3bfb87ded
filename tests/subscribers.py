"""The surface with subscriptions and the operator's side: a store in a file, and all the routes of events."""

import asyncio
import json
from dataclasses import replace

import pytest
from aiohttp import web

from gateway.application import build
from gateway.config import DeliverySettings, WebhookSettings
from gateway.store.events.events import NewEvent
from gateway.surface.app import build_app
from gateway.transport.client import Client
from gateway.values.secrets import Secret
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
def serve_events(aiohttp_client):
    """Give the function that serves the application with other settings: `client = await serve_events(settings, …)`."""

    async def of(settings, dependencies):
        return await aiohttp_client(build_app(settings, dependencies))

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
def sending(application):
    """Give a function that carries on replays and sends what is due until a condition holds."""

    async def until(holds):
        settings = application.settings
        quick = replace(settings, deliveries=replace(settings.deliveries, schedule=(0.0, 0.0)))
        async with Client([str(network) for network in settings.egress]) as client:
            made = build(quick, application.engine, application.database, client.send, application.ambient)
            replays, running = (asyncio.create_task(one.run()) for one in (made.replays, made.dispatcher))
            async with asyncio.timeout(20):
                while not await holds():  # noqa: ASYNC110 - what holds stands in the store
                    await asyncio.sleep(0.02)
            replays.cancel()
            await made.dispatcher.stop()
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
