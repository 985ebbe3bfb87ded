"""Sessions that log in once however many calls wait, and are renewed when they are over or refused."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.engine.sessions.tokens import Tokens
from gateway.values.errors import (
    GatewayError,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)
from tests.engine.way_out.signing import REQUEST, SECRET, SESSION, new_session, signing


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
    return new_session(lambda: provider.time)


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
    session.tokens = Tokens("old") if dead else None
    answers = await asyncio.gather(*(send(REQUEST) for _ in range(50)))
    assert 1 == len(provider.logins)
    assert [200] * 50 == [one.status for one in answers]
    assert (50 if dead else 0, 50) == (provider.calls.count("old"), provider.calls.count("t1"))


async def test_late_refusal(provider, session, compiled):
    """A call that learns of its dead token only after others have renewed it takes the new one and logs in no more."""
    session.tokens, provider.dead = Tokens("old"), {"old"}
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

    answer = await signing(refusing, plan, new_session())(REQUEST)
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
    assert (1, [], None) == (len(provider.logins), provider.calls, session.tokens)
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
    session = new_session()
    session.tokens = Tokens("t0ken", refresh="t0ken")
    assert "t0ken" not in repr(session) + repr(session.tokens)
