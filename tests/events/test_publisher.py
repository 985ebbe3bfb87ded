"""Publishing: an observation, its receipt, its events and their deliveries are stored together or not at all."""

import asyncio
import json
import sqlite3
from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select

from gateway.events.publisher import observe, observe_missing
from gateway.store.database import Database
from gateway.store.events.events import Receipt, find
from gateway.store.tables import deliveries, receipts, subscriptions
from gateway.values.errors import StoreUnavailable
from gateway.values.messages import Observation
from gateway.values.secrets import Secret
from tests.applications import built
from tests.stored import events_of

START = 1_800_000_000_000


class Clock:
    """Milliseconds that the test moves."""

    def __init__(self):
        self.at = START

    def __call__(self):
        return self.at


def publisher(database, clock, tracked=None):
    made = built(database, clock).publisher
    return made if tracked is None else replace(made, tracked=lambda _name: tracked)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def publishers(store_url, clock):
    """Give two gateways on one store."""
    async with Database(store_url, clock) as first, Database(store_url, clock) as second:
        about = {"owner": "ada", "url": "https://x.example", "events": ["*"], "format": "native", "secret": Secret("s")}
        row = about | {"id": "wh_1", "state": "active", "created_at": START}
        await first.write(lambda connection: connection.execute(insert(subscriptions).values(**row)) and None)
        yield publisher(first, clock), publisher(second, clock)


def booking(key="b1", **data):
    whole = {"id": key, "status": "confirmed", "start": "2027-01-20T10:00:00+01:00", "end": "2027-01-20T11:00:00+01:00"}
    return whole | data


def seen(data=None, origin="poll", type_="changed", **more):
    return observe("club", "example", origin, type_, booking() if data is None else data, **more)


def receipt(key, dedupe="d1"):
    return Receipt(key, "club", "events", dedupe, "digest", START, b"{}", "mapped")


async def bodies(one):
    stored = await one.database.read(lambda connection: events_of(connection, "club", "hall"))
    return [json.loads(event.body) for event in stored]


async def told(one):
    return [
        (event["data"]["id"], event["event"].removeprefix("booking."), event["origin"]) for event in await bodies(one)
    ]


async def rows(one, table):
    return await one.database.read(lambda connection: len(connection.execute(select(table)).all()))


async def test_an_event_with_its_receipt_and_its_deliveries(publishers):
    """The event names who told it, knows its place and is due for its reader at once."""
    one, _ = publishers
    published = await one.publish([seen(origin="provider_webhook", type_="booking.created")], receipt("rcp_1"))
    assert (True, (1,)) == (published.new, published.sequences)
    (event,) = await bodies(one)
    assert {"event": "booking.created", "connection": "club", "provider": "example", "sequence": 1} == {
        name: event[name] for name in ("event", "connection", "provider", "sequence")
    }
    assert "2027-01-15T08:00:00Z" == event["created_at"]
    assert booking() == {name: event["data"][name] for name in booking()}
    assert 1 == await rows(one, deliveries)


async def test_what_was_received_before_changes_nothing(publishers):
    """A repeated delivery is taken and tells nothing, whatever it says."""
    one, other = publishers
    await one.publish([seen()], receipt("rcp_1"))
    published = await other.publish([seen(booking(status="cancelled"))], receipt("rcp_2"))
    assert (False, ()) == (published.new, published.sequences)
    assert [("b1", "created", "poll")] == await told(one)


async def test_what_fails_leaves_nothing(publishers):
    """When anything of a group of observations cannot be stored, neither is its receipt: it can be sent again."""
    one, _ = publishers
    broken = [seen(), seen(booking("b2", start="no time"))]
    with pytest.raises(ValueError, match="isoformat"):
        await one.publish(broken, receipt("rcp_1"))
    assert ([], 0, 0) == (await told(one), await rows(one, receipts), await rows(one, deliveries))
    assert (await one.publish([seen()], receipt("rcp_1"))).new


async def test_nothing_is_accepted_while_the_store_is_away(tmp_path, clock, monkeypatch):
    """StoreUnavailable means that nothing was taken; the same delivery is new once the store is back."""
    monkeypatch.setattr("gateway.store.sql.drivers._BUSY_MILLISECONDS", 50)
    path = tmp_path / "gateway.db"
    async with Database(f"sqlite:///{path}", clock) as database:
        one = publisher(database, clock)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await one.publish([seen()], receipt("rcp_1"))
        holder.execute("ROLLBACK")
        holder.close()
        assert [] == await told(one)
        assert (await one.publish([seen()], receipt("rcp_1"))).new
        assert [("b1", "created", "poll")] == await told(one)


async def test_a_gateway_that_starts_again_tells_nothing_twice(store_url, clock):
    """What is known outlives the process, and so does what was told."""
    for status in ("confirmed", "cancelled"):
        async with Database(store_url, clock) as database:
            one = publisher(database, clock)
            for origin in ("poll", "gateway", "provider_webhook"):
                await one.publish([seen(booking(status=status), origin)])
    async with Database(store_url, clock) as database:
        expected = [("b1", "created", "poll"), ("b1", "cancelled", "poll")]
        assert expected == await told(publisher(database, clock))


async def test_of_many_who_learn_at_once_one_tells(publishers):
    """Replicas that learn of the same changes at the same time, by different ways, tell each of them once."""
    words = {"pending": "booking.created", "confirmed": "booking.confirmed", "cancelled": "booking.cancelled"}
    for status, word in words.items():
        group = [
            one.publish([seen(booking(key, status=status), origin, type_) for key in ("b1", "b2")])
            for one in publishers * 3
            for origin, type_ in (("poll", "changed"), ("provider_webhook", word))
        ]
        await asyncio.gather(*group)
    found = sorted((key, type_) for key, type_, _ in await told(publishers[0]))
    assert [(key, type_) for key in ("b1", "b2") for type_ in ("cancelled", "confirmed", "created")] == found


async def test_one_batch_may_tell_several_things(publishers):
    """Observations are taken in their order; the same booking id on another connection is another booking."""
    one, _ = publishers
    elsewhere = Observation("hall", "example", "poll", "changed", "b1", booking())
    batch = [seen(), seen(booking(status="cancelled")), elsewhere, observe_missing(elsewhere)]
    assert (1, 2, 3, 4) == (await one.publish(batch)).sequences
    assert ["created", "cancelled"] * 2 == [type_ for _, type_, _ in await told(one)]


async def test_a_quiet_batch_is_remembered(publishers):
    """What was there before the gateway looked is no news, and what changes of it afterwards is."""
    one, _ = publishers
    assert () == (await one.publish([seen()], quiet=True)).sequences
    await one.publish([seen()])
    await one.publish([seen(booking(notes="x"))])
    await one.publish([seen(booking(notes="y"))])
    assert [("b1", "updated", "poll")] == await told(one)


async def test_a_state_that_was_asked_for_earlier_undoes_nothing(publishers, clock):
    """What was learned after the provider was asked is newer than its answer, whatever order they arrive in."""
    one, _ = publishers
    await one.publish([seen()])
    asked, clock.at = START + 1_000, START + 2_000
    await one.publish([seen(booking(status="cancelled"), "gateway", "booking.cancelled")])

    def late(connection):
        return one.work(connection, [seen(), seen(booking("b2"))], None, as_of=asked)

    await one.database.write(late)
    found = [(key, type_) for key, type_, _ in await told(one)]
    assert [("b1", "created"), ("b1", "cancelled"), ("b2", "created")] == found


async def test_a_booking_with_a_new_id_is_moved_once(publishers):
    """A booking that replaces another is told as moved, with what was before, and of the other one nothing is told."""
    one, _ = publishers
    await one.publish([seen()])
    moved = booking("b2", start="2027-01-21T10:00:00+01:00", end="2027-01-21T11:00:00+01:00")
    replacing = moved | {"rescheduled_from": "b1"}
    old = booking(status="cancelled")
    await one.publish([seen(old), seen(replacing, "gateway", "booking.rescheduled")])  # in whatever order
    await one.publish([seen(old), seen(moved)])
    await one.publish([observe_missing(seen())])
    assert [("b1", "created", "poll"), ("b2", "rescheduled", "gateway")] == await told(one)
    assert booking()["start"] == (await bodies(one))[1]["previous"]["start"]
    remembered = await one.database.read(lambda connection: find(connection, "club", ["b1", "b2"]))
    assert {"b1": "cancelled", "b2": "confirmed"} == {key: what.data["status"] for key, what in remembered.items()}


async def test_only_what_is_tracked_is_told(store_url, clock):
    """The fields of a connection's own list decide; the others are remembered all the same."""
    async with Database(store_url, clock) as database:
        one = publisher(database, clock, ["status"])
        await one.publish([seen(booking(notes="a"))])
        await one.publish([seen(booking(notes="b", start="2027-01-22T10:00:00+01:00"))])
        assert [("b1", "created", "poll")] == await told(one)
        remembered = await database.read(lambda connection: find(connection, "club", ["b1"]))
        assert "b" == remembered["b1"].data["notes"]


@pytest.mark.parametrize(("status", "expected"), [("confirmed", ["created", "confirmed"]), ("pending", ["created"])])
async def test_a_booking_made_confirmed_is_told_twice_where_that_is_wanted(store_url, clock, status, expected):
    """Where the configuration wants it, what is confirmed as it is made is told as both, and as neither again."""
    async with Database(store_url, clock) as database:
        one = replace(publisher(database, clock), status_of_new=True)
        await one.publish([seen(booking(status=status))])
        await one.publish([seen(booking(status=status), "provider_webhook", f"booking.{expected[-1]}")])
        assert expected == [word for _, word, _ in await told(one)]


@pytest.mark.parametrize("first", ["provider_webhook", "poll", "gateway", "late"])
async def test_a_booking_made_confirmed_is_told_once(publishers, first):
    """Otherwise its creation has told that, whoever told it: the provider's word for it is late; a real one is not."""
    one, other = publishers
    if first == "late":  # there before anybody looked, so the word for its making comes when more is known
        await one.publish([seen()], quiet=True)
    made = seen(booking(), "poll") if first == "poll" else seen(booking(), first, "booking.created")
    confirmed = seen(booking(), "provider_webhook", "booking.confirmed")
    await one.publish([made])
    await other.publish([confirmed])
    assert ["created"] == [word for _, word, _ in await told(one)]
    await one.publish([seen(booking(status="pending"))])
    await one.publish([confirmed])
    assert ["created", "updated", "confirmed"] == [word for _, word, _ in await told(one)]


async def test_a_booking_that_is_over_when_it_is_made_is_told_of_its_end(publishers):
    """Of what is made and cancelled before anybody asked, both words are told: who waits for the end must hear it."""
    one, _ = publishers
    for word in ("created", "cancelled"):
        await one.publish([seen(booking(status="cancelled"), "provider_webhook", f"booking.{word}")])
    assert ["created", "cancelled"] == [word for _, word, _ in await told(one)]


async def test_the_channel_that_was_known_first_stays(publishers):
    """How a booking came in does not change when somebody tells it otherwise, and is filled in when nobody knew."""
    one, other = publishers
    first = booking(source="market", notes="w")
    await one.publish([seen(first, "gateway", "booking.created"), seen(booking("b2", notes="w"))])
    await other.publish([seen(booking(source="desk", notes="x")), seen(booking("b2", source="desk", notes="x"))])
    await one.publish([seen(booking(notes="y")), seen(booking("b2", source=None, notes="y"))])
    told = [(event["data"]["id"], event["data"].get("source")) for event in await bodies(one)]
    assert [("b1", "market"), ("b2", None), ("b1", "market"), ("b2", "desk"), ("b1", "market"), ("b2", "desk")] == told


def customer(**data):
    return {"id": "b1", "name": "Ada", "email": "ada@example.com", "phone": None} | data


async def test_a_customer_is_told_apart_from_a_booking_of_its_id(publishers):
    """Made once, whoever says so; changed when it differs, with what was before; and a booking beside it is another."""
    one, other = publishers
    await one.publish([seen(customer(), "gateway", "customer.created")])
    await other.publish([seen(customer(name="Ada B."), "provider_webhook", "customer.created")])
    await one.publish([seen()])
    await one.publish([seen(customer(name="Ada B."), "gateway", "customer.updated")])
    await one.publish([seen(customer(name="Ada B.", phone="+49 30 1"), "provider_webhook", "customer.updated")])
    await other.publish([seen(customer(phone="+49 30 1", name="Ada B."), "poll", "customer.updated")])
    found = [(event["event"], event["data"].get("name"), event.get("previous")) for event in await bodies(one)]
    assert [
        ("customer.created", "Ada", None),
        ("booking.created", None, None),
        ("customer.updated", "Ada B.", {"phone": None}),
    ] == found


async def test_a_customer_that_was_learned_of_since_stays(publishers, clock):
    """What is read again later than it was sent says nothing of what was learned in between."""
    one, _ = publishers
    clock.at = START + 2_000
    await one.publish([seen(customer(name="Ada B."), "gateway", "customer.updated")])
    old = [seen(customer(), "provider_webhook", "customer.updated")]
    await one.database.write(lambda connection: one.work(connection, old, None, as_of=START) and None)
    assert ["Ada B."] == [event["data"]["name"] for event in await bodies(one)]


async def test_connections_do_not_wait_for_each_other(postgresql_store, clock):
    """Who compares for one connection keeps nobody from publishing for another, on PostgreSQL; the same one waits."""
    url = postgresql_store()
    async with Database(url, clock) as first, Database(url, clock) as second, Database(url, clock) as third:
        ended = []

        def compares(store):
            publisher(first, clock).work(store, [seen()], None, quiet=True)
            store.execute(select(func.pg_sleep(3)))

        async def publishes(name, work):
            await work
            ended.append(name)

        slow = asyncio.ensure_future(publishes("a poll of the club", first.write(compares, alone=["publish club"])))
        await asyncio.sleep(1)
        hall = replace(seen(), connection="hall")
        await asyncio.gather(
            slow,
            publishes("the hall", publisher(second, clock).publish([hall])),
            publishes("the club", publisher(third, clock).publish([seen(booking(status="cancelled"))])),
        )
        assert ["the hall", "a poll of the club", "the club"] == ended
        assert [("b1", "created", "poll"), ("b1", "cancelled", "poll")] == await told(publisher(first, clock))


async def test_groups_of_many_connections_do_not_wait_crosswise(postgresql_store, clock):
    """Replicas that publish for the same connections in opposite orders all come to an end, and no event is lost."""
    url = postgresql_store()
    names = [f"c{number}" for number in range(8)]
    async with Database(url, clock) as first, Database(url, clock) as second:
        ones = [
            replace(seen(booking(f"b{turn}")), connection=name) for turn in range(5) for name in (*names, *names[::-1])
        ]
        one, two = publisher(first, clock), publisher(second, clock)
        published = await asyncio.gather(
            *(one.publish([each]) for each in ones), *(two.publish([each]) for each in reversed(ones))
        )
        numbers = sorted(number for each in published for number in each.sequences)
        assert list(range(1, 5 * len(names) + 1)) == numbers
