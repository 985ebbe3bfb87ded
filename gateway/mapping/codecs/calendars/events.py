"""One VEVENT or VFREEBUSY as it stands in a feed (RFC 5545, sections 3.6.1 and 3.6.4). Pure.

What says when somebody is busy must be readable, or the event is refused by its name; of anything else a value that
cannot be read is left out. An event whose STATUS or TRANSP means nothing is an event that takes its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.mapping.codecs.calendars.lines import CalendarRefused, Component, Property
from gateway.mapping.codecs.calendars.recurrence import Rule, RuleRefused, parse_rule
from gateway.mapping.codecs.calendars.times import (
    Length,
    Moment,
    ValueRefused,
    ZoneOf,
    before,
    between,
    later,
    moment_of,
    moments_of,
    periods_of,
    read_duration,
    write,
)
from gateway.values.messages import Json

_TEXTS: Final = {"summary": "SUMMARY", "description": "DESCRIPTION", "location": "LOCATION"}
_TIMES: Final = {"created": "CREATED", "updated": "LAST-MODIFIED"}
_STATUSES: Final = {word: word for word in ("TENTATIVE", "CONFIRMED", "CANCELLED")} | {"CANCELED": "CANCELLED"}
_TRANSPARENCIES: Final = {word: word for word in ("OPAQUE", "TRANSPARENT")}
_WHOLE: Final = re.compile("[0-9]{1,9}")
_LONGEST_NAME: Final = 100
_A_DAY: Final = Length(timedelta(days=1))


@dataclass(slots=True)
class Event:
    """What an event says of itself. `told` are its properties but for the times that a repetition changes."""

    name: str
    """What a refusal calls it."""
    uid: str | None
    start: Moment
    length: Length
    end: Moment
    told: dict[str, Json] = field(default_factory=dict)
    sequence: int = 0
    rules: list[Rule] = field(default_factory=list)
    dates: list[tuple[Moment, Length | None]] = field(default_factory=list)
    """RDATE: when it also happens, and for how long when that is said."""
    without: list[Moment] = field(default_factory=list)
    """EXDATE."""
    original: Moment | None = None
    """RECURRENCE-ID: the start of the occurrence that this one stands for."""
    onwards: bool = False
    """Whether it stands for all that follow as well (RANGE=THISANDFUTURE)."""

    def object(self, start: Moment, end: Moment) -> dict[str, Json]:
        """The event as mappings see it, at this time."""
        whole = not isinstance(start, datetime)
        return {**self.told, "start": write(start), "end": write(end), "all_day": whole}


def read_event(component: Component, zone_of: ZoneOf, properties: tuple[str, ...] = ()) -> Event:
    """Read a VEVENT, with the texts of these properties besides.

    Raises CalendarRefused, naming the event and what of it cannot be read.
    """
    uid = _first(component, "UID")
    name = _name(component, uid)
    try:
        event = _event(component, uid, name, zone_of)
    except (ValueRefused, RuleRefused) as refused:
        raise CalendarRefused(f"has an event that cannot be read: {name} has {_bare(refused)}") from None
    if properties:
        texts = {one: _first(component, one) for one in properties}
        event.told["properties"] = {one: text for one, text in texts.items() if text is not None}
    return event


def _bare(refused: ValueError) -> str:
    return str(refused).removeprefix("has ")


def _event(component: Component, uid: str | None, name: str, zone_of: ZoneOf) -> Event:
    begin = _one(component, "DTSTART")
    if begin is None:
        raise ValueRefused("no DTSTART")
    start = moment_of(begin, zone_of)
    length, end = _extent(component, start, zone_of)
    original = _one(component, "RECURRENCE-ID")
    if _lines(component, "EXRULE"):
        raise ValueRefused("an EXRULE, which RFC 5545 has no more")
    return Event(
        name,
        uid,
        start,
        length,
        end,
        _tell(component, uid, zone_of),
        _sequence(component) or 0,
        [parse_rule(line.value) for line in _lines(component, "RRULE")],
        [one for line in _lines(component, "RDATE") if line.value.strip() for one in moments_of(line, zone_of)],
        list(_without(component, zone_of)),
        moment_of(original, zone_of) if original is not None else None,
        original is not None and original.parameters.get("RANGE", "").upper() == "THISANDFUTURE",
    )


def _name(component: Component, uid: str | None) -> str:
    """What to call the event in a refusal: its UID, or where it stands."""
    plain = "".join(char for char in uid or "" if char.isprintable())[:_LONGEST_NAME]
    return f"the event `{plain}`" if plain else f"event {component.number} of the feed, which has no UID,"


def _lines(component: Component, name: str) -> list[Property]:
    """The lines of a property that counts. Raises ValueRefused for one that cannot be read."""
    found = component.properties.get(name, [])
    if None in found:
        raise ValueRefused(f"a line {name} that cannot be read")
    return [line for line in found if line is not None]


def _one(component: Component, name: str) -> Property | None:
    """The property that counts and may stand once; several times only when they say the same."""
    found = _lines(component, name)
    if any(line != found[0] for line in found):
        raise ValueRefused(f"more than one {name}")
    return found[0] if found else None


def _first(component: Component, name: str) -> str | None:
    """The text of a property that nobody needs; of several the first."""
    return next((line.text for line in component.properties.get(name, []) if line is not None), None)


def _extent(component: Component, start: Moment, zone_of: ZoneOf) -> tuple[Length, Moment]:
    """How long it lasts and when it ends: DTEND, DURATION, else a day or no time at all (section 3.6.1).

    A date that ends where it begins is its whole day, as programmes write it that take DTEND for the last day.
    """
    whole = not isinstance(start, datetime)
    ending, duration = _one(component, "DTEND"), _one(component, "DURATION")
    if ending is not None:
        end = moment_of(ending, zone_of)
        length = between(start, end)
        if length.whole < timedelta():
            raise ValueRefused("a DTEND before its DTSTART")
        if length.whole and not before(start, end):  # the clocks skip when it begins
            end = later(start, length)
    else:
        length = read_duration(duration.value) if duration is not None else Length()
        end = later(start, length)
    if whole and length.whole < _A_DAY.whole:
        return _A_DAY, later(start, _A_DAY)
    return length, end


def _tell(component: Component, uid: str | None, zone_of: ZoneOf) -> dict[str, Json]:
    told: dict[str, Json] = {} if uid is None else {"uid": uid}
    for key, name in _TEXTS.items():
        if (text := _first(component, name)) is not None:
            told[key] = text
    for key, name, words in (("status", "STATUS", _STATUSES), ("transparency", "TRANSP", _TRANSPARENCIES)):
        said = {line.value.strip().upper() if line is not None else "" for line in component.properties.get(name, [])}
        if len(said) == 1 and (word := words.get(said.pop())) is not None:
            told[key] = word
    url = next((line.value for line in component.properties.get("URL", []) if line is not None), None)
    if url is not None:
        told["url"] = url
    if (sequence := _sequence(component)) is not None:
        told["sequence"] = sequence
    for key, name in _TIMES.items():
        for line in component.properties.get(name, [])[:1]:
            try:
                told[key] = write(moment_of(line, zone_of)) if line is not None else None
            except ValueRefused:
                continue
    return {key: value for key, value in told.items() if value is not None}


def _sequence(component: Component) -> int | None:
    found = (_first(component, "SEQUENCE") or "").strip()
    return int(found) if _WHOLE.fullmatch(found) else None


def _without(component: Component, zone_of: ZoneOf) -> Iterator[Moment]:
    """EXDATE. One that cannot be read takes nothing away: the time stays taken."""
    for line in component.properties.get("EXDATE", []):
        for text in line.value.split(",") if line is not None else ():
            try:
                yield from (at for at, _ in moments_of(Property(text, line.parameters if line else {}), zone_of))
            except ValueRefused:
                continue


def read_busy(component: Component, zone_of: ZoneOf) -> Iterator[Event]:
    """Read the times of a VFREEBUSY as events without a name of their own; what is said to be free is none.

    Raises CalendarRefused.
    """
    name = _name(component, _first(component, "UID")).replace("event", "VFREEBUSY", 1)
    try:
        for line in _lines(component, "FREEBUSY"):
            kind = line.parameters.get("FBTYPE", "BUSY").upper()
            if kind == "FREE" or not line.value.strip():
                continue
            told = {"status": "TENTATIVE"} if kind == "BUSY-TENTATIVE" else {}
            for start, length in periods_of(line, zone_of):
                yield Event(name, None, start, length, later(start, length), dict(told))
    except ValueRefused as refused:
        raise CalendarRefused(f"has a VFREEBUSY that cannot be read: {name} has {refused}") from None
