"""Receipts, events and deliveries in one store: what comes twice, what comes at once, and who is told."""

import asyncio
from itertools import count

import pytest
from sqlalchemy import insert, select

from gateway.store.database import Database
from gateway.store.events.events import (
    KnownState,
    NewEvent,
    Receipt,
    Span,
    append,
    find,
    known_between,
    last_sequence,
    receive,
    remember,
)
from gateway.store.tables import deliveries, events, receipts, subscriptions
from gateway.values.secrets import Secret
from tests.stored import events_of

NOW = 1_800_000_000_000
NUMBERS = count(1)


def now():
    return NOW


def fresh(prefix):
    return f"{prefix}_{next(NUMBERS)}"


@pytest.fixture
async def database(store_url):
    async with Database(store_url, now) as opened:
        yield opened


@pytest.fixture
async def replicas(store_url):
    async with Database(store_url, now) as first, Database(store_url, now) as second:
        yield first, second


def receipt(dedupe="d1", digest="same", connection="club", hook="events"):
    return Receipt(fresh("rcp"), connection, hook, dedupe, digest, NOW, b'{"a":1}', "mapped")


def event(subject="b1", type_="booking.created", connection="club"):
    key = fresh("evt")
    about = (connection, "example", type_, "poll", subject, NOW)
    return NewEvent(key, *about, lambda sequence: f"{key} {sequence} \0 ü".encode())


def subscription(key, wanted=("*",), connections=None, state="active"):
    about = {"owner": "ada", "url": "https://x.example", "format": "native", "secret": Secret("s"), "created_at": NOW}
    values = about | {"id": key, "events": wanted, "connections": connections, "state": state}
    return lambda connection: connection.execute(insert(subscriptions).values(**values)) and None


def rows(table, *columns):
    return lambda connection: [tuple(row) for row in connection.execute(select(*(table.c[name] for name in columns)))]


async def test_a_receipt_is_new_once(database):
    """A repeat is counted, and as a conflict when its body is another; the first body stays."""
    outcomes = [
        await database.write(lambda connection, one=one: receive(connection, one))
        for one in (receipt(), receipt(), receipt(digest="other"), receipt(digest="third"))
    ]
    assert [True, False, False, False] == outcomes
    assert [("same", 1, 2)] == await database.read(rows(receipts, "digest", "repeats", "conflicts"))


@pytest.mark.parametrize("other", [{"dedupe": "d2"}, {"connection": "other"}, {"hook": "other"}])
async def test_what_names_a_receipt(database, other):
    """The same name is another delivery on another hook or connection."""
    assert await database.write(lambda connection: receive(connection, receipt()))
    assert await database.write(lambda connection: receive(connection, receipt(**other)))


async def test_of_many_at_once_one_is_new(replicas):
    """The same delivery that comes to two replicas at the same time is new for exactly one of them."""
    together = [one.write(lambda connection: receive(connection, receipt())) for _ in range(10) for one in replicas]
    assert 1 == sum(await asyncio.gather(*together))
    assert [(19,)] == await replicas[0].read(rows(receipts, "repeats"))


async def test_the_sequence_has_no_gaps_and_follows_the_commits(replicas):
    """Whoever has read up to a number has missed nothing below it, though many write and some of them fail."""
    seen = []

    async def write(one, number):
        def work(connection):
            append(connection, [event(f"b{number}"), event(f"b{number}")], fresh)
            if number % 5 == 0:
                raise LookupError("undone")

        await one.write(work)

    async def look():
        while True:
            read = await replicas[1].read(lambda connection: events_of(connection, "club"))
            seen.append([one.sequence for one in read])
            await asyncio.sleep(0)

    looking = asyncio.ensure_future(look())
    await asyncio.gather(*(write(replicas[at % 2], at) for at in range(40)), return_exceptions=True)
    looking.cancel()
    await asyncio.wait([looking])
    for numbers in seen:
        assert list(range(1, len(numbers) + 1)) == numbers
    last = await replicas[0].read(last_sequence)
    assert (64, list(range(1, 65))) == (
        last,
        [at for (at,) in sorted(await replicas[0].read(rows(events, "sequence")))],
    )


async def test_bodies_are_kept_byte_for_byte(database):
    """A body is made once, with its number, and may hold any byte."""
    one = event()
    assert [1] == await database.write(lambda connection: append(connection, [one], fresh, "rcp_7"))
    assert [(f"{one.id} 1 \0 ü".encode(), "rcp_7")] == await database.read(rows(events, "body", "receipt"))
    assert [] == await database.write(lambda connection: append(connection, [], fresh))


async def test_deliveries_are_made_for_those_who_want_the_event(database):
    """By type and connection, for those who are active when it happens, one for each of them."""
    for work in (
        subscription("wh_all"),
        subscription("wh_type", ("booking.cancelled", "booking.created")),
        subscription("wh_here", connections=("club", "hall")),
        subscription("wh_other_type", ("booking.cancelled",)),
        subscription("wh_elsewhere", connections=("hall",)),
        subscription("wh_off", state="disabled"),
        subscription("wh_gone", state="removed"),
    ):
        await database.write(work)
    one, two = event("b1"), event("b2")
    await database.write(lambda connection: append(connection, [one, two], fresh))
    found = await database.read(rows(deliveries, "subscription", "event", "sequence", "stream", "state", "due_at"))
    wanted = [
        (who, event.id, number, f"club/b{number}", "pending", NOW)
        for number, event in ((1, one), (2, two))
        for who in ("wh_all", "wh_here", "wh_type")
    ]
    assert wanted == sorted(found, key=lambda row: (row[2], row[0]))


async def test_what_is_known_of_bookings(database):
    """The last state is kept, found by id and by when the booking begins, the end of the span not included."""
    one = KnownState({"id": "b1", "notes": "ü\0"}, ("booking.created",), 2, NOW)
    two = KnownState({"id": "b2"}, (), 0, NOW)
    for key, what, span in (
        ("b1", two, Span(1, 2)),
        ("b1", one, Span(100, 200)),
        ("b2", two, Span(200, None)),
        ("b3", two, Span(None, None)),
    ):
        await database.write(lambda at, key=key, what=what, span=span: remember(at, "club", key, what, span, NOW))
    assert {"b1": one, "b2": two} == await database.read(lambda at: find(at, "club", ["b1", "b2", "b9"]))
    assert {} == await database.read(lambda at: find(at, "hall", ["b1"]))
    very_many = ["b1", *(f"x{number}" for number in range(40_000)), "b2"]  # more than a statement has parameters
    assert {"b1": one, "b2": two} == await database.read(lambda at: find(at, "club", very_many))
    assert {"b1": one} == await database.read(lambda at: known_between(at, "club", 100, 200))
    assert {"b2": two} == await database.read(lambda at: known_between(at, "club", 101, 201))
