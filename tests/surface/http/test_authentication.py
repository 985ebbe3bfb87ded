"""Who gets in: keys, scopes and connections."""

import pytest

KEY = "web-key-0123456789"


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [KEY],
        [f"Basic {KEY}"],
        ["Bearer"],
        ["Bearer "],
        ["Bearer wrong-key-0123456"],
        [f"Bearer {KEY}x"],
        [f"Bearer {KEY[:-1]}"],
        [f"Bearer {KEY.upper()}"],
        ["Bearer \u00e9"],
        [f"Bearer {KEY}", f"Bearer {KEY}"],
        ["Bearer provider-s3cret-api-key"],
    ],
)
@pytest.mark.parametrize("path", ["/v1/connections", "/v1/club-a", "/v1/club-a/bookings", "/v1/club-a/openapi.json"])
async def test_refused(client, provider, fields, path):
    """Without exactly one good key nothing below /v1 is told, and the provider hears nothing."""
    response = await client.get(path, headers=[("Authorization", field) for field in fields])
    body = await response.json()
    assert (401, "UNAUTHORIZED") == (response.status, body["error"]["code"])
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert [] == provider.asked


@pytest.mark.parametrize("field", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER  {KEY} "])
async def test_let_in(client, field):
    """The scheme's case and blanks around the key do not matter (RFC 9110 §11.1)."""
    response = await client.get("/v1/club-a", headers={"Authorization": field})
    assert 200 == response.status


@pytest.mark.parametrize("path", ["/health", "/ready", "/openapi.json"])
async def test_open_to_all(call_as, path):
    """Probes and the contract need no key."""
    status, _, _ = await call_as(None)("GET", path)
    assert 200 == status


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("reporting", "GET", "/v1/club-a/resources", 200),
        ("reporting", "POST", "/v1/club-a/bookings", 403),
        ("reporting", "PATCH", "/v1/club-a/bookings/7", 403),
        ("reporting", "DELETE", "/v1/club-a/bookings/7", 403),
        ("reporting", "POST", "/v1/club-a/native/openDoor", 403),
        ("reporting", "POST", "/v1/club-a/native/getPrices", 400),
        ("writer", "GET", "/v1/club-a/resources", 403),
        ("writer", "GET", "/v1/connections", 403),
        ("writer", "GET", "/v1/club-a/native/getPrices", 403),
        ("writer", "POST", "/v1/club-a/native/openDoor", 400),
        ("web", "GET", "/v1/club-b/resources", 200),
        ("web", "GET", "/v1/club-c/resources", 403),
        ("web", "GET", "/v1/club-c", 403),
        ("reporting", "GET", "/v1/club-c", 200),
    ],
)
async def test_scopes(call_as, provider, who, method, path, status):
    """What a key may do follows from what the operation does; a list of connections holds for all of them."""
    provider.answers["GET /courts"] = (200, {"ok": True, "data": []})
    found, _, _ = await call_as(who)(method, path)
    assert status == found
    assert (status == 200 and path.endswith("resources")) == bool(provider.asked)


@pytest.mark.parametrize(
    ("who", "names"), [("web", ["club-a", "club-b"]), ("reporting", ["club-a", "club-b", "club-c"])]
)
async def test_own_connections(call_as, who, names):
    """A caller sees the connections it may use, and no others."""
    _, body, _ = await call_as(who)("GET", "/v1/connections")
    assert names == [one["id"] for one in body["data"]]
