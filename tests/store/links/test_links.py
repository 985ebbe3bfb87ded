"""What is known of a link, whose turn its work is, and that one waits for the other."""

import asyncio

import pytest

from gateway.store.database import Database
from gateway.store.links import links
from gateway.store.links.links import LinkState

NOW = 1_800_000_000_000
FRESH = LinkState("court", None, None, None, 0, None, None, 0, 0, None, None, 0, 0)


@pytest.fixture
async def replicas(store_url):
    async with Database(store_url, lambda: NOW) as first, Database(store_url, lambda: NOW) as second:
        yield first, second


def take(database, now=NOW, until=NOW + 100, name="court"):
    return database.write(lambda store: links.claim(store, name, now, until))


async def test_a_link_of_which_nothing_is_known(replicas):
    """It has no state before it is made; made twice, it is the same."""
    one, _ = replicas
    assert await one.read(lambda store: links.state(store, "court")) is None
    for _ in range(2):
        await one.write(lambda store: links.ensure(store, "court"))
    assert await one.read(lambda store: links.state(store, "court")) == FRESH


async def test_what_is_noted_stays_until_it_is_noted_again(replicas):
    """A note writes what it names and nothing else, of one link only; None clears a reason."""
    one, _ = replicas
    await one.write(lambda store: links.ensure(store, "hall"))
    await one.write(
        lambda store: links.note(store, "court", pulled_at=1, pull_reason="a", read_at=2, read_due_at=3, cursor=4)
    )
    await one.write(
        lambda store: links.note(
            store,
            "court",
            pull_reason=None,
            read_reason="b",
            pushed_at=5,
            push_due_at=6,
            push_failures=7,
            push_reason="c",
        )
    )
    assert LinkState("court", 1, None, 2, 3, "b", 5, 6, 7, "c", 4, 0, 0) == await one.read(
        lambda store: links.state(store, "court")
    )
    other = await one.read(lambda store: links.state(store, "hall"))
    assert (None, 0, 0) == (other.pulled_at, other.push_failures, other.read_due_at)


async def test_of_many_who_come_at_once_one_has_the_work(replicas):
    """A link is given to one replica, and another link to another."""
    found = await asyncio.gather(*(take(one) for one in replicas * 5), take(replicas[0], name="hall"))
    assert [1, 1] == [lease for lease in found if lease is not None]


async def test_a_claim_that_ended_is_given_to_another_and_worth_nothing(replicas):
    """Who held it before holds it no longer, cannot make it longer, and gives nothing back."""
    one, other = replicas
    assert 1 == await take(one)
    assert await take(other, NOW + 99) is None
    assert 2 == await take(other, NOW + 100, NOW + 200)
    assert not await one.write(lambda store: links.extend(store, "court", 1, NOW + 999))
    await one.write(lambda store: links.release(store, "court", 1))
    assert await take(one, NOW + 199) is None
    assert await other.write(lambda store: links.extend(store, "court", 2, NOW + 999))


async def test_a_claim_that_is_made_longer_and_given_back(replicas):
    """It lasts up to the later moment; given back, it can be taken at once."""
    one, other = replicas
    await take(one)
    assert await one.write(lambda store: links.extend(store, "court", 1, NOW + 500))
    assert await take(other, NOW + 499) is None
    await one.write(lambda store: links.release(store, "court", 1))
    assert 2 == await take(other)


async def test_a_link_that_is_unknown_is_held_by_nobody(replicas):
    """Without a row there is no claim."""
    assert not await replicas[0].write(lambda store: links.extend(store, "court", 0, NOW + 999))


async def test_one_lock_at_a_time(replicas):
    """Whoever locks a link sees all that was written under the lock before, on whatever replica."""

    def count(store):
        links.lock(store, "court")
        links.note(store, "court", push_failures=links.state(store, "court").push_failures + 1)

    await asyncio.gather(*(one.write(count) for one in replicas * 20))
    assert 40 == (await replicas[0].read(lambda store: links.state(store, "court"))).push_failures
