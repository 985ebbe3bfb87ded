"""What a club offers can be booked, and what can be booked is offered: on nights of clock changes, at every club."""

from datetime import UTC, datetime

import pytest

from gateway.values.errors import GatewayError
from tests.nights import CLUBS, JANE, NIGHTS, night_at


def _utc(instant):
    return datetime.fromisoformat(instant).astimezone(UTC)


async def _booked(night, **given):
    """Book and cancel again; gives the times of the booking, or why there is none."""
    try:
        made = await night.ask("bookings.create", customer=JANE, **given)
    except GatewayError as error:
        return f"{error.code}: {error.detail}"
    await night.ask("bookings.cancel", id=made["id"])
    return made["start"], made["end"]


@pytest.mark.parametrize("club", CLUBS)
@pytest.mark.parametrize(("zone", "day"), NIGHTS)
async def test_offered_and_bookable(club, zone, day):
    """Each free slot can be booked with its own times, or its length; no hour is missing but one that is no time."""
    async with night_at(club, zone, day) as night:
        slots = await night.offered()
        wrong = []
        for slot in slots:
            booked = await _booked(night, slot_id=slot["id"])
            if booked != (slot["start"], slot["end"]):
                wrong.append((slot["start"], slot["end"], booked))
        assert [] == wrong
        starts = {_utc(slot["start"]) for slot in slots}
        assert [] == [hour.astimezone(night.zone).isoformat() for hour in night.hours() if hour not in starts]
        chosen = {name: value[0] if isinstance(value, list) else value for name, value in night.wanted.items()}
        for again in night.second_showings():
            booked = await _booked(night, start=again.isoformat(), **chosen)
            assert (again in starts) == isinstance(booked, tuple), booked
        doubled = {one for one in night.hours() if one.astimezone(night.zone).replace(fold=1).astimezone(UTC) != one}
        for slot in (one for one in slots if _utc(one["start"]) in doubled):  # by its length, whichever way that counts
            booked = await _booked(night, start=slot["start"], duration=60, **chosen)
            assert (slot["start"], slot["end"]) == booked
