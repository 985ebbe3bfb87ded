"""Large answers: while one is made, others are answered; its pages come from one reading, and bounds are told."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.computation.budget import MOST_ROWS
from gateway.model.model import load
from gateway.surface.http.responses import to_bytes, to_bytes_in_pieces

BOOKINGS = "/v1/club-a/bookings"
MANY = 4_000
SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(SCALARS, lambda one: st.lists(one) | st.dictionaries(st.text('aé"', max_size=3), one))


@pytest.fixture
def many(provider, booking):
    """Let the provider list thousands of bookings."""
    rows = [booking | {"id": str(number), "notes": "n" * 40} for number in range(MANY)]
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": rows})
    return provider


async def canaries(client, until):
    """Ask whether the process lives, again and again until a task is done; gives how often it was answered."""
    count = 0
    while not until.done():
        async with client.get("/health") as response:
            assert 200 == response.status
        count += 1
    return count


async def test_others_are_answered_meanwhile(call, client, many):
    """Reading, mapping, sorting and writing thousands of rows does not hold the process."""
    asking = asyncio.ensure_future(call("GET", BOOKINGS))
    answered = await canaries(client, asking)
    status, body, _ = await asking
    assert (200, MANY, 50) == (status, body["page"]["total"], len(body["data"]))
    assert answered > 25


@given(JSON)
def test_written_in_pieces(value):
    """JSON written in pieces is the same as in one."""
    assert to_bytes(value) == to_bytes_in_pieces(value)


async def test_a_row_that_does_not_fit(call, provider, booking, caplog):
    """It is left out of a caller's list, and the answer and the log say which row and which line; never the value."""
    data = [booking | {"id": "1"}, booking | {"id": "2", "start": "s3cret-noon"}, booking | {"id": ""}]
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": data})
    status, body, _ = await call("GET", BOOKINGS)
    assert (200, ["1"], 1) == (status, [one["id"] for one in body["data"]], body["page"]["total"])
    assert [(1, "start"), (2, "id")] == [(one["row"], one["field"]) for one in body["warnings"]]
    assert {"ROW_LEFT_OUT"} == {one["code"] for one in body["warnings"]}
    for one in body["warnings"]:
        assert "courts.yaml:" in one["origin"]
        assert one["origin"] in one["message"]
        assert one == load().types["Warning"].accept(one)
    assert "s3cret-noon" not in str(body["warnings"]) + caplog.text
    assert 2 == len([one for one in caplog.records if "row.left_out" in one.getMessage()])


async def test_a_row_whose_absence_means_something(call, provider):
    """Of slots, a row that does not fit refuses the whole answer: what is left out looks like something else."""
    row = {"id": "1", "court": "c1", "start": "2026-03-01T09:00:00+01:00", "end": "2026-03-01T10:00:00+01:00"}
    provider.answers["GET /slots"] = (200, {"ok": True, "data": [row, row | {"id": "2", "start": "noon"}]})
    window = "from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z"
    status, body, _ = await call("GET", f"/v1/club-a/slots?{window}&resource_id=c1")
    assert (502, "PROVIDER_ERROR") == (status, body["error"]["code"])


async def test_too_many_rows(call, provider):
    """More rows than the gateway takes are refused before one is read: where there is a window, it is too long."""
    data = b'{"ok": true, "data": [' + b",".join([b"{}"] * (MOST_ROWS + 1)) + b"]}"
    provider.answers |= {"GET /slots": (200, data), "GET /courts": (200, data)}
    window = "from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z"
    status, body, _ = await call("GET", f"/v1/club-a/slots?{window}&resource_id=c1")
    assert (422, "WINDOW_TOO_LARGE", {"max_rows": MOST_ROWS}) == (
        status,
        body["error"]["code"],
        body["error"]["details"],
    )
    status, body, _ = await call("GET", "/v1/club-a/resources")
    assert (502, "PROVIDER_ERROR") == (status, body["error"]["code"])


async def test_pages_come_from_one_reading(call, call_as, many, new, booking):
    """The pages of a list are of one call of the provider, for the caller who asked; a write ends that."""
    _, body, headers = await call("GET", f"{BOOKINGS}?limit=3&sort=start")
    assert "Age" not in headers
    link = headers["Link"].partition(">")[0][1:]
    many.answers["GET /bookings"] = (200, {"ok": True, "data": [booking | {"id": "5"}, booking | {"id": "9"}]})
    status, body, headers = await call("GET", link)
    assert (200, ["3", "4", "5"], MANY) == (status, [one["id"] for one in body["data"]], body["page"]["total"])
    assert "0" == headers["Age"]
    _, body, headers = await call("GET", headers["Link"].partition(">")[0][1:])
    assert ["6", "7", "8"] == [one["id"] for one in body["data"]]
    assert 1 == len(many.asked)
    other = await call_as("reporting")("GET", link)
    assert (["5", "9"], 2) == ([one["id"] for one in other[1]["data"]], len(many.asked))
    with_own = await call("GET", f"{link}&include=provider_data")
    assert (["5", "9"], 3) == ([one["id"] for one in with_own[1]["data"]], len(many.asked))
    many.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    assert 201 == (await call("POST", BOOKINGS, json=new))[0]
    _, body, _ = await call("GET", link)
    assert ["5", "9"] == [one["id"] for one in body["data"]]


async def test_a_write_ends_what_is_being_read(call, provider, booking, new):
    """Pages that follow a write never come from a list that was asked for before it, also when that ends after it."""
    rows = [booking | {"id": str(number)} for number in range(9)]
    provider.answers |= {
        "GET /bookings": (200, {"ok": True, "data": rows}),
        "POST /bookings": (200, {"ok": True, "data": booking}),
    }
    held = provider.gate = asyncio.Event()
    asking = asyncio.ensure_future(call("GET", f"{BOOKINGS}?limit=3"))
    await provider.arrived.wait()
    provider.gate = None
    assert 201 == (await call("POST", BOOKINGS, json=new))[0]
    held.set()
    _, _, headers = await asking
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": rows[:6]})
    _, body, _ = await call("GET", headers["Link"].partition(">")[0][1:])
    assert 6 == body["page"]["total"]
