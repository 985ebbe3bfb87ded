"""What became of a write whose outcome was unknown: decided where the contract can, else left to a person."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.engine import catalog
from gateway.model.model import load
from gateway.store.tables import keys

START = 1_800_000_000_000
ENDED = 5 + 10
"""Seconds after which nothing of a call is under way: the timeout of the settings, and the margin."""
RECORD = "      notes: notes\n"
CALL = "        notes: {$optional: "
LIST = "  bookings.list:\n"
MORE = """\
  bookings.complete:
    call: {post: "/bookings/{{ args.id }}/done"}
    result: {at: data, record: booking}

  bookings.reschedule:
    call: {post: "/bookings/{{ args.id }}/move", json: {start: "{{ args.start }}"}}
    unsupported: {end: "an hour", duration: "an hour", resource_id: "stays", reason: "not kept"}
    result: {at: data, record: booking}

"""
DELETE = "  bookings.delete:\n"
CHANGES = [
    (RECORD, f"{RECORD}      customer.name: guest_name\n      customer.email: guest\n      resource_id: court\n"),
    (CALL, f'        email: {{$optional: "{{{{ args.customer.email }}}}"}}\n{CALL}'),
    ('      customer.email: "only the name is kept"\n', ""),
    (DELETE, MORE + DELETE),
    ('  bookings.complete: "nobody looks"\n', ""),
    ('  bookings.reschedule: "cancel and book again"\n', ""),
]
"""What makes the courts of the other tests tell who has booked, and be completed and moved."""


@pytest.fixture(scope="session")
def plan(tmp_path_factory, request):
    """Give the compiled mapping of courts that tell who has booked; how it supports their list may be a parameter.

    `nameless`: the list tells no e-mail addresses.
    """
    text = (Path(__file__).parents[1] / "courts.yaml").read_text(encoding="utf-8")
    param = getattr(request, "param", "native")
    listed = f'{LIST}    support: {"native" if param == "nameless" else param}\n    notes: "By day."\n'
    told = [] if param == "nameless" else [(', email: "not told"', "")]
    for old, new in [*CHANGES, *told, (LIST, listed)]:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path_factory.mktemp("courts") / "courts.yaml"
    path.write_text(text, encoding="utf-8")
    providers, findings = catalog.load_providers([path], load())
    assert [] == [str(finding) for finding in findings if finding.level == "error"]
    return providers["courts"]


@pytest.fixture
def lose(call, provider, new):
    """Send a write whose answer is lost, and give the id to ask for it by."""

    async def of(path="/bookings", **changes):
        provider.answers[f"POST {path}"] = None
        ada = new | {"customer": {"name": "Ada", "email": "ada@x.example"}}
        body = ada | changes if path == "/bookings" else changes
        sent = path.replace("/done", "/complete").replace("/move", "/reschedule")
        status, found, _ = await call("POST", f"/v1/club-a{sent}", json=body, headers={"Idempotency-Key": "k"})
        assert (504, "OUTCOME_UNKNOWN") == (status, found["error"]["code"])
        return found["error"]["details"]["operation"]

    return of


@pytest.fixture
def told(call, ticks):
    """Ask for an outcome once nothing can be under way: `state, body = await told(id)`."""

    async def of(id_):
        ticks.append(ENDED)
        status, body, _ = await call("GET", f"/v1/club-a/operations/{id_}")
        assert 200 == status
        return body["state"], body

    return of


@pytest.fixture
def mine(booking):
    """Give the booking that the lost request asks for, as the provider tells it."""
    return booking | {"court": "c1", "guest": "Ada@x.example", "guest_name": "Ada"}


@pytest.mark.parametrize("answer", [(200, {"ok": True, "data": []}), (503, {})])
async def test_pending(lose, call, provider, mine, answer):
    """While the provider may still be at it what is not there decides nothing, and what is there does.

    Whoever has to ask again is told when: each look is one of the calls that the provider allows.
    """
    id_ = await lose()
    provider.answers["GET /bookings"] = answer
    status, body, headers = await call("GET", f"/v1/club-a/operations/{id_}")
    assert (200, "pending", id_, "5") == (status, body["state"], body["id"], headers["Retry-After"])
    assert ("bookings.create", "bookings.list") == (body["operation"], body["reconcile_with"])
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [mine]})
    _, body, headers = await call("GET", f"/v1/club-a/operations/{id_}")
    assert ("confirmed", None) == (body["state"], headers.get("Retry-After"))


async def test_confirmed(lose, told, provider, mine):
    """One booking of this start, place and customer is the one that was asked for."""
    others = [mine | {"id": "8", "guest": "bob@x.example"}, mine | {"id": "9", "start": "2026-03-19T08:00:00+01:00"}]
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [mine, *others]})
    state, body = await told(await lose())
    assert ("confirmed", "7") == (state, body["data"]["id"])


async def test_absent(lose, told, provider, mine):
    """Where the provider lists nothing that begins then, nothing was booked."""
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [mine | {"start": "2026-03-19T08:00:00+01:00"}]})
    assert "absent" == (await told(await lose()))[0]
    assert ["POST", "GET"] == [method for method, _, _ in provider.asked]


@pytest.mark.parametrize("plan", ["emulated"], indirect=True)
async def test_a_list_that_is_pieced_together(lose, told, provider, mine):
    """Such a list can show that there is a booking, but not that there is none."""
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": []})
    id_ = await lose()
    assert "operator" == (await told(id_))[0]
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [mine]})
    assert "confirmed" == (await told(id_))[0]


@pytest.mark.parametrize(
    "there",
    [
        [{}, {"id": "8"}],
        [{"guest": "bob@x.example"}],
        [{"guest": None}],
        [{"court": "c2"}],
        [{"status": "cancelled"}],
    ],
    ids=["two", "another", "untold", "elsewhere", "cancelled"],
)
async def test_for_a_person(lose, told, provider, mine, there):
    """What is not plainly one or none is for a person, who is told what was asked for."""
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [mine | one for one in there]})
    state, body = await told(await lose())
    assert ("operator", "Ada") == (state, body["request"]["body"]["customer"]["name"])
    assert "data" not in body


@pytest.mark.parametrize(("there", "state"), [([], "absent"), ([{}], "operator")])
async def test_nobody_named(lose, told, provider, mine, there, state):
    """A request that does not say whose booking it is cannot be told from another's: only that nothing is there can."""
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [mine | one for one in there]})
    assert state == (await told(await lose(customer={"name": "Ada B"})))[0]


@pytest.mark.parametrize("plan", ["nameless"], indirect=True)
@pytest.mark.parametrize(
    ("there", "state"),
    [
        ([{}], "confirmed"),
        ([{"guest_name": " ADA"}, {"id": "8", "court": "c2", "guest_name": "Bob"}], "confirmed"),
        ([{"end": "2026-03-19T10:30:00+01:00"}], "operator"),
        ([{"court": "c2"}], "operator"),
        ([{"guest_name": "Bob"}], "operator"),
        ([{}, {"id": "8"}], "operator"),
        ([{"court": "c2", "guest_name": "Bob"}], "absent"),
        ([{"court": "c2", "guest_name": None}], "operator"),
        ([{"court": None, "guest_name": "Bob"}], "operator"),
    ],
    ids=["it", "written otherwise", "longer", "elsewhere", "another", "two", "another elsewhere", "untold", "nowhere"],
)
async def test_by_the_name(lose, told, provider, mine, there, state):
    """Where no e-mail address is told, the one booking of that name at exactly that place and time is it.

    A booking of somebody else on another court is no sign of it; anything else is for a person.
    """
    rows = [{**mine, "guest": None} | one for one in there]
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": rows})
    assert state == (await told(await lose()))[0]


async def test_native(call, told, provider):
    """Of an operation of the provider's own the contract cannot tell how to look."""
    provider.answers["POST /doors"] = None
    path = "/v1/club-a/native/openDoor"
    _, body, _ = await call("POST", path, json={"court": "c1"}, headers={"Idempotency-Key": "k"})
    state, found = await told(body["error"]["details"]["operation"])
    assert ("operator", "native.openDoor") == (state, found["operation"])


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((200, {"status": "completed"}), "confirmed"),
        ((200, {"status": "confirmed"}), "absent"),
        ((404, {}), "operator"),
    ],
)
async def test_how_it_stands(lose, told, provider, mine, answer, state):
    """A write that makes a booking stand otherwise was done if it stands so."""
    status, changes = answer
    provider.answers["GET /bookings/7"] = (status, {"ok": status == 200, "data": mine | changes})
    assert state == (await told(await lose("/bookings/7/done")))[0]


@pytest.mark.parametrize(("hour", "state"), [("09", "confirmed"), ("10", "operator")])
async def test_where_it_stands(lose, told, provider, mine, hour, state):
    """A booking that was to be moved was moved if it is there; if not, another may have taken its place."""
    provider.answers["GET /bookings/7"] = (200, {"ok": True, "data": mine})
    assert state == (await told(await lose("/bookings/7/move", start=f"2026-03-19T{hour}:00:00+01:00")))[0]


async def test_answered_after_all(call, told, provider, booking, new, application):
    """What is known is told without asking the provider."""
    for key, (status, body), state in [
        ("good", (200, {"ok": True, "data": booking}), "confirmed"),
        ("bad", (409, {"error": {"code": "taken"}}), "absent"),
    ]:
        provider.answers["POST /bookings"] = (status, body)
        await call("POST", "/v1/club-a/bookings", json=new, headers={"Idempotency-Key": key})
        mine = select(keys.c.id).where(keys.c.key == key)
        found = await told(await application.database.read(lambda store: store.scalar(mine)))  # noqa: B023
        assert (state, "request" in found[1]) == (found[0], False)
    assert ("BOOKING_CONFLICT", 2) == (found[1]["error"]["code"], len(provider.asked))


async def test_whose(lose, call_as, call):
    """Only who made a write may ask for it, on its connection, and with a key that may write."""
    id_ = await lose()
    for caller, connection, status in [("writer", "club-a", 404), ("reporting", "club-a", 403), ("web", "club-b", 404)]:
        assert status == (await call_as(caller)("GET", f"/v1/{connection}/operations/{id_}"))[0]
    assert 404 == (await call("GET", "/v1/club-a/operations/op_none"))[0]
    assert 400 == (await call("GET", f"/v1/club-a/operations/{id_}?x=1"))[0]


async def test_no_answer_now(lose, call, provider, ticks):
    """While the provider cannot be read the caller is told that, and nothing is decided."""
    id_ = await lose()
    ticks.append(ENDED)
    provider.answers["GET /bookings"] = (503, {})
    assert 503 == (await call("GET", f"/v1/club-a/operations/{id_}"))[0]


@pytest.fixture
def repeat(call, new):
    """Send the booking whose answer was lost again, under the same key."""

    async def of():
        body = new | {"customer": {"name": "Ada", "email": "ada@x.example"}}
        return await call("POST", "/v1/club-a/bookings", json=body, headers={"Idempotency-Key": "k"})

    return of


def writes(provider):
    """Count what was sent to book."""
    return sum(method == "POST" for method, _, _ in provider.asked)


async def test_a_repeat_of_what_was_done(lose, repeat, call, provider, mine):
    """It is answered with the booking, and so is every later repeat, without a look; the outcome says so too."""
    id_ = await lose()
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": [mine]})
    status, body, headers = await repeat()
    assert (201, "7", "true") == (status, body["id"], headers["Idempotent-Replayed"])
    assert "/v1/club-a/bookings/7" == headers["Location"]
    provider.answers["GET /bookings"] = (503, {})
    assert (201, body, "true") == (*(again := await repeat())[:2], again[2]["Idempotent-Replayed"])
    outcome = (await call("GET", f"/v1/club-a/operations/{id_}"))[1]
    assert ("confirmed", body, False) == (outcome["state"], outcome["data"], "request" in outcome)
    assert 1 == writes(provider)


async def test_repeats_of_what_was_not_done(lose, repeat, told, provider, booking):
    """Of many that find that nothing was done one does it; the id stays, and tells what became of it in the end."""
    id_ = await lose()
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": []})
    assert 504 == (await repeat())[0]  # the provider may still be at it
    assert "absent" == (await told(id_))[0]
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    found = await asyncio.gather(*(repeat() for _ in range(5)))
    assert {201, 409} >= {status for status, _, _ in found}
    assert 1 == sum(status == 201 and "Idempotent-Replayed" not in headers for status, _, headers in found)
    assert (201, "true") == ((again := await repeat())[0], again[2]["Idempotent-Replayed"])
    assert ("confirmed", 2) == ((await told(id_))[0], writes(provider))


async def test_a_repeat_that_failed_by_itself(lose, repeat, told, provider, booking):
    """When doing it now is refused for a while, the request stays known, and the next repeat looks again."""
    id_ = await lose()
    provider.answers |= {"GET /bookings": (200, {"ok": True, "data": []}), "POST /bookings": (429, {})}
    assert "absent" == (await told(id_))[0]
    assert 429 == (await repeat())[0]
    assert "absent" == (await told(id_))[0]
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    assert (201, 3) == ((await repeat())[0], writes(provider))


@pytest.mark.parametrize(
    ("answer", "state"), [((200, {"ok": True, "data": [{"guest": None}]}), "operator"), ((503, {}), None)]
)
async def test_a_repeat_that_nobody_can_answer(lose, repeat, call, ticks, provider, mine, answer, state):
    """Where nobody can tell, or the provider cannot be asked, a repeat names the request and sends nothing."""
    id_ = await lose()
    ticks.append(ENDED)
    status, body = answer
    body = body | {"data": [mine | one for one in body["data"]]} if body else body
    provider.answers["GET /bookings"] = (status, body)
    status, body, _ = await repeat()
    assert (504, "OUTCOME_UNKNOWN", id_) == (status, body["error"]["code"], body["error"]["details"]["operation"])
    outcome = (await call("GET", f"/v1/club-a/operations/{id_}"))[1]
    assert (state, 1) == (outcome.get("state"), writes(provider))


async def test_a_repeat_of_how_it_stands(lose, call, provider, mine):
    """A write that makes a booking stand otherwise is answered with the booking when it stands so."""
    await lose("/bookings/7/done")
    provider.answers["GET /bookings/7"] = (200, {"ok": True, "data": mine | {"status": "completed"}})
    status, body, headers = await call("POST", "/v1/club-a/bookings/7/complete", headers={"Idempotency-Key": "k"})
    assert (200, "completed", "true") == (status, body["status"], headers["Idempotent-Replayed"])
