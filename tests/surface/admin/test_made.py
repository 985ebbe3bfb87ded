"""The operator's side of what callers have made: everybody's calendar feeds, and what became of anybody's writes."""

import json
import logging
from dataclasses import replace

import pytest

from gateway.engine.catalog import Catalog
from gateway.store import keys
from gateway.store.deliveries.subscriptions import Subscription, add, owner_of
from gateway.store.events import feeds
from gateway.store.events.feeds import Feed
from gateway.store.keys import IdempotentRequest, KeyRecord
from gateway.surface.calendar.feeds import digest_of
from gateway.values.secrets import Secret
from gateway.webhooks.outbound.subscriptions import settle
from tests.subscribers import SHOP, START, TOKEN

PATHS = [("GET", "/admin/feeds"), ("DELETE", "/admin/feeds/feed_1"), ("GET", "/admin/outcomes/op_1")]
TOKENS = {"feed_1": ("club-a", "web"), "feed_2": ("club-b", "reporting"), "feed_3": ("club-a", "reporting")}


@pytest.fixture
def settings(settings):
    """Give the settings of a gateway with an operator."""
    return replace(settings, admin_token=Secret(TOKEN), traces=9)


@pytest.fixture
async def made(dependencies):
    """Keep three feeds of two callers; the token of each is its id and a word."""

    def work(opened):
        for number, (key, (connection, owner)) in enumerate(TOKENS.items()):
            feed = Feed(key, connection, owner, key, None, None, START + number)
            assert feeds.add(opened, feed, digest_of(f"{key}-token"), 9)

    await dependencies.database.write(work)


@pytest.fixture
def doubtful(dependencies, new):
    """Give the function that keeps a write of `web` whose outcome is unknown: of this connection and operation."""

    async def of(connection="club-a", operation="bookings.create"):
        request = json.dumps({"body": new, "path": {}}).encode()
        asked = IdempotentRequest("web", connection, f"key of {connection}", "f", operation, request)
        await dependencies.database.write(lambda opened: keys.begin(opened, KeyRecord("op_1", asked, START, 0), 0))

    return of


def test_every_operation_has_its_route(engine):
    """The operations are the paths below, and nobody but the operator may call one."""
    own = engine.model.gateway.operations
    found = [one for name, one in own.items() if name.startswith(("admin.feeds", "admin.outcomes"))]
    assert {"admin"} == {one.access for one in found}
    paths = {(method, path.replace("feed_1", "{id}").replace("op_1", "{id}")) for method, path in PATHS}
    assert paths == {(one.method, one.path) for one in found}


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", ["feed_1", "feed_2", "feed_3"]), ("connection=club-a&", ["feed_1", "feed_3"]), ("connection=club-c&", [])],
)
async def test_everybodys_feeds(operator, made, query, expected):
    """The operator sees all feeds, of which connection and caller they are, page by page, and no token."""
    found, cursor = [], ""
    while cursor is not None:
        status, page, _ = await operator("GET", f"/admin/feeds?{query}limit=2{cursor}")
        assert 200 == status, page
        found += page["data"]
        after = page["page"]["next_cursor"]
        cursor = None if after is None else f"&cursor={after}"
    assert expected == [one["id"] for one in found]
    assert [TOKENS[key] for key in expected] == [(one["connection"], one["caller"]) for one in found]
    assert "token" not in json.dumps(found)


async def test_any_feed_is_revoked(operator, client, made, provider, caplog):
    """The operator ends a feed of anybody, once, and the log says which; the others go on."""
    provider.answers |= {f"GET /{name}": (200, {"ok": True, "data": []}) for name in ("bookings", "courts")}

    async def read(key):
        async with client.get(f"/v1/{TOKENS[key][0]}/calendar/feed/{key}-token.ics") as response:
            return response.status

    assert [200, 200] == [await read("feed_1"), await read("feed_3")]
    with caplog.at_level(logging.INFO, "gateway"):
        assert 204 == (await operator("DELETE", "/admin/feeds/feed_3"))[0]
    assert ["feed_3"] == [one.fields["feed"] for one in caplog.records if one.getMessage() == "admin.revoked"]
    assert [200, 404] == [await read("feed_1"), await read("feed_3")]
    status, body, _ = await operator("DELETE", "/admin/feeds/feed_3")
    assert (404, "There is no calendar feed of this id.") == (status, body["error"]["message"])


async def test_what_the_operator_made_as_a_caller(dependencies, client, settings, operator):
    """Feeds and subscriptions from when the admin token was a caller's key end, and the operator still sees them."""
    feed = Feed("feed_4", "club-a", "admin", "Old", None, None, START)
    old = Subscription("wh_4", owner_of("admin"), SHOP, ("*",), None, "native", Secret("whsec_x"), START)
    await dependencies.database.write(lambda opened: feeds.add(opened, feed, digest_of("old-token"), 9))
    await dependencies.database.write(lambda opened: add(opened, old, 9))
    await settle(dependencies.database, settings, START)
    assert 404 == (await client.get("/v1/club-a/calendar/feed/old-token.ics")).status
    assert ["admin"] == [one["caller"] for one in (await operator("GET", "/admin/feeds"))[1]["data"]]
    _, found, _ = await operator("GET", "/admin/subscriptions/wh_4")
    assert ("disabled", "caller:admin") == (found["state"], found["owner"])


async def test_the_outcome_of_anybodys_write(operator, call, doubtful, provider):
    """The operator is told of a write what its caller is told, and whose it is and where it went."""
    await doubtful()
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": []})
    status, own, _ = await call("GET", "/v1/club-a/operations/op_1")
    assert (200, "op_1", "bookings.create") == (status, own["id"], own["operation"])
    status, found, _ = await operator("GET", "/admin/outcomes/op_1")
    assert (200, own | {"connection": "club-a", "caller": "web"}) == (status, found)


async def test_the_look_is_traced(operator, doubtful, provider):
    """What the provider was asked for the operator's question can be traced; the admin token stands there already."""
    await doubtful()
    provider.answers["GET /bookings"] = (200, {"ok": True, "data": []})
    _, _, headers = await operator("GET", "/admin/outcomes/op_1", headers={"Gateway-Trace": "1"})
    _, trace, _ = await operator("GET", f"/admin/traces/{headers['Gateway-Trace-Id']}")
    assert ("admin.outcomes.get", "club-a") == (trace["operation"], trace["connection"])
    assert ["call"] == [one["purpose"] for one in trace["exchanges"]]


async def test_no_outcome(operator, doubtful, engine):
    """A write that is none, or of no connection, is told as none; one whose connection is gone as that."""
    assert 404 == (await operator("GET", "/admin/outcomes/op_1"))[0]
    assert 400 == (await operator("GET", "/admin/outcomes/op_1?verbose=1"))[0]
    await doubtful("club-b")
    known = engine.catalog.connections
    engine.use(Catalog("v2", {}, {name: one for name, one in known.items() if name != "club-b"}))
    status, body, _ = await operator("GET", "/admin/outcomes/op_1")
    assert (404, "CONNECTION_NOT_FOUND") == (status, body["error"]["code"])
    assert "`club-b`" in body["error"]["message"]
