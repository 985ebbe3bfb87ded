"""The calendar of a link: windows of local days, and what a grid of clock times has in them. No I/O, no clock.

Moments are whole milliseconds since 1970; a cell's length is real time, also where the clocks change within it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from gateway.config import GridSettings
from gateway.model.types import times
from gateway.model.types.times import epoch, from_epoch, start_of_day, zone_of

MINUTE = 60_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Window:
    """Whole local days: canonical instants `[first, end)` in `zone`, and the days between them."""

    first: str
    end: str
    dates: tuple[date, ...]
    zone: str

    @property
    def start_ms(self) -> int:
        """The beginning, in milliseconds since 1970."""
        return milliseconds(self.first)

    @property
    def end_ms(self) -> int:
        """The end, not included, in milliseconds since 1970."""
        return milliseconds(self.end)


def days(first: date, count: int, zone: str) -> Window:
    """Give the window of `count` local days, one or more, from `first` on, some of which have 23 or 25 hours."""
    dates = tuple(first + timedelta(days=number) for number in range(count))
    return Window(start_of_day(first, zone), start_of_day(dates[-1] + timedelta(days=1), zone), dates, zone)


def window(now_ms: int, count: int, zone: str) -> Window:
    """Give the window of `count` local days of which today is the first."""
    return days(local(now_ms, zone).date(), count, zone)


def milliseconds(instant: str) -> int:
    """Give a canonical instant in milliseconds since 1970; raises TimeRefused."""
    return epoch(instant) * 1000


def instant(moment_ms: int, zone: str) -> str:
    """Give milliseconds since 1970 as a canonical instant in `zone`; parts of a second are dropped."""
    return from_epoch(moment_ms // 1000, zone)


def local(moment_ms: int, zone: str) -> datetime:
    """Give what the clocks of `zone` show at a moment, as a datetime without tzinfo."""
    return datetime.fromtimestamp(moment_ms // 1000, zone_of(zone)).replace(tzinfo=None)


def showings(clock: datetime, zone: str) -> tuple[int, ...]:
    """Give the moments at which the clocks of `zone` show a local time: one, none that they skip, or two, in order."""
    both = (_moment(clock.replace(fold=fold), zone) for fold in (0, 1))
    return tuple(sorted({one for one in both if local(one, zone) == clock}))


def sayable(start_ms: int, end_ms: int, zone: str) -> bool:
    """Tell whether local times without offset, in minutes, name this interval.

    They do not where the start is a second showing of the clocks, since the first is meant by such a time. An end that
    is one is told by the clock, as `clock_end` has it.
    """
    return all(one % MINUTE == 0 for one in (start_ms, end_ms)) and start_ms == showings(local(start_ms, zone), zone)[0]


def clock_end(start_ms: int, end_ms: int, zone: str) -> int:
    """Give the end by which local times without offset tell an interval, its own but where that is a second showing."""
    return milliseconds(times.clock_end(instant(start_ms, zone), instant(end_ms, zone), zone))


def grid_cells(grid: GridSettings, minutes: int, window: Window) -> Iterator[tuple[int, int]]:
    """Give beginning and end of the cells of so many minutes that the grid has on the days of a window.

    One begins at each clock time of the grid, at both showings of one that comes twice, at none of one that the clocks
    skip; none ends after the grid does.
    """
    first, last = _minutes(grid.first), _minutes(grid.last)
    for day in window.dates:
        midnight = datetime.combine(day, time())
        closing = _moment(midnight + timedelta(minutes=last), window.zone)
        for begin in range(first, last, grid.step):
            for start in showings(midnight + timedelta(minutes=begin), window.zone):
                if start + minutes * MINUTE <= closing:
                    yield start, start + minutes * MINUTE


def _moment(clock: datetime, zone: str) -> int:
    return int(clock.replace(tzinfo=zone_of(zone)).timestamp()) * 1000


def _minutes(clock: str) -> int:
    """Give the minutes from midnight on; the configuration has checked the text, and allows 24:00."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
