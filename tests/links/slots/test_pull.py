"""The calendar as a marketplace pulls it: complete or not at all, in the days and under the names that it knows."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.links.clubs import ZONE
from tests.links.linked import DAY, TEN, linked, on

GRID = {"grid": {"first": "00:30", "last": "23:30", "step": 60}, "slot_duration": 60}


def tomorrow(slots):
    return {place: one for place, one in slots.items() if one["startDateTime"].startswith(DAY)}


def clocks(slots, court="c1"):
    return [place.split("T")[1] for place in slots if place.startswith(f"{court} ")]


@on("locaboo", "generic")
async def test_the_whole_calendar(house):
    """Every court of the link is told for as many days as asked for, at most those of the link, ids as agreed."""
    _, today = await house.pull(1)
    _, both = await house.pull(2)
    _, most = await house.pull(90)
    _, left_out = await house.pull(None)
    assert most == both == left_out
    assert {"2026-03-09"} >= {place.split()[1][:10] for place in today}
    assert {"2026-03-10"} == {place.split()[1][:10] for place in both.keys() - today.keys()}
    assert len(house.kind.courts) == len({one["facilityId"] for one in both.values()})
    one = both[f"c1 {TEN}"]
    assert ("c1-202603101000", f"{DAY}T11:00", "padel") == (one["slotId"], one["endDateTime"], one["sport"])
    assert both == (await house.pull(2, center=None))[1]


@on("locaboo", "teambooking")
async def test_pulls_that_cannot_be_answered(house):
    """An unknown center is not found, a stranger is not answered, and a number of days must be one."""
    assert [404, 400, 400] == [(await house.pull(*one))[0] for one in ((1, "XYZ"), (0, "WYZ"), ("soon", "WYZ"))]
    assert 401 == (await house.asks("GET", token="not-the-token-0000000"))[0]


@on("simplybook", "generic")
async def test_the_club_is_away_during_a_pull(house):
    """What was known a short while ago is told, whole; without it the marketplace shall come again: never less."""
    house.club.fault("slots", times=99, status=503)
    status, _, headers = await house.asks("GET", query={"center_id": "WYZ", "date": "2"})
    assert (503, True) == (status, int(headers["Retry-After"]) > 0)
    house.club.mend()
    _, before = await house.pull(2)
    await house.takes()
    house.club.fault("slots", times=99, status=503)
    house.later(600)
    status, stale = await house.pull(2)
    assert (200, tomorrow(before)) == (status, tomorrow(stale))
    house.later(600)
    assert (503, None) == await house.pull(2)
    house.club.mend()
    status, after = await house.pull(2)
    assert (200, before.keys(), False) == (status, after.keys(), after[f"c1 {TEN}"]["isAvailable"])
    assert (await house.status())["last_pull_error"] is None


@pytest.mark.parametrize(
    ("club", "sold", "second"),
    [
        ("simplybook", [("2", "1"), ("3", "2")], r'"params": ?\["[0-9-]+", ?"[0-9-]+", ?2,'),
        ("teambooking", [("4", "lesson"), ("4", "training-camp")], "get_slots&service_id=training-camp"),
    ],
)
async def test_one_court_fails(tmp_path, club, sold, second):
    """When the club tells of one court and not of the other, nothing is told: the other would seem to be taken."""
    courts = [
        {"facility_id": name, "name": name, "sport": "padel", "resource_id": resource, "service_id": service}
        for name, (resource, service) in zip(("c1", "c2"), sold, strict=True)
    ]
    async with linked(tmp_path, club, courts=courts) as house:
        fault = house.club.fault(second, times=99, status=500)
        assert (503, None) == await house.pull(2)
        assert 99 > fault.times
        house.club.mend()
        assert 200 == (await house.pull(2))[0]


@on("simplybook", "teambooking")
async def test_what_is_taken_is_still_told(house):
    """A slot that is offered no more is told as taken, for a marketplace may take silence for no change."""
    _, before = await house.pull(2)
    await house.takes()
    _, after = await house.pull(2)
    assert (before.keys(), True, False) == (
        after.keys(),
        before[f"c1 {TEN}"]["isAvailable"],
        after[f"c1 {TEN}"]["isAvailable"],
    )


@pytest.mark.parametrize("club", ["locaboo", "teambooking"])
async def test_names_are_compared_as_texts(tmp_path, club):
    """Courts called `049` and `49` are two courts."""
    one, two = {"locaboo": ("49", "50"), "teambooking": ("4", "5")}[club]
    more = {} if club == "locaboo" else {"service_id": "lesson"}
    courts = [
        {"facility_id": name, "name": name, "sport": "padel", "resource_id": resource, **more}
        for name, resource in (("049", one), ("49", two))
    ]
    async with linked(tmp_path, club, courts=courts) as house:
        assert [200, 404] == [await house.book(court="49"), await house.book(court=" 49")]
        (entry,) = await house.rows()
        assert ("49", two) == (entry.facility, (await house.works("bookings.get", id=entry.booking))["resource_id"])
        _, slots = await house.pull(2)
        assert [False, True] == [slots[f"{name} {TEN}"]["isAvailable"] for name in ("49", "049")]
        assert [404, 200] == [await house.cancel(court="049"), await house.cancel(court="49")]


@pytest.mark.parametrize("club", ["locaboo", "generic"])
@pytest.mark.parametrize(("day", "midnight"), [("2026-03-29", 1774738800), ("2026-10-25", 1792879200)])
async def test_days_on_which_the_clocks_change(tmp_path, club, day, midnight):
    """`date=1` is one day of 23 or 25 hours, and no local time is told twice."""
    grid = {"grid": {"first": "00:00", "last": "24:00", "step": 60}, "slot_duration": 60}
    async with linked(tmp_path, club, link=grid, at=midnight * 1000) as house:
        status, slots = await house.pull(1)
        whole = [f"{hour:02}:00" for hour in range(24)]
        assert (200, {day}) == (status, {one["startDateTime"][:10] for one in slots.values()})
        assert (["02:00"] if day < "2026-10" else []) == [one for one in whole if one not in clocks(slots)]
        assert len(slots) == len({(one["facilityId"], one["startDateTime"]) for one in slots.values()})
        assert 200 == await house.book(f"{day}T10:00")
        await house.step()
        assert False is house.told(f"c1 {day}T10:00")


@pytest.mark.parametrize("start", [f"{DAY}T23:00", "2026-03-29T01:00"])
async def test_what_ends_with_the_day_or_as_the_clocks_are_put_forward_is_sold(tmp_path, start):
    """The last hour of a day, and the one before the clocks are put forward, are told as free and booked once."""
    day = datetime.fromisoformat(start)
    noon = int((day - timedelta(days=1)).replace(hour=12, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
    async with linked(tmp_path, "locaboo", at=noon) as house:
        house.club.play.state["hours"] = {"opens": "00:00", "closes": "24:00"}
        _, slots = await house.pull(2)
        told = slots[f"c1 {start}"]
        lasts = datetime.fromisoformat(told["endDateTime"]) - day
        assert (True, 200) == (told["isAvailable"], await house.book(start, minutes=lasts.seconds // 60))
        assert ["confirmed"] == await house.entries()


@pytest.mark.parametrize("club", ["locaboo", "generic"])
async def test_slots_around_midnight(tmp_path, club):
    """A slot belongs to the local day on which it begins, and is sold there."""
    late = {"id": "court", "name": "Court", "duration": 60}
    late["availability"] = {
        "days": ["monday", "tuesday", "wednesday"],
        "hours": {"start": "00:30", "end": "00:00"},
        "timezone": ZONE,
    }
    settings = {"services": [late]} if club == "generic" else {}
    async with linked(tmp_path, club, link=GRID, settings=settings) as house:
        _, today = await house.pull(1)
        _, both = await house.pull(2)
        assert ("2026-03-09T00:30", "2026-03-09T22:30") == (
            min(one["startDateTime"] for one in today.values()),
            max(one["startDateTime"] for one in today.values()),
        )
        assert f"c1 {DAY}T00:30" in both
        if club == "generic":
            assert 200 == await house.book(f"{DAY}T00:30")
            await house.step()
            assert [False, True] == [house.told(f"c1 {DAY}T{clock}") for clock in ("00:30", "01:30")]
