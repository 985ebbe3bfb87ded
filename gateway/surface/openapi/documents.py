"""The OpenAPI documents over HTTP: the whole surface for anybody, and each connection's for those who may use it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.openapi.document import document
from gateway.surface.operations.calls import Calls


@dataclass(frozen=True)
class Documents:
    """The handlers of `/openapi.json` and `/v1/{connection}/openapi.json`."""

    calls: Calls

    @cached_property
    def contract(self) -> Answer:
        """The document of the whole surface, made once, when first asked for: it follows from the model alone."""
        return _tell(self.calls, None)

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {"openapi": self.whole, "connections.openapi": self.of_connection}

    async def whole(self, _request: web.Request) -> web.Response:
        """Answer with everything there is, whatever connections there are."""
        return to_response(self.contract)

    async def of_connection(self, request: web.Request) -> web.Response:
        """Answer with what this connection can do, the provider's own operations included."""
        connection = self.calls.enter(request, self.calls.own("connections.openapi"))
        return to_response(_tell(self.calls, connection.name))


def _tell(calls: Calls, name: str | None) -> Answer:
    return Answer(HTTPStatus.OK, to_bytes(document(calls.engine.model, calls.engine.catalog, name)))
