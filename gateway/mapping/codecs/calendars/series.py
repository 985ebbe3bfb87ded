"""Events that repeat: which occurrences a series has in a span, as changed (RFC 5545, 3.8.4.4 and 3.8.5). Pure.

An occurrence is known by the start that it had at first, whatever became of it. What stands for one (RECURRENCE-ID), or
for it and all that follow (RANGE=THISANDFUTURE), is laid over it: these move by as much as it does and last as long.
What repeats is the series, never a change of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias

from gateway.mapping.codecs.calendars.events import Event
from gateway.mapping.codecs.calendars.recurrence import Budget, Rule, RuleRefused, occurrences
from gateway.mapping.codecs.calendars.times import Length, Moment, later, like, on_wall_of, read_moment, wall
from gateway.values.messages import Json

Span: TypeAlias = tuple[datetime, datetime]
"""From and to, instants."""

_A_DAY: Final = timedelta(days=1)
_Mark: TypeAlias = tuple[str, Moment]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence: the start it had at first, and what is told of it."""

    original: Moment
    told: dict[str, Json]


def happenings(series: Event, changes: Sequence[Event], span: Span, budget: Budget) -> Iterator[Occurrence]:
    """Give the occurrences of a series that the span touches, with its changes. Raises RuleRefused, ValueRefused."""
    _check_changes(series, changes)
    single = {_instant(_original(series, one)): one for one in changes if not one.onwards}
    onwards = sorted(
        ((wall_in(series, _original(series, one)), one) for one in changes if one.onwards), key=lambda one: one[0]
    )
    for one in (one for _, one in onwards):  # it stands for its own occurrence too
        single.setdefault(_instant(_original(series, one)), one)
    numbers = [one.told["sequence"] for one in (series, *changes) if "sequence" in one.told]
    told = {"sequence": max(numbers)} if numbers else {}  # a change of one is a revision of the series
    for original, length in _originals(series, _reach(series, changes, span), budget):
        if _instant(original) in single:
            continue
        at, event = original, series
        for since, change in onwards:
            if since <= wall(original):
                moved = wall_in(series, change.start) - since
                at, event, length = later(original, Length(moved)), change, change.length  # noqa: PLW2901 - the change says it
        end = later(at, length)
        if touches(at, end, span):
            yield Occurrence(original, {**event.object(at, end), **told})
    for change in single.values():
        if touches(change.start, change.end, span):
            yield Occurrence(_original(series, change), {**change.object(change.start, change.end), **told})


def _check_changes(series: Event, changes: Sequence[Event]) -> None:
    """Refuse a change with a rule of its own; programmes copy that of the series, which says nothing new."""
    for one in changes:
        if (one.rules and one.rules != series.rules) or (one.dates and one.dates != series.dates):
            raise RuleRefused("repeats by itself, though it stands for an occurrence of a series (RECURRENCE-ID)")


def _original(series: Event, change: Event) -> Moment:
    """What a change stands for, as the series says it: a date, of a series that has times, is that day's occurrence."""
    meant = change.original if change.original is not None else change.start
    if not isinstance(series.start, datetime):
        return meant.date() if isinstance(meant, datetime) else meant
    if not isinstance(meant, datetime):
        return like(datetime.combine(meant, series.start.time()), series.start)
    return like(on_wall_of(meant, series.start), series.start)


def wall_in(series: Event, moment: Moment) -> datetime:
    """What the clocks of the series show."""
    return on_wall_of(moment, series.start)


def _instant(moment: Moment) -> Moment:
    """What two moments of one series are the same by."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) and moment.tzinfo else moment


def _reach(series: Event, changes: Sequence[Event], span: Span) -> Span:
    """The walls between which an occurrence must begin to reach into the span, however it is moved by a change."""
    lengths = [series.length, *(one.length for one in changes), *(length for _, length in series.dates if length)]
    pad = max(one.whole for one in lengths)
    for change in changes:
        if change.onwards:
            pad += abs(wall_in(series, change.start) - wall_in(series, _original(series, change)))
    try:
        first = span[0].replace(tzinfo=None) - pad - 2 * _A_DAY
    except OverflowError:
        first = datetime.min  # noqa: DTZ901 - a wall
    try:
        last = span[1].replace(tzinfo=None) + pad + 2 * _A_DAY
    except OverflowError:
        last = datetime.max  # noqa: DTZ901 - a wall
    return first, last


def _originals(series: Event, reach: Span, budget: Budget) -> Iterator[tuple[Moment, Length]]:
    """The starts that the series has without its changes, each once, in order, and how long each lasts."""
    start = wall(series.start)
    lengths: dict[datetime, Length] = {}
    untils = [until_of(rule, series.start) for rule in series.rules]
    if not series.rules or any(until is None or until >= start for until in untils):
        lengths[start] = series.length
    for rule, until in zip(series.rules, untils, strict=True):
        lengths |= dict.fromkeys(occurrences(_date(rule, series.start), start, reach, until, budget), series.length)
    for at, length in series.dates:
        lengths[wall_in(series, at)] = series.length if length is None else length
    without = {_mark(at, series.start) for at in series.without}
    for at in sorted(lengths):
        if reach[0] <= at <= reach[1] and without.isdisjoint((("date", at.date()), ("wall", at))):
            yield like(at, series.start), lengths[at]


def _mark(at: Moment, start: Moment) -> _Mark:
    """What of the series an EXDATE takes away: a day, or what begins then."""
    return ("wall", on_wall_of(at, start)) if isinstance(at, datetime) else ("date", at)


def _date(rule: Rule, start: Moment) -> Rule:
    """The rule without the clock times that mean nothing to dates (section 3.3.10)."""
    if isinstance(start, datetime):
        return rule
    lists = {name: held for name, held in rule.lists.items() if name not in {"BYHOUR", "BYMINUTE", "BYSECOND"}}
    return Rule(rule.frequency, rule.interval, rule.count, rule.until, rule.week_start, rule.weekdays, lists)


def until_of(rule: Rule, start: Moment) -> datetime | None:
    """UNTIL on the wall of DTSTART, None without one. A date is meant with the whole day. Raises ValueRefused."""
    if not rule.until:
        return None
    until = read_moment(rule.until, None)
    if not isinstance(until, datetime) or not isinstance(start, datetime):
        day: date = until.date() if isinstance(until, datetime) else until
        return datetime.combine(day, datetime.max.time())
    return on_wall_of(until, start)


def touches(start: Moment, end: Moment, span: Span) -> bool:
    """Whether it is inside the span for a while, or begins in it. What has no zone may be a day off either way."""
    if isinstance(start, datetime) and isinstance(end, datetime) and start.tzinfo and end.tzinfo:
        return start < span[1] and (end > span[0] or start >= span[0])
    first, last = (one.replace(tzinfo=None) for one in (span[0] - _A_DAY, span[1] + _A_DAY))
    return wall(start) < last and (wall(end) > first or wall(start) >= first)
