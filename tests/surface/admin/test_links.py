"""The operator's side of links over HTTP, before a club and a marketplace that are real servers."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

from gateway.application import build
from gateway.config import FacilitySettings
from gateway.engine.catalog import Catalog, bind, load_providers
from gateway.model.model import load
from gateway.surface.app import build_app
from gateway.surface.openapi.document import document
from gateway.values.messages import MarketplaceRequest
from gateway.values.secrets import Secret
from tests.linking import link_settings
from tests.subscribers import events_of

NAME = "club-a-market"
NOW = 1_773_820_800_000
"""2026-03-18T08:00:00Z"""
PATHS = {
    "admin.links.list": ("GET", "/admin/links"),
    "admin.links.get": ("GET", f"/admin/links/{NAME}"),
    "admin.links.diff": ("GET", f"/admin/links/{NAME}/diff"),
    "admin.links.resync": ("POST", f"/admin/links/{NAME}/resync"),
}
COURT = FacilitySettings("49", "Court 1", "c1", sport="padel")
LINK = link_settings(name=NAME, club="club-a", horizon_days=2, debounce=0.0, facilities=(COURT,))
FREE = [
    {"id": "s1", "court": "c1", "start": "2026-03-19T09:00:00+01:00", "end": "2026-03-19T10:00:00+01:00"},
    {"id": "s2", "court": "c1", "start": "2026-03-19T10:00:00+01:00", "end": "2026-03-19T11:00:00+01:00"},
]
BOOKED = {
    "id": "7",
    "status": "confirmed",
    "start": FREE[0]["start"],
    "end": FREE[0]["end"],
    "notes": "",
    "created": None,
    "rev": "r1",
}


class Market:
    """A marketplace that takes what it is told, unless `status` says otherwise. `told`: free by start."""

    def __init__(self):
        self.status, self.told = 200, {}

    async def take(self, request):
        if self.status == 200:
            self.told |= {one["from"]: one["free"] for one in await request.json()}
        return web.Response(status=self.status)


@pytest.fixture
def settings(settings):
    """Give the settings of a gateway with an operator."""
    return events_of(settings)


@pytest.fixture
async def market(engine, aiohttp_server):
    """Give a marketplace, which the engine knows as the connection `market`."""
    made, app = Market(), web.Application()
    app.router.add_post("/told", made.take)
    server = await aiohttp_server(app)
    plans, findings = load_providers([Path(__file__).with_name("market.yaml")], load())
    assert [] == [one for one in findings if one.level == "error"]
    zone = {"time_zone": "Europe/Paris", "currency": "EUR"}
    given = zone | {"base_url": str(server.make_url("/")).rstrip("/"), "token": Secret("the-token-of-the-hook")}
    connections = {**engine.catalog.connections, "market": bind("market", plans["market"], given)}
    engine.use(Catalog("v2", {}, connections))
    return made


@pytest.fixture
async def links(application, settings, market, provider):
    """Give the links: two free hours of one court are sold."""
    provider.answers["GET /slots"] = (200, {"ok": True, "data": list(FREE)})
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": BOOKED})
    world = replace(application.ambient, now=lambda: NOW)
    return build(replace(settings, links=(LINK,)), application.engine, application.database, None, world).links


@pytest.fixture
async def client(settings, aiohttp_client, dependencies, links):
    """Give a client of the running gateway."""
    return await aiohttp_client(build_app(settings, replace(dependencies, links=links)))


@pytest.fixture
def fits():
    """Give the function that checks an answer against the types that it is declared with."""
    told = document(load(), Catalog("v1", {}, {}))["components"]
    told["schemas"] |= load().gateway.schemas()
    status_of, diff = (load().gateway.types[name].schema() for name in ("LinkStatus", "LinkDiff"))
    whole = {"type": "object", "required": ["data", "page"], "properties": {"data": {"items": status_of}}}
    types = {"admin.links.list": whole, "admin.links.diff": diff}

    def of(name, status, body):
        schema = dict(types.get(name, status_of))
        if status >= 400:
            schema = told["responses"]["Failure"]["content"]["application/json"]["schema"]
        schema = schema | {"components": told}
        assert [] == [error.message for error in Draft202012Validator(schema).iter_errors(body)]
        return body

    return of


@pytest.mark.parametrize(("method", "path"), PATHS.values(), ids=PATHS)
async def test_the_operators_alone(call, call_as, method, path):
    """Nobody but the operator passes, and whoever has no key learns nothing."""
    status, body, _ = await call(method, path)
    assert (403, "admin") == (status, body["error"]["details"]["needs"])
    assert 401 == (await call_as(None)(method, path))[0]


@pytest.mark.parametrize(("method", "path"), PATHS.values(), ids=PATHS)
async def test_without_an_operator(settings, aiohttp_client, dependencies, call_as, method, path):
    """A gateway whose configuration names no operator has no such routes."""
    client = await aiohttp_client(build_app(replace(settings, admin_token=None), dependencies))
    caller = call_as("web")
    caller.client = client
    assert 404 == (await caller(method, path))[0]


def test_every_operation_has_its_route():
    """The operations of links are the paths that are guarded above."""
    own = load().gateway.operations
    links = {name: one for name, one in own.items() if name.startswith("admin.links.")}
    told = {name: (one.method, one.path.replace("{name}", NAME)) for name, one in links.items()}
    assert PATHS == told


async def test_no_links(settings, aiohttp_client, dependencies, operator, fits):
    """Without links in the configuration the list is empty, and there is no link of any name."""
    operator.client = await aiohttp_client(build_app(settings, dependencies))
    status, body, _ = await operator("GET", "/admin/links")
    assert (200, []) == (status, fits("admin.links.list", 200, body)["data"])
    for name in ("get", "diff", "resync"):
        status, body, _ = await operator(*PATHS[f"admin.links.{name}"])
        assert (404, "NOT_FOUND") == (status, fits(f"admin.links.{name}", 404, body)["error"]["code"])


async def test_a_link_that_has_done_nothing(operator, fits):
    """A link stands in the list before anybody has asked it for anything."""
    status, body, _ = await operator("GET", "/admin/links")
    (found,) = fits("admin.links.list", 200, body)["data"]
    assert (200, NAME, "market", "club-a", "WYZ") == (
        status,
        *(found[name] for name in ("name", "peer", "club", "center_id")),
    )
    assert [("49", "c1")] == [(one["facility_id"], one["resource_id"]) for one in found["facilities"]]
    assert ({"waiting": 0, "parked": 0}, {}, []) == (
        {name: found["outbox"][name] for name in ("waiting", "parked")},
        found["ledger"]["counts"],
        found["attention"],
    )
    assert {None} == {found.get(f"last_{name}_at") for name in ("pull", "read", "push")}


async def test_a_link_that_works(operator, engine, links, market, provider, fits):
    """What was told and booked stands in the status, and what the marketplace refuses calls for the operator."""
    await links.step(NAME)
    data = {"resource_id": "49", "start": FREE[0]["start"], "end": FREE[0]["end"], "customer": {"name": "Jane Doe"}}
    asked = MarketplaceRequest("booking.requested", data)
    deadline = asyncio.get_running_loop().time() + 20
    await links.answer(engine.catalog.connections["market"], asked, "r1", deadline)
    provider.answers["GET /slots"] = (200, {"ok": True, "data": FREE[1:]})
    market.status = 400
    await links.step(NAME)
    status, body, _ = await operator("GET", f"/admin/links/{NAME}")
    assert (200, {"confirmed": 1}) == (status, fits("admin.links.get", 200, body)["ledger"]["counts"])
    (entry,) = body["ledger"]["entries"]
    assert ("49", "Jane Doe", "7", "confirmed") == (
        *(entry[name] for name in ("facility_id", "player", "booking_id", "state")),
    )
    assert body["last_read_at"]
    assert body["last_push_at"]
    assert body["last_push_error"]
    assert (0, 1) == (body["outbox"]["waiting"], body["outbox"]["parked"])
    assert body["attention"]


async def test_diff(operator, links, market, provider, fits):
    """What the club says now is held against what the marketplace was told, and nothing is changed by that."""
    await links.step(NAME)
    status, body, _ = await operator("GET", f"/admin/links/{NAME}/diff")
    assert (200, [], True) == (status, fits("admin.links.diff", 200, body)["differences"], body["in_step"])
    provider.answers["GET /slots"] = (200, {"ok": True, "data": FREE[1:]})
    for _ in range(2):
        _, body, _ = await operator("GET", f"/admin/links/{NAME}/diff")
        (found,) = fits("admin.links.diff", 200, body)["differences"]
        assert (False, "49", FREE[0]["start"], "free", "busy") == (
            body["in_step"],
            *(found[name] for name in ("facility_id", "start", "told", "club")),
        )
    assert {True} == set(market.told.values())


async def test_diff_without_the_club(operator, provider, fits):
    """When the club cannot be asked there is no diff, and it says so."""
    provider.answers["GET /slots"] = (503, {"ok": False})
    status, body, headers = await operator("GET", f"/admin/links/{NAME}/diff")
    code = fits("admin.links.diff", status, body)["error"]["code"]
    assert (503, "PROVIDER_UNAVAILABLE", True) == (status, code, "Retry-After" in headers)


async def test_resync(operator, links, market, fits, caplog):
    """A resync is taken on, written into the log, and whoever works for the link tells everything anew."""
    await links.step(NAME)
    told, market.told = market.told, {}
    await links.step(NAME)
    assert {} == market.told
    with caplog.at_level(logging.INFO, "gateway"):
        status, body, _ = await operator("POST", f"/admin/links/{NAME}/resync")
    assert (202, 2) == (status, fits("admin.links.resync", 202, body)["outbox"]["waiting"])
    assert 1 == sum(record.getMessage() == "admin.resynced" for record in caplog.records)
    await links.step(NAME)
    assert told == market.told
    _, body, _ = await operator("GET", f"/admin/links/{NAME}")
    assert 0 == body["outbox"]["waiting"]


async def test_resync_once(operator, links, market):
    """A resync that is repeated with its Idempotency-Key is one resync."""
    headers = {"Idempotency-Key": "k1"}
    first = await operator("POST", f"/admin/links/{NAME}/resync", headers=headers)
    await links.step(NAME)
    market.told = {}
    again = await operator("POST", f"/admin/links/{NAME}/resync", headers=headers)
    await links.step(NAME)
    assert (202, first[1], "true", {}) == (again[0], again[1], again[2]["Idempotent-Replayed"], market.told)


@pytest.mark.parametrize("name", ["get", "diff", "resync"])
async def test_no_such_link(operator, name, fits):
    """There is nothing to say of a link that the configuration does not have."""
    method, path = PATHS[f"admin.links.{name}"]
    status, body, _ = await operator(method, path.replace(NAME, "club-b-market"))
    assert (404, "NOT_FOUND") == (status, fits(f"admin.links.{name}", 404, body)["error"]["code"])


@pytest.mark.parametrize("path", ["/admin/links?page=2", f"/admin/links/{NAME}?verbose=1"])
async def test_what_is_no_argument(operator, path):
    """What the document does not have is refused."""
    assert 400 == (await operator("GET", path))[0]


@pytest.mark.parametrize(
    "own", [[], [{"id": "49", "name": "My court", "type": "court", "bookable": True, "time_zone": "Europe/Paris"}]]
)
async def test_a_push_knows_the_courts_of_links(dependencies, settings, aiohttp_client, market, call_as, own):
    """Slots pushed as the contract says need no word about courts that a link describes; a caller's own word counts."""
    writer = call_as("writer")
    writer.client = await aiohttp_client(build_app(replace(settings, links=(LINK,)), dependencies))
    slot = {"id": "x", "resource_id": "49", "start": FREE[0]["start"], "end": FREE[0]["end"], "status": "free"}
    slots = [{**slot, "available": True, "time_zone": "Europe/Paris"}]
    body = {"slots": slots, "resources": own} if own else {"slots": slots}
    status, told, _ = await writer("PUT", "/v1/market/slots", json=body)
    assert (200, 1) == (status, told.get("accepted")), told
    assert {FREE[0]["start"]: True} == market.told
