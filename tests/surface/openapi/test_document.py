"""The documents are valid OpenAPI 3.1 and tell the truth: what they list works, what works they list."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.engine.catalog import Catalog, bind, load_providers
from gateway.mapping.compiler.operations.alternatives import way_of
from gateway.model.model import load
from gateway.surface.openapi.document import document
from gateway.values.errors import NotMapped
from gateway.values.messages import Effect

METHODS = {"get", "post", "put", "patch", "delete"}
MODEL = load()


SHIPPED = sorted((Path(__file__).parents[3] / "mappings").glob("*.yaml"))


@pytest.fixture
def told(engine):
    """Give a function that makes the document of a connection, or the whole one."""
    return lambda name=None: document(MODEL, engine.catalog, name)


WEBHOOKS = "list create get update delete test rotate enable deliveries"


def operations(found):
    """Give every operation of a document under its id, with its path and method."""
    return {
        operation["operationId"]: (path, method, operation)
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    }


@pytest.mark.parametrize("name", [None, "club-a"])
def test_valid(told, name):
    """Both kinds of document pass the validator, and every reference in them leads somewhere."""
    found = json.loads(json.dumps(told(name)))
    OpenAPIV31SpecValidator(found).validate()
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(found)):
        place = found
        for step in reference.split("/"):
            place = place[step]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_mappings(path):
    """The document of a connection is valid for every provider that is shipped, and has each of its operations."""
    (plan,) = load_providers([path], MODEL)[0].values()
    needed = {"time_zone": "Europe/Berlin", "currency": "EUR"}
    for settings in (needed, dict.fromkeys(plan.settings, "given") | needed):
        connection = bind("club", plan, settings)
        found = json.loads(json.dumps(document(MODEL, Catalog("v1", {}, {"club": connection}), "club")))
        has = {name for name in plan.ways if way_of(connection.provider, name) is not None}
        assert has == set(plan.ways) & set(operations(found))
    assert set(plan.ways) == has
    OpenAPIV31SpecValidator(found).validate()


async def test_served(call, call_as, told):
    """The whole document is for anybody, a connection's for those who may use it."""
    assert told() == (await call_as(None)("GET", "/openapi.json"))[1]
    assert told("club-a") == (await call("GET", "/v1/club-a/openapi.json"))[1]
    assert 403 == (await call("GET", "/v1/club-c/openapi.json"))[0]


def test_no_such_connection(told):
    """There is no document of a connection that is none."""
    with pytest.raises(NotMapped):
        told("club-z")


def test_everything_is_told(told):
    """The whole document has every operation of the contract, under ids that stay."""
    found = operations(told())
    expected = {"health", "ready", "openapi", "connections.list", "connections.get", "connections.openapi"}
    expected |= {"native", "native.get", "changes.list", "changes.stream", "calendar.feed", "operations.get"}
    expected |= {f"calendar.feeds.{name}" for name in ("list", "create", "delete")}
    expected |= {f"webhooks.{name}" for name in WEBHOOKS.split()}
    assert expected | set(MODEL.operations) == set(found)
    for name, operation in MODEL.operations.items():
        path, method, shown = found[name]
        assert (f"/v1/{{connection}}{operation.path}", operation.method.lower()) == (path, method)
        assert "501" in shown["responses"]
        assert (operation.effect is Effect.SAFE) != any(
            "OUTCOME_UNKNOWN" in str(one) for one in shown["responses"].values()
        )


def test_only_what_is_supported(told):
    """A connection's document has what its mapping can do, without arguments it cannot honour."""
    found = operations(told("club-a"))
    assert "locations.list" not in found
    assert {"native.getPrices", "native.getPrices.get", "native.openDoor"} <= set(found)
    assert "native.openDoor.get" not in found
    body = found["bookings.create"][2]["requestBody"]["content"]["application/json"]["schema"]
    assert {"resource_id", "start", "end", "customer", "notes", "time_zone"} == set(body["properties"])
    assert {"resource_id", "start", "customer"} == set(body["required"])
    slots = {one["name"]: one["required"] for one in found["slots.list"][2]["parameters"] if "name" in one}
    assert (True, True, False) == (slots["from"], slots["resource_id"], slots["duration"])
    assert "service_id" not in slots
    assert "Seven days at a time." == found["slots.list"][2]["description"]
    assert not [name for name, (_, _, shown) in found.items() if "501" in shown["responses"]]


def test_statuses(told):
    """Statuses follow from the mapping's rules, the key, the body and the contract."""
    found = operations(told("club-a"))
    always = {"400", "401", "403", "404", "429", "500", "502", "503", "504", "default"}
    reading = set(found["bookings.get"][2]["responses"])
    writing = set(found["bookings.create"][2]["responses"])
    assert always | {"200", "409"} == reading  # 409: the file's own rule
    assert always | {"201", "408", "409", "413", "415", "422"} == writing
    assert "`BOOKING_NOT_FOUND`" in found["bookings.get"][2]["responses"]["404"]["description"]
    create = found["bookings.create"][2]
    assert {"X-Request-Id", "Gateway-Support", "ETag", "Location", "Idempotent-Replayed", "Preference-Applied"} == set(
        create["responses"]["201"]["headers"]
    )
    for name in ("IdempotencyKey", "Prefer"):
        assert {"$ref": f"#/components/parameters/{name}"} in create["parameters"]
    assert "204" in found["bookings.delete"][2]["responses"]


def test_native_arguments(told):
    """Native operations show their declared arguments: in the query where they change nothing, and in the body."""
    found = operations(told("club-a"))
    shown = {one["name"]: one for one in found["native.getPrices.get"][2]["parameters"]}
    assert (True, "The court.") == (shown["court"]["required"], shown["court"]["description"])
    assert {"type": "boolean", "default": False, "description": "Whether for members."} == shown["members"]["schema"]
    body = found["native.openDoor"][2]["requestBody"]
    assert (True, ["court"]) == (body["required"], body["content"]["application/json"]["schema"]["required"])


async def test_every_listed_operation_answers(call, told):
    """Each path and method of a connection's document is there."""
    for path, methods in told("club-a")["paths"].items():
        for method in methods:
            if path.endswith("/stream"):
                continue  # it answers until the client leaves
            status, body, _ = await call(method.upper(), re.sub(r"\{\w+\}", "7", path))
            assert status not in {405, 500, 501}
            assert "There is nothing at this path." not in json.dumps(body)


async def test_answers_fit(call, provider, told, booking):
    """What is answered, success or failure, fits the schema that the document has for its status."""
    found = told("club-a")
    answers = {"GET /bookings/7": (200, {"ok": True, "data": booking}), "GET /prices": (200, {"ok": True, "data": [1]})}
    provider.answers |= answers | {"GET /bookings": (200, {"ok": True, "data": [booking]})}
    for path, name in [
        ("/v1/club-a", "connections.get"),
        ("/v1/club-a/bookings/7?include=provider_data", "bookings.get"),
        ("/v1/club-a/bookings?include=provider_data", "bookings.list"),
        ("/v1/club-a/bookings/8", "bookings.get"),
        ("/v1/club-a/bookings?limit=0", "bookings.list"),
        ("/v1/club-a/native/getPrices?court=1", "native.getPrices.get"),
    ]:
        status, body, _ = await call("GET", path)
        answer = operations(found)[name][2]["responses"][str(status)]
        if "$ref" in answer:
            answer = found["components"]["responses"]["Failure"]
        schema = answer["content"]["application/json"]["schema"] | {"components": found["components"]}
        assert [] == [error.message for error in Draft202012Validator(schema).iter_errors(body)]
