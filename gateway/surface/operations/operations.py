"""The operations of the contract over HTTP. Which there are, and their paths and arguments, the model alone says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from aiohttp import web

from gateway.engine.catalog import Connection
from gateway.links.slots.payloads import with_courts
from gateway.model.model import Operation, arguments, from_body, from_query
from gateway.surface.http.authentication import may
from gateway.surface.http.preferences import applied_header, handling_of
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.requests import path_parts, query_pairs
from gateway.surface.http.responses import Answer, answer_of, headers_of, warnings_of
from gateway.surface.operations.calls import Calls, mask
from gateway.surface.operations.lists import PROVIDER_DATA, Listing, Page
from gateway.surface.operations.pagination import read_page_request
from gateway.values.errors import MappingFault, OutcomeUnknown
from gateway.values.messages import STRICT, Effect, Json, Reply
from gateway.values.secrets import Redactor

_PUSH = "slots.push"


@dataclass(frozen=True, slots=True)
class Canonical:
    """The handler of one operation."""

    calls: Calls
    operation: Operation

    async def __call__(self, request: web.Request) -> web.Response:
        """Answer one request. Raises GatewayError; what the contract refuses, no provider is asked."""
        operation = self.operation
        connection = self.calls.enter(request, operation)
        self.calls.engine.operation(connection, operation.name)  # 501 before anything is read
        body = await self.calls.body(request)
        given, cursor = read(operation, request, body)
        if operation.name == _PUSH:
            links = (one for one in self.calls.settings.links if one.peer == connection.name)
            given = with_courts(given, links, connection.zone)
        found = arguments(operation, given, connection.zone)
        page = read_page_request(operation, found, cursor, connection.name) if operation.gives == "list" else None
        include = frozenset(found.get("include") or ())
        args = {name: value for name, value in found.items() if name in operation.args}
        handling = handling_of(request)
        partial = operation.partial and handling != STRICT
        about = (include, handling, self.calls.engine.written(connection.name))
        listing = Listing(self.calls, request, connection, page, *about) if page is not None else None

        async def perform() -> Answer:
            kept = listing.kept() if listing is not None else None
            if kept is not None:
                return self._page(request, kept)
            reply = await self.calls.run(
                request, connection, operation.name, args, include, partial=partial, handling=handling
            )
            if listing is not None:
                return self._page(request, await listing.fresh(reply))
            return self._answer(request, connection, reply, include)

        return await self.calls.respond(request, connection, body, perform)

    def _page(self, request: web.Request, page: Page) -> Answer:
        return Answer(self.operation.status, page.body, dict(page.headers) | next_link(request, page.about))

    def _answer(self, request: web.Request, connection: Connection, reply: Reply, include: frozenset[str]) -> Answer:
        headers = headers_of(reply) | applied_header(handling_of(request))
        if self.operation.gives == "none":
            return answer_of(self.operation, None, "", headers)
        if reply.data is None:
            if self.operation.effect is not Effect.SAFE:  # the provider has taken it: who asks again may do it twice
                raise OutcomeUnknown("It was sent, and the provider's answer does not tell what became of it.")
            raise MappingFault(f"{self.operation.name} gives no object")
        hide = self.calls.engine.redactor(connection) if PROVIDER_DATA in include else None
        shown = _show(reply.data, reply.raw, hide) | warnings_of(reply)
        return answer_of(self.operation, shown, request.rel_url.raw_path, headers)


def read(operation: Operation, request: web.Request, body: Json) -> tuple[dict[str, Json], str | None]:
    """Gather what a caller gave, as it was given, and the cursor, which is no argument of any mapping.

    Raises CallInvalid for what stands in the wrong part of the request.
    """
    parts = {name: value for name, value in path_parts(request).items() if name in operation.args}
    given = from_query(operation, query_pairs(request)) | from_body(operation, body) | parts
    return given, given.pop("cursor", None) if "cursor" in operation.common else None


async def read_apart(
    calls: Calls, operation: Operation, request: web.Request
) -> tuple[dict[str, Json], str | None, Json]:
    """Read a request that is of no connection: its canonical arguments, the cursor and the body as it came.

    Raises CallerRefused, CallInvalid.
    """
    request[REQUEST_CONTEXT].operation = operation.name
    may(request, *operation.scopes)
    body = await calls.body(request)
    given, cursor = read(operation, request, body)
    return arguments(operation, given, "UTC"), cursor, body


def next_link(request: web.Request, about: Mapping[str, Json]) -> dict[str, str]:
    """Give the Link field (RFC 8288) that leads to the next page, if there is one."""
    if about["next_cursor"] is None:
        return {}
    pairs = [(name, value) for name, value in query_pairs(request) if name != "cursor"]
    query = urlencode([*pairs, ("cursor", about["next_cursor"])], quote_via=quote)
    return {"Link": f'<{request.rel_url.raw_path}?{query}>; rel="next"'}


def _show(row: dict[str, Json], own: Json, hide: Redactor | None) -> dict[str, Json]:
    """Put the provider's own object, its secrets masked, beside what was made of it; without `hide` it is not shown."""
    return row if own is None or hide is None else row | {PROVIDER_DATA: mask(own, hide)}
