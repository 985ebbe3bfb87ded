"""The loss report: what a provider tells that its mapping never reads, and what of the contract it never fills.

Made from the examples as they were played, so it speaks of recorded answers and of nothing else. Native operations hand
their answers on whole and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.examples.coverage import PlayedExamples
from gateway.mapping.coverage_probe import Notes
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.model.model import Model
from gateway.model.types.types import Type
from gateway.values.messages import Json

_NUMBERED: Final = re.compile(r"[0-9][0-9:.T -]*")
"""Keys that are ids, dates or clock times rather than names: `434`, `2026-03-19`, `08:30`."""

_Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LossReport:
    """The report on one provider.

    `unread`: call → dotted fields of its answers, `[]` for elements of lists, `*` for keys that are ids or dates.
    `unfilled`: resource → dotted field → `file:line` of the line that never gave a value, or None where there is none.
    """

    provider: str
    unread: Mapping[str, tuple[str, ...]]
    unfilled: Mapping[str, Mapping[str, str | None]]

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield f"{self.provider}: never read"
        for call, paths in self.unread.items():
            yield f"  {call}"
            yield from (f"    {path}" for path in paths)
        yield f"{self.provider}: never filled"
        for resource, fields in self.unfilled.items():
            yield f"  {resource}"
            yield from (f"    {name:32} {line or 'has no source'}" for name, line in fields.items())

    def data(self) -> dict[str, Json]:
        """The report for programs."""
        unfilled = {
            resource: [{"field": name, "line": line} for name, line in fields.items()]
            for resource, fields in self.unfilled.items()
        }
        return {"provider": self.provider, "unread": {call: list(p) for call, p in self.unread.items()}} | {
            "unfilled": unfilled
        }


def loss(played: PlayedExamples, model: Model) -> LossReport:
    """Report on the examples of one mapping."""
    return LossReport(played.plan.name, _unread(played.notes), _unfilled(played, model))


def _unread(notes: Notes) -> dict[str, tuple[str, ...]]:
    """Fields of answers of which no occurrence was read. Inside one that was not read, nothing more is told."""
    found: dict[str, dict[_Path, bool]] = {}
    for answer in notes.answers:
        if not answer.operation.startswith("native."):
            _note(notes, answer.body, (), found.setdefault(answer.call, {}))
    unread = {}
    for call, paths in found.items():
        never = [path for path, read in paths.items() if not read and not _inside_unread(path, paths)]
        if never:
            unread[call] = tuple(sorted(".".join(path).replace(".[]", "[]") for path in never))
    return dict(sorted(unread.items()))


def _inside_unread(path: _Path, paths: Mapping[_Path, bool]) -> bool:
    return any(not paths.get(path[:end], True) for end in range(1, len(path)))


def _note(notes: Notes, value: Json, path: _Path, found: dict[_Path, bool]) -> None:
    """Note each field of a value, and whether it was read."""
    if isinstance(value, list):
        for element in value:
            _note(notes, element, (*path, "[]"), found)
    elif isinstance(value, dict):
        for key, inner in value.items():
            where = (*path, "*" if _NUMBERED.fullmatch(key) else key)
            # Whoever asks an object for all its values reads them without naming the key.
            read = notes.was_read(value, key) or where[-1] == "*"
            found[where] = found.get(where, False) or read
            _note(notes, inner, where, found)


def _unfilled(played: PlayedExamples, model: Model) -> dict[str, dict[str, str | None]]:
    """Fields of the contract that no example gives a value for, by the resource of the operation."""
    given: dict[str, set[str]] = {}
    for example in played.examples.examples:
        operation = model.operations.get(example.operation)
        if operation is not None and operation.resource is not None and example.fails is None:
            filled = given.setdefault(operation.resource.name, set())
            for one in example.gives if isinstance(example.gives, list) else [example.gives]:
                filled |= set(_fill(one, ""))
    unfilled = {}
    for name in sorted(given):
        missing = [field for field in _fields(model.resources[name].type, "") if field not in given[name]]
        never = [field for field in missing if not any(field.startswith(f"{other}.") for other in missing)]
        unfilled[name] = {field: _source(played.plan, model, name, field) for field in never}
    return {name: fields for name, fields in unfilled.items() if fields}


def _fill(value: Json, prefix: str) -> Iterator[str]:
    """The dotted names of the fields that hold something; those of a list are those of its elements."""
    for element in value if isinstance(value, list) else ():
        yield from _fill(element, prefix)
    for name, inner in value.items() if isinstance(value, dict) else ():
        if inner is not None:
            yield prefix + name
            yield from _fill(inner, f"{prefix}{name}.")


def _fields(type_: Type, prefix: str) -> Iterator[str]:
    """The dotted names of all fields of a type, those of embedded objects and of the elements of lists among them."""
    for field in type_.fields.values():
        yield prefix + field.name
        yield from _fields(field.type.item or field.type, f"{prefix}{field.name}.")


def _source(plan: ProviderPlan, model: Model, resource: str, field: str) -> str | None:
    """Where a record says that it fills a field: `file:line`, or None."""
    for record in plan.records.values():
        for line in record.fields if record.resource.name == resource else ():
            if line.mode == "write":
                continue
            if line.name == field:
                return line.origin
            inner = record.resource.field(line.name)
            if field.startswith(f"{line.name}.") and inner is not None:
                embedded = (inner.type.item or inner.type).name
                found = _source(plan, model, embedded, field.removeprefix(f"{line.name}.")) if embedded else None
                if found is not None:
                    return found
    return None
