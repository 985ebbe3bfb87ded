"""The surface with what listens to events: a store in a file, a publisher, and the routes of changes, stream, feeds."""

import asyncio
from itertools import count

import pytest
from aiohttp import web

from gateway.events.publisher import Publisher, observed
from gateway.model.model import load
from gateway.store.database import Database
from gateway.surface.app import guard
from gateway.surface.calendar.calendars import Calendars
from gateway.surface.calendar.feeds import Feeds
from gateway.surface.events.changes import Changes
from gateway.surface.events.stream import Pace, Streams
from gateway.surface.http.authentication import Callers
from gateway.surface.http.cors import Cors
from gateway.surface.http.middleware import Boundary
from gateway.surface.http.routing import Routes
from gateway.surface.idempotency.idempotency import Ledger
from gateway.surface.operations.calls import Calls, Standings
from tests.databases import sqlite_store

START = 1_772_352_000_000
"""2026-03-01T08:00:00Z"""
QUICK = Pace(heartbeat=0.2, look=0.05, stalled=0.3)


def canonical(key="7", **more):
    """Give a booking in canonical form."""
    held = {"start": "2026-03-19T09:00:00+01:00", "end": "2026-03-19T10:00:00+01:00"}
    whole = {"id": key, "status": "confirmed", **held, "time_zone": "Europe/Berlin", "all_day": False, "quantity": 1}
    return {**whole, "items": [held], **more}


@pytest.fixture
def moments():
    """Give the clock of the store as a list, whose last entry is now in milliseconds since 1970."""
    return [START]


@pytest.fixture
async def database(tmp_path, moments):
    """Give an open store in a file."""
    async with Database(sqlite_store(tmp_path / "gateway.db"), lambda: moments[-1]) as opened:
        yield opened


@pytest.fixture
def published(database, moments):
    """Give the function that publishes bookings as a poll would see them: `await published("club-a", booking, …)`."""
    return publishing(database, moments)


def publishing(database, moments):
    """Make the function that publishes into this store."""
    numbers = count(1)
    publisher = Publisher(
        database,
        load(),
        now=lambda: moments[-1],
        fresh=lambda prefix: f"{prefix}_{next(numbers)}",
        tracked=lambda _name: load().changes.tracked,
    )

    async def publish(connection, *bookings):
        seen = [observed(connection, "courts", "poll", "changed", one) for one in bookings]
        return (await publisher.publish(seen)).sequences

    return publish


@pytest.fixture
def serve(engine, settings, aiohttp_client, moments):
    """Give the function that serves the listeners over a store: `client, streams = await serve(database)`."""

    async def start(database, *, pace=QUICK, max_age=0):
        calls = Calls(engine, settings, Ledger(asyncio.get_running_loop().time), Standings())
        numbers = count(1)
        feeds = Feeds(calls, database, lambda: moments[-1], lambda prefix: f"{prefix}_{next(numbers)}")
        streams = Streams(calls, database, pace)
        app = web.Application()
        routes = Routes(app)
        boundary = Boundary(engine.model, Cors(settings.cors_origins)).middleware()
        app.middlewares.extend([boundary, guard(Callers(settings), routes)])
        for part in (streams, Changes(calls, database), feeds, Calendars(calls, database, feeds.now, max_age)):
            routes.add_each(engine.model.gateway.operations, part.handlers())
        app.on_shutdown.append(streams.stop)
        return await aiohttp_client(app), streams

    return start
