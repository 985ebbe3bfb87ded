"""What the steps of a call see, and what is laid over its result: values in, values out. Nothing here runs a step."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.engine.catalog import Connection
from gateway.mapping.nodes.calls import GENERATED, AskingStep
from gateway.mapping.runtime.expressions import rendered
from gateway.mapping.runtime.rows import walk
from gateway.model.model import Operation
from gateway.model.types.types import TypeRefused
from gateway.values.errors import AnswerMismatch, MappingFault
from gateway.values.messages import Json


def public(connection: Connection, scope: Mapping[str, Json]) -> dict[str, Json]:
    """Give what paths see of a scope: everything but secrets, which paths could copy into an answer."""
    seen = {**scope, "settings": dict(connection.public)}
    seen.pop(GENERATED, None)
    return seen


def elements(step: AskingStep, connection: Connection, scope: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Give the elements of a fan-out, under the names that templates know them by. Raises MappingFault."""
    fan_out = step.fan_out
    if fan_out is None:
        return []
    if fan_out.elements is None:
        return walk(fan_out.levels, public(connection, scope), scope)
    found = rendered(fan_out.elements, scope, step.origin)
    if not isinstance(found, list):
        raise MappingFault(f"{step.origin}: `for_each.in` must give a list", origin=step.origin)
    return [{fan_out.names[0]: element} for element in found]


def laid_over(operation: Operation, fields: Mapping[str, Json], origin: str) -> dict[str, Json]:
    """Give fields that are laid over a result, held to the contract as those of a record are. Raises AnswerMismatch."""
    known = {}
    for name, value in fields.items():
        try:
            known[name] = operation.resource.fields[name].accept(value) if operation.resource is not None else value
        except TypeRefused as refused:
            raise AnswerMismatch(f"{origin}: `set:` of {name} is not {refused}", origin=origin) from None
    return known
