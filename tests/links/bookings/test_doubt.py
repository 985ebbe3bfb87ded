"""What nobody knows for a while: lost answers, killed gateways; and that nothing is left of it at the club unsaid."""

import asyncio

import pytest

from tests.links.linked import linked, on


@on("locaboo", "simplybook", "teambooking")
async def test_an_answer_is_lost_and_the_booking_found(house):
    """The club has done it and its answer was lost: the booking is found by whose it is, and confirmed."""
    house.club.fault("create", after=True)
    assert 200 == await house.book()
    assert (["confirmed"], ["10:00"], 1) == (await house.entries(), await house.held(), house.club.asked("create"))
    assert 200 == await house.cancel()
    assert [] == await house.held()


@on("locaboo", "simplybook")
async def test_an_answer_is_lost_and_the_booking_appears_later(house):
    """What was told as not confirmed and comes to light is cancelled again, and the court is told as free."""
    house.club.fault("create", after=True)
    house.club.fault("list", status=503)
    assert 503 == await house.book()
    assert (["unknown"], ["10:00"]) == (await house.entries(), await house.held())
    assert 409 == await house.book(player="Ben")
    house.later(20)
    await house.step(times=2)
    assert (["cancelled"], []) == (await house.entries(), await house.held())
    await house.step()
    assert (True, []) == (house.told(), (await house.status())["attention"])
    assert 200 == await house.book(player="Ben")


@on("locaboo", "teambooking")
async def test_the_same_player_asks_again_meanwhile(house):
    """Who asks again before it is undone gets the booking that the club has, once."""
    house.club.fault("create", after=True)
    house.club.fault("list", status=503)
    assert [503, 200] == [await house.book(), await house.book()]
    house.later(3600)
    await house.step()
    assert (["confirmed"], ["10:00"], 1) == (await house.entries(), await house.held(), house.club.asked("create"))


@pytest.mark.parametrize("club", ["locaboo", "simplybook"])
async def test_a_booking_that_appears_later_may_be_kept(tmp_path, club, alarms):
    """Where the policy says so the booking stays, and the operator tells the marketplace."""
    async with linked(tmp_path, club, link={"policy": {"on_unknown_outcome": "keep"}}) as house:
        house.club.fault("create", after=True)
        house.club.fault("list", status=503)
        assert 503 == await house.book()
        house.later(20)
        await house.step(times=2)
        assert (["confirmed"], ["10:00"], 1) == (await house.entries(), await house.held(), len(alarms()))


@on("simplybook", "teambooking")
async def test_a_booking_that_was_never_made(house, alarms):
    """What does not appear at the club in a quarter of an hour is given up, and the slot is sold to whoever comes."""
    house.club.fault("create", drop=True)
    assert 503 == await house.book()
    for seconds in (20, 40, 130, 610):
        assert ["unknown"] == await house.entries()
        house.later(seconds)
        await house.step()
    assert (["failed"], []) == (await house.entries(), alarms())
    assert 200 == await house.book(player="Ben")


@on("generic")
async def test_a_booking_that_nobody_can_tell_apart(house, alarms):
    """Where the club does not say whose its bookings are, the operator is told to look."""
    house.club.fault("create", after=True)
    assert 503 == await house.book()
    for seconds in (20, 40, 130, 610):
        house.later(seconds)
        await house.step()
    assert (["failed"], ["10:00"], 1) == (await house.entries(), await house.held(), len(alarms()))
    assert 1 == len((await house.status())["attention"])
    await house.step()
    assert False is house.told()


@on("locaboo", "simplybook")
async def test_a_cancellation_of_what_nobody_knows(house):
    """What is cancelled before its answer is known is cancelled as soon as it appears, whatever the policy."""
    house.club.fault("create", after=True)
    house.club.fault("list", times=2, status=503)
    assert 503 == await house.book()
    assert 503 == await house.cancel()
    assert (["cancelling"], ["10:00"]) == (await house.entries(), await house.held())
    house.later(20)
    await house.step(times=2)
    assert (["cancelled"], []) == (await house.entries(), await house.held())
    assert 200 == await house.cancel()


@on("locaboo", "generic")
async def test_somebody_else_s_booking_is_not_ours(house):
    """A booking of a member that stands where ours was lost is neither confirmed to a player nor cancelled."""
    held = house.club.fault("create", held=True, drop=True)
    booking = asyncio.ensure_future(house.book())
    await held.arrived.wait()
    await house.takes()
    held.go.set()
    assert 503 == await booking
    for seconds in (20, 40, 130, 610):
        house.later(seconds)
        await house.step()
    assert (["failed"], ["10:00"], 0) == (await house.entries(), await house.held(), house.club.asked("cancel"))


@pytest.mark.parametrize("again", [False, True])
@on("locaboo", "simplybook")
async def test_a_gateway_dies_while_it_books(house, again):
    """What was under way is found by the next gateway: undone, or given to the player who asks again."""
    held = house.club.fault("create", held=True)
    booking = asyncio.ensure_future(house.book())
    await held.arrived.wait()
    await house.kill()
    booking.cancel()
    held.go.set()
    await house.gateway()
    assert ["pending"] == await house.entries()
    house.later(60)
    if again:
        assert 200 == await house.book(which=1)
    await house.step(1)
    await house.step(1)
    expected = (["confirmed"], ["10:00"]) if again else (["cancelled"], [])
    assert expected == (await house.entries(), await house.held())


@on("teambooking", "generic")
async def test_what_the_gateway_remembers_outlives_it(house):
    """Another gateway on the same store answers repetitions and cancellations as the first one would."""
    assert 200 == await house.book()
    await house.kill()
    await house.gateway()
    assert [200, 409] == [await house.book(which=1), await house.book(which=1, player="Ben")]
    assert 200 == await house.cancel(which=1)
    await house.step(1)
    assert ([], ["cancelled"], True) == (await house.held(), await house.entries(), house.told())
