"""Model and catalog → OpenAPI 3.1. Says what is true and no more: a connection's document lists what it can do.

Pure. Every path, argument, schema and status is derived; the shared parts are in `components.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from gateway import __version__
from gateway.engine.catalog import Catalog, Connection
from gateway.mapping.nodes.calls import OperationPlan
from gateway.mapping.nodes.given import NativeArgument
from gateway.model.model import WARNINGS, Argument, Model, Operation
from gateway.surface.connections import listing, reading
from gateway.surface.idempotency.requests import METHODS
from gateway.surface.openapi.components import (
    COMPONENTS,
    CONNECTION_PARAMETER,
    KEY_PARAMETER,
    OPEN_PATHS,
    PREFER_PARAMETER,
    SCHEMAS,
    ref,
)
from gateway.surface.openapi.error_codes import WITHOUT_PROVIDER, of_native, on_any_connection, on_connection
from gateway.surface.openapi.events import add_listeners
from gateway.surface.openapi.webhooks import add_subscriptions, announced, schemas
from gateway.values.errors import CallInvalid, NotMapped
from gateway.values.messages import Effect, Json

_BODY_STATUSES = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
_ANY_CONNECTION = "/v1/{connection}"
_NATIVE_TYPES: Mapping[str, Json] = {
    "string": {"type": "string"},
    "id": {"type": "string", "minLength": 1},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "object": {"type": "object"},
    "list": {"type": "array", "items": {}},
}


def document(model: Model, catalog: Catalog, name: str | None = None) -> dict[str, Json]:
    """Describe the whole surface, or what the connection of this name supports of it; raises NotMapped."""
    if name is None:
        return _whole(model)
    connection = catalog.connections.get(name)
    if connection is None:
        raise NotMapped("There is no connection of this name.", code="CONNECTION_NOT_FOUND")
    return _of_connection(model, connection)


def _whole(model: Model) -> dict[str, Json]:
    paths = _Paths(model, dict(OPEN_PATHS))
    paths.add("/v1/connections", listing(model), WITHOUT_PROVIDER)
    paths.add(_ANY_CONNECTION, reading(model), WITHOUT_PROVIDER | {"CONNECTION_NOT_FOUND"})
    for operation in model.operations.values():
        paths.add(_ANY_CONNECTION + operation.path, operation, on_any_connection(model, operation))
    paths.add_any_native()
    add_listeners(paths, model, _ANY_CONNECTION, {"CONNECTION_NOT_FOUND"})
    add_subscriptions(paths, model)
    paths.add_document(f"{_ANY_CONNECTION}/openapi.json", WITHOUT_PROVIDER | {"CONNECTION_NOT_FOUND"})
    told = _document(model, "Booking gateway", paths)
    told["components"]["schemas"] |= schemas(model)
    return told | {"webhooks": announced(model)}


def _of_connection(model: Model, connection: Connection) -> dict[str, Json]:
    paths, provider, base = _Paths(model), connection.provider, f"/v1/{connection.name}"
    paths.add(base, reading(model), WITHOUT_PROVIDER)
    for operation in model.operations.values():
        plan = provider.operations.get(operation.name)
        if plan is not None:
            paths.add(base + operation.path, operation, on_connection(operation, plan, provider), plan)
    for name, plan in provider.native.items():
        paths.add_native(f"{base}/native/{name}", "post", plan, of_native("POST", plan, provider))
        if plan.effect is Effect.SAFE and not any(one.type == "object" for one in plan.arguments.values()):
            paths.add_native(f"{base}/native/{name}", "get", plan, of_native("GET", plan, provider))
    add_listeners(paths, model, base)
    paths.add_document(f"{base}/openapi.json", WITHOUT_PROVIDER)
    return _document(model, f"Booking gateway: {connection.name} ({provider.title})", paths)


def _document(model: Model, title: str, paths: _Paths) -> dict[str, Json]:
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths.told,
        "components": COMPONENTS | {"schemas": model.schemas() | SCHEMAS},
    }


@dataclass(slots=True)
class _Paths:
    """The paths told so far."""

    model: Model
    told: dict[str, Json] = field(default_factory=dict)

    def add(self, path: str, operation: Operation, codes: Iterable[str], plan: OperationPlan | None = None) -> None:
        """Tell of an operation of the contract; with a plan, as that has it."""
        arguments = {
            name: argument
            for name, argument in {**operation.args, **operation.common}.items()
            if plan is None or name not in plan.unsupported
        }
        needed = set() if plan is None else set(plan.requires)
        shared, preferred = self._shared(path, operation.method), operation.name in self.model.operations
        if preferred:
            shared.append(ref("parameters", PREFER_PARAMETER))
        parameters = [*shared, *_parameters(arguments, needed)]
        body = {name: argument for name, argument in arguments.items() if argument.where == "body"}
        told = {
            "operationId": operation.name,
            "summary": operation.summary,
            "tags": [operation.name.partition(".")[0]],
            "parameters": parameters,
            "responses": {str(operation.status): _success(operation, preferred=preferred)}
            | self._failures(codes, with_body=bool(body)),
        }
        if plan is not None and plan.notes:
            told["description"] = plan.notes
        if body:
            schema = _body_schema(operation, body, needed)
            needed_at_all = "required" in schema or any("anyOf" in rule for rule in schema.get("allOf", ()))
            told["requestBody"] = {"required": needed_at_all, "content": _json(schema)}
        self.told.setdefault(path, {})[operation.method.lower()] = told

    def add_native(self, path: str, method: str, plan: OperationPlan, codes: Iterable[str]) -> None:
        """Tell of an operation of the provider's own."""
        told = self._native(path, method, plan.name, codes)
        told["summary"] = plan.notes or f"The provider's own `{plan.name.removeprefix('native.')}`"
        if method == "get":
            told["parameters"] += [_native_parameter(name, argument) for name, argument in plan.arguments.items()]
        elif plan.arguments:
            schema = _object(
                {name: _native_schema(argument) for name, argument in plan.arguments.items()},
                [name for name, argument in plan.arguments.items() if argument.required],
            )
            told["requestBody"] = {"required": "required" in schema, "content": _json(schema)}

    def add_any_native(self) -> None:
        """Tell that there are operations of the provider's own; which, each connection's document says."""
        path = f"{_ANY_CONNECTION}/native/{{operation}}"
        which = {"name": "operation", "in": "path", "required": True, "schema": {"type": "string"}}
        for method in ("post", "get"):
            told = self._native(path, method, "native", self.model.errors)
            told["summary"] = "Run an operation of the provider's own"
            told["parameters"].append(which | {"description": "Its name in the connection's own document."})
            if method == "post":
                told["requestBody"] = {"required": False, "content": _json({"type": "object"})}

    def add_document(self, path: str, codes: Iterable[str]) -> None:
        """Tell where a connection's document is."""
        success = {"description": "The document.", "headers": _headers([]), "content": _json({"type": "object"})}
        self.told[path] = {
            "get": {
                "operationId": "connections.openapi",
                "summary": "What a connection supports, as OpenAPI",
                "tags": ["connections"],
                "parameters": self._shared(path, "GET"),
                "responses": {"200": success} | self._failures(codes, with_body=False),
            }
        }

    def _native(self, path: str, method: str, name: str, codes: Iterable[str]) -> dict[str, Json]:
        schema = _object({"data": {"description": "What the provider answered, in its own fields."}}, ["data"])
        names = ["Gateway-Support", "Idempotent-Replayed" if method == "post" else "Age"]
        success = {"description": "Done.", "headers": _headers(names), "content": _json(schema)}
        told: dict[str, Json] = {
            "operationId": name if method == "post" else f"{name}.{method}",
            "tags": ["native"],
            "parameters": self._shared(path, method.upper()),
            "responses": {"200": success} | self._failures(codes, with_body=method == "post"),
        }
        self.told.setdefault(path, {})[method] = told
        return told

    def _shared(self, path: str, method: str) -> list[Json]:
        names = [CONNECTION_PARAMETER] if "{connection}" in path else []
        if method in METHODS:
            names.append(KEY_PARAMETER)
        return [ref("parameters", name) for name in names]

    def _failures(self, codes: Iterable[str], *, with_body: bool) -> dict[str, Json]:
        """Describe every status that the codes lead to, and the rest under `default`."""
        by_status = defaultdict(list)
        for code in sorted(codes):
            by_status[self.model.errors[code].status].append(code)
        for status in _BODY_STATUSES if with_body else ():
            by_status[status].append(CallInvalid.CODE)
        told = {str(int(status)): self._failure(names) for status, names in sorted(by_status.items())}
        return told | {"default": ref("responses", "Failure")}

    def _failure(self, codes: list[str]) -> dict[str, Json]:
        meanings = " ".join(f"`{code}`: {self.model.errors[code].title}." for code in codes)
        return ref("responses", "Failure") | {"description": meanings}


def _success(operation: Operation, *, preferred: bool) -> dict[str, Json]:
    """Describe a success; where callers have preferences, also how it tells which it honoured and what is lost."""
    names = ["Gateway-Support", "Preference-Applied"] if preferred else ["Gateway-Support"]
    if operation.resource is None:
        return {"description": "Done.", "headers": _headers(names)}
    item = ref("schemas", operation.resource.name)
    if operation.gives == "list":
        names.append("Link")
        properties = {"data": {"type": "array", "items": item}, "page": ref("schemas", "Page")}
        if preferred:
            properties["warnings"] = dict(WARNINGS)
        schema = _object(properties, ["data", "page"])
    else:
        schema = item
        names += ["ETag"] if "version" in operation.resource.fields else []
    if operation.status == HTTPStatus.CREATED:
        names.append("Location")
    if operation.effect is Effect.SAFE:
        names.append("Age")
    if operation.method in METHODS:
        names.append("Idempotent-Replayed")
    return {"description": operation.resource.meaning, "headers": _headers(names), "content": _json(schema)}


def _headers(names: Iterable[str]) -> dict[str, Json]:
    return {name: ref("headers", name) for name in ("X-Request-Id", *names)}


def _json(schema: Json) -> dict[str, Json]:
    return {"application/json": {"schema": schema}}


def _object(properties: dict[str, Json], required: list[str]) -> dict[str, Json]:
    told = {"type": "object", "properties": properties, "additionalProperties": False}
    return told | ({"required": required} if required else {})


def _parameters(arguments: Mapping[str, Argument], needed: set[str]) -> Iterator[dict[str, Json]]:
    for name, argument in arguments.items():
        if argument.where != "body":
            schema = argument.schema()
            meaning = schema.pop("description", argument.meaning)
            required = argument.required or name in needed
            yield {"name": name, "in": argument.where, "required": required, "description": meaning, "schema": schema}


def _body_schema(operation: Operation, body: Mapping[str, Argument], needed: set[str]) -> dict[str, Json]:
    """Describe a body, and what must hold between its fields as far as a schema can say that."""
    required = [name for name, argument in body.items() if argument.required or name in needed]
    schema = _object({name: argument.schema() for name, argument in body.items()}, required)
    groups = [[name for name in group if name in body] for group in operation.rules.one_of]
    rules: list[Json] = [{"anyOf": [{"required": [name]} for name in group]} for group in groups if group]
    rules += [{"not": {"required": list(group)}} for group in operation.rules.not_both if set(group) <= set(body)]
    return schema | ({"allOf": rules} if rules else {})


def _native_schema(argument: NativeArgument) -> dict[str, Json]:
    schema = dict(_NATIVE_TYPES[argument.type])
    if argument.meaning:
        schema["description"] = argument.meaning
    if argument.allowed:
        schema["enum"] = list(argument.allowed)
    return schema if argument.default is None else schema | {"default": argument.default}


def _native_parameter(name: str, argument: NativeArgument) -> dict[str, Json]:
    told = {"name": name, "in": "query", "required": argument.required, "schema": _native_schema(argument)}
    return told | ({"description": argument.meaning} if argument.meaning else {})
