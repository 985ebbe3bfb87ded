"""The operator's side of marketplace links: how they fare, where they are out of step, and doing it all anew.

Every operation is declared as the operator's: nobody else passes. Nothing here reads a calendar
or decides what a marketplace is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.links.links import Links
from gateway.model.model import Operation
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.operations import next_link, read_apart
from gateway.surface.operations.pagination import cut, read_page_request
from gateway.telemetry import logs
from gateway.values.errors import NotMapped
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class AdminLinks:
    """The handlers. `links` is None where the configuration has no link: the list is empty then."""

    calls: Calls
    links: Links | None

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {f"admin.links.{one.__name__}": one for one in (self.list, self.get, self.diff, self.resync)}

    async def list(self, request: web.Request) -> web.Response:
        """Answer with all links and how they fare. Raises GatewayError, as all of these do."""
        operation, given, cursor, _ = await self._read(request, "admin.links.list")
        page = read_page_request(operation, given, cursor, "")
        told = [] if self.links is None else [*await self.links.statuses()]
        data, _, about = cut(page, told, told)
        return to_response(Answer(operation.status, to_bytes({"data": data, "page": about}), next_link(request, about)))

    async def get(self, request: web.Request) -> web.Response:
        """Answer with how a link fares."""
        operation, given, *_ = await self._read(request, "admin.links.get")
        return to_response(Answer(operation.status, to_bytes(await self._find().status(given["name"]))))

    async def diff(self, request: web.Request) -> web.Response:
        """Ask the club, and answer with where the marketplace was told something else."""
        operation, given, *_ = await self._read(request, "admin.links.diff")
        deadline = request[REQUEST_CONTEXT].started + self.calls.settings.timeout
        return to_response(Answer(operation.status, to_bytes(await self._find().diff(given["name"], deadline))))

    async def resync(self, request: web.Request) -> web.Response:
        """Have everything read and told again, and answer with how the link fares as it begins."""
        operation, given, _, body = await self._read(request, "admin.links.resync")
        known, name = self._find(), given["name"]

        async def perform() -> Answer:
            await known.resync(name)
            logs.admin_resynced(request=request[REQUEST_CONTEXT].request_id, link=name)
            return Answer(operation.status, to_bytes(await known.status(name)))

        return await self.calls.respond(request, None, body, perform)

    def _find(self) -> Links:
        if self.links is None:
            raise NotMapped("There is no link of this name.")
        return self.links

    async def _read(self, request: web.Request, name: str) -> tuple[Operation, dict[str, Json], str | None, Json]:
        """Give the operation, its canonical arguments, the cursor and the body as it came."""
        operation = self.calls.own(name)
        return operation, *await read_apart(self.calls, operation, request)


def admin_links(calls: Calls, links: Links | None) -> AdminLinks:
    """Make the handlers."""
    return AdminLinks(calls, links)
