"""A gateway is killed with everything in hand; another one takes it over, long before any lease runs out."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.store.database import Database
from gateway.store.links import links
from gateway.store.processes import processes
from tests.processes import Served

DESK = Path(__file__).parent / "events" / "desk.yaml"
CREATE = """operations:
  bookings.create:
    requires: {start: "needed", end: "needed", resource_id: "needed"}
    unsupported:
      {slot_id: no, service_id: no, duration: no, quantity: no, form_responses: no, hold: no, metadata: no, notes: no,
      customer.id: no, customer.phone: no, customer.company: no, customer.salutation: no, customer.language: no,
      customer.time_zone: no, customer.address: no, customer.external_ref: no, customer.metadata: no}
    call:
      post: /bookings
      json:
        court: "{{ args.resource_id }}"
        from: "{{ args.start }}"
        to: "{{ args.end }}"
        email: {$optional: "{{ args.customer.email }}"}
        name: "{{ args.customer.name }}"
    result: {at: "@", record: booking}
"""
TOLD = "      notes: text\n"
CHANGES = [("operations:\n", CREATE), (TOLD, f"{TOLD}      customer.email: email\n      customer.name: name\n")]
KEY = {"Authorization": "Bearer the-key-of-a-caller-0123"}
NEW = {
    "resource_id": "1",
    "start": "2030-03-19T09:00:00+01:00",
    "end": "2030-03-19T10:00:00+01:00",
    "customer": {"name": "Ada", "email": "ada@x.example"},
}
SOON = 25
"""Seconds, less than any lease lasts: a delivery's 45, a link's 150, a poll's 150, and 35 of a call."""


@dataclass
class Away:
    """A provider and a subscriber in one that take everything and, while `hangs`, answer nothing."""

    hangs: bool = True
    bookings: list = field(default_factory=list)
    came: dict = field(default_factory=lambda: {"poll": 0, "book": 0, "told": 0})
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request):
        what = {"/told": "told"}.get(request.path, "book" if request.method == "POST" else "poll")
        if what == "book":
            self.bookings.append({"id": "b1", "state": "confirmed", **await request.json()})
        async with self.news:
            self.came[what] += 1
            self.news.notify_all()
            await self.news.wait_for(lambda: not self.hangs)
        return web.json_response(self.bookings)

    async def answer(self):
        """Answer from now on, also what waits."""
        async with self.news:
            self.hangs = False
            self.news.notify_all()

    async def reached(self, number):
        """Wait until everything has come so often at least."""
        async with self.news:
            await self.news.wait_for(lambda: min(self.came["poll"], self.came["told"]) >= number)


@pytest.fixture
async def away():
    """Give the provider, listening at its `url`."""
    one = Away()
    app = web.Application()
    for path in ("/bookings", "/told"):
        app.router.add_route("*", path, one.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await one.answer()
    await runner.cleanup()


@pytest.fixture
def configured(tmp_path, store_url, away):
    """Make a folder with the configuration of a gateway: `configured("one")`."""
    text = DESK.read_text(encoding="utf-8")
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "desk.yaml").write_text(text, encoding="utf-8")
    settings = {"base_url": away.url, "time_zone": "Europe/Berlin", "currency": "EUR"}
    told = {
        "store": store_url,
        "mappings": [str(tmp_path / "desk.yaml")],
        "callers": {"web": {"key": KEY["Authorization"].removeprefix("Bearer "), "may": ["read", "write"]}},
        "egress": {"allow": ["127.0.0.0/8"]},
        "connections": {"club": {"provider": "desk", "settings": settings}},
        "deliveries": {"http": True},
        "polling": {"interval": "60s"},
    }

    def of(name):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(json.dumps(told), encoding="utf-8")
        return Served(tmp_path / name, beat=0.1)

    return of


async def busy(gateway, session, away):
    """Have a gateway book, deliver and poll, and wait until it is at all of that; gives the booking's request."""

    async def book(url):
        async with session.post(f"{url}/v1/club/bookings", json=NEW, headers=KEY | {"Idempotency-Key": "k"}) as answer:
            return answer.status, await answer.json(), answer.headers

    async with session.post(f"{gateway.url}/v1/webhooks", json={"url": f"{away.url}/told"}, headers=KEY) as answer:
        key = (await answer.json())["id"]
    async with session.post(f"{gateway.url}/v1/webhooks/{key}/test", headers=KEY) as answer:
        assert 202 == answer.status
    request = asyncio.ensure_future(book(gateway.url))
    await away.reached(1)
    async with away.news:
        await away.news.wait_for(lambda: away.came["book"])
    return book, request


def now():
    return time.time_ns() // 1_000_000


@pytest.mark.timeout(240)
async def test_what_a_killed_gateway_had_in_hand(store_url, configured, away):
    """The restart on SQLite, and another gateway on PostgreSQL, has delivery, poll, link and key soon."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        first, second = configured("first"), configured("second")
        for one in (first, second):
            stack.push_async_callback(one.kill)
        await first.start()
        await first.ready(session)
        book, request = await busy(first, session, away)
        database = await stack.enter_async_context(Database(store_url, now))
        (name,) = await database.read(processes.beats)
        assert await database.write(lambda store: links.claim(store, "court", now(), now() + 150_000, name))
        if not store_url.startswith("sqlite"):
            await second.start()
            await second.ready(session)
            assert 409 == (await book(second.url))[0]
        await first.kill()
        await asyncio.gather(request, return_exceptions=True)
        await away.answer()
        if store_url.startswith("sqlite"):
            await second.start()
            await second.ready(session)
        async with asyncio.timeout(SOON):
            await away.reached(2)
            status, body, headers = await book(second.url)
            while status == 409:
                status, body, headers = await book(second.url)
            assert (201, "b1", "true") == (status, body["id"], headers["Idempotent-Replayed"])
        assert await database.write(lambda store: links.claim(store, "court", now(), now() + 1)) is not None
        assert 1 == away.came["book"]
        assert 0 == await second.stop()
        assert {} == await database.read(processes.beats)
