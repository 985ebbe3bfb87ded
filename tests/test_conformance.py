"""One scenario over every shipped provider, on real sockets: the same steps, statuses and shapes for all."""

from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from gateway.model.model import load
from tests.demonstration import KEY, demonstrated

CUSTOMER = {"name": "Jane Doe", "email": "jane@example.com"}
NEEDS = {"club-b": {"phone": "+441632960001"}, "club-c": {"phone": "+441632960001"}}
SHAPES = {
    "services": "Service",
    "resources": "Resource",
    "slots": "Slot",
    "booked": "Booking",
    "read": "Booking",
    "moved": "Booking",
    "cancelled": "Booking",
    "again": "Booking",
}


@pytest.fixture
async def gateway_url(tmp_path):
    """Play every provider of the example configuration and serve the gateway before them."""
    async with demonstrated(tmp_path) as (url, _):
        yield f"{url}/v1"


async def asked(session, method, url, body=None):
    async with session.request(method, url, json=body, headers={"Authorization": f"Bearer {KEY}"}) as response:
        return response.status, await response.json()


async def scenario(session, url, club):
    """List, find slots, book, read, reschedule, cancel twice: status and answer of each step."""
    base = f"{url}/{club}"
    _, about = await asked(session, "GET", base)
    zone = ZoneInfo(about["time_zone"])
    day = datetime.now(zone).date() + timedelta(days=1)
    window = f"from={day}T00:00&to={day + timedelta(days=5)}T00:00&limit=200"
    steps = {
        "services": await asked(session, "GET", f"{base}/services"),
        "resources": await asked(session, "GET", f"{base}/resources"),
        "slots": await asked(session, "GET", f"{base}/slots?{window}"),
    }
    free = [slot for slot in steps["slots"][1]["data"] if slot["available"]]
    first = free[0]
    later = next(
        slot
        for slot in free
        if slot["start"] >= first["end"]
        and all(slot.get(key) == first.get(key) for key in ("service_id", "resource_id"))
    )
    body = {"slot_id": first["id"], "customer": CUSTOMER | NEEDS.get(club, {})}
    steps["booked"] = await asked(session, "POST", f"{base}/bookings", body)
    booking = f"{base}/bookings/{quote(steps['booked'][1]['id'], safe='')}"
    steps["read"] = await asked(session, "GET", booking)
    steps["moved"] = await asked(session, "POST", f"{booking}/reschedule", {"start": later["start"]})
    if steps["moved"][0] == 200:
        booking = f"{base}/bookings/{quote(steps['moved'][1]['id'], safe='')}"
    steps["cancelled"] = await asked(session, "POST", f"{booking}/cancel", {})
    steps["again"] = await asked(session, "POST", f"{booking}/cancel", {})
    return steps, about["capabilities"]


def kinds(value):
    """The JSON type of each field; null fits any."""
    return {name: type(one).__name__ for name, one in value.items() if one is not None}


async def test_one_scenario(gateway_url):
    """Every provider answers each step with the same status, or 501 as declared, in the contract's shape and types."""
    async with aiohttp.ClientSession() as session:
        runs = {club: await scenario(session, gateway_url, club) for club in ("club-a", "club-b", "club-c", "club-d")}
    operations = {"resources": "resources.list", "moved": "bookings.reschedule"}
    for step, name in SHAPES.items():
        seen = {}
        for club, (steps, capabilities) in runs.items():
            status, answer = steps[step]
            if capabilities[operations.get(step, "services.list")]["support"] == "unsupported":
                assert (501, "UNSUPPORTED_OPERATION") == (status, answer["error"]["code"])
                continue
            assert (201 if step == "booked" else 200) == status, (club, step, answer)
            for one in answer.get("data", [answer]):
                shape = load().resources[name]
                assert one == shape.type.accept(one), (club, step)
                assert {field.name for field in shape.fields.values() if field.required} <= one.keys(), (club, step)
                for key, kind in kinds(one).items():
                    assert seen.setdefault(key, kind) == kind, (club, step, key)
    for steps, _ in runs.values():
        assert ["cancelled", "cancelled"] == [steps["cancelled"][1]["status"], steps["again"][1]["status"]]
