"""What nobody orders on purpose: failures in the middle of a cancellation, answers that lie, far-away events."""

import asyncio
from dataclasses import replace

import pytest

from gateway.events.publisher import observe
from gateway.events.transitions import CHANGED
from tests.links.linked import DAY, linked, on

TWO = {"start": f"{DAY}T14:00+01:00", "end": f"{DAY}T15:00+01:00"}


@on("locaboo", "simplybook")
async def test_a_slot_is_not_sold_again_while_it_is_being_cancelled(house):
    """A booking that comes while the club is cancelling the one before is refused, and not taken for that one."""
    assert 200 == await house.book()
    held = house.club.fault("cancel", held=True)
    cancelled = asyncio.ensure_future(house.cancel())
    await held.arrived.wait()
    again = await house.book()
    held.go.set()
    assert (200, 409, []) == (await cancelled, again, await house.held())
    assert 200 == await house.book()
    assert ["10:00"] == await house.held()


@on("locaboo", "teambooking")
async def test_a_gateway_dies_while_it_cancels(house):
    """What a gateway had begun to cancel is cancelled by the next one."""
    assert 200 == await house.book()
    held = house.club.fault("cancel", held=True, drop=True)
    lost = asyncio.ensure_future(house.cancel())
    await held.arrived.wait()
    await house.kill()
    lost.cancel()
    held.go.set()
    await house.gateway()
    for seconds in (20, 100):
        house.later(seconds)
        await house.step(which=1)
    assert (["cancelled"], []) == (await house.entries(), await house.held())


@on("simplybook", "teambooking")
async def test_two_cancellations_at_once(house):
    """Both are answered 200, and the club is asked by one of them at a time."""
    assert 200 == await house.book()
    held = house.club.fault("cancel", held=True)
    first = asyncio.ensure_future(house.cancel())
    await held.arrived.wait()
    second = asyncio.ensure_future(house.cancel())
    await house.pull()  # a request that comes later and does not wait: the second one waits
    assert 1 == house.club.asked("cancel")
    held.go.set()
    assert (200, 200, ["cancelled"], []) == (await first, await second, await house.entries(), await house.held())


@on("locaboo", "simplybook")
async def test_a_booking_that_was_moved_is_not_cancelled_for_its_old_time(house):
    """Whether the move is known or not, and though the club cannot be read at that moment, the booking stays."""
    assert 200 == await house.book()
    (entry,) = await house.rows()
    await house.works("bookings.reschedule", id=entry.booking, **TWO)
    house.club.fault("get", status=503)
    assert 503 == await house.cancel()
    house.later(10)
    await house.step(times=2)
    assert ["14:00"] == await house.held()
    assert "moved" in (await house.rows())[0].reason
    await house.turned(180)
    house.club.fault("get", status=503)
    assert 409 == await house.cancel()
    house.later(10)
    await house.step(times=2)
    assert ["14:00"] == await house.held()


@on("locaboo", "simplybook", "teambooking")
async def test_an_answer_that_says_nothing_of_a_booking_that_was_made(house):
    """An answer that no rule of the mapping knows is no refusal: the club is asked, and what it has is confirmed."""
    house.club.fault("create", after=True, status=200, text="[]")
    assert 200 == await house.book()
    assert (["10:00"], ["confirmed"]) == (await house.held(), await house.entries())
    assert (200, []) == (await house.cancel(), await house.held())


@on("locaboo")
async def test_a_page_that_is_not_there_ends_no_booking(house):
    """A 404 in place of a booking, whoever gave it, does not keep it from being cancelled at the club."""
    assert 200 == await house.book()
    house.club.fault("get", status=404, text="not found")
    assert (200, []) == (await house.cancel(), await house.held())


@on("locaboo", "generic")
async def test_an_event_that_ends_with_the_calendar(house):
    """A booking up to the year 9999 is followed as far as the link sells, and the worker works on."""
    gateway = house.gateways[0]
    await house.step()
    end = "9999-12-31T23:59:59+00:00"
    told = {"id": "closed", "status": "confirmed", "resource_id": house.kind.courts[0][0], "time_zone": "UTC"}
    closed = {**told, "start": f"{DAY}T10:00:00+00:00", "end": end}
    await gateway.publisher.publish([observe("club", house.kind.provider, "poll", CHANGED, closed)])
    await house.step(times=2)
    assert 200 == await house.book()


@on("locaboo", "simplybook")
async def test_a_lost_answer_of_a_court_that_is_sold_no_more(house):
    """Nobody looks for it any more, and the operator is told to."""
    house.club.fault("create", after=True)
    house.club.fault("list", status=503)
    assert (503, ["10:00"]) == (await house.book(), await house.held())
    house.change(facilities=house.settings.links[0].facilities[1:])
    await house.kill()
    await house.gateway()
    house.later(20)
    await house.step(which=1)
    (entry,) = await house.rows()
    assert ("failed", True) == (entry.state, "sold no more" in entry.reason)
    assert 1 == len((await house.status(1))["attention"])


@pytest.mark.parametrize("club", ["locaboo", "simplybook"])
async def test_two_links_that_sell_one_court(tmp_path, club):
    """A booking whose answer was lost is not found in what the other link booked, though the player is the same."""
    customer = {"name": "{player}", "email": "market@club.example", "phone": "+33612345678"}
    async with linked(tmp_path, club, link={"customer": customer}) as house:
        (link,) = house.settings.links
        house.settings = replace(house.settings, links=(link, replace(link, name="second", center_id="OTH")))
        await house.kill()
        house.gateways.clear()
        await house.gateway()
        held = house.club.fault("create", held=True, drop=True)
        lost = asyncio.ensure_future(house.book(query={"center_id": "WYZ"}))
        await held.arrived.wait()
        other = asyncio.ensure_future(house.book(query={"center_id": "OTH"}))
        held.go.set()
        assert (503, 200) == (await lost, await other)
        for seconds in (20, 40, 130, 610):
            house.later(seconds)
            await house.step()
        assert ["failed"] == await house.entries()
        assert 403 == await house.cancel(query={"center_id": "WYZ"})
        assert ["10:00"] == await house.held()
