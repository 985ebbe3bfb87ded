"""A calendar server of somebody else's (Radicale, CalDAV) as a booking system, by a mapping alone."""

import pytest

from gateway.values.errors import GatewayError
from tests.dialects.xml.conftest import asked

ANN = {"name": "Ann, Ö; B\\C", "email": "ann@a.example"}
OTHERS = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//other//EN\r
BEGIN:VEVENT\r
UID:others\r
DTSTAMP:20260301T080000Z\r
DTSTART:20260505T080000Z\r
DTEND:20260505T090000Z\r
SUMMARY:Somebody else's\r
END:VEVENT\r
END:VCALENDAR\r
"""
MAY = {"from": "2026-05-01T00:00:00+02:00", "to": "2026-06-01T00:00:00+02:00"}


@pytest.fixture
async def call(calling, radicale):
    """Give a function that calls the calendar server as a caller would."""
    return await calling("calendar", base_url=f"http://127.0.0.1:{radicale}", home="ann", user="ann")


async def test_whole(call, radicale):
    """A calendar is listed, and an event made, found, read, moved, changed and deleted, with its tag each time."""
    assert {"court-1": "Court 1", "court 2": "Court <2>"} == {
        one["id"]: one["name"] for one in await call("resources.list")
    }
    start = "2026-05-04T10:00:00+02:00"
    made = await call("bookings.create", resource_id="court 2", start=start, duration=90, customer=ANN, notes="x;\ny,")
    assert ("court 2", start, "2026-05-04T11:30:00+02:00") == (made["resource_id"], made["start"], made["end"])
    assert (ANN, "x;\ny,", "confirmed") == (made["customer"], made["notes"], made["status"])
    assert [made] == await call("bookings.list", **MAY)
    assert [] == await call("bookings.list", **MAY, resource_id=["court-1"])
    path = f"/ann/court%202/{made['id'].partition('~')[2]}.ics"
    stored = asked(radicale, "GET", path)[1]
    assert b"DTSTART;TZID=Europe/Berlin:20260504T100000\r\n" in stored
    alarm = b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"
    calendar = {"Content-Type": "text/calendar"}
    assert 204 == asked(radicale, "PUT", path, stored.replace(b"END:VEVENT", alarm), calendar)[0]
    moved = await call("bookings.reschedule", id=made["id"], start="2026-05-06T18:00:00+02:00")
    assert "2026-05-06T19:30:00+02:00" == moved["end"]
    assert moved["version"] != made["version"]
    changed = await call("bookings.update", id=made["id"], notes="later")
    assert moved | {"notes": "later", "version": changed["version"]} == changed
    assert b"DESCRIPTION:Soon" in asked(radicale, "GET", path)[1]
    await call("bookings.delete", id=made["id"])
    assert [] == await call("bookings.list", **MAY)
    with pytest.raises(GatewayError) as gone:
        await call("bookings.get", id=made["id"])
    assert "BOOKING_NOT_FOUND" == gone.value.code


async def test_taken(call, radicale):
    """What somebody else put into the calendar takes its time, and is no booking of ours."""
    assert 201 == asked(radicale, "PUT", "/ann/court-1/others.ics", OTHERS, {"Content-Type": "text/calendar"})[0]
    with pytest.raises(GatewayError) as taken:
        await call("bookings.create", resource_id="court-1", start="2026-05-05T10:30:00+02:00", customer=ANN)
    assert "BOOKING_CONFLICT" == taken.value.code
    assert [] == await call("bookings.list", **MAY)
    after = await call("bookings.create", resource_id="court-1", start="2026-05-05T11:00:00+02:00", customer=ANN)
    await call("bookings.delete", id=after["id"])


async def test_refused(calling, radicale):
    """A wrong password and a calendar that is not there are told for what they are."""
    other = await calling("calendar", base_url=f"http://127.0.0.1:{radicale}", home="ann", user="bob")
    with pytest.raises(GatewayError) as refused:
        await other("resources.list")
    assert "PROVIDER_AUTH_FAILED" == refused.value.code
    ours = await calling("calendar", base_url=f"http://127.0.0.1:{radicale}", home="ann", user="ann")
    with pytest.raises(GatewayError) as gone:
        await ours("bookings.get", id="nowhere~1")
    assert "BOOKING_NOT_FOUND" == gone.value.code
