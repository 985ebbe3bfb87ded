"""What a trace shows of a call: every exchange, what settled it and by which rule, and never a secret."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from hashlib import md5

import pytest

from gateway.engine.tracing import Trace, Watch
from gateway.engine.way_out.exchange import Exchange
from gateway.engine.way_out.layers import recorded
from gateway.values.errors import GatewayError, ProviderUnavailable
from gateway.values.messages import Call, Request, Response
from tests.applications import MARCH, engine_of

KEY = "provider-s3cret-key"  # of the connection that the fixtures make
SESSION = """
auth:
  session:
    login: {post: /login, json: {key: "{{ settings.key }}"}}
    token: token
    renew_when: [{status: 401}]
    send: {headers: {X-Token: "{{ token }}"}}
"""
PING = """
native:
  ping:
    safe: true
    call: {get: /ping}
"""
EACH = """
native:
  each:
    safe: true
    args: {ids: {type: list, required: true}}
    steps:
      - {name: all, for_each: {as: id, in: "{{ args.ids }}"}, call: {get: "/ping/{{ id }}"}}
"""


def told(made):
    """Give of every exchange of the last call what it was for, its attempt and what settled it."""
    return [(one.purpose, one.attempt, one.verdict) for one in made.trace.exchanges]


async def test_success(club, answered):
    """A login and the call after it are shown with step, place, request and answer, and neither secret nor token."""
    made = club(
        SESSION + PING,
        answered({"token": "t0ken-no-1", "key": KEY}, set_cookie="s=whatever"),
        answered({"you": "t0ken-no-1"}, x_you="t0ken-no-1"),
    )
    await made.run("native.ping")
    login, ping = made.trace.exchanges
    assert (KEY, "t0ken-no-1") == (json.loads(made.requests[0].body)["key"], dict(made.requests[1].headers)["X-Token"])
    assert [("login", 1, "success"), ("call", 1, "success")] == told(made)
    assert ("POST /login", "GET /ping") == (login.step, ping.step)
    assert login.origin.startswith("example.yaml:")
    assert [("POST", 200), ("GET", 200)] == [(one.request.method, one.response.status) for one in (login, ping)]
    assert {"key": "***"} == json.loads(login.request.body)
    assert {"token": "***", "key": "***"} == json.loads(login.response.body)
    assert {"set-cookie": "***"} == login.response.headers
    assert (("X-Token", "***"),) == ping.request.headers
    assert {"x-you": "***"} == ping.response.headers
    assert ("", "", "", None) == (made.trace.error, made.trace.origin, ping.code, ping.rule)
    assert not [one for one in (KEY, "t0ken-no-1", "whatever") if one in repr(made.trace)]


async def test_no_answer(club):
    """An exchange without an answer is shown with the reason."""
    made = club(PING, ProviderUnavailable(f"The provider hung up on {KEY}.", sent=True))
    with pytest.raises(ProviderUnavailable) as caught:
        await made.run("native.ping")
    (one,) = made.trace.exchanges
    assert (None, "no-answer", "PROVIDER_UNAVAILABLE") == (one.response, one.verdict, one.code)
    assert "The provider hung up on ***." == one.error == made.trace.error == caught.value.detail


@pytest.mark.parametrize(
    ("status", "body", "verdict", "code", "error"),
    [
        (409, {"code": "taken", "text": "mine"}, "rule", "BOOKING_CONFLICT", ""),
        (404, {}, "rule", "NOT_FOUND", ""),
        (418, {}, "status", "PROVIDER_ERROR", "no error rule of the mapping matches"),
        (503, {}, "status", "PROVIDER_UNAVAILABLE", "The provider answered 503."),
        (403, {}, "status", "PROVIDER_AUTH_FAILED", "The provider refuses the gateway's credentials."),
        (429, {}, "status", "RATE_LIMITED", ""),
        (200, b"<html>", "unreadable", "PROVIDER_ERROR", "the provider's answer"),
        (200, b"", "unreadable", "PROVIDER_ERROR", "the provider's answer is empty"),
    ],
)
@pytest.mark.parametrize("auth", ["", SESSION], ids=["call", "login"])
async def test_verdicts(club, answered, auth, status, body, verdict, code, error):
    """What an answer was taken to mean is shown with what settled it, of a call and of a login."""
    made = club(auth + PING, answered(body, status))
    with pytest.raises(GatewayError):
        await made.run("native.ping")
    (one,) = made.trace.exchanges
    assert ("login" if auth else "call", verdict, code) == (one.purpose, one.verdict, one.code)
    assert error in one.error
    assert (verdict == "rule") == (one.rule is not None)


async def test_rule(club, answered):
    """The rule that matched is named by its condition and its place; of two that fit, the first, an operation's own."""
    mapping = PING + "    errors:\n      - {status: [409, 410], is: INVALID_STATE}\n"
    made = club(mapping, answered({"code": "taken"}, 409))
    with pytest.raises(GatewayError) as caught:
        await made.run("native.ping")
    (one,) = made.trace.exchanges
    assert ("status: [409, 410]", "INVALID_STATE") == (one.rule.text, one.rule.code)
    assert one.rule.origin == caught.value.origin == made.trace.origin != one.origin
    assert one.rule.origin.startswith("example.yaml:")


async def test_answer_that_does_not_fit(club):
    """An answer that was a success and cannot be read is a success of the exchange; why the call failed is told."""
    made = club(
        "operations: {locations.list: {call: {get: /places}, result: {rows: data, record: place}}}",
        {"data": [{"id": 1}]},
    )
    with pytest.raises(GatewayError) as caught:
        await made.run("locations.list")
    assert [("call", 1, "success")] == told(made)
    assert (caught.value.detail, caught.value.origin) == (made.trace.error, made.trace.origin)
    assert made.trace.origin


async def test_renewal(club, answered):
    """A session that was refused is shown with the login that renewed it; the token before it is masked as well."""
    made = club(
        SESSION + PING,
        {"token": "t0ken-no-1"},
        answered({"old": "t0ken-no-1"}, 401),
        {"token": "t0ken-no-2"},
        {"a": "t0ken-no-2"},
    )
    await made.run("native.ping")
    expected = [("login", "success"), ("call", "session-refused"), ("renewal", "success"), ("call", "success")]
    assert expected == [(one.purpose, one.verdict) for one in made.trace.exchanges]
    assert "t0ken" not in repr(made.trace)


async def test_refused_twice(club, answered):
    """A session that is refused as soon as it was fetched is shown as the reason."""
    made = club(SESSION + PING, {"token": "t0ken-no-1"}, answered({}, 401), {"token": "t0ken-no-2"}, answered({}, 401))
    with pytest.raises(GatewayError):
        await made.run("native.ping")
    last = made.trace.exchanges[-1]
    assert ("session-refused", "PROVIDER_AUTH_FAILED") == (last.verdict, last.code)
    assert "a session that was fetched a moment ago" in last.error


async def test_token_of_another_time(club, answered):
    """An answer that comes after the session was renewed shows the token before it no more than any other does."""
    renewed = asyncio.Event()
    tokens = iter(("t0ken-no-1", "t0ken-no-2"))

    async def provider(request):
        if request.url.endswith("/login"):
            return answered({"token": next(tokens)})
        token = dict(request.headers)["X-Token"]
        if request.url.endswith("/slow"):
            await renewed.wait()
        elif token == "t0ken-no-1":
            return answered({}, 401)
        else:
            renewed.set()
        return answered({"yours": token})

    made = club(SESSION + EACH)
    made.answers = provider
    reply = await made.run("native.each", ids=["slow", "quick"])
    assert "t0ken-no-1" in json.dumps(reply.data)
    assert 5 == len(made.trace.exchanges)
    assert "t0ken" not in repr(made.trace)


SHORT = """
auth:
  session:
    login: {post: /login, form: {user: club, pin: "{{ settings.key }}", sum: "{{ md5(settings.key) }}"}}
    token: "join(':', [id, pin])"
    renew_when: [{status: 401}]
    send: {headers: {X-Token: "{{ token }}"}, query: {v: "2"}}
native:
  look: {safe: true, args: {q: {type: string, required: true}}, call: {get: "/look", query: {q: "{{ args.q }}"}}}
"""


async def test_short_secrets(club):
    """A short token, and one put together from parts, are masked where they are put and nowhere else."""
    made = club(SHORT, {"id": "S1", "pin": "7"}, {"said": "CLASS1 at S1:7 of 7"}, key="K7")
    await made.run("native.look", q="S1:7")
    login, look = made.trace.exchanges
    assert b"user=club&pin=***&sum=***" == login.request.body
    assert {"id": "***", "pin": "***"} == json.loads(login.response.body)
    assert ((("X-Token", "***"),), (("q", "S1:7"), ("v", "2"))) == (look.request.headers, look.request.query)
    assert {"said": "CLASS1 at S1:7 of 7"} == json.loads(look.response.body)


async def test_unread_login():
    """The answer to a login that nobody has read may hold a token that nobody knows: it is not shown."""
    trace = Trace()
    watch = Watch(trace, lambda: 1.0, attempt=1, logins=frozenset({"a.yaml:1"}))

    async def send(exchange):
        exchange.make()
        return Response(200, {}, b'{"token": "t0ken-no-1"}')

    login = Request("POST", "https://api.example/login", origin="a.yaml:1")
    call = Call("club", "native.ping", {}, "r1", deadline=60.0)
    await recorded(send)(Exchange(lambda: login, "default", call, watch))
    assert () == trace.exchanges
    trace.end()
    (one,) = trace.exchanges
    assert ("unread", b'{"token": "***"}') == (one.verdict, one.response.body)


async def test_repetition_and_wait(gateway, answered):
    """A repetition is shown by its number, and with how long it waited for the rate of its mapping."""
    made = gateway("http: {rates: {default: 1/s}}" + PING, answered({}, 503), {})

    async def sleep(seconds):
        made.time += seconds

    def clock():
        return made.time

    about = {"clock": clock, "sleep": sleep, "chance": lambda: 0.0, "retries": 2}
    made.engine = engine_of(made.engine.catalog, made.send, lambda: MARCH, **about)
    await made.run("native.ping")
    assert [("call", 1, "status"), ("call", 2, "success")] == told(made)
    first, second = made.trace.exchanges
    assert (0.0, 0.0) == (first.waited, first.seconds)
    assert 0.8 < second.waited < 1.0


SIGNED = """
http: {rates: {default: 1/s}}
auth: {headers: {X-Sign: "{{ md5(sent_at, settings.key) }}", X-At: "{{ now }}"}}
native:
  ping: {safe: true, call: {get: /ping, query: {began: "{{ now }}", at: "{{ sent_at }}"}}}
"""


async def test_signed_when_sent(gateway, answered):
    """A call that waits for its turn is made and signed when it goes, and knows when it began."""
    made = gateway(SIGNED, {}, answered({}, 503), {})

    async def sleep(seconds):
        made.time += seconds

    def clock():
        return made.time

    def now():
        return MARCH + round((made.time - 1000) * 1000)

    about = {"clock": clock, "sleep": sleep, "chance": lambda: 0.0, "retries": 2}
    made.engine = engine_of(made.engine.catalog, made.send, now, **about)
    for _ in range(2):
        await made.run("native.ping")
    at = [(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat() for seconds in range(3)]
    assert [(at[0], at[0]), (at[0], at[1]), (at[0], at[2])] == [
        (dict(one.query)["began"], dict(one.query)["at"]) for one in made.requests
    ]
    assert [md5(f"{one}{KEY}".encode()).hexdigest() for one in at] == [
        dict(one.headers)["X-Sign"] for one in made.requests
    ]
    assert at == [dict(one.headers)["X-At"] for one in made.requests]


async def test_rate_used_up(gateway):
    """A call that the rate leaves no room for is shown as not sent."""
    made = gateway("http: {rates: {default: 1/h}}" + PING, {})
    await made.run("native.ping")
    with pytest.raises(GatewayError) as caught:
        await made.run("native.ping")
    (one,) = made.trace.exchanges
    assert ("RATE_LIMITED", "no-answer", 1) == (caught.value.code, one.verdict, len(made.requests))
    assert "The rate of calls to this provider is used up" in one.error


async def test_nothing_sent(club):
    """A call that failed before anything was sent has a trace that says why."""
    made = club(
        'native: {ping: {args: {x: {type: object, required: true}}, call: {get: "/{{ args.x.a | default([]) }}"}}}'
    )
    with pytest.raises(GatewayError) as caught:
        await made.run("native.ping", x={})
    assert () == made.trace.exchanges
    assert caught.value.detail == made.trace.error
