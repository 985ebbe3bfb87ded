"""Calendar feeds made, listed and revoked by callers with a key. A feed's token is shown once and kept as a digest.

A caller sees and revokes its own feeds; the operator's side is in `admin/made.py`. What a feed shows is in
`calendars.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_urlsafe

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.model.model import arguments
from gateway.store.database import Database
from gateway.store.events import feeds
from gateway.store.events.feeds import Feed
from gateway.surface.http.authentication import caller_of
from gateway.surface.http.requests import refuse_conditions
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.operations import next_link, read
from gateway.surface.operations.pagination import cut, read_page_request
from gateway.values.errors import CallInvalid, NotMapped
from gateway.values.messages import Json

UNKNOWN = "There is no calendar feed of this id."
MOST = 100
"""Feeds that one caller may have of one connection."""


def fresh_token() -> str:
    """Give 256 random bits as they can stand in a URL."""
    return token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Feeds:
    """The handlers of `/v1/{connection}/calendar/feeds`.

    `now` gives milliseconds since 1970, `fresh` a new id with this prefix, `token` a new token.
    """

    calls: Calls
    database: Database
    now: Callable[[], int]
    fresh: Callable[[str], str]
    token: Callable[[], str] = fresh_token

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {f"calendar.feeds.{one.__name__}": one for one in (self.list, self.create, self.delete)}

    async def create(self, request: web.Request) -> web.Response:
        """Make a feed and show its URL, once. Raises CallInvalid, CallerRefused, NotMapped, StoreUnavailable."""
        operation = self.calls.own("calendar.feeds.create")
        connection = self.calls.enter(request, operation)
        refuse_conditions(request)
        if "Idempotency-Key" in request.headers:
            raise _wrong("Idempotency-Key", "is not supported here: the answer holds a token and is not kept")
        given, _ = read(operation, request, await self.calls.body(request))
        found = arguments(operation, given, connection.zone)
        feed = Feed(
            id=self.fresh("feed"),
            connection=connection.name,
            owner=caller_of(request).name,
            name=found["name"],
            resource_id=found.get("resource_id"),
            show=found.get("show"),
            created_at=self.now(),
        )
        token = self.token()
        if not await self.database.write(lambda opened: feeds.add(opened, feed, digest_of(token), MOST)):
            raise _wrong("name", f"would be that of feed {MOST + 1}: revoke some first")
        begin = self.calls.settings.public_url or f"{request.scheme}://{request.host}"
        url = f"{begin}/v1/{connection.name}/calendar/feed/{token}.ics"
        return to_response(Answer(operation.status, to_bytes(show(feed) | {"url": url})))

    async def list(self, request: web.Request) -> web.Response:
        """Answer with the feeds of the caller, without their tokens. Raises GatewayError."""
        operation = self.calls.own("calendar.feeds.list")
        connection = self.calls.enter(request, operation)
        given, cursor = read(operation, request, await self.calls.body(request))
        owner = caller_of(request).name
        page = read_page_request(operation, arguments(operation, given, "UTC"), cursor, f"{connection.name}/{owner}")
        kept = await self.database.read(lambda opened: feeds.of(opened, connection.name, owner))
        told = [show(feed) for feed in kept]
        data, _, about = cut(page, told, told)
        return to_response(Answer(operation.status, to_bytes({"data": data, "page": about}), next_link(request, about)))

    async def delete(self, request: web.Request) -> web.Response:
        """Revoke a feed: its URL is unknown from now on. Raises NotMapped for another caller's as well."""
        operation = self.calls.own("calendar.feeds.delete")
        connection = self.calls.enter(request, operation)
        refuse_conditions(request)
        given, _ = read(operation, request, await self.calls.body(request))
        key, owner = arguments(operation, given, "UTC")["id"], caller_of(request).name
        if not await self.database.write(lambda opened: feeds.remove(opened, connection.name, owner, key)):
            raise NotMapped(UNKNOWN)
        return to_response(Answer(operation.status))


def digest_of(token: str) -> str:
    """Give what is kept of a token. It has 256 random bits: a plain SHA-256 of it can neither be reversed nor hit."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def show(feed: Feed) -> dict[str, Json]:
    """Write a feed as the contract has it, without its token."""
    made = datetime.fromtimestamp(feed.created_at // 1000, UTC).isoformat()
    return {
        "id": feed.id,
        "name": feed.name,
        "resource_id": feed.resource_id,
        "show": feed.show,
        "created_at": made,
    }


def _wrong(field: str, problem: str) -> CallInvalid:
    return CallInvalid(f"`{field}` {problem}.", details={"fields": [{"field": field, "problem": problem}]})
