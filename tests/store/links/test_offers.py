"""Slots that are offered: kept as the latest reading has them, told until the peer took them, parked and forgotten."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from gateway.store.database import Database
from gateway.store.links import offers
from gateway.store.links.offers import Offer, StoredOffer
from gateway.store.migrations import migrate

NOW = 1_800_000_000_000
HOUR = 3_600_000
ONE = Offer("1", NOW + HOUR, NOW + 2 * HOUR, available=True, state=b'{"a":"\\u0000"}\0', digest="d1", seen_at=NOW)


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: NOW) as opened:
        yield opened


@pytest.fixture
def put(database):
    """Keep offers of the link `court`: `await put(one, two)`."""

    async def of(*some, link="court", by=database):
        await by.write(lambda store: offers.put(store, link, some))

    return of


@pytest.fixture
def stored(database):
    """Give all that is kept of a link."""

    async def of(link="court"):
        return await database.read(lambda store: offers.between(store, link, 0, NOW * 2))

    return of


@pytest.fixture
def waiting(database):
    """Give the digests that wait to be told."""

    async def of(now=NOW, most=9):
        return [one.digest for one in await database.read(lambda store: offers.waiting(store, "court", now, most))]

    return of


def at(hours, facility="1", **more):
    """Make an offer of an hour that begins in so many hours."""
    start = NOW + round(hours * HOUR)
    about = {"digest": f"{facility}@{hours}", **more}
    return replace(ONE, facility=facility, start_at=start, end_at=start + HOUR, **about)


def new(offer):
    """Make of an offer what is stored when the peer was told nothing."""
    return StoredOffer(*(getattr(offer, name) for name in Offer.__slots__), None, None, None, None)


async def test_what_is_put_is_given_as_it_was(put, stored):
    """Every field comes back, bytes byte for byte, and each link has its own slots."""
    await put(ONE, replace(ONE, facility="2", available=False))
    await put(replace(ONE, digest="other"), link="hall")
    await put()
    assert [new(ONE), new(replace(ONE, facility="2", available=False))] == await stored()
    assert ["other"] == [one.digest for one in await stored("hall")]


async def test_a_later_reading_replaces_and_an_earlier_one_does_not(put, stored):
    """A slot is what the reading says that began last, in whatever order they are written."""
    await put(ONE)
    await put(replace(ONE, digest="late", seen_at=NOW - 1), at(3))
    assert ["d1", "1@3"] == [one.digest for one in await stored()]
    later = replace(ONE, end_at=NOW + 3 * HOUR, available=False, state=b"{}", digest="d2", seen_at=NOW + 1)
    await put(later)
    assert new(later) == (await stored())[0]
    await put(replace(later, digest="d3"))
    assert "d3" == (await stored())[0].digest


async def test_what_the_peer_was_told_outlives_a_reading(database, put, stored):
    """Putting a slot again keeps what the peer took and refused."""
    await put(ONE)
    await database.write(lambda store: offers.tell(store, "court", [("1", ONE.start_at, "d1")], NOW + 5))
    await database.write(lambda store: offers.park(store, "court", [("1", ONE.start_at, "dx")], "no such court"))
    await put(replace(ONE, digest="d2", seen_at=NOW + 1))
    (found,) = await stored()
    assert ("d2", "d1", NOW + 5, "dx", "no such court") == (
        *(found.digest, found.told, found.told_at, found.parked, found.reason),
    )


async def test_what_nobody_knows_of_is_told_again(database, put, waiting):
    """A slot in doubt waits again though nothing of it changed; its neighbours, and other links', do not."""
    some = [at(1), at(2), at(2, "2")]
    await put(*some)
    await put(at(1), link="hall")
    for link in ("court", "hall"):
        told = [(one.facility, one.start_at, one.digest) for one in some]
        await database.write(lambda store, link=link, told=told: offers.tell(store, link, told, NOW))
    assert [] == await waiting()
    await database.write(lambda store: offers.doubt(store, "court", [("1", at(2).start_at), ("9", at(1).start_at)]))
    await database.write(lambda store: offers.doubt(store, "hall", []))
    assert ["1@2"] == await waiting()
    assert (0, 0) == await database.read(lambda store: offers.depth(store, "hall", NOW))


async def test_a_whole_horizon_from_two_replicas(store_url):
    """Two replicas that write the same thousands of slots at once do not stand in each other's way."""
    some = [at(half / 2, str(facility)) for facility in range(10) for half in range(420)]
    turned = [replace(one, digest="late", seen_at=NOW + 1) for one in reversed(some)]
    async with Database(store_url, lambda: NOW) as first, Database(store_url, lambda: NOW) as second:
        await asyncio.gather(
            first.write(lambda store: offers.put(store, "court", some)),
            second.write(lambda store: offers.put(store, "court", turned)),
        )
        found = await first.read(lambda store: offers.between(store, "court", 0, NOW * 2))
    assert (4200, {"late"}) == (len(found), {one.digest for one in found})


@pytest.mark.parametrize(
    ("expected", "span", "facilities"),
    [
        (["1@1", "1@2", "1@3", "2@1", "2@2"], (1, 4), None),
        (["1@1", "2@1"], (1, 2), None),
        (["2@2"], (1.5, 3), ["2"]),
        (["1@3"], (3, 3.1), ["1", "2", "x"]),
        ([], (0, 9), []),
        ([], (3.1, 9), None),
    ],
)
async def test_those_that_begin_in_a_window(database, put, expected, span, facilities):
    """The window begins with its first moment and ends before its last; they come by facility and start."""
    await put(at(2, "2"), at(3), at(1), at(1, "2"), at(2))
    start, end = (NOW + round(hours * HOUR) for hours in span)
    found = await database.read(lambda store: offers.between(store, "court", start, end, facilities))
    assert expected == [one.digest for one in found]


@pytest.mark.parametrize(
    ("expected", "span"),
    [
        (["1@1", "1@1.5"], (1, 2)),
        (["1@1", "1@1.5", "1@2"], (1.6, 2.1)),
        (["1@1.5", "1@2"], (2, 2.5)),
        ([], (0, 1)),
        ([], (3, 4)),
    ],
)
async def test_those_that_share_time(database, put, expected, span):
    """A slot that only touches the window is not among them, nor one of another facility."""
    await put(at(2), at(1), at(1.5), at(1, "2"))
    start, end = (NOW + round(hours * HOUR) for hours in span)
    found = await database.read(lambda store: offers.overlapping(store, "court", "1", start, end))
    assert expected == [one.digest for one in found]


async def test_what_is_dropped_is_gone(database, put, stored):
    """Only the slots of this facility that begin at these moments go."""
    await put(at(1), at(2), at(1, "2"))
    starts = {NOW + HOUR, NOW + 7 * HOUR}
    await database.write(lambda store: offers.drop(store, "court", "1", starts))
    await database.write(lambda store: offers.drop(store, "court", "2", []))
    assert ["1@2", "2@1"] == [one.digest for one in await stored()]


async def test_when_days_were_read(database):
    """A day is known with the reading that began last; what was never read is missing."""

    def read(store):
        return offers.read_days(store, "court", ["1", "2"], ["2027-01-15", "2027-01-16"])

    pairs = [("1", "2027-01-15"), ("2", "2027-01-15")]
    await database.write(lambda store: offers.note_days(store, "court", pairs, NOW))
    await database.write(lambda store: offers.note_days(store, "court", [*pairs[:1], ("1", "2027-01-16")], NOW - 5))
    assert {pairs[0]: NOW, pairs[1]: NOW, ("1", "2027-01-16"): NOW - 5} == await database.read(read)
    await database.write(lambda store: offers.note_days(store, "court", iter(pairs[1:]), NOW + 5))
    await database.write(lambda store: offers.note_days(store, "hall", pairs, NOW + 9))
    assert {pairs[0]: NOW, pairs[1]: NOW + 5, ("1", "2027-01-16"): NOW - 5} == await database.read(read)


async def test_what_waits_is_told_by_its_start(put, waiting):
    """What begins soonest comes first, so many at most; what has begun is told no more."""
    await put(at(2, "1"), at(1, "2"), at(0), at(1, "1"), at(-1))
    assert ["1@1", "2@1", "1@2"] == await waiting()
    assert ["1@1", "2@1"] == await waiting(most=2)
    assert ["1@2"] == await waiting(NOW + HOUR)


async def test_the_way_of_a_slot_through_told_and_parked(database, put, waiting):
    """It waits whenever its state is neither the one the peer took last nor the one it refused."""

    async def is_now(digest):
        await put(replace(ONE, digest=digest))

    async def depth():
        return await database.read(lambda store: offers.depth(store, "court", NOW))

    async def told(digest):
        await database.write(lambda store: offers.tell(store, "court", [("1", ONE.start_at, digest)], NOW))

    await is_now("a")
    assert (["a"], (1, 0)) == (await waiting(), await depth())
    await told("a")
    assert ([], (0, 0)) == (await waiting(), await depth())
    await is_now("b")
    assert (["b"], (1, 0)) == (await waiting(), await depth())
    await database.write(lambda store: offers.park(store, "court", [("1", ONE.start_at, "b")], "refused"))
    assert ([], (0, 1)) == (await waiting(), await depth())
    await is_now("a")  # as the peer has it
    assert ([], (0, 0)) == (await waiting(), await depth())
    await is_now("c")
    assert (["c"], (1, 0)) == (await waiting(), await depth())
    await is_now("d")  # while c was on its way
    await told("c")
    assert (["d"], (1, 0)) == (await waiting(), await depth())


async def test_telling_clears_what_was_refused(database, put, stored, waiting):
    """Once the peer takes a state nothing is parked; marks of slots that are gone, or none, do no harm."""
    await put(ONE, at(3))
    both = [("1", at(3).start_at, "1@3"), ("1", ONE.start_at, "d1"), ("9", NOW, "gone")]
    await database.write(lambda store: offers.park(store, "court", both, "closed"))
    assert [("d1", "closed"), ("1@3", "closed")] == [(one.parked, one.reason) for one in await stored()]
    await database.write(lambda store: offers.tell(store, "court", both[1:], NOW + 1))
    await database.write(lambda store: offers.tell(store, "court", [], NOW + 2))
    await database.write(lambda store: offers.park(store, "court", [], "nothing"))
    assert [("d1", NOW + 1, None, None), (None, None, "1@3", "closed")] == [
        (one.told, one.told_at, one.parked, one.reason) for one in await stored()
    ]
    assert [] == await waiting()


async def test_a_peer_that_knows_nothing_is_told_everything(database, put, stored, waiting):
    """All slots of the link wait again, those told and those parked; another link's do not."""
    await put(ONE, at(3))
    await put(ONE, link="hall")
    for link in ("court", "hall"):
        await database.write(
            lambda store, link=link: offers.tell(store, link, [("1", ONE.start_at, "d1")], NOW),
        )
    await database.write(lambda store: offers.park(store, "court", [("1", at(3).start_at, "1@3")], "closed"))
    await database.write(lambda store: offers.untold(store, "court"))
    assert ["d1", "1@3"] == await waiting()
    assert [new(ONE), new(at(3))] == await stored()
    assert ["d1"] == [one.told for one in await stored("hall")]


async def test_what_is_over_is_forgotten(database, put, stored):
    """Slots that ended before the moment go, the oldest first and so many at most; days once they are over anywhere."""
    long = replace(at(-5), end_at=NOW + HOUR)
    await put(at(-4), at(-3), at(-2), at(-1), long, at(1))
    await put(at(-4), link="hall")
    days = ["2027-01-13", "2027-01-14", "2027-01-15"]  # NOW is 2027-01-15T08:00Z
    await database.write(lambda store: offers.note_days(store, "court", [("1", day) for day in days], NOW))
    assert 2 == await database.write(lambda store: offers.forget(store, "court", NOW, batch=2))
    assert ["1@-5", "1@-2", "1@-1", "1@1"] == [one.digest for one in await stored()]
    assert 1 == await database.write(lambda store: offers.forget(store, "court", NOW))
    assert 0 == await database.write(lambda store: offers.forget(store, "court", NOW))
    assert ["1@-5", "1@-1", "1@1"] == [one.digest for one in await stored()]
    assert ["1@-4"] == [one.digest for one in await stored("hall")]
    read = await database.read(lambda store: offers.read_days(store, "court", ["1"], days))
    assert {("1", "2027-01-14"): NOW, ("1", "2027-01-15"): NOW} == read


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("12"), st.sampled_from("abc"), st.integers(0, 5)),
        st.tuples(st.sampled_from(["tell", "park"]), st.sampled_from("12"), st.sampled_from("abc"), st.just(0)),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=50)
def test_a_slot_waits_while_the_peer_knows_another_state(steps):
    """Whatever is read, told and refused in whatever order, what waits is what differs from both."""
    engine = create_engine("sqlite://")
    slots = {}
    with engine.begin() as store:
        migrate(store, NOW)
        for step, facility, digest, seen in steps:
            slot = slots.get(facility)
            if step == "put":
                offers.put(store, "court", [replace(ONE, facility=facility, digest=digest, seen_at=seen)])
                if slot is None or seen >= slot["seen"]:
                    slots[facility] = {"told": None, "parked": None, **(slot or {}), "digest": digest, "seen": seen}
            elif step == "tell":
                offers.tell(store, "court", [(facility, ONE.start_at, digest)], NOW)
                slots.get(facility, {}).update(told=digest, parked=None)
            else:
                offers.park(store, "court", [(facility, ONE.start_at, digest)], "no")
                slots.get(facility, {}).update(parked=digest)
        found = {one.facility: one.digest for one in offers.waiting(store, "court", NOW, 9)}
    engine.dispose()
    assert found == {k: one["digest"] for k, one in slots.items() if one["digest"] not in (one["told"], one["parked"])}
