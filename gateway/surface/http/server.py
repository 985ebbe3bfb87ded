"""The surface on a socket: started when it answers, stopped in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from gateway.surface.http.sockets import Bounds, Runner

_GRACE = 20.0
"""Seconds that calls under way have to finish after a stop was asked for."""
_BOUNDS = Bounds()


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int, bounds: Bounds = _BOUNDS) -> AsyncIterator[str]:
    """Serve while the context lasts and give the URL; raises OSError when the address cannot be had."""
    runner = Runner(app, bounds, grace=_GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address = runner.addresses[0]
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        yield f"http://{shown}:{address[1]}"
    finally:
        await runner.cleanup()
