"""What a marketplace is told: canonical objects, and ids that can be read back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config import FacilitySettings
from gateway.links.slots.payloads import digest, ledger_key, parse_slot_id, resource, slot, slot_id, with_courts
from gateway.links.slots.slots import Cell
from gateway.model.model import load
from gateway.model.types.times import GapTime, local_to_instant
from tests.linking import link_settings

PARIS = "Europe/Paris"
EARLIEST = datetime.fromisoformat("1990-01-01T00:00")
CELL = Cell(
    "49",
    "2026-03-19T08:30:00+01:00",
    "2026-03-19T09:30:00+01:00",
    available=True,
    price={"amount": 2400, "currency": "EUR", "type": "flat"},
)
TOLD = {
    "id": "49-202603190830",
    "resource_id": "49",
    "start": "2026-03-19T08:30:00+01:00",
    "end": "2026-03-19T09:30:00+01:00",
    "time_zone": PARIS,
    "status": "free",
    "available": True,
    "price": {"amount": 2400, "currency": "EUR", "type": "flat"},
}


def test_the_slot_of_a_cell():
    """It is a slot of the contract, with the marketplace's court, and without a price where there is none."""
    assert TOLD == slot(CELL, PARIS)
    taken = slot(replace(CELL, available=False, price=None), PARIS)
    assert {**TOLD, "status": "busy", "available": False} == {**taken, "price": TOLD["price"]}
    assert "price" not in taken
    for told in (TOLD, taken):
        for name, value in told.items():
            assert value == load().resources["Slot"].fields[name].accept(value)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({}, {"type": "other", "attributes": {}}),
        (
            {"sport": "padel", "surface": "clay", "indoor": False, "description": "Outside"},
            {
                "type": "court",
                "attributes": {"sport": "padel", "surface": "clay", "indoor": False},
                "description": "Outside",
            },
        ),
    ],
)
def test_the_resource_of_a_court(known, told):
    """It is a resource of the contract, with what the configuration says and nothing else."""
    found = resource(FacilitySettings("49", "Court 1", "r7", **known), PARIS)
    assert {"id": "49", "name": "Court 1", "bookable": True, "time_zone": PARIS, **told} == found
    for name, value in found.items():
        assert value == load().resources["Resource"].fields[name].accept(value)


@pytest.mark.parametrize(
    ("start", "zone", "expected"),
    [
        ("2026-03-19T08:30:00+01:00", PARIS, "court-1-202603190830"),
        ("2026-03-19T07:30:00+00:00", PARIS, "court-1-202603190830"),
        ("2026-07-20T00:30:00+02:00", PARIS, "court-1-202607200030"),
        ("2026-07-19T22:30:00+00:00", "UTC", "court-1-202607192230"),
    ],
)
def test_slot_ids_are_local(start, zone, expected):
    """They name the court and what the clocks of the link show."""
    assert expected == slot_id("court-1", start, zone)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("49-202603190830", ("49", "2026-03-19T08:30:00+01:00")),
        ("49-1-202603190830", ("49-1", "2026-03-19T08:30:00+01:00")),
        ("49-202610250230", ("49", "2026-10-25T02:30:00+02:00")),
        ("049-202603190830", None),
        ("50-202603190830", None),
        ("49-202603290230", None),
        ("49-202602300830", None),
        ("49-202603192430", None),
        ("49-20260319083", None),
        ("49-2026031908300", None),
        ("49202603190830", None),
        ("49-\N{FULLWIDTH DIGIT TWO}02603190830", None),
        ("49-000003190830", None),
        ("-202603190830", None),
        ("49-202603190830\n", None),
        ("", None),
    ],
)
def test_reading_slot_ids(text, read):
    """Courts are compared exactly, the first of two starts is meant, and what is no id of a slot is none."""
    assert read == parse_slot_id(text, {"49", "49-1"}, PARIS)


MINUTES = st.integers(0, 50_000_000).map(lambda minutes: EARLIEST + timedelta(minutes=minutes))


@given(st.text(min_size=1), st.sampled_from([PARIS, "Australia/Lord_Howe", "America/New_York"]), MINUTES)
@example("1-202603190830", PARIS, datetime.fromisoformat("2026-10-25T02:30"))
def test_slot_ids_come_back(facility, zone, clock):
    """Whatever the court is called, its slot's id gives the court and the start that it was made of."""
    try:
        start = local_to_instant(clock, zone)
    except GapTime:
        return
    assert (facility, start) == parse_slot_id(slot_id(facility, start, zone), [facility], zone)


def test_digests():
    """The same content has the same digest in whatever order, other content has another."""
    assert digest(TOLD) == digest(dict(reversed(TOLD.items())))
    assert 64 == len(digest(TOLD))
    others = [{**TOLD, "available": False}, {**TOLD, "price": {**TOLD["price"], "amount": 2401}}, {}]
    assert 4 == len({digest(TOLD), *map(digest, others)})


def test_ledger_keys():
    """A booking is known by moments, however they are written; no other court, center or time has its key."""
    start, end = "2026-03-19T08:30:00+01:00", "2026-03-19T09:30:00+01:00"
    key = ledger_key("WYZ", "49", start, end)
    assert key == ledger_key("WYZ", "49", "2026-03-19T07:30:00+00:00", "2026-03-19T08:30:00+00:00")
    assert 64 == len(key)
    others = [
        ledger_key("WYZ4", "9", start, end),
        ledger_key("WYZ|49", "", start, end),
        ledger_key("WYZ", "049", start, end),
        ledger_key('WYZ","49', "", start, end),
        ledger_key("WYZ", "49", start, "2026-03-19T09:00:00+01:00"),
    ]
    assert 6 == len({key, *others})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["49", "50", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "resource_id"]), inner),
    max_leaves=8,
)


@given(slots=ANYTHING | st.lists(ANYTHING, max_size=3), resources=ANYTHING | st.lists(ANYTHING, max_size=3))
@example(slots=[{"resource_id": "49"}], resources=[{"id": {}}])
@example(slots=[{"resource_id": ["49"]}, {"resource_id": "49"}], resources=None)
def test_courts_beside_what_nobody_has_checked(slots, resources):
    """Whatever a caller's rows are, they stay as they came, and courts are added that slots name and rows do not."""
    link = link_settings(facilities=(FacilitySettings("49", "Court 1", "c1"),))
    told = with_courts({"slots": slots, "resources": resources, "mode": "upsert"}, [link], PARIS)
    assert (slots, "upsert") == (told["slots"], told["mode"])
    rows = isinstance(slots, list) and isinstance(resources or [], list)
    named = rows and any(isinstance(one, dict) and one.get("resource_id") == "49" for one in slots)
    known = rows and any(isinstance(one, dict) and one.get("id") == "49" for one in resources or [])
    added = [resource(link.facilities[0], link.time_zone or PARIS)] if named and not known else []
    assert (resources if not added else [*(resources or []), *added]) == told["resources"]
