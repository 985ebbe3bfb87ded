"""What a socket may cost before it has asked for anything: seconds for the head of a request, and a bound of idle ones.

aiohttp bounds the body and, with its keep-alive time, a socket that says nothing. It bounds neither a head that comes
a byte at a time nor how many sockets wait: both are bounded here, on its public protocol class.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.streams import StreamReader

from gateway.surface.http.middleware import BOUNDARY, Boundary


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of the listener; times in seconds."""

    head: float = 15.0
    """From the first byte of a request to the end of its headers."""
    idle: float = 75.0
    """Without a request. Longer than proxies keep a connection (nginx 60 s), so that it is they who hang up."""
    lingering: float = 5.0
    """For the rest of a body that nobody reads, so that its sender sees the answer (RFC 9112 §9.6)."""
    sockets: int = 512
    """Sockets without a request under way; beyond, the one that has waited longest is closed. Below the 1,024
    descriptors that a process often has."""


class Connection(web.RequestHandler):
    """One socket of a client."""

    def __init__(self, server: Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket up as an idle one."""
        super().connection_made(transport)
        self._server.idle(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first of a request start its time."""
        if self._patience is None and self._server.is_idle(self):
            self._patience = asyncio.get_running_loop().call_later(self._server.bounds.head, self.force_close)
        super().data_received(data)

    def begin(self) -> None:
        """A request has come, its headers are read."""
        self._stop()
        self._server.busy(self)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; from then on the socket is idle, whatever of the body still comes."""
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            if self.transport is not None:
                self._server.idle(self)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002 - the boundary knows it from the error
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, as the boundary answers; aiohttp's own answer repeats it and names its software."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is on its way")
        answer = self._server.boundary.refuse(request, exc if isinstance(exc, Exception) else RuntimeError(message))
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log what aiohttp finds wrong by itself, but for bodies that are no gzip: a stranger's, told to them."""
        if not isinstance(kw.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kw)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the socket."""
        self._stop()
        self._server.busy(self)
        super().connection_lost(exc)

    def _stop(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class Server(web.Server):
    """Makes a Connection for each socket, and knows which of them are idle."""

    def __init__(self, made: web.Server, boundary: Boundary, bounds: Bounds) -> None:
        """Serve what `made`, aiohttp's own server of an application, serves."""

        async def handled(request: web.BaseRequest) -> web.StreamResponse:
            try:
                return await made.request_handler(request)
            except Exception as error:  # noqa: BLE001 - what comes before the boundary: a bad `Expect`, a defect of routing
                return boundary.refuse(request, error)

        def begun(
            message: RawRequestMessage,
            payload: StreamReader,
            protocol: web.RequestHandler,
            writer: AbstractStreamWriter,
            task: asyncio.Task[None],
        ) -> web.BaseRequest:
            if isinstance(protocol, Connection):
                protocol.begin()
            return made.request_factory(message, payload, protocol, writer, task)

        # Lines with tokens in their URLs are not for a log; `call.done` is the log of calls.
        options: dict[str, Any] = {
            "access_log": None,
            "keepalive_timeout": bounds.idle,
            "lingering_time": bounds.lingering,
        }
        super().__init__(handled, request_factory=begun, handler_cancellation=False, **options)
        self.boundary = boundary
        self.bounds = bounds
        self._options = options
        self._idle: dict[Connection, None] = {}

    def __call__(self) -> web.RequestHandler:
        """Make the protocol of a new socket."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)

    def idle(self, connection: Connection) -> None:
        """Note that a socket waits; beyond the bound the one that has waited longest is closed."""
        self._idle[connection] = None
        if len(self._idle) > self.bounds.sockets:
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.force_close()

    def busy(self, connection: Connection) -> None:
        """Note that a socket has a request under way, or is gone."""
        self._idle.pop(connection, None)

    def is_idle(self, connection: Connection) -> bool:
        """Whether a socket waits for a request."""
        return connection in self._idle


class Runner(web.AppRunner):
    """aiohttp's runner of an application, on sockets with bounds."""

    def __init__(self, app: web.Application, bounds: Bounds, *, grace: float) -> None:
        """`grace`: seconds that calls under way have to finish after a stop was asked for."""
        super().__init__(app, handler_cancellation=False, shutdown_timeout=grace)
        self._bounds = bounds

    async def _make_server(self) -> web.Server:
        return Server(await super()._make_server(), self.app[BOUNDARY], self._bounds)
