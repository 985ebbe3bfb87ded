"""A whole link on the nights when the clocks go back and forward: every hour is sold, once, and to nobody twice."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.links.clubs import ALL_DAYS, COURT, ZONE
from tests.links.linked import linked
from tests.nights import ALL_NIGHT

BACK, FORWARD = "2026-10-25", "2026-03-29"
HOURS = {BACK: ["01:00", "02:00", "03:00"], FORWARD: ["01:00", "03:00"]}
"""What the clocks show around the change when an hour begins: of 02:00, shown twice, the first."""
GRID = {"slot_duration": 60, "grid": {"first": "00:00", "last": "06:00", "step": 60}}
PARIS = ZoneInfo(ZONE)


def utc(text):
    """Give a moment in UTC, of a local time without offset the first."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=PARIS)).astimezone(UTC)


@asynccontextmanager
async def night(folder, club, day, *, link=None, market=None):
    """Link a club that is open all night, from noon of the day before on."""
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=PARIS) - timedelta(days=1)
    court = COURT | {"availability": {"days": ALL_DAYS, "hours": {"start": "00:00", "end": "00:00"}, "timezone": ZONE}}
    more = {"settings": {"services": [court]} if club == "generic" else {}, "link": link or {}, "market": market or {}}
    async with linked(folder, club, at=int(noon.timestamp() * 1000), **more) as house:
        if "hours" in house.club.play.state:
            house.club.play.state["hours"] = ALL_NIGHT | ({"closes": "24:00"} if club == "locaboo" else {})
        yield house


async def sold(house, day):
    """Pull, and give what is told of the first court around the change: start and end as they are written, if free."""
    status, slots = await house.pull(2)
    assert 200 == status
    mine = [one for one in slots.values() if one["facilityId"] == "c1" and one["startDateTime"][:10] == day]
    hours = {*HOURS[day], "02:00"}  # one club also has half hours
    told = [one for one in mine if one["startDateTime"][11:16] in hours]
    assert len(told) == len({one["startDateTime"][:16] for one in told})
    return {one["startDateTime"]: one["endDateTime"] for one in told if one["isAvailable"]}


async def booked(house, day):
    """Give what the club holds of the first court that night, begin and end in UTC, in order."""
    after = datetime.fromisoformat(day) + timedelta(days=1)
    listed = await house.works("bookings.list", **{"from": f"{day}T00:00", "to": after.isoformat()})
    return sorted((utc(one["start"]), utc(one["end"])) for one in listed if one["status"] != "cancelled")


def minutes(start, end):
    """Give how long a slot lasts as it is written."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)) // timedelta(minutes=1)


PARTS = {"slot_duration": 60}
OFFSET = {"with_offset": True}
CLUBS = ("locaboo", "simplybook", "teambooking", "generic")
"""The first two count by the clock, so that the hour from 02:00 on takes two; the others have both hours."""
KINDS = (
    *((club, BACK, link, {}) for club in CLUBS for link in (GRID, {})),
    *((club, FORWARD, GRID, {}) for club in ("locaboo", "simplybook", "generic")),
    *((club, BACK, PARTS, OFFSET) for club in ("locaboo", "teambooking")),
    ("generic", FORWARD, {}, OFFSET),
)


@pytest.mark.parametrize(("club", "day", "link", "market"), KINDS)
async def test_every_hour_is_sold_once(tmp_path, club, day, link, market):
    """What is told can be booked, once, repeated and cancelled, and no two bookings at the club share time."""
    async with night(tmp_path, club, day, link=link, market=market) as house:
        slots = await sold(house, day)
        assert HOURS[day] == [start[11:16] for start in slots]
        for start, end in slots.items():
            length = minutes(start, end)
            for player, status in (("Jane Doe", 200), ("Jane Doe", 200), ("Ben Roe", 409)):
                assert status == await house.book(start, minutes=length, player=player), (start, end, player)
        there = await booked(house, day)
        assert [utc(start) for start in slots] == [begin for begin, _ in there]
        assert [] == [one for one in pairwise(there) if one[0][1] > one[1][0]]
        assert {} == await sold(house, day)
        await house.gateways[0].links.resync("courts")
        await house.step(times=2)
        assert {False} == {house.told(f"c1 {start}") for start in slots}
        for start, end in slots.items():
            assert [200, 200] == [await house.cancel(start, minutes=minutes(start, end)) for _ in range(2)], start
        await house.step()
        assert ([], slots) == (await booked(house, day), await sold(house, day))
        assert ["cancelled"] * len(slots) == await house.entries()


@pytest.mark.parametrize(("club", "link"), [*zip(CLUBS, (GRID, {}, GRID, {}), strict=True), ("locaboo", {})])
async def test_the_club_s_own_doings(tmp_path, club, link):
    """What staff does with the doubled hour is told, and a link's own booking there is not taken for moved."""
    two = f"{BACK}T02:00"
    async with night(tmp_path, club, BACK, link=link) as house:
        await house.turned()
        theirs = await house.takes(two)
        await house.turned(121)
        assert (False, 409) == (house.told(f"c1 {two}"), await house.book(two))
        await house.works("bookings.cancel", id=theirs["id"])
        await house.turned(121)
        assert (True, 200) == (house.told(f"c1 {two}"), await house.book(two))
        await house.turned(121)
        assert (["confirmed"], 200) == (await house.entries(), await house.book(two))
        (ours,) = await house.rows()
        assert not ours.reason
        await house.works("bookings.cancel", id=ours.booking)
        await house.turned(121)
        await house.turned(121)
        assert ([], True) == (await booked(house, BACK), house.told(f"c1 {two}"))
        assert ["cancelled"] == await house.entries()


@pytest.mark.parametrize(("club", "link"), [("locaboo", GRID), ("simplybook", PARTS), ("teambooking", {})])
async def test_a_lost_answer(tmp_path, club, link):
    """A booking of the doubled hour whose answer was lost is found, also by another gateway, and can be cancelled."""
    two = f"{BACK}T02:00"
    async with night(tmp_path, club, BACK, link=link) as house:
        house.club.fault("create", after=True)
        house.club.fault("list", status=503, times=3)
        assert 503 == await house.book(two)
        house.club.mend()
        await house.kill()
        await house.gateway()
        assert (200, 1) == (await house.book(two, which=1), house.club.asked("create"))
        assert [200, 200] == [await house.cancel(two, which=1) for _ in range(2)]
        assert ([], ["cancelled"]) == (await booked(house, BACK), await house.entries())
