"""The HTTP application: a handler for every operation, and the order in which a request passes boundary and key.

Paths, and who is let in, the model says. Nothing here opens a socket, reads a file or catches a signal.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.config import Settings
from gateway.model.model import Access
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
from gateway.surface.events.stream import STREAMS, Streams
from gateway.surface.events.webhooks import webhooks
from gateway.surface.health import READINESS, Readiness
from gateway.surface.http.authentication import Callers, admin_only, callers_only
from gateway.surface.http.cors import Cors
from gateway.surface.http.middleware import BOUNDARY, Boundary
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.routing import CONNECTION, ROUTES, Routes
from gateway.surface.idempotency.idempotency import Ledger
from gateway.surface.idempotency.outcomes import Outcomes
from gateway.surface.openapi.documents import Documents
from gateway.surface.operations.calls import Calls, ConnectionHealth
from gateway.surface.operations.logins import LoginCallback
from gateway.surface.operations.native import Native
from gateway.surface.operations.operations import Canonical

Surface: TypeAlias = web.Application
"""The HTTP side of a gateway."""


def build_app(settings: Settings, dependencies: Dependencies) -> Surface:
    """Make the application.

    `app[READINESS]` is not ready until the application has started; `stop()` on it makes `/ready` answer 503.
    """
    engine, database = dependencies.engine, dependencies.database
    readiness = Readiness(engine, database)
    ledger = Ledger(
        database,
        now=dependencies.now,
        fresh=dependencies.fresh,
        timeout=settings.timeout,
        share=dependencies.bounds.keys,
    )
    calls = Calls(engine, settings, ledger, ConnectionHealth(), dependencies.recorded_calls)
    boundary = Boundary(engine.model, Cors(settings.cors_origins))
    app = web.Application(client_max_size=settings.max_body)
    routes = Routes(app)
    app.middlewares.extend([boundary.middleware(), guard(Callers(settings), routes)])
    app[BOUNDARY] = boundary
    app[READINESS] = readiness
    app[ROUTES] = routes
    app.on_startup.append(_start)
    app.on_shutdown.append(_stopping)
    handlers = readiness.handlers() | Documents(calls).handlers() | Connections(calls).handlers()
    handlers |= Native(calls).handlers() | _listeners(app, calls, dependencies)
    handlers |= hooks.Hooks(calls, dependencies.receiver, settings.public_url, dependencies.links).handlers()
    handlers |= LoginCallback(engine, dependencies.logins, settings.timeout).handlers()
    if settings.admin_token is not None:
        handlers |= _operators(app, calls, dependencies)
    routes.add_each(engine.model.gateway.operations, handlers)  # before the contract's: /events/stream is no event
    for operation in engine.model.operations.values():
        routes.add(operation, CONNECTION + operation.path, Canonical(calls, operation).__call__)
    return app


def _listeners(app: web.Application, calls: Calls, dependencies: Dependencies) -> dict[str, Handler]:
    streams = Streams(calls, dependencies.database, dependencies.bounds.stream)
    feeds = Feeds(calls, dependencies.database, dependencies.now, dependencies.fresh)
    calendars = Calendars(calls, dependencies.database, dependencies.now, dependencies.bounds.calendar_age)
    outcomes = Outcomes(calls, dependencies.database, dependencies.now)
    app[STREAMS] = streams
    app.on_shutdown.append(streams.stop)
    found = streams.handlers() | Changes(calls, dependencies.database).handlers() | feeds.handlers()
    return found | calendars.handlers() | outcomes.handlers() | webhooks(calls, dependencies).handlers()


def _operators(app: web.Application, calls: Calls, dependencies: Dependencies) -> dict[str, Handler]:
    """Give the handlers of the operator's side, which is there for whoever configured an operator."""
    traces = Traces(calls.settings.traces)
    app.on_response_prepare.append(traces.finish)
    found = traces.handlers() | admin(calls, dependencies).handlers() | admin_made(calls, dependencies).handlers()
    return found | admin_links(calls, dependencies.links).handlers()


def guard(callers: Callers, routes: Routes) -> Middleware:
    """Make the middleware that asks for the key that the operation of a route declares.

    What has no route is told to anybody: the contract is no secret. A route that is no operation's is a defect, and
    lets nobody in.
    """

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            return await handler(request)
        access = routes.declared[request.match_info.route].access
        match access:
            case Access.CALLER:
                request[REQUEST_CONTEXT].caller = callers.identify(request)
                callers_only(request)
                begin(request, allowed=callers.vouched(request))
            case Access.ADMIN:
                request[REQUEST_CONTEXT].caller = callers.identify(request, "the admin token")
                admin_only(request)
            case Access.TOKEN | Access.PUBLIC:
                pass
            case _:
                assert_never(access)
        return await handler(request)

    return guarded


async def _start(app: web.Application) -> None:
    app[READINESS].start()


async def _stopping(app: web.Application) -> None:
    app[READINESS].stop()
