"""The play: formats checked, state kept, unknown calls refused, everything else answered as recorded."""

import json
from pathlib import Path

import pytest

from gateway.simulator.incoming import decode_request
from gateway.simulator.play import Play
from gateway.values.errors import GatewayError, MappingFault
from gateway.values.secrets import Secret

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
ROOT = Path(__file__).parents[2]
KEYS = {"x-user": "ada", "x-key": "desk-s3cret-key"}
SCRIPT = """simulator:
  state: {}
  unauthorised: {status: 401}
  unknown: {status: 404}
  invalid: {status: 422, json: "{{ match.field }}"}
  answers:
"""


def told(played):
    return played.status, json.loads(played.body)


FORMATS = {
    "date": (
        ["2026-03-01", "2024-02-29"],
        ["2026-02-29", "2026-3-1", "20260301", "2026-03-01T00:00", 20260301, "\u0662\u0660\u0662\u0666-03-01"],
    ),
    "clock": (["00:00", "23:59", "24:00"], ["24:01", "9:00", "09:60", "09:00:00", 900]),
    "time": (["00:00:00", "24:00:00"], ["24:00:01", "09:00", "9:00:00"]),
    "instant": (
        ["2026-03-01T09:00:00Z", "2026-03-01T09:00:00+01:00"],
        ["2026-03-01T09:00:00", "2026-02-30T09:00:00Z", "now"],
    ),
    "moment": (
        ["2026-03-01T09:00", "2026-03-01T09:00:30", "2026-03-01T09:00+01:00", "2026-03-01T09:00:00Z"],
        ["2026-03-01", "2026-03-01 09:00", "2026-02-30T09:00", "9:00"],
    ),
    "digits": (["0", "007", 7], ["-7", "7.0", 7.5, True, "\u0667", [7]]),
    "number": ([7, -7.5, 0], ["7", True, [7]]),
    "boolean": ([True, False], ["true", 1, 0]),
    "list": ([[], [1]], ["[]", {}]),
    "object": ([{}, {"a": 1}], ["{}", []]),
    "email": (["a@b.example"], ["a@", "@b", "a b@c", 7]),
    "text": (["a", "two\nlines", 7], [True, [], {}]),
    "any": (["a", 7, True, [], {}], []),
}


@pytest.mark.parametrize("form", FORMATS)
def test_formats(play, scripted, form):
    """A value of the wrong form is answered with the script's own refusal, which names the field; others pass."""
    desk = play("auth: none")
    script, findings = scripted(f"{SCRIPT}    - {{on: {{post: /x}}, expects: {{v: {form}}}, answer: {{json: fits}}}}\n")
    assert [] == findings
    desk = Play(desk.connection, desk.examples, script, desk.now)
    good, bad = FORMATS[form]
    for value, expected in [(one, (200, "fits")) for one in good] + [(one, (422, "v")) for one in bad]:
        body = json.dumps({"v": value}).encode()
        assert expected == told(desk.answer(decode_request("POST", "/x", "", JSON, body))), value


@pytest.mark.parametrize(
    ("form", "body", "expected"),
    [
        ("text", {}, (422, "v")),
        ("text", {"v": None}, (422, "v")),
        ("text", {"v": ""}, (422, "v")),
        ("text?", {}, (200, "fits")),
        ("text?", {"v": None}, (200, "fits")),
        ("date?", {"v": ""}, (200, "fits")),
        ("date?", {"v": "soon"}, (422, "v")),
        ("any", {}, (422, "v")),
        ("text", [], (422, "v")),
    ],
)
def test_missing_fields(play, scripted, form, body, expected):
    """A field must be there unless its form ends in `?`; one that is there must have the form all the same."""
    desk = play("auth: none")
    script, _ = scripted(f"{SCRIPT}    - {{on: {{post: /x}}, expects: {{v: {form}}}, answer: {{json: fits}}}}\n")
    desk = Play(desk.connection, desk.examples, script, desk.now)
    assert expected == told(desk.answer(decode_request("POST", "/x", "", JSON, json.dumps(body).encode())))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"v": []}, (200, "fits")),
        ({"v": [{"at": "09:00"}, {"at": "10:00", "x": 1}]}, (200, "fits")),
        ({"v": [{"at": "09:00"}, {"at": "soon"}]}, (422, "v[].at")),
        ({"v": [{}]}, (422, "v[].at")),
        ({"v": ["09:00"]}, (422, "v[].at")),
        ({"v": {"at": "09:00"}}, (422, "v")),
    ],
)
def test_members_of_elements(play, scripted, body, expected):
    """A member is checked in every element of a list; that the list is one is for its own format to say."""
    desk = play("auth: none")
    rule = "{on: {post: /x}, expects: {v: list, 'v[].at': clock}, answer: {json: fits}}"
    script, findings = scripted(f"{SCRIPT}    - {rule}\n")
    assert [] == findings
    desk = Play(desk.connection, desk.examples, script, desk.now)
    assert expected == told(desk.answer(decode_request("POST", "/x", "", JSON, json.dumps(body).encode())))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (["Bo", "2026-03-01"], "Hello Bo, 2026-03-01"),
        (["Bo", "soon"], "1"),
        (["", "2026-03-01"], "0"),
    ],
)
def test_positional_fields(ask, params, expected):
    """Positional JSON-RPC params are checked by their number."""
    body = json.dumps({"jsonrpc": "2.0", "method": "greet", "params": params, "id": 9}).encode()
    answer = json.loads(ask("POST", "/rpc", body, JSON).body)
    assert expected == answer.get("result", answer.get("error"))


def free(ask):
    _, body = told(ask("GET", "/free?day=2026-03-02"))
    return [slot["id"] for slot in body["free"]]


def test_state(ask):
    """A booked slot is gone and cannot be booked again; cancelled, it returns; numbers go on."""
    assert ["a", "b"] == free(ask)
    status, body = told(ask("POST", "/bookings", b"slot=a&who[name]=Ada", FORM))
    assert (201, 100, "Ada") == (status, body["booking"]["id"], body["booking"]["who"])
    assert ["b"] == free(ask)
    assert (409, {"ok": False, "error": "taken"}) == told(ask("POST", "/bookings", b"slot=a&who[name]=Bo", FORM))
    assert (404, {"ok": False, "error": "no such slot"}) == told(ask("POST", "/bookings", b"slot=z&who[name]=Bo", FORM))
    assert told(ask("GET", "/bookings/100"))[1]["booking"]["cancelled"] is False
    assert told(ask("POST", "/bookings/100/cancel"))[1]["booking"]["cancelled"] is True
    assert ["a", "b"] == free(ask)
    assert 101 == told(ask("POST", "/bookings", b"slot=a&who[name]=Bo", FORM))[1]["booking"]["id"]
    assert ["100", "101"] == list(ask.play.state["bookings"])
    assert 204 == ask("DELETE", "/bookings/101").status
    assert ["100"] == list(ask.play.state["bookings"])


def test_state_is_its_own(play):
    """Each play begins with the script's state, untouched by the others; what was answered changes nothing."""
    first, second = play(), play()
    first.answer(decode_request("POST", "/bookings", "", KEYS | FORM, b"slot=a&who[name]=Ada"))
    assert {} == second.state["bookings"]
    assert {} == first.script.state["bookings"]


def test_a_copied_place_is_its_own(play, scripted):
    """What is set from another place of the state does not change with it."""
    text = """simulator:
  state: {a: {n: 1}}
  unauthorised: {}
  unknown: {}
  invalid: {}
  answers:
    - on: {post: /x}
      change: [{set: b, to: "{{ state.a }}"}, {set: b.n, to: 2}, {add: a.n, by: 0.5}]
      answer: {json: "{{ state }}"}
"""
    desk = play("auth: none")
    script, findings = scripted(text)
    assert [] == findings
    played = Play(desk.connection, desk.examples, script, desk.now)
    assert {"a": {"n": 1.5}, "b": {"n": 2}} == json.loads(played.answer(decode_request("POST", "/x", "", {}, b"")).body)


@pytest.mark.parametrize(
    ("method", "target", "body", "headers"),
    [
        ("GET", "/nosuch", b"", {}),
        ("GET", "/", b"", {}),
        ("POST", "/rooms", b"", {}),
        ("GET", "/rooms/1/doors", b"", {}),
        ("PUT", "/bookings/7", b"{}", JSON),
        ("POST", "/rpc", b'{"method": "shout", "params": [], "id": 1}', JSON),
        ("POST", "/rpc", b"garbage", JSON),
    ],
)
def test_unknown_calls(ask, method, target, body, headers):
    """A call that the provider does not have is answered as the script says, never with another call's answer."""
    answer = ask(method, target, body, headers)
    assert (404, {"ok": False, "error": "no such call"}) == told(answer)
    assert {"content-type": "application/problem+json"} == answer.headers


def test_strangers_come_first(play):
    """Without credentials nothing is told, not even which calls there are."""
    for target in ("/rooms", "/nosuch", "/free?day=x"):
        path, _, query = target.partition("?")
        assert (401, {"ok": False, "error": "who are you?"}) == told(
            play().answer(decode_request("GET", path, query, {}, b""))
        )


@pytest.mark.parametrize(
    ("target", "status", "about", "headers"),
    [
        ("/rooms", 200, "rooms", {"content-type": "application/json"}),
        ("/rooms/1", 200, "room", {"content-type": "application/json", "x-recorded": "yes"}),
        ("/rooms/404", 404, "error", {"content-type": "application/problem+json"}),
        ("/rooms/77", 200, "room", {"content-type": "application/json", "x-recorded": "yes"}),
    ],
)
def test_answers_from_examples(ask, target, status, about, headers):
    """A call without a rule is answered as recorded: for the same object, else as for another that was found."""
    answer = ask("GET", target)
    assert status == answer.status
    assert about in json.loads(answer.body)
    assert headers == answer.headers


def test_recorded_rpc(ask):
    """A recorded JSON-RPC answer comes under the id of the request, whatever its params."""
    for name, number in (("Bo", 3), ("Cy", "x"), ("Di", None)):
        body = json.dumps({"jsonrpc": "2.0", "method": "greet", "params": [name], "id": number}).encode()
        assert {"jsonrpc": "2.0", "id": number, "result": "Hello Bo"} == told(ask("POST", "/rpc", body, JSON))[1]


def test_a_rule_that_does_not_hold(ask):
    """Where no rule's `when` holds, the recorded answer is given."""
    assert told(ask("POST", "/bookings/7/cancel"))[1]["booking"]["cancelled"] is True


def test_failing_script(ask):
    """A script that fails says so with its line, and what."""
    with pytest.raises(MappingFault, match=r"desk\.yaml:\d+: `add` needs two numbers"):
        ask("DELETE", "/bookings/odd")


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("locaboo", {"from": "2026-03-02T00:00", "to": "2026-03-03T00:00", "resource_id": ["49"]}),
        ("simplybook", {"from": "2026-03-02T00:00", "to": "2026-03-03T00:00", "service_id": "1"}),
    ],
)
async def test_shipped_state(shipped, engine_on, call, name, window):
    """At the shipped providers a booked slot is gone, a second booking of it refused, and cancelled it returns."""
    engine = await engine_on(shipped(name))
    slots = [slot["id"] for slot in await call(engine, "slots.list", **window)]
    booking = {
        "slot_id": slots[0],
        "customer": {"name": "Jane Doe", "email": "jane@example.com", "phone": "+441632960001"},
    }
    made = await call(engine, "bookings.create", **booking)
    later = [slot["id"] for slot in await call(engine, "slots.list", **window)]
    assert slots[0] not in later
    assert set(later) < set(slots)
    with pytest.raises(GatewayError) as refused:
        await call(engine, "bookings.create", **booking)
    assert "BOOKING_CONFLICT" == refused.value.code
    assert made["id"] == (await call(engine, "bookings.get", id=made["id"]))["id"]
    for _ in range(2):
        assert "cancelled" == (await call(engine, "bookings.cancel", id=made["id"]))["status"]
    assert slots == [slot["id"] for slot in await call(engine, "slots.list", **window)]


@pytest.mark.parametrize(
    ("name", "operation", "over"),
    [
        ("locaboo", "resources.list", {"api_secret_key": Secret("another-key")}),
        ("simplybook", "services.list", {"api_key": Secret("another-key")}),
        ("simplybook", "services.list", {"company_login": "another"}),
        ("simplybook", "bookings.cancel", {"secret_key": Secret("another-key")}),
    ],
)
async def test_shipped_credentials(shipped, engine_on, call, name, operation, over):
    """At the shipped providers a wrong key, account or signature is refused as the provider refuses it."""
    played = shipped(name)
    given = {}
    if operation == "bookings.cancel":
        engine = await engine_on(played)
        customer = {"name": "Jane Doe", "email": "jane@example.com", "phone": "+441632960001"}
        slots = await call(engine, "slots.list", **{"from": "2026-03-02T00:00", "to": "2026-03-03T00:00"})
        made = await call(engine, "bookings.create", slot_id=slots[0]["id"], customer=customer)
        given = {"id": made["id"]}
    with pytest.raises(GatewayError) as refused:
        await call(await engine_on(played, over), operation, **given)
    assert "PROVIDER_AUTH_FAILED" == refused.value.code


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "mappings").glob("*.yaml")))
async def test_no_example_makes_a_script_fail(shipped, engine_on, call, name):
    """Every request that a shipped mapping's examples send is answered by the play, and none makes its script fail."""
    beginning = shipped(name)
    played = Play(beginning.examples.played, beginning.examples, beginning.script, beginning.now)
    engine = await engine_on(played)
    failed = []
    for example in played.examples.examples:
        if example.operation == "login":
            continue
        try:
            await call(engine, example.operation, **example.args)
        except GatewayError as error:
            if "answered 500" in error.detail:
                failed.append(f"{example.origin} {example.name}: {error.detail}")
    assert [] == failed
