"""Calendar feeds made, listed and revoked by callers with a key. A feed's token is shown once and kept as a digest.

A caller sees and revokes its own feeds; the operator's side is in `admin_made.py`. What a feed shows is in
`calendars.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_urlsafe

from aiohttp import web

from gateway.model.model import Argument, Model, Operation, arguments
from gateway.model.types.types import enum, scalar, text
from gateway.store.database import Database
from gateway.store.events import feeds
from gateway.store.events.feeds import Feed
from gateway.surface.http.authentication import caller_of, may
from gateway.surface.http.requests import refuse_conditions
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.operations import next_link, read
from gateway.surface.operations.pagination import cut, wanted
from gateway.values.errors import CallInvalid, NotMapped
from gateway.values.messages import Effect, Json

PATH = "/calendar/feeds"
"""Below `/v1/{connection}`."""
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

    def routes(self, base: str) -> list[web.RouteDef]:
        """Give the routes below `base`, the pattern of `/v1/{connection}`."""
        return [
            web.get(base + PATH, self.list),
            web.post(base + PATH, self.create),
            web.delete(base + PATH + "/{id:[^/]+}", self.delete),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Make a feed and show its URL, once. Raises CallInvalid, CallerRefused, NotMapped, StoreUnavailable."""
        operation = creating(self.calls.engine.model)
        connection = self.calls.enter(request, operation.name, operation.scope)
        may(request, "read")  # a feed shows what its owner may read
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
        return to_response(Answer(operation.status, to_bytes(shown(feed) | {"url": url})))

    async def list(self, request: web.Request) -> web.Response:
        """Answer with the feeds of the caller, without their tokens. Raises GatewayError."""
        operation = listing(self.calls.engine.model)
        connection = self.calls.enter(request, operation.name, operation.scope)
        given, cursor = read(operation, request, await self.calls.body(request))
        owner = caller_of(request).name
        page = wanted(operation, arguments(operation, given, "UTC"), cursor, f"{connection.name}/{owner}")
        kept = await self.database.read(lambda opened: feeds.of(opened, connection.name, owner))
        told = [shown(feed) for feed in kept]
        data, _, about = cut(page, told, told)
        return to_response(Answer(operation.status, to_bytes({"data": data, "page": about}), next_link(request, about)))

    async def delete(self, request: web.Request) -> web.Response:
        """Revoke a feed: its URL is unknown from now on. Raises NotMapped for another caller's as well."""
        operation = revoking(self.calls.engine.model)
        connection = self.calls.enter(request, operation.name, operation.scope)
        refuse_conditions(request)
        given, _ = read(operation, request, await self.calls.body(request))
        key, owner = arguments(operation, given, "UTC")["id"], caller_of(request).name
        if not await self.database.write(lambda opened: feeds.remove(opened, connection.name, owner, key)):
            raise NotMapped(UNKNOWN)
        return to_response(Answer(operation.status))


def digest_of(token: str) -> str:
    """Give what is kept of a token. It has 256 random bits: a plain SHA-256 of it can neither be reversed nor hit."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def creating(model: Model) -> Operation:
    """Describe the making of a feed in the words of the contract's operations."""
    fields = model.resources["CalendarFeed"].fields
    types = {"name": text(maximum=80), "resource_id": scalar("id"), "show": enum(fields["show"].type.allowed)}
    told = {
        name: Argument(name, type_, required=name == "name", meaning=fields[name].meaning)
        for name, type_ in types.items()
    }
    return _about(model, "create", "Make a calendar feed", "POST", 201, Effect.UNSAFE, gives="one", args=told)


def listing(model: Model) -> Operation:
    """Describe the list of feeds."""
    common = next(one.common for one in model.operations.values() if one.gives == "list")
    about = _about(model, "list", "List the calendar feeds", "GET", 200, Effect.SAFE, gives="list")
    return replace(about, common={name: common[name] for name in ("limit", "cursor")}, order=("created_at", "id"))


def revoking(model: Model) -> Operation:
    """Describe the revoking of a feed."""
    key = Argument("id", scalar("id"), required=True, meaning="The feed.", where="path")
    about = _about(model, "delete", "Revoke a calendar feed", "DELETE", 204, Effect.IDEMPOTENT, args={"id": key})
    return replace(about, path=PATH + "/{id}", resource=None, not_found=NotMapped.CODE)


def _about(
    model: Model,
    name: str,
    summary: str,
    method: str,
    status: int,
    effect: Effect,
    *,
    gives: str = "none",
    args: dict[str, Argument] | None = None,
) -> Operation:
    return Operation(
        name=f"calendar.feeds.{name}",
        summary=summary,
        effect=effect,
        scope="read" if effect is Effect.SAFE else "write",
        method=method,
        path=PATH,
        gives=gives,
        resource=model.resources["CalendarFeed"],
        status=status,
        args=args or {},
    )


def shown(feed: Feed) -> dict[str, Json]:
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
