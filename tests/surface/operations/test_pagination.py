"""Lists in pages: complete, in a sensible order, with cursors that belong to one query."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings, strategies

from gateway.model.model import load
from gateway.surface.operations.pagination import cut, read_page_request
from gateway.values.errors import CallInvalid

BOOKINGS = "/v1/club-a/bookings"
COURTS = "/v1/club-a/resources"
BY_ID = load().operations["resources.list"]
BY_START = load().operations["bookings.list"]


def courts(*ids):
    """Give the provider's answer with courts of these ids."""
    return 200, {"ok": True, "data": [{"id": one, "name": f"Court {one}"} for one in ids]}


async def test_pages(call, provider):
    """Following the cursors gives every entry once, numbers in ids in the order of people."""
    provider.answers["GET /courts"] = courts("10", "9", "b2", "b10", "1", "A", "09", "2")
    path, found = f"{COURTS}?limit=3", []
    for _ in range(3):
        status, body, headers = await call("GET", path)
        assert 200 == status
        assert (3, 8) == (body["page"]["limit"], body["page"]["total"])
        assert body["page"]["has_more"] == (body["page"]["next_cursor"] is not None)
        found.append([one["id"] for one in body["data"]])
        path = headers.get("Link", "<>").partition(">")[0][1:]
    assert [["1", "2", "09"], ["9", "10", "A"], ["b2", "b10"]] == found
    assert ("", False) == (path, body["page"]["has_more"])


async def test_no_limit(call, provider):
    """A page has 50 entries unless the caller says otherwise, and at most 200."""
    provider.answers["GET /courts"] = courts(*map(str, range(250)))
    for query, length in [("", 50), ("?limit=200", 200)]:
        _, body, _ = await call("GET", COURTS + query)
        assert (length, length, 250) == (len(body["data"]), body["page"]["limit"], body["page"]["total"])


async def test_entries_come_and_go(call, provider):
    """A page begins behind the last entry of the one before, also when that entry is gone or others came."""
    provider.answers["GET /courts"] = courts("1", "2", "3", "4")
    _, body, _ = await call("GET", f"{COURTS}?limit=2")
    provider.answers["GET /courts"] = courts("0", "1", "3", "4", "5")
    _, body, _ = await call("GET", f"{COURTS}?limit=2&cursor={body['page']['next_cursor']}")
    assert ["3", "4"] == [one["id"] for one in body["data"]]


async def test_order_by_moment(call, provider, booking):
    """Times are sorted by the moment they mean, not by their text; without one, an entry comes last."""
    times = {"3": "2026-10-25T02:30:00+01:00", "1": "2026-10-25T02:45:00+02:00", "2": "2026-10-25T01:00:00Z", "4": None}
    end = "2026-10-26T10:00:00+01:00"
    rows = [
        booking | {"id": name, "start": "2026-10-25T01:00:00Z", "end": end, "created": at} for name, at in times.items()
    ]
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": rows})
    _, body, _ = await call("GET", f"{BOOKINGS}?sort=created_at")
    assert ["1", "2", "3", "4"] == [one["id"] for one in body["data"]]


@pytest.mark.parametrize(
    "cursor", ["x", "", "=", "%C3%A9", "W10", "e30", "bnVsbA", "a" * 4000, "....", quote("eyJhIjoxfQ==")]
)
async def test_garbage(call, provider, cursor):
    """What is no cursor is 400, before the provider is asked."""
    status, body, _ = await call("GET", f"{COURTS}?cursor={cursor}")
    assert (400, "cursor") == (status, body["error"]["details"]["fields"][0]["field"])
    assert [] == provider.asked


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (COURTS, 200),
        (f"{COURTS}?limit=7&include=provider_data", 200),
        (f"{COURTS}?type=court", 400),
        ("/v1/club-b/resources", 400),
        (BOOKINGS, 400),
    ],
)
async def test_bound(call, provider, path, status):
    """A cursor is good for its own query on its own connection; only the length of pages may change."""
    provider.answers |= {"GET /courts": courts("1", "2"), "GET /bookings": (200, {"ok": True, "data": []})}
    _, body, _ = await call("GET", f"{COURTS}?limit=1")
    joint = "&" if "?" in path else "?"
    found, _, _ = await call("GET", f"{path}{joint}cursor={body['page']['next_cursor']}")
    assert status == found


async def test_bound_to_the_caller_of_connections(call, call_as):
    """The list of connections differs by caller, so its cursors do as well."""
    _, body, _ = await call("GET", "/v1/connections?limit=1")
    path = f"/v1/connections?cursor={body['page']['next_cursor']}"
    _, body, _ = await call("GET", path)
    assert ["club-b"] == [one["id"] for one in body["data"]]
    assert 400 == (await call_as("reporting")("GET", path))[0]


def test_a_cursor_of_the_right_form():
    """A cursor with values of another type is refused like any other."""
    page = read_page_request(BY_START, {"limit": 1}, None, "c")
    for values in [["2026-03-19", "7"], ["2026-03-19T09:00:00+01:00", ["7"]], [5, "7"], ["2026-03-19T09:00:00+01:00"]]:
        text = json.dumps([page.query, *values]).encode()
        with pytest.raises(CallInvalid):
            read_page_request(BY_START, {"limit": 1}, base64.urlsafe_b64encode(text).decode().rstrip("="), "c")


IDS = strategies.text(strategies.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=255)
STARTS = strategies.none() | strategies.integers(0, 23).map(lambda hour: f"2026-03-19T{hour:02}:00:00+01:00")


@settings(max_examples=100)
@given(
    rows=strategies.dictionaries(IDS, STARTS, max_size=12),
    limit=strategies.integers(1, 5),
    operation=strategies.sampled_from([BY_ID, BY_START]),
)
def test_every_entry_once(rows, limit, operation):
    """Whatever the ids and times, the pages together are all entries, each once, in one order."""
    data = [{"id": name, "start": start} for name, start in rows.items()]
    cursor, seen = None, []
    for _ in range(len(data) + 1):
        page = read_page_request(operation, {"limit": limit}, cursor, "c")
        shown, beside, about = cut(page, data, data)
        assert shown == beside
        seen += [one["id"] for one in shown]
        cursor = about["next_cursor"]
        if cursor is None:
            break
    whole, _, _ = cut(read_page_request(operation, {"limit": 200}, None, "c"), data, data)
    assert [one["id"] for one in whole] == seen
    assert sorted(rows) == sorted(seen)
