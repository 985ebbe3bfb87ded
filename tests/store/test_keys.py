"""Idempotency-Keys in the store: taken once, whoever asks, kept as they were written, and gone when they are old."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from gateway.store import keys
from gateway.store.database import Database
from gateway.store.keys import IdempotentRequest, KeyRecord
from gateway.store.tables import keys as table

NOW = 1_800_000_000_000
DAY = 86_400_000
ASKED = IdempotentRequest("web", "club", "k", "f" * 64, "bookings.create", b'{"a":"\\u0000"}')


def now():
    return NOW


@pytest.fixture
async def database(store_url):
    async with Database(store_url, now) as opened:
        yield opened


@pytest.fixture
async def replicas(store_url):
    async with Database(store_url, now) as first, Database(store_url, now) as second:
        yield first, second


@pytest.fixture
def begin(database):
    """Take a key: `await begin("op_1", at=NOW, key="k")` gives None, or what is there."""

    async def of(id_, *, at=NOW, forget=NOW - DAY, by=database, **more):
        new = KeyRecord(id_, replace(ASKED, **more), at, at + 1000)
        return await by.write(lambda connection: keys.begin(connection, new, forget))

    return of


def tried(id_, lease=0):
    """Name a try as its outcome is written by."""
    return KeyRecord(id_, ASKED, NOW, NOW + 1000, lease=lease)


def left(connection):
    return list(connection.scalars(select(table.c.id).order_by(table.c.began_at, table.c.id)))


async def test_taken_once(begin, database):
    """The first takes the key; whoever comes later gets what stands there, byte for byte."""
    assert None is await begin("op_1")
    kept = KeyRecord("op_1", ASKED, NOW, NOW + 1000)
    assert kept == await begin("op_2", at=NOW + 5, fingerprint="0" * 64)
    await database.write(lambda connection: keys.finish(connection, tried("op_1"), b"\0\xff", settled=True))
    assert replace(kept, asked=replace(ASKED, request=b""), outcome=b"\0\xff") == await begin("op_3")


@pytest.mark.parametrize("other", [{"owner": "ada"}, {"connection": "other"}, {"key": "K"}])
async def test_whose(begin, other):
    """Another caller, connection or key is another request."""
    await begin("op_1")
    assert None is await begin("op_2", **other)


async def test_two_replicas(begin, replicas):
    """Of many that come at once on two replicas exactly one takes the key."""
    found = await asyncio.gather(*(begin(f"op_{one}", by=replicas[one % 2]) for one in range(20)))
    (first,) = [number for number, old in enumerate(found) if old is None]
    assert {f"op_{first}"} == {old.id for old in found if old is not None}


async def test_an_unsettled_outcome_keeps_the_request(begin, database):
    """What the caller sent stays as long as somebody must look whether it was done."""
    await begin("op_1")
    await database.write(lambda connection: keys.finish(connection, tried("op_1"), b"?", settled=False))
    found = await database.read(lambda connection: keys.of(connection, "club", "web", "op_1"))
    assert (ASKED, b"?") == (found.asked, found.outcome)


async def test_dropped_and_in_doubt(begin, database):
    """A dropped key can be taken again; one in doubt cannot, and is not under way any more."""
    await begin("op_1")
    await database.write(lambda connection: keys.drop(connection, tried("op_1")))
    assert None is await begin("op_2")
    assert (await begin("op_3")).under_way(NOW)
    await database.write(lambda connection: keys.doubt(connection, tried("op_2")))
    assert not (await begin("op_3")).under_way(NOW)


async def test_forgotten(begin, database):
    """What is old counts for nothing, unless it is under way; a late outcome of it changes nothing of the new one."""
    await begin("op_1")
    assert "op_1" == (await begin("op_2", at=NOW + 500, forget=NOW + 500)).id
    assert "op_1" == (await begin("op_2", at=NOW + 5000, forget=NOW)).id
    assert None is await begin("op_2", at=NOW + 5000, forget=NOW + 1)
    await database.write(lambda connection: keys.finish(connection, tried("op_1"), b"late", settled=True))
    assert None is (await begin("op_3", at=NOW + 5000)).outcome


async def test_by_id(begin, database):
    """A request is found by its id only by who made it and below its connection, or as anybody's."""
    await begin("op_1")
    cases = [("club", "web"), ("club", "ada"), ("other", "web")]
    found = [await database.read(lambda connection, case=case: keys.of(connection, *case, "op_1")) for case in cases]
    assert [True, False, False] == [one is not None for one in found]
    assert found[0] == await database.read(lambda connection: keys.of_anybody(connection, "op_1"))
    assert None is await database.read(lambda connection: keys.of_anybody(connection, "op_2"))


async def test_the_next_try(begin, database):
    """Of those who find that nothing was done one is given the next try, and only the last try writes its outcome."""
    await begin("op_1")
    old = await begin("op_2")
    new = replace(old, began_at=NOW + 5, until=NOW + 2000, lease=1, holder="gw_2")
    taken = [await database.write(lambda connection: keys.again(connection, old, new)) for _ in range(2)]
    assert [True, False] == taken
    assert new == await begin("op_3", at=NOW + 5)
    late = await database.write(lambda connection: keys.finish(connection, old, b"late", settled=True))
    await database.write(lambda connection: keys.doubt(connection, old))
    await database.write(lambda connection: keys.drop(connection, old))
    assert (False, new) == (late, await begin("op_3", at=NOW + 5))
    assert await database.write(lambda connection: keys.finish(connection, new, b"ours", settled=True))
    kept = await begin("op_3", at=NOW + 5)
    assert (b"ours", "op_1", "") == (kept.outcome, kept.id, kept.holder)


@pytest.mark.parametrize("outcome", [None, b"unknown"])
async def test_no_next_try_of_what_was_found(begin, database, outcome):
    """Who has seen nothing yet gets no next try once somebody else has found that it was done."""
    await begin("op_1")
    if outcome is not None:
        await database.write(lambda connection: keys.finish(connection, tried("op_1"), outcome, settled=False))
    old = await begin("op_2")
    assert await database.write(lambda connection: keys.finish(connection, old, b"done", settled=True))
    assert not await database.write(lambda connection: keys.again(connection, old, replace(old, lease=1, outcome=None)))
    assert b"done" == (await begin("op_3")).outcome


async def test_two_replicas_ask_for_the_next_try(begin, replicas):
    """Of many that ask for it at once on two replicas exactly one gets it."""
    await begin("op_1", by=replicas[0])
    old = await begin("op_2", by=replicas[0])
    tries = [replace(old, lease=1, until=NOW + 2000 + number) for number in range(20)]
    asks = [
        replicas[number % 2].write(lambda store, new=new: keys.again(store, old, new))
        for number, new in enumerate(tries)
    ]
    assert 1 == sum(await asyncio.gather(*asks))


async def test_used(begin, database):
    """The keys of a caller are counted, with the bytes of requests while they are needed, and of answers."""
    for number, owner in enumerate(["web", "web", "ada"]):
        await begin(f"op_{number}", key=f"k{number}", at=NOW + number, owner=owner)
    await database.write(lambda connection: keys.finish(connection, tried("op_0"), b"1234", settled=True))
    await database.write(lambda connection: keys.finish(connection, tried("op_1"), b"?", settled=False))
    used = [await database.read(lambda store, one=one: keys.use(store, one)) for one in ("web", "ada", "nobody")]
    size = len(ASKED.request)
    assert [keys.KeyUsage(2, 4 + 1 + size, NOW), keys.KeyUsage(1, size, NOW + 2), keys.KeyUsage(0, 0, None)] == used


async def test_pruned(begin, database):
    """What is old goes in batches, the oldest first; what is not old stays, however much there is."""
    for number in range(8):
        await begin(f"op_{number}", key=f"k{number}", at=NOW + number)
        if number not in {0, 4}:
            await database.write(lambda store, one=number: keys.finish(store, tried(f"op_{one}"), b"x", settled=True))

    async def prune(**more):
        limits = {"now": NOW + 900, "forget": NOW, "batch": 100} | more
        return await database.write(lambda connection: keys.prune(connection, **limits)), await database.read(left)

    assert (0, 8) == ((await prune())[0], await database.read(lambda one: one.scalar(select(func.count(table.c.id)))))
    assert (2, ["op_0", "op_3", "op_4", "op_5", "op_6", "op_7"]) == await prune(forget=NOW + 4, batch=2)
    assert (1, ["op_0", "op_4", "op_5", "op_6", "op_7"]) == await prune(forget=NOW + 4)
    assert (2, ["op_5", "op_6", "op_7"]) == await prune(now=NOW + 5000, forget=NOW + 5)


async def test_two_replicas_prune_at_once(begin, replicas):
    """Replicas that prune at the same time remove each key once, and neither fails."""
    for number in range(30):
        await begin(f"op_{number}", key=f"k{number}")

    def prune(connection):
        return keys.prune(connection, NOW + DAY, NOW + 1, 10)

    counts = await asyncio.gather(*(one.write(prune) for one in replicas * 4))
    assert (30, []) == (sum(counts), await replicas[0].read(left))
