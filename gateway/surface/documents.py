"""The OpenAPI documents over HTTP: the whole surface for anybody, and each connection's for those who may use it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from gateway.surface.answers import Answer, to_bytes, to_response
from gateway.surface.calls import Calls
from gateway.surface.openapi import document


@dataclass(frozen=True, slots=True)
class Documents:
    """The handlers of `/openapi.json` and `/v1/{connection}/openapi.json`."""

    calls: Calls

    async def whole(self, _request: web.Request) -> web.Response:
        """Answer with everything there is, whatever connections there are."""
        return to_response(Answer(HTTPStatus.OK, self._told(None)))

    async def of_connection(self, request: web.Request) -> web.Response:
        """Answer with what this connection can do, the provider's own operations included."""
        connection = self.calls.enter(request, "openapi", "read")
        return to_response(Answer(HTTPStatus.OK, self._told(connection.name)))

    def _told(self, name: str | None) -> bytes:
        engine = self.calls.engine
        return to_bytes(document(engine.model, engine.catalog, name))
