"""Time zones as calendars name and define them: TZID and VTIMEZONE (RFC 5545, sections 3.2.19 and 3.6.5). Pure.

A name is looked for, without regard to case, among the IANA zones, what the feed itself defines, the names of Windows
and what these are shown as, and distances from UTC. What is none of these is unknown: it is never guessed.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from itertools import product
from typing import Final

from gateway.mapping.codecs.calendars.recurrence import Budget, Rule, occurrences
from gateway.mapping.codecs.calendars.windows_zones import SHOWN_AS
from gateway.model.types.times import zone_names, zone_of

_DISTANCE: Final = re.compile(r"(?:utc|gmt)? ?([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
_SHOWN_DISTANCE: Final = re.compile(r"\((?:utc|gmt)(?: ?[+-][0-9]{1,2}:?[0-9]{2})?\) ?")
_NUMBERED: Final = re.compile(r" [0-9]{1,3}$")
_LONGEST: Final = 200
_WINDOWS: Final = "icalendar.timezone.windows_to_olson"
"""Slow to import, with all of icalendar: who reads no zone of Windows does without."""
_HOURS: Final = 15
"""No place is as far from UTC."""


def named_zone(name: str, defined: Mapping[str, tzinfo]) -> tzinfo | None:
    """Give the zone of a TZID; `defined` are the zones of the feed by TZID. None when it is unknown."""
    plain = _plain(name)
    if not plain or len(plain) > _LONGEST:
        return defined.get(name)
    parts = plain.split("/")
    prefixed = plain.startswith("/") or "://" in plain  # `/example.org/2005/Europe/Berlin`, `tzone://Microsoft/Utc`
    for candidate in [plain, *("/".join(parts[at:]) for at in range(1, len(parts)) if prefixed)]:
        found = _iana().get(candidate.replace(" ", "_"))
        if found is not None:
            return zone_of(found)
    return defined.get(name) or _of_windows(plain) or _of_windows(parts[-1]) or _distance(plain)


def _plain(name: str) -> str:
    return " ".join(name.strip().strip("\"'").casefold().split())


@cache
def _iana() -> dict[str, str]:
    return {name.casefold(): name for name in zone_names()}


@cache
def _windows() -> dict[str, str]:
    """IANA names by those of Windows, of standard and of daylight time (CLDR, windowsZones), and by what is shown."""
    table = importlib.import_module(_WINDOWS).WINDOWS_TO_OLSON
    named = {_plain(name): zone for name, zone in table.items()}
    daylight = {name.replace("standard time", "daylight time"): zone for name, zone in named.items()}
    shown = {_plain(text): table[name] for text, name in SHOWN_AS.items()}
    return {**shown, **daylight, **named}


def _of_windows(plain: str) -> tzinfo | None:
    """Also `GMT Standard Time 1`, as Outlook numbers what it has twice, and `(UTC-05:00) Arizona`."""
    for candidate in (plain, _NUMBERED.sub("", plain), _SHOWN_DISTANCE.sub("", plain, count=1)):
        found = _windows().get(candidate)
        if found is not None:
            return zone_of(found)
    return None


def _distance(plain: str) -> tzinfo | None:
    """`GMT-0500`, `UTC-05:00`, `+01:00`: east of Greenwich is plus, unlike in IANA's `Etc/GMT+5`."""
    found = _DISTANCE.fullmatch(plain)
    if found is None:
        return None
    distance = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    if distance >= timedelta(hours=_HOURS) or int(found[3] or 0) > 59:  # noqa: PLR2004 - minutes of an hour
        return None
    return timezone(-distance if found[1] == "-" else distance)


@dataclass(frozen=True, slots=True)
class Observance:
    """STANDARD or DAYLIGHT: from when on which distance from UTC holds. Times are of the wall before they came."""

    start: datetime
    before: timedelta
    after: timedelta
    rules: tuple[tuple[Rule, datetime | None], ...] = ()
    """Each with its UNTIL on the wall."""
    dates: tuple[datetime, ...] = ()

    def onsets(self, first: datetime, last: datetime, budget: Budget) -> list[datetime]:
        """When it begins to hold, between these."""
        found = [one for one in (self.start, *self.dates) if first <= one <= last]
        for rule, until in self.rules:
            found += occurrences(rule, self.start, (first, last), until, budget)
        return found

    def latest(self, wall: datetime, budget: Budget) -> datetime | None:
        """When it last began to hold, however long before this."""
        ends = [min(until, wall) for _, until in self.rules if until is not None and until < wall]
        found = self.onsets(self.start, wall, budget) if any(rule.count for rule, _ in self.rules) else []
        found += [one for one in (self.start, *self.dates) if one <= wall]
        for end in ends:
            found += self.onsets(max(end - timedelta(days=366), datetime.min), end, budget)  # noqa: DTZ901 - a wall
        return max(found, default=None)


@dataclass(eq=False)
class FeedZone(tzinfo):
    """A zone by what a feed says of it. Holds for walls from year 2 on."""

    observances: tuple[Observance, ...]
    budget: Budget
    _years: dict[tuple[int, int], list[tuple[datetime, timedelta]]] = field(default_factory=dict)

    def utcoffset(self, wall: datetime | None) -> timedelta:
        """The distance from UTC at a time on the wall.

        What the clocks skip goes by the distance before, what they show twice is the first of the two (section 3.3.5);
        with `fold` it is otherwise, as for every zone of Python.
        """
        if wall is None:
            return timedelta()
        fold, wall = wall.fold, wall.replace(tzinfo=None)
        for year in (wall.year, wall.year - 1):
            began = [one for one in self._of_year(year, fold) if one[0] <= wall] if year > 0 else []
            if began:
                return began[-1][1]
        before = [(at, one.after) for one in self.observances if (at := one.latest(wall, self.budget)) is not None]
        if before:
            return max(before)[1]
        return min(self.observances, key=lambda one: one.start).before

    def dst(self, _wall: datetime | None) -> timedelta | None:
        """Unknown: only the whole distance is told."""
        return None

    def tzname(self, _wall: datetime | None) -> str | None:
        """None: it goes by the feed's own name."""
        return None

    def fromutc(self, moment: datetime) -> datetime:
        """Place a moment, given as its UTC time, on the wall."""
        plain = moment.replace(tzinfo=None)
        distances = {one for observance in self.observances for one in (observance.after, observance.before)}
        for fold, distance in product((0, 1), sorted(distances, reverse=True)):
            placed = (plain + distance).replace(fold=fold)
            if self.utcoffset(placed) == distance:
                return placed.replace(tzinfo=self)
        return (plain + min(distances)).replace(tzinfo=self)

    def _of_year(self, year: int, fold: int) -> list[tuple[datetime, timedelta]]:
        """What begins to hold in a year, at the first time on the wall that has it."""
        if (year, fold) not in self._years:
            nothing, turn = timedelta(), min if fold else max
            first, last = datetime(year, 1, 1), datetime(year, 12, 31, 23, 59, 59)  # noqa: DTZ001 - on the wall
            self._years[year, fold] = sorted(
                (at + turn(nothing, one.after - one.before), one.after)
                for one in self.observances
                for at in one.onsets(first, last, self.budget)
            )
        return self._years[year, fold]
