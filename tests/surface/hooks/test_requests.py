"""A marketplace that calls us, on a real socket: what it asks is done, answered in its words, and never stored."""

import json
import logging

import pytest

from gateway.telemetry.lines import JsonLines
from gateway.values.errors import CallerRefused, GatewayError, ProviderUnavailable, StoreUnavailable
from gateway.values.secrets import Redactor
from tests.asked import TOKEN, market, order, serve_market

__all__ = ["market", "serve_market"]

CALENDAR = f"calendar/{TOKEN}"
PLAIN = f"plain/{TOKEN}"
OPEN = {"offer": "o1", "court": "7", "from": "2026-03-19T08:30", "to": "2026-03-19T09:30", "open": True}


async def test_the_whole_way(market):
    """What is free is pulled by a GET, booked once, refused to the next, dropped, and booked again."""
    status, body, headers = await market.send(f"{CALENDAR}?days=2&club=north")
    assert (200, "application/json") == (status, headers["Content-Type"])
    assert {"offers": [OPEN], "courts": {"7": "Court 7"}, "days": 2} == json.loads(body)
    status, body, _ = await market.send(CALENDAR, order())
    assert (201, {"number": "n1", "booking": "b1", "of": "north"}) == (status, json.loads(body))
    assert [False] == [one["open"] for one in json.loads((await market.send(CALENDAR))[1])["offers"]]
    status, body, _ = await market.send(CALENDAR, order(number="n2"))
    assert (409, {"why": "taken"}) == (status, json.loads(body))
    status, body, headers = await market.send(CALENDAR, order("drop"))
    assert (200, b"dropped", "text/plain; charset=utf-8") == (status, body, headers["Content-Type"])
    assert 201 == (await market.send(CALENDAR, order()))[0]
    assert 0 == await market.kept()


async def test_what_is_asked(market):
    """Whoever sells is told the connection, the canonical request and the id of the message."""
    await market.send(CALENDAR, order(player="Ada", offer="o1"), headers={"X-Request-Id": "r1"})
    times = {"start": "2026-03-19T08:30:00+01:00", "end": "2026-03-19T09:30:00+01:00"}
    data = {"center_id": "north", "resource_id": "7", **times, "slot_id": "o1", "customer": {"name": "Ada"}}
    assert [("market", "booking.requested", data | {"reference": "n1"}, "r1")] == market.seller.asked


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("calendar", "GET"),
        ("calendar/another", "GET"),
        (f"calendar?token={TOKEN}", "GET"),
        (CALENDAR, "HEAD"),
        (CALENDAR, "PUT"),
        (PLAIN, "GET"),
        ("plain", "POST"),
    ],
)
async def test_strangers(market, path, method):
    """Without the token, and by a method that the hook does not have, a message is refused and nothing is asked."""
    answer = await market.send(path, method=method, headers={"X-Request-Id": "r1"})
    nobody = await market.send("nothing", method=method, headers={"X-Request-Id": "r1"})
    assert (401, 401) == (answer[0], nobody[0])
    assert answer[1] in (b"", nobody[1])
    assert [] == market.seller.asked


async def test_a_message_of_another(market):
    """What the hook compares must be equal also in what asks."""
    body = json.dumps(json.loads(order()) | {"club": "south"}).encode()
    assert [200, 401] == [(await market.send(PLAIN, one))[0] for one in (order(), body)]
    assert 1 == len(market.seller.asked)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (order(court=None), "resource_id"),
        (order(to="2026-03-19T08:30"), "end"),
        (order(**{"from": "2026-03-29T02:30"}), "from"),
        (order(court="s3cret\x00"), "resource_id"),
        (b'{"order": "s3cret"', "JSON"),
    ],
)
async def test_unreadable(market, caplog, body, field):
    """What cannot be read is the marketplace's to mend: 400 with the field, or its own status; the log has the line."""
    caplog.set_level(logging.DEBUG)
    status, told, _ = await market.send(PLAIN, body)
    error = json.loads(told)["error"]
    assert (400, "VALIDATION_ERROR") == (status, error["code"])
    assert field in error["message"]
    assert (422, b"unreadable") == (await market.send(CALENDAR, body))[:2]
    formatter = JsonLines(Redactor(()))
    log = [json.loads(formatter.format(record)) for record in caplog.records]
    refused = [line for line in log if line["event"] == "hook.refused"]
    assert ["plain", "calendar"] == [line["hook"] for line in refused]
    assert all("market.yaml:" in line["reason"] and field in line["reason"] for line in refused)
    assert "s3cret" not in json.dumps(log) + told.decode()
    assert "market.yaml" not in told.decode()
    assert [] == market.seller.asked


@pytest.mark.parametrize(
    ("failure", "status", "wait"),
    [
        (GatewayError("", code="RATE_LIMITED", retry_after=2.5), 503, "3"),
        (GatewayError("", code="RATE_LIMITED"), 503, "30"),
        (ProviderUnavailable("", sent=True, timed_out=True), 503, "30"),
        (StoreUnavailable(""), 500, None),
        (GatewayError("", code="SLOT_NOT_FOUND"), 418, None),
        (CallerRefused("", code="FORBIDDEN"), 418, None),
        (GatewayError("", code="OUTCOME_UNKNOWN"), 418, None),
    ],
)
async def test_failures(market, caplog, failure, status, wait):
    """What may succeed later is answered 503 and when, unless the mapping says so; all else by its `default`."""
    caplog.set_level(logging.DEBUG)
    market.seller.failure = failure
    answer = await market.send(CALENDAR, order())
    assert (status, wait) == (answer[0], answer[2].get("Retry-After"))
    if wait is not None:
        assert (failure.code, 503) == tuple(json.loads(answer[1])["error"][key] for key in ("code", "status"))
    formatter = JsonLines(Redactor(()))
    (done,) = [line for line in map(json.loads, map(formatter.format, caplog.records)) if line["event"] == "call.done"]
    assert ("market", "hooks.calendar", failure.code) == (done["connection"], done["operation"], done["code"])
    assert 0 == await market.kept()


async def test_the_gateways_own_words(market):
    """Where the mapping says nothing of an error, the marketplace is told what a caller would be."""
    market.seller.failure = GatewayError("Slot not found.", code="SLOT_NOT_FOUND")
    status, body, _ = await market.send(PLAIN, order())
    assert (404, "Slot not found.") == (status, json.loads(body)["error"]["message"])


async def test_an_answer_that_cannot_be_built(market):
    """An answer that lacks what its template reads is a fault of the mapping: what was done stays done."""
    assert 418 == (await market.send(CALENDAR, order(number=None)))[0]
    assert "b1" == market.seller.booking["id"]


async def test_nobody_sells(serve_market):
    """Without links everything that is asked is answered with NOT_FOUND, and what cannot be read as ever."""
    async with serve_market(None) as market:
        status, body, _ = await market.send(PLAIN, order())
        assert (404, "No link sells what is asked for.") == (status, json.loads(body)["error"]["message"])
        assert 418 == (await market.send(CALENDAR))[0]
        assert 422 == (await market.send(CALENDAR, b"{"))[0]
