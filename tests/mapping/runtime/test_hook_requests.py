"""What a marketplace asks of us: its words read as canonical requests, refusals, answers; and its golden examples."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.catalog import load_providers
from gateway.examples.files import load_examples
from gateway.examples.playback import run_hook
from gateway.mapping.runtime.hook_requests import to_answer, to_asked
from gateway.model.model import load
from gateway.values.errors import CallInvalid, MappingFault
from gateway.values.messages import MarketplaceRequest, Received

MARKET = Path(__file__).parents[2] / "market.yaml"
PLAN = load_providers([MARKET], load())[0]["market"]
CALENDAR = PLAN.hooks["calendar"]
SCOPE = {
    "settings": {"time_zone": "Europe/Paris", "currency": "EUR", "club": "north"},
    "connection": {"id": "market", "time_zone": "Europe/Paris", "currency": "EUR"},
    "now": "2026-03-01T09:00:00+01:00",
}
ORDER = {"court": 7, "from": "2026-03-19T08:30", "to": "2026-03-19T09:30", "player": "Ada", "offer": "o1", "number": 12}
TIMES = {"start": "2026-03-19T08:30:00+01:00", "end": "2026-03-19T09:30:00+01:00"}
TWICE = {"start": "2026-10-25T02:30:00+02:00", "end": "2026-10-25T03:30:00+01:00"}
BOOKED = {
    "center_id": "north",
    "resource_id": "7",
    **TIMES,
    "slot_id": "o1",
    "customer": {"name": "Ada"},
    "reference": "12",
}


def get(*query):
    """Make a pull of the calendar."""
    return Received("GET", "t", query, (), b"")


def post(body):
    """Make a message: bytes as they are, anything else as JSON."""
    return Received("POST", "t", (), (), body if isinstance(body, bytes) else json.dumps(body).encode())


def book(**changed):
    """Make a message with an order, of which fields are changed, or left out where they are None."""
    order = {key: value for key, value in (ORDER | changed).items() if value is not None}
    return post({"kind": "book", "club": "north", "order": order})


@pytest.mark.parametrize(
    ("received", "asked"),
    [
        (
            get(("club", "north"), ("days", "7")),
            MarketplaceRequest("availability.requested", {"center_id": "north", "days": 7}),
        ),
        (get(), MarketplaceRequest("availability.requested", {})),
        (get(("days", "1"), ("days", "2"), ("else", "x")), MarketplaceRequest("availability.requested", {"days": 1})),
        (book(), MarketplaceRequest("booking.requested", BOOKED)),
        (
            book(player=None, offer="", number=None),
            MarketplaceRequest("booking.requested", {"center_id": "north", "resource_id": "7", **TIMES}),
        ),
        (
            post({"kind": "drop", "order": ORDER}),
            MarketplaceRequest("cancellation.requested", {"resource_id": "7", **TIMES, "reference": "12"}),
        ),
        (
            book(**{"from": "2026-10-25T02:30", "to": "2026-10-25T03:30+01:00"}),
            MarketplaceRequest(
                "booking.requested", BOOKED | {"start": "2026-10-25T02:30:00+02:00", "end": "2026-10-25T03:30:00+01:00"}
            ),
        ),
    ],
)
def test_asked(received, asked):
    """A message is the first ask that fits it, its words read by the record with what `with` lays over it."""
    assert asked == to_asked(CALENDAR, received, SCOPE)[1]


@pytest.mark.parametrize(
    ("received", "told", "line"),
    [
        (post(b"{"), "the body is not JSON", "calendar:"),
        (post(b""), "the body is not JSON", "calendar:"),
        (post(b"\xff"), "the body is not UTF-8", "calendar:"),
        (post(b'{"kind": "book", "kind": "s3cret"}'), "the body repeats a key", "calendar:"),
        (post({}), "`body.kind` is missing in it or does not fit", "- request: booking.requested"),
        (post([]), "`body.kind` is missing in it or does not fit", "- request: booking.requested"),
        (post({"kind": "s3cret"}), "asks for nothing", "calendar:"),
        (post({"kind": "drop"}), "`order` is missing", "- request: cancellation.requested"),
        (post({"kind": "drop", "order": "s3cret"}), "`court` is missing, and resource_id is required", "resource_id:"),
        (post({"kind": "book", "order": ORDER}), "`body.club` is missing in it or does not fit", "with:"),
        (book(court=None), "`court` is missing, and resource_id is required", "resource_id:"),
        (book(court=["s3cret"]), "`court` for resource_id is not an id", "resource_id:"),
        (book(court=".."), "`resource_id` must be an id, not dots or blanks", "- request: booking.requested"),
        (book(player="s3cret\x00"), "`customer.name` must not hold", "- request: booking.requested"),
        (book(**{"from": "s3cret"}), "`from` is not", "start:"),
        (book(**{"from": "2026-03-29T02:30", "to": "2026-03-29T04:00"}), "`from` is not", "start:"),
        (book(to="2026-03-19T08:30"), "`end` must be later than `start`", "- request: booking.requested"),
        (get(("days", "s3cret")), "`query.days` is missing in it or does not fit", "with:"),
        (get(("days", "0")), "`days` must be a whole number of 1 or more", "- request: availability.requested"),
        (get(("days", "1.5")), "`query.days` is missing in it or does not fit", "with:"),
    ],
)
def test_refused(received, told, line):
    """What cannot be read is VALIDATION_ERROR and names the field, never the value; its origin is a line."""
    with pytest.raises(CallInvalid) as refused:
        to_asked(CALENDAR, received, SCOPE)
    assert "VALIDATION_ERROR" == refused.value.code
    assert told in refused.value.detail
    assert "s3cret" not in refused.value.detail + str(refused.value.details)
    assert "{{" not in refused.value.detail
    assert "market.yaml" not in refused.value.detail
    file, _, number = refused.value.origin.rpartition(":")
    assert line in Path(file).read_text(encoding="utf-8").splitlines()[int(number) - 1]


KEYS = st.sampled_from([*ORDER, "kind", "order", "club"])
VALUES = st.recursive(
    st.none() | st.sampled_from(["book", "drop", "2026-03-19T08:30"]) | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@given(st.binary(max_size=60) | VALUES)
def test_anything(body):
    """Whatever is sent, it is read or refused, and nothing else happens."""
    try:
        asked = to_asked(CALENDAR, post(body), SCOPE)[1]
    except CallInvalid:
        return
    assert asked.request in load().requests


def test_answered():
    """The answer is built of the request and what it is given."""
    ask, asked = to_asked(CALENDAR, get(("days", "2")), SCOPE)
    slot = {"id": "a", "resource_id": "7", **TIMES, "time_zone": "Europe/Paris", "status": "free", "available": True}
    told = to_answer(ask, asked, {"slots": [slot], "resources": [{"id": "7", "name": "Court 7"}]}, SCOPE)
    offer = {"offer": "a", "court": "7", "from": "2026-03-19T08:30", "to": "2026-03-19T09:30", "open": True}
    assert (200, {"content-type": "application/json"}) == (told.status, told.headers)
    assert {"offers": [offer], "courts": {"7": "Court 7"}, "days": 2} == json.loads(told.body)
    ask, asked = to_asked(CALENDAR, book(), SCOPE)
    told = to_answer(ask, asked, {"booking": {"id": "b7"}}, SCOPE)
    assert (201, {"number": "12", "booking": "b7", "of": "north"}) == (told.status, json.loads(told.body))
    ask, asked = to_asked(CALENDAR, post({"kind": "drop", "order": ORDER}), SCOPE)
    told = to_answer(ask, asked, {"booking": None}, SCOPE)
    assert (200, b"dropped", "text/plain; charset=utf-8") == (told.status, told.body, told.headers["content-type"])


def test_an_answer_that_fails():
    """An answer that needs what it is not given, or the request does not have, is the mapping's fault."""
    ask, asked = to_asked(CALENDAR, book(number=None), SCOPE)
    with pytest.raises(MappingFault, match=r"market\.yaml:\d+: `{{ request.reference }}`"):
        to_answer(ask, asked, {"booking": {"id": "b7"}}, SCOPE)


PULL = {"hook": "calendar", "received": {"method": "get", "query": {"days": "2"}}}
ASKS = {"requests": {"request": "availability.requested", "data": {"days": 2}}}
ORDERED = {"hook": "calendar", "received": {"json": {"kind": "book", "club": "north", "order": ORDER}}}
BOOKS = {"requests": {"request": "booking.requested", "data": BOOKED}}
FREE = {"slots": [], "resources": []}
NOTHING = {"offers": [], "courts": {}, "days": 2}
SOUTH = {"json": {"club": "south", "order": ORDER}}
BOOKING = {
    "id": "b7",
    "status": "confirmed",
    **TIMES,
    "time_zone": "Europe/Paris",
    "all_day": False,
    "quantity": 1,
    "items": [{**TIMES, "quantity": 1}],
}


@pytest.mark.parametrize(
    ("example", "told"),
    [
        (
            PULL | ASKS | {"answers": FREE, "reply": {"status": 200, "json": {"offers": [], "courts": {}, "days": 2}}},
            [],
        ),
        (PULL | ASKS | {"answers": FREE, "reply": {"status": 204}}, ["reply.status: expected 204, got 200"]),
        (
            PULL | BOOKS | {"answers": FREE},
            ["request: expected", "data.days was not", "data.start is missing"],
        ),
        (PULL | ASKS | {"answers": {"slots": [], "booking": {}}}, ["answers.resources is missing", "reply cannot be"]),
        (PULL | ASKS | {"answers": FREE | {"rooms": []}}, ["answers.rooms is not given to it, but slots, resources"]),
        (PULL | ASKS | {"answers": FREE | {"slots": [{"id": "1"}]}}, ["answers.slots is not complete"]),
        (PULL | ASKS | {"error": "RATE_LIMITED", "reply": {"status": 503}}, []),
        (PULL | ASKS | {"error": "NOT_FOUND", "reply": {"status": 418}}, []),
        (PULL | ASKS | {"error": "NOT_FUOND"}, ["is not an error code of the contract; did you mean `NOT_FOUND`?"]),
        (ORDERED | BOOKS | {"answers": {"booking": BOOKING}, "reply": {"status": 201}}, []),
        (ORDERED | BOOKS | {"answers": {"booking": {"id": "b7"}}}, ["answers.booking is not complete"]),
        (ORDERED | BOOKS | {"error": "BOOKING_CONFLICT", "reply": {"status": 409, "json": {"why": "taken"}}}, []),
        (ORDERED | {"fails": {"code": "VALIDATION_ERROR"}}, ["expected VALIDATION_ERROR, but it succeeded"]),
        (PULL | {"messages": []}, ["expected [], got"]),
        (
            {"hook": "calendar", "received": {"json": {"kind": "odd"}}, "fails": {"code": "VALIDATION_ERROR"}}
            | {"reply": {"status": 422, "text": "unreadable"}},
            [],
        ),
        (
            {
                "hook": "plain",
                "received": {"json": {"club": "south", "order": ORDER}},
                "fails": {"code": "UNAUTHORIZED"},
            }
            | {"reply": {"status": 401}},
            [],
        ),
        (ORDERED | ASKS, None),
        (ORDERED | ASKS | {"answers": FREE, "error": "NOT_FOUND"}, None),
        (ORDERED | ASKS | {"answers": FREE, "fails": {}}, None),
        (ORDERED | ASKS | {"answers": FREE, "exchanges": []}, None),
    ],
)
async def test_examples(tmp_path, example, told):
    """An example holds the request to what is asked, field by field, and the answer to what it is given, or to the
    error; one that says too little or too much is refused (None)."""
    (tmp_path / "examples").mkdir()
    settings = {"time_zone": "Europe/Paris", "currency": "EUR", "hook_token": "t", "club": "north"}
    text = {"provider": "market", "settings": settings, "now": SCOPE["now"], "examples": [{"name": "a"} | example]}
    (tmp_path / "examples" / "market.yaml").write_text(json.dumps(text), encoding="utf-8")
    examples, findings = load_examples(replace(PLAN, file=str(tmp_path / "market.yaml")))
    if told is None:
        assert [one.code for one in findings if one.level == "error"] in (["missing-key"], ["unknown-key"])
        return
    found = (await run_hook(examples, examples.hooks[0], load())).differences
    assert [] == [one for one in told if not any(one in line for line in found)]
    assert bool(told) == bool(found), found
