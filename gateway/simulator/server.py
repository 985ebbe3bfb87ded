"""The play on a socket, and the switches that make it fail on request.

`GET /_simulator` tells what it holds; `POST /_simulator` with `{"status": 503, "times": 1}`, `{"delay": 2}`,
`{"drop": true}`, `{"after": true}` or `{"expire": true}` makes the next call fail, wait, be hung up on, be done with
its answer lost, or all tokens be refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from gateway.documents.yaml import suggestion
from gateway.simulator.answers import move
from gateway.simulator.incoming import decode_request
from gateway.simulator.play import Play
from gateway.values.errors import MappingFault
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json

_CONTROL = "/_simulator"


def _number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_ORDERS: Mapping[str, tuple[Callable[[Json], bool], str]] = {
    "status": (lambda value: _whole(value) and 200 <= value <= 599, "an HTTP status, 200 to 599"),  # noqa: PLR2004
    "text": (lambda value: isinstance(value, str), "the body that goes with the status"),
    "headers": (
        lambda value: isinstance(value, dict) and all(isinstance(text, str) for text in value.values()),
        "headers that go with the status, texts by name",
    ),
    "delay": (lambda value: _number(value) and value >= 0, "seconds"),
    "drop": (lambda value: value is True, "true"),
    "after": (lambda value: value is True, "true"),
    "expire": (lambda value: value is True, "true"),
    "times": (lambda value: _whole(value) and value > 0, "how many calls, 1 or more"),
}
"""What may be ordered: whether a value fits, and what it should be."""
_FAULTS = frozenset({"status", "delay", "drop", "after"})


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
    tell: Callable[[str], None]
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
        try:
            played = self.play.answer(decode_request(request.method, path, query, request.headers, body))
        except MappingFault as failed:
            self.tell(f"{request.method} {path}: the simulator's own script fails: {failed.detail}")
            return web.Response(status=500, text=f"the simulator's own script fails: {failed.detail}\n")
        if played.missed:
            self.tell(f"{request.method} {path} → {played.status}: {played.missed}")
        if fault.get("after"):
            return _hung_up(request)
        told = move(played, self.play.known_addresses, request.host)
        return web.Response(status=told.status, body=told.body, headers=dict(told.headers))

    async def show(self, _request: web.Request) -> web.Response:
        """Tell what the provider holds, and which faults wait for their calls."""
        play = self.play
        told = {"provider": play.connection.provider.name, "calls": play.calls, "state": play.state}
        told["waiting"] = self.faults.waiting
        return web.json_response(told)

    async def control(self, request: web.Request) -> web.Response:
        """Take an order for a fault; what cannot be ordered is refused, and then nothing is done."""
        try:
            order = decode_json(await request.read())
        except JsonRefused as refused:
            return web.json_response({"wrong": f"the body {refused}"}, status=400)
        wrong = _wrong(order)
        if wrong:
            return web.json_response({"wrong": wrong}, status=400)
        if order.pop("expire", False):
            self.play.forget_tokens()
        if order:
            self.faults.waiting.append(order)
        return web.json_response({"waiting": self.faults.waiting})


def _wrong(order: Json) -> str:
    """What is wrong with an order; empty when nothing is."""
    if not isinstance(order, dict):
        return "an order is an object"
    for name, value in order.items():
        fits, expected = _ORDERS.get(name, (None, ""))
        if fits is None:
            return f"`{name}` cannot be ordered{suggestion(name, _ORDERS)}"
        if not fits(value):
            return f"`{name}` must be {expected}"
    if not order or (order.keys() - {"expire"} and not order.keys() & _FAULTS):
        return f"an order has one of {', '.join(sorted(_FAULTS | {'expire'}))}"
    if order.keys() & {"text", "headers"} and "status" not in order:
        return "`text` and `headers` go with a `status`"
    return ""


def _hung_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def _silent(_line: str) -> None:
    """Tell nobody."""


def build_simulator(play: Play, tell: Callable[[str], None] = _silent) -> web.Application:
    """Make the application that plays one provider; `tell` is told in a line of each request that nothing answers."""
    server = _Server(play, tell)
    app = web.Application(client_max_size=10_000_000)
    app.router.add_get(_CONTROL, server.show)
    app.router.add_post(_CONTROL, server.control)
    app.router.add_route("*", "/{path:.*}", server.answer)
    return app


@asynccontextmanager
async def playing(play: Play, port: int, tell: Callable[[str], None] = _silent) -> AsyncIterator[int]:
    """Play on 127.0.0.1 while the context lasts and give the port (0 takes a free one); OSError when it is taken.

    `tell` is told in a line of each request that nothing answers.
    """
    # A call that is delayed is not waited for: whoever stops the simulator wants it to stop.
    runner = web.AppRunner(build_simulator(play, tell), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
