"""The connections as callers see them: what they can do and how they fare."""

import pytest

from gateway.model.model import load
from gateway.surface.capabilities import capabilities


async def test_one(call):
    """A connection is a Connection of the contract, and tells nothing of its settings."""
    status, body, _ = await call("GET", "/v1/club-a")
    assert (200, body) == (status, load().resources["Connection"].type.accept(body))
    expected = {"id": "club-a", "provider": "courts", "name": "club-a", "time_zone": "Europe/Berlin", "currency": "EUR"}
    assert expected | {"status": "active"} == {name: body[name] for name in [*expected, "status"]}
    assert {"id", "provider", "name", "time_zone", "currency", "status", "capabilities"} == set(body)


async def test_list(call):
    """The list is a page of the same."""
    _, body, _ = await call("GET", "/v1/connections?limit=1")
    _, one, _ = await call("GET", "/v1/club-a")
    assert ([one], 2, True) == (body["data"], body["page"]["total"], body["page"]["has_more"])


@pytest.mark.parametrize("path", ["/v1/connections?x=1", "/v1/club-a?limit=1", "/v1/connections?include=provider_data"])
async def test_wrong_arguments(call, path):
    """Here as everywhere, what is not known is refused."""
    assert 400 == (await call("GET", path))[0]


def test_capabilities(plan):
    """Every operation of the contract and every native one is told, with the mapping's own notes and limits."""
    found = capabilities(plan, load())
    assert {*load().operations, "native.getPrices", "native.openDoor", "native.setLights"} == set(found)
    assert {"support": "unsupported", "notes": "courts have no services"} == found["services.list"]
    assert {"support": "native"} == found["bookings.get"]
    assert {"support": "native", "notes": "Prices of a court."} == found["native.getPrices"]
    slots = found["slots.list"]
    assert ("emulated", "Seven days at a time.") == (slots["support"], slots["notes"])
    assert (7, {"resource_id": "slots are told by court"}) == (
        slots["limits"]["max_window_days"],
        slots["limits"]["required_arguments"],
    )
    assert {"service_id", "location_id", "quantity"} == set(slots["limits"]["unsupported_arguments"])


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((200, {"ok": True, "data": []}), "active"),
        ((404, {}), "active"),
        ((401, {}), "auth_failed"),
        ((500, {}), "degraded"),
        (None, "degraded"),
    ],
)
async def test_status(call, provider, answer, status):
    """The status follows the last call of this connection, and recovers with the next that succeeds."""
    provider.answers["GET /courts"] = answer
    await call("GET", "/v1/club-a/resources")
    assert (status, "active") == (await _status(call, "club-a"), await _status(call, "club-b"))
    provider.answers["GET /courts"] = (200, {"ok": True, "data": []})
    await call("GET", "/v1/club-a/resources")
    assert "active" == await _status(call, "club-a")


async def _status(call, name):
    return (await call("GET", f"/v1/{name}"))[1]["status"]
