"""What descriptions of every kind are made of: parameters, bodies, contents and failures. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus

from gateway.model.model import Argument, Model, Operation
from gateway.surface.openapi.components import CONNECTION_PARAMETER, KEY_PARAMETER, ref
from gateway.values.errors import CallInvalid
from gateway.values.messages import Json

_BODY_STATUSES = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)


def shared_parameters(path: str, *, keyed: bool) -> list[Json]:
    """Refer to the parameters that many operations have: the connection, and where it is `keyed` an Idempotency-Key."""
    names = [CONNECTION_PARAMETER] if "{connection}" in path else []
    return [ref("parameters", name) for name in (*names, *([KEY_PARAMETER] if keyed else ()))]


def headers(names: Iterable[str]) -> dict[str, Json]:
    """Refer to the headers of an answer; every one has a request id."""
    return {name: ref("headers", name) for name in ("X-Request-Id", *names)}


def json_content(schema: Json) -> dict[str, Json]:
    """Describe a body of JSON."""
    return {"application/json": {"schema": schema}}


def object_schema(properties: dict[str, Json], required: list[str]) -> dict[str, Json]:
    """Describe an object of these properties and no others."""
    told = {"type": "object", "properties": properties, "additionalProperties": False}
    return told | ({"required": required} if required else {})


def parameters(arguments: Mapping[str, Argument], needed: set[str]) -> Iterator[dict[str, Json]]:
    """Describe the arguments that stand in path and query; `needed` are required, whatever the contract says."""
    for name, argument in arguments.items():
        if argument.where != "body":
            schema = argument.schema()
            meaning = schema.pop("description", argument.meaning)
            required = argument.required or name in needed
            yield {"name": name, "in": argument.where, "required": required, "description": meaning, "schema": schema}


def body_schema(operation: Operation, body: Mapping[str, Argument], needed: set[str]) -> dict[str, Json]:
    """Describe a body, and what must hold between its fields as far as a schema can say that."""
    required = [name for name, argument in body.items() if argument.required or name in needed]
    schema = object_schema({name: argument.schema() for name, argument in body.items()}, required)
    groups = [[name for name in group if name in body] for group in operation.rules.one_of]
    rules: list[Json] = [{"anyOf": [{"required": [name]} for name in group]} for group in groups if group]
    rules += [{"not": {"required": list(group)}} for group in operation.rules.not_both if set(group) <= set(body)]
    return schema | ({"allOf": rules} if rules else {})


def failures(model: Model, codes: Iterable[str], *, with_body: bool) -> dict[str, Json]:
    """Describe every status that the codes lead to, and the rest under `default`."""
    by_status = defaultdict(list)
    for code in sorted(codes):
        by_status[model.errors[code].status].append(code)
    for status in _BODY_STATUSES if with_body else ():
        by_status[status].append(CallInvalid.CODE)
    told = {str(int(status)): _failure(model, names) for status, names in sorted(by_status.items())}
    return told | {"default": ref("responses", "Failure")}


def _failure(model: Model, codes: list[str]) -> dict[str, Json]:
    meanings = " ".join(f"`{code}`: {model.errors[code].title}." for code in codes)
    return ref("responses", "Failure") | {"description": meanings}
