"""The ledger: one live entry at a time for a key and for a stretch of time, and what becomes of each entry."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from gateway.store.database import Database
from gateway.store.links import ledger
from gateway.store.links.ledger import CANCELLED, CANCELLING, CONFIRMED, FAILED, LIVE, PENDING, UNKNOWN, Entry
from gateway.store.migrations import migrate

NOW = 1_800_000_000_000
HOUR = 3_600_000
STATES = (PENDING, CONFIRMED, CANCELLING, UNKNOWN, CANCELLED, FAILED)
ONE = Entry(
    id="lnk_1",
    link="court",
    key="k1",
    facility="1",
    start_at=NOW + HOUR,
    end_at=NOW + 2 * HOUR,
    slot_id="1-202701150900",
    player="Jané\0\N{TENNIS RACQUET AND BALL}",
    booking=None,
    state=PENDING,
    created_at=NOW,
    updated_at=NOW,
    until=NOW + 30_000,
    due_at=NOW,
    tries=0,
    reason=None,
)


def at(number, begins, ends, **more):
    """Make an entry of these hours with an id and a key of its own."""
    start, end = (NOW + round(hours * HOUR) for hours in (begins, ends))
    about = {"id": f"lnk_{number}", "key": f"k{number}", "created_at": NOW + number, **more}
    return replace(ONE, start_at=start, end_at=end, **about)


@pytest.fixture
async def replicas(store_url):
    async with Database(store_url, lambda: NOW) as first, Database(store_url, lambda: NOW) as second:
        yield first, second


@pytest.fixture
def database(replicas):
    return replicas[0]


@pytest.fixture
def begin(database):
    """Begin an entry; gives the id of the one that is in its way, or None."""

    async def of(new, by=database):
        found = await by.write(lambda store: ledger.begin(store, new))
        return found and found.id

    return of


@pytest.fixture
def settle(database):
    """Settle an entry, from any state unless told otherwise."""

    async def of(number, state, was=STATES, now=NOW, **changes):
        return await database.write(lambda store: ledger.settle(store, f"lnk_{number}", was, state, now, **changes))

    return of


@pytest.fixture
def entry(database):
    """Give an entry as it stands."""

    async def of(number):
        return await database.read(lambda store: ledger.entry(store, f"lnk_{number}"))

    return of


async def test_an_entry_is_given_as_it_was_begun(begin, entry):
    """Every field comes back, a name with whatever it holds; what was never begun is not there."""
    assert await begin(ONE) is None
    assert await entry(1) == ONE
    assert await entry(2) is None


@pytest.mark.parametrize(
    ("expected", "new"),
    [
        ("lnk_1", at(2, 1, 2, key="k1")),
        ("lnk_1", at(2, 1, 2)),
        ("lnk_1", at(2, 1.5, 2.5)),
        ("lnk_1", at(2, 0.5, 1.25)),
        ("lnk_1", at(2, 1.25, 1.5)),
        ("lnk_1", at(2, 0, 9)),
        ("lnk_1", at(2, 5, 6, key="k1", facility="2")),
        (None, at(2, 2, 3)),
        (None, at(2, 0, 1)),
        (None, at(2, 1, 2, facility="2")),
        (None, at(2, 1, 2, key="k1", link="hall")),
    ],
)
async def test_what_is_in_the_way(begin, entry, expected, new):
    """A live entry holds its key and its time on its facility of its link, and nothing beside."""
    assert await begin(ONE) is None
    assert expected == await begin(new)
    assert (new if expected is None else None) == await entry(2)


async def test_the_entry_with_the_same_key_comes_before_others_in_the_way(begin):
    """Of several that are in the way the one with the key is given, else the earliest."""
    for one in (at(1, 3, 4), at(2, 1, 2), at(3, 2, 3)):
        assert await begin(one) is None
    assert "lnk_3" == await begin(at(9, 1, 4, key="k3"))
    assert "lnk_2" == await begin(at(9, 1, 4))


@pytest.mark.parametrize("state", STATES)
async def test_only_what_is_live_is_in_the_way(begin, settle, state):
    """Once an entry is cancelled or has failed, its key and its time are free."""
    await begin(ONE)
    assert await settle(1, state)
    expected = "lnk_1" if state in LIVE else None
    assert expected == await begin(at(2, 1, 2, key="k1"))


@pytest.mark.parametrize(
    "shape",
    [
        lambda number: at(number, 1, 2, key="same"),
        lambda number: at(number, 1, 2),
        lambda number: at(number, 1 + number / 40, 2 + number / 40),
    ],
    ids=["the same key", "the same time", "times that overlap"],
)
async def test_of_many_who_begin_at_once_one_wins(replicas, begin, shape):
    """Two replicas that begin entries that are in each other's way write one; all others are given that one."""
    some = [shape(number) for number in range(1, 21)]
    found = await asyncio.gather(*(begin(one, by=replicas[one_of % 2]) for one_of, one in enumerate(some)))
    winner = some[found.index(None)].id
    assert sorted([winner] * 19) == sorted(one for one in found if one is not None)
    assert {PENDING: 1} == await replicas[0].read(lambda store: ledger.counts(store, "court"))


async def test_of_those_that_are_not_in_each_others_way_all_win(replicas, begin):
    """Neighbouring times, other facilities and other links go on side by side."""
    some = [
        at(100 * hour + 10 * court + link, hour, hour + 1, facility=f"{court}", link=f"l{link}")
        for hour in range(4)
        for court in range(3)
        for link in range(2)
    ]
    found = await asyncio.gather(*(begin(one, by=replicas[one_of % 2]) for one_of, one in enumerate(some)))
    assert [None] * 24 == found


async def test_settling_writes_what_it_names(begin, settle, entry):
    """The state, the moment and what is given are written; the rest stays, and None clears."""
    await begin(ONE)
    assert await settle(1, UNKNOWN, (PENDING,), NOW + 5, tries=2, due_at=NOW + 9, until=NOW + 7, reason="no answer")
    doubtful = {"state": UNKNOWN, "tries": 2, "due_at": NOW + 9, "until": NOW + 7, "reason": "no answer"}
    expected = replace(ONE, updated_at=NOW + 5, **doubtful)
    assert expected == await entry(1)
    assert await settle(1, CONFIRMED, (PENDING, UNKNOWN), NOW + 6, booking="b7", reason=None)
    assert replace(expected, state=CONFIRMED, updated_at=NOW + 6, booking="b7", reason=None) == await entry(1)


async def test_settling_only_from_these_states(begin, settle, entry):
    """An entry that is in none of them stays as it is; so does everything when there is no such entry."""
    await begin(ONE)
    assert not await settle(1, CANCELLED, (CONFIRMED, CANCELLING), booking="b7")
    assert not await settle(1, CANCELLED, ())
    assert not await settle(2, CANCELLED)
    assert await entry(1) == ONE


@pytest.mark.parametrize("ended", [CANCELLED, FAILED])
@pytest.mark.parametrize("state", STATES)
async def test_nothing_comes_back_to_life(begin, settle, entry, ended, state):
    """What is cancelled or failed holds no time and never does again; it may change from one to the other."""
    await begin(ONE)
    await settle(1, ended)
    assert (state not in LIVE) == await settle(1, state)
    assert (ended if state in LIVE else state) == (await entry(1)).state


async def test_an_entry_that_is_moved_gives_its_former_time_free(begin, settle, entry):
    """It holds the time that it has now; the former one and its key can be booked, and moved to as well."""
    await begin(ONE)
    assert await settle(1, CONFIRMED, start_at=NOW + 5 * HOUR, end_at=NOW + 6 * HOUR)
    moved = await entry(1)
    assert (NOW + 5 * HOUR, NOW + 6 * HOUR, "k1") == (moved.start_at, moved.end_at, moved.key)
    assert "lnk_1" == await begin(at(2, 5.5, 6.5))
    assert await begin(at(3, 1, 2, key="k1")) is None
    assert await settle(3, CONFIRMED, start_at=NOW + 5 * HOUR)
    assert await begin(at(4, 1, 1.5, key="k1")) is None
    assert await settle(1, CANCELLED)


async def test_an_entry_that_stays_where_it_is_keeps_its_key(begin, settle):
    """Being told the time that it has already moves nothing."""
    await begin(ONE)
    assert await settle(1, CONFIRMED, start_at=ONE.start_at, end_at=ONE.end_at)
    assert "lnk_1" == await begin(at(2, 8, 9, key="k1"))


async def test_of_those_begun_in_the_same_moment_the_live_one_is_newest(database, begin, settle):
    """What was cancelled and booked again within a millisecond is told as booked."""
    for number in (9, 1, 5):
        await begin(at(number, 1, 2, key="k", created_at=NOW))
        await settle(number, CANCELLED if number != 1 else FAILED)
    await begin(at(3, 1, 2, key="k", created_at=NOW))
    assert "lnk_3" == (await database.read(lambda store: ledger.find(store, "court", "k", None))).id


async def test_the_entries_of_a_booking(database, begin, settle):
    """Those of this link that became the club's booking, the newest first."""
    for number, link in ((1, "court"), (2, "court"), (3, "hall"), (4, "court")):
        await begin(at(number, number, number + 1, link=link))
        await settle(number, CONFIRMED, booking="b1" if number != 4 else "b2")
    found = await database.read(lambda store: ledger.of_booking(store, "court", "b1"))
    assert ["lnk_2", "lnk_1"] == [one.id for one in found]


@pytest.mark.parametrize(
    ("expected", "state", "due_at", "until"),
    [
        (True, PENDING, NOW + 9, NOW),
        (False, PENDING, NOW, NOW + 1),
        (True, CANCELLING, NOW, NOW + 9),
        (False, CANCELLING, NOW + 1, NOW),
        (True, UNKNOWN, NOW, NOW + 9),
        (False, UNKNOWN, NOW + 1, NOW),
        (False, CONFIRMED, NOW, NOW),
        (False, CANCELLED, NOW, NOW),
        (False, FAILED, NOW, NOW),
    ],
)
async def test_what_is_due(database, begin, settle, expected, state, due_at, until):
    """A pending entry is looked after from `until` on; one in doubt or to be cancelled when it is due."""
    await begin(ONE)
    await begin(replace(ONE, id="lnk_2", link="hall"))
    await settle(1, state, due_at=due_at, until=until)
    await settle(2, UNKNOWN, due_at=NOW)
    found = await database.read(lambda store: ledger.due(store, "court", NOW, 9))
    assert (["lnk_1"] if expected else []) == [one.id for one in found]


async def test_what_is_due_first_comes_first(database, begin, settle):
    """So many at most are given, the longest due first."""
    for number in (1, 2, 3):
        await begin(at(number, number, number + 1))
        await settle(number, UNKNOWN, due_at=NOW - number)
    found = await database.read(lambda store: ledger.due(store, "court", NOW, 2))
    assert ["lnk_3", "lnk_2"] == [one.id for one in found]


async def test_lists_and_counts(database, begin, settle):
    """The newest come first, so many at most, in all states or in some; counted is by state, each link alone."""
    for number, state in enumerate((CONFIRMED, FAILED, CONFIRMED, CANCELLED), 1):
        await begin(at(number, number, number + 1))
        await settle(number, state)
    await begin(at(9, 1, 2, link="hall"))

    async def listed(most=9, states=None):
        found = await database.read(lambda store: ledger.list_(store, "court", most, states))
        return [int(one.id.removeprefix("lnk_")) for one in found]

    assert [4, 3, 2, 1] == await listed()
    assert [4, 3] == await listed(2)
    assert [3, 1] == await listed(states=LIVE)
    assert [] == await listed(states=[])
    counted = await database.read(lambda store: ledger.counts(store, "court"))
    assert {CONFIRMED: 2, FAILED: 1, CANCELLED: 1} == counted


async def test_what_is_old_is_forgotten_in_batches(database, begin, settle):
    """The entries that changed longest ago go first, of every link."""
    for number, link in ((1, "court"), (2, "hall"), (3, "court")):
        await begin(at(number, 1, 2, link=link, facility=str(number)))
        await settle(number, CANCELLED, now=NOW + number)
    assert 2 == await database.write(lambda store: ledger.forget(store, NOW + 9, batch=2))
    assert ["lnk_3"] == [one.id for one in await database.read(lambda store: ledger.list_(store, "court", 9))]
    assert 1 == await database.write(lambda store: ledger.forget(store, NOW + 9, batch=2))
    assert 0 == await database.write(lambda store: ledger.forget(store, NOW + 9))


HOURS = st.tuples(st.integers(0, 6), st.integers(1, 3))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.sampled_from("12"), HOURS),
        st.tuples(st.sampled_from(STATES), st.integers(0, 9), st.none()),
    ),
    max_size=25,
)


def shares(one, other):
    return one.facility == other.facility and one.start_at < other.end_at and one.end_at > other.start_at


@given(steps=STEPS)
@settings(max_examples=50)
def test_no_two_live_entries_share_time(steps):
    """Whatever is begun and settled in whatever order, an entry is begun unless a live one shares its time."""
    engine = create_engine("sqlite://")
    model = []
    with engine.begin() as store:
        migrate(store, NOW)
        for step, which, hours in steps:
            if step == "begin":
                start, length = hours
                new = at(len(model), start, start + length, facility=which, key=f"{which}/{start}/{length}")
                blocked = [one for one in model if one.state in LIVE and shares(one, new)]
                taken = ledger.begin(store, new)
                assert (taken in blocked) if blocked else taken is None
                model += [] if blocked else [new]
            elif which < len(model):
                alive = model[which].state in LIVE or step not in LIVE
                assert alive == ledger.settle(store, f"lnk_{which}", STATES, step, NOW)
                model[which] = replace(model[which], state=step) if alive else model[which]
    engine.dispose()
