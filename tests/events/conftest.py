"""A provider of the tests' own that tells nobody of changes, and gateways on one store of each kind that poll it."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from gateway.engine.catalog import bind, load_providers
from gateway.events.polling import PollingSettings
from gateway.model.model import load
from tests.applications import configured, opened
from tests.stored import events_of

DESK = Path(__file__).with_name("desk.yaml")
MINUTE = 60_000
NOON = int(datetime(2026, 3, 10, 11, tzinfo=UTC).timestamp() * 1000)
"""Noon in Berlin; on 29 March the clocks there skip an hour."""


@dataclass
class Desk:
    """The provider: what it holds, and how it fails."""

    bookings: dict = field(default_factory=dict)
    status: int = 200
    body: bytes | None = None
    asked: list = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, key, start="2026-03-20T10:00:00+01:00", state="confirmed", text="", court="1"):
        end = datetime.fromisoformat(start).replace(minute=45).isoformat()
        self.bookings[key] = {"id": key, "state": state, "from": start, "to": end, "text": text, "court": court}

    async def answer(self, request):
        self.asked.append(request.path_qs)
        self.called.set()
        if self.status != 200 or self.body is not None:
            return web.Response(status=self.status, body=self.body or b"")
        key = request.match_info.get("id")
        if key is not None:
            return web.json_response(self.bookings.get(key, {}), status=200 if key in self.bookings else 404)
        first, last = request.query["first"], request.query["last"]
        return web.json_response([one for one in self.bookings.values() if first <= one["from"][:10] <= last])


@dataclass(repr=False)  # a task's result is printed whenever its loop ends
class House:
    """A provider, and gateways on one store: `await house.poll()` is a minute later."""

    url: str
    base: str
    stack: contextlib.AsyncExitStack
    desk: Desk = field(default_factory=Desk)
    at: int = NOON
    settings: dict = field(default_factory=dict)
    gateways: list = field(default_factory=list)
    client: object = None
    """The way out of gateways that are started from now on; each has its own without."""
    plan: object = field(default_factory=lambda: load_providers([DESK], load())[0]["desk"])

    def now(self):
        return self.at

    async def gateway(self, plan=None, **polling):
        """Start a gateway, or another one; the rest are keys of `polling`."""
        values = {"time_zone": "Europe/Berlin", "currency": "EUR", "base_url": self.base, "kind": None} | self.settings
        connection = bind("club", plan or self.plan, values)
        send = self.client.send if self.client is not None else None
        settings, usual = configured({"club": "desk"}, polling=polling), PollingSettings(timeout=10.0)
        made = await self.stack.enter_async_context(
            opened(settings, {"club": connection}, self.url, self.now, send=send, polling=usual)
        )
        self.gateways.append((made.polling, made.engine, made.publisher))
        return self.gateways[-1]

    async def poll(self, which=-1, *, later=MINUTE):
        self.at += later
        poller, engine, _ = self.gateways[which]
        return await poller.round(engine.connection("club"))

    async def told(self):
        _, _, publisher = self.gateways[-1]
        stored = await publisher.database.read(lambda store: events_of(store, "club"))
        bodies = [json.loads(one.body) for one in stored]
        return [(one["data"]["id"], one["event"].removeprefix("booking."), one["origin"]) for one in bodies]

    async def changes(self):
        return [(key, type_) for key, type_, _ in await self.told()]


@pytest.fixture
async def house(store_url):
    async with contextlib.AsyncExitStack() as stack:
        app = web.Application()
        desk = Desk()
        app.router.add_get("/bookings", desk.answer)
        app.router.add_get("/bookings/{id}", desk.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made = House(store_url, f"http://127.0.0.1:{runner.addresses[0][1]}", stack, desk)
        await made.gateway()
        yield made
