"""The surface on a real socket, before a small provider that is a real server as well and notes what it is asked."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from aiohttp import web

from gateway import config
from gateway.engine import catalog
from gateway.model.model import load
from gateway.values.secrets import Secret
from gateway.webhooks.outbound.subscriptions import settle
from tests.applications import opened
from tests.databases import sqlite_store
from tests.hooked import any_gate, gate, gate_plans, gate_settings, serve_gate
from tests.listeners import database, moments, published, serve
from tests.subscribers import endpoint, operator, sending, serve_events, subscribe

__all__ = [
    "any_gate",
    "database",
    "endpoint",
    "gate",
    "gate_plans",
    "gate_settings",
    "moments",
    "operator",
    "published",
    "sending",
    "serve",
    "serve_events",
    "serve_gate",
    "subscribe",
]

API_KEY = "provider-s3cret-api-key"
START = 1_772_323_200_000
"""2026-03-01T00:00:00Z"""
CONNECTIONS = ("club-a", "club-b", "club-c")
KEYS = {"web": "web-key-0123456789", "reporting": "reporting-key-0123", "writer": "writer-key-01234567"}


class Provider:
    """Answers what a test has put in `answers` under `METHOD /path`; `asked` is every request, with its body."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        self.arrived = asyncio.Event()
        self.gate = None
        """While an Event, answers wait for it."""
        self.reads = False
        """Whether answers to GET wait for nothing."""

    async def answer(self, request):
        body = await request.read()
        self.asked.append((request.method, request.raw_path, json.loads(body) if body else None))
        self.arrived.set()
        if self.gate is not None and not (self.reads and request.method == "GET"):
            await self.gate.wait()
        found = self.answers.get(f"{request.method} {request.path}", (404, {"ok": False}))
        if found is None:
            request.transport.close()
            await asyncio.sleep(0)
            return web.Response()
        status, data = found
        if isinstance(data, bytes):
            return web.Response(status=status, body=data)
        return web.json_response(data, status=status)


class Caller:
    """A client of the gateway that sends a key and gives status, decoded body and headers."""

    def __init__(self, client, key):
        self.client = client
        self.key = key

    async def __call__(self, method, path, *, headers=None, **more):
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        async with self.client.request(method, path, headers=sent | (headers or {}), **more) as response:
            body = await response.read()
            return response.status, json.loads(body) if body else None, response.headers


@pytest.fixture
def booking():
    """Give a booking as the provider tells it."""
    return {
        "id": "7",
        "status": "confirmed",
        "start": "2026-03-19T09:00:00+01:00",
        "end": "2026-03-19T10:00:00+01:00",
        "notes": "",
        "created": None,
        "rev": "r1",
    }


@pytest.fixture
def new():
    """Give the body of a request that books."""
    return {
        "resource_id": "c1",
        "start": "2026-03-19T09:00:00+01:00",
        "end": "2026-03-19T10:00:00+01:00",
        "customer": {"name": "Ada"},
    }


@pytest.fixture
def provider():
    """Give the provider, which answers 404 until a test says otherwise."""
    return Provider()


@pytest.fixture(scope="session")
def plan():
    """Give the compiled mapping of the provider."""
    providers, findings = catalog.load_providers([Path(__file__).with_name("courts.yaml")], load())
    assert [] == findings
    return providers["courts"]


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    """Give the gateway's settings: three callers, three connections."""
    account = {"provider": "courts", "settings": {}}
    text = {
        "timeout": "5s",
        "max_body": "64KiB",
        "callers": {
            "web": {"key": KEYS["web"], "may": ["read", "write"], "connections": ["club-a", "club-b"]},
            "reporting": {"key": KEYS["reporting"], "may": ["read"]},
            "writer": {"key": KEYS["writer"], "may": ["write"]},
        },
        "cors": {"origins": ["https://booking.example"]},
        "egress": {"allow": ["127.0.0.0/8"]},
        "connections": dict.fromkeys(CONNECTIONS, account),
    }
    path = tmp_path_factory.mktemp("settings") / "gateway.yaml"
    path.write_text(json.dumps(text), encoding="utf-8")  # JSON is YAML
    found, findings = config.load(path, {})
    assert [] == findings
    return found


@pytest.fixture
async def connections(provider, aiohttp_server, plan):
    """Give three connections to the provider."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.answer)
    server = await aiohttp_server(app)
    values = {
        "base_url": str(server.make_url("/")).rstrip("/"),
        "api_key": Secret(API_KEY),
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
    }
    return {name: catalog.bind(name, plan, values) for name in CONNECTIONS}


@pytest.fixture
def ticks():
    """Give by how many seconds the clock of the gateway is put forward, as a list whose last number counts."""
    return [0.0]


@pytest.fixture
def now(ticks):
    """Give the wall clock of the gateway, which begins in March."""
    begun = time.monotonic()
    return lambda: START + round((time.monotonic() - begun + ticks[-1]) * 1000)


@pytest.fixture
async def application(connections, settings, tmp_path, now):
    """Give the application on a store in a file, with the subscriptions of its configuration."""
    async with opened(settings, connections, sqlite_store(tmp_path / "events.db"), now) as made:
        await settle(made.database, settings, now())
        yield made


@pytest.fixture
def engine(application):
    """Give the engine of the application."""
    return application.engine


@pytest.fixture
def dependencies(application):
    """Give what the surface of the application is built on."""
    return application.dependencies


@pytest.fixture
async def client(application, aiohttp_client):
    """Give a client of the running gateway that sends no key."""
    return await aiohttp_client(application.surface())


@pytest.fixture
def call(client):
    """Call the gateway as the caller `web`: `status, body, headers = await call("GET", "/v1/club-a/bookings")`."""
    return Caller(client, KEYS["web"])


@pytest.fixture
def call_as(client):
    """Give a function that makes callers: by name, or None for one without a key."""
    return lambda name: Caller(client, KEYS.get(name))
