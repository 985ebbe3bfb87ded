"""The HTTP application: routes from the model, and the order in which a request passes key, limits and boundary.

No operation is named here. Nothing here opens a socket, reads a file or catches a signal.
"""

from __future__ import annotations

import asyncio
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.config import Settings
from gateway.engine.engine import Engine
from gateway.events.recorded_calls import Remembering
from gateway.model.model import Model
from gateway.surface import hooks
from gateway.surface.admin.deliveries import admin
from gateway.surface.admin.links import admin_links
from gateway.surface.admin.made import admin_made
from gateway.surface.admin.traces import Traces, begin
from gateway.surface.calendar.calendars import Calendars
from gateway.surface.calendar.feeds import Feeds
from gateway.surface.connections import Connections
from gateway.surface.dependencies import Dependencies
from gateway.surface.events.changes import Changes
from gateway.surface.events.stream import Streams
from gateway.surface.events.webhooks import webhooks
from gateway.surface.health import READINESS, Readiness
from gateway.surface.http.authentication import Callers, admin_only, callers_only
from gateway.surface.http.cors import Cors
from gateway.surface.http.middleware import BOUNDARY, Boundary
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.idempotency.idempotency import Ledger, Once, StoredLedger
from gateway.surface.idempotency.outcomes import Outcomes
from gateway.surface.openapi.documents import Documents
from gateway.surface.operations.calls import Calls, Standings
from gateway.surface.operations.native import Native
from gateway.surface.operations.operations import Canonical

ADMIN = "/admin/"
"""The operator's side: every route below it asks for the operator's token."""
BASE = "/v1/{connection:[^/]+}"
_OPEN = frozenset({"/health", "/ready", "/openapi.json"})
"""Paths that need no key: they tell nothing that belongs to anybody."""
_PROVED = ("/hooks/", "/v1/{connection}/calendar/feed/")
"""Paths that need no key because what comes there proves itself, by a signature or a token of its own."""


def build_app(
    engine: Engine, settings: Settings, *, ledger: Once | None = None, dependencies: Dependencies | None = None
) -> web.Application:
    """Make the application. `ledger` keeps answers to Idempotency-Keys; by default the store, without one the process.

    Without a `backroom` there is nothing that must be remembered: no hooks, no events and no subscriptions.

    `app[READINESS]` is not ready until the application has started; `stop()` on it makes `/ready` answer 503.
    """
    readiness = Readiness(engine, dependencies.database if dependencies is not None else None)
    remembering = (
        Remembering(engine, dependencies.database, dependencies.publisher) if dependencies is not None else None
    )
    if ledger is None and dependencies is not None:
        ledger = StoredLedger(
            dependencies.database, now=dependencies.now, fresh=dependencies.fresh, timeout=settings.timeout
        )
    ledger = ledger or Ledger(lambda: asyncio.get_running_loop().time())
    calls = Calls(engine, settings, ledger, Standings(), remembering)
    boundary = Boundary(engine.model, Cors(settings.cors_origins))
    app = web.Application(
        client_max_size=settings.max_body, middlewares=[boundary.middleware(), _guard(Callers(settings))]
    )
    app[BOUNDARY] = boundary
    app[READINESS] = readiness
    app.on_startup.append(_started)
    app.on_shutdown.append(_stopping)
    app.router.add_get("/health", readiness.live)
    app.router.add_get("/ready", readiness.ready)
    _add_documents(app, Documents(calls))
    _add_connections(app, Connections(calls))
    if dependencies is not None:
        _add_listeners(app, calls, dependencies)  # before the operations: /events/stream is no event
        _add_hooks(app, hooks.Hooks(calls, dependencies.inbound, settings.public_url, dependencies.links))
    _add_operations(app, engine.model, calls)
    if settings.admin_token is not None:
        _add_traces(app, Traces(settings.traces))
        if dependencies is not None:
            for part in (
                admin(calls, dependencies),
                admin_made(calls, dependencies),
                admin_links(calls, dependencies.links),
            ):
                app.router.add_routes(part.routes())
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


def _add_listeners(app: web.Application, calls: Calls, dependencies: Dependencies) -> None:
    streams = Streams(calls, dependencies.database)
    feeds = Feeds(calls, dependencies.database, dependencies.now, dependencies.fresh)
    calendars = Calendars(calls, dependencies.database, dependencies.now)
    outcomes = Outcomes(calls, dependencies.database, dependencies.now)
    for part in (streams, Changes(calls, dependencies.database), feeds, calendars, outcomes):
        app.router.add_routes(part.routes(BASE))
    app.router.add_routes(webhooks(calls, dependencies, secrets.token_bytes).routes())
    app.on_shutdown.append(streams.stop)


def _add_hooks(app: web.Application, handlers: hooks.Hooks) -> None:
    for path in (hooks.PATH, hooks.PATH + "/{token:[^/]+}"):
        app.router.add_route("*", path, handlers.take)


def _add_traces(app: web.Application, traces: Traces) -> None:
    app.on_response_prepare.append(traces.finish)
    app.router.add_get(ADMIN + "traces", traces.list)
    app.router.add_get(ADMIN + "traces/{id:[^/]+}", traces.get)


def _guard(callers: Callers) -> Middleware:
    """Make the middleware that asks for a caller's key, and on the operator's side for the admin token.

    What has no route is told to anybody: the contract is no secret.
    """

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        if resource is None or _open(resource.canonical):
            return await handler(request)
        if resource.canonical.startswith(ADMIN):
            request[REQUEST_CONTEXT].caller = callers.identify(request, "the admin token")
            admin_only(request)
        else:
            request[REQUEST_CONTEXT].caller = callers.identify(request)
            callers_only(request)
            begin(request, allowed=callers.vouched(request))
        return await handler(request)

    return guarded


def _open(path: str) -> bool:
    return path in _OPEN or path.startswith(_PROVED)


async def _started(app: web.Application) -> None:
    app[READINESS].start()


async def _stopping(app: web.Application) -> None:
    app[READINESS].stop()
