"""The connections themselves: which there are for this caller, what they can do and how they fare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from gateway.engine.catalog import Connection
from gateway.model.model import Argument, Model, Operation, arguments
from gateway.surface.http.authentication import caller_of, may
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.capabilities import described
from gateway.surface.operations.operations import next_link, read
from gateway.surface.operations.pagination import cut, wanted
from gateway.values.messages import Effect, Json


@dataclass(frozen=True, slots=True)
class Connections:
    """The handlers of `/v1/connections` and `/v1/{connection}`."""

    calls: Calls

    async def list(self, request: web.Request) -> web.Response:
        """Answer with the connections that the caller may use."""
        operation = listing(self.calls.engine.model)
        request[REQUEST_CONTEXT].operation = operation.name
        may(request, operation.scope)
        caller = caller_of(request)
        given, cursor = read(operation, request, await self.calls.body(request))
        page = wanted(operation, arguments(operation, given, "UTC"), cursor, caller.name)
        found = [
            self._told(connection)
            for connection in self.calls.engine.catalog.connections.values()
            if caller.connections is None or connection.name in caller.connections
        ]
        data, _, about = cut(page, found, found)
        return to_response(Answer(operation.status, to_bytes({"data": data, "page": about}), next_link(request, about)))

    async def get(self, request: web.Request) -> web.Response:
        """Answer with one connection."""
        operation = reading(self.calls.engine.model)
        connection = self.calls.enter(request, operation.name, operation.scope)
        given, _ = read(operation, request, await self.calls.body(request))
        arguments(operation, given, connection.zone)
        return to_response(Answer(operation.status, to_bytes(self._told(connection))))

    def _told(self, connection: Connection) -> dict[str, Json]:
        return described(connection, self.calls.engine.model, self.calls.standings.of(connection))


def listing(model: Model) -> Operation:
    """Describe the list of connections, which no mapping answers, in the words of the contract's own lists."""
    common: Mapping[str, Argument] = {}
    for operation in model.operations.values():
        if operation.gives == "list":
            common = {name: operation.common[name] for name in ("limit", "cursor")}
            break
    return _about(model, "connections.list", "List the connections", "list", common, order=("id",))


def reading(model: Model) -> Operation:
    """Describe the reading of one connection."""
    return _about(model, "connections.get", "Read a connection", "one", {})


def _about(
    model: Model, name: str, summary: str, gives: str, common: Mapping[str, Argument], order: tuple[str, ...] = ()
) -> Operation:
    return Operation(
        name=name,
        summary=summary,
        effect=Effect.SAFE,
        scope="read",
        method="GET",
        path="",
        gives=gives,
        resource=model.resources["Connection"],
        status=200,
        args={},
        common=common,
        not_found=None if gives == "list" else "CONNECTION_NOT_FOUND",
        order=order,
    )
