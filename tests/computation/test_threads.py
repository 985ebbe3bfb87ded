"""Computing beside the loop: the loop goes on, the deadline holds, and what nobody waits for ends."""

import asyncio
import gc
import threading

import pytest

from gateway.computation.threads import IN_A_ROW, ComputationAbandoned, checkpoint, offloaded


def busy(ended):
    """Compute until nobody waits for it; then say so."""
    try:
        while True:
            checkpoint()
    except ComputationAbandoned:
        ended.set()
        raise


async def test_the_loop_goes_on():
    """While a thread computes without a pause, the event loop turns; the work's result is given."""
    turned = 0
    enough = threading.Event()

    def work():
        while not enough.is_set():
            sum(range(1_000))
        return "done"

    computing = asyncio.ensure_future(offloaded(work, asyncio.get_running_loop().time() + 30))
    while turned < 100:
        await asyncio.sleep(0)
        turned += 1
    assert not computing.done()
    enough.set()
    assert await computing == "done"


async def test_the_deadline_holds():
    """Past its deadline nobody waits for a computation, and it ends at its next checkpoint."""
    ended = threading.Event()
    with pytest.raises(TimeoutError):
        await offloaded(lambda: busy(ended), asyncio.get_running_loop().time() + 0.05)
    assert await asyncio.to_thread(ended.wait, 30)


async def test_a_cancelled_caller_ends_the_work():
    """Work whose caller went away ends as well."""
    begun, ended = threading.Event(), threading.Event()

    def work():
        begun.set()
        busy(ended)

    computing = asyncio.ensure_future(offloaded(work, asyncio.get_running_loop().time() + 30))
    assert await asyncio.to_thread(begun.wait, 30)
    computing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await computing
    assert await asyncio.to_thread(ended.wait, 30)


async def test_cycles_are_searched_for_under_steady_load():
    """Where one computation begins before the other has ended, without end, cycles are still let go of."""
    enough = threading.Event()
    deadline = asyncio.get_running_loop().time() + 30
    computing = []
    collects = []
    for _ in range(IN_A_ROW + 1):
        computing.append(asyncio.ensure_future(offloaded(enough.wait, deadline)))
        await asyncio.sleep(0)
        collects.append(gc.isenabled())
    enough.set()
    await asyncio.gather(*computing)
    assert [False] * IN_A_ROW + [True] == collects
    assert gc.isenabled()


async def test_what_the_work_raises_is_raised():
    """An error of the work is the caller's."""
    with pytest.raises(ZeroDivisionError):
        await offloaded(lambda: 1 // 0, asyncio.get_running_loop().time() + 30)


def test_a_checkpoint_means_nothing_elsewhere():
    """Code with checkpoints runs the same where nothing was offloaded."""
    checkpoint()
