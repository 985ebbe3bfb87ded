"""Model and catalog → OpenAPI 3.1. Says what is true and no more: a connection's document lists what it can do.

Pure. Every path, argument, schema and status is derived; the shared parts are in `components.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from gateway import __version__
from gateway.engine.catalog import Catalog, Connection
from gateway.mapping.nodes.calls import OperationPlan
from gateway.mapping.nodes.given import NativeArgument
from gateway.model.model import WARNINGS, GatewayOperation, Model, Operation
from gateway.surface.http.routing import CONNECTION
from gateway.surface.idempotency.requests import METHODS
from gateway.surface.openapi.components import (
    COMPONENTS,
    PREFER_PARAMETER,
    SCHEMAS,
    ref,
)
from gateway.surface.openapi.error_codes import of_native, on_any_connection, on_connection
from gateway.surface.openapi.gateway import describe_operation
from gateway.surface.openapi.parts import (
    body_schema,
    failures,
    headers,
    json_content,
    object_schema,
    parameters,
    shared_parameters,
)
from gateway.surface.openapi.webhooks import schemas, webhooks_of
from gateway.values.errors import NotMapped
from gateway.values.messages import Effect, Json

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
    paths = _Paths(model)
    for own in model.gateway.operations.values():
        if own.is_documented:
            paths.add_own(own.path, own)
    for operation in model.operations.values():
        paths.add(CONNECTION + operation.path, operation, on_any_connection(model, operation))
    told = _document(model, "Booking gateway", paths)
    told["components"]["schemas"] |= schemas(model)
    return told | {"webhooks": webhooks_of(model)}


def _of_connection(model: Model, connection: Connection) -> dict[str, Json]:
    paths, provider, base = _Paths(model), connection.provider, f"/v1/{connection.name}"
    for own in model.gateway.operations.values():
        if own.is_documented and own.openapi == "all" and own.path.startswith(CONNECTION):
            paths.add_own(base + own.path.removeprefix(CONNECTION), own)
    for operation in model.operations.values():
        plan = provider.operations.get(operation.name)
        if plan is not None:
            paths.add(base + operation.path, operation, on_connection(operation, plan, provider), plan)
    for name, plan in provider.native.items():
        paths.add_native(f"{base}/native/{name}", "post", plan, of_native("POST", plan, provider))
        if plan.effect is Effect.SAFE and not any(one.type == "object" for one in plan.arguments.values()):
            paths.add_native(f"{base}/native/{name}", "get", plan, of_native("GET", plan, provider))
    return _document(model, f"Booking gateway: {connection.name} ({provider.title})", paths)


def _document(model: Model, title: str, paths: _Paths) -> dict[str, Json]:
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths.told,
        "components": COMPONENTS | {"schemas": model.schemas() | model.gateway.documented() | SCHEMAS},
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
        common, preferred = (
            shared_parameters(path, keyed=operation.method in METHODS),
            operation.name in self.model.operations,
        )
        if preferred:
            common.append(ref("parameters", PREFER_PARAMETER))
        body = {name: argument for name, argument in arguments.items() if argument.where == "body"}
        told = {
            "operationId": operation.name,
            "summary": operation.summary,
            "tags": [operation.name.partition(".")[0]],
            "parameters": [*common, *parameters(arguments, needed)],
            "responses": {str(operation.status): _success(operation, preferred=preferred)}
            | failures(self.model, codes, with_body=bool(body)),
        }
        if plan is not None and plan.notes:
            told["description"] = plan.notes
        if body:
            schema = body_schema(operation, body, needed)
            needed_at_all = "required" in schema or any("anyOf" in rule for rule in schema.get("allOf", ()))
            told["requestBody"] = {"required": needed_at_all, "content": json_content(schema)}
        self.told.setdefault(path, {})[operation.method.lower()] = told

    def add_own(self, path: str, operation: GatewayOperation) -> None:
        """Tell of an operation of the gateway's own."""
        self.told.setdefault(path, {})[operation.method.lower()] = describe_operation(self.model, operation, path)

    def add_native(self, path: str, method: str, plan: OperationPlan, codes: Iterable[str]) -> None:
        """Tell of an operation of the provider's own."""
        told = self._native(path, method, plan.name, codes)
        told["summary"] = plan.notes or f"The provider's own `{plan.name.removeprefix('native.')}`"
        if method == "get":
            told["parameters"] += [_native_parameter(name, argument) for name, argument in plan.arguments.items()]
        elif plan.arguments:
            schema = object_schema(
                {name: _native_schema(argument) for name, argument in plan.arguments.items()},
                [name for name, argument in plan.arguments.items() if argument.required],
            )
            told["requestBody"] = {"required": "required" in schema, "content": json_content(schema)}

    def _native(self, path: str, method: str, name: str, codes: Iterable[str]) -> dict[str, Json]:
        schema = object_schema({"data": {"description": "What the provider answered, in its own fields."}}, ["data"])
        names = ["Gateway-Support", "Idempotent-Replayed" if method == "post" else "Age"]
        success = {"description": "Done.", "headers": headers(names), "content": json_content(schema)}
        told: dict[str, Json] = {
            "operationId": name if method == "post" else f"{name}.{method}",
            "tags": ["native"],
            "parameters": shared_parameters(path, keyed=method == "post"),
            "responses": {"200": success} | failures(self.model, codes, with_body=method == "post"),
        }
        self.told.setdefault(path, {})[method] = told
        return told


def _success(operation: Operation, *, preferred: bool) -> dict[str, Json]:
    """Describe a success; where callers have preferences, also how it tells which it honoured and what is lost."""
    names = ["Gateway-Support", "Preference-Applied"] if preferred else ["Gateway-Support"]
    if operation.resource is None:
        return {"description": "Done.", "headers": headers(names)}
    item = ref("schemas", operation.resource.name)
    if operation.gives == "list":
        names.append("Link")
        properties = {"data": {"type": "array", "items": item}, "page": ref("schemas", "Page")}
        if preferred:
            properties["warnings"] = dict(WARNINGS)
        schema = object_schema(properties, ["data", "page"])
    else:
        schema = item
        names += ["ETag"] if "version" in operation.resource.fields else []
    if operation.status == HTTPStatus.CREATED:
        names.append("Location")
    if operation.effect is Effect.SAFE:
        names.append("Age")
    if operation.method in METHODS:
        names.append("Idempotent-Replayed")
    return {"description": operation.resource.meaning, "headers": headers(names), "content": json_content(schema)}


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
