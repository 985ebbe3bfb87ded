"""A call from its arguments to its reply: what is asked, and what the answers come to. Nothing here goes wrong late."""

import json

import pytest

from gateway.values.errors import CallInvalid, GatewayError, NotMapped, ProviderRejected, Unsupported

PLACES = """
operations:
  locations.list: {support: emulated, call: {get: /places}, result: {rows: data, record: place}}
  locations.get: {result: {find: locations.list}}
"""
BOOKINGS = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.create:
    args_from: {slot_id: slot}
    requires: {resource_id: a court must be named}
    unsupported:
      {end: x, duration: an hour, quantity: x, hold: x, metadata: x, notes: x, form_responses: x}
    vars: {begins: {from: "{{ args.start }}", as: local}}
    call:
      post: /b
      json:
        court: "{{ args.resource_id }}"
        service: {$optional: "{{ args.service_id }}"}
        start: "{{ begins }}"
        who: "{{ args.customer }}"
    result: {run: bookings.get, with: {id: "7"}}
  bookings.cancel:
    unsupported: {reason: not kept, cancelled_by: not kept}
    call: {post: "/b/{{ args.id }}/cancel"}
    result: {run: bookings.get}
    set: {status: cancelled, cancellation: {cancelled_by: customer}}
"""
BOOKED = {"data": {"id": 7, "court": "c1", "start": "2026-03-19 09:00", "end": "2026-03-19 10:00"}}
NEW = {"resource_id": "c1", "start": "2026-03-19T09:00", "customer": {"name": "Ada"}}


def places(*ids):
    """The answer of a provider with these places."""
    return {"data": [{"id": one, "name": f"Place {one}"} for one in ids]}


# What is asked for.


async def test_reply(club):
    """A list is read row by row; the reply says how well the provider supports it."""
    made = club(PLACES, places(1, 2))
    reply = await made.run("locations.list")
    assert ["GET /places"] == made.sent
    assert [("1", "Place 1"), ("2", "Place 2")] == [(one["id"], one["name"]) for one in reply.data]
    assert "emulated" == reply.support


async def test_no_list_has_an_id_twice(club):
    """A row that a provider repeats is given once; two different rows of one id are refused, naming it."""
    repeated = places(1, 2, 1)
    assert ["1", "2"] == [one["id"] for one in (await club(PLACES, repeated).run("locations.list")).data]
    repeated["data"][2]["name"] = "Another place"
    with pytest.raises(GatewayError, match="the id `1`") as refused:
        await club(PLACES, repeated).run("locations.list")
    assert refused.value.code == "PROVIDER_ERROR"


async def test_find(club):
    """One of a list is picked by its id; where there is none it is the operation's own not-found."""
    made = club(PLACES, places(1, 2), places(1, 2))
    assert "Place 2" == (await made.run("locations.get", id="2")).data["name"]
    with pytest.raises(NotMapped) as caught:
        await made.run("locations.get", id="3")
    assert ("INVALID_LOCATION", 2) == (caught.value.code, len(made.requests))


@pytest.mark.parametrize(
    ("args", "kind", "code", "details"),
    [
        (NEW | {"duration": 30}, Unsupported, "UNSUPPORTED_OPERATION",
         {"capability": "bookings.create.duration", "reason": "an hour"}),
        (NEW | {"quantity": 2, "metadata": {}}, Unsupported, "UNSUPPORTED_OPERATION",
         {"capability": "bookings.create.quantity", "reason": "x"}),
        ({"slot_id": "c1~202603190900", "resource_id": "c2", "customer": {"name": "Ada"}}, CallInvalid,
         "VALIDATION_ERROR", {"fields": [{"field": "resource_id", "problem": "contradicts `slot_id`"}]}),
        ({"slot_id": "c1~202603190900", "start": "2026-03-19T10:00", "customer": {"name": "Ada"}}, CallInvalid,
         "VALIDATION_ERROR", {"fields": [{"field": "start", "problem": "contradicts `slot_id`"}]}),
        ({"slot_id": "c1", "customer": {"name": "Ada"}}, NotMapped, "SLOT_NOT_FOUND", {}),
        ({"slot_id": "c1~202603290230", "customer": {"name": "Ada"}}, NotMapped, "SLOT_NOT_FOUND", {}),
    ],
)  # fmt: skip
async def test_arguments(club, args, kind, code, details):
    """What this provider cannot honour, what contradicts itself and what names nothing is told before it is asked."""
    made = club(BOOKINGS)
    with pytest.raises(kind) as caught:
        await made.run("bookings.create", **args)
    assert (code, details, []) == (caught.value.code, caught.value.details, made.requests)


async def test_required_here(club):
    """An argument that is optional in the contract and needed by this provider is told with the reason."""
    args = {"service_id": "s", "start": NEW["start"], "customer": {"name": "Ada"}}
    with pytest.raises(CallInvalid, match="Example needs `resource_id`") as caught:
        await club(BOOKINGS).run("bookings.create", **args)
    problem = "is needed here: a court must be named"
    assert {"fields": [{"field": "resource_id", "problem": problem}]} == caught.value.details


async def test_taken_apart(club):
    """A slot's id becomes the arguments it is made of; saying the same beside it is no contradiction."""
    made = club(BOOKINGS, {}, BOOKED)
    args = {"slot_id": "c1~202603190900", "resource_id": "c1", "customer": {"name": "Ada"}}
    await made.run("bookings.create", **args)
    assert {"court": "c1", "start": "2026-03-19 09:00", "who": {"name": "Ada"}} == json.loads(made.requests[0].body)


async def test_result_of_another_operation(club):
    """`gives: run` asks another operation for the result, with the same id or its own; `set` knows better."""
    made = club(BOOKINGS, {}, BOOKED, {}, BOOKED)
    reply = await made.run("bookings.create", **NEW)
    assert ("7", "confirmed") == (reply.data["id"], reply.data["status"])
    reply = await made.run("bookings.cancel", id="7")
    assert ("cancelled", {"cancelled_by": "customer"}) == (reply.data["status"], reply.data["cancellation"])
    assert ["POST /b", "GET /b/7", "POST /b/7/cancel", "GET /b/7"] == made.sent


async def test_set_is_held_to_the_contract(club):
    """What is laid over a result becomes canonical like a field of a record, or is a mismatch."""
    text = BOOKINGS.replace("set: {status: cancelled,", "set: {group_id: '{{ args.id | int }}', status: cancelled,")
    assert "7" == (await club(text, {}, BOOKED).run("bookings.cancel", id="7")).data["group_id"]
    text = BOOKINGS.replace("set: {status: cancelled,", "set: {status: '{{ args.id }}',")
    with pytest.raises(GatewayError, match="`set:` of status is not one of"):
        await club(text, {}, BOOKED).run("bookings.cancel", id="7")


async def test_not_found(club):
    """The provider's not-found becomes the operation's own, from a rule as well as from an empty answer."""
    for answer in ({"data": None}, {"data": []}, {}):
        with pytest.raises(GatewayError) as caught:
            await club(BOOKINGS, answer).run("bookings.get", id="7")
        assert "BOOKING_NOT_FOUND" == caught.value.code


async def test_not_found_by_rule(club, answered):
    """A rule that says NOT_FOUND means the operation's own form of it."""
    with pytest.raises(ProviderRejected) as caught:
        await club(BOOKINGS, answered({"code": 1, "text": "gone"}, 404)).run("bookings.get", id="7")
    said = {"name": "example", "code": "1", "message": "gone"}
    assert ("BOOKING_NOT_FOUND", said) == (caught.value.code, caught.value.provider)


CHOICE = """
operations:
  locations.get:
    choose:
      - when: "{{ args.id == '1' }}"
        call: {get: /one}
        errors: [{status: 404, is: INVALID_SERVICE}]
        result: {at: data, record: place}
      - when: "{{ args.id == '2' }}"
        steps: [{name: a, call: {get: /two}, keep: data}]
        result: {at: a, record: place}
"""


async def test_variants(club, answered):
    """The first variant whose condition holds is run, with its own rules; where none holds the call cannot be done."""
    made = club(CHOICE, answered({}, 404), {"data": {"id": 2, "name": "b"}})
    with pytest.raises(ProviderRejected) as caught:
        await made.run("locations.get", id="1")
    assert "INVALID_SERVICE" == caught.value.code
    assert "b" == (await made.run("locations.get", id="2")).data["name"]
    with pytest.raises(Unsupported):
        await made.run("locations.get", id="3")
    assert ["GET /one", "GET /two"] == made.sent


FILTERED = """
operations:
  customers.list: {call: {get: /customers}, result: {rows: data, record: customer}}
"""
CUSTOMERS = {
    "data": [
        {"id": 1, "name": "Ada", "email": "ada@b.example", "phone": "+49 151 1"},
        {"id": 2, "name": "Bo", "email": None, "phone": "+49 (151) 2"},
        {"id": 3, "name": "Ada B"},
    ]
}


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        ({}, ["1", "2", "3"]),
        ({"email": "ADA@b.example"}, ["1"]),
        ({"phone": "+491512"}, ["2"]),
        ({"q": "ada"}, ["1", "3"]),
        ({"q": "ada", "email": "x@y.example"}, []),
    ],
)
async def test_local_filters(club, args, ids):
    """What the provider was not asked to choose by the gateway chooses by; what it cannot tell does not match."""
    reply = await club(FILTERED, CUSTOMERS).run("customers.list", **args)
    assert ids == [one["id"] for one in reply.data]


# Windows.

EVENTS = """
operations:
  events.list:
    window: {max_days: 2, default_days: 3}
    call: {get: /e, query: {from: "{{ window.first_date }}", to: "{{ window.last_date }}"}}
    result: {rows: data, record: event}
"""


def events(**starts):
    """The answer of a provider with these events, by id."""
    return {"data": [{"id": key, "start": start} for key, start in starts.items()]}


async def test_windows(club):
    """Windows are asked one after the other and merged by id; what starts outside the caller's bounds is dropped."""
    made = club(
        EVENTS,
        events(early="2026-03-10 08:59", a="2026-03-10 09:00", b="2026-03-11 23:59"),
        events(b="2026-03-11 23:59", c="2026-03-12 00:00", late="2026-03-12 18:00"),
    )
    reply = await made.run("events.list", from_="2026-03-10T09:00", to="2026-03-12T18:00")
    assert ["GET /e?from=2026-03-10&to=2026-03-11", "GET /e?from=2026-03-12&to=2026-03-12"] == made.sent
    assert ["a", "b", "c"] == [one["id"] for one in reply.data]


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "2026-03-29", "2026-03-29"),
        ("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", "2026-10-25", "2026-10-25"),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-25", "2026-10-25"),
    ],
)
async def test_days_of_the_clock_change(club, start, end, first, last):
    """A local day of 23 or 25 hours is one day, and an end at midnight asks for no other."""
    made = club(EVENTS, events(noon=f"{first} 12:00"))
    reply = await made.run("events.list", from_=start, to=end)
    assert ([f"GET /e?from={first}&to={last}"], 1) == (made.sent, len(reply.data))


async def test_no_window_given(club):
    """Without bounds the window begins today and has the days the mapping says; nothing is held back."""
    made = club(EVENTS, events(a="1999-01-01 00:00"), events())
    assert ["a"] == [one["id"] for one in (await made.run("events.list")).data]
    assert ["GET /e?from=2026-03-01&to=2026-03-02", "GET /e?from=2026-03-03&to=2026-03-03"] == made.sent
