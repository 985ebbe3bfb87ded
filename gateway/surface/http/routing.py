"""Routes, each with the operation that it is declared as. No path is named here: the model says them.

Who is let in follows from the operation alone, never from a path: a route that nobody declared lets nobody in.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.model.model import ANY_METHOD, Operation

CONNECTION = "/v1/{connection}"
"""Where the contract's own operations are."""


class Routes:
    """The routes of an application."""

    __slots__ = ("_app", "_declared", "_resources")

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._resources: dict[str, web.Resource] = {}
        self._declared: dict[web.AbstractRoute, Operation] = {}

    def __repr__(self) -> str:
        return f"Routes({len(self._declared)})"

    @property
    def declared(self) -> Mapping[web.AbstractRoute, Operation]:
        """The operation of each route."""
        return self._declared

    def add(self, operation: Operation, path: str, handler: Handler) -> None:
        """Have an operation answered at this path, `{name}` where an argument stands; HEAD as GET (RFC 9110 §9.3.2)."""
        if path not in self._resources:
            self._resources[path] = self._app.router.add_resource(path.replace("}", ":[^/]+}"))
        method = "*" if operation.method == ANY_METHOD else operation.method
        for one in (method, "HEAD") if method == "GET" else (method,):
            self._declared[self._resources[path].add_route(one, handler)] = operation

    def add_each(self, operations: Mapping[str, Operation], handlers: Mapping[str, Handler]) -> None:
        """Have each operation that has a handler answered at its own path. Raises KeyError for a handler of none."""
        for name in handlers.keys() - operations.keys():
            raise KeyError(name)
        for name, operation in operations.items():
            if name in handlers:
                self.add(operation, operation.path, handlers[name])


ROUTES: web.AppKey[Routes] = web.AppKey("routes", Routes)
"""Where an application carries its routes."""
