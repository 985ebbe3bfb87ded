"""Kinds of keys and kinds of doors: each key opens its own doors, and is at every other as good as none."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from gateway.store.events import feeds
from gateway.store.events.feeds import Feed
from gateway.surface.calendar.feeds import digest_of
from gateway.values.secrets import Secret
from tests.databases import sqlite_store
from tests.hooked import SECRETS, START, TOKEN, told
from tests.surface.conftest import KEYS

ADMIN = "admin-token-0123456789"
CALLER = "web-key-0123456789"
FEED = "feed-t0ken-of-256-random-bits"
KINDS = {
    "caller's key": (CALLER, {"/v1"}),
    "admin token": (ADMIN, {"/admin", "beside"}),
    "token of a feed": (FEED, {"feed"}),
    "token of a hook": (TOKEN, {"hook"}),
    "key of a provider": (SECRETS["api_key"].reveal(), set()),
    "secret of a subscription": ("whsec_c2VjcmV0LW9mLWEtY29uc3VtZXI=", set()),
    "id of a feed": ("feed_1", set()),
    "nothing known": ("Zx3-nobody-has-this-kQ", set()),
}
"""Every kind of what opens something: one of it, and the doors that it opens."""
DOORS = {
    "/v1": (401, lambda key: ("GET", "/v1/club", {"Authorization": f"Bearer {key}"})),
    "/v1 of events": (401, lambda key: ("GET", "/v1/club/events/stream?key=" + quote(key), {})),
    "/v1 by query": (401, lambda key: ("GET", f"/v1/club?access_token={quote(key)}", {})),
    "/v1 by Basic": (401, lambda key: ("GET", "/v1/club", {"Authorization": f"Basic {key}"})),
    "/v1 by the admin's header": (401, lambda key: ("GET", "/v1/club", {"Gateway-Admin": f"Bearer {key}"})),
    "/admin": (401, lambda key: ("GET", "/admin/traces", {"Authorization": f"Bearer {key}"})),
    "/admin by query": (401, lambda key: ("GET", f"/admin/traces?token={quote(key)}", {})),
    "/admin by its header": (401, lambda key: ("GET", "/admin/traces", {"Gateway-Admin": f"Bearer {key}"})),
    "beside": (
        403,
        lambda key: (
            "GET",
            "/v1/club",
            {"Authorization": f"Bearer {CALLER}", "Gateway-Trace": "1", "Gateway-Admin": f"Bearer {key}"},
        ),
    ),
    "feed": (404, lambda key: ("GET", f"/v1/club/calendar/feed/{quote(key, safe='')}.ics", {})),
    "hook": (401, lambda key: ("POST", f"/hooks/club/events/{quote(key, safe='')}", {})),
}
"""Every kind of door: the status by which it refuses, and the request that shows it a key."""
KNOWN = {("caller's key", "/admin"): 403}
"""Whose key is known, but not let in here."""


@pytest.fixture
async def gate(serve_gate, gate_settings, tmp_path):
    """Give a gateway with an operator, a caller who may all, a hook and a feed."""
    web = replace(gate_settings.callers["web"], may=frozenset({"read", "write"}))
    changed = {"admin_token": Secret(ADMIN), "traces": 3, "callers": {"web": web}}
    async with serve_gate(sqlite_store(tmp_path / "gateway.db"), **changed) as made:
        feed = Feed("feed_1", "club", "web", "All", None, None, START)
        assert await made.dependencies.database.write(lambda opened: feeds.add(opened, feed, digest_of(FEED), 9))
        yield made


@pytest.mark.parametrize("door", DOORS)
async def test_each_door_has_its_key(gate, door):
    """A door opens to the kind of key that is its own; to every other it says the same, and repeats none."""
    refusal, shown = DOORS[door]
    for kind, (key, opens) in KINDS.items():
        method, path, headers = shown(key)
        status, body, _ = await gate.post(path, told(), method=method, headers=headers)
        if door in opens:
            assert status not in {401, 403, 404}, kind
        else:
            assert KNOWN.get((kind, door), refusal) == status, (kind, body)
            assert key.encode() not in body, kind


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", f"Basic {ADMIN}", f"Bearer {ADMIN}x", ADMIN])
async def test_beside_is_a_bearer_token(gate, given):
    """The admin token beside a caller's key is `Bearer TOKEN` and nothing near it."""
    headers = {"Authorization": f"Bearer {CALLER}", "Gateway-Trace": "1", "Gateway-Admin": given}
    status, body, _ = await gate.post("/v1/club", method="GET", headers=headers)
    assert 403 == status
    assert b"`Gateway-Admin: Bearer TOKEN`" in body


@pytest.fixture
def settings(settings):
    """Give the settings of the surface with an operator."""
    return replace(settings, admin_token=Secret(ADMIN), traces=3)


async def test_every_route_has_its_door(client, provider):
    """Of all routes there are, those of the operator refuse callers, and all others that ask for a key the operator."""
    found = {}
    for route in client.app.router.routes():
        path = route.resource.canonical
        if (
            route.method in {"*", "HEAD"}
            or path.startswith("/hooks/")
            or path.endswith(("/feed/{token}.ics", "/oauth/callback"))
        ):
            continue
        sent = path.replace("{connection}", "club-a").replace("{", "").replace("}", "")
        told = []
        for key in (KEYS["web"], ADMIN, None):
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            async with client.request(route.method, sent, headers=headers) as response:
                told.append(response.status)
        found[route.method, path] = told
    open_to_all = {path for _, path in found if path in {"/health", "/ready", "/openapi.json"}}
    assert 3 == len(open_to_all)
    admins = {one: told for one, told in found.items() if one[1].startswith("/admin/")}
    assert len(admins) > 15
    for (method, path), (caller, operator, nobody) in found.items():
        expected = (caller, operator, nobody)
        if path.startswith("/admin/"):
            assert (403, 401) == (caller, nobody), (method, path, expected)
            assert operator not in {401, 403}, (method, path, expected)
        elif path not in open_to_all:
            assert (401, 401) == (operator, nobody), (method, path, expected)
            assert caller not in {401, 403}, (method, path, expected)


async def test_what_the_operator_is_told(call_as):
    """Whoever sends the admin token as a caller's key is told which key belongs where."""
    caller = call_as(None)
    caller.key = ADMIN
    status, body, headers = await caller("GET", "/v1/connections")
    assert (401, "UNAUTHORIZED") == (status, body["error"]["code"])
    assert headers["WWW-Authenticate"].startswith("Bearer ")
    assert "This is the admin token: it opens `/admin` and is no caller's key." in body["error"]["message"]
    assert "`Gateway-Admin: Bearer TOKEN`" in body["error"]["message"]
    caller.key = None
    assert "the admin token" in (await caller("GET", "/admin/traces"))[1]["error"]["message"]
