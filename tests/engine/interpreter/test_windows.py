"""Windows of time: the local days that providers are asked for, and the instants that callers asked for."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.interpreter.windows import MAX_WINDOWS, bounds_of, chunks, within
from gateway.mapping.nodes.given import WindowPlan
from gateway.model.types.times import zone_of
from gateway.values.errors import GatewayError

NOW = datetime.fromisoformat("2026-03-01T23:30:00+00:00")  # past midnight in Berlin
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "UTC")


def asked(start, end, plan, zone="Europe/Berlin", now=NOW):
    """Give the windows of a call as `first..last`."""
    bounds = bounds_of({"from": start, "to": end}, ("from", "to"))
    return [f"{one['first_date']}..{one['last_date']}" for one in chunks(bounds, plan, now, zone)]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-03-10T10:00:00+01:00", "2026-03-10T11:00:00+01:00", "2026-03-10..2026-03-10"),
        ("2026-03-10T00:00:00+01:00", "2026-03-11T00:00:00+01:00", "2026-03-10..2026-03-10"),
        ("2026-03-10T00:00:00+01:00", "2026-03-11T00:00:01+01:00", "2026-03-10..2026-03-11"),
        ("2026-03-10T23:59:59+01:00", "2026-03-11T00:00:00+01:00", "2026-03-10..2026-03-10"),
        ("2026-03-10T23:30:00+00:00", "2026-03-11T22:30:00+00:00", "2026-03-11..2026-03-11"),
        # The clocks go forward on the 29th of March and back on the 25th of October: 23 and 25 hours are one day.
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "2026-03-29..2026-03-29"),
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+01:00", "2026-03-29..2026-03-30"),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", "2026-10-25..2026-10-25"),
        ("2026-10-25T00:00:00+02:00", "2026-10-25T23:00:00+01:00", "2026-10-25..2026-10-25"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25..2026-10-25"),
    ],
)
def test_days(start, end, days):
    """A caller's instants are widened to the days of the connection's zone; an end at midnight asks for no day more."""
    assert [days] == asked(start, end, WindowPlan(None, None))


@pytest.mark.parametrize(
    ("end", "windows"),
    [
        ("2026-03-11T00:00:00+01:00", ["2026-03-10..2026-03-10"]),
        ("2026-03-13T00:00:00+01:00", ["2026-03-10..2026-03-12"]),
        ("2026-03-13T00:00:01+01:00", ["2026-03-10..2026-03-12", "2026-03-13..2026-03-13"]),
        (
            "2026-03-18T00:00:00+01:00",
            ["2026-03-10..2026-03-12", "2026-03-13..2026-03-15", "2026-03-16..2026-03-17"],
        ),
    ],
)
def test_split(end, windows):
    """A window longer than the provider's is split into windows of that many days, the last as long as needed."""
    assert windows == asked("2026-03-10T00:00:00+01:00", end, WindowPlan(3, None))


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        (None, None, "2026-03-02..2026-03-08"),
        ("2026-04-01T00:00:00+02:00", None, "2026-04-01..2026-04-07"),
        (None, "2026-03-04T00:00:00+01:00", "2026-02-25..2026-03-03"),
        (None, "2026-04-01T00:00:00+02:00", "2026-03-02..2026-03-31"),
    ],
)
def test_open(start, end, days):
    """Without a beginning it is today in the connection's zone, without an end as many days as the mapping says."""
    assert [days] == asked(start, end, WindowPlan(None, 7))


def test_too_large():
    """A window of more calls than are made for one list is the caller's to make smaller, and told by how much."""
    start, most = "2026-01-01T00:00:00+01:00", 31 * MAX_WINDOWS
    last = (date(2026, 1, 1) + timedelta(days=most)).isoformat()
    assert MAX_WINDOWS == len(asked(start, f"{last}T00:00:00+01:00", WindowPlan(31, None)))
    with pytest.raises(GatewayError, match=rf"{most + 1} days; .* at most {most} ") as caught:
        asked(start, f"{last}T00:00:01+01:00", WindowPlan(31, None))
    assert ("WINDOW_TOO_LARGE", {"max_days": most}) == (caught.value.code, caught.value.details)


@pytest.mark.parametrize(
    ("start", "inside"),
    [
        ("2026-03-10T08:59:59+01:00", False),
        ("2026-03-10T09:00:00+01:00", True),
        ("2026-03-10T08:00:00+00:00", True),
        ("2026-03-10T09:59:59+01:00", True),
        ("2026-03-10T10:00:00+01:00", False),
        ("2026-03-10T09:00:00+00:00", False),
        (None, True),
    ],
)
def test_within(start, inside):
    """A row belongs to the window when it starts in `[from, to)`, whatever its offset; one without a start does too."""
    names = {"from": "2026-03-10T09:00:00+01:00", "to": "2026-03-10T10:00:00+01:00"}
    assert inside == within(start, bounds_of(names, ("from", "to")))


@pytest.mark.parametrize("start", ["1970-01-01T00:00:00+00:00", "2199-12-31T23:59:59+00:00"])
def test_open_bounds(start):
    """A bound that the caller did not give holds no row back."""
    assert within(start, bounds_of({}, ("from", "to")))


INSTANTS = st.integers(0, 7_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(INSTANTS, st.integers(1, 60 * 24 * 40), st.integers(1, 31), st.sampled_from(ZONES))
def test_covered(start, minutes, most, zone):
    """The windows follow one another without a gap or an overlap, none is too long, and they hold every instant."""
    bounds = (start, start + timedelta(minutes=minutes))
    if minutes > most * (MAX_WINDOWS - 1) * 24 * 60:
        return
    found = [
        (date.fromisoformat(one["first_date"]), date.fromisoformat(one["last_date"]))
        for one in chunks(bounds, WindowPlan(most, None), NOW, zone)
    ]
    assert all(0 <= (last - begin).days < most for begin, last in found)
    assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(found))
    local = [one.astimezone(zone_of(zone)).date() for one in bounds]
    assert found[0][0] == local[0]
    assert found[-1][1] in {local[1], local[1] - timedelta(days=1)}
