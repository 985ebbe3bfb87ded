"""The contract in words: samples are what it takes and gives, and every name of it is told."""

import pytest

from gateway.model.described import (
    BY_EITHER,
    BY_GATEWAY,
    BY_MAPPING,
    BY_MAPPING_IF_IT_CAN,
    HONOURED,
    LOST,
    describe_need,
    describe_rules,
    describe_type,
    every_argument,
    honoured_by,
    sample,
    sample_answer,
    sample_call,
    with_members,
)
from gateway.model.model import arguments, load
from gateway.model.types.types import enum, list_of, map_of, number, scalar, text

MODEL = load()


@pytest.mark.parametrize("operation", MODEL.operations.values(), ids=lambda one: one.name)
def test_a_sample_is_of_the_contract(operation):
    """The call of a sample is one that callers may make, and its answer is what the operation may give."""
    arguments(operation, sample_call(operation), "Europe/Berlin")
    answer = sample_answer(operation)
    assert (answer is None) == (operation.resource is None)
    assert isinstance(answer, list) == (operation.gives == "list")
    for one in answer if isinstance(answer, list) else filter(None, [answer]):
        assert one == operation.resource.type.accept(one)
        assert all(name in one for name, field in operation.resource.fields.items() if field.required)


@pytest.mark.parametrize("type_", MODEL.types.values(), ids=lambda one: one.name)
def test_a_sample_is_of_its_type(type_):
    """A sample of every named type is accepted as such, and its rules are told."""
    made = sample(type_)
    assert made == type_.accept(made)
    rules = type_.rules
    assert len([*describe_rules(rules)]) == len([*rules.intervals, *rules.one_of, *rules.not_both])


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        (scalar("id"), "id"),
        (number("integer", 1, 200), "integer, 1 to 200"),
        (number("integer", 1), "integer, 1 or more"),
        (number("number", None, 5), "number, at most 5"),
        (list_of(scalar("id"), 1, 100), "list of id, 1 to 100 elements"),
        (enum(("free", "busy")), "one of free, busy"),
        (text(multiline=True, maximum=9), "text, perhaps of several lines, at most 9 characters"),
        (text(pattern="[A-Z]{2}"), "text like `[A-Z]{2}`"),
        (map_of(scalar("text")), "object of text by any name"),
        (MODEL.types["Hold"], "Hold"),
        (list_of(MODEL.types["Weekday"]), "list of Weekday"),
        (MODEL.operations["bookings.create"].args["customer"].type, "object of the fields below"),
    ],
)
def test_types_are_told(type_, told):
    """A type is told with its bounds: one that has a name by that."""
    assert told == describe_type(type_)


def test_who_honours_an_argument():
    """What only describes may be lost, rows are chosen by the gateway too, and the rest is the mapping's."""
    create, listing = MODEL.operations["bookings.create"], MODEL.operations["bookings.list"]
    told = {name: honoured_by(create, name) for name, _ in with_members(every_argument(create))}
    assert BY_MAPPING == told["hold"] == told["customer"] == told["customer.name"] == told["customer.email"]
    assert BY_MAPPING_IF_IT_CAN == told["notes"] == told["customer.phone"] == told["customer.address"]
    assert LOST == told["metadata"] == told["customer.language"]
    assert BY_GATEWAY == told["time_zone"] == honoured_by(listing, "limit")
    assert BY_EITHER == honoured_by(listing, "status")
    assert set(HONOURED) == {*told.values(), BY_EITHER}


def test_what_is_needed():
    """What is required is told, with null where it may stand, and a default where there is one."""
    booking, create = MODEL.resources["Booking"].fields, MODEL.operations["bookings.create"].args
    assert ("required", "required, may be null") == (describe_need(booking["id"]), describe_need(booking["start"]))
    assert ("required", "") == (describe_need(create["customer"]), describe_need(create["notes"]))
    assert describe_need(MODEL.operations["slots.list"].args["status"]) == "default free"
