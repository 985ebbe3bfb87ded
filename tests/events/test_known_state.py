"""What the gateway knows better than a provider tells, and what its own calls did: shipped providers, played."""

import asyncio
import contextlib
import json
from datetime import datetime

import pytest

from gateway.engine.catalog import bind
from gateway.events.known_state import finish, note, recall
from gateway.model.model import arguments, load
from gateway.simulator.play import Play
from gateway.simulator.server import playing
from gateway.values.messages import Call
from tests.applications import configured, opened
from tests.shipped import scripted
from tests.stored import events_of


class House:
    """A played provider, and the gateway in front of it: callers' calls, as the surface makes them, and the poll."""

    def __init__(self, engine, publisher, poller, time):
        self.engine, self.publisher, self.poller, self.time = engine, publisher, poller, time

    @property
    def connection(self):
        return self.engine.connection("club")

    async def ask(self, operation, **given):
        """Make a call that nobody tells the gateway of."""
        args = arguments(load().operations[operation], given, self.connection.zone)
        return (await self.engine.run(Call("club", operation, args, "r", asyncio.get_running_loop().time() + 20))).data

    async def call(self, operation, **given):
        """Make a call of a caller: what it did is told, and what is remembered stands in the answer."""
        self.time["at"] += 1_000
        data = await self.ask(operation, **given)
        await note(self.publisher, self.connection, operation, given, data)
        many = data if isinstance(data, list) else [data] if data is not None else []
        found = await recall(self.publisher.database, self.connection, many)
        return found if isinstance(data, list) or data is None else found[0]

    async def poll(self):
        self.time["at"] += 3_600_000
        assert not (await self.poller.round(self.connection)).reason

    async def told(self):
        stored = await self.publisher.database.read(lambda store: events_of(store, "club"))
        return [json.loads(one.body) for one in stored]

    async def events(self):
        return [f"{one['event'].removeprefix('booking.')} {one['origin']}" for one in await self.told()]


@pytest.fixture
async def house(store_url):
    """Give a function that plays a shipped provider at a time."""
    async with contextlib.AsyncExitStack() as stack:

        async def of(name, now):
            examples, script = scripted(name)
            time = {"at": int(datetime.fromisoformat(now).timestamp() * 1000)}
            here = lambda: datetime.fromtimestamp(time["at"] / 1000, datetime.fromisoformat(now).tzinfo)  # noqa: E731
            port = await stack.enter_async_context(playing(Play(examples.played, examples, script, here), 0))
            values = dict(examples.played.scope["settings"]) | {"base_url": f"http://127.0.0.1:{port}"}
            club = bind("club", examples.played.provider.compiled, values)
            made = await stack.enter_async_context(
                opened(configured({"club": name}, polling={}), {"club": club}, store_url, lambda: time["at"])
            )
            return House(made.engine, made.publisher, made.polling, time)

        yield of


BOOKING = {
    "resource_id": "52",
    "start": "2026-03-19T10:00:00+01:00",
    "end": "2026-03-19T11:00:00+01:00",
    "customer": {"name": "Ada Byron", "email": "ada@example.com"},
}


async def test_a_status_that_the_provider_cannot_tell(house):
    """A booking that was cancelled, or completed, through the gateway stays so for callers and for the poll."""
    club = await house("locaboo", "2026-03-01T09:00:00+01:00")
    await club.poll()
    for hour, (operation, status) in enumerate((("bookings.cancel", "cancelled"), ("bookings.complete", "completed"))):
        times = {"start": f"2026-03-19T{10 + hour}:00:00+01:00", "end": f"2026-03-19T{11 + hour}:00:00+01:00"}
        booked = await club.call("bookings.create", **BOOKING | times)
        await club.poll()
        assert status == (await club.call(operation, id=booked["id"]))["status"]
        assert "confirmed" == (await club.ask("bookings.get", id=booked["id"]))["status"]
        assert status == (await club.call("bookings.get", id=booked["id"]))["status"]
        for _ in range(2):
            await club.poll()
        assert status == (await club.call("bookings.get", id=booked["id"]))["status"]
    days = {"from": "2026-03-19T00:00:00+01:00", "to": "2026-03-20T00:00:00+01:00"}
    assert ["completed"] == [one["status"] for one in await club.call("bookings.list", **days)]
    assert ["created gateway", "cancelled gateway", "created gateway", "completed gateway"] == await club.events()


async def test_what_others_do_at_the_provider(house):
    """What is made, moved and cancelled past the gateway is told by the poll, once."""
    club = await house("locaboo", "2026-03-01T09:00:00+01:00")
    await club.poll()
    booked = await club.ask("bookings.create", **BOOKING)
    await club.poll()
    later = {"start": "2026-03-19T12:00:00+01:00", "end": "2026-03-19T13:00:00+01:00"}
    await club.ask("bookings.reschedule", id=booked["id"], **later)
    await club.poll()
    await club.ask("bookings.cancel", id=booked["id"])
    for _ in range(2):
        await club.poll()
    assert ["created poll", "rescheduled poll", "cancelled poll"] == await club.events()
    assert BOOKING["start"] == (await club.told())[1]["previous"]["start"]


async def test_a_booking_that_gets_a_new_id_when_it_is_moved(house):
    """It is told as moved once, with the times before; of the old id nothing is told, now or by a later poll."""
    club = await house("teambooking", "2035-01-01T09:00:00+01:00")
    await club.poll()
    days = {"from": "2035-01-01T00:00:00+01:00", "to": "2035-03-01T00:00:00+01:00"}
    offered = await club.ask("slots.list", service_id="lesson", **days)
    first, second = [one for one in offered if one["resource_id"] == "4" and one["available"]][:2]
    customer = {"name": "Ada Byron", "email": "ada@example.com"}
    booked = await club.call("bookings.create", slot_id=first["id"], customer=customer)
    await club.poll()
    moved = await club.call("bookings.reschedule", id=booked["id"], start=second["start"])
    assert booked["id"] != moved["id"]
    for _ in range(2):
        await club.poll()
    assert ["created gateway", "rescheduled gateway"] == await club.events()
    told = (await club.told())[1]
    assert (moved["id"], booked["start"]) == (told["data"]["id"], told["previous"]["start"])
    await club.call("bookings.delete", id=moved["id"])
    await club.poll()
    assert ["created gateway", "rescheduled gateway", "deleted gateway"] == await club.events()


async def test_a_poll_beside_callbacks(house):
    """A list that says less of a booking than its details tells nothing of what is known, and what others did once."""
    club = await house("simplybook", "2026-03-01T09:00:00+00:00")
    await club.poll()
    times = {"start": "2026-03-19T10:00:00+00:00", "end": "2026-03-19T11:00:00+00:00"}
    mine = await club.call("bookings.create", **BOOKING | times | {"service_id": "1", "resource_id": "1"})
    theirs = await club.ask("bookings.create", **BOOKING | times | {"service_id": "1", "resource_id": "2"})
    for _ in range(2):
        await club.poll()
    assert {mine["id"]: "gateway", theirs["id"]: "poll"} == {
        one["data"]["id"]: one["origin"] for one in await club.told() if one["event"] == "booking.created"
    }
    await club.ask("bookings.cancel", id=mine["id"])
    await club.call("bookings.get", id=theirs["id"])
    for _ in range(2):
        await club.poll()
    assert ["created gateway", "created poll", "cancelled poll"] == await club.events()


async def test_customers_that_callers_make_and_change(house):
    """They are told like bookings, and stand apart from them."""
    club = await house("locaboo", "2026-03-01T09:00:00+01:00")
    made = await club.call("customers.create", name="Ada Byron", email="ada@example.com")
    for _ in range(2):
        await club.call("customers.update", id=made["id"], name="Ada Lovelace")
    (first, second) = await club.told()
    assert ("customer.created", "gateway", made) == (first["event"], first["origin"], first["data"])
    assert ("customer.updated", {"name": "Ada Byron"}) == (second["event"], second["previous"])
    assert load().resources["Customer"].type.accept(second["data"]) == second["data"]


async def test_calls_that_change_nothing_are_not_noted(house):
    """Reading calls, calls of the provider's own and answers without an id tell nothing."""
    club = await house("locaboo", "2026-03-01T09:00:00+01:00")
    for operation, data in (
        ("bookings.get", {"id": "1", "status": "cancelled"}),
        ("customers.list", [{"id": "1"}]),
        ("customers.update", None),
        ("native.booking_save", {"id": "1"}),
        ("bookings.create", None),
    ):
        assert finish(load(), club.connection, operation, {}, data) is None


@pytest.mark.parametrize(
    ("operation", "data", "type_", "stand_ins"),
    [
        ("bookings.cancel", {"id": "1", "status": "cancelled"}, "booking.cancelled", []),
        ("bookings.cancel", {"id": "1", "status": "completed"}, "changed", []),
        ("bookings.update", {"id": "1", "status": "confirmed"}, "booking.updated", ["status"]),
        ("bookings.reschedule", {"id": "1", "status": "confirmed"}, "booking.rescheduled", ["status"]),
        ("bookings.create", {"id": "1", "status": "pending"}, "booking.created", []),
        ("bookings.delete", None, "booking.deleted", ["status"]),
    ],
)
async def test_what_a_call_did(house, operation, data, type_, stand_ins):
    """The event is the operation's own, unless the booking came to stand otherwise; what it cannot tell is marked."""
    club = await house("locaboo", "2026-03-01T09:00:00+01:00")
    seen = finish(load(), club.connection, operation, {"id": "1"}, data)
    assert ("1", type_, "gateway", set(stand_ins)) == (seen.subject, seen.type, seen.origin, set(seen.stand_ins))
