"""Routes, each with the operation that it is declared as. No path is named here: the model says them.

Who is let in follows from the operation alone, never from a path: a route that nobody declared lets nobody in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.model.model import ANY_METHOD, Operation

CONNECTION = "/v1/{connection}"
"""Where the contract's own operations are."""


class Table(web.AbstractResource):
    """The resources below one path, found by how many segments they have and by those among them that are no values.

    aiohttp tries one after the other, each with an expression of its own.
    """

    def __init__(self, below: str) -> None:
        super().__init__()
        self._below = below
        self._by_length: dict[int, list[tuple[list[int], list[str], web.DynamicResource]]] = {}

    def add(self, path: str) -> web.DynamicResource:
        """Add a resource, `{name}` where a value stands that is a segment or a part of one."""
        segments = path.split("/")
        places = [at for at, text in enumerate(segments) if "{" not in text]
        made = web.DynamicResource(path.replace("}", ":[^/]+}"))
        self._by_length.setdefault(len(segments), []).append((places, [segments[at] for at in places], made))
        return made

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """Give the route of a request, else the methods that its path has."""
        segments = request.rel_url.path_safe.split("/")
        allowed = set[str]()
        for places, fixed, resource in self._by_length.get(len(segments), ()):
            if fixed == [segments[at] for at in places]:
                found, methods = await resource.resolve(request)
                if found is not None:
                    return found, methods
                allowed |= methods
        return None, allowed

    @property
    def canonical(self) -> str:
        """The path that all of them are below, by which aiohttp finds this table."""
        return self._below

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        for listed in self._by_length.values():
            for *_, resource in listed:
                yield from resource

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def raw_match(self, _path: str) -> bool:
        """Tell that nothing else is added here: aiohttp asks before it puts a route to a resource that there is."""
        return False

    def get_info(self) -> Any:
        """Tell where it is."""
        return {"path": self._below}

    def url_for(self, **_values: str) -> NoReturn:
        """Raise TypeError: a table is no path."""
        raise TypeError("a table of resources has no URL")

    def add_prefix(self, _prefix: str) -> NoReturn:
        """Raise TypeError: no application is put below another."""
        raise TypeError("a table of resources stays where it is")


class Routes:
    """The routes of an application."""

    __slots__ = ("_app", "_declared", "_resources", "_tables")

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._tables: dict[str, Table] = {}
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
            self._resources[path] = self._resource(path)
        method = "*" if operation.method == ANY_METHOD else operation.method
        for one in (method, "HEAD") if method == "GET" else (method,):
            self._declared[self._resources[path].add_route(one, handler)] = operation

    def _resource(self, path: str) -> web.Resource:
        """Make a resource; one with values in its path stands in the table of what comes before the first."""
        below, value, _ = path.partition("/{")
        if not value:
            return self._app.router.add_resource(path)
        if below not in self._tables:
            self._tables[below] = Table(below)
            self._app.router.register_resource(self._tables[below])
        return self._tables[below].add(path)

    def add_each(self, operations: Mapping[str, Operation], handlers: Mapping[str, Handler]) -> None:
        """Have each operation that has a handler answered at its own path. Raises KeyError for a handler of none."""
        for name in handlers.keys() - operations.keys():
            raise KeyError(name)
        for name, operation in operations.items():
            if name in handlers:
                self.add(operation, operation.path, handlers[name])


ROUTES: web.AppKey[Routes] = web.AppKey("routes", Routes)
"""Where an application carries its routes."""
