"""The cells of a court: from offers, on a grid, and from what was told before; which are free, and what they cost."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config import FacilitySettings, GridSettings, PriceSettings
from gateway.links.slots.payloads import slot_id
from gateway.links.slots.slot_grid import days, instant, milliseconds, sayable
from gateway.links.slots.slots import Cell, block_cells, cells
from gateway.model.types.times import local_to_instant
from tests.linking import link_settings

PARIS = "Europe/Paris"
COURT = FacilitySettings("49", "Court 1", "r7")
SUMMER, SPRING, AUTUMN = "2026-07-14", "2026-03-29", "2026-10-25"


def link(slot_duration=None, grid=None):
    """Give a link to one court."""
    return link_settings(slot_duration=slot_duration, facilities=(COURT,), grid=grid)


def at(clock, day=SUMMER):
    """Give an instant of Paris: `08:30`, or `02:30+01:00` where the clocks show it twice."""
    if len(clock) > 5:
        return f"{day}T{clock[:5]}:00{clock[5:]}"
    return local_to_instant(datetime.fromisoformat(f"{day}T{clock}"), PARIS)


def offer(start, end, day=SUMMER, **more):
    """Give a free slot of the club."""
    return {
        "id": "s",
        "resource_id": "r7",
        "start": at(start, day),
        "end": at(end, day),
        "status": "free",
        "available": True,
        **more,
    }


def cell(start, end, day=SUMMER, **more):
    """Give a cell that was told, as available if nothing else is said."""
    return Cell(**{"facility": "49", "start": at(start, day), "end": at(end, day), "available": True, **more})


def told(offers, known=(), day=SUMMER, count=1, **of_link):
    """Give the cells as `08:00-09:00`, those that are not available with a `!`."""
    found = cells(link(**of_link), COURT, days(date.fromisoformat(day), count, PARIS), offers, known, "EUR")
    return [f"{'' if one.available else '!'}{one.start[11:16]}-{one.end[11:16]}" for one in found]


HOURS = {"slot_duration": 60}
GRID = {"slot_duration": 60, "grid": GridSettings("08:00", "11:00", 60)}


@pytest.mark.parametrize(
    ("offers", "of_link", "expected"),
    [
        ([], {}, []),
        ([("09:00", "10:00"), ("08:00", "09:30")], {}, ["08:00-09:30", "09:00-10:00"]),
        ([("08:00", "09:00"), ("08:00", "09:00")], {}, ["08:00-09:00"]),
        ([("08:00", "09:30"), ("08:00", "09:00")], {}, ["08:00-09:00"]),
        ([("09:00", "09:00"), ("10:00", "09:00")], {}, []),
        # a slot's length: exact, longer, shorter
        ([("08:00", "09:00")], HOURS, ["08:00-09:00"]),
        ([("08:15", "10:45")], HOURS, ["08:15-09:15", "09:15-10:15"]),
        ([("08:00", "08:30"), ("08:30", "09:00")], HOURS, []),
        (
            [("08:00", "10:00"), ("09:30", "10:30")],
            HOURS,
            ["08:00-09:00", "09:00-10:00", "09:30-10:30"],
        ),
        # a grid
        ([], GRID, ["!08:00-09:00", "!09:00-10:00", "!10:00-11:00"]),
        ([("09:00", "10:00")], GRID, ["!08:00-09:00", "09:00-10:00", "!10:00-11:00"]),
        ([("08:30", "12:00")], GRID, ["!08:00-09:00", "09:00-10:00", "10:00-11:00"]),
        ([("09:00", "09:30"), ("09:30", "10:00")], GRID, ["!08:00-09:00", "!09:00-10:00", "!10:00-11:00"]),
        ([("08:30", "09:30"), ("11:00", "12:00")], GRID, ["!08:00-09:00", "!09:00-10:00", "!10:00-11:00"]),
        (
            [("08:00", "09:00"), ("09:00", "10:00")],
            {"slot_duration": 60, "grid": GridSettings("08:00", "10:00", 30)},
            ["08:00-09:00", "!08:30-09:30", "09:00-10:00"],
        ),
    ],
)
def test_what_becomes_of_offers(offers, of_link, expected):
    """Without a grid they are told, or their parts; with one its cells are, free where one offer alone holds them."""
    assert expected == told([offer(*one) for one in offers], **of_link)


def test_only_offers_of_the_court_count():
    """An offer of another resource, of none, or of another service than the court's is not told."""
    court = FacilitySettings("49", "Court 1", "7", service_id="padel")
    offers = [
        offer("08:00", "09:00", resource_id="07"),
        offer("09:00", "10:00", resource_id=None),
        offer("10:00", "11:00", resource_id="7", service_id="tennis"),
        offer("11:00", "12:00", resource_id="7", service_id="padel"),
        offer("12:00", "13:00", resource_id="7"),
    ]
    found = cells(link(), court, days(date.fromisoformat(SUMMER), 1, PARIS), offers, [], "EUR")
    assert ["49-202607141100", "49-202607141200"] == [slot_id(one.facility, one.start, PARIS) for one in found]


@pytest.mark.parametrize(
    "state", [{"status": "busy"}, {"status": "tentative"}, {"status": "unavailable"}, {"available": False}]
)
def test_what_the_club_itself_calls_taken(state):
    """A slot that is not free or not available is told as such, unless another one at the time is free."""
    taken = offer("08:00", "09:00", **state)
    assert ["!08:00-09:00"] == told([taken])
    assert ["08:00-09:00"] == told([taken, offer("08:00", "09:00")])
    assert ["!08:00-09:00", "!09:00-10:00", "!10:00-11:00"] == told([taken], **GRID)


@pytest.mark.parametrize(
    ("offers", "known", "of_link", "expected"),
    [
        ([], [("08:00", "09:00")], {}, ["!08:00-09:00"]),
        ([("08:00", "09:00")], [("08:00", "09:00")], {}, ["08:00-09:00"]),
        ([("09:00", "10:00")], [("08:30", "09:30")], {}, ["!08:30-09:30", "09:00-10:00"]),
        ([("08:00", "09:30")], [("08:00", "09:00")], {}, ["08:00-09:30"]),
        (
            [("08:00", "10:00")],
            [("08:30", "09:30")],
            GRID,
            ["08:00-09:00", "!08:30-09:30", "09:00-10:00", "!10:00-11:00"],
        ),
        ([], [("08:00", "08:30")], GRID, ["!08:00-09:00", "!09:00-10:00", "!10:00-11:00"]),
    ],
)
def test_what_was_told_is_told_again(offers, known, of_link, expected):
    """A known cell that is neither offered nor on the grid is told as not available, never left out."""
    assert expected == told([offer(*one) for one in offers], [cell(*one) for one in known], **of_link)


def test_known_cells_elsewhere():
    """Cells of other courts, and of days that are not asked for, are not told."""
    known = [
        cell("08:00", "09:00", facility="049"),
        cell("23:30", "23:45", day="2026-07-13"),
        cell("00:00", "01:00", day="2026-07-15"),
        cell("23:00", "23:30"),
    ]
    assert ["!23:00-23:30"] == told([], known)


def test_across_midnight():
    """What begins at 00:30 is of that day, and what begins before midnight of the day before."""
    late = {**offer("23:30", "23:45"), "end": at("02:30", day="2026-07-15")}
    assert ["23:30-02:30"] == told([late])
    assert [] == told([late], day="2026-07-15")
    assert ["23:30-00:30"] == told([late], slot_duration=60)
    assert ["00:30-01:30", "01:30-02:30"] == told([late], day="2026-07-15", slot_duration=60)
    grid = {"slot_duration": 30, "grid": GridSettings("23:00", "24:00", 30)}
    assert ["!23:00-23:30", "23:30-00:00"] == told([late], **grid)
    across, early = cell("23:30", "23:59"), cell("00:30", "01:30", day="2026-07-15")
    assert ["2026-07-14", "2026-07-15"] == [across.day.isoformat(), early.day.isoformat()]


def test_a_very_long_offer_costs_no_more_than_the_window():
    """A resource that is free for years is cut into the parts of the days asked for, still from its start on."""
    years = {**offer("08:20", "09:00", day="2000-01-01"), "end": at("09:00", day="2100-01-01")}
    found = told([years], count=2, slot_duration=60)
    assert (48, "00:20-01:20", "23:20-00:20") == (len(found), found[0], found[-1])


@pytest.mark.parametrize(
    ("offers", "known", "day", "of_link", "expected"),
    [
        # 02:00 to 03:00 is skipped: an hour from 01:30 on ends at 03:30
        ([("01:00", "04:00")], [], SPRING, HOURS, ["01:00-03:00", "03:00-04:00"]),
        ([("01:30", "03:30")], [], SPRING, {}, ["01:30-03:30"]),
        (
            [("01:30", "04:00")],
            [],
            SPRING,
            {"slot_duration": 30, "grid": GridSettings("01:30", "03:30", 30)},
            ["01:30-03:00", "03:00-03:30"],
        ),
        # 02:00 to 03:00 comes twice: the first is told, as free unless the second is known to be taken
        ([("02:00", "02:30")], [], AUTUMN, {}, ["02:00-02:30"]),
        ([("02:00", "02:30"), ("02:00+01:00", "02:30+01:00")], [], AUTUMN, {}, ["02:00-02:30"]),
        ([("02:00+01:00", "02:30+01:00")], [], AUTUMN, {}, []),
        ([("02:00+01:00", "02:30+01:00")], [("02:00", "02:30")], AUTUMN, {}, ["!02:00-02:30"]),
        ([("02:30+01:00", "03:30+01:00"), ("02:30", "03:30")], [], AUTUMN, {}, ["02:30-03:30"]),
        # what ends in the second hour is told by the clock
        ([("02:30", "02:30+01:00"), ("01:00", "02:00+01:00")], [], AUTUMN, {}, ["01:00-02:00", "02:30-02:30"]),
        ([("01:00", "04:00")], [], AUTUMN, HOURS, ["01:00-02:00", "02:00-02:00", "03:00-04:00"]),
        (
            [("01:00", "04:00")],
            [],
            AUTUMN,
            {"slot_duration": 15, "grid": GridSettings("02:30", "03:15", 15)},
            ["02:30-02:45", "02:45-02:00", "03:00-03:15"],
        ),
        (
            [("02:15", "02:00+01:00")],
            [],
            AUTUMN,
            {"slot_duration": 15, "grid": GridSettings("02:30", "03:15", 15)},
            ["!02:30-02:45", "!02:45-02:00", "!03:00-03:15"],
        ),
    ],
)
def test_when_clocks_change(offers, known, day, of_link, expected):
    """A slot lasts its real time; no two are told of one local time, and of one that comes twice the first."""
    offers = [offer(*one, day) for one in offers]
    assert expected == told(offers, [cell(*one, day) for one in known], day, **of_link)


def test_the_second_of_two_showings_is_taken():
    """Of an hour that comes twice the first is not told as free when the club says that the second is taken."""
    second = offer("02:00+01:00", "02:30+01:00", AUTUMN, status="busy")
    assert ["!02:00-02:30"] == told([offer("02:00", "02:30", AUTUMN), second], day=AUTUMN)


def price(amount, kind="flat", currency="EUR"):
    """Give a canonical price."""
    return {"amount": amount, "currency": currency, "type": kind, "tax_rate": "19"}


@pytest.mark.parametrize(
    ("own", "offered", "end", "minutes", "expected"),
    [
        (None, None, "09:00", None, None),
        (None, price(2400), "09:00", None, 2400),
        (None, price(0), "09:00", None, 0),
        (None, price(2400, "per_unit"), "09:00", None, 2400),
        (None, price(2400, "custom"), "09:00", None, None),
        (None, price(2400, currency="CHF"), "09:00", None, None),
        (None, price(2400, "hourly"), "09:30", None, 3600),
        (None, price(1001, "hourly"), "08:30", None, 501),
        (None, price(1000, "hourly"), "08:20", None, 333),
        (None, price(1000, "hourly"), "08:40", None, 667),
        # of a part of an offer: by the hour, but not the price of the whole
        (None, price(1000, "hourly"), "10:00", 90, 1500),
        (None, price(2400), "10:00", 60, None),
        (None, price(2400), "09:00", 60, 2400),
        # the facility's own
        (PriceSettings(3000, "EUR"), price(2400, "hourly"), "09:30", None, 3000),
        (PriceSettings(3000, "EUR"), None, "10:00", 60, 3000),
        (PriceSettings(3000, "CHF"), price(2400), "09:00", None, None),
    ],
)
def test_prices(own, offered, end, minutes, expected):
    """A cell costs what the facility says, else its offer, for the time that it lasts; no price is guessed."""
    court = FacilitySettings("49", "Court 1", "r7", price=own)
    window = days(date.fromisoformat(SUMMER), 1, PARIS)
    found = cells(link(minutes), court, window, [offer("08:00", end, price=offered)], [], "EUR")[0].price
    assert (None if expected is None else {"amount": expected, "currency": "EUR", "type": "flat"}) == found


@pytest.mark.parametrize("of_link", [{}, GRID])
def test_a_taken_cell_keeps_the_price_it_was_told_with(of_link):
    """What is no longer offered changes its availability and nothing else."""
    flat = {"amount": 2400, "currency": "EUR", "type": "flat"}
    before = cell("08:00", "09:00", price=flat)
    window = days(date.fromisoformat(SUMMER), 1, PARIS)
    found = cells(link(**of_link), COURT, window, [], [before], "EUR")[0]
    assert cell("08:00", "09:00", price=flat, available=False) == found
    assert found == cells(link(**of_link), COURT, window, [], [found], "EUR")[0]
    assert cells(link(**of_link), COURT, window, [], [before], "CHF")[0].price is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("09:00", "10:00", [True, False, False, True]),
        ("08:00", "08:30", [False, True, True, True]),
        ("09:30", "09:30", [True, True, True, True]),
        ("10:00", "09:00", [True, True, True, True]),
        ("10:30", "10:31", [True, True, True, False]),
        ("07:00", "08:00", [True, True, True, True]),
        ("07:00", "12:00", [False, False, False, False]),
    ],
)
def test_blocking(start, end, expected):
    """What overlaps an interval is not available; what only touches it is left as it was."""
    free = [cell("08:00", "09:00"), cell("08:30", "09:30"), cell("09:00", "10:00"), cell("10:00", "11:00")]
    found = block_cells(free, milliseconds(at(start)), milliseconds(at(end)))
    assert expected == [one.available for one in found]
    assert [one.start for one in free] == [one.start for one in found]


ZONES = st.sampled_from([PARIS, "Australia/Lord_Howe", "Asia/Beirut", "UTC"])
DAYS = st.sampled_from([date(2026, 3, 28), date(2026, 10, 24), date(2026, 4, 4), date(2026, 10, 3), date(2026, 7, 14)])
STRETCHES = st.lists(st.tuples(st.integers(-36, 360), st.integers(1, 60), st.booleans()), max_size=25)
LENGTHS = st.sampled_from([None, 15, 30, 60, 90])
GRIDS = st.none() | st.builds(
    GridSettings, st.sampled_from(["00:00", "00:45", "01:30"]), st.sampled_from(["04:00", "24:00"]), st.just(30)
)


@settings(max_examples=100)
@given(ZONES, DAYS, STRETCHES, STRETCHES, LENGTHS, GRIDS)
def test_laws(zone, day, offered, remembered, length, grid):
    """Whatever is offered: free is only what one offer holds, a local time comes once, in order, and nothing is lost.

    Offers and known cells are drawn in steps of ten minutes from midnight on, over the days on which clocks change.
    """
    window = days(day, 2, zone)

    def moment(tens):
        return instant(window.start_ms + tens * 600_000, zone)

    offers = [
        {"resource_id": "r7", "start": moment(start), "end": moment(start + tens), "status": "free", "available": free}
        for start, tens, free in offered
    ]
    known = [
        Cell("49", moment(start), moment(start + tens), available=True)
        for start, tens, _ in remembered
        if sayable(*(window.start_ms + one * 600_000 for one in (start, start + tens)), zone)
    ]
    found = cells(link(length, grid), COURT, window, offers, known, "EUR")
    ids = [slot_id(one.facility, one.start, zone) for one in found]
    assert len(ids) == len(set(ids))
    assert [one.start_ms for one in found] == sorted(one.start_ms for one in found)
    for one in found:
        assert window.start_ms <= one.start_ms < window.end_ms
        assert one.day in window.dates
        assert sayable(one.start_ms, one.end_ms, zone)
        assert not one.available or any(
            milliseconds(each["start"]) <= one.start_ms and one.end_ms <= milliseconds(each["end"])
            for each in offers
            if each["available"]
        )
        assert not one.available or length is None or length * 60_000 == one.end_ms - one.start_ms
    before = {slot_id("49", one.start, zone) for one in known if window.start_ms <= one.start_ms < window.end_ms}
    assert before <= set(ids)
    assert found == cells(link(length, grid), COURT, window, offers, found, "EUR")
