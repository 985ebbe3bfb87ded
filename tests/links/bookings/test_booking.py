"""Bookings of a marketplace: once, confirmed only when the club has them, refused as the marketplace understands it."""

import asyncio

import pytest

from gateway.transport.client import Client
from tests.links.clubs import KINDS
from tests.links.linked import DAY, TEN, linked, on, until

BEFORE = "2026-03-09T08:00"
FAR = "2026-03-13T10:00"


@on(*KINDS)
async def test_what_is_free_can_be_sold_and_given_back(house):
    """What is free is told, booked, told as taken, cancelled, and told as free again."""
    status, slots = await house.pull(3)
    assert (200, True) == (status, slots[f"c1 {TEN}"]["isAvailable"])
    assert 200 == await house.book()
    assert ["10:00"] == await house.held()
    await house.step()
    assert False is house.told()
    assert 200 == await house.cancel()
    assert [] == await house.held()
    await house.step()
    assert True is house.told()


@on("locaboo", "generic")
async def test_a_booking_that_comes_again_is_one_booking(house):
    """The same message twice is one booking at the club and 200 both times, at once and later."""
    assert [200, 200] == [await house.book(), await house.book()]
    house.later(3600)
    assert 200 == await house.book(player=None)
    assert ["10:00"] == await house.held()
    assert (1, ["confirmed"]) == (house.club.asked("create"), await house.entries())


@on("simplybook", "teambooking")
async def test_a_booking_that_comes_twice_at_once_is_one_booking(house):
    """The second of two messages waits for the first, and both are answered alike."""
    held = house.club.fault("create", held=True)
    both = [asyncio.ensure_future(house.book()) for _ in range(2)]
    await held.arrived.wait()
    held.go.set()
    assert [200, 200] == await asyncio.gather(*both)
    assert (1, ["10:00"]) == (house.club.asked("create"), await house.held())


@on("locaboo", "teambooking")
async def test_of_players_who_race_one_gets_the_court(house):
    """Of several players who want the same slot one is confirmed, and the club has one booking."""
    players = ["Ada", "Ben", "Cem"]
    answers = await asyncio.gather(*(house.book(player=one) for one in players))
    assert [200, 409, 409] == sorted(answers)
    assert ["10:00"] == await house.held()


@on("simplybook")
async def test_what_overlaps_is_the_same_court(house):
    """Of two players who want slots that share time one is confirmed, and the other slot is told as taken."""
    answers = await asyncio.gather(house.book(player="Ada"), house.book(f"{DAY}T10:30", player="Ben"))
    assert [200, 409] == sorted(answers)
    await house.step()
    assert [False, False] == [house.told(f"c1 {DAY}T{clock}") for clock in ("10:00", "10:30")]
    assert 200 == await house.book(f"{DAY}T10:30", "c2", player="Ben")


@on("simplybook", "generic")
async def test_staff_was_faster(house):
    """A slot that the club has given away since it was told is refused, and told as taken at once."""
    assert (await house.pull(3))[1][f"c1 {TEN}"]["isAvailable"]
    await house.takes()
    assert 409 == await house.book()
    await house.step()
    assert False is house.told()
    assert (0, ["10:00"]) == (house.club.asked("create") - 1, await house.held())


@on(*KINDS)
async def test_staff_is_faster_between_look_and_booking(house):
    """What the club gives away while the booking is on its way to it is refused, and nothing of it stays."""
    held = house.club.fault("create", held=True)
    booking = asyncio.ensure_future(house.book())
    await held.arrived.wait()
    await house.takes()
    held.go.set()
    assert 409 == await booking
    assert (["failed"], ["10:00"]) == (await house.entries(), await house.held())


@on("locaboo", "generic")
async def test_what_is_not_for_sale(house):
    """Past, too far and unknown slots are refused as the marketplace understands it; the club is not asked to book."""
    house.later(1800)
    answers = {
        (BEFORE, "c1"): 403,
        ("2026-03-09T09:00", "c1"): 403,
        (FAR, "c1"): 403,
        (TEN, "c9"): 404,
        (f"{DAY}T10:07", "c1"): 404,
    }
    assert answers == {key: await house.book(*key) for key in answers}
    assert 404 == await house.book(minutes=45)
    assert 404 == await house.book(slot_id="a-slot-of-somebody-else")
    assert (0, []) == (house.club.asked("create"), await house.entries())


@on("simplybook", "teambooking")
async def test_what_cannot_be_read(house):
    """A stranger is not answered, and a message that is not complete or contradicts itself is refused as such."""
    good = {"event": "booking", "facilityId": "c1", "startDateTime": TEN, "endDateTime": f"{DAY}T11:00"}
    bodies = [
        {**good, "endDateTime": TEN},
        {**good, "startDateTime": "2026-03-29T02:30", "endDateTime": "2026-03-29T03:30"},
        {**good, "slotId": "c2-202603101000"},
        {**good, "slotId": "c1-202603101100"},
        {**good, "event": "greeting"},
        {**good, "startDateTime": "tomorrow"},
        {name: value for name, value in good.items() if name != "facilityId"},
        [good],
    ]
    assert [400] * len(bodies) == [(await house.asks("POST", body=one))[0] for one in bodies]
    assert 400 == (await house.asks("POST", raw=b"{"))[0]
    assert 401 == (await house.asks("POST", body=good, token="not-the-token-0000000"))[0]
    assert 404 == (await house.asks("POST", body=good, query={"center_id": "XYZ"}))[0]
    assert (0, []) == (house.club.asked("create"), await house.entries())


@pytest.mark.parametrize("club", ["locaboo", "teambooking"])
async def test_policy(tmp_path, club):
    """Within the notice that the club wants nothing is sold, and it is told as taken."""
    async with linked(tmp_path, club, link={"policy": {"min_notice": 26 * 60}}) as house:
        _, slots = await house.pull(3)
        assert [False, True] == [slots[f"c1 {DAY}T{clock}"]["isAvailable"] for clock in ("10:00", "11:00")]
        assert [403, 200] == [await house.book(), await house.book(f"{DAY}T11:00")]


@on("locaboo", "simplybook")
async def test_the_club_is_away(house):
    """While the club cannot be asked nothing is confirmed: 503, and when to come again; afterwards it works."""
    house.club.fault(".", times=99, status=503)
    body = {"event": "booking", "facilityId": "c1", "startDateTime": TEN, "endDateTime": f"{DAY}T11:00"}
    status, _, headers = await house.asks("POST", body=body)
    assert (503, True) == (status, int(headers["Retry-After"]) > 0)
    house.club.mend()
    assert (200, ["10:00"]) == (await house.book(), await house.held())


@on("simplybook")
async def test_a_session_that_ends_on_the_way(house):
    """A token that expires between look and booking is renewed once, and nobody notices."""
    assert 200 == (await house.pull())[0]
    held = house.club.fault("create", held=True)
    booking = asyncio.ensure_future(house.book())
    await held.arrived.wait()
    house.club.play.forget_tokens()
    logins = house.club.asked("get(User)?Token")
    held.go.set()
    assert 200 == await booking
    assert (logins + 1, ["10:00"]) == (house.club.asked("get(User)?Token"), await house.held())


@pytest.mark.parametrize(
    ("club", "settings", "court", "minutes"),
    [
        ("simplybook", {}, {"resource_id": "4", "service_id": "4"}, 30),
        ("locaboo", {"request_approval": True}, {"resource_id": "49"}, 60),
    ],
)
async def test_a_booking_that_waits_is_confirmed(tmp_path, club, settings, court, minutes):
    """Where the club's word can be given at once it is given: a marketplace knows no bookings that wait."""
    courts = [{"facility_id": "c1", "name": "Court 1", "sport": "padel", **court}]
    async with linked(tmp_path, club, settings=settings, courts=courts) as house:
        assert 200 == await house.book(minutes=minutes)
        (entry,) = await house.rows()
        assert "confirmed" == entry.state
        assert "confirmed" == (await house.works("bookings.get", id=entry.booking))["status"]


@on("teambooking")
async def test_a_booking_that_waits_for_money_is_refused(house):
    """What must be paid at the club first is not sold: the booking is cancelled again, and the player refused."""
    lesson = next(one for one in house.club.play.state["services"] if one["id"] == "lesson")
    lesson["payments"]["required"] = "immediately"
    assert 403 == await house.book()
    await house.step()
    assert ([], ["cancelled"]) == (await house.held(), await house.entries())
    await house.step()
    assert True is house.told()


@on("locaboo", "teambooking")
async def test_the_worker_runs_by_itself(house):
    """While the links run, a booking is told to the marketplace without anybody asking."""
    running = asyncio.ensure_future(house.gateways[0].links.run())
    try:
        await until(lambda: house.told() is True)
        assert 200 == await house.book()
        await until(lambda: house.told() is False)
        assert 200 == await house.cancel()
        await until(lambda: house.told() is True)
    finally:
        running.cancel()
        await asyncio.wait([running])


@on("locaboo")
async def test_a_defect_that_a_link_meets_is_its_own(house, caplog):
    """The link waits with its trace in the log and then goes on; the links of the gateway do not end."""
    broken = [OverflowError("of what came in")]

    class Odd(Client):
        async def send(self, request):
            if broken:
                raise broken.pop()
            return await super().send(request)

    house.way_out = (await house.stack.enter_async_context(Odd(["127.0.0.0/8"]))).send
    gateway = await house.gateway()
    running = asyncio.ensure_future(gateway.links.run())
    try:
        await until(lambda: house.told() is True)
    finally:
        running.cancel()
        await asyncio.wait([running])
    (line,) = (one for one in caplog.records if one.message == "worker.crashed")
    assert ("link courts", 1, OverflowError) == (line.fields["loop"], line.fields["times"], line.exc_info[0])
