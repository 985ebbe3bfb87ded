"""What browsers are told: the listed origins and no others."""

import pytest

ORIGIN = "https://booking.example"
BOOKINGS = "/v1/club-a/bookings"


async def test_preflight(client):
    """A page of a listed origin may send the methods and headers that there are, without showing a key first."""
    sent = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    response = await client.options(BOOKINGS, headers=sent)
    assert (204, ORIGIN) == (response.status, response.headers["Access-Control-Allow-Origin"])
    assert "GET, HEAD, OPTIONS, POST" == response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id"} <= set(allowed)
    assert {"Gateway-Admin", "Gateway-Trace"} <= set(allowed)
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://booking.example", "https://booking.example:8443", "null", "", "*"]
)
async def test_other_origins(client, call, origin):
    """Pages of other origins are told nothing, neither before nor after their request."""
    sent = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    response = await client.options(BOOKINGS, headers=sent)
    _, _, headers = await call("GET", "/v1/connections", headers={"Origin": origin})
    for found in (response.headers, headers):
        assert [] == [name for name in found if name.lower().startswith("access-control-")]
        assert "Origin" == found["Vary"]


@pytest.mark.parametrize(
    ("path", "key", "status"), [("/v1/connections", "web", 200), ("/v1/x", "web", 404), ("/v1/club-a", None, 401)]
)
async def test_answers_can_be_read(call_as, path, key, status):
    """Scripts may read successes and failures, and the headers that matter to them."""
    found, _, headers = await call_as(key)("GET", path, headers={"Origin": ORIGIN})
    assert (status, ORIGIN, "Origin") == (found, headers["Access-Control-Allow-Origin"], headers["Vary"])
    expected = "X-Request-Id RateLimit RateLimit-Policy Retry-After Age ETag Location Link Idempotent-Replayed"
    assert {*expected.split(), "Gateway-Support", "Gateway-Trace-Id", "Preference-Applied"} == {
        *headers["Access-Control-Expose-Headers"].split(", ")
    }


async def test_plain_options(client):
    """OPTIONS without a page says what the path can do; a path that is none is 404."""
    response = await client.options(f"{BOOKINGS}/7")
    assert (204, "DELETE, GET, HEAD, OPTIONS, PATCH") == (response.status, response.headers["Allow"])
    assert 404 == (await client.options("/v1/club-a/nothing")).status
