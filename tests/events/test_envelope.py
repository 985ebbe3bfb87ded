"""The bodies of events: the native one with its flat fields, the CloudEvent, and the same bytes each time."""

import json

import pytest

from gateway.events.envelope import cloudevent, instant, native
from gateway.model.model import load

CHANGES = load().changes
ABOUT = {
    "id": "evt_1",
    "event": "booking.rescheduled",
    "created_at": "2024-01-19T07:31:02Z",
    "connection": "club-a",
    "provider": "example",
    "origin": "poll",
}
BOOKING = {
    "id": "bk_123456",
    "status": "confirmed",
    "service_id": "consultation",
    "start": "2024-01-20T11:00:00+01:00",
    "end": "2024-01-20T12:00:00+01:00",
    "customer": {"email": "customer@example.com", "name": "Jörg Ö"},
}
PREVIOUS = {"start": "2024-01-19T11:00:00+01:00", "customer.name": "Jörg", "customer.email": None}
FLAT = {"service": "consultation", "duration": 60, "scheduled_at": "2024-01-20T10:00:00Z"}


def test_the_native_body():
    """It holds what happened, the whole booking with the flat fields, and what was before, nested as in the booking."""
    body = json.loads(native(ABOUT, BOOKING, PREVIOUS, CHANGES)(1042))
    previous = {"start": "2024-01-19T11:00:00+01:00", "customer": {"name": "Jörg", "email": None}}
    assert ABOUT | {"sequence": 1042, "data": BOOKING | FLAT, "previous": previous} == body


def test_without_a_change_there_is_nothing_previous():
    """An event that is not about a difference has no `previous`."""
    assert "previous" not in json.loads(native(ABOUT, BOOKING, {}, CHANGES)(1))


@pytest.mark.parametrize(
    ("data", "flat"),
    [
        ({"id": "b1"}, {}),
        ({"id": "b1", "service_id": None, "start": None, "end": None}, {}),
        ({"id": "b1", "start": "2026-03-29T00:30:00+01:00"}, {"scheduled_at": "2026-03-28T23:30:00Z"}),
        (
            {"id": "b1", "start": "2026-03-29T01:30:00+01:00", "end": "2026-03-29T03:30:00+02:00"},
            {"scheduled_at": "2026-03-29T00:30:00Z", "duration": 60},  # the night in which an hour is skipped
        ),
    ],
)
def test_flat_fields_are_made_of_what_is_known(data, flat):
    """A flat field whose source is not known is left out, and a duration is the time that passes."""
    assert data | flat == json.loads(native(ABOUT, data, {}, CHANGES)(1))["data"]


def test_the_same_values_give_the_same_bytes():
    """Bodies can be signed and sent again: nothing in them depends on when or where they are made."""
    first, second = (native(ABOUT, dict(BOOKING), dict(PREVIOUS), CHANGES)(7) for _ in range(2))
    assert first == second
    assert cloudevent(first) == cloudevent(second)
    assert "Jörg Ö".encode() in first


def test_the_cloud_event():
    """It is the same event with the attributes that CloudEvents 1.0 requires, in names that it allows."""
    event = json.loads(cloudevent(native(ABOUT, BOOKING, PREVIOUS, CHANGES)(1042)))
    data = event.pop("data")
    assert {
        "specversion": "1.0",
        "id": "evt_1",
        "source": "/v1/club-a",
        "type": "booking.rescheduled",
        "subject": "bk_123456",
        "time": "2024-01-19T07:31:02Z",
        "datacontenttype": "application/json",
        "sequence": "1042",
        "origin": "poll",
    } == event
    assert all(name.isalnum() and name.islower() and len(name) <= 20 for name in event)  # §3, naming conventions
    assert all(isinstance(value, str) and value for value in event.values())
    assert BOOKING | FLAT == {name: value for name, value in data.items() if name != "previous"}
    assert "Jörg" == data["previous"]["customer"]["name"]


def test_a_moment_is_written_in_utc():
    """Milliseconds are dropped, not rounded."""
    assert "2027-01-15T08:00:00Z" == instant(1_800_000_000_999)
