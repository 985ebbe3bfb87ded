"""Life signs: who has stopped beating is dead, whoever beats is not, and a lock tells who is alone on a file."""

from contextlib import AsyncExitStack

import pytest

from gateway.events.heartbeat import Heartbeat
from gateway.store.database import Database
from gateway.store.links import links
from gateway.store.processes import processes
from gateway.store.processes.presence import Presence

NOW = 1_800_000_000_000
LONG = NOW + 150_000
ENDLESS = 1e6
"""Seconds between beats that nobody waits for."""


@pytest.fixture
async def opened(store_url):
    """Open the store as another process: `database = await opened("gw_1")`."""
    async with AsyncExitStack() as stack:

        async def of(name):
            return await stack.enter_async_context(Database(store_url, lambda: NOW, name))

        yield of


async def free(database):
    """Tell whether nobody holds the link."""
    lease = await database.write(lambda store: links.claim(store, "court", NOW, NOW))
    return lease is not None


async def taken(database):
    """Have a process take a link for a long time."""
    assert await database.write(lambda store: links.claim(store, "court", NOW, LONG, database.process))


async def test_who_beats_no_more(opened):
    """A process is dead after so many looks without a beat, not one earlier; a beat in between begins them anew."""
    one, two = await opened("gw_1"), await opened("gw_2")
    async with Heartbeat(one, lambda: NOW, ENDLESS), Heartbeat(two, lambda: NOW, ENDLESS, missed=3) as heart:
        await taken(one)
        for _ in range(3):
            await heart.look()
        await one.write(lambda store: processes.beat(store, "gw_1", NOW))
        for _ in range(3):
            await heart.look()
            assert not await free(two)
        await heart.look()
        assert await free(two)
        assert {"gw_2": 1} == await two.read(processes.beats)


async def test_who_was_only_paused(opened):
    """A process that was taken for dead is known again with its next beat, and its claims are counted past."""
    one, two = await opened("gw_1"), await opened("gw_2")
    async with Heartbeat(one, lambda: NOW, ENDLESS):
        await taken(one)
        async with Heartbeat(two, lambda: NOW, ENDLESS, missed=1) as heart:
            await heart.look()
            await heart.look()
            assert await two.write(lambda store: links.claim(store, "court", NOW, LONG, "gw_2"))
            assert not await one.write(lambda store: links.extend(store, "court", 1, LONG))
            assert not await one.write(lambda store: processes.beat(store, "gw_1", NOW))
            assert {"gw_1", "gw_2"} == (await two.read(processes.beats)).keys()


async def test_a_stop_gives_back(opened):
    """Who stops gives everything back at once."""
    one, two = await opened("gw_1"), await opened("gw_2")
    async with Heartbeat(one, lambda: NOW, ENDLESS):
        await taken(one)
        assert not await free(two)
    assert await free(two)


async def test_a_second_gateway_is_no_restart(opened):
    """Who starts while another one lives takes nothing of it, also on a SQLite file."""
    one, two = await opened("gw_1"), await opened("gw_2")
    async with Heartbeat(one, lambda: NOW, ENDLESS):
        await taken(one)
        async with Heartbeat(two, lambda: NOW, ENDLESS):
            assert not await free(two)


def test_alone(tmp_path):
    """The lock of a file is had alone only when nobody has it; its file is for its owner alone."""
    first, second = Presence(tmp_path / "gateway.db"), Presence(tmp_path / "gateway.db")
    assert [True, False] == [first.enter(), second.enter()]
    first.leave()
    second.leave()
    assert first.enter()
    first.leave()
    assert 0o600 == (tmp_path / "gateway.db.lock").stat().st_mode & 0o777
