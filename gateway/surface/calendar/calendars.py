"""Calendar feeds as calendar programmes read them: no key, but the token of the path, which stands in no log or error.

A feed is worth what its owner may: once that caller is gone, or may not read the connection, so is the feed. A calendar
is made at most every few minutes; when it cannot be made, the last one is given for a day, and `Age` says how old it
is. Programmes drop what a calendar no longer holds, so half of one is never given.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from weakref import WeakValueDictionary

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.engine.catalog import Connection
from gateway.model.model import arguments, from_query
from gateway.store.database import Database
from gateway.store.events.feeds import Feed, by_digest
from gateway.surface.calendar.contents import CalendarContents, Entry, Names, of_resource
from gateway.surface.calendar.feeds import digest_of
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.requests import query_pairs
from gateway.surface.operations.calls import Calls
from gateway.values.errors import GatewayError, NotMapped

_NAME = "calendar.feed"
_WRITER = "gateway.surface.calendar.icalendar"
"""Slow to import: who has no feed of a calendar does without."""
_KEPT_BYTES = 64 * 1024 * 1024
_BYTES_AN_ENTRY = 2_000
_MOST_RESOURCES = 8
"""Calendars that are kept of one list; of another resource it is made again, from the list that is there."""
_STALE_SECONDS = 86_400
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class _CalendarEntry:
    """A calendar, asked for at `asked_at`, milliseconds since 1970; its bytes were first seen at `modified`."""

    body: bytes
    tag: str
    modified: datetime
    asked_at: int


@dataclass(frozen=True, slots=True)
class _FeedContents:
    """What a feed shows, asked for at `asked_at`; `made` are its calendars by resource, `before` those of the last."""

    entries: Sequence[Entry]
    names: Names
    asked_at: int
    before: Mapping[str, _CalendarEntry]
    made: OrderedDict[str, _CalendarEntry] = field(default_factory=OrderedDict)

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return _BYTES_AN_ENTRY * len(self.entries) + sum(len(one.body) for one in self.made.values())


@dataclass(frozen=True, slots=True)
class Calendars:
    """The handler of every feed. `now` gives milliseconds since 1970; a calendar is made anew after `max_age` seconds.

    `refresh` seconds is how often programmes are told to come; many come when they please.
    """

    calls: Calls
    database: Database
    now: Callable[[], int]
    max_age: int = 300
    refresh: int = 900
    _kept: OrderedDict[tuple[str, ...], _FeedContents] = field(default_factory=OrderedDict, repr=False)
    _locks: WeakValueDictionary[tuple[str, ...], asyncio.Lock] = field(default_factory=WeakValueDictionary, repr=False)

    def handlers(self) -> dict[str, Handler]:
        """Give the handler by its operation."""
        return {_NAME: self.get}

    async def get(self, request: web.Request) -> web.Response:
        """Answer with the calendar, or 304 (RFC 9110 §13.1). Raises NotMapped for every token that opens nothing."""
        operation, token = self.calls.own(_NAME), request.match_info["token"]
        request[REQUEST_CONTEXT].operation = operation.name
        feed, connection = await self._open(request.match_info["connection"], token)
        request[REQUEST_CONTEXT].connection = connection.name
        given = from_query(operation, query_pairs(request)) | {"token": token}
        found = arguments(operation, given, connection.zone)
        calendar = await self._current(request, feed, connection, found.get("resource_id"))
        age = (self.now() - calendar.asked_at) // _MILLISECONDS
        headers = {
            "ETag": f'"{calendar.tag}"',
            "Last-Modified": format_datetime(calendar.modified, usegmt=True),
            "Cache-Control": f"private, max-age={self.max_age}",
        } | ({"Age": str(age)} if age > 0 else {})
        if _is_unchanged(request, calendar):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return web.Response(body=calendar.body, headers=headers, content_type="text/calendar", charset="utf-8")

    async def _open(self, name: str, token: str) -> tuple[Feed, Connection]:
        """Give what a token opens. It is looked up by its digest: the time tells nothing of what is kept."""
        feed = await self.database.read(lambda opened: by_digest(opened, digest_of(token)))
        connection = self.calls.engine.catalog.connections.get(name)
        if feed is None or feed.connection != name or connection is None or not self._worth(feed):
            raise NotMapped("There is no calendar at this path.")
        return feed, connection

    def _worth(self, feed: Feed) -> bool:
        """Tell whether the feed's owner may still read what it shows."""
        owner = self.calls.settings.callers.get(feed.owner)
        return (
            owner is not None
            and "read" in owner.may
            and (owner.connections is None or feed.connection in owner.connections)
        )

    async def _current(
        self, request: web.Request, feed: Feed, connection: Connection, resource: str | None
    ) -> _CalendarEntry:
        """Give the calendar, made a while ago or now; however many ask, it is made once. Raises GatewayError.

        The list is asked for and kept whole, and a resource is chosen from it afterwards: whoever has the link may name
        any number of resources, and the provider is asked no more often for that.
        """
        key = (feed.id, connection.digest)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            agenda = await self._list(request, feed, connection, key)
            kept = agenda.made.get(resource or "")
            return kept if kept is not None else await self._make(request, feed, connection, resource, agenda)

    async def _list(
        self, request: web.Request, feed: Feed, connection: Connection, key: tuple[str, ...]
    ) -> _FeedContents:
        """Give what the feed shows, asked for a while ago or now; the last when the provider does not answer."""
        kept, now = self._kept.get(key), self.now()
        if kept is not None and now - kept.asked_at < self.max_age * _MILLISECONDS:
            return kept
        agenda = CalendarContents(self.calls, self.database)
        try:
            entries = of_resource(await agenda.entries(request, connection, now), feed.resource_id)
            names = await agenda.names(request, connection)
        except GatewayError:
            if kept is None or now - kept.asked_at >= _STALE_SECONDS * _MILLISECONDS:
                raise
            return kept
        found = self._kept[key] = _FeedContents(entries, names, now, before=kept.made if kept is not None else {})
        self._kept.move_to_end(key)
        while sum(one.size for one in self._kept.values()) > _KEPT_BYTES and len(self._kept) > 1:
            self._kept.popitem(last=False)
        return found

    async def _make(
        self, request: web.Request, feed: Feed, connection: Connection, resource: str | None, agenda: _FeedContents
    ) -> _CalendarEntry:
        """Write the calendar of one resource, or of all, and keep it with its list."""
        refresh = timedelta(seconds=self.refresh)

        def written() -> bytes:
            shown = of_resource(agenda.entries, resource)
            body: bytes = importlib.import_module(_WRITER).render(feed, connection.zone, shown, agenda.names, refresh)
            return body

        # Thousands of bookings take a second: beside the event loop, so that others are answered meanwhile.
        body = await self.calls.computing(request, connection, _NAME)(written, large=True)
        tag = hashlib.sha256(body).hexdigest()[:32]
        before = agenda.before.get(resource or "")
        modified = datetime.fromtimestamp(agenda.asked_at // _MILLISECONDS, UTC)
        if before is not None and before.tag == tag:
            modified = before.modified
        made = agenda.made[resource or ""] = _CalendarEntry(body, tag, modified, agenda.asked_at)
        while len(agenda.made) > _MOST_RESOURCES:
            agenda.made.popitem(last=False)
        return made


def _is_unchanged(request: web.Request, calendar: _CalendarEntry) -> bool:
    """Tell whether the client has these bytes. A date must be the very one it was given: ours can only be equal."""
    tags = request.if_none_match
    if tags is not None:
        return any(one.value in {"*", calendar.tag} for one in tags)
    return request.if_modified_since == calendar.modified
