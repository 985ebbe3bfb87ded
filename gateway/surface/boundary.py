"""Where every answer passes: errors become bodies, every answer gets its headers, every call its line in the log.

A defect is logged with its trace, and the caller is told the request id and nothing else. (What loops meet, for which
no caller waits, is kept to them by `setbacks`.) What is not even HTTP never comes here: aiohttp answers it with 400 and
hangs up.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway import observe
from gateway.errors import GatewayError, NotMapped
from gateway.model.model import Model
from gateway.surface.cors import Cors
from gateway.surface.failures import HttpRefused, failure_of, to_response
from gateway.surface.visit import VISIT, Visit

_ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Server": "booking-gateway",  # else aiohttp names itself, Python and both versions
}


def boundary(model: Model, cors: Cors) -> Middleware:
    """Make the outermost middleware."""

    @web.middleware
    async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
        clock = asyncio.get_running_loop().time
        visit = Visit(observe.request_id(request.headers.get("X-Request-Id"), uuid4().hex), clock())
        request[VISIT] = visit
        if request.method == "OPTIONS":
            handler = _options(cors)
        response = await _answered(request, handler, model)
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)  # a calendar may be kept for a while; nothing else may
        response.headers.update(cors.headers(request))
        response.headers["X-Request-Id"] = visit.request_id
        if visit.operation or visit.code:  # not for probes and preflights
            observe.call_done(
                request=visit.request_id,
                caller=visit.caller.name if visit.caller else "",
                connection=visit.connection,
                operation=visit.operation,
                status=response.status,
                code=visit.code,
                seconds=clock() - visit.started,
            )
        return response

    return bounded


async def _answered(request: web.Request, handler: Handler, model: Model) -> web.StreamResponse:
    """Run the handler; whatever it raises becomes an answer."""
    try:
        try:
            return await handler(request)
        except GatewayError as error:
            return to_response(request, failure_of(error, model))
        except web.HTTPException as refused:
            return to_response(request, failure_of(_meant(refused), model))
    except Exception as error:  # noqa: BLE001 - the boundary: a caller gets an answer whatever is wrong with us
        observe.crashed(request=request[VISIT].request_id, error=error)
        return to_response(request, failure_of(GatewayError(""), model))


def _meant(refused: web.HTTPException) -> GatewayError:
    """Say in our words what aiohttp refuses by itself: paths, methods and sizes."""
    if isinstance(refused, web.HTTPNotFound):
        return NotMapped("There is nothing at this path.")
    if isinstance(refused, web.HTTPMethodNotAllowed):
        allowed = _methods(refused)
        return HttpRefused(refused.status, f"Here one can {', '.join(allowed)}.", headers={"Allow": ", ".join(allowed)})
    if isinstance(refused, web.HTTPRequestEntityTooLarge):
        return HttpRefused(refused.status, "The body is too large.")
    return HttpRefused(refused.status, f"The request is refused: {HTTPStatus(refused.status).phrase}.")


def _methods(refused: web.HTTPMethodNotAllowed) -> list[str]:
    """Give the methods of a path, with the one that this boundary answers itself."""
    return sorted({*refused.allowed_methods, "OPTIONS"})


def _options(cors: Cors) -> Handler:
    """Make the handler of OPTIONS on every path there is; no key is needed, for the paths are no secret."""

    async def options(request: web.Request) -> web.StreamResponse:
        found = request.match_info.http_exception
        if not isinstance(found, web.HTTPMethodNotAllowed):
            raise found or web.HTTPNotFound
        methods = _methods(found)
        return web.Response(
            status=HTTPStatus.NO_CONTENT, headers={"Allow": ", ".join(methods), **cors.preflight(request, methods)}
        )

    return options
