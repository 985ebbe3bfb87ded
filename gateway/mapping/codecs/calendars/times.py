"""Dates, times, durations and periods as calendars write them (RFC 5545, section 3.3). Pure.

`Z` and a TZID make a time of an instant; without them it is floating and stays so, for only the mapping knows whose
wall it is on (section 3.3.5). What lies at the very ends of the calendar is refused: a day before or after it could not
be counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta, tzinfo
from typing import Final, TypeAlias

from gateway.mapping.codecs.calendars.lines import Property

Moment: TypeAlias = date | datetime
"""A date, or a date and time with a zone or without."""
ZoneOf: TypeAlias = Callable[[str], tzinfo]
"""Gives the zone of a TZID. Raises ValueRefused."""

_TIME: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?", re.IGNORECASE)
_DURATION: Final = re.compile(
    r"([+-]?)P(?=[0-9T])(?:([0-9]+)W)?(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?",
    re.IGNORECASE,
)
_LEAP: Final = 60
_MOST_DIGITS: Final = 12


class ValueRefused(ValueError):
    """A property cannot be read; `str()` completes "the event …"."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long something lasts: so long on the wall, and after that so long between instants.

    A day is a day of the calendar, with the hours that it has; an hour is one, whatever the clocks do (section 3.3.6).
    """

    wall: timedelta = timedelta()
    exact: timedelta = timedelta()

    @property
    def whole(self) -> timedelta:
        """How long it is where no clock changes."""
        return self.wall + self.exact


def read_moment(text: str, zone: tzinfo | None) -> Moment:
    """Read DATE or DATE-TIME; a zone places what has no `Z`. Raises ValueRefused."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueRefused("a time that cannot be read")
    year, month, day = (int(part) for part in found.groups()[:3])
    if not MINYEAR < year < MAXYEAR:
        raise ValueRefused("a time at the end of the calendar, beyond which nothing can be counted")
    try:
        if found[4] is None:
            return date(year, month, day)
        seconds = int(found[6]) - (int(found[6]) == _LEAP)
        return datetime(year, month, day, int(found[4]), int(found[5]), seconds, tzinfo=UTC if found[7] else zone)
    except ValueError:
        raise ValueRefused("a day or hour that no calendar has") from None


def moment_of(line: Property, zone_of: ZoneOf) -> Moment:
    """Read the one moment of a property by its TZID. Raises ValueRefused."""
    return read_moment(line.value, _zone(line, line.value, zone_of))


def moments_of(line: Property, zone_of: ZoneOf) -> list[tuple[Moment, Length | None]]:
    """Read the moments of a list (RDATE), with the durations of those that are periods. Raises ValueRefused."""
    found = []
    for text in line.value.split(","):
        start, slash, end = text.partition("/")
        zone = _zone(line, start, zone_of)
        begun = read_moment(start, zone)
        found.append((begun, _until(begun, end, zone) if slash else None))
    return found


def periods_of(line: Property, zone_of: ZoneOf) -> list[tuple[Moment, Length]]:
    """Read the periods of a list (FREEBUSY). Raises ValueRefused."""
    found = [(start, length) for start, length in moments_of(line, zone_of) if length is not None]
    if len(found) != len(line.value.split(",")):
        raise ValueRefused("a period without an end")
    return found


def _zone(line: Property, text: str, zone_of: ZoneOf) -> tzinfo | None:
    name = line.parameters.get("TZID")
    return (
        zone_of(name) if name is not None and not text.strip().upper().endswith("Z") and "T" in text.upper() else None
    )


def _until(begun: Moment, text: str, zone: tzinfo | None) -> Length:
    """How long a period lasts, which says its end or its duration."""
    if _DURATION.fullmatch(text.strip()):
        return read_duration(text)
    end = read_moment(text, zone)
    length = between(begun, end)
    if length.whole < timedelta():
        raise ValueRefused("a period that ends before it begins")
    return length


def read_duration(text: str) -> Length:
    """Read DURATION (section 3.3.6). Raises ValueRefused, also for one below zero or without end."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or any(len(part or "") > _MOST_DIGITS for part in found.groups()):
        raise ValueRefused("a DURATION that cannot be read")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    try:
        exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        length = Length(timedelta(weeks=weeks, days=days), exact)
        whole = length.whole
    except OverflowError:
        raise ValueRefused("a DURATION beyond the end of the calendar") from None
    if found[1] == "-" and whole:
        raise ValueRefused("a DURATION below zero")
    return length


def between(start: Moment, end: Moment) -> Length:
    """How long it is: on the wall where both are on one, else between the instants. Raises ValueRefused."""
    if isinstance(start, datetime) != isinstance(end, datetime):
        raise ValueRefused("a beginning and an end of which only one is a date")
    if isinstance(start, datetime) and isinstance(end, datetime) and (start.tzinfo is None) != (end.tzinfo is None):
        raise ValueRefused("a beginning and an end of which only one has a time zone")
    try:
        distance: timedelta = end - start  # type: ignore[operator] # both are dates, or both are times
    except OverflowError:
        raise ValueRefused("a time at the end of the calendar, beyond which nothing can be counted") from None
    apart = isinstance(start, datetime) and isinstance(end, datetime) and start.tzinfo is not end.tzinfo
    return Length(exact=distance) if apart else Length(distance)


def later(start: Moment, length: Length) -> Moment:
    """Add what is meant on the wall, then what is meant between instants; without a zone all is meant on the wall.

    Where the clocks change so that it would end before it begins, what is meant on the wall is meant between instants.

    Raises ValueRefused.
    """
    try:
        if not isinstance(start, datetime) or start.tzinfo is None:
            end: Moment = start + length.whole
        else:
            end = _after(start, timedelta()) + length.wall  # a beginning that the clocks skip is later on them
            if before(end, start) and length.wall >= timedelta():
                end = _after(start, length.wall)
            end = _after(end, length.exact) if length.exact else end
    except (OverflowError, ValueError):
        raise ValueRefused("an end beyond the end of the calendar") from None
    if not MINYEAR < end.year < MAXYEAR:
        raise ValueRefused("an end beyond the end of the calendar")
    return end


def _after(start: datetime, distance: timedelta) -> datetime:
    """Give the time that is so far away, as clocks show it."""
    return (start.astimezone(UTC) + distance).astimezone(start.tzinfo)


def before(one: Moment, other: Moment) -> bool:
    """Whether a time with a zone is before another: the instants count, not what the clocks show."""
    placed = [at.astimezone(UTC) for at in (one, other) if isinstance(at, datetime) and at.tzinfo is not None]
    return len(placed) == 2 and placed[0] < placed[1]  # noqa: PLR2004 - both


def wall(moment: Moment) -> datetime:
    """What clocks show, without a zone; of a date its midnight."""
    return (
        moment.replace(tzinfo=None) if isinstance(moment, datetime) else datetime.combine(moment, datetime.min.time())
    )


def on_wall_of(moment: Moment, like: Moment) -> datetime:
    """What the clocks of another moment's zone show at this one, or its own clocks where one has no zone."""
    if isinstance(moment, datetime) and isinstance(like, datetime) and moment.tzinfo and like.tzinfo:
        return moment.astimezone(like.tzinfo).replace(tzinfo=None)
    return wall(moment)


def like(at: datetime, moment: Moment) -> Moment:
    """Make of a time on the wall what the other moment is: a date, a floating time, or one with its zone."""
    return at.replace(tzinfo=moment.tzinfo) if isinstance(moment, datetime) else at.date()


def write(moment: Moment) -> str:
    """`2026-03-19`, `2026-03-19T08:30:00` (floating) or `2026-03-19T08:30:00+01:00`.

    A distance from UTC with seconds, which zones had before their standard time, cannot be said in RFC 3339: then UTC.
    """
    if not isinstance(moment, datetime):
        return moment.isoformat()
    distance = moment.utcoffset()
    if distance is not None and distance.seconds % 60:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="seconds")
