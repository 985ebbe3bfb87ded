"""Where every answer passes: errors become bodies, every answer gets its headers, every call its line in the log.

A defect is logged with its trace, and the caller is told the request id and nothing else. (What loops meet, for which
no caller waits, is kept to them by `store/loop.py`.) What is not even HTTP never comes here: aiohttp answers it with
400 and hangs up.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from secrets import token_hex

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError, LineTooLong
from aiohttp.typedefs import Handler, Middleware

from gateway.model.model import Model
from gateway.surface.http.cors import Cors
from gateway.surface.http.error_responses import HttpRefused, failure_of, to_response
from gateway.surface.http.request_context import REQUEST_CONTEXT, RequestContext
from gateway.surface.http.requests import UNKNOWN_CODING
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, NotMapped

_ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Server": "booking-gateway",  # else aiohttp names itself, Python and both versions
}


@dataclass(frozen=True, slots=True)
class Boundary:
    """What every answer gets, those that aiohttp would give by itself among them."""

    model: Model
    cors: Cors

    def middleware(self) -> Middleware:
        """Make the outermost middleware."""

        @web.middleware
        async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._begin(request)
            if request.method == "OPTIONS":
                handler = _options(self.cors)
            return self._end(request, await _answer(request, handler, self.model))

        return bounded

    def refuse(self, request: web.BaseRequest, error: Exception) -> web.Response:
        """Answer what never came to a handler: what HTTP itself refuses, or a defect, which is logged.

        Nothing that came is repeated, as aiohttp's own texts do.
        """
        self._begin(request)
        told = unread(error)
        if told is None:
            logs.crashed(request=request[REQUEST_CONTEXT].request_id, error=error)
        answer = to_response(request, failure_of(told or GatewayError(""), self.model))
        self._end(request, answer)
        return answer

    def _begin(self, request: web.BaseRequest) -> None:
        offered = request.headers.get("X-Request-Id")
        own = logs.request_id(offered, token_hex(16))
        request[REQUEST_CONTEXT] = RequestContext(own, asyncio.get_running_loop().time())

    def _end(self, request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
        visit = request[REQUEST_CONTEXT]
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)  # a calendar may be kept for a while; nothing else may
        response.headers.update(self.cors.headers(request))
        response.headers["X-Request-Id"] = visit.request_id
        if visit.operation or visit.code:  # not for probes and preflights
            logs.call_done(
                request=visit.request_id,
                caller=visit.caller.name if visit.caller else "",
                connection=visit.connection,
                operation=visit.operation,
                status=response.status,
                code=visit.code,
                seconds=asyncio.get_running_loop().time() - visit.started,
            )
        return response


BOUNDARY: web.AppKey[Boundary] = web.AppKey("boundary", Boundary)
"""Where an application carries its boundary, for the sockets it is served on."""


def unread(error: Exception) -> HttpRefused | None:
    """Say in our words why a request cannot be read as HTTP; None for what is no fault of its sender."""
    if isinstance(error, web.HTTPException):
        return _refusal(error)
    if isinstance(error, ContentEncodingError):
        return HttpRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, UNKNOWN_CODING)
    if isinstance(error, LineTooLong):
        detail = "The address of the request, or one of its headers, is longer than 8,190 bytes."
        return HttpRefused(HTTPStatus.BAD_REQUEST, detail)
    if isinstance(error, HttpProcessingError | ConnectionError):
        return HttpRefused(HTTPStatus.BAD_REQUEST, "This is no request of HTTP/1.1 that can be read.")
    return None


async def _answer(request: web.Request, handler: Handler, model: Model) -> web.StreamResponse:
    """Run the handler; whatever it raises becomes an answer."""
    try:
        try:
            return await handler(request)
        except GatewayError as error:
            return to_response(request, failure_of(error, model))
        except web.HTTPException as refused:
            return to_response(request, failure_of(_interpret(refused), model))
    except Exception as error:  # noqa: BLE001 - the boundary: a caller gets an answer whatever is wrong with us
        logs.crashed(request=request[REQUEST_CONTEXT].request_id, error=error)
        return to_response(request, failure_of(GatewayError(""), model))


def _interpret(refused: web.HTTPException) -> GatewayError:
    """Say in our words what aiohttp refuses by itself: paths, methods and sizes."""
    if isinstance(refused, web.HTTPNotFound):
        return NotMapped("There is nothing at this path.")
    if isinstance(refused, web.HTTPMethodNotAllowed):
        allowed = _methods(refused)
        told = " or ".join([", ".join(allowed[:-1]), allowed[-1]] if allowed[1:] else allowed)
        return HttpRefused(refused.status, f"Method not allowed: use {told}.", headers={"Allow": ", ".join(allowed)})
    if isinstance(refused, web.HTTPRequestEntityTooLarge):
        return HttpRefused(refused.status, "The body is too large.")
    return _refusal(refused)


def _refusal(refused: web.HTTPException) -> HttpRefused:
    if isinstance(refused, web.HTTPExpectationFailed):
        return HttpRefused(refused.status, "`Expect` can only be `100-continue`.")
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
