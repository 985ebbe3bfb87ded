"""Feeds: what RFC 5545 lets an event say is read as it is meant, and a feed cannot keep the gateway busy."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.codecs.calendars import CalendarRefused, calendar_events

NOW = "2026-03-01T09:00:00+01:00"


def feed(*events):
    """Write a calendar of events, each a text with a property a line."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//EN"]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.strip().split("\n"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            "UID:a\nDTSTART:20260319T083000Z\nDTEND:20260319T093000Z\nSTATUS:TENTATIVE\nTRANSP:TRANSPARENT",
            {
                "uid": "a",
                "start": "2026-03-19T08:30:00+00:00",
                "end": "2026-03-19T09:30:00+00:00",
                "status": "TENTATIVE",
                "transparency": "TRANSPARENT",
                "all_day": False,
            },
        ),
        (
            "UID:v\nDTSTART:20260319T083000Z\nSEQUENCE:2\nCREATED:20260301T000000Z\nLAST-MODIFIED:20260302T000000Z",
            {
                "uid": "v",
                "start": "2026-03-19T08:30:00+00:00",
                "end": "2026-03-19T08:30:00+00:00",
                "sequence": 2,
                "created": "2026-03-01T00:00:00+00:00",
                "updated": "2026-03-02T00:00:00+00:00",
                "all_day": False,
            },
        ),
        (
            "UID:b\nDTSTART;VALUE=DATE:20260319",
            {"uid": "b", "start": "2026-03-19", "end": "2026-03-20", "all_day": True},
        ),
        (
            "UID:c\nDTSTART:20260319T083000\nDURATION:PT90M",
            {"uid": "c", "start": "2026-03-19T08:30:00", "end": "2026-03-19T10:00:00", "all_day": False},
        ),
        (
            "UID:d\nDTSTART;TZID=Europe/Paris:20260319T083000\nSUMMARY:One\\, two\\; th\n ree\\nfour",
            {
                "uid": "d",
                "start": "2026-03-19T08:30:00+01:00",
                "end": "2026-03-19T08:30:00+01:00",
                "summary": "One, two; three\nfour",
                "all_day": False,
            },
        ),
    ],
)
def test_an_event_is_read(event, expected):
    """Folded lines, escapes, dates, floating and zoned times, and what DTEND is when it is missing."""
    assert [expected | {"key": expected["uid"]}] == calendar_events(feed(event), NOW)


def test_occurrences_are_those_around_now():
    """A weekly event since 2015 gives three years of occurrences, moved and cancelled ones as they were changed."""
    weekly = "UID:w\nDTSTART;TZID=Europe/Berlin:20150105T100000\nDTEND;TZID=Europe/Berlin:20150105T110000"
    moved = "UID:w\nRECURRENCE-ID;TZID=Europe/Berlin:20260309T100000\nDTSTART;TZID=Europe/Berlin:20260310T120000"
    events = calendar_events(
        feed(weekly + "\nRRULE:FREQ=WEEKLY\nEXDATE;TZID=Europe/Berlin:20260302T100000", moved), NOW
    )
    starts = {event["recurrence"]: event["start"] for event in events}
    assert 156 == len(events) == len(starts)
    assert "2026-03-02T10:00:00+01:00" not in starts
    assert "2026-03-10T12:00:00+01:00" == starts["2026-03-09T10:00:00+01:00"]
    assert "2026-03-30T10:00:00+02:00" == starts["2026-03-30T10:00:00+02:00"]


def test_events_that_happen_once_are_all_given():
    """An event of long ago stays in the feed, and none is an occurrence because another one repeats."""
    once = "UID:o\nDTSTART:20160101T100000Z"
    repeated = "UID:r\nDTSTART:20260301T100000Z\nRRULE:FREQ=DAILY;COUNT=2"
    events = calendar_events(feed(repeated, once), NOW)
    assert [("o", False), ("r", True), ("r", True)] == [(event["uid"], "recurrence" in event) for event in events]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "freq=hourly",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(25))),
    ],
)
def test_nothing_is_counted_without_end(rule):
    """A rule that would give a great many occurrences, or none for ever, is refused before any is counted."""
    started = time.monotonic()
    with pytest.raises(CalendarRefused) as refused:
        calendar_events(feed(f"UID:a\nDTSTART:20260301T100000Z\nRRULE:{rule}"), NOW)
    assert "too often" in refused.value.reason
    assert time.monotonic() - started < 20  # a machine may be busy; without end is minutes


@pytest.mark.parametrize("rule", ["FREQ=FOO", "FREQ=DAILY;COUNT=x", "COUNT=3"])
def test_a_rule_that_cannot_be_read(rule):
    """An event whose repetition is not understood is no event that happens once: the feed is refused."""
    with pytest.raises(CalendarRefused):
        calendar_events(feed(f"UID:a\nDTSTART:20260301T100000Z\nRRULE:{rule}"), NOW)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"<html>", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", b"BEGIN:VCALENDAR\r\n", b"\xff\xfe", feed("UID:a")],
)
def test_no_calendar(body):
    """What is no calendar, or has an event without a start, is refused."""
    with pytest.raises(CalendarRefused):
        calendar_events(body, NOW)


@given(st.text(alphabet=st.sampled_from("BEGIN:VEDTSTARUL;=-20260319T083000Z\\,\r\n "), max_size=80))
@settings(max_examples=100)
def test_anything_is_read_or_refused(text):
    """Whatever stands in an event, the answer is a list of events or a refusal, never another exception."""
    with contextlib.suppress(CalendarRefused):
        assert isinstance(calendar_events(feed(f"UID:a\nDTSTART:20260319T083000Z\n{text}"), NOW), list)
