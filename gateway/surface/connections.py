"""The connections themselves: which there are for this caller, what they can do and how they fare."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.engine.catalog import Connection
from gateway.model.model import arguments
from gateway.surface.http.authentication import caller_of
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.capabilities import describe_connection
from gateway.surface.operations.operations import next_link, read, read_apart
from gateway.surface.operations.pagination import cut, read_page_request
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class Connections:
    """The handlers of `/v1/connections` and `/v1/{connection}`."""

    calls: Calls

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {"connections.list": self.list, "connections.get": self.get}

    async def list(self, request: web.Request) -> web.Response:
        """Answer with the connections that the caller may use."""
        operation = self.calls.own("connections.list")
        given, cursor, _ = await read_apart(self.calls, operation, request)
        caller = caller_of(request)
        page = read_page_request(operation, given, cursor, caller.name)
        found = [
            self._tell(connection)
            for connection in self.calls.engine.catalog.connections.values()
            if caller.connections is None or connection.name in caller.connections
        ]
        data, _, about = cut(page, found, found)
        return to_response(Answer(operation.status, to_bytes({"data": data, "page": about}), next_link(request, about)))

    async def get(self, request: web.Request) -> web.Response:
        """Answer with one connection."""
        operation = self.calls.own("connections.get")
        connection = self.calls.enter(request, operation)
        given, _ = read(operation, request, await self.calls.body(request))
        arguments(operation, given, connection.zone)
        return to_response(Answer(operation.status, to_bytes(self._tell(connection))))

    def _tell(self, connection: Connection) -> dict[str, Json]:
        return describe_connection(connection, self.calls.engine.model, self.calls.standings.of(connection))
