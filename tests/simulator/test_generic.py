"""The generic provider played: the feed follows what is booked, a conflict says what is free, too many are refused."""

import pytest

from gateway.values.errors import GatewayError
from gateway.values.secrets import Secret

DAY = {"from": "2026-03-02T00:00", "to": "2026-03-03T00:00", "service_id": "srv_consultation"}
PATH = {"services_path": "/services"}


async def ids(call, engine):
    """Give the ids of the free slots of a day."""
    return [slot["id"] for slot in await call(engine, "slots.list", **DAY)]


@pytest.mark.parametrize("settings", [{}, PATH])
async def test_a_booking_stands_in_the_feed(shipped, engine_on, call, settings):
    """A booked slot is gone and refused with the next free one; its booking is read, and cancelled it is free again."""
    engine = await engine_on(shipped("generic"), settings)
    slots = await ids(call, engine)
    booking = {"slot_id": slots[0], "customer": {"name": "Doe, Jane; the \\ one", "email": "jane@example.com"}}
    made = await call(engine, "bookings.create", **booking)
    assert slots[1:] == await ids(call, engine)
    with pytest.raises(GatewayError) as refused:
        await call(engine, "bookings.create", **booking)
    assert refused.value.code == "BOOKING_CONFLICT"
    assert refused.value.details == {"requested_time": "2026-03-02T14:00:00Z", "next_available": "2026-03-02T15:00:00Z"}
    read = await call(engine, "bookings.get", id=made["id"])
    assert read["title"] == "1-Hour Consultation, Doe, Jane; the \\ one"
    assert {key: made[key] for key in ("id", "start", "end", "status")} == {
        key: read[key] for key in ("id", "start", "end", "status")
    }
    for _ in range(2):
        assert (await call(engine, "bookings.cancel", id=made["id"]))["status"] == "cancelled"
    assert slots == await ids(call, engine)
    assert "STATUS:CANCELLED\r\nSEQUENCE:1\r\n" in await call(engine, "native.getCalendarFeed")


async def test_ten_bookings_a_minute(shipped, engine_on, call):
    """The eleventh booking of a minute is refused before the provider has to, with the seconds that are left of it."""
    engine = await engine_on(shipped("generic"), PATH)
    slots = await call(engine, "slots.list", **DAY | {"service_id": "srv_intro"})
    customer = {"name": "Jane Doe"}
    for slot in slots[:10]:
        await call(engine, "bookings.create", slot_id=slot["id"], customer=customer)
    with pytest.raises(GatewayError) as refused:
        await call(engine, "bookings.create", slot_id=slots[10]["id"], customer=customer)
    assert (refused.value.code, refused.value.details) == (
        "RATE_LIMITED",
        {"limit": {"rate_class": "create", "rate": "10/m"}},
    )
    assert 50 < refused.value.retry_after <= 60


@pytest.mark.parametrize(
    "wrong", [{"api_key": Secret("another-key")}, {"ical_token": Secret("another-token")}], ids=["key", "token"]
)
async def test_wrong_credentials(shipped, engine_on, call, wrong):
    """A wrong key and a wrong token of the feed are both refused credentials."""
    with pytest.raises(GatewayError) as refused:
        await call(await engine_on(shipped("generic"), wrong), "bookings.list")
    assert refused.value.code == "PROVIDER_AUTH_FAILED"
