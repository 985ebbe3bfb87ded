"""The surface on a socket: started when it answers, stopped in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_GRACE = 20.0
"""Seconds that calls under way have to finish after a stop was asked for."""


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve while the context lasts and give the URL; raises OSError when the address cannot be had."""
    # Lines with tokens in their URLs are not for a log; `call.done` is the log of calls.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=False, shutdown_timeout=_GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        address = runner.addresses[0]
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        yield f"http://{shown}:{address[1]}"
    finally:
        await runner.cleanup()
