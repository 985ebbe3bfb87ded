"""The contract's operations over HTTP: what reaches the provider, and what comes back around it."""

import asyncio
from dataclasses import replace

import pytest

from gateway.surface.app import build_app

BOOKINGS = "/v1/club-a/bookings"


async def test_made(call, provider, booking, new):
    """What was made is told with its path, its version and how the provider supports it."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking | {"id": "a/7 é", "rev": 'W"1 é'}})
    status, body, headers = await call("POST", BOOKINGS, json=new)
    assert (201, "a/7 é", 'W"1 é') == (status, body["id"], body["version"])
    assert "/v1/club-a/bookings/a%2F7%20%C3%A9" == headers["Location"]
    assert ('"W%221%20%C3%A9"', "native") == (headers["ETag"], headers["Gateway-Support"])
    sent = {"court": "c1", "start": new["start"], "end": new["end"], "name": "Ada"}
    assert [("POST", "/bookings", sent)] == provider.asked


async def test_location_leads_back(call, provider, booking, new):
    """The Location of what was made is the path under which it is read."""
    row = {"ok": True, "data": booking | {"id": "a/7 é"}}
    provider.answers |= {"POST /bookings": (200, row), "GET /bookings/a/7 é": (200, row)}
    _, made, headers = await call("POST", BOOKINGS, json=new)
    assert (200, made) == (await call("GET", headers["Location"]))[:2]


async def test_nothing_to_say(call, provider):
    """What is gone is answered with 204 and no body."""
    provider.answers["DELETE /bookings/7"] = (200, {"ok": True})
    status, body, headers = await call("DELETE", f"{BOOKINGS}/7")
    assert (204, None, "native") == (status, body, headers["Gateway-Support"])


async def test_provider_data(call, provider):
    """The provider's own object stands beside each entry when it is asked for, without what is not to be seen."""
    row = {"id": "1", "name": "Court 1", "door_code": "1234", "hash": "x", "more": ["k=provider-s3cret-api-key"]}
    provider.answers |= {
        "GET /courts": (200, {"ok": True, "data": [row]}),
        "GET /courts/1": (200, {"ok": True, "data": row}),
    }
    own = {"id": "1", "name": "Court 1", "more": ["k=***"]}
    _, body, _ = await call("GET", "/v1/club-a/resources?include=provider_data")
    assert [own] == [one["provider_data"] for one in body["data"]]
    _, one, _ = await call("GET", "/v1/club-a/resources/1?include=provider_data")
    assert own == one.pop("provider_data")
    assert one == (await call("GET", "/v1/club-a/resources/1"))[1]


async def test_pages_keep_their_provider_data(call, provider):
    """Sorting and cutting leave each provider's object beside its own entry."""
    rows = [{"id": str(number), "name": f"Court {number}"} for number in (3, 1, 2)]
    provider.answers["GET /courts"] = (200, {"ok": True, "data": rows})
    _, body, _ = await call("GET", "/v1/club-a/resources?include=provider_data&limit=2")
    assert [("1", "1"), ("2", "2")] == [(one["id"], one["provider_data"]["id"]) for one in body["data"]]


async def test_emulated(call, provider):
    """The answer tells how the provider supports the operation, and windows too long for it are split."""
    provider.answers["GET /slots"] = (200, {"ok": True, "data": []})
    query = "from=2026-03-01T00:00:00Z&to=2026-03-15T00:00:00Z&resource_id=c1"
    status, body, headers = await call("GET", f"/v1/club-a/slots?{query}")
    assert (200, [], "emulated") == (status, body["data"], headers["Gateway-Support"])
    assert len(provider.asked) > 1


async def test_head(call, provider, booking):
    """HEAD answers as GET does, without the body."""
    provider.answers["GET /bookings/7"] = (200, {"ok": True, "data": booking})
    status, _, found = await call("GET", f"{BOOKINGS}/7")
    assert (status, None) == (await call("HEAD", f"{BOOKINGS}/7"))[:2]
    _, _, headers = await call("HEAD", f"{BOOKINGS}/7")
    for name in ("ETag", "Content-Length", "Content-Type", "Gateway-Support"):
        assert found[name] == headers[name]


async def test_zone_of_the_connection(call, provider, booking, new):
    """A time without an offset is read in the connection's zone, or in the zone that the caller names."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    plain = {"start": "2026-03-19T09:00:00", "end": "2026-03-19T10:00:00"}
    await call("POST", BOOKINGS, json=new | plain)
    await call("POST", BOOKINGS, json=new | plain | {"time_zone": "Europe/Lisbon"})
    assert ["2026-03-19T09:00:00+01:00", "2026-03-19T09:00:00+00:00"] == [
        body["start"] for _, _, body in provider.asked
    ]


@pytest.mark.parametrize("path", ["/v1/club-a/services", "/v1/club-a/locations/x", "/v1/club-a/events?bad=1"])
async def test_unsupported(call, provider, path):
    """What a provider cannot do is 501 with the reason, whatever the arguments."""
    status, body, _ = await call("GET", path)
    assert (501, "UNSUPPORTED_OPERATION") == (status, body["error"]["code"])
    assert {"capability", "reason"} == set(body["error"]["details"])
    assert [] == provider.asked


async def test_out_of_time(dependencies, settings, aiohttp_client, provider, new):
    """A provider that takes longer than a call may take is a timeout for reads and an unknown outcome for writes."""
    client = await aiohttp_client(build_app(replace(settings, timeout=0.2), dependencies))
    provider.gate = asyncio.Event()
    sent = {"Authorization": "Bearer web-key-0123456789"}
    for method, body, code in [("GET", None, "PROVIDER_TIMEOUT"), ("POST", new, "OUTCOME_UNKNOWN")]:
        response = await client.request(method, BOOKINGS, json=body, headers=sent)
        assert (504, code) == (response.status, (await response.json())["error"]["code"])
    provider.gate.set()
