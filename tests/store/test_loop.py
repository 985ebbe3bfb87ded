"""Loops that meet a defect of ours: it is logged and counted, that one waits ever longer, and nothing else stops."""

import asyncio

import pytest

from gateway.store.database import Database
from gateway.store.loop import LONGEST, Loop
from gateway.values.errors import StoreUnavailable


async def good():
    return 7.0


async def bad(error):
    raise error


@pytest.mark.parametrize(
    "error", [OverflowError(), OSError(), ValueError(), RecursionError(), MemoryError(), KeyError()]
)
async def test_a_loop_goes_on(caplog, error):
    """Of whatever kind, a defect leaves a line with its trace and the count; the wait doubles up to its longest."""
    loop = Loop("polling club-a")
    waits = [await loop.turn(bad(error)) for _ in range(12)]
    assert [1.0, 2.0, 4.0, 8.0] == waits[:4]
    assert LONGEST == waits[-1]
    assert list(range(1, 13)) == [record.fields["times"] for record in caplog.records]
    assert {"polling club-a"} == {record.fields["loop"] for record in caplog.records}
    assert all(record.exc_info[1] is error for record in caplog.records)
    assert (7.0, 0) == (await loop.turn(good()), loop.defects)
    assert 1.0 == await loop.turn(bad(error))


async def test_a_loop_is_cancelled():
    """Only a cancellation ends it."""
    with pytest.raises(asyncio.CancelledError):
        await Loop("a").turn(bad(asyncio.CancelledError()))


async def test_a_loop_waits_for_commits(tmp_path):
    """A commit that tells of its topic begins the next turn at once; after a defect only time or a stop does."""
    turns = asyncio.Queue()
    outcomes = [60.0, ValueError(), 60.0]

    async def turn():
        outcome = outcomes.pop(0)
        turns.put_nowait(outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async with Database(f"sqlite:///{tmp_path / 'gateway.db'}", lambda: 0) as database:
        loop = Loop("a", ["news"])
        running = asyncio.create_task(loop.run(turn, database))
        assert 60.0 == await turns.get()
        await database.write(lambda store: None, tells="other")
        assert turns.empty()
        await database.write(lambda store: None, tells="news")
        assert isinstance(await turns.get(), ValueError)
        await database.write(lambda store: None, tells="news")
        assert (1, True) == (loop.defects, turns.empty())
        loop.stop()
        await asyncio.wait_for(running, 5)
        assert turns.empty()


async def test_a_loop_outlives_an_outage(caplog):
    """While the store is out of reach it says so once, and waits as long as the store says; then it may say it anew."""
    loop, away = Loop("a"), StoreUnavailable("away", retry_after=3.0)
    assert [3.0, 3.0, 7.0, 3.0] == [
        await loop.turn(work) for work in (bad(away), bad(away.copy_with()), good(), bad(away.copy_with()))
    ]
    assert ["worker.paused"] * 2 == [record.getMessage() for record in caplog.records]


async def test_what_failed_together_comes_back_apart():
    """A wait after a failure is up to a tenth shorter or longer, as chance has it; a usual one is as it is given."""
    away = StoreUnavailable("away", retry_after=10.0)
    waits = [await Loop("a", chance=lambda one=one: one).turn(bad(away.copy_with())) for one in (0.0, 0.5, 1.0)]
    assert [9.0, 10.0, 11.0] == [round(one, 9) for one in waits]
    assert 7.0 == await Loop("a", chance=lambda: 0.0).turn(good())
