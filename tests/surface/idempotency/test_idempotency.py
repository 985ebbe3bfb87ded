"""Idempotency-Key: one booking however often it is asked for, and never the wrong answer.

What replicas and a restart know of a key stands in test_kept_keys.py.
"""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.keys import IdempotentRequest
from gateway.surface.http.error_responses import Failure
from gateway.surface.http.responses import Answer
from gateway.surface.idempotency.idempotency import Ledger, Share
from gateway.surface.idempotency.written import decode, encode
from gateway.values.errors import GatewayError, OutcomeUnknown, TooManyCalls

DAY = 86_400
START = 1_800_000_000_000
BOOKINGS = "/v1/club-a/bookings"
TEXTS = st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def asked(key):
    return IdempotentRequest("web", "club-a", key, "f")


@pytest.fixture
def now(ticks):
    """Give a clock that moves only when a test moves it."""
    return lambda: START + round(ticks[-1] * 1000)


@pytest.fixture
def kept_by(application):
    """Give the function that makes what keeps the answers: `ledger = kept_by(Share(2, 1000))`."""

    def of(share=None):
        world = application.ambient
        return Ledger(application.database, now=world.now, fresh=world.new_id, timeout=5, share=share)

    return of


@pytest.fixture
def ledger(kept_by):
    """Give what keeps the answers."""
    return kept_by()


@pytest.fixture
def book(call, new):
    """Book under a key: `status, body, headers = await book("k")`."""

    async def send(key, *, by=call, path=BOOKINGS, headers=None, **changes):
        return await by("POST", path, json=new | changes, headers={"Idempotency-Key": key} | (headers or {}))

    return send


async def test_replayed(book, provider, booking):
    """The same request with the same key is answered with the first answer, and the provider is asked once."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    first = await book("k")
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking | {"id": "8"}})
    again = await book("k")
    assert (201, 201, first[1], 1) == (first[0], again[0], again[1], len(provider.asked))
    assert (None, "true") == (first[2].get("Idempotent-Replayed"), again[2]["Idempotent-Replayed"])
    for name in ("Location", "ETag", "Gateway-Support", "Content-Type"):
        assert first[2][name] == again[2][name]
    assert first[2]["X-Request-Id"] != again[2]["X-Request-Id"]


async def test_without_a_key(call, provider, booking, new):
    """Without a key every request is one of its own."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    for _ in range(2):
        assert 201 == (await call("POST", BOOKINGS, json=new))[0]
    assert 2 == len(provider.asked)


async def test_same_body_otherwise_written(call, provider, booking, new):
    """Blanks and the order of keys make no other request."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    headers = {"Idempotency-Key": "k"}
    await call("POST", BOOKINGS, json=new, headers=headers)
    _, _, found = await call("POST", BOOKINGS, json=dict(reversed(new.items())), headers=headers)
    assert "true" == found["Idempotent-Replayed"]


async def test_reused(book, call, provider, booking):
    """A key that comes with another body or path is refused, and nothing is sent."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    await book("k")
    for status, body, _ in [
        await book("k", notes="more"),
        await call("POST", f"{BOOKINGS}/7/cancel", headers={"Idempotency-Key": "k"}),
    ]:
        assert (422, "IDEMPOTENCY_KEY_REUSED") == (status, body["error"]["code"])
    assert 1 == len(provider.asked)


async def test_concurrent(book, provider, booking):
    """While the first has no answer the second is told so, and only one reaches the provider."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    provider.gate = asyncio.Event()
    waiting = asyncio.ensure_future(book("k"))
    await provider.arrived.wait()
    others = await asyncio.gather(*(book("k") for _ in range(5)))
    provider.gate.set()
    assert 201 == (await waiting)[0]
    for status, body, headers in others:
        assert (409, "IDEMPOTENCY_IN_PROGRESS", True) == (status, body["error"]["code"], body["error"]["retryable"])
        assert "1" == headers["Retry-After"]
    assert (201, 1) == ((await book("k"))[0], len(provider.asked))


async def test_another_caller_or_connection(book, call_as, provider, booking):
    """Keys belong to a caller and a connection: nobody sees another's booking."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    for more in [{}, {"by": call_as("writer")}, {"path": "/v1/club-b/bookings"}]:
        status, _, headers = await book("k", **more)
        assert (201, None) == (status, headers.get("Idempotent-Replayed"))
    assert 3 == len(provider.asked)


async def test_refusals_are_kept(book, provider):
    """The provider's no is given again, as the form of the second request wants it and under its own request id."""
    provider.answers["POST /bookings"] = (409, {"error": {"code": "taken"}})
    await book("k")
    status, body, headers = await book("k", headers={"Accept": "application/problem+json", "X-Request-Id": "second"})
    assert (409, "BOOKING_CONFLICT", "second") == (status, body["code"], body["request_id"])
    assert ("true", 1) == (headers["Idempotent-Replayed"], len(provider.asked))


@pytest.mark.parametrize("answer", [(429, {}), (503, {}), (401, {}), (200, {"ok": True, "data": 5})])
async def test_a_new_try(book, provider, booking, answer):
    """After 429 and 5xx the same key tries again, unless something may have been booked."""
    provider.answers["POST /bookings"] = answer
    first, body, _ = await book("k")
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    again, _, headers = await book("k")
    writes = sum(method == "POST" for method, _, _ in provider.asked)
    if body["error"]["code"] == "OUTCOME_UNKNOWN":
        assert (504, 504, "true", 1) == (first, again, headers["Idempotent-Replayed"], writes)
    else:
        assert (201, None, 2) == (again, headers.get("Idempotent-Replayed"), writes)


async def test_a_refusal_that_may_have_been_done_is_not_kept(call, provider, booking):
    """After a change that was made and could not be read back the same key tries again, and the repeat heals it."""
    key = {"headers": {"Idempotency-Key": "k"}, "json": {"notes": "left-handed"}}
    provider.answers["PATCH /bookings/7"] = (200, {"ok": True, "data": None})
    status, body, _ = await call("PATCH", f"{BOOKINGS}/7", **key)
    assert (404, {"may_have_been_done": True}) == (status, body["error"]["details"])
    provider.answers["PATCH /bookings/7"] = (200, {"ok": True, "data": booking | {"id": "7"}})
    status, body, headers = await call("PATCH", f"{BOOKINGS}/7", **key)
    assert (200, "7", None) == (status, body["id"], headers.get("Idempotent-Replayed"))


async def test_an_unknown_outcome_that_nobody_can_tell(book, provider, booking, ticks):
    """A write whose answer was lost is not sent again where a look cannot tell; when to come again is said."""
    provider.answers |= {"POST /bookings": None, "GET /bookings": (200, {"ok": True, "data": [booking]})}
    first, again = await book("k"), await book("k")
    assert (504, "OUTCOME_UNKNOWN") == (first[0], first[1]["error"]["code"])
    assert (504, "OUTCOME_UNKNOWN", "true") == (again[0], again[1]["error"]["code"], again[2]["Idempotent-Replayed"])
    assert first[1]["error"]["details"] == again[1]["error"]["details"]
    assert ("bookings.list", "15") == (first[1]["error"]["details"]["reconcile_with"], again[2]["Retry-After"])
    ticks.append(15)
    status, _, headers = await book("k")
    assert (504, None) == (status, headers.get("Retry-After"))
    assert ["POST"] == [method for method, _, _ in provider.asked if method != "GET"]


async def test_a_request_that_is_not_valid_uses_no_key(book, provider, booking):
    """What was refused before anybody was asked can be corrected under the same key."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    assert 400 == (await book("k", start="soon"))[0]
    assert 201 == (await book("k"))[0]


async def test_a_day(book, provider, booking, ticks):
    """After a day a key is forgotten, and not before."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    await book("k")
    ticks.append(86_400)
    assert "true" == (await book("k"))[2]["Idempotent-Replayed"]
    ticks.append(86_401)
    assert None is (await book("k"))[2].get("Idempotent-Replayed")


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("k", 201),
        ('"quoted key"', 201),
        ("8e03978e-40d5-43e8-bc93-6894a57f9324", 201),
        ("x" * 255, 201),
        ("", 400),
        ('""', 400),
        ("x" * 256, 400),
        ("with blank", 400),
        ('"open', 400),
        ("\u00e9", 400),
    ],
)
async def test_keys(book, provider, booking, key, status):
    """A key is a structured String or a bare word of visible ASCII; anything else is refused and nothing sent."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    assert status == (await book(key))[0]
    assert (status == 201) == bool(provider.asked)


async def test_quotes_are_no_part(book, provider, booking):
    """The draft's quoted form and the bare form are the same key."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    await book("k")
    assert "true" == (await book('"k"'))[2]["Idempotent-Replayed"]


async def test_only_where_it_means_something(call, provider, booking):
    """GET and DELETE can be repeated as they are: a key there changes nothing."""
    provider.answers |= {
        "DELETE /bookings/7": (200, {"ok": True}),
        "GET /bookings/7": (200, {"ok": True, "data": booking}),
    }
    for method in ("GET", "DELETE"):
        for _ in range(2):
            status, _, headers = await call(method, f"{BOOKINGS}/7", headers={"Idempotency-Key": "k"})
            assert status in {200, 204}
            assert "Idempotent-Replayed" not in headers
    assert 4 == len(provider.asked)


@pytest.mark.parametrize("share", [Share(2, 10**6), Share(10**6, 2000)], ids=["keys", "bytes"])
async def test_a_share(kept_by, ticks, share):
    """Who has used up its share is refused new keys until the oldest is a day old; no key of anybody is forgotten."""
    ledger = kept_by(share)
    told = []

    async def answer():
        told.append(1)
        return Answer(200, b"x" * 1000)

    for at, name in enumerate("ab"):
        ticks.append(at)
        await ledger.once(asked(name), answer)
    for name in "cdc":
        with pytest.raises(TooManyCalls) as refused:
            await ledger.once(asked(name), answer)
    assert (DAY - 1, {"idempotency_keys": share.rows, "bytes": share.size}) == (
        refused.value.retry_after,
        refused.value.details["limit"],
    )
    other = replace(asked("c"), owner="ada")
    assert [True, True] == [(await ledger.once(asked(name), answer))[1] for name in "ab"]
    assert [False, True] == [(await ledger.once(other, answer))[1] for _ in range(2)]
    ticks.append(DAY + 0.5)
    assert [False, True] == [(await ledger.once(asked(name), answer))[1] for name in "cb"]
    assert 4 == len(told)


async def test_a_request_that_is_cut_off(ledger):
    """While it is under way a key is in progress; cut off, it may have been sent, and is never sent again."""
    waiting = asyncio.ensure_future(ledger.once(asked("k"), asyncio.Event().wait))
    await asyncio.sleep(0.05)
    with pytest.raises(GatewayError, match=r"^$") as refused:
        await ledger.once(asked("k"), asyncio.Event().wait)
    assert "IDEMPOTENCY_IN_PROGRESS" == refused.value.code
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    with pytest.raises(OutcomeUnknown):
        await ledger.once(asked("k"), asyncio.Event().wait)


async def test_a_defect_of_ours(ledger):
    """What broke after something may have been sent is an unknown outcome for every repeat."""

    async def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ledger.once(asked("k"), broken)
    with pytest.raises(OutcomeUnknown):
        await ledger.once(asked("k"), broken)


@given(
    st.builds(Answer, st.integers(200, 299), st.binary(max_size=40), st.dictionaries(TEXTS, TEXTS, max_size=3))
    | st.builds(
        Failure,
        code=TEXTS,
        status=st.integers(400, 599),
        title=TEXTS,
        message=TEXTS,
        retryable=st.booleans(),
        details=st.dictionaries(TEXTS, VALUES, max_size=3),
        provider=st.dictionaries(TEXTS, VALUES, max_size=3),
        headers=st.dictionaries(TEXTS, TEXTS, max_size=3),
    )
)
def test_written_and_read(outcome):
    """Whatever a request was answered with is read as it was written."""
    assert outcome == decode(encode(outcome))
