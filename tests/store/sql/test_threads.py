"""Threads that do what blocks: in order, to its end, and with its failure where it was asked for."""

import asyncio
from threading import Event

import pytest

from gateway.store.sql.threads import Threads


async def test_pieces_are_done_in_order():
    """One thread does one piece after the other, as they came; each caller gets its own result or failure."""
    threads, done = Threads(1, "t"), []

    def piece(number):
        done.append(number)
        if number == 2:
            raise LookupError(number)
        return -number

    given = await asyncio.gather(*(threads.do(lambda n=n: piece(n)) for n in range(5)), return_exceptions=True)
    await threads.close()
    assert [0, 1, 2, 3, 4] == done
    assert [0, -1, -3, -4] == [*given[:2], *given[3:]]
    assert isinstance(given[2], LookupError)


async def test_what_nobody_waits_for_any_more_is_done():
    """A caller that stops waiting does not stop its piece, nor any other; closing waits for all of them."""
    threads, go, done = Threads(1, "t"), Event(), []

    def slow():
        go.wait(5)
        done.append("slow")

    waiting = asyncio.create_task(threads.do(slow))
    behind = asyncio.create_task(threads.do(lambda: done.append("behind")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go.set()
    await threads.close()
    await behind
    assert ["slow", "behind"] == done
