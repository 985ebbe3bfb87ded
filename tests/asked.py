"""A marketplace on a real socket: its own words at our hooks, a store in a file, and somebody who sells one court."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import func, select

from gateway.engine.catalog import bind, load_providers
from gateway.model.model import load
from gateway.store.tables import receipts
from gateway.surface.dependencies import Dependencies
from gateway.surface.http.server import listening
from gateway.values.errors import GatewayError
from gateway.values.secrets import Secret
from tests.applications import configured, opened
from tests.databases import sqlite_store

MARKET = Path(__file__).with_name("market.yaml")
TOKEN = "token-of-the-market-0123"
NOW = 1_772_352_000_000
"""2026-03-01T08:00:00Z"""
ZONE = "Europe/Paris"
OFFER = {"id": "o1", "resource_id": "7", "start": "2026-03-19T08:30:00+01:00", "end": "2026-03-19T09:30:00+01:00"}
ORDER = {"court": "7", "from": "2026-03-19T08:30", "to": "2026-03-19T09:30", "number": "n1"}


def order(kind="book", **changed):
    """Write an order, or one that was dropped; fields that are None are left out."""
    told = {key: value for key, value in (ORDER | changed).items() if value is not None}
    return json.dumps({"kind": kind, "club": "north", "order": told}).encode()


class Seller:
    """Sells one court for one hour. `failure`, while it is set, is raised instead."""

    def __init__(self):
        self.asked, self.booking, self.failure = [], None, None

    async def answer(self, connection, asked, request_id, deadline):
        self.asked.append((connection.name, asked.request, dict(asked.data), request_id))
        assert 0 < deadline - asyncio.get_running_loop().time() <= 5
        if self.failure is not None:
            raise self.failure
        if asked.request == "availability.requested":
            status = {"status": "busy" if self.booking else "free", "available": self.booking is None}
            court = {"id": "7", "name": "Court 7", "type": "court", "bookable": True, "time_zone": ZONE}
            return {"slots": [OFFER | status | {"time_zone": ZONE}], "resources": [court]}
        if asked.request == "booking.requested":
            if self.booking is not None:
                raise GatewayError("Somebody was quicker.", code="BOOKING_CONFLICT")
            self.booking = {"id": "b1"} | dict(asked.data)
            return {"booking": self.booking}
        gone, self.booking = self.booking, None
        return {"booking": gone}


@dataclass(repr=False)  # a task's result is printed whenever its loop ends
class Market:
    """A gateway that a marketplace calls. `seller` is None where nothing is sold."""

    url: str
    session: aiohttp.ClientSession
    seller: Seller
    dependencies: Dependencies
    connection: object

    async def send(self, path, body=None, *, method=None, headers=None):
        """Send a message below `/hooks/market` and give status, body and headers."""
        verb = method or ("GET" if body is None else "POST")
        async with self.session.request(verb, f"{self.url}/hooks/market/{path}", data=body, headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers

    async def kept(self):
        """Count the messages that are stored."""
        count_all = select(func.count()).select_from(receipts)
        return await self.dependencies.database.read(lambda opened: opened.scalar(count_all))


@pytest.fixture
def serve_market(tmp_path):
    """Give the context in which a gateway is served with this seller: `async with serve_market(seller) as market`."""

    @asynccontextmanager
    async def of(seller):
        async with AsyncExitStack() as stack:
            plan = load_providers([MARKET], load())[0]["market"]
            given = {"time_zone": ZONE, "currency": "EUR", "hook_token": Secret(TOKEN), "club": "north"}
            connection = bind("market", plan, given)
            url = sqlite_store(tmp_path / "market.db")
            application = await stack.enter_async_context(
                opened(configured({"market": "market"}, timeout="5s"), {"market": connection}, url, lambda: NOW)
            )
            application = replace(application, links=seller)
            base = await stack.enter_async_context(listening(application.surface(), "127.0.0.1", 0))
            session = await stack.enter_async_context(aiohttp.ClientSession())
            yield Market(base, session, seller, application.dependencies, connection)

    return of


@pytest.fixture
async def market(serve_market):
    """Give a gateway that sells."""
    async with serve_market(Seller()) as made:
        yield made
