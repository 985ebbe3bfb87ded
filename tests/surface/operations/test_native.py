"""The provider's own operations over HTTP."""

import pytest

NATIVE = "/v1/club-a/native"


async def test_in_the_query(call, provider):
    """An operation that changes nothing takes its arguments from the query, by their declared types."""
    provider.answers["GET /prices"] = (200, {"ok": True, "data": [{"price": "12.50"}]})
    status, body, headers = await call("GET", f"{NATIVE}/getPrices?court=07&members=true&day=2026-03-19")
    assert (200, {"data": [{"price": "12.50"}]}, "native") == (status, body, headers["Gateway-Support"])
    assert [("GET", "/prices?court=07&day=2026-03-19&members=1", None)] == provider.asked


async def test_in_the_body(call, provider):
    """Every operation takes its arguments as a JSON object."""
    provider.answers |= {"GET /prices": (200, {"ok": True, "data": []}), "POST /doors": (200, {"ok": True, "open": 1})}
    await call("POST", f"{NATIVE}/getPrices", json={"court": "7"})
    _, body, _ = await call("POST", f"{NATIVE}/openDoor", json={"court": 7, "codes": [1, "2"]})
    assert {"data": {"ok": True, "open": 1}} == body
    assert [
        ("GET", "/prices?court=7&members=0", None),
        ("POST", "/doors", {"court": "7", "codes": [1, "2"]}),
    ] == provider.asked


@pytest.mark.parametrize(
    ("method", "path", "more", "named"),
    [
        ("GET", "getPrices", {}, ["court"]),
        ("GET", "getPrices?court=1&court=2", {}, ["court"]),
        ("GET", "getPrices?court=1&members=yes", {}, ["members"]),
        ("GET", "getPrices?cuort=1", {}, ["cuort", "court"]),
        ("GET", "getPrices?court=1&day=2026-02-30", {}, ["day"]),
        ("POST", "getPrices?court=1", {"json": {"court": "1"}}, ["court"]),
        ("POST", "getPrices", {"json": {"court": {"a": 1}, "members": 1}}, ["court", "members"]),
        ("POST", "openDoor", {"json": {"court": "1", "codes": "1"}}, ["codes"]),
        ("POST", "openDoor", {"json": []}, []),
    ],
)
async def test_wrong_arguments(call, provider, method, path, more, named):
    """Arguments are held to their declaration, and the provider hears nothing of those that do not fit."""
    status, body, _ = await call(method, f"{NATIVE}/{path}", **more)
    assert (400, named) == (status, [one["field"] for one in body["error"]["details"]["fields"]])
    assert [] == provider.asked


@pytest.mark.parametrize("lamps", [[None], [1, True], [{"a": [False]}]])
async def test_what_cannot_be_sent(call, provider, lamps):
    """A list may hold anything; what the provider's format has no writing for is the caller's to change."""
    status, body, _ = await call("POST", f"{NATIVE}/setLights", json={"lamps": lamps})
    assert (400, "VALIDATION_ERROR") == (status, body["error"]["code"])
    assert [] == provider.asked


async def test_no_secret_comes_back(call, provider):
    """A provider that repeats our credentials does not get them to the caller."""
    provider.answers["GET /prices"] = (200, {"ok": True, "data": {"url": "https://x/?key=provider-s3cret-api-key"}})
    _, body, _ = await call("GET", f"{NATIVE}/getPrices?court=7")
    assert {"data": {"url": "https://x/?key=***"}} == body


async def test_once(call, provider):
    """An Idempotency-Key works here as well."""
    provider.answers["POST /doors"] = (200, {"ok": True})
    for _ in range(2):
        _, _, headers = await call("POST", f"{NATIVE}/openDoor", json={"court": "1"}, headers={"Idempotency-Key": "k"})
    assert ("true", 1) == (headers["Idempotent-Replayed"], len(provider.asked))
