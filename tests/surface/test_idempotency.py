"""Idempotency-Key: one booking however often it is asked for, and never the wrong answer."""

import asyncio

import pytest

from gateway.errors import GatewayError
from gateway.surface.answers import Answer
from gateway.surface.idempotency import Ledger

BOOKINGS = "/v1/club-a/bookings"


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
    if body["error"]["code"] == "OUTCOME_UNKNOWN":
        assert (504, 504, "true", 1) == (first, again, headers["Idempotent-Replayed"], len(provider.asked))
    else:
        assert (201, None, 2) == (again, headers.get("Idempotent-Replayed"), len(provider.asked))


async def test_an_unknown_outcome_is_kept(book, provider, booking):
    """A write whose answer was lost is not sent again under the same key: the same answer is given."""
    provider.answers["POST /bookings"] = None
    first = await book("k")
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    again = await book("k")
    assert (504, "OUTCOME_UNKNOWN") == (first[0], first[1]["error"]["code"])
    assert (504, "OUTCOME_UNKNOWN", "true") == (again[0], again[1]["error"]["code"], again[2]["Idempotent-Replayed"])
    assert 1 == len(provider.asked)


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


async def test_bounded():
    """Of too many keys or bytes the oldest leave; those under way stay."""

    async def answer():
        return Answer(200, b"x" * 10)

    ledger = Ledger(lambda: 0.0, most=3, most_bytes=1000)
    for name in "abcd":
        await ledger.once(("web", "club-a", name), "f", answer)
    assert [False, True] == [(await ledger.once(("web", "club-a", name), "f", answer))[1] for name in "ad"]
    assert "Ledger(3 keys, 30 bytes)" == repr(ledger)

    small = Ledger(lambda: 0.0, most=100, most_bytes=25)
    for name in "abcd":
        await small.once(("web", "club-a", name), "f", answer)
    assert not (await small.once(("web", "club-a", "a"), "f", answer))[1]


async def test_a_request_that_never_ends_is_forgotten():
    """A request that is cut off leaves no key that would be under way for ever."""
    ledger = Ledger(lambda: 0.0)
    owned = ("web", "club-a", "k")
    waiting = asyncio.ensure_future(ledger.once(owned, "f", asyncio.Event().wait))
    await asyncio.sleep(0)
    with pytest.raises(GatewayError, match=r"^$") as refused:
        await ledger.once(owned, "f", asyncio.Event().wait)
    assert "IDEMPOTENCY_IN_PROGRESS" == refused.value.code
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert "Ledger(0 keys, 0 bytes)" == repr(ledger)
