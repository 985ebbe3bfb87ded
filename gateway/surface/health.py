"""Whether the process lives, and whether to send it work. Never asks a provider: their outages are not ours."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from gateway.engine import Engine
from gateway.surface.answers import to_bytes


@dataclass(slots=True)
class Readiness:
    """The answer of `/ready`. It is `starting` until the application has started, and `stopping` once told to end."""

    engine: Engine
    state: str = "starting"

    def start(self) -> None:
        """Take work: the catalog is loaded and the application has started."""
        self.state = "ready"

    def stop(self) -> None:
        """Take no more work. Whoever catches the signal to end calls this first: balancers then look elsewhere."""
        self.state = "stopping"

    async def live(self, _request: web.Request) -> web.Response:
        """Answer `/health`: 200 while the loop runs."""
        return _told(HTTPStatus.OK, {"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        """Answer `/ready`: 200 with the catalog's version, or 503."""
        status = HTTPStatus.OK if self.state == "ready" else HTTPStatus.SERVICE_UNAVAILABLE
        return _told(status, {"status": self.state, "catalog": self.engine.catalog.version})


READINESS: web.AppKey[Readiness] = web.AppKey("readiness", Readiness)
"""Where an application carries its Readiness."""


def _told(status: HTTPStatus, body: dict[str, str]) -> web.Response:
    return web.Response(status=status, body=to_bytes(body), content_type="application/json")
