"""The connections as callers see them: what they can do and how they fare."""

import sqlite3
from contextlib import closing

import pytest

from gateway.mapping.compiler.operations.alternatives import fit
from gateway.model.model import load
from gateway.surface.operations.capabilities import capabilities


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
    found = capabilities(fit(plan, {}), load())
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


async def told(call):
    """Give what was told of connections: which, its status, and the status before."""
    _, body, _ = await call("GET", "/v1/club-a/changes")
    assert all(one["data"] == load().resources["Connection"].type.accept(one["data"]) for one in body["data"])
    return [(one["event"], one["data"]["status"], one.get("previous", {}).get("status")) for one in body["data"]]


async def test_another_status_is_told(call, provider, client, application, aiohttp_client):
    """A connection that fails and works again is told once each time, by any process; that it works is no news."""
    provider.answers["GET /courts"] = (200, {"ok": True, "data": []})
    await call("GET", "/v1/club-a/resources")
    assert [] == await told(call)
    for answer in ((401, {}), (401, {}), (404, {}), (500, {})):
        provider.answers["GET /courts"] = answer
        await call("GET", "/v1/club-a/resources")
    failed = [("auth_failed", "active"), ("degraded", "auth_failed")]
    assert [("connection.status_changed", *one) for one in failed] == await told(call)
    call.client = await aiohttp_client(application.surface())
    await call("GET", "/v1/club-a/resources")
    assert 2 == len(await told(call))
    provider.answers["GET /courts"] = (200, {"ok": True, "data": []})
    await call("GET", "/v1/club-a/resources")
    assert ("connection.status_changed", "active", "degraded") == (await told(call))[-1]


async def test_a_first_failure_is_told(call, provider):
    """A connection that never worked is told as failing, and what was before is not made up."""
    provider.answers["GET /courts"] = (401, {})
    await call("GET", "/v1/club-a/resources")
    assert [("connection.status_changed", "auth_failed", None)] == await told(call)


@pytest.fixture
def impatient(monkeypatch):
    """Let the store wait no five seconds for another process."""
    monkeypatch.setattr("gateway.store.sql.drivers._BUSY_MILLISECONDS", 50)


async def test_no_call_is_refused_for_the_store(impatient, call, provider, tmp_path, caplog):
    """Where the store takes nothing a call is answered as ever, and the log has what was not told."""
    provider.answers["GET /courts"] = (401, {})
    with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, body, _ = await call("GET", "/v1/club-a/resources")
    assert (502, "PROVIDER_AUTH_FAILED") == (status, body["error"]["code"])
    assert ["event.missed"] == [one.getMessage() for one in caplog.records if one.getMessage().startswith("event")]
