"""Whether the process lives, and whether to send it work. Never asks a provider: their outages are not ours."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.engine.engine import Engine
from gateway.store.database import Database
from gateway.surface.http.responses import to_bytes
from gateway.values.errors import StoreUnavailable

_PROBE_SECONDS: Final = 1.0
"""Between one look at a store that fails and the next, and for such a look."""


@dataclass(slots=True)
class Readiness:
    """The answer of `/ready`. It is `starting` until the application has started, and `stopping` once told to end.

    In between it is `ready`, or `store` while the store cannot be used.
    """

    engine: Engine
    database: Database
    state: str = "starting"
    _probed: float = -math.inf
    """When the store was last looked at, on the loop's clock."""

    def start(self) -> None:
        """Take work: the catalog is loaded and the application has started."""
        self.state = "ready"

    def stop(self) -> None:
        """Take no more work. Whoever catches the signal to end calls this first: balancers then look elsewhere."""
        self.state = "stopping"

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {"health": self.live, "ready": self.ready}

    async def live(self, _request: web.Request) -> web.Response:
        """Answer `/health`: 200 while the loop runs."""
        return _tell(HTTPStatus.OK, {"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """Answer `/ready`: 200 with the catalog's version, or 503."""
        state = "store" if self.state == "ready" and await self._store_fails() else self.state
        status = HTTPStatus.OK if state == "ready" else HTTPStatus.SERVICE_UNAVAILABLE
        return _tell(status, {"status": state, "catalog": self.engine.catalog.version})

    async def _store_fails(self) -> bool:
        """Whether the store fails. One that did is tried now and then, since nothing else may write to it."""
        if not self.database.failing:
            return False
        now = asyncio.get_running_loop().time()
        if now - self._probed >= _PROBE_SECONDS:
            self._probed = now
            with suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(_PROBE_SECONDS):
                    await self.database.probe()
        return self.database.failing


READINESS: web.AppKey[Readiness] = web.AppKey("readiness", Readiness)
"""Where an application carries its Readiness."""


def _tell(status: HTTPStatus, body: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=to_bytes(body), content_type="application/json")
