"""The play on a socket, and the switches that make it fail on request.

`GET /_simulator` tells what it holds; `POST /_simulator` with `{"status": 503, "times": 1}`, `{"delay": 2}`,
`{"drop": true}`, `{"after": true}` or `{"expire": true}` makes the next call fail, wait, be hung up on, be done with
its answer lost, or all tokens be refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from gateway.messages import Json
from gateway.simulator.incoming import incoming
from gateway.simulator.play import Play

_CONTROL = "/_simulator"


@dataclass(slots=True)
class _Faults:
    """What the next calls are made to suffer."""

    waiting: list[dict[str, Json]] = field(default_factory=list)

    def next(self) -> dict[str, Json]:
        if not self.waiting:
            return {}
        fault = self.waiting[0]
        fault["times"] = fault.get("times", 1) - 1
        if fault["times"] <= 0:
            self.waiting.pop(0)
        return fault


@dataclass(slots=True)
class _Server:
    """The handlers of one simulated provider."""

    play: Play
    faults: _Faults = field(default_factory=_Faults)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one of the provider's own calls, or fail as was asked for."""
        fault = self.faults.next()
        body = await request.read()
        if "delay" in fault:
            await asyncio.sleep(float(fault["delay"]))
        if fault.get("drop"):
            return _hung_up(request)
        if "status" in fault:
            text = str(fault.get("text", ""))
            return web.Response(status=int(fault["status"]), text=text, headers=fault.get("headers"))
        path, _, query = request.raw_path.partition("?")
        played = self.play.answer(incoming(request.method, path, query, request.headers, body))
        if fault.get("after"):
            return _hung_up(request)
        return web.Response(status=played.status, body=played.body, headers=dict(played.headers))

    async def show(self, _request: web.Request) -> web.Response:
        """Tell what the provider holds."""
        play = self.play
        told = {"provider": play.connection.provider.name, "calls": play.calls, "state": play.state}
        return web.json_response(told)

    async def control(self, request: web.Request) -> web.Response:
        """Take an order for a fault."""
        fault = json.loads(await request.read())
        if fault.pop("expire", False):
            self.play.forget_tokens()
        if fault:
            self.faults.waiting.append(fault)
        return web.json_response({"waiting": self.faults.waiting})


def _hung_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def build_simulator(play: Play) -> web.Application:
    """Make the application that plays one provider."""
    server = _Server(play)
    app = web.Application(client_max_size=10_000_000)
    app.router.add_get(_CONTROL, server.show)
    app.router.add_post(_CONTROL, server.control)
    app.router.add_route("*", "/{path:.*}", server.answer)
    return app


@asynccontextmanager
async def playing(play: Play, port: int) -> AsyncIterator[None]:
    """Play on 127.0.0.1 while the context lasts; raises OSError when the port is taken."""
    runner = web.AppRunner(build_simulator(play), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()
