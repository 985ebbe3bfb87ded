"""The engine around a call: what it may ask for, how much time it has, and what nobody may see of it."""

import asyncio
import base64
import json
from dataclasses import replace

import pytest

from gateway.engine.catalog import Catalog
from gateway.values.errors import GatewayError, NotMapped, ProviderUnavailable, Unsupported
from gateway.values.messages import Call, Response

KEY = "provider-s3cret-key"  # of the connection that the fixtures make
PLACES = """
operations:
  locations.list: {call: {get: /places}, result: {rows: data, record: place}}
native:
  ping: {safe: true, call: {get: /ping, timeout: 20s}}
"""


async def test_unknown_connection(club):
    """A connection that is not configured is told before anything is sent."""
    made = club(PLACES)
    with pytest.raises(NotMapped, match="There is no connection `clubb`") as caught:
        await made.engine.run(Call("clubb", "locations.list", {}, "r1", 9e9))
    assert ("CONNECTION_NOT_FOUND", []) == (caught.value.code, made.requests)


@pytest.mark.parametrize(
    ("operation", "kind", "details"),
    [
        ("bookings.list", Unsupported, {"capability": "bookings.list", "reason": "not here"}),
        ("nothing.list", Unsupported, {"capability": "nothing.list", "reason": "the provider does not offer it"}),
        ("native.pong", NotMapped, {}),
        ("ping", Unsupported, {"capability": "ping", "reason": "the provider does not offer it"}),
    ],
)
async def test_unknown_operation(club, operation, kind, details):
    """An operation that the provider cannot do is told with the reason the mapping gives."""
    made = club(PLACES)
    with pytest.raises(kind, match=r"^Example (cannot do|has no native operation)") as caught:
        await made.engine.run(Call("club", operation, {}, "r1", 9e9))
    assert (details, []) == (caught.value.details, made.requests)


# Time.


@pytest.mark.parametrize(("seconds", "given"), [(25.0, 20.0), (12.5, 12.5), (0.001, 0.001)])
async def test_time_left(club, seconds, given):
    """A request has as long as its call says, but no longer than the caller has time."""
    made = club(PLACES, {})
    await made.run("native.ping", seconds=seconds)
    assert given == pytest.approx(made.requests[0].timeout)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_no_time_left(club, seconds):
    """When the time is used up nothing is sent any more."""
    made = club(PLACES)
    with pytest.raises(ProviderUnavailable) as caught:
        await made.run("native.ping", seconds=seconds)
    assert ("PROVIDER_TIMEOUT", False, []) == (caught.value.code, caught.value.sent, made.requests)


async def test_time_used_up_on_the_way(club):
    """The time is the call's, not each request's: what the first has used the second does not have."""
    made = club(
        "native: {two: {safe: true, steps: [{name: a, call: {get: /a}}, {name: b, call: {get: /b}}], result: {at: b}}}"
    )

    async def answers(request):
        made.time += 18.0
        return {}

    made.answers = answers
    await made.run("native.two", seconds=25.0)
    assert [10.0, 7.0] == [one.timeout for one in made.requests]
    with pytest.raises(ProviderUnavailable):
        await made.run("native.two", seconds=15.0)
    assert 3 == len(made.requests)


# The catalog.


async def test_another_catalog(club):
    """Calls under way end on the catalog they began with; later ones run on the new one."""
    made, other = club(PLACES), club(PLACES.replace("/places", "/sites"))
    going, gate = asyncio.Event(), asyncio.Event()

    async def answers(request):
        going.set()
        await gate.wait()
        return {"data": []}

    made.answers = answers
    first = asyncio.ensure_future(made.run("locations.list"))
    await going.wait()
    made.engine.use(other.engine.catalog)
    gate.set()
    await first
    await made.run("locations.list")
    assert ["GET /places", "GET /sites"] == made.sent
    assert other.engine.catalog is made.engine.catalog


SESSION = """
auth:
  session:
    login: {post: /login, json: {key: "{{ settings.key }}"}}
    token: token
    renew_when: [{status: 401}]
    send: {headers: {X-Token: "{{ token }}"}}
native:
  ping: {safe: true, call: {get: /ping}}
"""


async def test_session_of_a_connection(club):
    """A session lasts from call to call, whatever else changes of the connection; other credentials begin a new one."""
    made = club(SESSION, {"token": "t0ken-1"}, {}, {}, {}, {"token": "t0ken-2"}, {})
    await made.run("native.ping")
    await made.run("native.ping")
    old = made.engine.catalog.connections["club"]
    made.engine.use(Catalog("v2", {}, {"club": replace(old, digest="another")}))
    await made.run("native.ping")
    settings = {**old.revealed["settings"], "key": "another"}
    made.engine.use(Catalog("v3", {}, {"club": replace(old, revealed={**old.revealed, "settings": settings})}))
    await made.run("native.ping")
    tokens = [dict(one.headers).get("X-Token") for one in made.requests]
    assert [None, "t0ken-1", "t0ken-1", "t0ken-1", None, "t0ken-2"] == tokens


async def test_numbers_of_calls(club):
    """Every JSON-RPC request has another number, also on another connection and of another call."""
    made = club(
        "native: {rpc: {safe: true, call: {jsonrpc: {method: m, params: []}}, result: {at: result}}}",
        *[{"result": 1}] * 3,
    )
    for _ in range(3):
        assert 1 == (await made.run("native.rpc")).data
    assert 3 == len({json.loads(one.body)["id"] for one in made.requests})


async def test_now(club):
    """A mapping sees one instant for the whole call, and its signature the same clock."""
    text = """
auth: {headers: {X-Time: "{{ now }}", X-Key: "{{ settings.key }}"}}
native: {now: {safe: true, call: {get: /now, query: {at: "{{ now }}"}}}}
"""
    made = club(text, {}, now="2026-03-01T08:00:00.987+00:00")
    await made.run("native.now")
    assert ["GET /now?at=2026-03-01T08:00:00+00:00"] == made.sent
    assert "2026-03-01T08:00:00+00:00" == dict(made.requests[0].headers)["X-Time"]


# Provider data.


async def test_provider_data(club):
    """The provider's own objects are given when they are asked for, in the order of the result, without secrets."""
    rows = [{"id": 2, "name": "b", "pin": 1, "Hash": "x"}, {"id": 1, "name": "a", "extra": {"token": "t", "deep": [1]}}]
    made = club(PLACES, {"data": rows}, {"data": rows})
    assert [None, None] == (await made.run("locations.list")).raw
    call = Call("club", "locations.list", {}, "r1", 9e9, include=frozenset({"provider_data"}))
    reply = await made.engine.run(call)
    assert [{"id": 2, "name": "b"}, {"id": 1, "name": "a", "extra": {"deep": [1]}}] == reply.raw


# Secrets.

TOLD = """
http: {code: code, message: text}
errors: [{status: 409, is: BOOKING_CONFLICT, details: {said: ["{{ body.text }}"], more: {deep: "{{ body.text }}"}}}]
native: {ping: {safe: true, call: {get: /ping}}}
"""
ECHOES = [
    KEY,
    f"key={KEY}&x",
    json.dumps({"k": KEY}),
    base64.b64encode(f"user:{KEY}".encode()).decode(),
]


@pytest.mark.parametrize("echo", ECHOES)
async def test_echoed_secret(gateway, answered, echo):
    """A secret that a provider repeats reaches nobody, in no spelling: not in its words and not in the details."""
    made = gateway(TOLD, answered({"code": echo, "text": f"wrong {echo}"}, 409))
    with pytest.raises(GatewayError) as caught:
        await made.run("native.ping")
    error = caught.value
    told = f"{error!r} {error.detail} {error.details} {error.provider}"
    assert ("BOOKING_CONFLICT", "example") == (error.code, error.provider["name"])
    assert "***" in error.provider["message"]
    assert "***" in error.details["more"]["deep"]
    assert not [one for one in (KEY, echo) if one in told]


async def test_secret_at_the_cut(club, answered):
    """A provider's words are cut only after they are masked, so that half a secret is not left over."""
    made = club(PLACES, answered({"code": 1, "text": "w" * 490 + KEY}, 409))
    with pytest.raises(GatewayError) as caught:
        await made.run("native.ping")
    assert "w" * 490 + "***" == caught.value.provider["message"]


async def test_echoed_token(club, answered):
    """A session's token is as secret as what it was got for."""
    made = club(SESSION, {"token": "t0ken-no-1"}, answered({"code": 1, "text": "no t0ken-no-1"}, 400))
    with pytest.raises(GatewayError) as caught:
        await made.run("native.ping")
    assert "no ***" == caught.value.provider["message"]


async def test_log(club, answered, caplog):
    """The log tells of every exchange with host, method, status and time, and never the URL, a body or a header."""
    made = club(PLACES, replace(answered({"k": KEY}), elapsed=0.25), ProviderUnavailable("Gone.", sent=True))
    with caplog.at_level("INFO", logger="gateway"):
        await made.run("native.ping")
        with pytest.raises(ProviderUnavailable):
            await made.run("native.ping")
    about = {"request": "r1", "connection": "club", "method": "GET", "host": "api.example"}
    assert [
        ("provider.answered", about | {"status": 200, "seconds": 0.25}),
        ("provider.failed", about | {"reason": "Gone."}),
    ] == [(one.getMessage(), one.fields) for one in caplog.records]


async def test_log_of_a_misfit(club, caplog):
    """What does not fit a mapping is logged with its line, so that somebody can mend it."""
    made = club(PLACES, Response(200, {}, b'{"data": 5}'))
    with caplog.at_level("INFO", logger="gateway"), pytest.raises(GatewayError) as caught:
        await made.run("locations.list")
    (line,) = [one.fields for one in caplog.records if one.getMessage() == "mapping.failed"]
    assert (caught.value.origin, "locations.list", "r1") == (line["origin"], line["operation"], line["request"])


@pytest.mark.parametrize("status", [200, 400, 401, 500])
async def test_who_failed(club, answered, status):
    """An error of a provider names it also where it said nothing, and no folder of the mapping's file."""
    ping = "native: {ping: {safe: true, call: {get: /ping}}}"
    made = club(ping, *[answered(b"<html>", status)] * 3)
    with pytest.raises(GatewayError) as caught:
        await made.run("native.ping")
    assert "example" == caught.value.provider["name"]
    assert "/" not in caught.value.detail
