"""What is taken up again ends, in whatever state it is: done, or the operator's with a reason."""

import asyncio

import pytest

from gateway.links.bookings.recovery import MOST_TRIES
from gateway.store.links import ledger
from tests.links.linked import LINK, linked, on

PUBLIC = {"user_login": None, "user_password": None}
"""SimplyBook without a user of its administration: no list of bookings, and ids with a hash."""
REFUSED = '{"jsonrpc": "2.0", "id": 1, "result": false}'


async def tried(house, tries):
    """Have the entries that are looked after stand as after so many tries."""

    def work(store):
        for entry in ledger.list_(store, LINK, 100, ledger.LIVE - {"confirmed"}):
            assert ledger.settle(store, entry.id, (entry.state,), entry.state, house.at, tries=tries)

    await house.gateways[0].database.write(work)


async def left(house):
    """Give what the worker will ever look after again."""
    return await house.gateways[0].database.read(lambda store: ledger.due(store, LINK, 2**60, 100))


async def turns(house, *seconds):
    for one in seconds:
        house.later(one)
        await house.step()


async def lost(house):
    """Book so that the club has it and nobody knows."""
    house.club.fault("create", after=True)
    house.club.fault("list", status=503)
    assert 503 == await house.book()


async def killed(house):
    """Have the gateway end while it books."""
    held = house.club.fault("create", held=True)
    booking = asyncio.ensure_future(house.book())
    await held.arrived.wait()
    await house.kill()
    booking.cancel()
    held.go.set()
    await house.gateway()
    await asyncio.wait([booking])


async def lost_and_cancelled(house):
    """Have the marketplace cancel what nobody knows."""
    await lost(house)
    house.club.fault("list", status=503)
    assert 503 == await house.cancel()


async def not_cancelled(house):
    """Have the marketplace cancel while the club does not answer."""
    assert 200 == await house.book()
    house.club.fault("cancel", status=503)
    assert 503 == await house.cancel()


LASTING = {
    "unknown": (lost, "list", "the club cannot be asked whether it has this booking"),
    "pending": (killed, "list", "the club cannot be asked whether it has this booking"),
    "cancelling, not found": (lost_and_cancelled, "list", "the club cannot be asked whether it has this booking"),
    "cancelling": (not_cancelled, "cancel", f"it was not cancelled in {MOST_TRIES} tries"),
    "cancelling, not read": (not_cancelled, "get", f"it was not cancelled in {MOST_TRIES} tries"),
}


@pytest.mark.parametrize("state", LASTING)
@on("locaboo", "simplybook")
async def test_every_recovery_ends(house, alarms, state):
    """While the club goes on failing it is tried so often, and then it is the operator's, who is told why."""
    begin, call, reason = LASTING[state]
    await begin(house)
    house.club.fault(call, times=999, status=503)
    await turns(house, 60)
    (entry,) = await left(house)
    assert 1 == entry.tries
    await tried(house, MOST_TRIES - 2)
    await turns(house, 1801)
    assert 1 == len(await left(house))
    await turns(house, 1801, 1801)
    assert ([], ["failed"]) == (await left(house), await house.entries())
    house.club.mend()
    await turns(house, 601)
    assert ["10:00"] == await house.held()
    assert reason == alarms()[-1].split(": ")[0]
    assert 1 == len(alarms())
    assert any(reason in one for one in (await house.status())["attention"])
    assert False is house.told()


@pytest.mark.parametrize("begin", [lost, not_cancelled])
@on("teambooking")
async def test_what_is_over_is_not_tried_on(house, alarms, begin):
    """When the time of a booking has passed, what could not be settled is the operator's at once."""
    await begin(house)
    house.club.fault("list", times=999, status=503)
    await turns(house, 3 * 86400)
    assert ([], ["failed"], 1) == (await left(house), await house.entries(), len(alarms()))


@on("simplybook")
async def test_a_refusal_ends_a_recovery(house, alarms):
    """A club that refuses by its own rules is not asked again and again: the booking stays, and the operator knows."""
    await not_cancelled(house)
    house.club.fault("cancel", times=99, status=200, text=REFUSED)
    await turns(house, 60)
    assert ([], ["confirmed"], ["10:00"]) == (await left(house), await house.entries(), await house.held())
    assert ["the club refuses to cancel it"] == [one.split(":")[0] for one in alarms()]


@on("locaboo", "simplybook")
async def test_a_marketplace_that_cancels_again_and_again(house):
    """Its messages neither put off the end of a recovery nor use up its tries."""
    await not_cancelled(house)
    house.club.fault("cancel", times=999, status=503)
    await turns(house, 10, 40)
    (before,) = await left(house)
    assert [503, 503] == [await house.cancel(), await house.cancel()]
    (after,) = await left(house)
    assert (before.tries, before.due_at) == (after.tries, after.due_at)
    house.club.mend()
    await turns(house, 700)
    assert (["cancelled"], []) == (await house.entries(), await house.held())


@on("locaboo", "generic")
async def test_a_booking_that_was_given_up_can_still_be_cancelled(house):
    """The operator's booking is cancelled when the marketplace asks once more and the club takes it."""
    await not_cancelled(house)
    house.club.fault("cancel", times=999, status=503)
    await tried(house, MOST_TRIES)
    await turns(house, 60)
    assert (["failed"], 503) == (await house.entries(), await house.cancel())
    house.club.mend()
    assert (200, ["cancelled"], []) == (await house.cancel(), await house.entries(), await house.held())


async def test_a_cancellation_whose_reading_failed(tmp_path, alarms):
    """What the club has cancelled is seen to be so by the next try, though the club then says that it did nothing."""
    async with linked(tmp_path, "simplybook", settings=PUBLIC) as house:
        assert 200 == await house.book()
        held = house.club.fault("cancel", held=True)
        cancelling = asyncio.ensure_future(house.cancel())
        await held.arrived.wait()
        house.club.fault("get", times=3, status=503)
        held.go.set()
        assert (503, ["cancelling"]) == (await cancelling, await house.entries())
        house.club.mend()
        await turns(house, 10)
        assert ([], ["cancelled"], []) == (await left(house), await house.entries(), alarms())
        await house.step()
        assert (True, 200) == (house.told(), await house.cancel())


@on("generic")
async def test_a_cancellation_of_what_nobody_can_tell_apart(house, alarms):
    """Until it is known the answer is 503; when nobody will ever know it is 409, and the operator is told: it lives."""
    house.club.fault("create", after=True)
    assert [503, 503] == [await house.book(), await house.cancel()]
    for seconds in (20, 40, 130, 610):
        assert (503, ["cancelling"]) == (await house.cancel(), await house.entries())
        await turns(house, seconds)
    assert (409, ["failed"], ["10:00"]) == (await house.cancel(), await house.entries(), await house.held())
    assert (1, 0) == (len(alarms()), house.club.asked("cancel"))


@on("generic", "teambooking")
async def test_a_cancellation_of_what_was_never_made(house):
    """It is 503 until the club is known not to have the booking, and then 200; nothing is at the club."""
    house.club.fault("create", drop=True)
    assert [503, 503] == [await house.book(), await house.cancel()]
    await turns(house, 20, 40, 130)
    assert 503 == await house.cancel()
    await turns(house, 610)
    assert (200, ["cancelled"], []) == (await house.cancel(), await house.entries(), await house.held())
