"""The page of the contract: every operation and type that frontends and mappings see, from `booking.yaml` alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
from gateway.model.model import Field, Operation, Type, load
from gateway.surface.openapi.error_codes import by_itself
from tests.markdown import cell, code, codes, flow, row, table

PROSE = """
What frontends see and what mappings are held to, from `gateway/model/booking.yaml`. `gateway explain contract` tells
the same: `gateway explain contract bookings.create`, or of a type, `gateway explain contract Booking`.

A field that is not *required* may be missing, which means that the provider cannot tell, or null, which means that it
is known to be empty. A list in a query is its name several times. Instants are RFC 3339 with an offset, dates
`YYYY-MM-DD`, clock times `HH:MM`, lengths whole minutes, amounts of money minor units. Who honours an argument:
"""
ERRORS = """
Any call can be answered with the codes below. Those that an operation has besides stand with it; the rules and guards
of a mapping may add any other of [the error codes](errors.md), where `NOT_FOUND` becomes the operation's own.
"""


def contract() -> Iterator[str]:
    """Give the page of the contract."""
    model = load()
    yield from ["# The contract", "", *PROSE.strip().splitlines(), "", *table("word", "meaning")]
    yield from (row(word, meaning) for word, meaning in HONOURED.items())
    shared = frozenset.intersection(*map(by_itself, model.operations.values()))
    yield from ["", *ERRORS.strip().splitlines(), "", f"{codes(sorted(shared))}."]
    for operation in model.operations.values():
        yield from _operation(operation, shared)
    yield from ["", "## What marketplaces ask", "", "A hook with `requests:` reads these; a link answers.", ""]
    yield from table("request", "what it says", "what the reply is given", "meaning")
    for request in model.requests.values():
        yield row(code(request.name), _linked(request.resource.type), codes(request.gives), cell(request.meaning))
    yield from ["", "## Types"]
    for type_ in model.types.values():
        yield from _type(type_)


def _operation(operation: Operation, shared: Iterable[str]) -> Iterator[str]:
    yield from ["", f"## {operation.name}", ""]
    gives = "nothing" if operation.resource is None else f"one {_linked(operation.resource.type)}"
    gives = gives.replace("one", "a list of", 1) if operation.gives == "list" else gives
    order = f" in the order of {codes(operation.order)}" if operation.order else ""
    route = code(f"{operation.method} /v1/{{connection}}{operation.path}")
    yield f"{operation.summary} ({operation.effect.value}). {route}, status {operation.status}, gives {gives}{order}."
    arguments = dict(with_members(every_argument(operation)))
    if arguments:
        yield from ["", *table("argument", "type", "needed", "honoured by", "meaning")]
    for name, argument in arguments.items():
        honoured = honoured_by(operation, name)
        yield row(code(name), _told(argument.type), describe_need(argument), honoured, cell(argument.meaning))
    rules = [*describe_rules(operation.rules)]
    rules += [f"{code(name)} {reason}" for name, reason in operation.refused.items()]
    own = sorted(by_itself(operation) - set(shared))
    rules += [f"errors besides: {codes(own)}"] if own else []
    yield from ["", *(f"- {rule}" for rule in rules)] if rules else []
    yield from ["", "```yaml fragment", f"args: {flow(sample_call(operation))}"]
    if operation.resource is not None:
        yield f"gives: {flow(sample_answer(operation))}"
    yield "```"


def _type(type_: Type) -> Iterator[str]:
    yield from ["", f"### {type_.name}", "", type_.meaning]
    if type_.allowed:
        yield from ["", f"One of {codes(type_.allowed)}."]
    if type_.fields:
        yield from ["", *_fields(type_.fields)]
    rules = [f"- {rule}" for rule in describe_rules(type_.rules)]
    yield from ["", *rules] if rules else []


def _fields(fields: Mapping[str, Field]) -> Iterator[str]:
    yield from table("field", "type", "needed", "meaning")
    for name, field in with_members(fields):
        yield row(code(name), _told(field.type), describe_need(field), cell(field.meaning))


def _told(type_: Type) -> str:
    """Say what a type is, with a link to the one that has a name."""
    if type_.kind == "list" and type_.item is not None and type_.item.name:
        return cell(describe_type(type_)).replace(type_.item.name, _linked(type_.item), 1)
    return _linked(type_) if type_.name else cell(describe_type(type_))


def _linked(type_: Type) -> str:
    return f"[{type_.name}](#{type_.name.lower()})"
