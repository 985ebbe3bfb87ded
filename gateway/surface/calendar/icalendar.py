"""Bookings → iCalendar (RFC 5545), to be subscribed to. Pure: the same bookings give the same bytes.

Times are written in UTC (§3.3.5, form 2): one booking is one event and nothing recurs, so no zone's rules are needed,
and programmes that know a zone by another name or other rules cannot move it. Whole days are dates in the booking's
own zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event, vDuration, vText

from gateway.store.events.feeds import Feed
from gateway.surface.calendar.contents import Entry, Names
from gateway.values.messages import Json

STATUSES: Mapping[str, str] = {
    "confirmed": "CONFIRMED",
    "completed": "CONFIRMED",
    "no_show": "CONFIRMED",
    "pending": "TENTATIVE",
    "on_hold": "TENTATIVE",
    "cancelled": "CANCELLED",
    "rejected": "CANCELLED",
    "expired": "CANCELLED",
}
"""What a status of the contract is to a calendar (§3.8.1.11)."""
_PRODUCT = "-//booking-gateway//bookings//EN"
_BREAKS = re.compile("\r\n?|\x85|\u2028|\u2029")
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no text of a calendar may hold (§3.3.11), and half characters, which UTF-8 has not."""


def render(feed: Feed, zone: str, entries: Iterable[Entry], names: Names, refresh: timedelta) -> bytes:
    """Write the calendar of a feed. `refresh` is how often programmes should come; `zone` is the connection's."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    for word in ("name", "x-wr-calname"):  # RFC 7986 §5.1, and the word that was there before it
        calendar.add(word, vText(_text(feed.name)))  # told to be text: of words it does not know, none is escaped
    calendar.add("x-wr-timezone", vText(zone))
    calendar.add("refresh-interval", vDuration(refresh), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(refresh))
    placed = [entry for entry in entries if entry.data.get("start") is not None]  # unscheduled ones have no place here
    for entry in sorted(placed, key=lambda one: (datetime.fromisoformat(one.data["start"]), one.data["id"])):
        calendar.add_component(_event(entry, feed, names))
    written: bytes = calendar.to_ical()
    return written


def _event(entry: Entry, feed: Feed, names: Names) -> Event:
    data = entry.data
    made, changed = (_moment(data.get(name)) for name in ("created_at", "updated_at"))
    if changed is None and entry.changed_at is not None:
        changed = datetime.fromtimestamp(entry.changed_at // 1000, UTC)
    event = Event()
    event.add("uid", _text(f"{data['id']}@{feed.connection}.booking-gateway"))
    # Without METHOD this is the last change, and not when it was written (§3.8.7.2): the bytes stay the same.
    event.add("dtstamp", changed or made or datetime.fromtimestamp(feed.created_at // 1000, UTC))
    for name, value in _when(data).items():
        event.add(name, value)
    event.add("summary", _summary(data, feed, names))
    event.add("description", _description(data, feed, names))
    place = _name(names.resources, data.get("resource_id"))
    if place:
        event.add("location", place)
    status = STATUSES.get(data.get("status", ""))
    if status is not None:  # whoever told the store of the booking did not tell where it stands
        event.add("status", status)
    event.add("transp", "TRANSPARENT" if status == "CANCELLED" else "OPAQUE")
    event.add("sequence", entry.revision)
    if made is not None:
        event.add("created", made)
    if changed is not None:
        event.add("last-modified", changed)
    return event


def _when(data: Mapping[str, Json]) -> dict[str, date]:
    """Give DTSTART and DTEND; an end that is not later is left out (§3.8.2.2)."""
    start = datetime.fromisoformat(data["start"])
    end = datetime.fromisoformat(data["end"]) if data.get("end") is not None else None
    if data.get("all_day"):  # written in the booking's zone: the date is the local one
        last = start.date() if end is None else (end - timedelta(microseconds=1)).date()
        return {"dtstart": start.date(), "dtend": max(last, start.date()) + timedelta(days=1)}
    if end is None or end <= start:
        return {"dtstart": start.astimezone(UTC)}
    return {"dtstart": start.astimezone(UTC), "dtend": end.astimezone(UTC)}


def _summary(data: Mapping[str, Json], feed: Feed, names: Names) -> str:
    shown = _text(data.get("title") or "") or _name(names.services, data.get("service_id")) or "Booking"
    customer = _text((data.get("customer") or {}).get("name") or "")
    return f"{shown}: {customer}" if feed.show == "customer" and customer else shown


def _description(data: Mapping[str, Json], feed: Feed, names: Names) -> str:
    lines = [f"Status: {data['status']}"] if "status" in data else []
    service, resource = (
        _name(known, data.get(name))
        for known, name in ((names.services, "service_id"), (names.resources, "resource_id"))
    )
    lines += [f"Service: {service}"] if service else []
    lines += [f"Resource: {resource}"] if resource else []
    if feed.show == "customer" and data.get("notes"):
        lines += ["", _text(data["notes"])]
    return "\n".join(lines)


def _name(names: Mapping[str, str], key: str | None) -> str:
    """Give the name of a thing, its id where no name is known, and nothing where there is no thing."""
    return _text(names.get(key) or key) if key is not None else ""


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).astimezone(UTC).replace(microsecond=0)


def _text(value: str) -> str:
    """Give a text that the library can escape and fold: line breaks are one character, other controls are gone."""
    return _UNFIT.sub("", _BREAKS.sub("\n", value)).strip()
