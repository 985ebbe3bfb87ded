"""The HTTP application: routes from the model, and the order in which a request passes key, limits and boundary.

No operation is named here. Nothing here opens a socket, reads a file or catches a signal.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.config import Settings
from gateway.engine import Engine
from gateway.model.model import Model
from gateway.surface.boundary import boundary
from gateway.surface.callers import Callers
from gateway.surface.calls import Calls, Standings
from gateway.surface.connections import Connections
from gateway.surface.cors import Cors
from gateway.surface.documents import Documents, documents
from gateway.surface.health import READINESS, Readiness
from gateway.surface.idempotency import Ledger
from gateway.surface.native import Native
from gateway.surface.operations import Canonical
from gateway.surface.visit import VISIT

BASE = "/v1/{connection:[^/]+}"
_OPEN = frozenset({"/health", "/ready", "/openapi.json"})
"""Paths that need no key: they tell nothing that belongs to anybody."""


def build_app(engine: Engine, settings: Settings, *, ledger: Ledger | None = None) -> web.Application:
    """Make the application. `ledger` keeps answers to Idempotency-Keys; by default a new one on the loop's clock.

    `app[READINESS]` is not ready until the application has started; `stop()` on it makes `/ready` answer 503.
    """
    readiness = Readiness(engine)
    calls = Calls(engine, settings, ledger or Ledger(lambda: asyncio.get_running_loop().time()), Standings())
    app = web.Application(
        client_max_size=settings.max_body,
        middlewares=[boundary(engine.model, Cors(settings.cors_origins)), _guard(Callers(settings.callers.values()))],
    )
    app[READINESS] = readiness
    app.on_startup.append(_started)
    app.on_shutdown.append(_stopping)
    app.router.add_get("/health", readiness.live)
    app.router.add_get("/ready", readiness.ready)
    _add_documents(app, documents(calls))
    _add_connections(app, Connections(calls))
    _add_operations(app, engine.model, calls)
    return app


def _add_documents(app: web.Application, handlers: Documents) -> None:
    app.router.add_get("/openapi.json", handlers.whole)
    app.router.add_get(BASE + "/openapi.json", handlers.of_connection)


def _add_connections(app: web.Application, handlers: Connections) -> None:
    app.router.add_get("/v1/connections", handlers.list)
    app.router.add_get(BASE, handlers.get)


def _add_operations(app: web.Application, model: Model, calls: Calls) -> None:
    native = Native(calls)
    resource = app.router.add_resource(BASE + "/native/{operation:[^/]+}")
    resource.add_route("POST", native.post)
    resource.add_route("GET", native.get)
    resource.add_route("HEAD", native.get)
    for path in dict.fromkeys(operation.path for operation in model.operations.values()):
        resource = app.router.add_resource(BASE + path.replace("}", ":[^/]+}"))
        for operation in model.operations.values():
            if operation.path == path:
                for method in (operation.method, "HEAD") if operation.method == "GET" else (operation.method,):
                    resource.add_route(method, Canonical(calls, operation).__call__)


def _guard(callers: Callers) -> Middleware:
    """Make the middleware that asks for a key. What has no route is told to anybody: the contract is no secret."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is not None and resource.canonical not in _OPEN:
            request[VISIT].caller = callers.identify(request)
        return await handler(request)

    return guarded


async def _started(app: web.Application) -> None:
    app[READINESS].start()


async def _stopping(app: web.Application) -> None:
    app[READINESS].stop()
