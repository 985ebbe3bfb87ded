"""The key by which a club knows a booking that it is asked to make."""

import json
import re

from gateway.links.slots.payloads import create_key
from tests.links.clubs import keyed
from tests.links.linked import DAY, linked


def keys(house):
    """Give the keys of the bookings that the club was asked to make, in order."""
    return [json.loads(one.partition("\n")[2])["key"] for one in house.club.seen if re.match(r"POST /bookings\n", one)]


async def test_a_booking_has_one_key(tmp_path):
    """What is asked for twice has one key, also over a lost answer and a restart; what is sold again has another."""
    async with linked(tmp_path, "generic", club_plan=keyed()) as house:
        house.club.fault("create", times=2, after=True)
        assert 503 == await house.book()
        await house.kill()
        await house.gateway()
        assert 503 == await house.book(which=1)
        (entry,) = await house.rows()
        assert [create_key(entry.id)] == keys(house)
        house.club.mend()
        noon = f"{DAY}T12:00"
        assert [200, 200] == [await house.book(noon, which=1), await house.cancel(noon, which=1)]
        await house.step(which=1)
        assert 200 == await house.book(noon, which=1)
        made = {create_key(one.id) for one in await house.rows()}
        assert (3, made) == (len(keys(house)), set(keys(house)))


async def test_a_booking_is_found_by_its_key(tmp_path):
    """One that tells its key is found when its answer was lost, whatever staff has made of its customer meanwhile."""
    marked = {"create_mode": "add", "mark_bookings": True}
    async with linked(tmp_path, "locaboo", settings=marked) as house:
        house.club.fault("POST /api/v2/booking_add", after=True)
        house.club.fault("list", status=503)
        assert 503 == await house.book()
        for one in house.club.play.state["customers"].values():
            one["show_name"] = "Renamed"
        assert (200, ["confirmed"]) == (await house.book(), await house.entries())
        (entry,) = await house.rows()
        day = {"from": f"{DAY}T00:00", "to": f"{DAY}T23:59"}
        (booking,) = [one for one in await house.works("bookings.list", **day) if one["id"] == entry.booking]
        assert (create_key(entry.id), "Renamed") == (booking["reference"], booking["customer"]["name"])
        assert (200, []) == (await house.cancel(), await house.held())
