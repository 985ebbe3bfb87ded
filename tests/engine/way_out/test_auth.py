"""Who we are to a provider: what is added to requests, and sessions that log in once however many calls wait."""

import asyncio
import base64
import json
from dataclasses import replace

import pytest

from gateway.engine.way_out.auth import Session, signed
from gateway.engine.way_out.exchange import Exchange
from gateway.values.errors import (
    GatewayError,
    MappingFault,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)
from gateway.values.messages import Call, Request

SECRET = "s3cr&t+kéy"
SCOPE = {
    "settings": {"base_url": "https://api.example", "user": "club", "key": SECRET, "currency": "EUR"},
    "now": "2026-03-01T09:00:00+01:00",
}
USER = "settings: {user: {type: string}}\n"
SESSION = """
settings: {user: {type: string}}
auth:
  session:
    login: {post: /login, json: {user: "{{ settings.user }}", key: "{{ settings.key }}"}}
    token: data.token
    expires: 55m
    renew_when: [{status: 401}, {when: "error == 'expired'"}, {header: {X-Session: "^over$"}},
      {when: "{{ body.state == 'ended' and status == 200 and settings.user == 'club' }}"}]
    send: {headers: {X-Token: "{{ token }}"}, query: {user: "{{ settings.user }}"}}
errors:
  - {when: "error == 'locked'", is: LIMIT_EXCEEDED, message: text}
"""
REQUEST = Request("GET", "https://api.example/things", headers=(("X-A", "a"),), query=(("q", "1"),))
CALL = Call("club", "bookings.get", {}, "r1", deadline=60.0)
FORM = replace(REQUEST, method="POST", headers=(("Content-Type", "application/x-www-form-urlencoded"),), body=b"a=1")


async def sent(plan, request=REQUEST, scope=SCOPE):
    """Give what arrives at the provider when a request is signed."""
    found = []

    async def send(arrived):
        found.append(arrived)

    await signing(send, plan, Session(lambda: 0.0), scope)(request)
    return found[0]


def signing(send, plan, session, scope=SCOPE):
    """Give a Send that signs as a plan says, and waits for nothing before it does."""

    async def at_once(exchange):
        return await send(exchange.make())

    way = signed(at_once, plan.auth, lambda: scope, session, plan.rules)
    return lambda request: way(Exchange(lambda: request, request.limit, CALL))


# Static schemes.


async def test_query(compiled):
    """Query parameters come behind those of the call."""
    plan = compiled('auth: {query: {api_key: "{{ settings.key }}"}}')
    assert replace(REQUEST, query=(("q", "1"), ("api_key", SECRET))) == await sent(plan)


async def test_headers(compiled):
    """Headers come behind those of the call; a signature is made of the time of the call."""
    plan = compiled('auth: {headers: {X-Key: "{{ settings.key }}", X-Sign: "{{ md5(now, settings.key) }}"}}')
    names = [name for name, _ in (await sent(plan)).headers]
    assert ["X-A", "X-Key", "X-Sign"] == names


async def test_basic(compiled):
    """User and password are joined and encoded as RFC 7617 says; a text in the mapping counts like a template."""
    plan = compiled(USER + 'auth: {basic: {user: "{{ settings.user }}", password: "{{ settings.key }}"}}')
    plain = compiled('auth: {basic: {user: club, password: "{{ settings.key }}"}}')
    expected = "Basic " + base64.b64encode(f"club:{SECRET}".encode()).decode()
    assert ("Authorization", expected) == (await sent(plan)).headers[-1] == (await sent(plain)).headers[-1]


async def test_basic_of_the_rfc(compiled):
    """The RFC's own example comes out as it stands there."""
    plan = compiled('auth: {basic: {user: Aladdin, password: "{{ settings.key }}"}}')
    scope = {"settings": {"key": "open sesame"}}
    assert ("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == (await sent(plan, scope=scope)).headers[-1]


async def test_form(compiled):
    """Form fields come behind those of a form, and nowhere else."""
    day = "native: {day: {safe: true, call: {post: /day, form: {a: b}}}}"
    plan = compiled(f'auth: {{form: {{key: "{{{{ settings.key }}}}", deep: {{a: [1]}}}}}}\n{day}')
    assert b"a=1&key=s3cr%26t%2Bk%C3%A9y&deep%5Ba%5D%5B0%5D=1" == (await sent(plan, FORM)).body
    assert b"key=s3cr%26t%2Bk%C3%A9y&deep%5Ba%5D%5B0%5D=1" == (await sent(plan, replace(FORM, body=b""))).body
    assert REQUEST == await sent(plan)


async def test_form_that_the_mapping_declares(compiled):
    """A form is one however the mapping writes its type, and of one header the scheme's goes out."""
    day = "native: {day: {safe: true, call: {post: /day, form: {a: b}}}}"
    plan = compiled(f'auth: {{form: {{key: "{{{{ settings.key }}}}"}}, headers: {{x-a: scheme}}}}\n{day}')
    declared = (("X-A", "call"), ("content-type", "application/x-www-form-urlencoded; charset=utf-8"))
    found = await sent(plan, replace(FORM, headers=declared, body=b""))
    assert b"key=s3cr%26t%2Bk%C3%A9y" == found.body
    assert (("x-a", "scheme"), declared[1]) == found.headers


async def test_none(compiled):
    """A provider that asks for nothing gets nothing."""
    assert REQUEST == await sent(compiled("settings: {key: null}\nauth: none"))


@pytest.mark.parametrize(
    "scheme",
    [
        '{headers: {X-User: "{{ settings.user }}"}, query: {k: "{{ settings.key }}"}}',
        '{query: {user: "{{ settings.user }}"}, headers: {k: "{{ settings.key }}"}}',
        '{basic: {user: "{{ settings.user }}", password: "{{ settings.key }}"}}',
    ],
)
async def test_nothing_where_something_is_needed(compiled, scheme):
    """A setting that a connection did not give is a fault named by its place, and is not sent as a word for nothing."""
    settings = {**SCOPE["settings"], "user": None}
    with pytest.raises(MappingFault, match=r"^example\.yaml:\d+: ") as caught:
        await sent(compiled(f"{USER}auth: {scheme}"), scope={"settings": settings})
    assert SECRET not in repr(caught.value)


# Sessions.


class Provider:
    """A provider with a login: tokens are t1, t2, …; those in `dead` are refused. `tell` answers a login instead."""

    def __init__(self, answered):
        self.answered = answered
        self.logins = []
        self.calls = []
        self.dead = set()
        self.tell = None
        self.time = 0.0

    async def __call__(self, request):
        await asyncio.sleep(0.001)  # others get their turn
        if request.url.endswith("/login"):
            self.logins.append(request)
            if self.tell is not None:
                return self.tell()
            return self.answered({"data": {"token": f"t{len(self.logins)}"}})
        token = dict(request.headers)["X-Token"]
        self.calls.append(token)
        if token in self.dead:
            return self.answered({"error": "no"}, 401)
        return self.answered({"fine": True})


@pytest.fixture
def provider(answered):
    """Give the provider with a login."""
    return Provider(answered)


@pytest.fixture
def session(provider):
    """Give a session on the provider's clock."""
    return Session(lambda: provider.time)


@pytest.fixture
def send(provider, session, compiled):
    """Give a Send that signs in to the provider."""
    plan = compiled(SESSION)
    return signing(provider, plan, session)


async def test_login(provider, send):
    """The first call logs in over the bare way, and what the session sends goes with every call."""
    await send(REQUEST)
    await send(REQUEST)
    (login,) = provider.logins
    assert ("POST", "https://api.example/login") == (login.method, login.url)
    assert {"user": "club", "key": SECRET} == json.loads(login.body)
    assert (("Content-Type", "application/json"),) == login.headers
    assert ["t1", "t1"] == provider.calls


@pytest.mark.parametrize("dead", [set(), {"old"}])
async def test_one_login_for_many(provider, session, send, dead):
    """Fifty calls at once that find no token, or an expired one, wait for one login."""
    provider.dead = dead
    session.token = "old" if dead else None
    answers = await asyncio.gather(*(send(REQUEST) for _ in range(50)))
    assert 1 == len(provider.logins)
    assert [200] * 50 == [one.status for one in answers]
    assert (50 if dead else 0, 50) == (provider.calls.count("old"), provider.calls.count("t1"))


async def test_late_refusal(provider, session, compiled):
    """A call that learns of its dead token only after others have renewed it takes the new one and logs in no more."""
    session.token, provider.dead = "old", {"old"}
    plan, renewed = compiled(SESSION), asyncio.Event()

    async def uneven(request):
        answer = await provider(request)
        token = dict(request.headers).get("X-Token")
        if token == "t1":
            renewed.set()
        elif token == "old" and provider.calls.count("old") > 1:
            await renewed.wait()
        return answer

    send = signing(uneven, plan, session)
    await asyncio.gather(send(REQUEST), send(REQUEST))
    assert (1, ["old", "old", "t1", "t1"]) == (len(provider.logins), provider.calls)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (401, {}, {}),
        (200, {"error": "expired"}, {}),
        (200, {"state": "ended"}, {}),
        (200, b"", {"x_session": "over"}),
        (500, b"\xff", {"x_session": "over"}),
    ],
)
async def test_refused_once(provider, answered, compiled, status, body, headers):
    """A session that is refused, in whatever way the mapping says, is renewed and the same request sent once more."""
    plan, asked = compiled(SESSION), []

    async def refusing(request):
        if request.url.endswith("/login"):
            return await provider(request)
        asked.append(request)
        return answered(body, status, **headers) if len(asked) == 1 else answered({"fine": True})

    answer = await signing(refusing, plan, Session(lambda: 0.0))(REQUEST)
    assert (200, 2, 2) == (answer.status, len(asked), len(provider.logins))
    assert ["t1", "t2"] == [dict(one.headers)["X-Token"] for one in asked]
    assert replace(asked[0], headers=()) == replace(asked[1], headers=())


async def test_refused_twice(provider, send):
    """A session that is refused again a moment after the login is for the operator to look into."""
    provider.dead = {"t1", "t2"}
    with pytest.raises(ProviderUnauthorised) as caught:
        await send(REQUEST)
    assert ("PROVIDER_AUTH_FAILED", "example.yaml:4") == (caught.value.code, caught.value.origin)
    assert (2, ["t1", "t2"]) == (len(provider.logins), provider.calls)
    assert not [text for text in (SECRET, "t1", "t2") if text in repr(caught.value) + caught.value.detail]


async def test_other_answers_are_not_refusals(provider, session, compiled, answered):
    """An answer that no condition of `renew_when:` is true of passes, however bad it is."""
    plan = compiled(SESSION)

    async def broken(request):
        return await provider(request) if request.url.endswith("/login") else answered(b"<html>", 403)

    assert 403 == (await signing(broken, plan, session)(REQUEST)).status
    assert 1 == len(provider.logins)


async def test_failing_login(provider, session, send, answered):
    """All who wait for a login share its failure, none is sent, and the next call tries again."""
    provider.tell = lambda: answered({"error": "locked", "text": "too many sessions"}, 400)
    found = await asyncio.gather(*(send(REQUEST) for _ in range(10)), return_exceptions=True)
    assert {"LIMIT_EXCEEDED"} == {one.code for one in found}
    assert (1, [], None) == (len(provider.logins), provider.calls, session.token)
    provider.tell = None
    assert 200 == (await send(REQUEST)).status
    assert (2, ["t2"]) == (len(provider.logins), provider.calls)


@pytest.mark.parametrize(
    ("body", "status", "kind", "code"),
    [
        ({"error": "locked", "text": "x"}, 400, ProviderRejected, "LIMIT_EXCEEDED"),
        ({"error": "no"}, 401, ProviderUnauthorised, "PROVIDER_AUTH_FAILED"),
        ({"error": "no"}, 400, ProviderRejected, "PROVIDER_ERROR"),
        ({"error": "no"}, 503, ProviderUnavailable, "PROVIDER_UNAVAILABLE"),
        ({"data": {}}, 200, ProviderRejected, "PROVIDER_ERROR"),
        ({"data": {"token": ""}}, 200, ProviderRejected, "PROVIDER_ERROR"),
        ({"data": {"token": 5}}, 200, ProviderRejected, "PROVIDER_ERROR"),
        ({"data": [SECRET]}, 200, ProviderRejected, "PROVIDER_ERROR"),
        (SECRET.encode(), 200, ProviderRejected, "PROVIDER_ERROR"),
    ],
)
async def test_login_errors(provider, send, answered, body, status, kind, code):
    """What a login answers goes through the error rules; the call itself was not sent, so nothing of it is in doubt."""
    provider.tell = lambda: answered(body, status)
    with pytest.raises(GatewayError) as caught:
        await send(REQUEST)
    assert (kind, code, []) == (type(caught.value), caught.value.code, provider.calls)
    assert SECRET not in f"{caught.value!r} {caught.value.detail} {caught.value.details} {caught.value.provider}"
    assert not getattr(caught.value, "sent", False)


async def test_lost_login(provider, send):
    """A login that is lost on the way leaves the call unsent."""

    def lost():
        raise ProviderUnavailable("The provider did not answer in time.", sent=True, timed_out=True)

    provider.tell = lost
    with pytest.raises(ProviderUnavailable) as caught:
        await send(REQUEST)
    assert ("PROVIDER_TIMEOUT", False) == (caught.value.code, caught.value.sent)


async def test_expiry(provider, send):
    """A token is renewed once it is older than the mapping says, and not before."""
    for seconds in (0, 3300, 3301, 6600, 6602):
        provider.time = float(seconds)
        await send(REQUEST)
    assert ["t1", "t1", "t2", "t2", "t3"] == provider.calls


async def test_one_gives_up(provider, send):
    """A caller that goes away takes the login from nobody else."""
    first = asyncio.ensure_future(send(REQUEST))
    second = asyncio.ensure_future(send(REQUEST))
    await asyncio.sleep(0)
    first.cancel()
    assert 200 == (await second).status
    assert first.cancelled()
    assert (1, ["t1"]) == (len(provider.logins), provider.calls)


def test_the_token_is_not_shown():
    """A session can be printed without telling its token."""
    assert "t0ken" not in repr(Session(lambda: 0.0, "t0ken"))
