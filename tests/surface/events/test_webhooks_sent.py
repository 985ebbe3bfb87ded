"""Subscriptions at work: real endpoints are told, tested and paused, and the document says what they get."""

import json

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from standardwebhooks import Webhook

from gateway.application import wall_clock
from gateway.events.publisher import observe
from gateway.model.model import load
from gateway.store.events.events import append
from gateway.surface.openapi.document import _document, _Paths
from gateway.surface.openapi.webhooks import schemas, webhooks_of
from tests.listeners import canonical
from tests.subscribers import events_of, happened

OPERATIONS = {name: one for name, one in load().gateway.operations.items() if name.startswith("webhooks.")}


@pytest.fixture
def settings(settings):
    """Give the settings of a gateway with events."""
    return events_of(settings)


@pytest.fixture
def now():
    """Give the real clock: whoever verifies a signature compares its time with that."""
    return wall_clock


@pytest.fixture
async def client(settings, dependencies, serve_events):
    """Give a client of the gateway with the routes of events."""
    return await serve_events(settings, dependencies)


async def test_an_endpoint_is_tested(call, subscribe, endpoint, sending):
    """A test reaches its endpoint, signed, marked as a test, and is told as delivered; no list of events has it."""
    made = await subscribe(endpoint.url)
    path = f"/v1/webhooks/{made['id']}"
    status, tested, _ = await call("POST", f"{path}/test")
    assert (202, "webhook.test", "test", "pending") == (status, tested["type"], tested["trigger"], tested["state"])

    async def delivered():
        return (await call("GET", f"{path}/deliveries?state=delivered"))[1]["data"]

    await sending(delivered)
    headers, body = endpoint.got[0]
    event = Webhook(made["secret"]).verify(body, headers)
    assert ("webhook.test", tested["event"], "") == (event["event"], event["id"], event["connection"])
    assert {"id": made["id"], "test": True} == event["data"]
    (told,) = await delivered()
    assert [(1, "delivered", 204)] == [(one["number"], one["outcome"], one["status"]) for one in told["attempts"]]
    assert "connection" not in told


async def test_what_an_endpoint_answered_stays_untold(call, subscribe, endpoint, sending, dependencies):
    """A caller learns the status of every attempt, but not what an endpoint says or why there was no answer."""
    endpoint.status = 500
    made = await subscribe(endpoint.url)
    away = await subscribe("http://127.0.0.1:1024/")
    await dependencies.database.write(lambda opened: append(opened, [happened(1)], dependencies.fresh))
    found = []

    async def dead():
        found[:] = [(await call("GET", f"/v1/webhooks/{one['id']}/deliveries"))[1] for one in (made, away)]
        return all(one["state"] == "dead" for page in found for one in page["data"])

    await sending(dead)
    outcomes = [{(one["outcome"], one.get("status")) for one in page["data"][0]["attempts"]} for page in found]
    assert [{("refused", 500)}, {("no_answer", None)}] == outcomes
    assert "inner" not in json.dumps(found)
    assert "connection" not in json.dumps([page["data"][0]["attempts"] for page in found])
    _, fares, _ = await call("GET", f"/v1/webhooks/{made['id']}")
    assert (1, 0) == (fares["dead"], fares["pending"])
    assert fares["failing_since"]


@pytest.fixture(scope="module")
def document():
    """Give a document of nothing but subscriptions."""
    paths = _Paths(load())
    for operation in OPERATIONS.values():
        paths.add_own(operation.path, operation)
    told = _document(load(), "Subscriptions", paths)
    told["components"] = told["components"] | {"schemas": told["components"]["schemas"] | schemas(load())}
    return json.loads(json.dumps(told | {"webhooks": webhooks_of(load())}))


def test_documented(document):
    """The document is valid, and every event of the contract is announced in it."""
    OpenAPIV31SpecValidator(document).validate()
    assert set(load().events) == set(document["webhooks"])


def test_every_route_is_documented(document, client):
    """The document's operations of subscriptions are the routes that there are, without headers of providers."""
    routes = {(one.method, one.resource.canonical) for one in client.app.router.routes()}
    routes = {(method, path) for method, path in routes if path.startswith("/v1/webhooks") and method != "HEAD"}
    documented = {(method.upper(), path) for path, told in document["paths"].items() for method in told}
    assert documented == routes
    assert OPERATIONS.keys() == {
        told["operationId"] for methods in document["paths"].values() for told in methods.values()
    }
    assert "Gateway-Support" not in json.dumps(document["paths"])


async def test_what_is_sent_is_what_is_announced(document, call, subscribe, endpoint, sending, dependencies):
    """The bodies that endpoints get fit the schemas of the document, in both forms."""
    for form in ("native", "cloudevents"):
        await subscribe(endpoint.url, format=form)
    seen = [
        observe("club-a", "courts", "poll", "changed", canonical(service_id="s1")),
        observe("club-a", "courts", "poll", "changed", canonical(status="cancelled")),
    ]
    for one in seen:
        await dependencies.publisher.publish([one])

    async def told():
        return len(endpoint.got) == 4

    await sending(told)
    for headers, body in endpoint.got:
        event = json.loads(body)
        posted = document["webhooks"][event.get("event", event.get("type"))]["post"]
        media = headers["Content-Type"].partition(";")[0]
        schema = posted["requestBody"]["content"][media]["schema"]
        Draft202012Validator(schema | {"components": document["components"]}).validate(event)
        assert {one["name"].lower() for one in posted["parameters"]} <= {name.lower() for name in headers}
