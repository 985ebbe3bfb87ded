"""Loops that meet a defect of ours: it is logged and counted, that one waits ever longer, and nothing else stops."""

import asyncio

import pytest

from gateway.telemetry.setbacks import LONGEST, Setbacks


async def good():
    return 7.0


async def bad(error):
    raise error


@pytest.mark.parametrize(
    "error", [OverflowError(), OSError(), ValueError(), RecursionError(), MemoryError(), KeyError()]
)
async def test_a_loop_goes_on(caplog, error):
    """Of whatever kind, a defect leaves a line with its trace and the count; the wait doubles up to its longest."""
    setbacks = Setbacks("polling club-a")
    waits = [await setbacks.turn(bad(error)) for _ in range(12)]
    assert [1.0, 2.0, 4.0, 8.0] == waits[:4]
    assert LONGEST == waits[-1]
    assert list(range(1, 13)) == [record.fields["times"] for record in caplog.records]
    assert {"polling club-a"} == {record.fields["loop"] for record in caplog.records}
    assert all(record.exc_info[1] is error for record in caplog.records)
    assert (7.0, 0) == (await setbacks.turn(good()), setbacks.times)
    assert 1.0 == await setbacks.turn(bad(error))


async def test_a_loop_is_cancelled():
    """Only a cancellation ends it."""
    with pytest.raises(asyncio.CancelledError):
        await Setbacks("a").turn(bad(asyncio.CancelledError()))
