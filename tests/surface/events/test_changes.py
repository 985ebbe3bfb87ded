"""The list of events: pages without loss, cursors that are bound, and retention that is told."""

import json

import pytest
from sqlalchemy import delete, select, text

from gateway.store.database import Database
from gateway.store.tables import events
from gateway.surface.operations.cursors import cursor_of
from tests.listeners import canonical, publishing
from tests.surface.conftest import KEYS, Caller

PATH = "/v1/club-a/changes"


@pytest.fixture
async def call(serve, database):
    client, _ = await serve(database)
    return Caller(client, KEYS["web"])


def told(page):
    return [event["data"]["id"] for event in page["data"]]


async def test_pages_follow_one_another_on_every_store(serve, store_url, moments):
    """All events come once, in order, page by page, and the last cursor leads to what happens later."""
    async with Database(store_url, lambda: moments[-1]) as database:
        publish = publishing(database, moments)
        client, _ = await serve(database)
        call = Caller(client, KEYS["web"])
        for number in range(5):
            await publish("club-a", canonical(str(number)))
            await publish("club-b", canonical("other"))
        found, query = [], ""
        for more in (True, True, False):
            status, page, headers = await call("GET", f"{PATH}?limit=2{query}")
            about = page["page"]
            assert (200, more, None, 2) == (status, about["has_more"], about["total"], about["limit"])
            assert more == ("Link" in headers)
            found += told(page)
            query = f"&cursor={about['next_cursor']}"
        assert ["0", "1", "2", "3", "4"] == found
        assert [] == told((await call("GET", f"{PATH}?limit=2{query}"))[1])
        await publish("club-a", canonical("later"))
        assert ["later"] == told((await call("GET", f"{PATH}?limit=2{query}"))[1])


async def test_bodies_are_the_stored_bytes(serve, database, published):
    """An event is the same JSON, byte for byte, as the one that webhooks sign."""
    await published("club-a", canonical(title="Ünïcode — “quoted”", notes="a\u2028b"), canonical("8"))
    client, _ = await serve(database)
    async with client.get(PATH, headers={"Authorization": f"Bearer {KEYS['web']}"}) as response:
        raw = await response.read()
    bodies = await database.read(lambda opened: list(opened.scalars(select(events.c.body))))
    assert raw.startswith(b'{"data":[' + b",".join(bodies) + b'],"page":{')
    assert "application/json" == response.headers["Content-Type"]
    assert ["booking.created"] * 2 == [event["event"] for event in json.loads(raw)["data"]]


async def test_latest_begins_now(call, published):
    """The cursor `latest` gives nothing that was, and a cursor for all that comes."""
    await published("club-a", canonical("before"))
    _, page, _ = await call("GET", f"{PATH}?cursor=latest")
    assert [] == page["data"]
    await published("club-a", canonical("after"))
    _, page, _ = await call("GET", f"{PATH}?cursor={page['page']['next_cursor']}")
    assert ["after"] == told(page)


async def test_only_events_of_the_types_asked_for(call, published):
    """Types can be repeated; what was left out is not told later either."""
    await published("club-a", canonical())
    await published("club-a", canonical(status="cancelled"))
    _, page, _ = await call("GET", f"{PATH}?event=booking.cancelled&event=booking.updated")
    assert ["booking.cancelled"] == [event["event"] for event in page["data"]]
    _, page, _ = await call("GET", f"{PATH}?cursor={page['page']['next_cursor']}")
    assert [] == page["data"]


async def test_a_reader_that_comes_back_is_never_left_behind(call, published, database):
    """An empty page moves the cursor on, so that retention of other connections' events harms nobody."""
    _, page, _ = await call("GET", PATH)
    await published("club-b", canonical())
    _, page, _ = await call("GET", f"{PATH}?cursor={page['page']['next_cursor']}")
    await database.write(lambda opened: opened.execute(delete(events)))
    status, _, _ = await call("GET", f"{PATH}?cursor={page['page']['next_cursor']}")
    assert 200 == status


async def test_what_is_no_longer_kept_is_told(call, published, database):
    """A cursor from before the oldest event is refused with what to do, and nothing is skipped."""
    await published("club-a", *(canonical(str(number)) for number in range(4)))
    await database.write(lambda opened: opened.execute(delete(events).where(events.c.sequence <= 2)))
    status, body, _ = await call("GET", f"{PATH}?cursor={cursor_of(1, 'club-a')}")
    assert (400, "VALIDATION_ERROR") == (status, body["error"]["code"])
    assert "no longer kept; begin again without a cursor and read the bookings" in body["error"]["message"]
    assert ["2", "3"] == told((await call("GET", f"{PATH}?cursor={cursor_of(2, 'club-a')}"))[1])
    assert ["2", "3"] == told((await call("GET", PATH))[1])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=nonsense", "cursor"),
        ("cursor=%C3%A4", "cursor"),
        (f"cursor={cursor_of(0, 'club-b')}", "cursor"),
        (f"cursor={cursor_of(9, 'club-a')}", "cursor"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("event=booking.made", "event.0"),
        ("since=1", "since"),
    ],
)
async def test_what_cannot_be_meant_is_refused(call, query, field):
    """Foreign cursors, unknown types, limits and arguments are errors that name their field."""
    status, body, _ = await call("GET", f"{PATH}?{query}")
    assert (400, field) == (status, body["error"]["details"]["fields"][0]["field"])


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [
        (None, PATH, 401),
        ("writer", PATH, 403),
        ("web", "/v1/club-c/changes", 403),
        ("web", "/v1/nowhere/changes", 404),
    ],
)
async def test_only_who_may_read_the_connection_hears(serve, database, key, path, status):
    """Keys, scopes and connections hold for events as for bookings."""
    client, _ = await serve(database)
    assert status == (await Caller(client, KEYS.get(key))("GET", path))[0]


async def test_an_outage_of_the_store_is_told(call, database):
    """While events cannot be read, the answer says when to come again."""
    await database.write(lambda opened: opened.execute(text("ALTER TABLE events RENAME TO away")))
    status, body, headers = await call("GET", PATH)
    assert (503, "STORE_UNAVAILABLE", "5") == (status, body["error"]["code"], headers["Retry-After"])
