"""The surface with what listens to events: a store in a file, a publisher, and an application on it."""

import pytest

from gateway.application import build
from gateway.events.publisher import observe
from gateway.store.database import Database
from gateway.surface.dependencies import Bounds
from gateway.surface.events.stream import STREAMS, Pace
from tests.applications import ambient, built
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
async def published(database, moments):
    """Give the function that publishes bookings as a poll would see them: `await published("club-a", booking, …)`."""
    return publishing(database, moments)


def publishing(database, moments):
    """Make the function that publishes into this store."""
    publisher = built(database, lambda: moments[-1]).publisher

    async def publish(connection, *bookings):
        seen = [observe(connection, "courts", "poll", "changed", one) for one in bookings]
        return (await publisher.publish(seen)).sequences

    return publish


@pytest.fixture
def serve(engine, settings, aiohttp_client, moments):
    """Give the function that serves an application over a store: `client, streams = await serve(database)`."""

    async def start(database, *, pace=QUICK, max_age=0):
        world = ambient(lambda: moments[-1], bounds=Bounds(stream=pace, calendar_age=max_age))
        app = build(settings, engine, database, None, world).surface()
        return await aiohttp_client(app), app[STREAMS]

    return start
