"""The page of what the shipped mappings make of the contract: operations, fields, arguments, and the reasons.

Everything is read from the compiled plans and the golden examples; nothing about a provider is said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TypeVar

from gateway.examples.files import Examples
from gateway.mapping.compiler.operations.alternatives import NATIVE
from gateway.mapping.nodes.calls import OperationPlan
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.mapping.nodes.trees import RecordPlan
from gateway.model.model import Resource, load
from tests.markdown import cell, code, codes, row, table
from tests.shipped import FILES, compiled, played

PROSE = {
    "conformance": """
What the mappings in `mappings/` make of the contract, read from their compiled form. What one connection has, with its
own settings, is in its capability document (`GET /v1/{connection}`).
""",
    "operations": """
`native`: the provider does it. `emulated`: the gateway does it with other calls of the provider. `degraded`: something
of it is lost, and the note says what. `501`: the provider cannot do it. Where a setting opens another way, a connection
has the first way whose settings it gives. The reasons stand below, provider by provider.
""",
    "fields": """
`✓`: every record that reads the resource has the field. `part`: only some of them have it, so some answers tell it.
`∅`: declared to be always null, known to be empty. `set`: no record has it; an operation lays it over the answer
(`set:`), as a golden example shows. `—`: not told. A column without marks: the provider has no such resource. A field
that is an object is told when a part of it is.

A **required** field is never `—` and never `part`: each record that reads must have a source for it, or the mapping
does not load (`required-field-missing` among the [findings](findings.md#codecs-and-records)), and where an answer lacks
it all the same, the call ends with `PROVIDER_ERROR`.
""",
}
"""What stands above the tables."""
Played = tuple[ProviderPlan, Examples]
"""A provider and its golden examples."""
Key = TypeVar("Key")
_SUPPORTS = ("native", "emulated", "degraded")


@cache
def shipped() -> tuple[Played, ...]:
    """Give every shipped provider with its examples, by name; raises ValueError where one has findings."""
    findings, found = [], []
    for name in FILES:
        plan, wrong = compiled(name)
        examples, more = played(name) if plan is not None else (None, [])
        findings += [*wrong, *more]
        if examples is not None:
            found.append((plan, examples))
    if findings:
        raise ValueError("\n".join(map(str, findings)))
    return tuple(found)


def needing(support: str, needs: Iterable[str]) -> str:
    """Say what an operation is, and with which settings alone."""
    wanted = " and ".join(map(code, needs))
    return f"{support} with {wanted}" if wanted else support


def support(plan: ProviderPlan, name: str) -> str:
    """Say how a provider supports an operation: way by way, unless they are alike and one of them needs nothing."""
    ways = plan.ways.get(name, ())
    if ways and not ways[-1].needs and len({way.support for way in ways}) == 1:
        return ways[0].support
    told = [needing(way.support, way.needs) for way in ways]
    if not ways or ways[-1].needs:
        told.append("501")
    return ", else ".join(told)


def conformance() -> Iterator[str]:
    """Give the page of what the shipped mappings make of the contract."""
    yield "# Conformance"
    yield ""
    yield from PROSE["conformance"].strip().splitlines()
    yield from ["", "## Operations", "", *PROSE["operations"].strip().splitlines(), ""]
    plans = [plan for plan, _ in shipped()]
    yield from table("operation", *(code(plan.name) for plan in plans))
    yield from (row(code(name), *(support(plan, name) for plan in plans)) for name in load().operations)
    yield from ["", "In numbers, each operation counted by the first of its ways:", ""]
    yield from table("provider", *_SUPPORTS, "501", "only with a setting", "operations of its own", "golden examples")
    yield from (numbers(plan, examples) for plan, examples in shipped())
    yield from ["", "## Fields", "", *PROSE["fields"].strip().splitlines()]
    for resource in load().resources.values():
        yield from fields(resource)
    for plan in plans:
        yield from ["", f"## {plan.title}"]
        for part in (absent, opened, noted, lost):
            yield from part(plan)


def numbers(plan: ProviderPlan, examples: Examples) -> str:
    """Give the line of a provider in the table of numbers."""
    mapped = [ways for name, ways in plan.ways.items() if not name.startswith(NATIVE)]
    counts = [sum(ways[0].support == kind for ways in mapped) for kind in _SUPPORTS]
    counts += [len(plan.unsupported), sum(bool(ways[-1].needs) for ways in mapped)]
    counts += [len(plan.ways) - len(mapped), len(examples.examples)]
    return row(code(plan.name), *map(str, counts))


def fields(resource: Resource) -> Iterator[str]:
    """Give the table of a resource: which provider tells which field; nothing where no record reads it."""
    read = [[one for one in plan.records.values() if one.resource.name == resource.name] for plan, _ in shipped()]
    readers = [[one for one in records if filled(one)] for records in read]
    if not any(readers):
        return
    yield from ["", f"### {resource.name}", "", *table("field", *(code(plan.name) for plan, _ in shipped()))]
    shows = [shown(examples, resource) for _, examples in shipped()]
    for name, field in resource.fields.items():
        marks = [mark(name, *one) for one in zip(readers, shows, strict=True)]
        yield row(code(name) + (" **required**" if field.required else ""), *marks)


def filled(record: RecordPlan) -> dict[str, bool]:
    """Give the fields that a record reads, each with whether it is declared to be always null."""
    lines = [line for line in record.fields if line.mode != "write"]
    return {line.name.split(".")[0]: line.text == "null" for line in lines}


def shown(examples: Examples, resource: Resource) -> set[str]:
    """Give the fields of a resource that the golden examples show."""
    operations = load().operations
    found: set[str] = set()
    for example in examples.examples:
        operation = operations.get(example.operation)
        if operation is not None and operation.resource is not None and operation.resource.name == resource.name:
            objects = example.gives if isinstance(example.gives, list) else [example.gives or {}]
            found.update(*objects)
    return found


def mark(name: str, records: Sequence[RecordPlan], shows: set[str]) -> str:
    """Say whether a provider with these records tells a field."""
    told = [found[name] for found in map(filled, records) if name in found]
    if not records:
        return ""
    if not told:
        return "set" if name in shows else "—"
    if len(told) < len(records):
        return "part"
    return "∅" if all(told) else "✓"


def absent(plan: ProviderPlan) -> Iterator[str]:
    """Give the operations that a provider does not have, by reason."""
    reasons = grouped((reason, name) for name, reason in plan.unsupported.items())
    yield from ["", "What it cannot do:", "", *table("operations", "reason")]
    yield from (row(codes(names), cell(reason)) for reason, names in reasons.items())


def opened(plan: ProviderPlan) -> Iterator[str]:
    """Give what each optional setting opens, with the reason."""
    needs = grouped((need, name) for name, way in ways_of(plan) for need in way.needs.items())
    if needs:
        yield from ["", "What a setting opens:", "", *table("setting", "operations", "reason")]
    yield from (row(code(setting), codes(names), cell(reason)) for (setting, reason), names in needs.items())


def noted(plan: ProviderPlan) -> Iterator[str]:
    """Give what a caller should know of the operations of the contract."""
    notes = [(name, way) for name, way in ways_of(plan) if way.notes and not name.startswith(NATIVE)]
    if notes:
        yield from ["", "What to know:", "", *table("operation", "support", "note")]
    yield from (row(code(name), needing(way.support, way.needs), cell(way.notes)) for name, way in notes)


def lost(plan: ProviderPlan) -> Iterator[str]:
    """Give the arguments that a provider refuses, takes in part or needs, by operation and reason."""
    found = list(arguments(plan))
    if found:
        yield from ["", "Arguments:", "", *table("operation", "arguments", "what happens", "reason")]
    yield from found


def arguments(plan: ProviderPlan) -> Iterator[str]:
    """Give the lines of the table of arguments."""
    for name, way in ways_of(plan):
        told = {"501": way.unsupported, "taken in part": way.partial, "400 without it": way.requires}
        for what, declared in told.items():
            reasons = grouped((reason, argument) for argument, reason in declared.items())
            for reason, names in reasons.items():
                yield row(needing(code(name), way.needs), codes(names), what, cell(reason))


def grouped(pairs: Iterable[tuple[Key, str]]) -> dict[Key, list[str]]:
    """Give the names under what they share, in the order of their first."""
    found: dict[Key, list[str]] = {}
    for key, name in pairs:
        found.setdefault(key, []).append(name)
    return found


def ways_of(plan: ProviderPlan) -> Iterator[tuple[str, OperationPlan]]:
    """Give every way of every operation with the operation's name, in the order of the contract."""
    names = dict.fromkeys((*load().operations, *plan.ways))
    yield from ((name, way) for name in names for way in plan.ways.get(name, ()))
