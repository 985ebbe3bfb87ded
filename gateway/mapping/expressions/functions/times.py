"""Functions of instants, dates and clock times. The present is none: it is the name `now`.

An instant is RFC 3339 with an offset. Functions that show it on a wall take a zone; without one they use the offset the
instant itself is written with, which is the zone of its resource.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from gateway.mapping.expressions.functions.kind import ExpressionFailed, function
from gateway.model.types import times
from gateway.values.messages import Json

_MOST_DAYS: Final = 400
_MINUTES_OF_A_DAY: Final = 24 * 60
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _wall(instant: str, zone: str | None) -> datetime:
    """Give what the clocks show at an instant, in the zone or with the instant's own offset."""
    own = times.normal_instant(instant)
    return times.moment(own).replace(tzinfo=None) if zone is None else times.wall_clock(own, zone)


@function(
    "instant: instant, minutes: integer, zone: time_zone?",
    "instant",
    "'2026-03-29T01:30:00+01:00' | add_minutes(60, 'Europe/Berlin')",
    "2026-03-29T03:30:00+02:00",
)
def add_minutes(instant: str, minutes: int, zone: str | None = None) -> str:
    """The instant that many minutes later, on the wall of the zone; without a zone it keeps its offset."""
    moment = times.moment(times.normal_instant(instant))
    try:
        later = times.format_instant(moment + timedelta(minutes=minutes))
    except OverflowError:
        raise times.TimeRefused(times.INSTANT) from None
    return later if zone is None else times.to_zone(later, zone)


@function(
    "instant: instant, minutes: integer, zone: time_zone",
    "instant",
    "add_clock_minutes('2026-10-25T02:00:00+02:00', 60, 'Europe/Berlin')",
    "2026-10-25T03:00:00+01:00",
)
def add_clock_minutes(instant: str, minutes: int, zone: str) -> str:
    """The instant at which the clocks of the zone show so many minutes more, as providers count that know no offsets.

    Of a local time that occurs twice it is the first, and one that the clocks skip is read with the offset that held
    before (RFC 5545, section 3.3.5).
    """
    try:
        later = times.wall_clock(times.normal_instant(instant), zone) + timedelta(minutes=minutes)
    except OverflowError:
        raise times.TimeRefused(times.INSTANT) from None
    return times.local_or_later(later, zone)


@function(
    "start: instant, end: instant, zone: time_zone",
    "instant",
    "clock_end('2026-10-25T02:00:00+02:00', '2026-10-25T02:00:00+01:00', 'Europe/Berlin')",
    "2026-10-25T03:00:00+01:00",
)
def clock_end(start: str, end: str, zone: str) -> str:
    """The end by which times without offset tell an interval: its own, but where the clocks show it a second time.

    There it is the beginning and the length by the clock: the first hour from 02:00 on ends at 03:00, since 02:00 would
    be read as its beginning.
    """
    return times.clock_end(times.normal_instant(start), times.normal_instant(end), zone)


@function("date: date, days: integer", "date", "add_days('2026-02-28', 1)", "2026-03-01")
def add_days(date: str, days: int) -> str:
    """The date that many days later."""
    try:
        return (times.parse_date(date) + timedelta(days=days)).isoformat()
    except OverflowError:
        raise times.TimeRefused(times.DATE) from None


@function(
    "start: instant, end: instant",
    "integer",
    "minutes_between('2026-03-19T08:30:00+01:00', '2026-03-19T08:30:00Z')",
    60,
)
def minutes_between(start: str, end: str) -> int:
    """Whole minutes from one instant to the other; below zero when the second is earlier."""
    seconds = times.epoch(times.normal_instant(end)) - times.epoch(times.normal_instant(start))
    return seconds // 60 if seconds >= 0 else -(-seconds // 60)


@function(
    "instant: instant, zone: time_zone?",
    "date",
    "local_date('2026-03-19T23:30:00Z', 'Europe/Berlin')",
    "2026-03-20",
)
def local_date(instant: str, zone: str | None = None) -> str:
    """The date on the wall."""
    return _wall(instant, zone).date().isoformat()


@function(
    "instant: instant, zone: time_zone?",
    "clock",
    "local_clock('2026-03-19T23:30:00Z', 'Europe/Berlin')",
    "00:30",
)
def local_clock(instant: str, zone: str | None = None) -> str:
    """The clock time on the wall, `HH:MM`; seconds are dropped."""
    return _wall(instant, zone).strftime("%H:%M")


@function(
    "instant: instant, zone: time_zone",
    "instant",
    "in_zone('2026-03-19T07:30:00Z', 'Europe/Berlin')",
    "2026-03-19T08:30:00+01:00",
)
def in_zone(instant: str, zone: str) -> str:
    """The same instant as written in another zone."""
    return times.to_zone(times.normal_instant(instant), zone)


@function("instant: instant", "text", "utc('2026-03-19T08:30:00+01:00')", "2026-03-19T07:30:00Z")
def utc(instant: str) -> str:
    """The same instant in UTC, ending in `Z`."""
    return times.to_zone(times.normal_instant(instant), "UTC").removesuffix("+00:00") + "Z"


@function("instant: instant", "integer", "epoch('2026-03-19T08:30:00+01:00')", 1773905400)
def epoch(instant: str) -> int:
    """Seconds since 1970-01-01T00:00:00Z."""
    return times.epoch(times.normal_instant(instant))


@function(
    "seconds: integer, zone: time_zone",
    "instant",
    "from_epoch(1504792800, 'Europe/Rome')",
    "2017-09-07T16:00:00+02:00",
)
def from_epoch(seconds: int, zone: str) -> str:
    """The instant that many seconds after 1970-01-01T00:00:00Z."""
    return times.from_epoch(seconds, zone)


@function(
    "date: date, clock: clock, zone: time_zone",
    "instant",
    "instant('2026-03-19', '08:30', 'Europe/Berlin')",
    "2026-03-19T08:30:00+01:00",
)
def instant(date: str, clock: str, zone: str) -> str:
    """The instant of a date and clock time on the wall; the first when there are two, refused when there is none."""
    return times.local_to_instant(datetime.combine(times.parse_date(date), times.parse_clock(clock)), zone)


@function(
    "date: date, clock: clock, zone: time_zone",
    "list<instant>",
    "instants('2026-10-25', '02:30', 'Europe/Berlin')",
    ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"],
)
def instants(date: str, clock: str, zone: str) -> list[Json]:
    """The instants at which the clocks of the zone show a time on a day: one, none where they skip it, or two."""
    return list(times.showings(datetime.combine(times.parse_date(date), times.parse_clock(clock)), zone))


@function(
    "time: text, zone: time_zone",
    "instant",
    "instant_of('2026-03-19T08:30:00', 'Europe/Berlin')",
    "2026-03-19T08:30:00+01:00",
)
def instant_of(time: str, zone: str) -> str:
    """The instant, in the zone, of a time with or without an offset, or the first of a date, as calendars write them.

    Of a local time that occurs twice it is the first, and one that the clocks skip is read with the offset that held
    before (RFC 5545, section 3.3.5).
    """
    if "T" not in time.upper():
        return times.start_of_day(times.parse_date(time), zone)
    try:
        return times.parse_instant(time, zone)
    except times.GapTime:
        return times.local_or_later(datetime.fromisoformat(time), zone)


@function(
    "date: date, zone: time_zone",
    "instant",
    "start_of_day('2026-09-06', 'America/Santiago')",
    "2026-09-06T01:00:00-03:00",
)
def start_of_day(date: str, zone: str) -> str:
    """The first instant of a day on the wall: midnight, or the end of the gap where the clocks skip it."""
    return times.start_of_day(times.parse_date(date), zone)


@function(
    "start: instant, end: instant, zone: time_zone?",
    "boolean",
    "is_all_day('2026-03-28T00:00:00+01:00', '2026-03-30T00:00:00+02:00')",
    True,
)
def is_all_day(start: str, end: str, zone: str | None = None) -> bool:
    """Whether the interval is made of whole days on the wall."""
    first, last = _wall(start, zone), _wall(end, zone)
    return first < last and all(_begins_a_day(one, zone) for one in (start, end))


def _begins_a_day(instant: str, zone: str | None) -> bool:
    """Whether a day begins then on the wall: at midnight, or where the zone's clocks skip midnight after the gap."""
    wall = _wall(instant, zone)
    if zone is None:
        return not (wall.hour or wall.minute or wall.second)
    return times.epoch(times.start_of_day(wall.date(), zone)) == times.epoch(times.normal_instant(instant))


@function("date: date", "text", "weekday('2026-03-19')", "thursday")
def weekday(date: str) -> str:
    """The day of the week, `monday` to `sunday`."""
    return _WEEKDAYS[times.parse_date(date).weekday()]


@function("minutes: integer", "clock", "clock(90)", "01:30")
def clock(minutes: int) -> str:
    """Minutes since midnight, or a duration below a day, as `HH:MM`."""
    if not 0 <= minutes < _MINUTES_OF_A_DAY:
        raise ExpressionFailed("`clock` takes 0 to 1439 minutes")
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@function("clock: clock", "integer", "minutes_of('01:30')", 90)
def minutes_of(clock: str) -> int:
    """Minutes since midnight of a clock time `HH:MM`."""
    wall = times.parse_clock(clock)
    return wall.hour * 60 + wall.minute


@function("first: date, last: date", "list<date>", "days('2026-02-28', '2026-03-01')", ["2026-02-28", "2026-03-01"])
def days(first: str, last: str) -> list[Json]:
    """Every date from the first to the last, both inside; none when the last is earlier. At most 400."""
    begin, end = times.parse_date(first), times.parse_date(last)
    if (end - begin).days >= _MOST_DAYS:
        raise ExpressionFailed(f"`days` gives at most {_MOST_DAYS} dates")
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]


@function("first: clock, last: clock, step: integer", "list<clock>", "clocks('09:00', '10:00', 30)", ["09:00", "09:30"])
def clocks(first: str, last: str, step: int) -> list[Json]:
    """Clock times every so many minutes, from the first on and before the last; `00:00` as last is midnight."""
    if step < 1:
        raise ExpressionFailed("`clocks` takes a step of 1 minute or more")
    end = minutes_of.call(last) or _MINUTES_OF_A_DAY
    return [clock.call(minute) for minute in range(minutes_of.call(first), end, step)]


@function(
    "date: date, clock: text, zone: time_zone",
    "boolean",
    "exists('2026-03-29', '02:30', 'Europe/Berlin')",
    result=False,
)
def exists(date: str, clock: str, zone: str) -> bool:
    """Whether the clocks of the zone show that time on that day; `24:00` is the next midnight."""
    day = times.parse_date(date)
    wall = times.parse_clock("00:00" if clock == "24:00" else clock)
    if clock == "24:00":
        day += timedelta(days=1)
    try:
        times.local_to_instant(datetime.combine(day, wall), zone)
    except times.GapTime:
        return False
    return True


@function(
    "date: date, clock: text, zone: time_zone",
    "boolean",
    "can_end('2026-03-29', '02:00', 'Europe/Berlin')",
    result=True,
)
def can_end(date: str, clock: str, zone: str) -> bool:
    """Whether an interval can end at that time of the day: the clocks show it, or are put forward at it.

    `00:00` and `24:00` are the next midnight, at which every day ends.
    """
    if clock in {"00:00", "24:00"}:
        return True
    local = datetime.combine(times.parse_date(date), times.parse_clock(clock))
    end = times.local_or_later(local, zone)
    return local in {times.wall_clock(end, zone), times.last_showing(end, zone)}
