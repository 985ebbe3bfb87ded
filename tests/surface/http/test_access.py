"""Every route is an operation that booking.yaml or gateway.yaml declares, and lets in whom that declares."""

import re
from dataclasses import replace

import pytest
from aiohttp import web

from gateway.model.model import ANY_METHOD, Access, load
from gateway.surface.app import guard
from gateway.surface.http.authentication import Callers
from gateway.surface.http.cors import Cors
from gateway.surface.http.middleware import Boundary
from gateway.surface.http.routing import CONNECTION, ROUTES, Routes
from gateway.values.secrets import Secret
from tests.surface.conftest import KEYS

ADMIN = "admin-token-0123456789"
OWN = load().gateway.operations
CONTRACT = load().operations
PATHS = {name: one.path for name, one in OWN.items()} | {name: CONNECTION + one.path for name, one in CONTRACT.items()}
OPERATIONS = {**OWN, **CONTRACT}
REFUSED = {401, 403}


@pytest.fixture
def settings(settings):
    """Give the settings of a gateway with an operator."""
    return replace(settings, admin_token=Secret(ADMIN), traces=3)


def requests(access):
    """Give the requests of the operations with this access: name, methods and a path."""
    for name, operation in OPERATIONS.items():
        if operation.access is access:
            path = re.sub(r"\{\w+\}", "x1", PATHS[name].replace("{connection}", "club-a"))
            methods = {ANY_METHOD: ("POST", "GET"), "GET": ("GET", "HEAD")}.get(operation.method, (operation.method,))
            yield from ((name, method, path) for method in methods)


@pytest.fixture
def statuses(client):
    """Give the function that asks with each key and gives the statuses, one by one; None sends no key."""

    async def of(method, path, *keys):
        found = []
        for key in keys:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            async with client.request(method, path, headers=headers) as response:
                found.append(response.status)
        return tuple(found)

    return of


async def test_every_route_is_a_declared_operation(client):
    """The routes of the running application are the operations of both files, at their paths, and no others."""
    declared = client.app[ROUTES].declared
    assert set(client.app.router.routes()) == set(declared)
    expected = {(name, PATHS[name], one.method.replace(ANY_METHOD, "*")) for name, one in OPERATIONS.items()}
    expected |= {(name, path, "HEAD") for name, path, method in expected if method == "GET"}
    assert expected == {(one.name, route.resource.canonical, route.method) for route, one in declared.items()}
    assert set(Access) == {one.access for one in declared.values()}


async def test_callers(statuses):
    """What is callers' wants the key of one: neither nobody's nor the operator's opens it."""
    keys = (None, ADMIN, KEYS["web"])
    found = {one: await statuses(*one[1:], *keys) for one in requests(Access.CALLER)}
    assert len(found) > 60
    assert {} == {one: told for one, told in found.items() if told[:2] != (401, 401) or told[2] in REFUSED}


async def test_the_operators(statuses):
    """What is the operator's wants the admin token: a caller's key is known, and may not."""
    keys = (None, KEYS["web"], ADMIN)
    found = {one: await statuses(*one[1:], *keys) for one in requests(Access.ADMIN)}
    assert len(found) > 25
    assert {} == {one: told for one, told in found.items() if told[:2] != (401, 403) or told[2] in REFUSED}


async def test_what_proves_itself(statuses):
    """Where a token or a signature counts no key takes its place: it is refused with every key as without one."""
    keys = (None, KEYS["web"], ADMIN)
    found = {one: await statuses(*one[1:], *keys) for one in requests(Access.TOKEN)}
    assert {"hooks", "hooks.token", "calendar.feed", "oauth.callback"} == {name for name, *_ in found}
    assert {} == {one: told for one, told in found.items() if len({*told}) > 1 or not {401, 404} >= {*told}}


async def test_the_public(statuses):
    """What tells nothing that belongs to anybody is told to everybody alike."""
    keys = (None, KEYS["web"], ADMIN)
    found = {one: await statuses(*one[1:], *keys) for one in requests(Access.PUBLIC)}
    assert {"health", "ready", "openapi"} == {name for name, *_ in found}
    assert {} == {one: told for one, told in found.items() if told != (200, 200, 200)}


async def test_scopes(statuses):
    """A caller's key must allow every scope that an operation declares, and no other."""
    asked = [(name, method, path) for name, method, path in requests(Access.CALLER) if OPERATIONS[name].scopes]
    assert {name for name, *_ in asked} == {name for name, *_ in requests(Access.CALLER)} - {"native", "native.get"}
    wrong = {}
    for name, method, path in asked:
        scopes = OPERATIONS[name].scopes
        reader, writer = await statuses(method, path, KEYS["reporting"], KEYS["writer"])
        if (reader == 403, writer == 403) != ("write" in scopes, "read" in scopes):
            wrong[name, method] = (reader, writer, scopes)
    assert {} == wrong


async def test_a_route_that_nobody_declared(engine, settings, aiohttp_client):
    """A route that is no operation's lets nobody in, whatever key they have."""
    reached = []

    async def handler(_request):
        reached.append(1)
        return web.Response()

    app = web.Application()
    boundary = Boundary(engine.model, Cors(settings.cors_origins)).middleware()
    app.middlewares.extend([boundary, guard(Callers(settings), Routes(app))])
    app.router.add_get("/admin/forgotten", handler)
    client = await aiohttp_client(app)
    for key in (None, KEYS["web"], ADMIN):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with client.get("/admin/forgotten", headers=headers) as response:
            assert 500 == response.status
    assert [] == reached
