"""Instants, days, clock times and zones: text in, text out. Nothing here reads the clock or knows a provider's format.

The canonical instant is RFC 3339 with seconds and a numeric offset, written in the zone of the thing it belongs to:
`2026-03-19T08:30:00+01:00`. Zones are IANA names. What is refused is refused with a reason that never holds the value.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_OFFSET = r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])"
_CANONICAL = re.compile(rf"{_DAY}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?!-00:00){_OFFSET}")
_WRITTEN = re.compile(rf"({_DAY})[Tt]([0-9]{{2}}:[0-9]{{2}})(?::([0-9]{{2}})(?:\.[0-9]{{1,9}})?)?(?:([Zz])|{_OFFSET})?")
_DATE = re.compile(_DAY)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_KNOWN = 8_192
"""Instants that are remembered as they were read. A list tells few of them often: each day has but so many hours."""

INSTANT = "a time such as 2026-03-19T08:30:00+01:00"
DATE = "a date such as 2026-03-19"
CLOCK = "a clock time such as 08:30"
ZONE = "an IANA time zone such as Europe/Berlin"


class TimeRefused(ValueError):
    """The text is no such time. `str()` is what was expected instead, without the value."""


class GapTime(TimeRefused):
    """The local time does not exist: the clocks of that zone skip it."""

    def __init__(self) -> None:
        super().__init__("a time that exists: the clocks of the time zone skip this one")


class ZoneUnknown(TimeRefused):
    """The name is not one of the IANA time zones."""

    def __init__(self) -> None:
        super().__init__(ZONE)


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone name, from the tzdata package: the same on every machine.

    `Factory` is left out: IANA means by it that nobody has set a zone.
    """
    listed = files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listed.split()) - {"Factory"}


@cache
def zone_of(name: str) -> ZoneInfo:
    """Return the rules of an IANA zone; raises ZoneUnknown. A name outside the list is never tried as a path."""
    if name not in zone_names():
        raise ZoneUnknown
    return ZoneInfo(name)


def parse_instant(text: str, zone: str) -> str:
    """Read an RFC 3339 time and give the canonical instant in `zone`.

    Seconds may be missing and a fraction of a second is dropped. Without an offset the time is local to `zone`: the
    first occurrence when it is ambiguous. Raises GapTime, ZoneUnknown or TimeRefused.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise TimeRefused(INSTANT)
    day, clock, seconds, utc, sign, hours, minutes = found.groups()
    local = _datetime(f"{day}T{clock}:{seconds or '00'}")
    if utc:
        return _in_zone(local.replace(tzinfo=UTC), zone)
    if sign:
        distance = timedelta(hours=int(hours), minutes=int(minutes))
        return _in_zone(local.replace(tzinfo=timezone(-distance if sign == "-" else distance)), zone)
    return local_to_instant(local, zone)


@lru_cache(_MOST_KNOWN, typed=True)  # what is made of a secret is a text of another type, and stays so
def normal_instant(text: str) -> str:
    """Give the canonical form of an RFC 3339 time that has an offset, which it keeps; raises TimeRefused."""
    if _CANONICAL.fullmatch(text):
        _datetime(text)
        return text
    found = _WRITTEN.fullmatch(text)
    if found is None or not (found[4] or found[5]):
        raise TimeRefused(INSTANT)
    offset = "+00:00" if found[4] else f"{found[5]}{found[6]}:{found[7]}"
    return _datetime(f"{found[1]}T{found[2]}:{found[3] or '00'}{offset}").isoformat(timespec="seconds")


def local_to_instant(local: datetime, zone: str) -> str:
    """Place a wall-clock time (no tzinfo) in a zone: the first occurrence when it is ambiguous.

    Raises GapTime, ZoneUnknown or TimeRefused.
    """
    first = local.replace(tzinfo=zone_of(zone), fold=0)
    # PEP 495: of the two readings of a skipped time the second has the larger offset, of an ambiguous one the smaller.
    if (first.replace(fold=1).utcoffset() or timedelta()) > (first.utcoffset() or timedelta()):
        raise GapTime
    return format_instant(first)


def local_or_later(local: datetime, zone: str) -> str:
    """Place a wall-clock time in a zone; one that the clocks skip is read with the offset that held before.

    That is RFC 5545, section 3.3.5: 02:30 is half an hour after 02:00, at which the clocks are put forward. Raises
    ZoneUnknown or TimeRefused.
    """
    try:
        return local_to_instant(local, zone)
    except GapTime:
        return _in_zone(local.replace(tzinfo=zone_of(zone), fold=0).astimezone(UTC), zone)


def showings(local: datetime, zone: str) -> tuple[str, ...]:
    """Give the instants at which the clocks of `zone` show a wall-clock time: one, none that they skip, or two."""
    both = (local.replace(tzinfo=zone_of(zone), fold=fold) for fold in (0, 1))
    found = (_in_zone(one.astimezone(UTC), zone) for one in both)
    return tuple(dict.fromkeys(one for one in found if wall_clock(one, zone) == local))


def last_showing(instant: str, zone: str) -> datetime:
    """Give what the clocks of `zone` show as an interval ends: where they are put forward then, the time until which.

    At 03:00+02:00 in Europe/Berlin on 2026-03-29 that is 02:00, as the end of a day is 24:00. Raises TimeRefused.
    """
    wall = wall_clock(instant, zone)
    try:
        before = (moment(instant) - timedelta(seconds=1)).astimezone(zone_of(zone)).replace(tzinfo=None)
    except OverflowError:
        raise TimeRefused(INSTANT) from None
    return min(wall, before + timedelta(seconds=1))


def clock_end(start: str, end: str, zone: str) -> str:
    """Give the end by which times without offset tell an interval: its own, or its beginning and length by the clock.

    From 02:00+02:00 to 02:00+01:00 in Europe/Berlin that is 03:00+01:00, since clocks that show 02:00 for the second
    time are read as showing it for the first. Raises TimeRefused.
    """
    wall = wall_clock(end, zone)
    if showings(wall, zone)[0] == to_zone(end, zone):
        return to_zone(end, zone)
    try:
        return local_or_later(wall_clock(start, zone) + (moment(end) - moment(start)), zone)
    except OverflowError:
        raise TimeRefused(INSTANT) from None


def start_of_day(day: date, zone: str) -> str:
    """Give the first instant of a local day: midnight, or the end of the gap where clocks change at midnight."""
    return local_or_later(datetime.combine(day, time()), zone)


@lru_cache(_MOST_KNOWN)
def moment(instant: str) -> datetime:
    """Give a canonical instant as a datetime with its offset, for arithmetic; raises TimeRefused."""
    if _CANONICAL.fullmatch(instant) is None:
        raise TimeRefused(INSTANT)
    return _datetime(instant)


def to_zone(instant: str, zone: str) -> str:
    """Express a canonical instant in another zone; raises TimeRefused, ZoneUnknown."""
    return _in_zone(moment(instant), zone)


def wall_clock(instant: str, zone: str) -> datetime:
    """Give what the clocks of `zone` show at a canonical instant, as a datetime without tzinfo."""
    try:
        return moment(instant).astimezone(zone_of(zone)).replace(tzinfo=None)
    except OverflowError:
        raise TimeRefused(INSTANT) from None


@lru_cache(_MOST_KNOWN)
def epoch(instant: str) -> int:
    """Give a canonical instant as seconds since 1970-01-01T00:00:00Z."""
    return (moment(instant) - _EPOCH) // timedelta(seconds=1)


def from_epoch(seconds: int, zone: str) -> str:
    """Give the instant that many seconds after 1970-01-01T00:00:00Z, in `zone`; raises TimeRefused beyond year 9999."""
    try:
        return _in_zone(_EPOCH + timedelta(seconds=seconds), zone)
    except OverflowError:
        raise TimeRefused(INSTANT) from None


def format_instant(when: datetime) -> str:
    """Write a datetime that has an offset as a canonical instant.

    Offsets with seconds, which zones had before their standard time, cannot be said in RFC 3339 and are refused.
    """
    offset = when.utcoffset()
    if offset is None or offset.seconds % 60:
        raise TimeRefused(INSTANT)
    return when.isoformat(timespec="seconds")


def parse_date(text: str) -> date:
    """Read `YYYY-MM-DD`; raises TimeRefused."""
    if _DATE.fullmatch(text) is None:
        raise TimeRefused(DATE)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise TimeRefused(DATE) from None


def parse_clock(text: str) -> time:
    """Read `HH:MM`, 00:00 to 23:59; raises TimeRefused."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise TimeRefused(CLOCK)
    return time(int(found[1]), int(found[2]))


def _datetime(text: str) -> datetime:
    """Read a text that has the right form, refusing days and hours that no calendar has."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise TimeRefused(INSTANT) from None


def _in_zone(when: datetime, zone: str) -> str:
    try:
        return format_instant(when.astimezone(zone_of(zone)))
    except OverflowError:
        raise TimeRefused(INSTANT) from None
