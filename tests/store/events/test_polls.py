"""Whose turn a poll is: one claim at a time, given back, ended by its time, and worth nothing once another has it."""

import asyncio

import pytest

from gateway.store.database import Database
from gateway.store.events.polls import Claim, claim, complete, due_at, fail, release
from tests.stored import failing

NOW = 1_800_000_000_000


@pytest.fixture
async def replicas(store_url):
    async with Database(store_url, lambda: NOW) as first, Database(store_url, lambda: NOW) as second:
        yield first, second


def take(database, now=NOW, until=NOW + 100, name="club"):
    return database.write(lambda store: claim(store, name, now, until))


async def test_of_many_who_come_at_once_one_has_the_claim(replicas):
    """A poll that is due is given to one, and another connection's to another."""
    found = await asyncio.gather(*(take(one) for one in replicas * 5), take(replicas[0], name="hall"))
    assert [Claim("club", 1, None, ""), Claim("hall", 1, None, "")] == [one for one in found if one is not None]


async def test_a_claim_that_ended_is_given_to_another_and_worth_nothing(replicas):
    """Who held it before can write no result, whatever it found; who has it now can, and the next poll knows of it."""
    one, other = replicas
    late = await take(one)
    assert await take(other, NOW + 99) is None
    held = await take(other, NOW + 100, NOW + 200)
    assert 2 == held.lease
    assert not await one.write(lambda store: complete(store, late, NOW, "old", NOW + 60))
    assert not await one.write(lambda store: fail(store, late, "slow", NOW + 60))
    await one.write(lambda store: release(store, late))
    assert await take(one, NOW + 150) is None
    assert await other.write(lambda store: complete(store, held, NOW + 100, "new", NOW + 160))
    assert await take(one, NOW + 159) is None
    assert Claim("club", 3, NOW + 100, "new") == await take(one, NOW + 160, NOW + 300)


async def test_a_poll_that_failed_keeps_what_was_complete(replicas):
    """A failure says why and when it is tried again; how far the poll had come stays, and a success ends it."""
    one, _ = replicas
    held = await take(one)
    assert await one.write(lambda store: complete(store, held, NOW, "d", NOW + 60))
    held = await take(one, NOW + 60, NOW + 160)
    assert await one.write(lambda store: fail(store, held, "PROVIDER_TIMEOUT: no answer", NOW + 120))
    assert {"club": "PROVIDER_TIMEOUT: no answer"} == await one.read(failing)
    assert NOW + 120 == await one.read(lambda store: due_at(store, "club"))
    held = await take(one, NOW + 120, NOW + 220)
    assert (NOW, "d") == (held.complete_at, held.digest)
    assert NOW + 220 == await one.read(lambda store: due_at(store, "club"))
    assert await one.write(lambda store: complete(store, held, NOW + 120, "d", NOW + 180))
    assert {} == await one.read(failing)


async def test_a_claim_that_is_given_back(replicas):
    """It can be taken at once, and a connection that was never polled is due."""
    one, other = replicas
    assert 0 == await one.read(lambda store: due_at(store, "club"))
    held = await take(one)
    await one.write(lambda store: release(store, held))
    assert await take(other) is not None
