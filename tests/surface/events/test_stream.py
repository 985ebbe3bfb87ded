"""The stream of events over a real socket: nothing lost, nothing kept for the slow, and an end in order."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import delete, text

from gateway.engine.catalog import Catalog
from gateway.store.database import Database
from gateway.store.tables import events
from gateway.surface.events.stream import Pace
from gateway.surface.operations.cursors import cursor_of
from tests.listeners import QUICK, canonical, publishing
from tests.surface.conftest import KEYS, Caller

PATH = "/v1/club-a/events/stream"
SLOW = replace(QUICK, heartbeat=60)


class Listener:
    """Reads one stream block by block: each is a dict of its fields; a comment stands under the empty name."""

    def __init__(self, response):
        self.response = response

    async def block(self):
        """Give the next block; None at the end."""
        found = {}
        async with asyncio.timeout(5):
            while True:
                line = (await self.response.content.readline()).decode()
                if not line:
                    return None
                if line == "\n":
                    return found
                name, _, value = line.rstrip("\n").partition(":")
                found[name] = value.removeprefix(" ")

    async def event(self):
        """Give the next block that has data; None at the end."""
        while True:
            block = await self.block()
            if block is None or "data" in block:
                return block


@asynccontextmanager
async def listening(client, path=PATH, *, key="web", **headers):
    """Open a stream."""
    sent = {"Authorization": f"Bearer {KEYS[key]}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.get(path, headers=sent) as response:
        yield Listener(response)


async def until(holds):
    """Wait until something holds."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - nobody tells of a stream that ended
            await asyncio.sleep(0.01)


async def test_events_come_as_they_happen_and_a_return_loses_none(serve, store_url, moments):
    """On every store: a new client hears what comes from now on, and who comes back first what it has missed."""
    async with Database(store_url, lambda: moments[-1]) as database:
        publish = publishing(database, moments)
        client, _ = await serve(database, pace=SLOW)
        await publish("club-a", canonical("before"))
        async with listening(client) as listener:
            assert {"retry": "3000"} == await listener.block()
            assert ["id"] == list(await listener.block())
            await publish("club-b", canonical("elsewhere"))
            await publish("club-a", canonical("1"), canonical("2"))
            first = await listener.event()
            assert ("booking.created", "1") == (first["event"], json.loads(first["data"])["data"]["id"])
        await publish("club-a", canonical("3"))
        async with listening(client, Last_Event_ID=first["id"]) as listener:
            await publish("club-a", canonical("4"))
            found = [json.loads((await listener.event())["data"])["data"]["id"] for _ in range(3)]
            assert ["2", "3", "4"] == found


async def test_the_headers_keep_everything_between_from_holding_events_back(serve, database):
    """Type, caching, buffering, request id and CORS are told with the first byte, and nothing is compressed."""
    client, _ = await serve(database)
    async with listening(
        client, Accept_Encoding="gzip", Origin="https://booking.example", X_Request_Id="mine"
    ) as listener:
        headers = listener.response.headers
        assert 200 == listener.response.status
        assert "text/event-stream; charset=utf-8" == headers["Content-Type"]
        assert "no-store, no-transform" == headers["Cache-Control"]
        assert ("no", "nosniff") == (headers["X-Accel-Buffering"], headers["X-Content-Type-Options"])
        assert ("mine", "booking-gateway") == (headers["X-Request-Id"], headers["Server"])
        assert "https://booking.example" == headers["Access-Control-Allow-Origin"]
        assert "Content-Encoding" not in headers


async def test_a_head_is_told_what_a_stream_would_be(serve, database):
    """Whoever only wants to know whether it may listen gets the headers and no stream, or why it may not."""
    client, streams = await serve(database)
    for key, path, status in (("web", PATH, 200), ("web", f"{PATH}?event=nothing", 400), ("writer", PATH, 403)):
        async with client.head(path, headers={"Authorization": f"Bearer {KEYS[key]}"}) as response:
            assert (status, b"") == (response.status, await response.read())
            assert status != 200 or "text/event-stream; charset=utf-8" == response.headers["Content-Type"]
    assert 0 == streams.open


async def test_a_body_is_the_stored_one(serve, database, published):
    """The data of an event is, byte for byte, what webhooks sign, whatever its texts hold."""
    client, _ = await serve(database)
    async with listening(client) as listener:
        await published("club-a", canonical(title="a\nb\r\u2028ü"))
        event = await listener.event()
    stored = await database.read(lambda opened: opened.execute(events.select()).one())
    assert stored.body.decode() == event["data"]


async def test_an_idle_client_hears_that_the_stream_lives_and_how_far_it_is(serve, database, published):
    """A heartbeat is a comment with the id to come back with, which moves on with other connections' events."""
    client, _ = await serve(database)
    async with listening(client) as listener:
        assert cursor_of(0, "club-a") == (await listener.block() | await listener.block())["id"]
        await published("club-b", canonical())
        beat = await listener.block()
        assert {"": "heartbeat", "id": cursor_of(1, "club-a")} == beat


async def test_a_cursor_and_types_can_stand_in_the_query(serve, database, published):
    """Where headers cannot be sent, `cursor` does the same; the header wins; types choose what is heard."""
    await published("club-a", canonical("1"))
    await published("club-a", canonical("1", status="cancelled"))
    client, _ = await serve(database)
    start = cursor_of(0, "club-a")
    async with listening(client, f"{PATH}?cursor={start}&event=booking.cancelled") as listener:
        assert "booking.cancelled" == (await listener.event())["event"]
    async with listening(client, f"{PATH}?cursor={start}", Last_Event_ID=cursor_of(1, "club-a")) as listener:
        assert "booking.cancelled" == (await listener.event())["event"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"{PATH}?cursor=x", {}, 400),
        (PATH, {"Last-Event-ID": "x"}, 400),
        (PATH, {"Last-Event-ID": cursor_of(0, "club-b")}, 400),
        (f"{PATH}?key=x", {}, 400),
        ("/v1/club-c/events/stream", {}, 403),
        ("/v1/nowhere/events/stream", {}, 404),
        (PATH, {"Authorization": ""}, 401),
    ],
)
async def test_what_cannot_be_heard_is_refused_before_the_stream_begins(serve, database, path, headers, status):
    """Wrong cursors, arguments, connections and keys are errors like everywhere, and no key is taken from a URL."""
    client, streams = await serve(database)
    assert status == (await Caller(client, KEYS["web"])("GET", path, headers=headers))[0]
    assert 0 == streams.open


@pytest.mark.parametrize(
    ("path", "headers", "field"),
    [(f"{PATH}?cursor=x", {}, "cursor"), (f"{PATH}?cursor=latest", {"Last-Event-ID": "x"}, "Last-Event-ID")],
)
async def test_a_cursor_that_is_none_is_named_by_where_it_stood(serve, database, path, headers, field):
    """Whoever sent a header is told of the header, and not of a query that it never sent."""
    client, _ = await serve(database)
    _, body, _ = await Caller(client, KEYS["web"])("GET", path, headers=headers)
    assert [field] == [one["field"] for one in body["error"]["details"]["fields"]]
    assert body["error"]["message"].startswith(f"`{field}` ")


async def test_a_client_that_missed_what_is_no_longer_kept_is_told(serve, database, published):
    """Resuming behind retention is refused with what to do."""
    await published("club-a", canonical("1"), canonical("2"))
    await database.write(lambda opened: opened.execute(delete(events)))
    client, _ = await serve(database)
    status, body, _ = await Caller(client, KEYS["web"])("GET", PATH, headers={"Last-Event-ID": cursor_of(1, "club-a")})
    assert 400 == status
    assert "no longer kept" in body["error"]["message"]


async def test_streams_are_bounded_by_caller_and_in_all(serve, database):
    """One stream too many is answered 429 with Retry-After, and the place is free again when a client leaves."""
    client, streams = await serve(database, pace=replace(QUICK, per_caller=1, in_all=2))
    web, reporting = Caller(client, KEYS["web"]), Caller(client, KEYS["reporting"])
    async with listening(client), listening(client, key="reporting"):
        for caller in (web, reporting):
            status, body, headers = await caller("GET", PATH)
            assert (429, "RATE_LIMITED", "3") == (status, body["error"]["code"], headers["Retry-After"])
        assert "Streams(2 open)" == repr(streams)
    await until(lambda: streams.open == 0)
    client, streams = await serve(database, pace=replace(QUICK, in_all=1))
    async with listening(client):
        status, body, _ = await Caller(client, KEYS["reporting"])("GET", PATH)
        assert (429, "streams of the gateway") == (status, body["error"]["details"]["limit"])


async def test_a_client_that_leaves_is_let_go_at_once(serve, database, published):
    """A closed connection frees its place without waiting for an event or a heartbeat."""
    client, streams = await serve(database, pace=SLOW)
    async with listening(client) as listener:
        await listener.block()
        assert 1 == streams.open
        listener.response.close()
        await until(lambda: streams.open == 0)


async def test_a_client_that_takes_nothing_is_let_go(serve, database, published):
    """Who reads nothing for a while while events come is cut off, and others hear them all the same."""
    client, streams = await serve(database)
    reader, writer = await asyncio.open_connection(client.host, client.port, limit=1024)
    writer.write(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEYS['web']}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    assert 1 == streams.open
    for number in range(12):
        await published("club-a", canonical(str(number), notes="x" * 1_000_000))
    await until(lambda: streams.open == 0)
    writer.close()


async def test_an_outage_of_the_store_does_not_end_a_stream(serve, database, published):
    """While the store is out of reach the heart beats, and afterwards the stream goes on without loss."""
    client, _ = await serve(database)
    async with listening(client) as listener:
        assert [["retry"], ["id"]] == [list(await listener.block()) for _ in range(2)]
        await database.write(lambda opened: opened.execute(text("ALTER TABLE events RENAME TO away")))
        assert [{"": "heartbeat", "id": cursor_of(0, "club-a")}] * 2 == [await listener.block() for _ in range(2)]
        await database.write(lambda opened: opened.execute(text("ALTER TABLE away RENAME TO events")))
        await published("club-a", canonical())
        assert "booking.created" == (await listener.event())["event"]


async def test_a_reload_ends_only_the_streams_of_connections_that_are_gone(serve, database, published, engine):
    """A new catalog leaves streams alone; that of a connection it lacks ends with word of when to come again."""
    client, _ = await serve(database)
    kept = engine.catalog
    async with listening(client) as listener:
        engine.use(Catalog("v2", kept.providers, dict(kept.connections)))
        await published("club-a", canonical())
        assert "booking.created" == (await listener.event())["event"]
        engine.use(Catalog("v3", kept.providers, {"club-b": kept.connections["club-b"]}))
        while (block := await listener.block()) is not None:
            last = block
        assert {"retry": "3000"} == last


async def test_a_stream_that_retention_overtakes_ends(serve, database, published):
    """Events are not skipped: the stream ends, and the client is told why when it comes again."""
    client, _ = await serve(database, pace=SLOW)
    async with listening(client) as listener:
        await database.write(lambda opened: opened.execute(text("UPDATE counters SET value = 5 WHERE name = 'events'")))
        assert None is await listener.event()


async def test_a_stop_ends_all_streams_with_word_of_when_to_come_again(serve, database):
    """At a shutdown every client is told `retry` and the answer ends whole; a late one is told so at once."""
    client, streams = await serve(database, pace=SLOW)
    async with listening(client) as listener:
        await listener.block()
        await listener.block()
        await streams.stop(client.app)
        assert [{"retry": "3000"}, None] == [await listener.block(), await listener.block()]
    async with listening(client) as listener:
        assert [["retry"], ["id"], ["retry"]] == [list(await listener.block()) for _ in range(3)]
        assert None is await listener.block()
    await until(lambda: streams.open == 0)


async def test_a_stop_does_not_wait_for_a_client_that_takes_nothing(serve, database, published):
    """At a shutdown a client that reads nothing is cut off, however long it might take nothing otherwise."""
    client, streams = await serve(database, pace=replace(SLOW, stalled=60, parting=0.05))
    reader, writer = await asyncio.open_connection(client.host, client.port, limit=1024)
    writer.write(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEYS['web']}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    for number in range(12):
        await published("club-a", canonical(str(number), notes="x" * 1_000_000))
    await streams.stop(client.app)
    await until(lambda: streams.open == 0)
    writer.close()


def test_the_bounds_by_default():
    """What is promised: a heartbeat every 15 seconds, three seconds before coming again."""
    assert (15.0, 3.0) == (Pace().heartbeat, Pace().retry)
