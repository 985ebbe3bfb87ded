"""Recurrence rules give what dateutil's give, and cost no more than their days."""

import re
from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.codecs.calendars.recurrence import DAYS, Budget, RuleRefused, occurrences, parse_rule


def new_year(year):
    """Give the wall-clock time that a year begins at."""
    return datetime.fromisoformat(f"{year}-01-01")


START = st.datetimes(new_year(2015), new_year(2025)).map(lambda at: at.replace(microsecond=0))


def numbers(*values):
    """Give a few of these, as a list of a rule."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(
        lambda some: ",".join(map(str, some))
    )


PARTS = {
    "INTERVAL": st.integers(1, 5).map(str),
    "COUNT": st.integers(1, 60).map(str),
    "BYMONTH": numbers(*range(1, 13)),
    "BYHOUR": numbers(0, 8, 23),
    "WKST": st.sampled_from(["MO", "SU"]),
}
ONLY = {
    "DAILY": {"BYMONTHDAY": numbers(1, 15, 31, -1, -31), "BYDAY": numbers(*DAYS)},
    "WEEKLY": {"BYDAY": numbers(*DAYS)},
    "MONTHLY": {
        "BYMONTHDAY": numbers(1, 13, 29, 30, 31, -1, -2),
        "BYDAY": st.one_of(numbers(*DAYS), numbers("1MO", "-1SU", "5FR", "2TU")),
        "BYSETPOS": numbers(1, 2, -1),
    },
    "YEARLY": {
        "BYMONTHDAY": numbers(1, 29, 31, -1),
        "BYYEARDAY": numbers(1, 60, 366, -1, -366),
        "BYDAY": st.one_of(numbers(*DAYS), numbers("1MO", "-1SU", "20MO", "53FR")),
        "BYSETPOS": numbers(1, -1),
    },
}


@st.composite
def rules(draw):
    """Write a rule."""
    frequency = draw(st.sampled_from(sorted(ONLY)))
    known = (
        PARTS
        | ONLY[frequency]
        | ({"BYWEEKNO": numbers(1, 20, 52, 53, -1)} if draw(st.booleans()) and frequency == "YEARLY" else {})
    )
    names = draw(st.lists(st.sampled_from(sorted(known)), max_size=4, unique=True))
    found = {name: draw(known[name]) for name in names}
    if "BYWEEKNO" in found and any(char.isdigit() for char in found.get("BYDAY", "")):
        del found["BYWEEKNO"]  # a rule must not have both (RFC 5545, section 3.3.10)
    if "BYMONTH" in found and re.search(r"\d\d", found.get("BYDAY", "")):
        del found["BYMONTH"]  # no month has so many weeks, and dateutil looks for it beyond the end of its table
    return ";".join([f"FREQ={frequency}", *(f"{name}={value}" for name, value in found.items())])


@given(rules(), START, st.integers(0, 3_000))
@settings(max_examples=100, deadline=None)
def test_a_rule_gives_what_dateutil_gives(rule, start, after):
    """Within any span, the occurrences are those of an independent reading of RFC 5545."""
    first = new_year(2020) + timedelta(days=after)
    last = first + timedelta(days=500)
    expected = rrulestr(rule, dtstart=start).between(first, last, inc=True)
    assert expected == list(occurrences(parse_rule(rule), start, (first, last), None, Budget()))


def test_a_rule_without_an_occurrence_ends():
    """30 February is looked for in the wanted span only."""
    budget = Budget()
    rule = parse_rule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    span = (new_year(2026), new_year(2027))
    assert [] == list(occurrences(rule, new_year(1601), span, None, budget))
    assert Budget().steps - budget.steps < 1_000


def test_what_is_counted_is_bounded():
    """A rule that must be counted from long ago ends when the days of the feed are used up."""
    rule = parse_rule("FREQ=DAILY;COUNT=999999999;BYMONTH=2;BYMONTHDAY=30")
    span = (new_year(2026), new_year(2027))
    with pytest.raises(RuleRefused):
        list(occurrences(rule, new_year(1601), span, None, Budget(steps=50_000)))
