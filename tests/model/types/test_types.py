"""What each type takes, what it gives, and what it refuses without guessing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.types import types
from gateway.model.types.scalars import SCALARS
from gateway.model.types.types import Field, Type, TypeRefused
from gateway.values.messages import Json

MONEY = types.object_of(
    (
        Field("amount", types.scalar("integer"), required=True, meaning="", nullable=False),
        Field("currency", types.scalar("currency"), required=True, meaning="", nullable=False),
        Field("note", types.scalar("text"), required=False, meaning=""),
    )
)
SAMPLES: dict[str, Type] = {
    **{kind: types.scalar(kind) for kind in SCALARS},
    "bounded": types.number("integer", 1, 200),
    "share": types.number("number", 0, 1),
    "country": types.text(pattern="[A-Z]{2}"),
    "enum": types.enum(("free", "busy")),
    "ids": types.list_of(types.scalar("id")),
    "some ids": types.list_of(types.scalar("id"), 1, 2),
    "durations": types.map_of(types.scalar("integer")),
    "money": MONEY,
    "prices": types.list_of(MONEY),
}


@pytest.mark.parametrize(
    ("kind", "value", "canonical"),
    [
        ("id", "434~785c", "434~785c"),
        ("id", 49, "49"),
        ("id", "049", "049"),
        ("id", -1, "-1"),
        ("id", "", None),
        ("id", "x" * 255, "x" * 255),
        ("text", "Court 1\nleft", "Court 1\nleft"),
        ("text", "", None),
        ("text", " ", " "),
        ("integer", 0, 0),
        ("integer", -(10**20), -(10**20)),
        ("number", 51.5, 51.5),
        ("number", 51, 51),
        ("boolean", False, False),
        ("instant", "2026-03-19T08:30:00+01:00", "2026-03-19T08:30:00+01:00"),
        ("instant", "2026-03-19T07:30Z", "2026-03-19T07:30:00+00:00"),
        ("instant", "", None),
        ("date", "2026-03-19", "2026-03-19"),
        ("date", "", None),
        ("clock", "23:59", "23:59"),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("currency", "EUR", "EUR"),
        ("email", "not an address", "not an address"),
        ("url", "https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("url", "", None),
        ("any", [1, {"a": None}], [1, {"a": None}]),
        ("object", {"a": 1}, {"a": 1}),
        ("bounded", 200, 200),
        ("share", 0, 0),
        ("country", "DE", "DE"),
        ("country", "", None),
        ("enum", "busy", "busy"),
        ("enum", "", None),
        ("ids", [1, "2"], ["1", "2"]),
        ("ids", [], []),
        ("durations", {"5": 60, "6": None}, {"5": 60, "6": None}),
        ("money", {"amount": 100, "currency": "EUR"}, {"amount": 100, "currency": "EUR"}),
        ("money", {"amount": 100, "currency": "EUR", "note": ""}, {"amount": 100, "currency": "EUR", "note": None}),
    ],
)
def test_a_value_of_its_type_becomes_canonical(kind, value, canonical):
    """Ids become text, empty texts become null, everything else stays as it is."""
    accepted = SAMPLES[kind].accept(value)
    assert (canonical, type(canonical)) == (accepted, type(accepted))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("id", True),
        ("id", 49.0),
        ("id", "x" * 256),
        ("id", "a\nb"),
        ("id", "\ud800"),
        ("id", 10**300),
        ("text", 49),
        ("text", ["a"]),
        ("integer", "60"),
        ("integer", 60.0),
        ("integer", True),
        ("number", "51.5"),
        ("number", math.nan),
        ("number", math.inf),
        ("number", False),
        ("boolean", 1),
        ("boolean", "true"),
        ("instant", "2026-03-19T08:30:00"),
        ("instant", "2026-02-30T08:30:00Z"),
        ("instant", 1773905400),
        ("date", "19.03.2026"),
        ("clock", "24:00"),
        ("time_zone", "Europe London"),
        ("currency", "eur"),
        ("currency", "EURO"),
        ("email", 5),
        ("url", "javascript:alert(1)"),
        ("url", "//example.org/a"),
        ("url", "https://"),
        ("url", "https://example.org/a b"),
        ("url", "https://example.org/\n"),
        ("object", []),
        ("bounded", 0),
        ("bounded", 201),
        ("share", 1.01),
        ("country", "Germany"),
        ("country", "DE\n"),
        ("enum", "Free"),
        ("enum", ["free"]),
        ("ids", {"0": "a"}),
        ("ids", "a"),
        ("ids", ["a", None]),
        ("ids", ["a", ""]),
        ("some ids", []),
        ("some ids", ["a", "b", "c"]),
        ("durations", []),
        ("durations", {"5": "60"}),
        ("money", {"amount": 1}),
        ("money", {"amount": 1, "currency": ""}),
        ("money", {"amount": None, "currency": "EUR"}),
        ("money", {"amount": 1, "currency": "EUR", "cents": 1}),
        ("money", "1 EUR"),
    ],
)
def test_nothing_is_guessed(kind, value):
    """A value of another type is refused, however close it comes."""
    with pytest.raises(TypeRefused):
        SAMPLES[kind].accept(value)


@pytest.mark.parametrize("kind", [kind for kind in SAMPLES if kind != "any"])
def test_null_is_no_value_of_a_type(kind):
    """Null is a matter of the field; a type refuses it."""
    with pytest.raises(TypeRefused):
        SAMPLES[kind].accept(None)


@pytest.mark.parametrize(
    ("kind", "value", "pointer"),
    [
        ("prices", [{"amount": 1, "currency": "EUR"}, {"amount": "1", "currency": "EUR"}], "/1/amount"),
        ("prices", [{"amount": 1, "currency": "EUR"}, "x"], "/1"),
        ("ids", ["a", True], "/1"),
        ("durations", {"Jane Doe": "x"}, "/*"),
        ("money", {"amount": 1}, ""),
    ],
)
def test_a_refusal_leads_to_the_place(kind, value, pointer):
    """The pointer goes through lists and objects; keys that a provider chose stay out of it."""
    with pytest.raises(TypeRefused) as refused:
        SAMPLES[kind].accept(value)
    assert pointer == refused.value.pointer
    assert f"{refused.value.expected} at {pointer}" == str(refused.value) or not pointer


@pytest.mark.parametrize("value", ["s3cr3t\n", {"s3cr3t": "s3cr3t"}, ["s3cr3t", {"s3cr3t": 1}, []]], ids=type)
@pytest.mark.parametrize("kind", SAMPLES)
def test_a_refusal_never_holds_the_value(kind, value):
    """What was refused may be private, so the message says only what was expected."""
    assert "s3cr3t" not in _refusal(SAMPLES[kind], value)


def _refusal(type_: Type, value: Json) -> str:
    """What is said when the value is refused; nothing when it is not."""
    try:
        type_.accept(value)
    except TypeRefused as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("required", [True, False])
def test_a_field_decides_about_null(required):
    """An optional field may be null, a required one is neither null nor an empty text."""
    one = Field("name", types.scalar("text"), required=required, meaning="", nullable=not required)
    assert one.accept("x") == "x"
    for empty in (None, ""):
        if required:
            with pytest.raises(TypeRefused):
                one.accept(empty)
        else:
            assert one.accept(empty) is None


def test_fields_are_found_by_dotted_names():
    """A dotted name leads through objects and the elements of lists; a map has whatever is asked of it."""
    booking = types.object_of(
        (
            Field("items", SAMPLES["prices"], required=True, meaning=""),
            Field("metadata", types.map_of(types.scalar("text")), required=False, meaning=""),
        )
    )
    found = [booking.field(name) for name in ("items", "items.amount", "metadata.channel")]
    assert ["list", "integer", "text"] == [one.type.kind for one in found if one is not None]
    for name in ("item", "items.cents", "items.amount.x", "", "metadata."):
        assert booking.field(name) is None


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        ("id", {"type": "string", "minLength": 1, "maxLength": 255}),
        ("bounded", {"type": "integer", "minimum": 1, "maximum": 200}),
        ("country", {"type": "string", "pattern": "^(?:[A-Z]{2})$"}),
        ("enum", {"type": "string", "enum": ["free", "busy"]}),
        ("some ids", {"type": "array", "items": SAMPLES["id"].schema(), "minItems": 1, "maxItems": 2}),
        (
            "durations",
            {"type": "object", "additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        ),
        (
            "money",
            {
                "type": "object",
                "properties": {
                    "amount": {"description": "", "type": "integer"},
                    "currency": {"description": "", "type": "string", "pattern": "^[A-Z]{3}$"},
                    "note": {"description": "", "anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["amount", "currency"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_a_type_is_described_in_json_schema(kind, schema):
    """The schema says what `accept` holds to."""
    assert schema == SAMPLES[kind].schema()


def test_a_named_type_is_described_once():
    """A named type is a reference wherever it is used, and its definition stands apart."""
    named = types.named(MONEY, "Money", "An amount of money.")
    assert {"$ref": "#/components/schemas/Money"} == named.schema()
    assert "An amount of money." == named.definition()["description"]
    assert {"type": "array", "items": {"$ref": "#/components/schemas/Money"}} == types.list_of(named).schema()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=100)
@given(value=JSON, kind=st.sampled_from(sorted(SAMPLES)))
def test_any_value_is_accepted_or_refused_and_accepting_settles(value, kind):
    """Nothing but TypeRefused is raised, and a canonical value is accepted again unchanged."""
    try:
        accepted = SAMPLES[kind].accept(value)
    except TypeRefused:
        return
    if accepted is not None and kind != "any":
        assert accepted == SAMPLES[kind].accept(accepted)
