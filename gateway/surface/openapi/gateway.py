"""The gateway's own operations in the OpenAPI documents: each as gateway.yaml declares it. Pure."""

from __future__ import annotations

from gateway.model.model import Access, GatewayOperation, Model
from gateway.surface.http.routing import CONNECTION
from gateway.surface.openapi.components import ref
from gateway.surface.openapi.error_codes import ANY, REPEATED, WITHOUT_CALLER, WITHOUT_PROVIDER
from gateway.surface.openapi.parts import (
    body_schema,
    failures,
    headers,
    json_content,
    object_schema,
    parameters,
    shared_parameters,
)
from gateway.values.errors import StoreUnavailable
from gateway.values.messages import Json


def describe_operation(model: Model, operation: GatewayOperation, path: str) -> dict[str, Json]:
    """Describe an operation at this path: its own, or that of one connection."""
    told: dict[str, Json] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": {str(operation.status): _success(operation)} | _further(operation),
    }
    if operation.access in {Access.PUBLIC, Access.TOKEN}:
        told["security"] = []
    if operation.access is Access.PUBLIC:
        return told
    body = {name: argument for name, argument in operation.args.items() if argument.where == "body"}
    arguments = {**operation.args, **operation.common}
    told["parameters"] = [
        *shared_parameters(path, keyed=operation.idempotency_key),
        *parameters(arguments, set()),
        *(_header(name, meaning) for name, meaning in operation.request_headers.items()),
    ]
    with_body = bool(body) or operation.any_body
    told["responses"] |= failures(model, codes(operation, path), with_body=with_body)
    if with_body:
        schema: dict[str, Json] = {"type": "object"} if operation.any_body else body_schema(operation, body, set())
        needed = "required" in schema or any("anyOf" in rule for rule in schema.get("allOf", ()))
        told["requestBody"] = {"required": needed, "content": json_content(schema)}
    return told


def codes(operation: GatewayOperation, path: str) -> frozenset[str]:
    """Give the codes that an operation at this path can be answered with."""
    found = set(operation.errors) | (WITHOUT_PROVIDER if operation.access is Access.CALLER else WITHOUT_CALLER)
    if operation.not_found is not None:
        found.add(operation.not_found)
    if path.startswith(CONNECTION):
        found.add("CONNECTION_NOT_FOUND")
    if operation.idempotency_key:
        found |= REPEATED
    if "store" in operation.uses:
        found.add(StoreUnavailable.CODE)
    if "provider" in operation.uses:
        found |= ANY - WITHOUT_PROVIDER
    return frozenset(found)


def _success(operation: GatewayOperation) -> dict[str, Json]:
    """Describe a success."""
    resource = operation.resource
    meaning = operation.answer or (resource.meaning if resource is not None else "Done.")
    names = [*operation.headers, *(["Link"] if operation.gives == "list" else [])]
    names += ["Idempotent-Replayed"] if operation.idempotency_key else []
    told: dict[str, Json] = {"description": meaning}
    if operation.access is not Access.PUBLIC:
        told["headers"] = headers(names)
    if operation.content is not None:
        media, schema = operation.content
        told["content"] = {media: {"schema": schema}}
    elif resource is not None:
        item = ref("schemas", resource.name)
        page: dict[str, Json] = {"data": {"type": "array", "items": item}, "page": ref("schemas", "Page")}
        told["content"] = json_content(object_schema(page, ["data", "page"]) if operation.gives == "list" else item)
    return told


def _further(operation: GatewayOperation) -> dict[str, Json]:
    """Describe the other answers that are no failures of the contract."""
    same = _success(operation)
    told = {str(status): same | {"description": meaning} for status, meaning in operation.answers.items()}
    return told | {str(status): {"description": meaning} for status, meaning in operation.empty.items()}


def _header(name: str, meaning: str) -> dict[str, Json]:
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": {"type": "string"}}
