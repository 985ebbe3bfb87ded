"""The calendar of a link: days of 23 and 25 hours, and clock times that are skipped or come twice."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import GridSettings
from gateway.links.slots.slot_grid import days, grid_cells, instant, local, milliseconds, sayable, showings, window

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("zone", "now", "count", "first", "end", "hours"),
    [
        ("Europe/Paris", "2026-07-14T10:00:00+02:00", 1, "2026-07-14T00:00:00+02:00", "2026-07-15T00:00:00+02:00", 24),
        ("Europe/Paris", "2026-03-29T01:59:59+01:00", 1, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23),
        ("Europe/Berlin", "2026-10-25T23:59:59+01:00", 1, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25),
        ("Europe/Berlin", "2026-10-24T22:00:00+00:00", 1, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25),
        ("Europe/Paris", "2026-03-28T23:30:00+00:00", 2, "2026-03-29T00:00:00+01:00", "2026-03-31T00:00:00+02:00", 47),
        ("Europe/Paris", "2026-10-20T10:00:00+02:00", 9, "2026-10-20T00:00:00+02:00", "2026-10-29T00:00:00+01:00", 217),
        # midnight is skipped in Beirut that day
        ("Asia/Beirut", "2026-03-29T12:00:00+03:00", 1, "2026-03-29T01:00:00+03:00", "2026-03-30T00:00:00+03:00", 23),
    ],
)
def test_a_window_is_of_local_days(zone, now, count, first, end, hours):
    """It begins at today's midnight and has so many days of the calendar, however long each is."""
    found = window(milliseconds(now), count, zone)
    assert (first, end, zone, hours * HOUR) == (found.first, found.end, found.zone, found.end_ms - found.start_ms)
    assert count == len(found.dates)
    assert found == days(found.dates[0], count, zone)
    assert [first[:10], end[:10]] == [str(found.dates[0]), str(found.dates[-1] + timedelta(days=1))]


@pytest.mark.parametrize(
    ("zone", "clock", "instants"),
    [
        ("Europe/Paris", "2026-03-29T01:59", ["2026-03-29T01:59:00+01:00"]),
        ("Europe/Paris", "2026-03-29T02:30", []),
        ("Europe/Paris", "2026-03-29T03:00", ["2026-03-29T03:00:00+02:00"]),
        ("Europe/Berlin", "2026-10-25T02:30", ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]),
        ("Europe/Berlin", "2026-10-25T03:00", ["2026-10-25T03:00:00+01:00"]),
        ("Australia/Lord_Howe", "2026-04-05T01:45", ["2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30"]),
    ],
)
def test_how_often_clocks_show_a_time(zone, clock, instants):
    """Once as a rule, never when it is skipped, twice in order when the clocks go back."""
    assert instants == [instant(one, zone) for one in showings(datetime.fromisoformat(clock), zone)]


@given(st.integers(0, 4_000_000_000), st.sampled_from(["Europe/Paris", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]))
def test_every_moment_is_a_showing_of_its_local_time(seconds, zone):
    """What the clocks show at a moment names that moment or its twin."""
    moment = seconds * 1000
    assert moment in showings(local(moment, zone), zone)
    assert moment == milliseconds(instant(moment, zone))


@pytest.mark.parametrize(
    ("start", "end", "can_be_said"),
    [
        ("2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00", True),
        ("2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+02:00", True),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", True),
        ("2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+01:00", True),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T03:30:00+01:00", True),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00", False),
        ("2026-07-14T10:00:30+02:00", "2026-07-14T11:00:00+02:00", False),
        ("2026-07-14T10:00:00+02:00", "2026-07-14T10:59:59+02:00", False),
    ],
)
def test_what_local_times_can_say(start, end, can_be_said):
    """An interval can be said when its beginning is a first showing and both its ends are on whole minutes."""
    assert can_be_said is sayable(milliseconds(start), milliseconds(end), "Europe/Berlin")


def starts(grid, minutes, day, zone="Europe/Paris"):
    """Give the cells of one day as `start/end`, without the date."""
    found = grid_cells(GridSettings(*grid), minutes, days(date.fromisoformat(day), 1, zone))
    return [f"{instant(start, zone)[11:]}/{instant(end, zone)[11:]}" for start, end in found]


@pytest.mark.parametrize(
    ("grid", "minutes", "day", "cells"),
    [
        (("08:00", "10:00", 60), 60, "2026-07-14", ["08:00:00+02:00/09:00:00+02:00", "09:00:00+02:00/10:00:00+02:00"]),
        (
            ("08:00", "09:30", 30),
            60,
            "2026-07-14",
            ["08:00:00+02:00/09:00:00+02:00", "08:30:00+02:00/09:30:00+02:00"],
        ),
        (("08:00", "09:59", 60), 60, "2026-07-14", ["08:00:00+02:00/09:00:00+02:00"]),
        (("23:00", "24:00", 60), 60, "2026-07-14", ["23:00:00+02:00/00:00:00+02:00"]),
        (("23:30", "24:00", 30), 60, "2026-07-14", []),
        (("00:30", "01:30", 30), 30, "2026-07-14", ["00:30:00+02:00/01:00:00+02:00", "01:00:00+02:00/01:30:00+02:00"]),
        # clocks go from 02:00 to 03:00
        (
            ("01:30", "04:00", 30),
            30,
            "2026-03-29",
            ["01:30:00+01:00/03:00:00+02:00", "03:00:00+02:00/03:30:00+02:00", "03:30:00+02:00/04:00:00+02:00"],
        ),
        (("02:30", "03:30", 60), 60, "2026-03-29", []),
        (("01:30", "03:00", 30), 60, "2026-03-29", []),
        # and from 03:00 back to 02:00
        (
            ("02:30", "03:30", 30),
            30,
            "2026-10-25",
            [
                "02:30:00+02:00/02:00:00+01:00",
                "02:30:00+01:00/03:00:00+01:00",
                "03:00:00+01:00/03:30:00+01:00",
            ],
        ),
    ],
)
def test_the_cells_of_a_grid(grid, minutes, day, cells):
    """One begins at every showing of a clock time of the grid, lasts its minutes, and ends before the grid does."""
    assert cells == starts(grid, minutes, day)


def test_a_grid_where_midnight_is_skipped():
    """The last cell before a midnight that the clocks skip is one of the day before."""
    assert ["23:00:00+02:00/01:00:00+03:00"] == starts(("23:00", "24:00", 60), 60, "2026-03-28", "Asia/Beirut")
    assert ["01:00:00+03:00/02:00:00+03:00"] == starts(("00:00", "02:00", 60), 60, "2026-03-29", "Asia/Beirut")
