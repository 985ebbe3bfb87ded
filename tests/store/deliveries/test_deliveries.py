"""Deliveries at work: who may claim what and when, whose result counts, and what is known of the endpoint."""

import asyncio
from itertools import count

import pytest
from sqlalchemy import insert, select, update

from gateway.store.database import Database
from gateway.store.deliveries import deliveries as store
from gateway.store.deliveries.deliveries import (
    CANCELLED,
    DEAD,
    DELIVERED,
    LONGEST_WAIT,
    PENDING,
    Attempt,
    DueSubscription,
    Result,
)
from gateway.store.deliveries.history import attempts_of
from gateway.store.deliveries.subscriptions import disable, one
from gateway.store.events.events import NewEvent, append
from gateway.store.tables import deliveries, subscriptions
from gateway.values.secrets import Secret

NOW = 1_800_000_000_000
LEASE = 30_000
NUMBERS = count(1)


def fresh(prefix):
    return f"{prefix}_{next(NUMBERS):06}"


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: NOW) as opened:
        await subscribe(opened, "wh_1")
        yield opened


@pytest.fixture
async def replicas(store_url):
    async with Database(store_url, lambda: NOW) as first, Database(store_url, lambda: NOW) as second:
        await subscribe(first, "wh_1")
        yield first, second


async def subscribe(database, key, **more):
    about = {"owner": "ada", "url": "https://x.example", "format": "native", "secret": Secret("s"), "created_at": NOW}
    values = about | {"id": key, "events": ["*"], "state": "active"} | more
    await database.write(lambda connection: connection.execute(insert(subscriptions).values(**values)) and None)


async def happen(database, *subjects, at=NOW):
    """Store an event for each subject, in this order, with its deliveries."""
    told = [
        NewEvent(fresh("evt"), "club", "example", "booking.created", "poll", subject, at, lambda n: f"{n}".encode())
        for subject in subjects
    ]
    return await database.write(lambda connection: append(connection, told, fresh))


async def claim(database, now=NOW, most=100, subscription="wh_1"):
    return await database.write(lambda connection: store.claim(connection, subscription, now, LEASE, most))


async def end(database, claimed, state=DELIVERED, due_at=NOW):
    tried = Attempt(claimed.attempts + 1, NOW, 12, state, 200, b"ok \0")
    result = Result(state, due_at, None if state == DELIVERED else "rejected")
    return await database.write(lambda connection: store.record(connection, claimed, tried, result))


async def states(database):
    columns = (deliveries.c.stream, deliveries.c.state, deliveries.c.attempts, deliveries.c.finished_at)
    found = select(*columns).order_by(deliveries.c.sequence)
    return await database.read(lambda connection: [tuple(row) for row in connection.execute(found)])


async def change(database, **values):
    await database.write(lambda connection: connection.execute(update(subscriptions).values(**values)) and None)


async def endpoint(database):
    return await database.read(lambda connection: one(connection, "wh_1"))


async def ready(database, now=NOW):
    return await database.read(lambda connection: store.due(connection, now))


async def next_due(database, now=NOW):
    return await database.read(lambda connection: store.next_due(connection, now))


def bodies(claims):
    return [int(one.body) for one in claims]


async def test_only_the_head_of_each_stream_is_claimed(database):
    """Of each booking the oldest pending delivery goes out, and the next one once that is delivered."""
    await happen(database, "a", "a", "b", "a")
    first, other = await claim(database)
    assert [1, 3] == bodies([first, other])
    assert [] == await claim(database)
    await end(database, first)
    (second,) = await claim(database)
    assert 2 == int(second.body)
    assert ["club/a", "club/a", "club/b", "club/a"] == [row[0] for row in await states(database)]


async def test_a_head_that_waits_blocks_its_stream_alone(database):
    """While a delivery waits for its next attempt the later ones of its booking wait, and no others do."""
    await happen(database, "a", "a", "b")
    first, other = await claim(database)
    await end(database, first, PENDING, NOW + 5_000)
    await end(database, other)
    assert [] == await claim(database)
    assert [] == await ready(database)
    assert NOW + 5_000 == await next_due(database)
    (again,) = await claim(database, NOW + 5_000)
    assert (first.id, 2, 1) == (again.id, again.lease, again.attempts)
    await end(database, again, DEAD)
    assert [2] == bodies(await claim(database, NOW + 5_000))
    assert [("club/a", DEAD, 2, NOW + 12), ("club/a", PENDING, 0, None)] == (await states(database))[:2]


async def test_subscriptions_do_not_wait_for_one_another(database):
    """The streams of one subscription are not those of another."""
    await subscribe(database, "wh_2")
    await happen(database, "a", "a")
    assert [1] == bodies(await claim(database))
    assert [1] == bodies(await claim(database, subscription="wh_2"))


async def test_a_lease_that_ran_out_is_claimed_again_and_its_late_result_does_not_count(database):
    """Whoever holds the last lease writes the result; what comes from an earlier one is kept as an attempt alone."""
    await happen(database, "a")
    (early,) = await claim(database)
    assert [] == await claim(database, NOW + LEASE - 1)
    (later,) = await claim(database, NOW + LEASE)
    assert (1, 2) == (early.lease, later.lease)
    assert not await end(database, early, DEAD)
    assert [("club/a", PENDING, 0, None)] == await states(database)
    assert await end(database, later)
    assert not await end(database, later, DEAD)
    assert [("club/a", DELIVERED, 1, NOW + 12)] == await states(database)
    found = await database.read(lambda connection: attempts_of(connection, early.id))
    assert [DEAD, DELIVERED, DEAD] == [tried.outcome for tried in found]
    assert Attempt(1, NOW, 12, DELIVERED, 200, b"ok \0") == found[1]


async def test_a_result_that_comes_after_the_lease_but_before_another_claim_counts(database):
    """A lease that nobody took over is still held, however late it is."""
    await happen(database, "a")
    (claimed,) = await claim(database)
    assert await end(database, claimed)
    assert [] == await claim(database, NOW + 10 * LEASE)


async def test_what_is_released_can_be_claimed_at_once(database):
    """A lease that is given back is free for anybody, and one that was lost is not taken from its new holder."""
    await happen(database, "a", "b")
    first, second = await claim(database)
    await database.write(lambda connection: store.release(connection, [first]))
    (again,) = await claim(database)
    assert (first.id, 2) == (again.id, again.lease)
    await database.write(lambda connection: store.release(connection, [first]))
    assert [] == await claim(database)
    assert await end(database, second)


async def test_two_gateways_never_claim_the_same_delivery(replicas):
    """Of many claims at once on two gateways every delivery goes to exactly one, and all of them go."""
    await happen(replicas[0], *(f"b{number}" for number in range(60)))
    claims = await asyncio.gather(*(claim(one, most=7) for _ in range(10) for one in replicas))
    taken = [claimed.id for some in claims for claimed in some]
    rest = [claimed.id for claimed in await claim(replicas[0])]
    assert 60 == len(taken) + len(rest) == len({*taken, *rest})
    assert all(one.lease == 1 for some in claims for one in some)


async def test_a_stream_is_in_the_hands_of_one_gateway(replicas):
    """Two gateways that work through the same stream get its deliveries one by one and in order."""
    await happen(replicas[0], *("a",) * 12)
    seen = []

    async def work(database):
        while len(seen) < 12:
            for claimed in await claim(database):
                seen.append(int(claimed.body))
                assert await end(database, claimed)
            await asyncio.sleep(0)

    await asyncio.gather(*map(work, replicas))
    assert list(range(1, 13)) == seen


async def test_what_is_due_first_goes_first(database):
    """A claim takes what is due longest, and not more than was asked for."""
    await happen(database, "a", "b", at=NOW + 1_000)
    await happen(database, "c")
    assert [3, 1] == bodies(await claim(database, NOW + 2_000, most=2))
    assert [2] == bodies(await claim(database, NOW + 2_000, most=2))


@pytest.mark.parametrize("values", [{"state": "disabled"}, {"state": "removed"}, {"paused_until": NOW + 1}])
async def test_an_endpoint_that_is_off_gets_nothing(database, values):
    """What is pending for a subscription that is disabled, removed or paused is neither due nor claimed."""
    await happen(database, "a")
    await change(database, **values)
    assert ([], []) == (await ready(database), await claim(database))
    await change(database, state="active", paused_until=NOW)
    assert ([DueSubscription("wh_1", failing=False)], [1]) == (await ready(database), bodies(await claim(database)))


async def test_an_endpoint_is_paused_until_the_latest_moment_it_asked_for(database):
    """A pause is not cut short by a shorter one, and its end is when there is work again."""
    await happen(database, "a")
    for until in (NOW + 9_000, NOW + 4_000):
        await database.write(lambda connection, until=until: store.pause(connection, "wh_1", until))
    assert [] == await claim(database, NOW + 8_999)
    assert NOW + 9_000 == await next_due(database)
    assert [1] == bodies(await claim(database, NOW + 9_000))


async def test_the_health_of_an_endpoint(database):
    """It fails since its first failure after a success, and the next success ends that."""

    async def told(function, now):
        return await database.write(lambda connection: function(connection, "wh_1", now))

    await happen(database, "a")
    assert [NOW, NOW, NOW] == [await told(store.failed, NOW + passed) for passed in (0, 5, 9)]
    assert [DueSubscription("wh_1", failing=True)] == await ready(database)
    await told(store.succeeded, NOW + 10)
    assert (None, NOW + 10) == ((await endpoint(database)).failing_since, (await endpoint(database)).last_success_at)
    await told(store.succeeded, NOW + 11)
    assert NOW + 10 == (await endpoint(database)).last_success_at
    await told(store.succeeded, NOW + 2_000)
    assert NOW + 2_000 == (await endpoint(database)).last_success_at
    await told(store.failed, NOW + 3_000)
    await database.write(lambda connection: store.restart_health(connection, NOW + 90))
    assert NOW + 90 == (await endpoint(database)).failing_since


async def test_what_is_cancelled_stays_so(database):
    """Cancelling ends what is pending, also what is under way: its result is no result any more."""
    await happen(database, "a", "b", "b")
    first, second = await claim(database)
    await end(database, first)
    assert 2 == await database.write(lambda connection: store.cancel(connection, "wh_1", "removed", NOW + 1))
    assert not await end(database, second)
    assert [DELIVERED, CANCELLED, CANCELLED] == [row[1] for row in await states(database)]


async def test_what_waits_for_a_disabled_endpoint_is_given_up_one_day(database):
    """What is older than the bound is dead once its subscription is disabled; with an active one it is tried."""

    async def expired():
        return await database.write(lambda connection: store.expire(connection, NOW, NOW))

    await happen(database, "a", at=NOW - 1)
    await happen(database, "b")
    assert 0 == await expired()
    await database.write(lambda connection: disable(connection, "wh_1", "gone"))
    assert 1 == await expired()
    assert [DEAD, PENDING] == [row[1] for row in await states(database)]


async def test_a_wrong_clock_leaves_nothing_behind_for_ever(database):
    """What a clock that was far ahead wrote is due, free and not paused once the clock is right."""
    await happen(database, "a", "b", "c")
    ahead = NOW + 10 * LONGEST_WAIT
    leased, waiting, sound = await claim(database)
    await end(database, waiting, PENDING, ahead)
    await end(database, sound, PENDING, NOW + LONGEST_WAIT)
    await database.write(
        lambda connection: (
            connection.execute(update(deliveries).where(deliveries.c.id == leased.id).values(leased_until=ahead))
            and None
        )
    )
    await change(database, paused_until=ahead)
    assert [] == await claim(database)
    await database.write(lambda connection: store.mend(connection, NOW, LEASE))
    assert {leased.id, waiting.id} == {claimed.id for claimed in await claim(database)}


async def test_nothing_stays_pending_for_a_removed_subscription(database):
    """A delivery that was made while its subscription was being removed is cancelled when the store is looked over."""
    await happen(database, "a")
    await change(database, state="removed")
    await database.write(lambda connection: store.mend(connection, NOW, LEASE))
    assert [CANCELLED] == [row[1] for row in await states(database)]
