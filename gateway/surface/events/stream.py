"""The events of a connection as they happen: server-sent events (WHATWG HTML §9.2), the same bodies as webhooks.

A stream is a cursor and no buffer: each one reads the store from where its client stands, so a slow client costs what
the kernel holds for it and is let go when it takes nothing for a while. Nothing here asks a provider, and no key is
taken from a URL.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.model.model import arguments
from gateway.store.database import Database
from gateway.store.events.events import EVENTS, last_sequence
from gateway.store.events.following import EventBatch
from gateway.surface.events.changes import LATEST, follow_events
from gateway.surface.http.authentication import caller_of
from gateway.surface.http.cors import Cors
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.cursors import cursor_of, sequence_of
from gateway.surface.operations.operations import read
from gateway.values.errors import CallInvalid, StoreUnavailable, TooManyCalls

LAST_SEEN = "Last-Event-ID"
"""The header by which a client goes on where it was."""
_MOST_AT_ONCE = 50
"""Events read at once; so many bodies a stream holds in memory."""
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",  # nginx and its kin would hold events back
    "X-Content-Type-Options": "nosniff",
    "Server": "booking-gateway",
}


@dataclass(frozen=True, slots=True)
class Pace:
    """The bounds of streams. Times are in seconds."""

    heartbeat: float = 15.0
    """How often an idle client hears that the stream lives."""
    look: float = 1.0
    """How often the store is looked into without word of a commit: another replica may have written."""
    stalled: float = 30.0
    """How long a client may take nothing before it is let go."""
    parting: float = 1.0
    """How long a client may take nothing once the gateway stops."""
    retry: float = 3.0
    """What clients are told to wait before they come again."""
    per_caller: int = 10
    in_all: int = 200


@dataclass(slots=True)
class Streams:
    """The handler of `/v1/{connection}/events/stream`, and the streams that are open."""

    calls: Calls
    database: Database
    pace: Pace = field(default_factory=Pace)
    _open: Counter[str] = field(default_factory=Counter)
    _senders: set[_Sender] = field(default_factory=set)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def __repr__(self) -> str:
        return f"Streams({self._open.total()} open{', closing' if self._closing.is_set() else ''})"

    @property
    def open(self) -> int:
        """How many there are."""
        return self._open.total()

    def handlers(self) -> dict[str, Handler]:
        """Give the handler by its operation."""
        return {"changes.stream": self.answer}

    async def stop(self, _app: web.Application) -> None:
        """Tell every client to come again, and end: a signal of the application, for its shutdown.

        Who takes nothing is not waited for.
        """
        self._closing.set()
        asyncio.get_running_loop().call_later(self.pace.parting, self._part)

    def _part(self) -> None:
        for sender in self._senders:
            sender.abort()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer GET with events, and HEAD with none. Raises what `stream` does."""
        return await (self.head(request) if request.method == "HEAD" else self.stream(request))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send events until the client leaves or the gateway stops.

        Raises, before the first byte, CallInvalid for a cursor that cannot be followed, TooManyCalls, CallerRefused,
        NotMapped and StoreUnavailable; after it nothing: the connection ends, and the client comes again.
        """
        connection, types, cursor = await self._ask(request)
        with self._count(caller_of(request).name):
            field, seen = _last_seen(request, cursor)
            first = await self._begin(connection, field, seen, types)
            response = web.StreamResponse(headers=_HEADERS | self._also(request))
            sender = _Sender(request, response, connection, self.pace)
            self._senders.add(sender)
            try:
                await self._send(sender, first, types)
            except (ConnectionError, TimeoutError):
                sender.abort()  # the client left, or takes nothing
            except BaseException:
                sender.abort()  # no error body may follow events in the same answer
                raise
            finally:
                self._senders.discard(sender)
        return response

    async def head(self, request: web.Request) -> web.StreamResponse:
        """Answer as `stream` would, without an event (RFC 9110 §9.3.2). Raises what that does before its first byte."""
        await self._ask(request)
        return web.Response(headers=_HEADERS | self._also(request))

    async def _ask(self, request: web.Request) -> tuple[str, tuple[str, ...], str | None]:
        """Give the connection, the types and the cursor that a request asks for, if it may."""
        operation = self.calls.own("changes.stream")
        connection = self.calls.enter(request, operation).name
        given, cursor = read(operation, request, await self.calls.body(request))
        return connection, tuple(arguments(operation, given, "UTC").get("event", ())), cursor

    async def _begin(self, connection: str, field: str, cursor: str | None, types: tuple[str, ...]) -> EventBatch:
        """Give what a client that was there before has missed; to a new one, the number of now.

        `field` is where the cursor stood.
        """
        if cursor is None or cursor == LATEST:
            return EventBatch((), await self.database.read(last_sequence), more=False, gap=False)
        after = sequence_of(cursor, connection, field)
        return await follow_events(self.database, connection, after, types, _MOST_AT_ONCE)

    async def _send(self, sender: _Sender, page: EventBatch, types: tuple[str, ...]) -> None:
        """Send this page and what follows it, until there is a reason to end."""
        await sender.begin(page)
        engine = self.calls.engine
        while not self._closing.is_set() and sender.connection in engine.catalog.connections:
            told = self.database.told(EVENTS)  # before looking, so that what comes in between is not missed
            try:
                page = await follow_events(self.database, sender.connection, page.upto, types, _MOST_AT_ONCE)
            except CallInvalid:
                break  # retention overtook the client: it is told so when it comes again
            except StoreUnavailable:
                told = asyncio.Event()  # the client is kept, its heart beats, and the next look is in its time
            else:
                await sender.events(page)
                if page.more:
                    continue
            await sender.beat(page.upto)
            await self._rest(told)
            if sender.left:
                return
        await sender.end()

    async def _rest(self, told: asyncio.Event) -> None:
        """Wait for word of a commit, for the end of all streams, or for a while."""
        waiting = [asyncio.ensure_future(one.wait()) for one in (told, self._closing)]
        try:
            await asyncio.wait(waiting, timeout=self.pace.look, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()

    @contextmanager
    def _count(self, caller: str) -> Iterator[None]:
        """Count a stream while it is open. Raises TooManyCalls beyond the bounds."""
        if self._open[caller] >= self.pace.per_caller:
            raise _too_many("streams of this key", self.pace)
        if self._open.total() >= self.pace.in_all:
            raise _too_many("streams of the gateway", self.pace)
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            self._open += Counter()  # who has none is forgotten

    def _also(self, request: web.Request) -> dict[str, str]:
        """Give the headers that the boundary adds to other answers: it sees this one when it is over."""
        cors = Cors(self.calls.settings.cors_origins)
        return {"X-Request-Id": request[REQUEST_CONTEXT].request_id, **cors.headers(request)}


STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)
"""Where an application carries its Streams."""


class _Sender:
    """One client's end: writes, and how long it took nothing. A write that stalls raises TimeoutError."""

    __slots__ = ("_beaten", "_clock", "_pace", "_request", "_response", "connection")

    def __init__(self, request: web.Request, response: web.StreamResponse, connection: str, pace: Pace) -> None:
        self.connection = connection
        self._request = request
        self._response = response
        self._pace = pace
        self._clock = asyncio.get_running_loop().time
        self._beaten = self._clock()

    @property
    def left(self) -> bool:
        """Whether the client has gone: nobody reads what would be written."""
        return self._request.transport is None or self._request.transport.is_closing()

    async def begin(self, page: EventBatch) -> None:
        """Send the headers, how long to wait before coming again, and what was missed.

        An id without data is remembered by clients and told to nobody: who is cut off before the first event resumes.
        """
        await self._response.prepare(self._request)
        await self._write(self._retry())
        await self.events(page)
        await self._write(b"id: %s\n\n" % self._id(page.upto))

    async def events(self, page: EventBatch) -> None:
        """Send the events of a page. A body is JSON without line breaks, one `data` line."""
        for event in page.events:
            name = event.type.encode()
            await self._write(b"id: %s\nevent: %s\ndata: %s\n\n" % (self._id(event.sequence), name, event.body))

    async def beat(self, upto: int) -> None:
        """Send a heartbeat if it is time, with the number up to which nothing was for this client."""
        if self._clock() - self._beaten >= self._pace.heartbeat:
            await self._write(b": heartbeat\nid: %s\n\n" % self._id(upto))

    async def end(self) -> None:
        """Tell the client when to come again, and end the answer."""
        await self._write(self._retry())
        async with asyncio.timeout(self._pace.stalled):
            await self._response.write_eof()

    def abort(self) -> None:
        """Let the client go at once; what was not taken is given up."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _write(self, data: bytes) -> None:
        """Write; waits while the client takes nothing. Raises TimeoutError, ConnectionError."""
        async with asyncio.timeout(self._pace.stalled):
            await self._response.write(data)
        self._beaten = self._clock()

    def _retry(self) -> bytes:
        return b"retry: %d\n\n" % round(self._pace.retry * 1000)

    def _id(self, sequence: int) -> bytes:
        return cursor_of(sequence, self.connection).encode()


def _last_seen(request: web.Request, cursor: str | None) -> tuple[str, str | None]:
    """Give where a client stands, behind the name of what says so.

    The header wins: clients that come again by themselves send the same URL.
    """
    fields = request.headers.getall(LAST_SEEN, [])
    if len(fields) > 1:
        problem = "is given more than once"
        raise CallInvalid(f"`{LAST_SEEN}` {problem}.", details={"fields": [{"field": LAST_SEEN, "problem": problem}]})
    return (LAST_SEEN, fields[0]) if fields and fields[0] else ("cursor", cursor)


def _too_many(limit: str, pace: Pace) -> TooManyCalls:
    return TooManyCalls(f"There are too many {limit}.", details={"limit": limit}, retry_after=pace.retry)
