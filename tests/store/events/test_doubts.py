"""Writes in doubt, in the store."""

import pytest

from gateway.store.database import Database
from gateway.store.events import doubts
from gateway.store.events.doubts import Doubt


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: 1_800_000_000_000) as opened:
        yield opened


async def test_what_was_looked_for_is_settled_alone(database):
    """A look that began before another write of the booking does not end the doubt about that one."""
    looked, since = Doubt("bookings.cancel", 1), Doubt("bookings.cancel", 2)
    await database.write(lambda store: doubts.note(store, "club", "7", looked))
    await database.write(lambda store: doubts.note(store, "club", "7", since))
    await database.write(lambda store: doubts.settle(store, "club", "7", looked))
    assert since == await database.read(lambda store: doubts.of(store, "club", "7"))
    await database.write(lambda store: doubts.settle(store, "club", "7", since))
    assert None is await database.read(lambda store: doubts.of(store, "club", "7"))
