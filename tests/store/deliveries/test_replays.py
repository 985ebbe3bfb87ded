"""Replays: which deliveries they make, in batches that can be begun anew, and how they end."""

import asyncio
from itertools import count

import pytest
from sqlalchemy import select, update

from gateway.store.database import Database
from gateway.store.deliveries import replays, subscriptions
from gateway.store.deliveries.probes import NOWHERE, probe
from gateway.store.deliveries.replays import ReplaySelection
from gateway.store.deliveries.subscriptions import Subscription
from gateway.store.events.events import NewEvent, append
from gateway.store.tables import deliveries
from gateway.values.secrets import Secret

NOW = 1_800_000_000_000
DAY_BEFORE = NOW - 86_400_000


@pytest.fixture
def fresh():
    """Give ids that tell their order."""
    numbers = count(1)
    return lambda prefix: f"{prefix}_{next(numbers):04}"


def subscription(key, events=("*",), connections=None):
    """Make a subscription."""
    return Subscription(key, "caller:web", "https://x.example", events, connections, "native", Secret("whsec_x"), NOW)


def happened(number, connection="club-a", type_="booking.created"):
    """Make the event `number`, a minute after the one before; two follow one another for each booking."""
    about = (connection, "p", type_, "gateway", f"b{number // 2}", DAY_BEFORE + 60_000 * number)
    return NewEvent(f"evt_{number}", *about, lambda sequence: b"%d" % sequence)


@pytest.fixture
async def database(store_url, fresh):
    """Give a store with six events and a test, all delivered to `all`, some of them to `some` and `cancels`."""

    def work(connection):
        subscriptions.add(connection, subscription("all"), 9)
        subscriptions.add(connection, subscription("some", connections=("club-b",)), 9)
        subscriptions.add(connection, subscription("cancels", events=("booking.cancelled",)), 9)
        new = [happened(number, "club-a" if number < 4 else "club-b") for number in range(1, 6)]
        append(connection, [*new, happened(6, "club-b", "booking.cancelled")], fresh)
        probe(connection, happened(7, NOWHERE), "all", "dlv_probe", 1)
        connection.execute(update(deliveries).values(state="delivered", finished_at=NOW))

    async with Database(store_url, lambda: NOW) as opened:
        await opened.write(work)
        yield opened


@pytest.fixture
def run(database, fresh):
    """Give a function that begins a replay and carries it on to its end, delivering what it makes."""

    async def of(wanted, batch=2, most=100):
        job = await database.write(lambda connection: replays.begin(connection, fresh("job"), wanted, NOW))

        def step(connection):
            found = replays.advance(connection, job.id, NOW + 1, fresh, batch, most)
            mine = (deliveries.c.job == job.id) & (deliveries.c.state == "pending")
            connection.execute(update(deliveries).where(mine).values(state="delivered"))
            return found

        for _ in range(20):
            if (await database.write(step)).state == replays.DONE:
                break
        rows = select(deliveries).where(deliveries.c.job == job.id).order_by(deliveries.c.sequence, deliveries.c.id)
        made = await database.read(lambda connection: connection.execute(rows).all())
        ended = await database.read(lambda connection: replays.job(connection, job.id))
        assert len(made) == job.total == ended.total == ended.counts.get("delivered", 0)
        assert (replays.DONE, NOW + 1) == (ended.state, ended.finished_at)
        return [(row.event, row.subscription) for row in made], made

    return of


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ReplaySelection(event="evt_2"), [("evt_2", "all")]),
        (ReplaySelection(event="evt_6"), [("evt_6", "all"), ("evt_6", "cancels"), ("evt_6", "some")]),
        (ReplaySelection(event="evt_6", subscription="cancels"), [("evt_6", "cancels")]),
        (ReplaySelection(event="evt_1", subscription="some"), []),
        (ReplaySelection(first=2, last=3), [("evt_2", "all"), ("evt_3", "all")]),
        (ReplaySelection(first=99), []),
        (
            ReplaySelection(since=DAY_BEFORE + 180_000, until=DAY_BEFORE + 300_000),
            [("evt_3", "all"), ("evt_4", "all"), ("evt_4", "some")],
        ),
        (ReplaySelection(connection="club-a"), [("evt_1", "all"), ("evt_2", "all"), ("evt_3", "all")]),
        (ReplaySelection(subscription="some"), [("evt_4", "some"), ("evt_5", "some"), ("evt_6", "some")]),
    ],
    ids=["event", "all-of-it", "one-endpoint", "not-its-own", "numbers", "none", "moments", "connection", "endpoint"],
)
async def test_what_is_made(run, wanted, expected):
    """A replay makes a delivery of each event it is about for each subscription that may hear of it, counted before."""
    found, made = await run(wanted)
    assert expected == found
    assert all(row.state == "delivered" and row.created_at == NOW + 1 for row in made)


async def test_what_was_given_up(database, run):
    """With `dead` exactly what was given up and not delivered since is made again, once."""
    assert [] == (await run(ReplaySelection(dead=True)))[0]
    dead = [("evt_1", "all"), ("evt_4", "some"), ("evt_4", "all"), ("evt_6", "cancels")]

    def give_up(connection):
        for event, key in dead:
            which = (deliveries.c.event == event) & (deliveries.c.subscription == key)
            connection.execute(update(deliveries).where(which).values(state="dead"))

    await database.write(give_up)
    assert [("evt_4", "some")] == (await run(ReplaySelection(dead=True, subscription="some")))[0]
    assert [("evt_4", "all")] == (
        await run(ReplaySelection(dead=True, connection="club-b", subscription="all"), batch=1)
    )[0]
    assert [("evt_1", "all"), ("evt_6", "cancels")] == (await run(ReplaySelection(dead=True), batch=1))[0]
    assert [] == (await run(ReplaySelection(dead=True)))[0]


async def test_order(run):
    """The deliveries of a replay have streams of their own, one for each booking."""
    _, made = await run(ReplaySelection(subscription="all"))
    streams = {row.event: row.stream for row in made}
    assert streams["evt_2"] == streams["evt_3"] != streams["evt_4"] == streams["evt_5"]
    assert all(stream.startswith(f"{made[0].job}/") for stream in streams.values())


async def test_paced(database, fresh):
    """No more is made while so many deliveries wait, and a replay is not done before the last is settled."""

    def begin(connection):
        return replays.begin(connection, "job_1", ReplaySelection(subscription="all"), NOW)

    def advance(connection):
        job = replays.advance(connection, "job_1", NOW, fresh, 2, 3)
        waiting = select(deliveries.c.id).where(deliveries.c.job == "job_1", deliveries.c.state == "pending")
        return job.state, len(connection.execute(waiting).all())

    def settle(connection):
        connection.execute(update(deliveries).where(deliveries.c.job == "job_1").values(state="dead"))

    assert 6 == (await database.write(begin)).total
    told = [await database.write(advance) for _ in range(4)]
    await database.write(settle)
    told += [await database.write(advance) for _ in range(2)]
    assert [("running", count) for count in (2, 4, 4, 4, 2, 2)] == told
    await database.write(settle)
    assert ("done", 0) == await database.write(advance)
    assert {"dead": 6} == (await database.read(lambda connection: replays.job(connection, "job_1"))).counts


async def test_carried_on_by_two(store_url, database, fresh):
    """However many carry on the same replay, every delivery is made once."""
    await database.write(lambda connection: replays.begin(connection, "job_1", ReplaySelection(), NOW))

    def advance(connection):
        return replays.advance(connection, "job_1", NOW, fresh, 1, 100)

    async with Database(store_url, lambda: NOW) as other:
        for _ in range(6):
            await asyncio.gather(database.write(advance), other.write(advance))
    found = select(deliveries.c.event, deliveries.c.subscription).where(deliveries.c.job == "job_1")
    made = await database.read(lambda connection: connection.execute(found).all())
    assert 10 == len(made) == len(set(made))


async def test_cancelled(database, fresh):
    """A replay that is cancelled makes no more, and what waits of it is cancelled; it cannot be cancelled twice."""

    def work(connection):
        replays.begin(connection, "job_1", ReplaySelection(subscription="all"), NOW)
        replays.advance(connection, "job_1", NOW, fresh, 2, 100)
        told = [replays.cancel(connection, key, NOW + 7) for key in ("job_1", "job_1", "job_2")]
        more = replays.advance(connection, "job_1", NOW, fresh, 2, 100)
        return told, more, replays.job(connection, "job_1"), replays.running(connection)

    told, more, job, running = await database.write(work)
    assert ([True, False, False], None, []) == (told, more, running)
    assert ("cancelled", NOW + 7, {"cancelled": 2}) == (job.state, job.finished_at, job.counts)


async def test_listed_and_forgotten(database):
    """Replays are listed from the newest on; those that ended long ago are dropped."""

    def work(connection):
        for number in range(1, 6):
            replays.begin(connection, f"job_{number}", ReplaySelection(event="evt_1"), NOW + number // 2)
        replays.cancel(connection, "job_2", NOW + 10)
        replays.cancel(connection, "job_3", NOW + 20)
        first = replays.newest(connection, None, 2)
        second = replays.newest(connection, (first[-1].created_at, first[-1].id), 9)
        forgotten = replays.forget(connection, NOW + 20)
        left = [job.id for job in replays.newest(connection, None, 9)]
        return [job.id for job in first], [job.id for job in second], forgotten, left

    expected = (
        ["job_5", "job_4"],
        ["job_3", "job_2", "job_1"],
        1,
        ["job_5", "job_4", "job_3", "job_1"],
    )
    assert expected == await database.write(work)
    assert 4 == len(await database.read(replays.running)) + 1


async def test_known(database):
    """An event is known by its id while it is kept; a test is nothing to be replayed."""

    def work(connection):
        return [replays.is_known(connection, key) for key in ("evt_1", "evt_7", "evt_8")]

    assert [True, False, False] == await database.read(work)


async def test_a_job_of_nothing(database, fresh):
    """A replay that finds nothing is done at once."""

    def work(connection):
        job = replays.begin(connection, "job_1", ReplaySelection(first=99), NOW)
        return job.total, replays.advance(connection, "job_1", NOW, fresh, 2, 100).state

    assert (0, "done") == await database.write(work)
