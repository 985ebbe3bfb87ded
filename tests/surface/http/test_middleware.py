"""Every answer passes the boundary: request ids, headers, and one line in the log."""

import json

import pytest

BOOKINGS = "/v1/club-a/bookings"


def lines(caplog):
    """Give the fields of every call that was logged."""
    return [record.fields for record in caplog.records if record.message == "call.done"]


@pytest.mark.parametrize("offered", ["abc", "A-1_b.c", "x" * 64])
async def test_offered_ids(call, offered):
    """A caller's own request id is used where it is safe to."""
    _, _, headers = await call("GET", "/v1/club-a", headers={"X-Request-Id": offered})
    assert offered == headers["X-Request-Id"]


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", "a;b", "é", "<script>", '{"a"}'])
async def test_other_ids(call, offered):
    """Any other is not repeated: a new one is made."""
    found = {(await call("GET", "/v1/club-a", headers={"X-Request-Id": offered}))[2]["X-Request-Id"] for _ in range(2)}
    assert 2 == len(found)
    assert offered not in found


@pytest.mark.parametrize("path", ["/health", "/v1/club-a", "/nothing", BOOKINGS])
async def test_headers(call, path):
    """No answer is kept by caches, guessed at by browsers, or tells which software gave it."""
    _, _, headers = await call("GET", path)
    found = headers["Cache-Control"], headers["X-Content-Type-Options"], headers["Server"]
    assert ("no-store", "nosniff", "booking-gateway") == found


async def test_one_line(call, provider, booking, new, caplog):
    """A call is logged once, with who, where, what and how it ended, and nothing that was said."""
    caplog.set_level("INFO", "gateway")
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    sent = new | {"customer": {"name": "Secret Name"}, "notes": "secret-notes"}
    await call("POST", f"{BOOKINGS}?include=provider_data", json=sent, headers={"X-Request-Id": "one"})
    (line,) = lines(caplog)
    assert 0 < line.pop("seconds") < 5
    expected = {"request": "one", "caller": "web", "connection": "club-a", "operation": "bookings.create"}
    assert expected | {"status": 201, "code": None} == line
    told = json.dumps([record.__dict__ for record in caplog.records], default=str).lower()
    assert not [word for word in ("secret name", "secret-notes", "web-key", "s3cret") if word in told]


@pytest.mark.parametrize(
    ("who", "path", "expected"),
    [
        ("web", "/v1/club-a/bookings/8", ("web", "club-a", "bookings.get", 404, "BOOKING_NOT_FOUND")),
        ("web", "/v1/club-c/bookings", ("web", "club-c", "", 403, "FORBIDDEN")),
        ("web", "/v1/very-secret/bookings", ("web", "", "", 404, "CONNECTION_NOT_FOUND")),
        (None, "/v1/club-a/bookings", ("", "", "", 401, "UNAUTHORIZED")),
        ("web", "/v1/club-a/native/getPrices?court=1", ("web", "club-a", "native.getPrices", 404, "NOT_FOUND")),
        ("web", "/very-secret", ("", "", "", 404, "NOT_FOUND")),
    ],
)
async def test_failures(call_as, caplog, who, path, expected):
    """Failures are logged with their code; what a caller made up is not."""
    caplog.set_level("INFO", "gateway")
    await call_as(who)("GET", path)
    (line,) = lines(caplog)
    assert expected == tuple(line[name] for name in ("caller", "connection", "operation", "status", "code"))


async def test_probes_are_not_logged(call, client, caplog):
    """Probes and preflights come every few seconds and say nothing."""
    caplog.set_level("INFO", "gateway")
    await call("GET", "/health")
    await call("GET", "/ready")
    await client.options(BOOKINGS)
    assert [] == lines(caplog)
