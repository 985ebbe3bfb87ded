"""What a mapping says of rates and of keeping answers, as callers see it."""

from pathlib import Path

import pytest

from gateway.documents.yaml import parse
from gateway.mapping.compile import compile_provider
from gateway.model.model import load

LISTED = {"ok": True, "data": [{"id": "c1", "name": "Court 1", "door_code": "1"}]}


@pytest.fixture(scope="module")
def plan():
    """Give the provider's mapping, as if it kept resources for a minute and allowed three calls an hour."""
    text = (Path(__file__).parents[1] / "courts.yaml").read_text(encoding="utf-8")
    text = text.replace("  timeout: 5s", "  timeout: 5s\n  rates: {default: 3/h, sync: 9/s}")
    text = text.replace("  resources.list:", "  resources.list:\n    cache: 60s")
    document, findings = parse(text.encode(), "courts.yaml")
    assert [] == findings
    found, findings = compile_provider(document, load())
    assert ["unused-rate-class"] == [finding.code for finding in findings]
    return found


async def test_age(call, provider):
    """An answer that was kept says how old it is, in whole seconds; one that the provider just gave does not."""
    provider.answers = {"GET /courts": (200, LISTED)}
    for expected in (None, "0"):
        status, body, headers = await call("GET", "/v1/club-a/resources")
        assert (200, ["c1"], expected) == (status, [one["id"] for one in body["data"]], headers.get("Age"))
    assert 1 == len(provider.asked)


async def test_too_many_calls(call, provider, booking):
    """A call that the gateway's own limit keeps longer than it has time is told which limit, and when to come back."""
    provider.answers = {"GET /bookings/7": (200, {"ok": True, "data": booking})}
    assert [200] * 3 == [(await call("GET", "/v1/club-a/bookings/7"))[0] for _ in range(3)]
    status, body, headers = await call("GET", "/v1/club-a/bookings/7")
    assert (429, "RATE_LIMITED", True) == (status, body["error"]["code"], body["error"]["retryable"])
    assert {"limit": {"rate_class": "default", "rate": "3/h"}} == body["error"]["details"]
    assert 3590 < int(headers["Retry-After"]) <= 3600
    assert 200 == (await call("GET", "/v1/club-b/bookings/7"))[0]
    assert 4 == len(provider.asked)


async def test_capabilities(call):
    """A connection tells the rates of an operation's calls, and for how long its answers are kept."""
    found = (await call("GET", "/v1/club-a"))[1]["capabilities"]
    assert {"default": "3/h"} == found["bookings.get"]["limits"]["rates"]
    assert ({"default": "3/h"}, 60) == (
        found["resources.list"]["limits"]["rates"],
        found["resources.list"]["limits"]["kept_seconds"],
    )
    assert 200 == (await call("GET", "/v1/club-a/openapi.json"))[0]
