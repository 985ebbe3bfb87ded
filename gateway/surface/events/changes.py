"""The events of a connection, to be fetched: for consumers that cannot be called. In order, at least once.

A cursor is the number of the last event seen, bound to its connection: opaque, but no secret and no permission. What
is no longer kept is never skipped in silence. Nothing here asks a provider.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.model.model import arguments
from gateway.store.database import Database
from gateway.store.events.events import last_sequence
from gateway.store.events.following import EventBatch, follow
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.cursors import cursor_error, cursor_of, sequence_of
from gateway.surface.operations.operations import next_link, read

LATEST = "latest"
"""The cursor that stands for now: nothing that was, everything that comes."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The handler of `/v1/{connection}/changes`."""

    calls: Calls
    database: Database

    def handlers(self) -> dict[str, Handler]:
        """Give the handler by its operation."""
        return {"changes.list": self.list}

    async def list(self, request: web.Request) -> web.Response:
        """Answer with the next events and the cursor to come back with, which is there on the last page as well.

        Raises CallInvalid for a cursor that is none, and for one whose following events are no longer kept;
        CallerRefused, NotMapped, StoreUnavailable.
        """
        operation = self.calls.own("changes.list")
        connection = self.calls.enter(request, operation)
        given, cursor = read(operation, request, await self.calls.body(request))
        found = arguments(operation, given, connection.zone)
        limit: int = found.get("limit") or operation.common["limit"].default
        if cursor == LATEST:
            last = await self.database.read(last_sequence)
            page = EventBatch((), last, more=False, gap=False)
        else:
            after = None if cursor is None else sequence_of(cursor, connection.name)
            page = await follow_events(self.database, connection.name, after, found.get("event", ()), limit)
        about = {
            "limit": limit,
            "next_cursor": cursor_of(page.upto, connection.name),
            "has_more": page.more,
            "total": None,
        }
        # The bodies go out as they are stored, so that a signature or a digest of one still fits.
        data = b",".join(event.body for event in page.events)
        body = b'{"data":[' + data + b'],"page":' + to_bytes(about) + b"}"
        return to_response(Answer(operation.status, body, next_link(request, about) if page.more else {}))


async def follow_events(
    database: Database, connection: str, after: int | None, types: Collection[str], most: int
) -> EventBatch:
    """Read the events after a number. Raises CallInvalid when some of them are no longer kept, StoreUnavailable."""
    page = await database.read(lambda opened: follow(opened, connection, after, types, most))
    if page.gap:
        raise cursor_error(
            "is too old, or of another store: the events after this cursor are no longer kept; begin again without a"
            " cursor and read the bookings"
        )
    return page
