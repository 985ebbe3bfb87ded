"""The contract in words: what a type is, what holds of arguments, who honours them, and a sample of each. Pure.

`gateway explain contract` and docs/contract.md are made from it; nothing of the contract is said here again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from gateway.model.contract import Argument, Operation
from gateway.model.types.types import Field, Rules, Type
from gateway.values.messages import Json

BY_GATEWAY: Final = "gateway"
BY_EITHER: Final = "mapping, else gateway"
BY_MAPPING: Final = "mapping"
BY_MAPPING_IF_IT_CAN: Final = "mapping, if it can"
LOST: Final = "mapping, mostly lost"
HONOURED: Final[Mapping[str, str]] = {
    BY_GATEWAY: "A mapping never sees it: the gateway does what it asks for.",
    BY_EITHER: "The mapping sends it, or the gateway chooses the rows that fit, by the fields that they tell.",
    BY_MAPPING: "The mapping uses it, or says why not: with `unsupported:` the call is 501, with `partial:` it warns.",
    BY_MAPPING_IF_IT_CAN: "It only describes. Under `partial:` the call is done without it and the answer warns.",
    LOST: "No booking system is known to keep it: a mapping that does not name it says so, and the answer warns.",
}
"""Who does what an argument asks for, and what that means."""
_SAMPLES: Final[Mapping[str, Json]] = {
    "id": "7",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "instant": "2026-03-19T08:30:00+01:00",
    "date": "2026-03-19",
    "clock": "08:30",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "email": "jane@shop.example",
    "url": "https://shop.example/",
    "map": {},
}
_LATER: Final = "2026-03-19T09:30:00+01:00"
"""The second instant of an interval."""


def describe_type(type_: Type) -> str:
    """Say what a value is: `list of id`, `integer, 1 to 200`, `one of free, busy`, or the name of a type."""
    if type_.kind == "list" and type_.item is not None:
        return f"list of {describe_type(type_.item)}" + _bounds(type_, "elements")
    if type_.kind == "map" and type_.item is not None:
        return f"object of {describe_type(type_.item)} by any name"
    if type_.name:
        return type_.name
    if type_.kind == "enum":
        return f"one of {', '.join(type_.allowed)}"
    if type_.kind == "text":
        lines = ", perhaps of several lines" if type_.multiline else ""
        return "text" + lines + (f" like `{type_.pattern}`" if type_.pattern else "") + _bounds(type_, "characters")
    return "object of the fields below" if type_.fields else type_.kind + _bounds(type_, "")


def _bounds(type_: Type, unit: str) -> str:
    what = f" {unit}" if unit else ""
    if type_.minimum is not None and type_.maximum is not None:
        return f", {type_.minimum} to {type_.maximum}{what}"
    if type_.minimum is not None:
        return f", {type_.minimum} or more{what}"
    return f", at most {type_.maximum}{what}" if type_.maximum is not None else ""


def describe_need(field: Field) -> str:
    """Say whether a field, or an argument, is always there, and whether it may be null then."""
    null = ", may be null" if field.required and field.nullable else ""
    default = f"default {_flow(field.default)}" if isinstance(field, Argument) and field.default is not None else ""
    return f"required{null}" if field.required else default


def _flow(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def describe_rules(rules: Rules) -> Iterator[str]:
    """Say what must hold between the fields of an object."""
    for start, end in rules.intervals:
        yield f"`{end}` is later than `{start}`"
    for group in rules.one_of:
        yield f"one of {', '.join(f'`{name}`' for name in group)} is given"
    for group in rules.not_both:
        yield f"at most one of {', '.join(f'`{name}`' for name in group)} is given"


def every_argument(operation: Operation) -> dict[str, Argument]:
    """Give the arguments of an operation, those behind that the gateway handles."""
    return {**operation.args, **operation.common}


def honoured_by(operation: Operation, dotted: str) -> str:
    """Say who does what an argument, or a member of one (`customer.phone`), asks for: a key of HONOURED."""
    name = dotted.partition(".")[0]
    if name in operation.common:
        return BY_GATEWAY
    if operation.args[name].filter is not None:
        return BY_EITHER
    field = operation.args[name].type.field(dotted.partition(".")[2]) if "." in dotted else operation.args[name]
    if field is not None and field.unkept_by:
        return LOST
    return BY_MAPPING_IF_IT_CAN if operation.describes(dotted) else BY_MAPPING


def with_members(fields: Mapping[str, Field]) -> Iterator[tuple[str, Field]]:
    """Give fields by their dotted names, those inside objects that have no name of their own among them."""
    for name, field in fields.items():
        yield name, field
        item = field.type.item if field.type.kind == "list" else field.type
        if item is not None and not item.name:
            yield from ((f"{name}.{inner}", one) for inner, one in with_members(item.fields))


def sample(type_: Type, name: str = "") -> Json:
    """Make a small value of a type: of objects what is required. `name` is that of its field."""
    if type_.kind == "enum":
        return type_.allowed[0]
    if type_.kind == "list" and type_.item is not None:
        return [sample(type_.item, name)]
    if type_.kind == "object":
        return _sample(type_.fields, type_.rules)
    if type_.kind == "text":
        return name.replace("_", " ").capitalize() or "Text"
    if type_.kind == "integer":
        return max(1, type_.minimum or 1)
    return _SAMPLES.get(type_.kind)


def _sample(fields: Mapping[str, Field], rules: Rules) -> dict[str, Json]:
    """Make an object of what is required, of groups of which one must be there the last, and of intervals both ends."""
    chosen = {name for name, one in fields.items() if one.required}
    chosen |= {group[-1] for group in rules.one_of if chosen.isdisjoint(group)}
    chosen |= {end for start, end in rules.intervals if start in chosen}
    ends = {end for _, end in rules.intervals}
    return {name: _LATER if name in ends else sample(fields[name].type, name) for name in fields if name in chosen}


def sample_call(operation: Operation) -> dict[str, Json]:
    """Make the arguments of a small call; of a change, the first thing that can be changed."""
    windows = (operation.window,) if operation.window is not None else ()
    rules = replace(operation.rules, intervals=(*operation.rules.intervals, *windows))
    made = _sample(operation.args, rules)
    changes = [one for one in operation.args.values() if one.where == "body"]
    if operation.patch and not any(one.name in made for one in changes):
        made[changes[0].name] = sample(changes[0].type, changes[0].name)
    return made


def sample_answer(operation: Operation) -> Json:
    """Make a small answer, as golden examples write it under `gives:`; None where there is none."""
    if operation.resource is None:
        return None
    one = sample(operation.resource.type)
    return [one] if operation.gives == "list" else one
