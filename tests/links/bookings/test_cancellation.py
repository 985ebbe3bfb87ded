"""Cancellations of a marketplace: only of what it booked, once, never lost; and what the club does to its bookings."""

import asyncio

import pytest

from tests.links.clubs import KINDS
from tests.links.linked import DAY, TEN, linked, on

TWO = f"{DAY}T14:00"
REFUSALS = {
    "teambooking": '{"header": "200 OK", "code": 200, "response": "Operation not allowed for this service class"}',
    "simplybook": '{"jsonrpc": "2.0", "id": 1, "result": false}',
}
"""How clubs say that a booking stays."""


@on("locaboo", "generic")
async def test_a_cancellation_that_comes_again(house):
    """The second one is answered as the first, and the club is asked once."""
    assert 200 == await house.book()
    assert [200, 200] == [await house.cancel(), await house.cancel()]
    assert (1, []) == (house.club.asked("cancel"), await house.held())


@on("simplybook", "teambooking")
async def test_a_cancellation_that_overtakes_its_booking(house):
    """A cancellation that comes while the booking is under way waits for it and then cancels it."""
    held = house.club.fault("create", held=True)
    booking = asyncio.ensure_future(house.book())
    await held.arrived.wait()
    cancelling = asyncio.ensure_future(house.cancel())
    held.go.set()
    assert [200, 200] == await asyncio.gather(booking, cancelling)
    assert ([], ["cancelled"]) == (await house.held(), await house.entries())


@on("simplybook", "generic")
async def test_somebody_else_s_booking(house):
    """What the marketplace did not book it cannot cancel: 403, and the booking stays."""
    await house.takes()
    assert 403 == await house.cancel()
    assert (0, ["10:00"]) == (house.club.asked("cancel"), await house.held())


@pytest.mark.parametrize(
    ("club", "policy", "status"),
    [
        ("locaboo", {}, 404),
        ("teambooking", {"cancel_without_booking": 409}, 409),
        ("generic", {"cancel_without_booking": 200}, 200),
    ],
)
async def test_nothing_was_booked(tmp_path, club, policy, status):
    """Where the slot is free the policy says what a cancellation is answered; a slot that is none is not found."""
    async with linked(tmp_path, club, link={"policy": policy}) as house:
        assert status == await house.cancel()
        assert 404 == await house.cancel(f"{DAY}T10:07")
        assert 404 == await house.cancel(TEN, "c9")
        assert (0, []) == (house.club.asked("cancel"), await house.entries())


@on("locaboo", "simplybook")
async def test_a_slot_that_is_sold_again(house):
    """After a cancellation the next player gets a booking of his own, and the first one's is never cancelled again."""
    assert [200, 200, 200] == [await house.book(player="Ada"), await house.cancel(), await house.book(player="Ben")]
    house.later(3600)
    await house.step(times=2)
    old, new = await house.rows()
    assert (["cancelled", "confirmed"], True) == ([old.state, new.state], old.booking != new.booking)
    assert (1, ["10:00"]) == (house.club.asked("cancel"), await house.held())
    assert 409 == await house.book(player="Ada")
    assert 200 == await house.cancel()
    assert ([], ["cancelled", "cancelled"]) == (await house.held(), await house.entries())


@on("simplybook", "generic")
async def test_a_cancellation_that_the_club_cannot_take(house):
    """The marketplace is told 503, and the booking is cancelled as soon as the club is back."""
    assert 200 == await house.book()
    fault = house.club.fault("cancel", times=2, status=503)
    assert 503 == await house.cancel()
    assert ["cancelling"] == await house.entries()
    house.later(6)
    await house.step()
    assert (["cancelling"], ["10:00"], 0) == (await house.entries(), await house.held(), fault.times)
    house.later(600)
    await house.step(times=2)
    assert (["cancelled"], [], True) == (await house.entries(), await house.held(), house.told())
    assert 200 == await house.cancel()


@on(*REFUSALS)
async def test_the_club_refuses_a_cancellation(house, alarms):
    """By its own rules the club may keep a booking: 409, and it stays confirmed, also when it was tried on before."""
    refusal = REFUSALS[house.kind.provider]
    assert 200 == await house.book()
    house.club.fault("cancel", status=200, text=refusal)
    assert (409, ["confirmed"], []) == (await house.cancel(), await house.entries(), alarms())
    house.club.fault("cancel", status=503)
    assert (503, ["cancelling"]) == (await house.cancel(), await house.entries())
    house.club.fault("cancel", status=200, text=refusal)
    assert (409, ["confirmed"], 1) == (await house.cancel(), await house.entries(), len(alarms()))
    house.later(3600)
    await house.step()
    assert (["10:00"], False) == (await house.held(), house.told())


@on("locaboo", "teambooking")
async def test_a_cancellation_that_stays_lost_is_the_operator_s(house, alarms):
    """What the club does not cancel is tried on, and the operator is told of it."""
    assert 200 == await house.book()
    house.club.fault("cancel", times=99, status=503)
    assert 503 == await house.cancel()
    for _ in range(6):
        house.later(2000)
        await house.step()
    assert ["cancelling"] == await house.entries()
    assert ["it cannot be cancelled"] == [one.split(":")[0] for one in alarms()]
    assert any("must be cancelled at the club" in one for one in (await house.status())["attention"])
    house.club.mend()
    house.later(2000)
    await house.step()
    assert (["cancelled"], []) == (await house.entries(), await house.held())


@on(*KINDS)
async def test_the_club_cancels(house, alarms):
    """The court is told as free, the cancellation is an event, and the operator is told: the marketplace cannot be."""
    assert 200 == await house.book()
    await house.turned()
    assert False is house.told()
    (entry,) = await house.rows()
    await house.works("bookings.cancel", id=entry.booking)
    await house.turned(180)
    await house.step(times=2)
    assert (["cancelled"], True) == (await house.entries(), house.told())
    assert [("booking.created", entry.booking), ("booking.cancelled", entry.booking)] == await house.events()
    assert ["anybuddy", "anybuddy"] == await house.channels()
    assert (1, 1) == (len(alarms()), len((await house.status())["attention"]))
    assert (200, 0) == (await house.cancel(), house.club.asked("cancel") - 1)
    assert 200 == await house.book(player="Ben")


@on("locaboo", "simplybook")
async def test_the_club_cancels_and_tells_nobody(house):
    """Without any event the free court gives it away: it is sold again, to whoever comes."""
    assert 200 == await house.book(player="Ada")
    house.later(60)
    (entry,) = await house.rows()
    await house.works("bookings.cancel", id=entry.booking)
    house.later(180)
    await house.step(times=3)
    assert (["cancelled"], True) == (await house.entries(), house.told())
    assert ("booking.cancelled", entry.booking) == (await house.events())[-1]
    assert 200 == await house.book(player="Ben")


@on("locaboo", "simplybook")
async def test_the_club_moves_a_booking(house, alarms):
    """Both times are told, the ledger keeps the booking, and only who names the slot may cancel it at the old time."""
    assert 200 == await house.book()
    await house.turned()
    (entry,) = await house.rows()
    await house.works("bookings.reschedule", id=entry.booking, start=f"{TWO}+01:00", end=f"{DAY}T15:00+01:00")
    await house.turned(180)
    await house.step(times=2)
    assert [True, False] == [house.told(), house.told(f"c1 {TWO}")]
    (moved,) = await house.rows()
    assert (entry.booking, "confirmed") == (moved.booking, moved.state)
    assert 1 == len(alarms())
    assert 409 == await house.cancel()
    assert ["14:00"] == await house.held()
    assert 200 == await house.cancel(slot_id="c1-202603101000")
    assert [] == await house.held()


@on("simplybook", "teambooking")
async def test_what_was_booked_is_over(house):
    """A booking that is over is not cancelled any more."""
    assert 200 == await house.book()
    house.later(2 * 86400)
    assert (409, 0) == (await house.cancel(), house.club.asked("cancel"))
