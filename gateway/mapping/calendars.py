"""iCalendar feeds (RFC 5545) read into plain objects, with the icalendar library. The only importer of it here.

Times keep what the feed says: `Z` and TZID become instants with an offset, floating times and dates stay as they are
written, since only the mapping knows whose wall they are on. Of a recurring event the occurrences from one year ago to
two years ahead are given, so that a feed cannot make the gateway count for ever; of all others, every one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from math import prod
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
    "transparency": "TRANSP",
    "url": "URL",
}
_TIMES: Final[Mapping[str, str]] = {
    "start": "DTSTART",
    "end": "DTEND",
    "created": "CREATED",
    "updated": "LAST-MODIFIED",
    "recurrence": "RECURRENCE-ID",
}
_YEAR: Final = timedelta(days=366)
_REPEATED: Final = ("RRULE", "RDATE", "RECURRENCE-ID")
_TOO_OFTEN: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_A_DAY: Final = 24
"""Most occurrences of one rule a day."""


class CalendarRefused(Unreadable):
    """The bytes are no calendar this gateway can read."""


def calendar_events(body: bytes, now: str) -> list[Json]:
    """Read the events of a feed, recurring ones expanded, as objects of `uid`, `start`, `end`, `summary` and so on.

    An occurrence of a recurring event has `recurrence`, which no other event has. A missing DTEND is made from DURATION
    or, for a date, the next day (RFC 5545, section 3.6.1). `now` is an RFC 3339 instant. Raises CalendarRefused.
    """
    try:
        calendar = icalendar.Calendar.from_ical(body)
    except (ValueError, KeyError, IndexError, TypeError):
        raise CalendarRefused("is no iCalendar feed (RFC 5545)") from None
    if not isinstance(calendar, icalendar.Calendar):
        raise CalendarRefused("holds no VCALENDAR")
    if any(_countless(event) for event in calendar.walk("VEVENT")):
        raise CalendarRefused("has an event that repeats too often to be counted")
    try:
        return [_event(event) for event in _expanded(calendar, datetime.fromisoformat(now))]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CalendarRefused("has an event that cannot be read") from None


def _expanded(calendar: icalendar.Calendar, now: datetime) -> list[Any]:
    """Give the events that happen once, then the occurrences of the others, which share a UID (RFC 5545, 3.8.4.4)."""
    events: list[Any] = calendar.walk("VEVENT")
    repeated = {str(event.get("UID")) for event in events if any(name in event for name in _REPEATED)}
    once = [event for event in events if str(event.get("UID")) not in repeated]
    if not repeated:
        return once
    calendar.subcomponents = [event for event in events if str(event.get("UID")) in repeated]
    return once + list(recurring_ical_events.of(calendar).between(now - _YEAR, now + 2 * _YEAR))


def _countless(event: Any) -> bool:
    """Tell whether a rule steps by nothing, or gives more than one occurrence an hour: counting takes too long."""
    rules = event.get("RRULE", [])
    return any(
        not _TOO_OFTEN.isdisjoint(rule.get("FREQ", []))
        or 0 in rule.get("INTERVAL", [])
        or prod(len(rule.get(part, [0])) for part in ("BYHOUR", "BYMINUTE", "BYSECOND")) > _A_DAY
        for rule in (rules if isinstance(rules, list) else [rules])
        if isinstance(rule, icalendar.vRecur)
    )


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
