"""What `gateway explain contract` tells: an operation that frontends see, or a type of the contract with its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from gateway.model.contract import Operation
from gateway.model.described import (
    HONOURED,
    describe_need,
    describe_rules,
    describe_type,
    every_argument,
    honoured_by,
    sample_answer,
    sample_call,
    with_members,
)
from gateway.model.model import load
from gateway.model.types.types import Field, Type
from gateway.surface.openapi.error_codes import by_itself


def contract_names() -> tuple[str, ...]:
    """Give what of the contract can be explained by name: operations, and types with their fields or words."""
    model = load()
    return (*model.operations, *model.types)


def contract(name: str | None) -> Iterator[str]:
    """Tell of an operation or a type, or list the operations."""
    model = load()
    if name is None:
        for one in model.operations.values():
            yield f"{one.name:22} {one.effect.value:10} {one.summary}; gives {_gives(one)}"
        yield f"types: {', '.join(model.types)}"
    elif name in model.operations:
        yield from _operation(model.operations[name])
    else:
        yield from _type(model.types[name])


def _operation(operation: Operation) -> Iterator[str]:
    yield f"{operation.name}: {operation.summary}, {operation.effect.value}; {operation.method} {operation.path}"
    arguments = dict(with_members(every_argument(operation)))
    honours = {name: honoured_by(operation, name) for name in arguments}
    yield "arguments:" if arguments else "no arguments"
    for name, argument in arguments.items():
        yield _field(name, argument, f" [{honours[name]}]")
    for rule in describe_rules(operation.rules):
        yield f"  {rule.replace('`', '')}"
    for name, reason in operation.refused.items():
        yield f"  no {name}: {reason}"
    for word in dict.fromkeys(honours.values()):
        yield f"  [{word}] {HONOURED[word].replace('`', '')}"
    yield f"result: {_gives(operation)}, status {operation.status}"
    if operation.resource is not None:
        yield from _fields(operation.resource.fields)
    if operation.order:
        yield f"  in the order of {', '.join(operation.order)}"
    yield f"errors: {', '.join(sorted(by_itself(operation)))}; others by the rules of the mapping"
    if operation.not_found is not None:
        yield f"  {operation.not_found} where the provider has no such thing (NOT_FOUND in a rule)"
    yield "example:"
    yield f"  args: {json.dumps(sample_call(operation))}"
    answer = sample_answer(operation)
    if answer is not None:
        yield f"  gives: {json.dumps(answer)}"


def _gives(operation: Operation) -> str:
    if operation.resource is None:
        return "nothing"
    return f"a list of {operation.resource.name}" if operation.gives == "list" else f"one {operation.resource.name}"


def _type(type_: Type) -> Iterator[str]:
    yield f"{type_.name}: {type_.meaning}"
    if type_.allowed:
        yield f"  one of {', '.join(type_.allowed)}"
    yield from _fields(type_.fields)
    yield from (f"  {rule.replace('`', '')}" for rule in describe_rules(type_.rules))


def _fields(fields: Mapping[str, Field]) -> Iterator[str]:
    yield from (_field(name, field, "") for name, field in with_members(fields))


def _field(name: str, field: Field, honoured: str) -> str:
    need = f", {describe_need(field)}" if describe_need(field) else ""
    return f"  {name:22} {describe_type(field.type)}{need}{honoured}: {field.meaning}"
