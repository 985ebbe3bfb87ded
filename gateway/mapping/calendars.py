"""iCalendar feeds (RFC 5545) read into plain objects, with the icalendar library. The only importer of it here.

Times keep what the feed says: `Z` and TZID become instants with an offset, floating times and dates stay as they are
written, since only the mapping knows whose wall they are on. Recurring events are expanded by the library within the
three years around the calendar's own earliest event, so that a feed cannot make the gateway count for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import icalendar
import recurring_ical_events

from gateway.messages import Json
from gateway.strictjson import Unreadable

_TEXTS: Final[Mapping[str, str]] = {
    "uid": "UID",
    "summary": "SUMMARY",
    "description": "DESCRIPTION",
    "location": "LOCATION",
    "status": "STATUS",
    "url": "URL",
}
_TIMES: Final[Mapping[str, str]] = {
    "start": "DTSTART",
    "end": "DTEND",
    "created": "CREATED",
    "updated": "LAST-MODIFIED",
    "recurrence": "RECURRENCE-ID",
}
_HORIZON: Final = timedelta(days=3 * 366)


class CalendarRefused(Unreadable):
    """The bytes are no calendar this gateway can read."""


def calendar_events(body: bytes) -> list[Json]:
    """Read the events of a feed, recurring ones expanded, as objects of `uid`, `start`, `end`, `summary` and so on.

    A missing DTEND is made from DURATION or, for a date, the next day (RFC 5545, section 3.6.1).
    Raises CalendarRefused.
    """
    try:
        calendar = icalendar.Calendar.from_ical(body)
    except (ValueError, KeyError, IndexError, TypeError):
        raise CalendarRefused("is no iCalendar feed (RFC 5545)") from None
    if not isinstance(calendar, icalendar.Calendar):
        raise CalendarRefused("holds no VCALENDAR")
    try:
        return [_event(event) for event in _expanded(calendar)]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CalendarRefused("has an event that cannot be read") from None


def _expanded(calendar: icalendar.Calendar) -> list[Any]:
    events: list[Any] = calendar.walk("VEVENT")
    if not any("RRULE" in event or "RDATE" in event for event in events):
        return list(events)
    first = min(_day(event["DTSTART"].dt) for event in events)
    return list(recurring_ical_events.of(calendar).between(first, first + _HORIZON))


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _event(event: Any) -> Json:
    found: dict[str, Json] = {key: str(event[name]) for key, name in _TEXTS.items() if name in event}
    if "SEQUENCE" in event:
        found["sequence"] = int(event["SEQUENCE"])
    for key, name in _TIMES.items():
        if name in event:
            found[key] = _written(event[name].dt)
    if "end" not in found:
        found["end"] = _written(event.end)
    found["all_day"] = not isinstance(event["DTSTART"].dt, datetime)
    return found


def _written(value: date | datetime) -> str:
    """`2026-03-19`, `2026-03-19T08:30:00` (floating) or `2026-03-19T08:30:00+01:00`."""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()
