"""Events of calendars as they are written: read again by our own reader and by another library, they are the same."""

from datetime import UTC, datetime

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.calendars import write_event
from gateway.dialects.refusal import UNFIT, NotWritable
from gateway.mapping.codecs.calendars import calendar_events

NOW = "2026-07-01T12:00:00+02:00"
TEXTS = st.text(max_size=120).filter(lambda text: not UNFIT.search(text))
BREAKS = str.maketrans({"\x85": "\n", "\u2028": "\n", "\u2029": "\n"})


def read(body, *properties):
    """Give the one event of a calendar object."""
    (event,) = calendar_events(body, NOW, properties=properties)
    return event


@given(TEXTS.filter(str.strip), TEXTS)
def test_texts(summary, own):
    """Whatever a text holds, it is folded at 75 octets between characters and reads as it was."""
    body = write_event({"uid": "k", "start": "2026-07-20", "summary": summary, "properties": {"x-own": own}}, NOW)
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    body.decode()
    event = read(body, "X-OWN")
    plain = [text.replace("\r\n", "\n").replace("\r", "\n").translate(BREAKS) for text in (summary, own)]
    assert plain == [event["summary"], event["properties"]["X-OWN"]]


@pytest.mark.parametrize(
    ("start", "zone", "means"),
    [
        ("2026-07-20T09:00:00+02:00", None, "2026-07-20T07:00:00+00:00"),
        ("2026-07-20T07:00:00Z", "Europe/Berlin", "2026-07-20T09:00:00+02:00"),
        ("2026-07-20T09:00", "America/New_York", "2026-07-20T09:00:00-04:00"),
        ("2026-10-25T02:30:00+02:00", "Europe/Berlin", "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:30:00+01:00", "Europe/Berlin", "2026-10-25T01:30:00+00:00"),
        ("2026-12-20T09:00:00Z", "Europe/London", "2026-12-20T09:00:00+00:00"),
        ("2026-07-20", "Europe/Berlin", "2026-07-20"),
    ],
)
def test_times(start, zone, means):
    """A time is the same instant to every reader, also in the hour that comes twice, and a date stays one."""
    body = write_event({"uid": "k", "start": start, "zone": zone}, NOW)
    assert means == read(body)["start"]
    found = icalendar.Calendar.from_ical(body).walk("VEVENT")[0]["DTSTART"].dt
    if isinstance(found, datetime):
        assert datetime.fromisoformat(means).astimezone(UTC) == found.astimezone(UTC)


@pytest.mark.parametrize(
    "event",
    [
        {"start": "2026-07-20"},
        {"uid": "k"},
        {"uid": "k", "start": "2026-07-20T09:00"},
        {"uid": "k", "start": "2026-03-29T02:30", "zone": "Europe/Berlin"},
        {"uid": "k", "start": "2026-07-20T09:00", "zone": "Mars/Olympus"},
        {"uid": "k", "start": "tomorrow"},
        {"uid": "k", "start": "2026-07-20", "status": "CONFIRMED\nX-A:1"},
        {"uid": "k", "start": "2026-07-20", "url": "https://a\nX-A:1"},
        {"uid": "k", "start": "2026-07-20", "sequence": -1},
        {"uid": "k", "start": "2026-07-20", "properties": {"RRULE": "FREQ=DAILY"}},
        {"uid": "k", "start": "2026-07-20", "properties": {"X-A:1\nX-B": "1"}},
        {"uid": "k", "start": "2026-07-20", "summary": True},
        {"uid": "k", "into": "BEGIN:VCALENDAR\nEND:VCALENDAR"},
    ],
)
def test_not_writable(event):
    """Times on nobody's clock, lines inside values, and what has no event to change are never written."""
    with pytest.raises(NotWritable):
        write_event(event, NOW)


def test_changed():
    """Only the event itself is changed: an exception of its series, its alarms and other lines stay as they are."""
    series = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//a//EN\nBEGIN:VEVENT\nUID:k\nRECURRENCE-ID:20260727T070000Z\n"
        "DTSTART:20260727T090000Z\nSUMMARY:Later\nEND:VEVENT\nBEGIN:VEVENT\nUID:k\nDTSTART:20260720T070000Z\n"
        "DTEND:20260720T080000Z\nRRULE:FREQ=WEEKLY;COUNT=2\nSUMMARY:Old\nBEGIN:VALARM\nSUMMARY:Soon\nEND:VALARM\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )
    told = {"uid": "k", "into": series, "summary": "New", "start": "2026-07-20T08:00:00Z", "end": None}
    lines = write_event(told, NOW).decode().splitlines()
    before = series.splitlines()
    gone, new = [line for line in before if line not in lines], [line for line in lines if line not in before]
    assert ["DTSTART:20260720T070000Z", "DTEND:20260720T080000Z", "SUMMARY:Old"] == gone
    stamps = ["DTSTAMP:20260701T100000Z", "LAST-MODIFIED:20260701T100000Z"]
    assert [*stamps, "SUMMARY:New", "DTSTART:20260720T080000Z", "SEQUENCE:1"] == new
