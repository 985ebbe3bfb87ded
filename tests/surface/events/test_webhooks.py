"""Subscriptions over HTTP: who sees and changes what, what an address may be, and what is shown of deliveries."""

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook

from gateway.model.model import load
from gateway.store.deliveries import subscriptions
from gateway.store.deliveries.subscriptions import OVERLAP, Subscription, add, configured_id, owner_of
from gateway.store.events.events import append
from gateway.values.secrets import Secret
from gateway.webhooks.outbound.subscriptions import settle
from tests.subscribers import OWN, SHOP, START, events_of, happened


@pytest.fixture
def settings(settings):
    """Give the settings of a gateway with events."""
    return events_of(settings)


@pytest.fixture
async def client(settings, dependencies, serve_events):
    """Give a client of the gateway with the routes of events."""
    return await serve_events(settings, dependencies)


async def test_subscribed(call):
    """A new subscription is answered with its secret, which is shown at no other time, and with where it is."""
    status, made, headers = await call("POST", "/v1/webhooks", json={"url": SHOP})
    assert (201, f"/v1/webhooks/{made['id']}") == (status, headers["Location"])
    secret = made.pop("secret")
    assert 32 == len(Webhook(secret)._whsecret)
    expected = {
        "id": made["id"],
        "url": SHOP,
        "events": ["*"],
        "connections": ["club-a", "club-b"],
        "active": True,
        "format": "native",
        "created_at": made["created_at"],
        "pending": 0,
        "dead": 0,
    }
    assert expected == made
    assert expected == (await call("GET", headers["Location"]))[1]
    assert [expected] == (await call("GET", "/v1/webhooks"))[1]["data"]


async def test_as_the_contract_has_it(call, subscribe):
    """What is answered fits the schemas of the contract."""
    made = await subscribe(events=["booking.created"], connections=["club-a"], format="cloudevents")
    told = {
        "$ref": "#/components/schemas/WebhookSubscription",
        "components": {"schemas": load().schemas() | load().gateway.schemas()},
    }
    Draft202012Validator(told).validate(made)
    _, tested, _ = await call("POST", f"/v1/webhooks/{made['id']}/test")
    told["$ref"] = "#/components/schemas/WebhookDelivery"
    Draft202012Validator(told).validate(tested)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "url"),
        ({"url": None}, "url"),
        ({"url": "ftp://shop.example/"}, "url"),
        ({"url": "https://user@shop.example/"}, "url"),
        ({"url": "https://shop.example/#x"}, "url"),
        ({"url": "https://shop.example:22/"}, "url"),
        ({"url": "https://shop.example:0/"}, "url"),
        ({"url": "https://10.1.2.3/"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://2130706433/"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://shop.example/" + "x" * 2000}, "url"),
        ({"url": SHOP, "events": []}, "events"),
        ({"url": SHOP, "events": ["booking.creatd"]}, "events.0"),
        ({"url": SHOP, "events": ["webhook.test"]}, "events.0"),
        ({"url": SHOP, "connections": []}, "connections"),
        ({"url": SHOP, "connections": ["club-a", "club-z"]}, "connections.1"),
        ({"url": SHOP, "format": "xml"}, "format"),
        ({"url": SHOP, "secret": "mine"}, "secret"),
        ({"url": SHOP, "active": False}, "active"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:40],
)
async def test_refused(call, given, field):
    """What cannot be a subscription is refused, and the place is named."""
    status, body, _ = await call("POST", "/v1/webhooks", json=given)
    assert (400, [field]) == (status, [one["field"] for one in body["error"]["details"]["fields"]])
    assert [] == (await call("GET", "/v1/webhooks"))[1]["data"]


async def test_tls_is_asked_for(settings, dependencies, serve_events, call):
    """Addresses without TLS are refused unless the operator allows them."""
    url = "http://shop.example:8080/hooks"
    assert 201 == (await call("POST", "/v1/webhooks", json={"url": url}))[0]
    strict = replace(settings, deliveries=replace(settings.deliveries, http=False))
    call.client = await serve_events(strict, dependencies)
    status, body, _ = await call("POST", "/v1/webhooks", json={"url": url})
    assert (400, "`url` must begin with https://.") == (status, body["error"]["message"])


async def test_what_a_caller_may(call, call_as):
    """Nobody subscribes what it may not read, or of connections that are not its own; reading alone changes nothing."""
    told = [
        await call("POST", "/v1/webhooks", json={"url": SHOP, "connections": ["club-c"]}),
        await call_as("reporting")("POST", "/v1/webhooks", json={"url": SHOP}),
        await call_as("writer")("POST", "/v1/webhooks", json={"url": SHOP}),
        await call_as("writer")("GET", "/v1/webhooks"),
    ]
    assert [(403, "FORBIDDEN")] * 4 == [(status, body["error"]["code"]) for status, body, _ in told]
    assert 200 == (await call_as("reporting")("GET", "/v1/webhooks"))[0]
    assert 401 == (await call_as(None)("GET", "/v1/webhooks"))[0]


PATHS = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/deliveries")]
PATHS += [("POST", f"/{verb}") for verb in ("test", "rotate", "enable")]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_others_do_not_exist(call, call_as, dependencies, method, path):
    """A subscription of another caller or of the configuration is answered as one that is none."""
    theirs = Subscription("wh_1", owner_of("reporting"), SHOP, ("*",), None, "native", Secret("whsec_x"), START)
    await dependencies.database.write(lambda opened: add(opened, theirs, 9))
    assert ["wh_1"] == [one["id"] for one in (await call_as("reporting")("GET", "/v1/webhooks"))[1]["data"]]
    assert [] == (await call("GET", "/v1/webhooks"))[1]["data"]
    body = {"json": {"active": True}} if method == "PATCH" else {}
    for key in ("wh_1", configured_id(OWN), "wh_none"):
        status, found, _ = await call(method, f"/v1/webhooks/{key}{path}", **body)
        assert (404, "There is no subscription of this id.") == (status, found["error"]["message"])


async def test_changed(call, subscribe):
    """A change touches what it names; null for the connections means all that the caller may use."""
    made = await subscribe(connections=["club-a"])
    path = f"/v1/webhooks/{made['id']}"
    status, changed, _ = await call("PATCH", path, json={"url": f"{SHOP}/2", "events": ["booking.cancelled"]})
    expected = made | {"url": f"{SHOP}/2", "events": ["booking.cancelled"]}
    del expected["secret"]
    assert (200, expected) == (status, changed)
    _, changed, _ = await call("PATCH", path, json={"connections": None, "format": "cloudevents"})
    assert expected | {"connections": ["club-a", "club-b"], "format": "cloudevents"} == changed
    assert 400 == (await call("PATCH", path, json={}))[0]
    assert 400 == (await call("PATCH", path, json={"url": None}))[0]
    assert 403 == (await call("PATCH", path, json={"connections": ["club-c"]}))[0]


async def test_paused_and_resumed(call, subscribe, dependencies):
    """A paused subscription says so, is not tested and gets nothing new; it can be resumed in two ways."""
    made = await subscribe()
    path = f"/v1/webhooks/{made['id']}"
    _, paused, _ = await call("PATCH", path, json={"active": False})
    assert (False, "its owner paused it") == (paused["active"], paused["reason"])
    status, told, _ = await call("POST", f"{path}/test")
    assert (409, "INVALID_STATE") == (status, told["error"]["code"])
    await dependencies.database.write(lambda opened: append(opened, [happened(1)], dependencies.fresh))
    assert [] == (await call("GET", f"{path}/deliveries"))[1]["data"]
    _, resumed, _ = await call("PATCH", path, json={"active": True})
    assert (True, False) == (resumed["active"], "reason" in resumed)
    await call("PATCH", path, json={"active": False})
    status, resumed, _ = await call("POST", f"{path}/enable")
    assert (200, True) == (status, resumed["active"])


async def test_rights_that_shrank(call, subscribe, dependencies, settings):
    """A subscription whose owner may read less is narrowed at the next start, and only what is left can be enabled."""
    made = await subscribe(connections=["club-b"])
    lost = replace(settings.callers["web"], connections=frozenset({"club-a"}))
    narrowed = replace(settings, callers={**settings.callers, "web": lost})
    await settle(dependencies.database, narrowed, START)
    _, found, _ = await call("GET", f"/v1/webhooks/{made['id']}")
    assert (False, "its owner may no longer read what it is about") == (found["active"], found["reason"])


async def test_deleted(call, subscribe, dependencies):
    """Who unsubscribes is not told any more, not even of what waited."""
    made = await subscribe()
    await dependencies.database.write(lambda opened: append(opened, [happened(1)], dependencies.fresh))
    path = f"/v1/webhooks/{made['id']}"
    assert 1 == (await call("GET", path))[1]["pending"]
    assert (204, None) == (await call("DELETE", path))[:2]
    assert 404 == (await call("GET", path))[0]
    assert {} == await dependencies.database.read(lambda opened: subscriptions.backlogs(opened, [made["id"]]))


async def test_rotated(call, subscribe, dependencies):
    """A new secret is shown once; the former one signs beside it for a day."""
    made = await subscribe()
    status, rotated, _ = await call("POST", f"/v1/webhooks/{made['id']}/rotate")
    assert 200 == status
    assert rotated["secret"] != made["secret"]
    assert "secret" not in (await call("GET", f"/v1/webhooks/{made['id']}"))[1]
    kept = await dependencies.database.read(lambda opened: subscriptions.one(opened, made["id"]))
    assert (Secret(rotated["secret"]), Secret(made["secret"])) == (kept.secret, kept.previous_secret)
    assert abs(dependencies.now() + OVERLAP - kept.previous_until) < 60_000


async def test_repeated(call):
    """A repeated request makes no second subscription and is answered the same, but for the secret, which it lacks."""
    headers = {"Idempotency-Key": "once"}
    _, first, _ = await call("POST", "/v1/webhooks", json={"url": SHOP}, headers=headers)
    _, second, told = await call("POST", "/v1/webhooks", json={"url": SHOP}, headers=headers)
    assert first.pop("secret").startswith("whsec_")
    assert "shown once" in second.pop("secret_withheld")
    assert (first, "true") == (second, told["Idempotent-Replayed"])
    assert 1 == len((await call("GET", "/v1/webhooks"))[1]["data"])


async def test_a_new_secret_is_shown_once(call, subscribe):
    """A repeated rotation makes no further secret, and shows none, also when the subscription is gone."""
    path, headers = f"/v1/webhooks/{(await subscribe())['id']}", {"Idempotency-Key": "turn"}
    _, first, _ = await call("POST", f"{path}/rotate", headers=headers)
    await call("DELETE", path)
    status, second, _ = await call("POST", f"{path}/rotate", headers=headers)
    assert (True, 200, False) == ("secret" in first, status, "secret" in second)
    assert "rotate" in second["secret_withheld"]


async def test_no_more_than_so_many(call, subscribe, monkeypatch):
    """A caller makes no more subscriptions than the limit."""
    monkeypatch.setattr("gateway.surface.events.webhooks.MOST", 2)
    for _ in range(2):
        await subscribe()
    status, told, _ = await call("POST", "/v1/webhooks", json={"url": SHOP})
    assert (422, "LIMIT_EXCEEDED") == (status, told["error"]["code"])


async def test_tests_are_bounded(call, subscribe):
    """While so many tests of a subscription wait, there is no other."""
    made = await subscribe()
    told = [await call("POST", f"/v1/webhooks/{made['id']}/test") for _ in range(6)]
    assert [202] * 5 + [429] == [status for status, *_ in told]
    assert told[-1][2]["Retry-After"]


async def test_pages(call, subscribe, dependencies):
    """Deliveries are listed from the newest on, page by page, with a cursor of their own."""
    made = await subscribe()
    await subscribe(f"{SHOP}/other")
    new = [happened(number) for number in range(5)]
    await dependencies.database.write(lambda opened: append(opened, new, dependencies.fresh))
    path, found = f"/v1/webhooks/{made['id']}/deliveries", []
    _, page, headers = await call("GET", f"{path}?limit=2")
    first = page["page"]["next_cursor"]
    while True:
        found += [one["event"] for one in page["data"]]
        if page["page"]["next_cursor"] is None:
            break
        assert page["page"]["next_cursor"] in headers["Link"]
        _, page, headers = await call("GET", f"{path}?limit=2&cursor={page['page']['next_cursor']}")
    assert [f"evt_x{number}" for number in (4, 3, 2, 1, 0)] == found
    for query in ("cursor=x", f"state=dead&cursor={first}", "state=lost", "limit=0"):
        assert 400 == (await call("GET", f"{path}?{query}"))[0]
    assert [] == (await call("GET", f"{path}?state=dead"))[1]["data"]
    _, page, _ = await call("GET", "/v1/webhooks?limit=1")
    assert page["page"]["has_more"]
