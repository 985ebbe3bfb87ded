"""What callers may send, how it becomes canonical, and how everything wrong is told at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.model import arguments, load
from gateway.values.errors import CallInvalid

MODEL = load()
BERLIN = "Europe/Berlin"
CUSTOMER = {"name": "Jane Doe"}


def _arguments(name, raw):
    return arguments(MODEL.operations[name], raw, BERLIN)


def _problems(name, raw):
    """The fields that are refused, with what is said of them, and the code."""
    with pytest.raises(CallInvalid) as refused:
        _arguments(name, raw)
    fields = {one["field"]: one["problem"] for one in refused.value.details["fields"]}
    return fields, refused.value.code


@pytest.mark.parametrize(
    ("operation", "raw", "canonical"),
    [
        (
            "slots.list",
            {"from": "2026-03-19T08:30", "to": "2026-03-19T20:00:00Z"},
            {"from": "2026-03-19T08:30:00+01:00", "to": "2026-03-19T21:00:00+01:00", "status": ["free"]},
        ),
        (
            "slots.list",
            {"from": "2026-03-19T08:30", "to": "2026-03-20T00:00Z", "time_zone": "Europe/London", "status": ["busy"]},
            {
                "from": "2026-03-19T08:30:00+00:00",
                "to": "2026-03-20T00:00:00+00:00",
                "time_zone": "Europe/London",
                "status": ["busy"],
            },
        ),
        ("services.list", {}, {}),
        ("services.list", {"q": "", "resource_id": None, "active": False}, {"active": False}),
        ("bookings.get", {"id": 312842}, {"id": "312842"}),
        ("bookings.list", {"sort": "created_at", "limit": 5}, {"sort": "created_at", "limit": 5}),
        (
            "bookings.create",
            {"slot_id": "49~x", "customer": CUSTOMER, "notes": "Two lines:\n\tthis one", "quantity": 2},
            {"slot_id": "49~x", "customer": CUSTOMER, "notes": "Two lines:\n\tthis one", "quantity": 2},
        ),
        (
            "bookings.create",
            {
                "resource_id": 49,
                "start": "2026-10-25T02:30",
                "duration": 60,
                "customer": {"name": "Jane Doe", "id": 5, "email": None, "phone": " ", "address": {"country": "DE"}},
                "form_responses": [{"name": "mf_56", "value": "Grüße"}],
                "metadata": {"a": "b", "c": None},
                "hold": {"minutes": 10},
            },
            {
                "resource_id": "49",
                "start": "2026-10-25T02:30:00+02:00",
                "duration": 60,
                "customer": {"id": "5", "name": "Jane Doe", "address": {"country": "DE"}},
                "form_responses": [{"name": "mf_56", "value": "Grüße"}],
                "metadata": {"a": "b"},
                "hold": {"minutes": 10},
            },
        ),
        (
            "bookings.update",
            {"id": "5", "notes": None, "customer": {"email": "", "phone": "5"}, "metadata": {"a": None}},
            {"id": "5", "notes": None, "customer": {"email": None, "phone": "5"}, "metadata": {"a": None}},
        ),
        ("customers.create", {"name": "Jane Doe"}, {"name": "Jane Doe"}),
        ("customers.update", {"id": "5", "company": None}, {"id": "5", "company": None}),
    ],
)
def test_what_a_caller_sends_becomes_canonical(operation, raw, canonical):
    """Times get their zone, ids become text, blanks and nulls are nothing unless a patch clears with them."""
    assert canonical == _arguments(operation, raw)


@pytest.mark.parametrize(
    ("operation", "raw", "problems"),
    [
        ("slots.list", {}, {"from": "is required", "to": "is required"}),
        (
            "slots.list",
            {"fron": "x", "to": "tomorrow", "duration": "60", "quantity": 0, "status": ["free", "gone"]},
            {
                "fron": "is not known here; did you mean `from`?",
                "from": "is required",
                "to": "must be a time such as 2026-03-19T08:30:00+01:00",
                "duration": "must be a whole number",
                "quantity": "must be a whole number of 1 or more",
                "status.1": "must be one of free, busy, tentative, unavailable",
            },
        ),
        (
            "slots.list",
            {"from": "2026-03-19T08:30:00 01:00", "to": 5, "time_zone": "Europe/Bärlin", "limit": 201},
            {
                "from": "must be a time such as 2026-03-19T08:30:00+01:00; in a query `+` is written `%2B`",
                "to": "must be a time such as 2026-03-19T08:30:00+01:00",
                "time_zone": "must be an IANA time zone such as Europe/Berlin",
                "limit": "must be a whole number from 1 to 200",
            },
        ),
        (
            "bookings.create",
            {"start": "2026-03-19T08:30", "service_id": "..", "customer": {"name": " ", "email": "jane", "age": 5}},
            {
                "service_id": "must be an id, not dots or blanks",
                "customer.age": "is not known here",
                "customer.name": "is required",
                "customer.email": "must be an e-mail address",
            },
        ),
        (
            "bookings.create",
            {"customer": CUSTOMER, "resource_id": "5", "slot_id": ""},
            {"slot_id": "is required, or instead of it `start`"},
        ),
        (
            "bookings.create",
            {"customer": CUSTOMER, "start": "2026-03-19T08:30"},
            {"slot_id": "is required, or instead of it `service_id`, `resource_id`"},
        ),
        (
            "bookings.create",
            {"customer": CUSTOMER, "slot_id": True, "end": "2026-03-19T09:30", "duration": 60},
            {
                "slot_id": "must be an id: a text of 1 to 255 visible characters, or a whole number",
                "duration": "cannot be given beside `end`",
            },
        ),
        (
            "bookings.create",
            {"customer": "Jane", "slot_id": "5", "metadata": {"a\nb": "c", "d": 5}, "form_responses": [None, {}]},
            {
                "customer": "must be an object",
                "metadata": "must have keys of 1 to 500 characters in one line",
                "metadata.d": "must be a text",
                "form_responses.0": "cannot be empty",
                "form_responses.1.name": "is required",
            },
        ),
        (
            "bookings.update",
            {"id": "5", "start": "2026-03-19T08:30", "quantity": None, "customer": {"name": None}, "notes": "x"},
            {
                "start": "cannot be changed here: use POST /bookings/{id}/reschedule",
                "quantity": "cannot be cleared",
                "customer.name": "cannot be cleared",
            },
        ),
        (
            "bookings.update",
            {"id": "5", "end": "x"},
            {"end": "cannot be changed here: use POST /bookings/{id}/reschedule"},
        ),
        ("bookings.update", {"id": "5"}, {"body": "must name something to change"}),
        ("customers.update", {"id": "5"}, {"body": "must name something to change"}),
        ("customers.create", {"id": "5"}, {"id": "is not known here", "name": "is required"}),
        ("bookings.cancel", {"id": ""}, {"id": "is required"}),
        ("slots.push", {"slots": []}, {"slots": "must have at least 1 element"}),
        ("bookings.list", {"include": ["secrets"]}, {"include.0": "must be one of provider_data"}),
    ],
)
def test_everything_wrong_is_told_at_once(operation, raw, problems):
    """Each field that is wrong is named with what it must be, in one answer."""
    assert (problems, "VALIDATION_ERROR") == _problems(operation, raw)


@pytest.mark.parametrize(
    ("operation", "raw", "field"),
    [
        ("slots.list", {"from": "2026-03-19T08:30", "to": "2026-03-19T08:30"}, "to"),
        ("slots.list", {"from": "2026-03-19T08:30", "to": "2026-03-19T07:30Z"}, "to"),
        ("slots.list", {"from": "2026-03-29T02:30", "to": "2026-04-01T00:00"}, "from"),
        ("slots.list", {"from": "1969-12-31T12:00Z", "to": "2026-03-19T07:30Z"}, "from"),
        ("slots.list", {"from": "2026-03-19T07:30Z", "to": "2200-01-02T00:00Z"}, "to"),
        ("bookings.reschedule", {"id": "5", "start": "2026-03-19T08:30", "end": "2026-03-18T09:30"}, "end"),
        (
            "bookings.create",
            {"resource_id": "5", "start": "2026-03-28T02:30", "end": "2026-03-29T02:30", "customer": CUSTOMER},
            "end",
        ),
    ],
)
def test_wrong_times_have_their_own_code(operation, raw, field):
    """A skipped time and an end that is not after the start are INVALID_TIME when nothing else is wrong."""
    fields, code = _problems(operation, raw)
    assert ([field], "INVALID_TIME") == (list(fields), code)


def test_a_wrong_time_beside_another_fault_is_a_validation_error():
    """One code must serve the whole answer, and it names the time as well."""
    fields, code = _problems("slots.list", {"from": "2026-03-29T02:30", "to": "2026-04-01T00:00", "limit": 0})
    assert (["from", "limit"], "VALIDATION_ERROR") == (list(fields), code)


def test_pushed_slots_are_held_to_the_contract():
    """A slot inside a list is checked like a call of its own, its times read in the zone."""
    slot = {"id": "1", "resource_id": "49", "start": "2026-03-19T08:30", "end": "2026-03-19T09:30:00+01:00"}
    slot |= {"time_zone": BERLIN, "status": "free", "available": True, "price": None}
    canonical = {name: value for name, value in slot.items() if name != "price"} | {
        "start": "2026-03-19T08:30:00+01:00"
    }
    assert {"slots": [canonical]} == _arguments("slots.push", {"slots": [slot]})
    wrong = slot | {"resource_id": None, "end": "2026-03-19T08:00"}
    expected = {
        "slots.0.service_id": "is required, or instead of it `resource_id`",
        "slots.0.end": "must be later than `start`",
    }
    assert (expected, "VALIDATION_ERROR") == _problems("slots.push", {"slots": [wrong]})


@pytest.mark.parametrize("character", ["\r", "\0", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_are_refused_in_every_text(character):
    """They could end a header, a line of a log or a document; half a surrogate pair is no character at all."""
    text = f"a{character}b"
    notes = [] if character == "\r" else [{"notes": text}]  # there it ends a line
    for raw in (*notes, {"customer": {"name": text}}, {"metadata": {"k": text}}, {"metadata": {text: "v"}}):
        fields, code = _problems("bookings.create", {"slot_id": "5", "customer": CUSTOMER} | raw)
        assert (1, "VALIDATION_ERROR") == (len(fields), code)
        assert character not in str(fields)


def test_line_ends_of_browsers():
    """The line ends that browsers and old systems write are one in the text that a provider gets."""
    found = _arguments("bookings.create", {"slot_id": "5", "customer": CUSTOMER, "notes": "a\r\nb\rc\n\r\nd"})
    assert "a\nb\nc\n\nd" == found["notes"]


@pytest.mark.parametrize("character", ["\n", "\t", "\u2028", "\u2029"])
def test_only_long_texts_have_lines(character):
    """Notes may hold lines and tabs; a name is one line."""
    text = f"a{character}b"
    _arguments("bookings.create", {"slot_id": "5", "customer": CUSTOMER, "notes": text})
    fields, _ = _problems("bookings.create", {"slot_id": "5", "customer": {"name": text}})
    assert ["customer.name"] == list(fields)


@pytest.mark.parametrize(
    ("raw", "longest"),
    [
        (lambda text: {"customer": {"name": text}}, 500),
        (lambda text: {"customer": CUSTOMER, "notes": text}, 10_000),
        (lambda text: {"customer": CUSTOMER, "slot_id": text}, 255),
        (lambda text: {"customer": {"name": "x", "email": f"{text[2:]}@x"}}, 254),
    ],
)
def test_texts_have_a_longest_length(raw, longest):
    """The longest is taken, one more is refused."""
    base = {"slot_id": "5"}
    _arguments("bookings.create", base | raw("x" * longest))
    assert 1 == len(_problems("bookings.create", base | raw("x" * (longest + 1)))[0])


@pytest.mark.parametrize("name", [".", "..", "../a", "a/./b", "a\\..\\b", "a\nb", "x" * 256, " ", "\ud800"])
def test_an_id_cannot_climb_a_path(name):
    """Ids end up in providers' URLs, where dots alone name another path."""
    assert ["id"] == list(_problems("bookings.get", {"id": name})[0])


@pytest.mark.parametrize("name", ["...", "a/b", "434~785c", "Große Halle", "%2e%2e"])
def test_other_ids_are_opaque(name):
    """Whatever else a provider uses as an id is taken; it is encoded where it is put into a URL."""
    assert {"id": name} == _arguments("bookings.get", {"id": name})


def test_names_of_a_caller_are_shown_cut_and_printable():
    """An unknown name comes back in the answer and in logs, so it can neither be huge nor break a line."""
    fields, _ = _problems("services.list", {"a\nb\ud800" + "c" * 1000: 1})
    (name,) = fields
    assert "a?b?" + "c" * 96 == name


def test_many_problems_are_counted_in_the_message():
    """The message names the first few; the details name all."""
    with pytest.raises(CallInvalid) as refused:
        _arguments("services.list", {f"x{number}": 1 for number in range(9)})
    assert refused.value.detail.endswith("; and 4 more")
    assert 9 == len(refused.value.details["fields"])


def test_a_body_of_nothing_but_mistakes_is_not_read_to_its_end():
    """Fifty problems are told; thousands would cost more to tell than to send."""
    with pytest.raises(CallInvalid) as refused:
        _arguments("services.list", {f"x{number}": 1 for number in range(20_000)})
    assert 50 == len(refused.value.details["fields"])


def test_defaults_are_made_anew():
    """Nobody who changes what was returned can change the contract."""
    times = {"from": "2026-03-19T08:30", "to": "2026-03-20T08:30"}
    _arguments("slots.list", times)["status"].append("busy")
    assert ["free"] == _arguments("slots.list", times)["status"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("2026-03-29T02:30"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "value", "email", "id", "start", "end", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(data=st.data(), name=st.sampled_from(sorted(MODEL.operations)))
def test_any_call_is_made_canonical_or_refused(data, name):
    """Nothing but CallInvalid is raised, every refusal names a field, and canonical arguments stay as they are."""
    operation = MODEL.operations[name]
    known = sorted({**operation.args, **operation.common, "x": None})
    raw = data.draw(st.dictionaries(st.sampled_from(known), VALUES, max_size=6))
    try:
        canonical = arguments(operation, raw, BERLIN)
    except CallInvalid as refused:
        named = refused.details["fields"]
    else:
        named = [canonical]
        assert canonical == arguments(operation, canonical, BERLIN)
    assert named
