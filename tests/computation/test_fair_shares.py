"""Places shared fairly: one of each key in turn, none with more than its share, and none lost."""

import asyncio

from gateway.computation.fair_shares import Shares


async def queued(turns, *keys):
    """Let these wait, in this order; gives the list that they enter into as they are let in, and their tasks."""
    order = []

    async def enter(key):
        await turns.enter(key)
        order.append(key)

    tasks = []
    for key in keys:
        tasks.append(asyncio.ensure_future(enter(key)))
        await asyncio.sleep(0)
    return order, tasks


async def test_each_key_in_turn():
    """Whoever comes late with one call is not behind all the calls of another."""
    turns = Shares(1)
    await turns.enter("a")
    order, tasks = await queued(turns, "a", "a", "a", "b", "c", "b")
    for key in ("a", "a", "b", "c", "a", "b"):
        turns.leave(key)
        await asyncio.sleep(0)
    assert ["a", "b", "c", "a", "b", "a"] == order
    await asyncio.gather(*tasks)


async def test_a_share():
    """One key never has more than its share, while there is room for others."""
    turns = Shares(4, 2)
    order, tasks = await queued(turns, "a", "a", "a", "b")
    assert (["a", "a", "b"], {"a": 1}) == (order, turns.waiting())
    turns.leave("b")
    await asyncio.sleep(0)
    assert ["a", "a", "b"] == order
    turns.leave("a")
    await asyncio.gather(*tasks)
    assert ["a", "a", "b", "a"] == order


async def test_nothing_is_lost():
    """A wait that is cancelled, before or just as its turn came, leaves the place to the next."""
    turns = Shares(1)
    await turns.enter("a")
    order, (first, second, third) = await queued(turns, "a", "b", "c")
    first.cancel()
    await asyncio.sleep(0)
    turns.leave("a")
    second.cancel()  # it has been given the place and does not know it yet
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert (["c"], {}) == (order, turns.waiting())
    turns.leave("c")
    await turns.enter("d")
