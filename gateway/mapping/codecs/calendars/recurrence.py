"""Recurrence rules of calendars (RFC 5545, sections 3.3.10 and 3.8.5.3): when something that repeats happens. Pure.

A rule is read by walking over its periods, years, months, weeks or days, and asking of each day whether it is meant.
Only periods that can reach the wanted span are walked, but where COUNT has to be counted; so what a rule costs is known
by its days, whatever it says, and a `Budget` bounds it. Times are wall-clock times without a zone.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Final

from gateway.computation.threads import checkpoint

DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_STEPS: Final = 2_000_000
"""Days of all rules of a feed that are looked at: a few seconds of computing."""
MOST_OCCURRENCES: Final = 100_000
"""Occurrences of all rules of a feed that are given."""

_WEEK: Final = 7
_TIMES_A_DAY: Final = 24
_OFTEN: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_FREQUENCIES: Final = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
_WEEKDAY: Final = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}")
_LISTS: Final[dict[str, tuple[int, int, bool]]] = {
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYSETPOS": (1, 366, True),
}
"""Of each list of numbers the least, the most, and whether it may be counted from the end."""


class RuleRefused(ValueError):
    """A rule cannot be read or not be counted; `str()` completes "the event …"."""


@dataclass(slots=True)
class Budget:
    """What the rules of one feed may cost. Raises RuleRefused when it is used up."""

    steps: int = MOST_STEPS
    occurrences: int = MOST_OCCURRENCES

    def step(self, days: int) -> None:
        """Count days that are looked at."""
        before = self.steps
        self.steps -= days
        if self.steps < 0:
            raise RuleRefused("repeats so that counting it takes too long")
        if before >> 10 != self.steps >> 10:
            checkpoint()

    def give(self) -> None:
        """Count an occurrence that is given."""
        self.occurrences -= 1
        if self.occurrences < 0:
            raise RuleRefused(f"repeats too often: the feed has more than {MOST_OCCURRENCES:,} occurrences")


@dataclass(frozen=True, slots=True)
class Rule:
    """An RRULE. `until` is as it is written: a date, or a date and time with `Z` or without; empty without one."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: str = ""
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    """BYDAY: which one, 0 for each, and the weekday, Monday 0."""
    lists: dict[str, frozenset[int]] = field(default_factory=dict)


def parse_rule(text: str) -> Rule:
    """Read the value of an RRULE. Raises RuleRefused."""
    parts: dict[str, str] = {}
    for part in text.upper().strip().rstrip(";").split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value or name in parts:
            raise RuleRefused("has an RRULE that cannot be read")
        parts[name] = value
    frequency = parts.pop("FREQ", "")
    if frequency in _OFTEN:
        raise RuleRefused("repeats too often to be counted")
    if frequency not in _FREQUENCIES:
        raise RuleRefused("has an RRULE without a FREQ that is known")
    lists = {name: _numbers(parts.pop(name), *_LISTS[name]) for name in _LISTS if name in parts}
    if len(list(product(*(lists.get(name, [0]) for name in ("BYHOUR", "BYMINUTE", "BYSECOND"))))) > _TIMES_A_DAY:
        raise RuleRefused("repeats too often to be counted")
    interval = _number(parts.pop("INTERVAL", "1"))
    if interval == 0:
        raise RuleRefused("repeats too often to be counted: its INTERVAL is 0")
    count = _number(parts.pop("COUNT")) if "COUNT" in parts else None
    week_start = parts.pop("WKST", "MO")
    weekdays = tuple(_weekday(one) for one in parts.pop("BYDAY").split(",")) if "BYDAY" in parts else ()
    until = parts.pop("UNTIL", "")
    if parts or interval < 0 or count == 0 or week_start not in DAYS:
        raise RuleRefused("has an RRULE that cannot be read")
    if count is not None and count < 0:  # written by programmes that mean: for ever
        count = None
    return Rule(frequency, interval, count, until, DAYS.index(week_start), weekdays, lists)


def _number(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise RuleRefused("has an RRULE with a number that cannot be read")
    return int(text)


def _numbers(text: str, least: int, most: int, from_end: bool) -> frozenset[int]:
    found = frozenset(_number(one.strip()) for one in text.split(","))
    if any(not least <= (abs(one) if from_end else one) <= most for one in found):
        raise RuleRefused("has an RRULE with a number that means nothing there")
    return found


def _weekday(text: str) -> tuple[int, int]:
    found = _WEEKDAY.fullmatch(text.strip())
    if found is None or (found[1] and not 1 <= abs(int(found[1])) <= 53):  # noqa: PLR2004 - weeks of a year
        raise RuleRefused("has an RRULE with a weekday that cannot be read")
    return int(found[1] or 0), DAYS.index(found[2])


def occurrences(
    rule: Rule, start: datetime, span: tuple[datetime, datetime], until: datetime | None, budget: Budget
) -> Iterator[datetime]:
    """Give when it happens by this rule within the span, both ends included, in order.

    `start` is DTSTART, of a date its midnight; what does not follow from the rule is not given, not even `start`.
    Raises RuleRefused.
    """
    first, last = span
    meant = _interpret(rule, start)
    times = _times(rule, start)
    positions = rule.lists.get("BYSETPOS")
    counted = 0
    last = last if until is None else min(last, until)
    for days in _periods(rule, start.date(), start.date() if rule.count else first.date()):
        if days[0] > last.date():
            return
        budget.step(len(days) + 1)
        found = [datetime.combine(day, at) for day in days if meant(day) for at in times]
        if positions is not None:
            found = [one for at, one in enumerate(found) if at + 1 in positions or at - len(found) in positions]
        for one in found:
            if one < start:
                continue
            if one > last or counted == rule.count:
                return
            counted += 1
            if one >= first:
                budget.give()
                yield one


def _times(rule: Rule, start: datetime) -> list[time]:
    hours = sorted(rule.lists.get("BYHOUR", {start.hour}))
    minutes = sorted(rule.lists.get("BYMINUTE", {start.minute}))
    seconds = sorted({min(one, 59) for one in rule.lists.get("BYSECOND", {start.second})})
    return [time(*one) for one in product(hours, minutes, seconds)]


def _periods(rule: Rule, start: date, first: date) -> Iterator[list[date]]:
    """Give the days of each period of the rule, from the one that `first` or `start` is in to the last of the calendar.

    Of a year only the months that the rule names are looked at.
    """
    first = max(first, start)
    step = rule.interval
    try:
        if rule.frequency == "YEARLY":
            months = sorted(rule.lists.get("BYMONTH", range(1, 13)))
            if not _narrow(rule) and "BYMONTH" not in rule.lists:
                months = [start.month]
            for year in range(start.year + (first.year - start.year) // step * step, date.max.year, step):
                yield [day for month in months for day in _month(year, month)]
        elif rule.frequency == "MONTHLY":
            begun = start.year * 12 + start.month - 1
            skipped = (first.year * 12 + first.month - 1 - begun) // step * step
            for month in range(begun + skipped, date.max.year * 12, step):
                yield _month(month // 12, month % 12 + 1)
        else:
            long = _WEEK if rule.frequency == "WEEKLY" else 1
            begin = start - timedelta(days=(start.weekday() - rule.week_start) % _WEEK) if long == _WEEK else start
            begin += timedelta(days=(first - begin).days // (long * step) * long * step)
            while True:
                yield [begin + timedelta(days=one) for one in range(long)]
                begin += timedelta(days=long * step)
    except OverflowError:  # the calendar ends
        return


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def _narrow(rule: Rule) -> bool:
    """Whether the rule says which days of its period are meant; else those are that DTSTART is one of."""
    return bool(rule.weekdays) or not {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}.isdisjoint(rule.lists)


def _interpret(rule: Rule, start: datetime) -> Callable[[date], bool]:
    """Compile the question whether a day is meant."""
    lists = dict(rule.lists)
    weekdays = rule.weekdays
    if not _narrow(rule):
        if rule.frequency == "YEARLY":
            lists.setdefault("BYMONTH", frozenset({start.month}))
        if rule.frequency in {"YEARLY", "MONTHLY"}:
            lists["BYMONTHDAY"] = frozenset({start.day})
        elif rule.frequency == "WEEKLY":
            weekdays = ((0, start.weekday()),)
    tests: list[Callable[[date], bool]] = []
    if months := lists.get("BYMONTH"):
        tests.append(lambda day: day.month in months)
    if weekdays:
        tests.append(_on_weekdays(rule, weekdays))
    if of_month := lists.get("BYMONTHDAY"):
        tests.append(lambda day: day.day in of_month or day.day - monthrange(day.year, day.month)[1] - 1 in of_month)
    if of_year := lists.get("BYYEARDAY"):
        tests.append(lambda day: not of_year.isdisjoint(_day_of_year(day)))
    if weeks := lists.get("BYWEEKNO"):
        tests.append(lambda day: not weeks.isdisjoint(_week_of_year(day, rule.week_start)))
    return lambda day: all(test(day) for test in tests)


def _on_weekdays(rule: Rule, weekdays: tuple[tuple[int, int], ...]) -> Callable[[date], bool]:
    """BYDAY; a number counts in the month, or in the year where the rule is yearly and names no months."""
    if rule.frequency not in {"YEARLY", "MONTHLY"}:
        weekdays = tuple((0, day) for _, day in weekdays)
    wanted = frozenset(weekdays)
    if all(number == 0 for number, _ in wanted):
        return lambda day: (0, day.weekday()) in wanted
    in_year = rule.frequency == "YEARLY" and "BYMONTH" not in rule.lists

    def on(day: date) -> bool:
        weekday = day.weekday()
        if in_year:
            at, back = _day_of_year(day)
        else:
            at, back = day.day, day.day - monthrange(day.year, day.month)[1] - 1
        numbers = (0, (at - 1) // _WEEK + 1, -((-back - 1) // _WEEK + 1))
        return any((number, weekday) in wanted for number in numbers)

    return on


def _day_of_year(day: date) -> tuple[int, int]:
    """The day's number in its year, and counted from the end, from -1 down."""
    at = day.timetuple().tm_yday
    return at, at - (366 if isleap(day.year) else 365) - 1


def _week_of_year(day: date, week_start: int) -> tuple[int, int]:
    """The number of the day's week in the year that most of it is in, and counted from the end (RFC 5545, 3.3.10)."""
    begin = day.toordinal() - (day.weekday() - week_start) % _WEEK
    year = date.fromordinal(begin + 3).year
    first, following = (_first_week(one, week_start) for one in (year, year + 1))
    return (begin - first) // _WEEK + 1, (begin - following) // _WEEK


def _first_week(year: int, week_start: int) -> int:
    """The ordinal of the day that the first week of a year begins with: the one that 4 January is in."""
    fourth = date(year, 1, 4).toordinal()
    return fourth - ((fourth - 1) % _WEEK - week_start) % _WEEK
