"""When things go wrong: endpoints that hang, a process that dies, a store that is away, clocks that leap."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from gateway.store.database import Database
from gateway.store.deliveries import deliveries as store
from gateway.transport.client import Client
from gateway.webhooks.outbound.sender import LEASE_MARGIN
from tests.webhooks.outbound.house import NOW, PACE, SECRET, opened, until
from tests.webhooks.outbound.receivers import answer, hang
from tests.webhooks.outbound.test_sender import HTTP_DATE

LEASE = round((PACE.timeout + LEASE_MARGIN) * 1000)
DAY = 86_400_000


def held():
    """Make an answer that waits until a test lets it go: give the event, and the deed."""
    let_go = asyncio.Event()

    async def deed(writer):
        await let_go.wait()
        writer.write(answer())
        await writer.drain()

    return let_go, deed


async def test_a_slow_endpoint_delays_no_other(house):
    """An endpoint that hangs holds its own places alone: all that others are to get arrives while it still hangs."""
    slow = await house.subscribed(hang, key="wh_1")
    fast = await house.subscribed(key="wh_2")
    house.start(pace=replace(PACE, timeout=60.0, grace=0.0))
    events = await house.happen(*(f"b{number}" for number in range(30)))
    await until(lambda: len(fast.posts) == 30)
    assert set(events) == {post.headers["webhook-id"] for post in fast.posts}
    await house.tried(30)
    assert ["pending"] * 30 == [one.state for one in await house.deliveries(subscription="wh_1")]
    assert PACE.per_endpoint == len(slow.posts)


async def test_an_endpoint_that_fails_is_asked_with_one_place_until_it_recovers(house):
    """After a failure one attempt at a time is made; after a success all places are used again."""
    let_go, deed = held()
    receiver = await house.subscribed(answer(500), deed)
    house.start()
    await house.happen("b0")
    await house.tried(1)
    await house.happen(*(f"b{number}" for number in range(1, 9)))
    await until(lambda: len(receiver.posts) == 2)
    await house.settle()
    assert 2 == len(receiver.posts)
    receiver.answers = [hang]
    let_go.set()
    await until(lambda: len(receiver.posts) == 2 + PACE.per_endpoint)


async def test_a_process_that_dies_loses_nothing(house):
    """What was under way when a process died is sent again with the same id and body, once its lease has run out."""
    receiver = await house.subscribed(hang)
    _, task = house.start()
    await house.happen("b1")
    await until(lambda: receiver.posts)
    task.cancel()
    await asyncio.wait([task])
    receiver.answers = [answer()]
    house.start()
    house.time += LEASE - 1
    await house.settle()
    assert 1 == len(receiver.posts)
    house.time += 1
    await house.tried(1)
    first, again = receiver.posts
    assert (first.body, first.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])
    assert ["delivered"] == await house.states()


async def test_a_stop_finishes_what_is_under_way(house):
    """A stop begins nothing more and waits for the outcome of what was sent; the rest is still to do."""
    let_go, deed = held()
    receiver = await house.subscribed(deed)
    dispatcher, task = house.start()
    await house.happen("b1", "b1")
    await until(lambda: receiver.posts)
    stopping = asyncio.create_task(dispatcher.stop())
    await house.settle()
    assert not stopping.done()
    let_go.set()
    await stopping
    await task
    assert (["delivered", "pending"], 1) == (await house.states(), len(receiver.posts))
    assert "Dispatcher(0 under way, stopping)" == repr(dispatcher)


async def test_a_stop_gives_back_what_does_not_end(house):
    """What does not end within the grace is given back: the next process sends it at once, lease or no lease."""
    receiver = await house.subscribed(hang)
    dispatcher, _ = house.start(pace=replace(PACE, grace=0.05))
    await house.happen("b1")
    await until(lambda: receiver.posts)
    await dispatcher.stop()
    receiver.answers = [answer()]
    house.start()
    await house.tried(1)
    assert ([1, 1], ["delivered"]) == ([post.attempt for post in receiver.posts], await house.states())


async def test_a_result_that_comes_too_late_changes_nothing(house):
    """Who lost its lease to another writes its attempt and no result; the consumer has one event twice at worst."""
    let_go, deed = held()
    receiver = await house.subscribed(deed)
    house.start()
    await house.happen("b1")
    await until(lambda: receiver.posts)
    house.time += LEASE
    (other,) = await house.database.write(lambda connection: store.claim(connection, "wh_1", house.time, LEASE, 1))
    let_go.set()
    (attempt,) = await house.tried(1)
    assert ("delivered", ["pending"]) == (attempt.outcome, await house.states())
    tried = replace(attempt, outcome="failed")
    result = store.Result("pending", house.time)
    assert await house.database.write(lambda connection: store.record(connection, other, tried, result))
    await house.tried(3)
    assert ["delivered"] == await house.states()


async def test_a_removed_subscription_hears_no_more(house):
    """What is under way to it has no result, and what is pending is not sent."""
    let_go, deed = held()
    receiver = await house.subscribed(deed)
    house.start()
    await house.happen("b1", "b1")
    await until(lambda: receiver.posts)
    await house.change(state="removed")
    await house.database.write(lambda connection: store.cancel(connection, "wh_1", "removed", NOW))
    let_go.set()
    await house.tried(1)
    await house.settle()
    assert (["cancelled", "cancelled"], 1) == (await house.states(), len(receiver.posts))


async def test_two_gateways_on_one_store_deliver_each_event_once_and_in_order(house):
    """However many dispatchers share a store, an endpoint gets every event of a booking once and in its order."""
    receiver = await house.subscribed()
    async with Database(house.url, lambda: house.time) as other:
        first, _ = house.start()
        second, _ = house.start(database=other)
        events = await house.happen(*(f"b{number % 5}" for number in range(40)))
        await house.tried(40)
        await asyncio.gather(first.stop(), second.stop())
    assert sorted(events) == sorted(post.headers["webhook-id"] for post in receiver.posts)
    for booking in range(5):
        mine = events[booking::5]
        assert mine == [key for post in receiver.posts if (key := post.headers["webhook-id"]) in mine]


async def test_on_postgresql_as_well(postgresql_server):
    """Two gateways on a PostgreSQL deliver everything exactly once while nothing goes wrong."""
    async with opened(postgresql_server()) as house:
        receiver = await house.subscribed(*(answer(500),) * 5, answer(), schedule=(0.0,) * 9)
        async with Database(house.url, lambda: house.time) as other:
            dispatchers = [house.start()[0], house.start(database=other)[0]]
            events = await house.happen(*(f"b{number % 7}" for number in range(35)))
            await house.tried(40)
            await asyncio.gather(*(one.stop() for one in dispatchers))
        assert ["delivered"] * 35 == await house.states()
        assert set(events) == {post.headers["webhook-id"] for post in receiver.posts}
        assert 40 == len(receiver.posts)


async def test_a_store_that_is_away_for_a_while(house, caplog, monkeypatch):
    """While the store is locked nothing is lost: an outcome is written once it is back, and the loop goes on."""
    monkeypatch.setattr("gateway.store.sql.drivers._BUSY_MILLISECONDS", 30)
    locker = sqlite3.connect(house.url.removeprefix("sqlite:///"), isolation_level=None)

    async def lock(writer):
        locker.execute("BEGIN IMMEDIATE")
        writer.write(answer())
        await writer.drain()

    receiver = await house.subscribed(lock, answer())
    async with Database(house.url, lambda: house.time) as database:
        house.start(database=database)
        await house.happen("b1")
        await until(lambda: any("worker.paused" in record.message for record in caplog.records))
        await house.settle()
        assert ["pending"] == await house.states()
        locker.execute("ROLLBACK")
        locker.close()
        await house.tried(1)
        assert (1, ["delivered"]) == (len(receiver.posts), await house.states())
        await house.happen("b2")
        await house.tried(2)
        await house.close()
        house.ran.clear()


@pytest.mark.parametrize("leap", [-DAY, DAY, 400 * DAY])
async def test_a_clock_that_leaps_does_no_harm(house, leap):
    """A wall clock that is put forward or back disables no endpoint, repeats nothing and leaves nothing waiting."""
    receiver = await house.subscribed(answer(500), answer(), schedule=(5.0,) * 5)
    dispatcher, _ = house.start()
    steady = [house.time / 1000]
    dispatcher.clock = lambda: steady[0]
    await house.happen("b1")
    await house.tried(1)
    house.time += leap
    await house.settle()
    await house.happen("b2")
    await house.tried(2)
    house.time += 5_000 + max(0, -leap)
    await until(lambda: len(receiver.posts) == 3)
    await house.tried(3)
    assert ("active", ["delivered", "delivered"]) == ((await house.endpoint()).state, await house.states())


async def test_how_long_an_endpoint_fails_is_not_measured_across_a_leap(house):
    """An endpoint that failed once before the clock was put forward by a year has not been failing for a year."""
    await house.subscribed(answer(500), schedule=())
    dispatcher, _ = house.start()
    dispatcher.clock = lambda: 0.0
    await house.happen("b1")
    await house.tried(1)
    house.time += 365 * DAY
    await house.settle()
    await house.happen("b2")
    await house.tried(2)
    assert ("active", NOW + 365 * DAY) == ((await house.endpoint()).state, (await house.endpoint()).failing_since)


async def test_a_backlog_is_sent_at_a_rate(house):
    """However much is pending, so many attempts a second begin at one endpoint, and the oldest go first."""
    receiver = await house.subscribed()
    events = await house.happen(*(f"b{number:02}" for number in range(12)))
    house.start(pace=replace(PACE, per_second=3.0, per_endpoint=1))
    for number in (3, 6, 9, 12):
        await house.tried(number)
        await house.settle()
        assert events[:number] == [post.headers["webhook-id"] for post in receiver.posts]
        house.time += 1_000


async def test_what_is_logged(house, caplog):
    """Every outcome is told with the ids an operator needs, and neither the address nor a secret is."""
    caplog.set_level("INFO", "gateway")
    receiver = await house.subscribed(answer(500, SECRET.reveal().encode()), schedule=())
    house.start()
    (event,) = await house.happen("b1")
    await house.tried(1)
    await until(lambda: any("delivery.dead" == record.message for record in caplog.records))
    (record,) = (record for record in caplog.records if record.message == "delivery.dead")
    (delivery,) = await house.deliveries()
    assert {
        "delivery": delivery.id,
        "about": event,
        "subscription": "wh_1",
        "attempt": 1,
        "outcome": "failed",
        "status": 500,
        "seconds": 0.0,
        "reason": "failed, 500: attempt 1 was the last",
        "why": None,
    } == record.fields
    for one in caplog.records:
        assert receiver.url not in f"{one.__dict__}"
        assert SECRET.reveal() not in f"{one.__dict__}"


async def test_a_defect_is_an_attempt(house, caplog):
    """What an endpoint's answer brings about in us is logged and counted: its delivery ends, and others are made."""

    class Odd(Client):
        async def send(self, request):
            if request.url == odd.url:
                raise OverflowError("of what came in")
            return await super().send(request)

    house.client = await house.stack.enter_async_context(Odd(["127.0.0.0/8"]))
    odd, sound = await house.subscribed(key="wh_1", schedule=(5,)), await house.subscribed(key="wh_2")
    house.start()
    await house.happen("b1")
    await house.tried(2)
    house.time += 6_000
    await house.tried(3)
    (delivery,) = await house.deliveries(subscription="wh_1")
    assert ("dead", "defect: attempt 2 was the last", []) == (delivery.state, delivery.reason, odd.posts)
    assert 1 == len(sound.posts)
    lines = [one for one in caplog.records if one.message == "crashed"]
    assert [(delivery.id, OverflowError)] * 2 == [(one.fields["request"], one.exc_info[0]) for one in lines]


async def test_any_retry_after_is_an_attempt(house):
    """A pause of any length and form that an endpoint asks for never makes a delivery go on for ever."""
    big = "9" * 20
    answers = [
        f"Sun, {big} Mar 2026 09:00:00 GMT",
        f"Sun, 01 Mar {big} 09:00:00 GMT",
        f"Sun, 01 Mar 2026 09:00:00 +{big}",
    ]
    await house.subscribed(*(answer(429, Retry_After=text, Date=HTTP_DATE) for text in answers), schedule=(5, 5))
    house.start()
    await house.happen("b1")
    for number in (1, 2, 3):
        await house.tried(number)
        house.time += 6_000
    assert ["dead"] == await house.states()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/", "could not be connected to"),
        ("http://10.255.255.1/", "egress.allow"),
        ("ftp://127.0.0.1/", "must begin with http"),
    ],
)
async def test_why_nobody_answered_is_logged(house, caplog, url, why):
    """The operator's log tells apart what its one word for every missing connection does not."""
    await house.subscribe(url=url)
    house.start()
    await house.happen("b1")
    await house.tried(1)
    await until(lambda: any("delivery.pending" == record.message for record in caplog.records))
    (line,) = (record.fields for record in caplog.records if record.message == "delivery.pending")
    assert why in line["why"]
    assert "provider" not in line["why"]
    assert why not in line["reason"]
