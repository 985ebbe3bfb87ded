"""How a query and a body become raw arguments, and what is refused before a value is looked at."""

from __future__ import annotations

import pytest

from gateway.model.model import from_body, from_query, load
from gateway.values.errors import CallInvalid

MODEL = load()


@pytest.mark.parametrize(
    ("operation", "pairs", "raw"),
    [
        ("services.list", [("active", "true"), ("limit", "10")], {"active": True, "limit": 10}),
        ("services.list", [("active", "false")], {"active": False}),
        ("services.list", [("active", "1"), ("limit", "ten")], {"active": "1", "limit": "ten"}),
        ("services.list", [("type", "rental"), ("type", "event")], {"type": ["rental", "event"]}),
        ("slots.list", [("resource_id", "49"), ("duration", "-5")], {"resource_id": ["49"], "duration": -5}),
        ("slots.list", [("duration", "٦٠"), ("quantity", "1e3")], {"duration": "٦٠", "quantity": "1e3"}),
        ("bookings.get", [("include", "provider_data")], {"include": ["provider_data"]}),
        ("services.list", [("nothing", "5"), ("q", "049")], {"nothing": "5", "q": "049"}),
        ("bookings.list", [], {}),
    ],
)
def test_a_query_is_typed_by_declaration(operation, pairs, raw):
    """Numbers, true and false are read where they are declared; what does not fit stays text and is refused later."""
    assert raw == from_query(MODEL.operations[operation], pairs)


@pytest.mark.parametrize(
    ("operation", "pairs", "problems"),
    [
        ("slots.list", [("from", "a"), ("from", "b")], {"from": "is given more than once"}),
        (
            "bookings.create",
            [("notes", "x"), ("slot_id", "y")],
            {"notes": "belongs in the body", "slot_id": "belongs in the body"},
        ),
        ("bookings.get", [("id", "5")], {"id": "belongs in the path"}),
    ],
)
def test_a_query_holds_its_own_arguments_once(operation, pairs, problems):
    """A repeated argument that is no list is ambiguous, and a body's argument in the URL would end up in logs."""
    with pytest.raises(CallInvalid) as refused:
        from_query(MODEL.operations[operation], pairs)
    assert problems == {one["field"]: one["problem"] for one in refused.value.details["fields"]}


def test_a_body_cannot_replace_the_path():
    """The id is what the URL says, whatever a body holds."""
    with pytest.raises(CallInvalid) as refused:
        from_body(MODEL.operations["bookings.update"], {"id": "6", "include": [], "notes": "x"})
    assert {"id", "include"} == {one["field"] for one in refused.value.details["fields"]}
    assert {"notes": "x", "x": 1} == from_body(MODEL.operations["bookings.update"], {"notes": "x", "x": 1})


@pytest.mark.parametrize("body", [None, [], "x", 5, True])
def test_a_body_is_an_object(body):
    """Other JSON is refused before anything is looked up in it."""
    with pytest.raises(CallInvalid):
        from_body(MODEL.operations["bookings.update"], body)
