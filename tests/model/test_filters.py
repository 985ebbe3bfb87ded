"""How rows are chosen when the provider did not choose them."""

from __future__ import annotations

import pytest

from gateway.model.filters import FILTERS, Filter

BOOKING = {
    "status": "confirmed",
    "active": True,
    "start": "2026-03-19T08:30:00+01:00",
    "end": "2026-03-19T09:30:00+01:00",
    "updated_at": None,
    "remaining_capacity": 3,
    "resource_id": "49",
    "resource_ids": ["49", "50"],
    "items": [{"resource_id": "49"}, {"resource_id": "51"}, {"resource_id": None}],
    "customer": {"name": "Jörg Straße", "email": "Jorg@Example.org", "phone": "+49 (30) 12-34"},
}


@pytest.mark.parametrize(
    ("word", "fields", "value", "matches"),
    [
        ("equals", ["active"], True, True),
        ("equals", ["active"], False, False),
        ("equals", ["status"], "confirmed", True),
        ("equals", ["missing"], "x", False),
        ("any_of", ["status"], ["pending", "confirmed"], True),
        ("any_of", ["status"], ["pending"], False),
        ("any_of", ["status"], [], False),
        ("any_of", ["resource_ids"], ["50"], True),
        ("any_of", ["resource_id", "items.resource_id"], ["51"], True),
        ("any_of", ["resource_id", "items.resource_id"], ["52"], False),
        ("any_of", ["customer.id"], ["5"], False),
        ("at_least", ["start"], "2026-03-19T07:30:00+00:00", True),
        ("at_least", ["start"], "2026-03-19T08:30:01+01:00", False),
        ("at_least", ["updated_at"], "2026-03-19T07:30:00+00:00", False),
        ("at_least", ["remaining_capacity"], 3, True),
        ("at_least", ["remaining_capacity"], 4, False),
        ("before", ["start"], "2026-03-19T07:30:00+00:00", False),
        ("before", ["start"], "2026-03-19T07:30:01+00:00", True),
        ("before", ["updated_at"], "2026-03-19T07:30:01+00:00", False),
        ("same_text", ["customer.email"], "jorg@example.ORG", True),
        ("same_text", ["customer.name"], "JÖRG STRASSE", True),
        ("same_text", ["customer.email"], "jorg@example", False),
        ("same_phone", ["customer.phone"], "+493 01234", True),
        ("same_phone", ["customer.phone"], "+49301235", False),
        ("mentions", ["customer.name", "customer.email"], "strasse", True),
        ("mentions", ["customer.name", "customer.email"], "example", True),
        ("mentions", ["customer.name", "customer.company"], "example", False),
        ("lasts", ["start", "end"], 60, True),
        ("lasts", ["start", "end"], 59, False),
        ("lasts", ["start", "updated_at"], 60, False),
        ("room_for", ["remaining_capacity"], 3, True),
        ("room_for", ["remaining_capacity"], 4, False),
        ("room_for", ["capacity"], 4, True),
    ],
)
def test_a_row_matches_by_what_it_says(word, fields, value, matches):
    """What a row does not say does not match; only places that nobody counts are taken to suffice."""
    assert matches is Filter(word, tuple(fields)).test(value)(BOOKING)


def test_every_word_has_a_case():
    """No word of the table goes untested."""
    ((_, cases), *_) = [mark.args for mark in test_a_row_matches_by_what_it_says.pytestmark]
    assert set(FILTERS) == {word for word, *_ in cases}


def test_the_hour_an_interval_lasts_is_counted_in_moments():
    """Across a change of clocks an hour is sixty minutes, whatever the clocks show."""
    row = {"start": "2026-10-25T02:30:00+02:00", "end": "2026-10-25T02:30:00+01:00"}
    assert Filter("lasts", ("start", "end")).test(60)(row)
