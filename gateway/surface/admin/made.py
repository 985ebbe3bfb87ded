"""The operator's side of what callers have made: their calendar feeds, and what became of their writes.

Every operation is declared as the operator's: nobody else passes. Nothing is made here.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.model.model import Operation
from gateway.store import keys
from gateway.store.events import feeds
from gateway.surface.admin.traces import begin
from gateway.surface.calendar.feeds import UNKNOWN, show
from gateway.surface.dependencies import Dependencies
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.idempotency.outcomes import UNKNOWN as UNKNOWN_WRITE
from gateway.surface.idempotency.outcomes import Outcomes
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.operations import next_link, read_apart
from gateway.surface.operations.pagination import cut, read_page_request
from gateway.telemetry import logs
from gateway.values.errors import NotMapped
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class AdminMade:
    """The handlers."""

    calls: Calls
    dependencies: Dependencies
    outcomes: Outcomes

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {"admin.feeds.list": self.feeds, "admin.feeds.delete": self.revoke, "admin.outcomes.get": self.outcome}

    async def feeds(self, request: web.Request) -> web.Response:
        """Answer with everybody's feeds, without their tokens. Raises GatewayError, as all of these do."""
        operation, given, cursor, _ = await self._read(request, "admin.feeds.list")
        name = given.get("connection")
        page = read_page_request(operation, given, cursor, "")
        kept = await self.dependencies.database.read(lambda opened: feeds.every(opened, name))
        told = [show(feed) | {"connection": feed.connection, "caller": feed.owner} for feed in kept]
        data, _, about = cut(page, told, told)
        return to_response(Answer(operation.status, to_bytes({"data": data, "page": about}), next_link(request, about)))

    async def revoke(self, request: web.Request) -> web.Response:
        """Revoke a feed, whoever made it: its URL is unknown from now on."""
        operation, given, _, body = await self._read(request, "admin.feeds.delete")

        async def perform() -> Answer:
            if not await self.dependencies.database.write(lambda opened: feeds.remove_any(opened, given["id"])):
                raise NotMapped(UNKNOWN)
            logs.admin_revoked(request=request[REQUEST_CONTEXT].request_id, feed=given["id"])
            return Answer(operation.status)

        return await self.calls.respond(request, None, body, perform)

    async def outcome(self, request: web.Request) -> web.Response:
        """Answer with what became of a write, whoever sent it; the provider is read anew, which can be traced."""
        _, given, *_ = await self._read(request, "admin.outcomes.get")
        begin(request, allowed=True)
        kept = await self.dependencies.database.read(lambda opened: keys.of_anybody(opened, given["id"]))
        if kept is None or not kept.asked.connection:
            raise NotMapped(UNKNOWN_WRITE)
        name = kept.asked.connection
        connection = self.calls.engine.catalog.connections.get(name)
        if connection is None:
            detail = f"The connection `{name}`, which it was sent to, is not in the configuration any more."
            raise NotMapped(detail, code="CONNECTION_NOT_FOUND")
        request[REQUEST_CONTEXT].connection = name
        whose = {"connection": name, "caller": kept.asked.owner}
        return to_response(await self.outcomes.answered(request, connection, kept, whose))

    async def _read(self, request: web.Request, name: str) -> tuple[Operation, dict[str, Json], str | None, Json]:
        """Give the operation, its canonical arguments, the cursor and the body as it came."""
        operation = self.calls.own(name)
        return operation, *await read_apart(self.calls, operation, request)


def admin_made(calls: Calls, dependencies: Dependencies) -> AdminMade:
    """Make the handlers."""
    outcomes = Outcomes(calls, dependencies.database, dependencies.now)
    return AdminMade(calls, dependencies, outcomes)
