"""Writes that meet at a club on real sockets: staff between our look and our save, callers at once, what is over."""

import asyncio
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.model.model import arguments, load
from gateway.store.events import doubts
from gateway.values.errors import GatewayError
from gateway.values.messages import Call
from tests.links.clubs import ZONE
from tests.links.linked import DAY, on

SAVE = "booking_save"
NOON = f"{DAY}T12:00"
EVERY_CLUB = on("locaboo", "simplybook", "teambooking", "generic")
CHANGED = r"booking_save\?\S*booking_id="
WRITES = {
    "simplybook": r'"method": ?"(editBook|cancelBooking)"',
    "teambooking": "operation=(edit|cancel|do)_reservation",
}
"""What the writes of a booking that is there are known by."""


def careless(house):
    """Have a club save whatever it is told, on top of what is there."""
    script = house.club.play.script
    rules = [replace(one, refuse=()) if SAVE in one.path else one for one in script.rules]
    house.club.play.script = replace(script, rules=tuple(rules))


async def call(house, operation, which=0, **given):
    """Run a call of a caller through a gateway; gives the canonical data, or the code it was refused with."""
    checked = arguments(load().operations[operation], given, ZONE)
    deadline = asyncio.get_running_loop().time() + 20
    try:
        return (
            await house.gateways[which].application.recorded_calls.run(
                Call("club", operation, checked, "caller", deadline)
            )
        ).data
    except GatewayError as error:
        return error.code


async def booked(house, start, which=0, name="Jane Doe"):
    """Book the first court as a caller does; gives the booking or the code of the refusal."""
    resource, service = house.kind.courts[0]
    begins = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(ZONE))
    customer = {"name": name, "email": f"{name.split()[0].lower()}@doe.example"}
    customer |= {"phone": "+33612345678"} if "phone" in house.kind.customer else {}
    given = {"resource_id": resource} | ({} if service is None else {"service_id": service})
    given |= {"start": begins.isoformat(), "customer": customer}
    unsupported = house.connections["club"].provider.operations["bookings.create"].unsupported
    given = {key: value for key, value in given.items() if key not in unsupported}
    return await call(house, "bookings.create", which, **given)


def saved(house):
    """What the club has: status and start of every booking, in the order in which they were made."""
    kept = house.club.play.state["bookings"].values()
    return [(one["status"], one["instances"][0]["from"][11:]) for one in kept]


# Somebody books between our look and our save.


@on("locaboo")
async def test_staff_books_meanwhile(house):
    """Staff that books between our look and our save keeps the interval: ours is cancelled, and refused."""
    careless(house)
    held = house.club.fault("create", held=True)
    ours = asyncio.ensure_future(booked(house, NOON))
    await held.arrived.wait()
    await house.takes(NOON)
    held.go.set()
    assert "BOOKING_CONFLICT" == await ours
    assert [("Live", "12:00"), ("Cancel", "12:00")] == saved(house)
    assert [] == await house.events()


@on("locaboo")
async def test_staff_books_where_a_booking_is_moved(house):
    """A booking that met staff's at its new time is back where it was, with the status it had."""
    careless(house)
    resource = house.kind.courts[0][0]
    kept = await booked(house, f"{DAY}T10:00")
    held = house.club.fault(CHANGED, held=True)
    moved = call(house, "bookings.reschedule", id=kept["id"], start=f"{NOON}:00+01:00", resource_id=resource)
    moved = asyncio.ensure_future(moved)
    await held.arrived.wait()
    await house.takes(NOON)
    held.go.set()
    assert "BOOKING_CONFLICT" == await moved
    assert [("Live", "10:00"), ("Live", "12:00")] == saved(house)


@on("locaboo")
async def test_two_gateways_book_at_once(house):
    """Of two gateways that save over each other at most one keeps the interval, and whoever is refused has nothing."""
    careless(house)
    await house.gateway()
    held = house.club.fault("create", times=2, held=True)
    both = [asyncio.ensure_future(booked(house, NOON, which)) for which in (0, 1)]
    await held.arrived.wait()
    while house.club.asked("create") < 2:  # noqa: ASYNC110 - a request is what is waited for
        await asyncio.sleep(0)
    held.go.set()
    told = await asyncio.gather(*both)
    kept = [one["id"] for one in told if one != "BOOKING_CONFLICT"]
    live = [key for key, one in house.club.play.state["bookings"].items() if one["status"] == "Live"]
    assert kept == live
    assert len(live) <= 1


@on("locaboo")
@pytest.mark.parametrize("change", ["create", "reschedule"])
async def test_the_second_look_fails(house, change):
    """Where the club cannot be listed after the save nobody knows who has the interval: nothing is taken back."""
    kept = await booked(house, f"{DAY}T10:00") if change == "reschedule" else None
    held = house.club.fault("create" if kept is None else CHANGED, held=True)
    move = {} if kept is None else {"id": kept["id"], "start": f"{NOON}:00+01:00"}
    ours = asyncio.ensure_future(booked(house, NOON) if kept is None else call(house, "bookings.reschedule", **move))
    await held.arrived.wait()
    house.club.fault("list", status=500)
    held.go.set()
    assert ("OUTCOME_UNKNOWN", [("Live", "12:00")]) == (await ours, saved(house))


@on("locaboo")
async def test_the_undo_fails(house):
    """Where our booking cannot be cancelled again the outcome is unknown: nobody is told that nothing was booked."""
    careless(house)
    held = house.club.fault("create", held=True)
    ours = asyncio.ensure_future(booked(house, NOON))
    await held.arrived.wait()
    await house.takes(NOON)
    house.club.fault("cancel", times=9, status=500)
    held.go.set()
    assert "OUTCOME_UNKNOWN" == await ours


@EVERY_CLUB
async def test_five_at_once(house):
    """Of five callers who want the same interval at the same moment one has it, also of a club that refuses nothing."""
    careless(house)
    told = await asyncio.gather(
        *(booked(house, NOON, name=f"{name} Doe") for name in ("Ada", "Bob", "Cid", "Dan", "Eve"))
    )
    codes = sorted(one if isinstance(one, str) else one["status"] for one in told)
    assert (["BOOKING_CONFLICT"] * 4, ["12:00"]) == (codes[:4], await house.held())


# Two writes of one booking.


def _pattern(house):
    return WRITES.get(house.kind.provider, CHANGED)


@on("locaboo", "simplybook", "teambooking")
@pytest.mark.parametrize("first", ["cancel", "change"])
@pytest.mark.parametrize("change", ["bookings.update", "bookings.reschedule"])
async def test_cancelled_and_changed_at_once(house, change, first):
    """A booking that is cancelled while it is changed is cancelled in the end, and nobody is told otherwise."""
    kept = await booked(house, f"{DAY}T10:00")
    given = {
        "bookings.update": {"form_responses": []}
        if house.kind.provider == "simplybook"
        else {"customer": {"name": "Jim Roe"}},
        "bookings.reschedule": {"start": f"{NOON}:00+01:00"},
    }[change]
    held = house.club.fault(_pattern(house), held=True)
    calls = [("bookings.cancel", {}), (change, given)]
    calls = calls if first == "cancel" else calls[::-1]
    one = asyncio.ensure_future(call(house, calls[0][0], id=kept["id"], **calls[0][1]))
    await held.arrived.wait()
    two = asyncio.ensure_future(call(house, calls[1][0], id=kept["id"], **calls[1][1]))
    await asyncio.sleep(0)
    held.go.set()
    told = dict(zip([name for name, _ in calls], await asyncio.gather(one, two), strict=True))
    new = told[change]["id"] if isinstance(told[change], dict) else kept["id"]
    if new == kept["id"]:
        assert ("cancelled", []) == (told["bookings.cancel"]["status"], await house.held())
    else:  # it was moved before it was cancelled, and is another booking since
        assert ["12:00"] == await house.held()
    if first == "cancel":
        assert "INVALID_STATE" == told[change] or "cancelled" == told[change]["status"]


# What is over stays over.


@on("locaboo")
@pytest.mark.parametrize("end", ["bookings.cancel", "bookings.reject"])
async def test_over(house, end):
    """Nothing that is done to a booking that is over brings it back to life, and the caller is told that it is over."""
    kept = await booked(house, f"{DAY}T10:00")
    await call(house, end, id=kept["id"])
    for operation, given in (
        ("bookings.update", {"customer": {"name": "Jim Roe"}}),
        ("bookings.reschedule", {"start": f"{NOON}:00+01:00"}),
        ("bookings.confirm", {}),
        ("bookings.complete", {}),
    ):
        assert "INVALID_STATE" == await call(house, operation, id=kept["id"], **given)
    assert [("Cancel", "10:00")] == saved(house)


@on("locaboo")
@pytest.mark.parametrize(
    ("change", "given"),
    [("bookings.update", {"customer": {"name": "Jim Roe"}}), ("bookings.reschedule", {"start": f"{NOON}:00+01:00"})],
)
async def test_a_hold_stays_a_hold(house, change, given):
    """What is changed of a held booking leaves it held, at the club and to the caller, until it is confirmed."""
    resource = house.kind.courts[0][0]
    begins = f"{DAY}T10:00:00+01:00"
    made = {"resource_id": resource, "start": begins, "duration": 60, "customer": {"name": "Jane Doe"}}
    kept = await call(house, "bookings.create", **made, hold={"minutes": 15})
    changed = await call(house, change, id=kept["id"], **given)
    assert ("on_hold", "Draft") == (changed["status"], saved(house)[0][0])
    confirmed = await call(house, "bookings.confirm", id=kept["id"])
    assert ("confirmed", "Live") == (confirmed["status"], saved(house)[0][0])


# A cancellation of which nobody knows whether it was done.

RENAMED = {"customer": {"name": "Jim Roe"}}
CHANGES = pytest.mark.parametrize(
    ("change", "given"),
    [
        ("bookings.update", RENAMED),
        ("bookings.reschedule", {"start": f"{NOON}:00+01:00"}),
        ("bookings.confirm", {}),
        ("bookings.complete", {}),
    ],
)


@on("locaboo")
@CHANGES
async def test_a_lost_cancellation_is_not_revived(house, change, given):
    """What the club ended though its answer was lost stays ended, and is told as cancelled once somebody has looked."""
    kept = await booked(house, f"{DAY}T10:00")
    house.club.fault("cancel", after=True)
    assert "PROVIDER_UNAVAILABLE" == await call(house, "bookings.cancel", id=kept["id"])
    assert "INVALID_STATE" == await call(house, change, id=kept["id"], **given)
    assert [("Cancel", "10:00")] == saved(house)
    assert [("booking.created", kept["id"]), ("booking.cancelled", kept["id"])] == await house.events()


@on("locaboo")
@pytest.mark.parametrize("process", ["first", "second"])
async def test_a_lost_cancellation_reads_as_cancelled(house, process):
    """A booking whose cancellation was lost reads as the club has it, also at another gateway on the store."""
    kept = await booked(house, f"{DAY}T10:00")
    house.club.fault("cancel", after=True)
    assert "PROVIDER_UNAVAILABLE" == await call(house, "bookings.cancel", id=kept["id"])
    if process == "second":
        await house.gateway()
    read = await call(house, "bookings.get", len(house.gateways) - 1, id=kept["id"])
    assert ("cancelled", [("Cancel", "10:00")]) == (read["status"], saved(house))


@on("locaboo")
async def test_a_cancellation_that_was_not_done(house):
    """While a lost cancellation may still be done it counts as done; once it cannot be, the booking is as it was."""
    kept = await booked(house, f"{DAY}T10:00")
    house.club.fault("cancel", status=503)
    assert "PROVIDER_UNAVAILABLE" == await call(house, "bookings.cancel", id=kept["id"])
    assert "INVALID_STATE" == await call(house, "bookings.update", id=kept["id"], **RENAMED)
    assert "confirmed" == (await call(house, "bookings.get", id=kept["id"]))["status"]
    house.later(60)
    assert "confirmed" == (await call(house, "bookings.update", id=kept["id"], **RENAMED))["status"]
    assert [("Live", "10:00")] == saved(house)


@on("locaboo")
async def test_a_cancellation_that_was_refused(house):
    """A cancellation that the club certainly did not do leaves nothing in doubt."""
    kept = await booked(house, f"{DAY}T10:00")
    house.club.fault("cancel", drop=True, status=429)
    assert "RATE_LIMITED" == await call(house, "bookings.cancel", id=kept["id"])
    left = await house.gateways[0].database.read(lambda store: doubts.of(store, "club", kept["id"]))
    assert left is None


@on("locaboo")
async def test_where_nobody_can_look(house):
    """While the list cannot be read a lost cancellation counts as done, and the refusal says what it stands on."""
    kept = await booked(house, f"{DAY}T10:00")
    house.club.fault("cancel", after=True)
    assert "PROVIDER_UNAVAILABLE" == await call(house, "bookings.cancel", id=kept["id"])
    house.club.fault("list", status=500, times=9)
    assert "INVALID_STATE" == await call(house, "bookings.update", id=kept["id"], **RENAMED)
    assert [("Cancel", "10:00")] == saved(house)
    house.club.mend()
    assert "cancelled" == (await call(house, "bookings.cancel", id=kept["id"]))["status"]
    assert [("booking.created", kept["id"]), ("booking.cancelled", kept["id"])] == await house.events()
