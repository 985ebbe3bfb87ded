"""Golden examples against their recordings: everything that differs is told, and nothing is sent anywhere."""

import json
from dataclasses import replace

import pytest

from gateway.examples.comparison import differences
from gateway.examples.files import load_examples
from gateway.examples.playback import run_example, run_hook
from gateway.mapping.compile import compile_provider
from gateway.model.model import load

MAPPING = {
    "auth": {
        "session": {
            "login": {"post": "/login", "json": {"key": "{{ settings.key }}"}},
            "token": "token",
            "renew_when": [{"status": 401}],
            "send": {"headers": {"X-Token": "{{ token }}"}},
        }
    },
    "http": {"code": "code", "message": "text"},
    "errors": [{"status": 404, "is": "NOT_FOUND", "details": {"at": "{{ body.at }}"}}],
    "records": {"place": {"of": "Location", "fields": {"id": "id", "name": "name", "time_zone": {"value": "UTC"}}}},
    "operations": {
        "locations.list": {
            "call": {"get": "/places", "query": {"all": "1"}},
            "result": {"rows": "data", "record": "place"},
        },
        "locations.get": {"call": {"get": "/places/{{ args.id }}"}, "result": {"at": "data", "record": "place"}},
    },
    "native": {
        "send": {
            "args": {"to": {"type": "list", "required": True}},
            "steps": [
                {
                    "name": "all",
                    "for_each": {"in": "{{ args.to }}", "as": "one"},
                    "call": {"post": "/send", "form": {"to": ["{{ one }}"]}, "headers": {"X-A": "a"}},
                }
            ],
            "result": {"at": "length(all)"},
        },
        "rpc": {"safe": True, "call": {"jsonrpc": {"method": "m", "params": [1]}}, "result": {"at": "result"}},
        "once": {"call": {"put": "/o/{{ uuid() }}", "headers": {"Idempotency-Key": "{{ idempotency_key }}"}}},
    },
}
BASE = "https://api.example"
LIST = {"request": {"get": f"{BASE}/places", "query": {"all": "1"}}, "answer": {"json": {"data": []}}}
PLACE = {"id": "1", "name": "a", "time_zone": "UTC"}


@pytest.fixture
def ran(tmp_path, merged):
    """Give a function that runs one example of the mapping above and gives the differences."""
    (tmp_path / "examples").mkdir()

    async def of(*, mapping=MAPPING, **example):
        document = merged(mapping, str(tmp_path / "example.yaml"), {(): (1, 1)}, {})
        plan, findings = compile_provider(document, load())
        assert [] == [str(one) for one in findings if one.level == "error"]
        text = {
            "provider": "example",
            "settings": {"time_zone": "UTC", "currency": "EUR", "key": "s3cret"},
            "now": "2026-03-01T09:00:00+01:00",
            "token": "t0",
            "examples": [{"name": "one", **example}],
        }
        (tmp_path / "examples" / "example.yaml").write_text(json.dumps(text), encoding="utf-8")
        examples, findings = load_examples(plan)
        assert [] == [str(one) for one in findings if one.level == "error"]
        (one,) = examples.examples
        return [line.replace(str(tmp_path), "") for line in (await run_example(examples, one, load())).differences]

    return of


async def test_holds(ran):
    """An example that is as recorded has no differences; headers it does not name are not compared."""
    assert [] == await ran(operation="locations.list", exchanges=[LIST], gives=[])
    named = LIST | {"request": LIST["request"] | {"headers": {"x-token": "t0"}}}
    assert [] == await ran(operation="locations.list", exchanges=[named], gives=[])


@pytest.mark.parametrize("key", ["0190a5f4-7c1e-7d6b-8a42-3f5e9c1d2b70", None])
async def test_idempotency_key(ran, key):
    """The key of an example is what templates see; without one it is the id of the call's own."""
    own = "00000000-0000-4000-8000-000000000001"
    request = {"put": f"{BASE}/o/{own}", "headers": {"Idempotency-Key": key or own}}
    given = {"idempotency_key": key} if key is not None else {}
    exchanges = [{"request": request, "answer": {"json": 1}}]
    assert [] == await ran(operation="native.once", exchanges=exchanges, gives=1, **given)
    wrong = {"idempotency_key": "0190a5f4-7c1e-7d6b-8a42-000000000000"}
    assert await ran(operation="native.once", exchanges=exchanges, gives=1, **wrong)


async def test_result(ran):
    """What is given otherwise than the example says is told place by place."""
    found = LIST | {"answer": {"json": {"data": [{"id": 1, "name": "b"}]}}}
    wanted = [PLACE | {"city": "Ulm"}]
    assert [
        '[0].name: expected "a", got "b"',
        '[0].city is missing, expected "Ulm"',
    ] == await ran(operation="locations.list", exchanges=[found], gives=wanted)


@pytest.mark.parametrize(
    ("request_", "difference"),
    [
        ({"get": f"{BASE}/place", "query": {"all": "1"}}, f"expects GET {BASE}/place"),
        ({"post": f"{BASE}/places", "query": {"all": "1"}}, f"expects POST {BASE}/places"),
        ({"get": f"{BASE}/places"}, 'query: all was not expected, got "1"'),
        ({"get": f"{BASE}/places", "query": {"all": "2"}}, 'query: all: expected "2", got "1"'),
        ({"get": f"{BASE}/places", "query": {"all": "1", "b": "c"}}, 'query: b is missing, expected "c"'),
        ({**LIST["request"], "headers": {"X-Token": "t1"}}, "header x-token is not as expected"),
        ({**LIST["request"], "json": {"a": 1}}, 'body: the value: expected {"a": 1}, got null'),
    ],
)
async def test_unexpected_request(ran, request_, difference):
    """A request that no exchange expects is told beside every exchange that is left, and what went wrong after it."""
    exchange = {"request": request_, "answer": {"json": {"data": []}}}
    sent, missing, failed = await ran(operation="locations.list", exchanges=[exchange], gives=[])
    assert sent.startswith(f"sent GET {BASE}/places?all=1")
    assert sent.endswith(difference)
    assert "/examples/example.yaml:1: this exchange was expected and never asked for" == missing
    assert "failed with PROVIDER_UNAVAILABLE: The provider answered 599." == failed


async def test_no_exchange_left(ran):
    """A request more than recorded is told."""
    sent, _ = await ran(operation="locations.list", exchanges=[], gives=[])
    assert sent.endswith("which no exchange expects:\n  no exchange is left")


async def test_never_asked(ran):
    """An exchange that is never asked for is told, though the result is right."""
    told = await ran(operation="locations.list", exchanges=[LIST, LIST], gives=[])
    assert ["/examples/example.yaml:1: this exchange was expected and never asked for"] == told


NOT_FOUND = {
    "request": {"get": f"{BASE}/places/7"},
    "answer": {"status": 404, "json": {"code": 5, "text": "gone", "at": "x"}, "headers": {"Retry-After": "9"}},
}


@pytest.mark.parametrize(
    ("fails", "told"),
    [
        ({"code": "INVALID_LOCATION"}, []),
        ({"code": "INVALID_LOCATION", "provider_code": "5", "provider_message": "gone", "details": {"at": "x"},
          "retry_after": 9.0, "detail": ""}, []),
        ({"code": "NOT_FOUND"}, ['code: expected "NOT_FOUND", got "INVALID_LOCATION"']),
        ({"provider_code": "6"}, ['provider_code: expected "6", got "5"']),
        ({"details": {}}, ['details.at was not expected, got "x"']),
        ({"retry_after": None}, ["retry_after: expected null, got 9.0"]),
    ],
)  # fmt: skip
async def test_failure(ran, fails, told):
    """Of an error that is what is compared which the example holds."""
    assert told == await ran(operation="locations.get", args={"id": "7"}, exchanges=[NOT_FOUND], fails=fails)


async def test_failure_instead_of_result(ran):
    """A call that fails where a result was expected is told, and the other way round."""
    told = await ran(operation="locations.get", args={"id": "7"}, exchanges=[NOT_FOUND], gives=PLACE)
    assert ["failed with INVALID_LOCATION: "] == told
    told = await ran(operation="locations.list", exchanges=[LIST], fails={"code": "NOT_FOUND"})
    assert ["expected NOT_FOUND, but it succeeded with []"] == told


async def test_arguments_are_checked(ran):
    """The arguments of an example are held to the contract, or to the mapping's own declaration."""
    assert (await ran(operation="locations.get", args={}, gives=PLACE))[0].startswith("failed with VALIDATION_ERROR")
    assert (await ran(operation="native.send", args={}, gives=0))[0].startswith("failed with VALIDATION_ERROR: `to`")


def sent(to):
    """An exchange of the fan-out."""
    request = {"post": f"{BASE}/send", "form": {"to": [to]}, "headers": {"X-A": "a"}}
    return {"request": request, "answer": {"json": {"ok": to}}}


async def test_any_order(ran):
    """Exchanges may stand in another order than they are asked in; each answers one request."""
    args = {"to": ["x", "y", "x"]}
    assert [] == await ran(operation="native.send", args=args, exchanges=[sent("y"), sent("x"), sent("x")], gives=3)
    told = await ran(operation="native.send", args=args, exchanges=[sent("y"), sent("x")], gives=3)
    assert told[0].startswith(f"sent POST {BASE}/send to%5B0%5D=x, which no exchange expects:")


async def test_json_rpc(ran):
    """JSON-RPC: the method and its params are compared, and the answer has the number of its request."""
    rpc = {"request": {"post": BASE, "jsonrpc": {"method": "m", "params": [1]}}, "answer": {"result": 5}}
    assert [] == await ran(operation="native.rpc", exchanges=[rpc], gives=5)
    other = rpc | {"request": {**rpc["request"], "jsonrpc": {"method": "m", "params": [2]}}}
    told = await ran(operation="native.rpc", exchanges=[other], gives=5)
    assert "body: params[0]: expected 2, got 1" in told[0]


async def test_login(ran):
    """The login of a session is an example of its own, and gives the token."""
    login = {"request": {"post": f"{BASE}/login", "json": {"key": "s3cret"}}, "answer": {"json": {"token": "t1"}}}
    assert [] == await ran(operation="login", exchanges=[login], gives="t1")
    (told,) = await ran(mapping=MAPPING | {"auth": "none"}, operation="login", exchanges=[], gives="t1")
    assert "has no login" in told


@pytest.mark.parametrize(
    ("expected", "actual", "told"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]}, []),
        (1, True, ["the value: expected 1, got true"]),
        (0, False, ["the value: expected 0, got false"]),
        (None, False, ["the value: expected null, got false"]),
        ("1", 1, ['the value: expected "1", got 1']),
        ([1], [1, 2], ["the value: expected [1], got [1, 2]"]),
        ({}, [], ["the value: expected {}, got []"]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3, "d": 4}},
         ["a.b is missing, expected 1", "a.c: expected 2, got 3", "a.d was not expected, got 4"]),
        ([[1, 2]], [[1, 3]], ["[0][1]: expected 2, got 3"]),
        ("x" * 300, "", [f'the value: expected "{"x" * 199}…, got ""']),
    ],
)  # fmt: skip
def test_differences(expected, actual, told):
    """Every place where two values differ is told, numbers by value, true and false by kind, long ones cut."""
    assert told == differences(expected, actual)


HOOK = {
    "records": MAPPING["records"] | {"customer": {"of": "Customer", "fields": {"id": "id", "name": "name"}}},
    "operations": {
        "customers.get": {"call": {"get": "/people/{{ args.id }}"}, "result": {"at": "data", "record": "customer"}}
    },
    "hooks": {
        "people": {
            "verify": {"equals": {"club": "north"}, "fetch": {"forged": ["CUSTOMER_NOT_FOUND"]}},
            "dedupe": ["id"],
            "type": {"at": "kind", "as": {"enum": {"new": "customer.created"}, "else": "ignore"}},
            "fetch": {"run": "customers.get", "with": {"id": "{{ body.id }}"}},
            "reply": {"status": 200, "text": "OK"},
            "replies": {"CUSTOMER_NOT_FOUND": {"status": 400}, "RATE_LIMITED": {"status": 200, "text": "later"}},
        }
    },
}
SENT = {"json": {"kind": "new", "id": "7", "club": "north"}}
ADA = {"type": "customer.created", "data": {"id": "7", "name": "Ada"}}
FETCH = {"request": {"get": f"{BASE}/people/7"}, "answer": {"json": {"data": {"id": "7", "name": "Ada"}}}}


def fetched(**answer):
    return [FETCH | {"answer": answer}]


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ({"exchanges": [FETCH], "messages": [ADA]}, []),
        ({"exchanges": [FETCH], "messages": [ADA | {"fetch": {"run": "customers.get", "with": {"id": "7"}}}]}, []),
        ({"exchanges": [FETCH], "messages": [ADA], "reply": {"status": 200, "text": "OK"}}, []),
        ({"exchanges": [FETCH], "messages": [ADA], "reply": {"status": 204}}, ["reply.status: expected 204, got 200"]),
        ({"exchanges": [FETCH], "messages": [ADA], "reply": {"json": 1}}, ["reply.json: expected 1, got null"]),
        ({"exchanges": [FETCH], "messages": [{"type": "ignore"}]}, ["[0].type: expected", "[0].data was not expected"]),
        (
            {"exchanges": [FETCH], "messages": [ADA | {"fetch": {}}]},
            ["fetch.run was not", "fetch.with was not"],
        ),
        ({"exchanges": [FETCH], "fails": {"code": "UNAUTHORIZED"}}, ["expected UNAUTHORIZED, but it succeeded"]),
        ({"exchanges": [FETCH, FETCH], "messages": [ADA]}, ["this exchange was expected and never asked for"]),
        ({"messages": [ADA]}, ["sent GET", "failed with"]),
        ({"exchanges": fetched(status=404), "fails": {"code": "UNAUTHORIZED"}, "reply": {"status": 401}}, []),
        ({"exchanges": fetched(status=400), "fails": {"code": "PROVIDER_ERROR"}, "reply": {"status": 503}}, []),
        ({"exchanges": fetched(status=429), "fails": {"code": "RATE_LIMITED"}, "reply": {"status": 503}}, []),
        ({"received": {"json": {"club": "south"}}, "fails": {"code": "UNAUTHORIZED"}, "reply": {"status": 401}}, []),
        ({"received": {"text": "{"}, "fails": {"code": "PROVIDER_ERROR"}, "reply": {"status": 401}}, []),
        ({"hook": "persons", "fails": {"code": "NOT_FOUND"}}, []),
    ],
)
async def test_hooks(tmp_path, merged, example, told):
    """A message is held against what it comes to, its fetch and its answer included; a forged one is told from one
    that cannot be looked at now, which is to be sent again."""
    found = await hook_ran(tmp_path, merged, HOOK, example)
    assert [] == [one for one in told if not any(one in line for line in found)]
    assert bool(told) == bool(found), found


CHALLENGED = {
    "hmac": "sha256",
    "keys": ["{{ settings.key }}"],
    "signature": {"header": "X-Signature"},
    "signed": ["body"],
    "challenge": {"when": "kind == 'ask'", "value": {"path": "text"}, "json": {"answer": "{{ value }}"}},
}
ASKED = {"json": {"kind": "ask", "text": "abc"}}


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ({"received": ASKED, "messages": [], "reply": {"status": 200, "json": {"answer": "abc"}}}, []),
        ({"received": ASKED, "messages": [], "reply": {"json": {}}}, ["reply.json.answer was not expected"]),
        ({"received": ASKED, "messages": [ADA]}, ["expected [{"]),
        ({"received": ASKED | {"headers": {"X-Signature": "0" * 64}}, "fails": {"code": "UNAUTHORIZED"}}, []),
        ({"exchanges": [FETCH], "messages": [ADA], "reply": {"text": "OK"}}, []),
    ],
)
async def test_challenge(tmp_path, merged, example, told):
    """A challenge comes to no message and is answered with what it asks for; what is none is a message as ever."""
    hook = HOOK["hooks"]["people"] | {"verify": CHALLENGED}
    found = await hook_ran(tmp_path, merged, HOOK | {"hooks": {"people": hook}}, example)
    assert [] == [one for one in told if not any(one in line for line in found)]
    assert bool(told) == bool(found), found


async def hook_ran(tmp_path, merged, mapping, example):
    """Run one example of a hook and give the differences."""
    (tmp_path / "examples").mkdir()
    errors = [{"status": 404, "is": "NOT_FOUND"}]
    document = merged(mapping | {"errors": errors}, str(tmp_path / "example.yaml"), {(): (1, 1)}, {})
    plan, findings = compile_provider(document, load())
    assert [] == [str(one) for one in findings if one.level == "error"]
    settings = {"time_zone": "UTC", "currency": "EUR", "key": "s3cret"}
    one = {"name": "a", "hook": "people", "received": SENT} | example
    text = {"provider": "example", "settings": settings, "now": "2026-03-01T09:00:00Z", "examples": [one]}
    (tmp_path / "examples" / "example.yaml").write_text(json.dumps(text), encoding="utf-8")
    other = replace(plan.hooks["people"], needs={"party": "no connection has it"})
    examples, _ = load_examples(replace(plan, hooks=plan.hooks | {"persons": other}))
    return (await run_hook(examples, examples.hooks[0], load())).differences
