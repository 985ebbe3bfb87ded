"""Changes of what repeats (RFC 5545, section 3.8.4.4): of one occurrence, or of one and all that follow."""

from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping.codecs.calendars import CalendarRefused
from tests.feeds import WEEKLY, read

BEGIN = datetime.fromisoformat("2026-03-02T10:00")
LATER = "UID:w\nRECURRENCE-ID;TZID=Europe/Berlin{}:20260316T100000\nDTSTART;TZID=Europe/Berlin:20260317T120000"
ONWARDS = ";RANGE=THISANDFUTURE"


def stamp(at):
    """Write a time of no zone."""
    return f"{at:%Y%m%dT%H%M%S}"


CHANGES = st.lists(
    st.tuples(st.integers(0, 9), st.integers(-4000, 4000), st.integers(1, 3000), st.booleans()),
    max_size=4,
    unique_by=lambda one: one[0],
)
"""Of each change: of which occurrence, by how many minutes it is moved, how many it lasts, whether all follow it."""


@given(st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=DAILY;INTERVAL=3"]), CHANGES)
def test_changes_move_what_follows(rule, changes):
    """What follows a change moves by as much and lasts as long, until another one that all follow; one is itself."""
    rule += ";COUNT=10"
    starts = list(rrulestr(f"RRULE:{rule}", dtstart=BEGIN))
    events = [f"UID:s\nDTSTART:{stamp(BEGIN)}\nDURATION:PT60M\nRRULE:{rule}"]
    expected = {}
    by, lasts = 0, 60
    for number, start in enumerate(starts):
        found = next((one for one in changes if one[0] == number), None)
        moved, minutes = (by, lasts) if found is None else found[1:3]
        if found is not None:
            follow = ONWARDS if found[3] else ""
            at = stamp(start + timedelta(minutes=moved))
            events.append(f"UID:s\nRECURRENCE-ID{follow}:{stamp(start)}\nDTSTART:{at}\nDURATION:PT{minutes}M")
            by, lasts = (moved, minutes) if found[3] else (by, lasts)
        begin = start + timedelta(minutes=moved)
        expected[start.isoformat()] = (begin.isoformat(), (begin + timedelta(minutes=minutes)).isoformat())
    given = read(*reversed(events))
    assert expected == {event["recurrence"]: (event["start"], event["end"]) for event in given}
    assert 10 == len(given)


@pytest.mark.parametrize("follow", ["", ONWARDS])
@pytest.mark.parametrize("own", ["RRULE:FREQ=DAILY;COUNT=3", "RDATE;TZID=Europe/Berlin:20260401T100000"])
def test_a_change_that_repeats_by_itself(follow, own):
    """What stands for an occurrence and has a rule of its own would take times that nobody sees: it is refused."""
    with pytest.raises(CalendarRefused, match="event `w` repeats by itself, though it stands for an occurrence"):
        read(WEEKLY, f"{LATER.format(follow)}\n{own}")


def test_a_change_that_repeats_what_its_series_says():
    """Programmes write the rule of the series into its changes: that says nothing new."""
    rule = next(line for line in WEEKLY.splitlines() if line.startswith("RRULE"))
    assert read(WEEKLY, LATER.format("")) == read(WEEKLY, f"{LATER.format('')}\n{rule}")


@pytest.mark.parametrize(("follow", "own"), [(ONWARDS, ""), ("", "\nRRULE:FREQ=DAILY;COUNT=3")])
def test_a_change_without_its_series(follow, own):
    """Without the series nobody can tell what else a change of all that follow stands for; one of one is itself."""
    with pytest.raises(CalendarRefused, match="event `w` stands for occurrences of a series"):
        read(f"{LATER.format(follow)}{own}")
    assert ["2026-03-17T12:00:00+01:00"] == [event["start"] for event in read(LATER.format(""))]
