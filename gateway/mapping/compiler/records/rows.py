"""Where rows are: paths, named levels and the record that reads each row, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.operations import check_record_names
from gateway.mapping.checks.usage import Reads
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import RESERVED, Context
from gateway.mapping.expressions import Path, Template, compile_path
from gateway.mapping.language.results import Level as LevelPart
from gateway.mapping.language.results import RowsResult
from gateway.mapping.nodes.calls import RowsPlan
from gateway.mapping.nodes.trees import Level, RecordPlan

_MADE: Final = compile_path("@")
"""Stands for the path of a level whose list is made."""


@dataclass(frozen=True, slots=True)
class RowsRequirement:
    """What rows must be: of which resource, how their first path may begin (None: anyhow), what templates may name.

    The resource is empty where an operation gives nothing, which is told elsewhere.
    """

    resource: str
    roots: frozenset[str] | None
    names: frozenset[str]


class ObjectSource(Protocol):
    """What says where one object is and which record reads it."""

    place: Place

    @property
    def at(self) -> str | None:
        """The path to the object; all there is without it."""

    @property
    def record(self) -> str | None:
        """The record."""


def compile_one(context: Context, node: ObjectSource, wanted: RowsRequirement) -> RowsPlan | None:
    """Compile where one object is with the record that reads it."""
    where = (*node.place, "at")
    levels = compile_levels(context, "@" if node.at is None else node.at, where, wanted.roots, wanted.names)
    record = _record(context, node.record or "", (*node.place, "record"), wanted)
    if record is None or not levels:
        return None
    if levels[0].at.steps == ():
        context.reads.roots |= context.record_reads[record.name].roots
    return RowsPlan(tuple(levels), record, named=False, one=True, origin=context.origin(where))


def compile_rows(context: Context, node: RowsResult, wanted: RowsRequirement) -> RowsPlan | None:
    """Compile where rows are with the record that reads each."""
    where = (*node.place, "rows")
    levels = compile_levels(context, node.rows, where, wanted.roots, wanted.names)
    record = _record(context, node.record, (*node.place, "record"), wanted)
    if record is None or not levels:
        return None
    roots, named = context.record_reads[record.name].roots, isinstance(node.rows, list)
    if named or levels[0].at.steps == ():  # its paths begin with levels, steps and variables
        context.reads.roots |= roots
    if named:
        known = wanted.names | {level.name for level in levels}
        for root in sorted(roots - known):
            message = f"record `{record.name}` reads `{root}`, which is no level and no step here"
            context.report((*node.place, "record"), "unknown-name", message + suggestion(root, known))
    return RowsPlan(tuple(levels), record, named, one=False, origin=context.origin(where))


def _record(context: Context, name: str, place: Place, wanted: RowsRequirement) -> RecordPlan | None:
    record = context.records.get(name)
    if record is None:
        context.report(place, "unknown-record", f"there is no record `{name}`{suggestion(name, context.records)}")
        return None
    context.used_records.add(name)
    reads = context.record_reads[name]
    context.reads.add(Reads(reads.names, reads.whole))
    check_record_names(context, record, wanted.names, place)
    if wanted.resource and record.resource.name != wanted.resource:
        message = f"record `{name}` reads {record.resource.name}, and {wanted.resource} is given here"
        context.report(place, "wrong-record", message)
    return record


def compile_levels(
    context: Context,
    source: str | list[LevelPart],
    place: Place,
    roots: frozenset[str] | None,
    names: frozenset[str],
) -> list[Level]:
    """Compile a path or named levels: the first begins with one of the roots (None: any), templates see the names."""
    if not isinstance(source, list):
        path = context.path(source, place)
        if path is not None and roots is not None:
            _check_roots(context, path, roots, place)
        return [Level("row", path, None, context.origin(place))] if path is not None else []
    levels: list[Level] = []
    known: list[str] = []
    for index, node in enumerate(source):
        if not node.sound:
            continue
        where, made = node.place, node.in_ is not None
        path = _MADE if made else _compile_path(context, node, index, known)
        each = _compile_each(context, node, names | {*known}, known) if made else None
        if path is None or (made and each is None):  # what it would give is known all the same: it is told once
            path, made = _MADE, True
        if node.name in RESERVED | {*known}:
            context.report((*where, "name"), "reserved-name", f"`{node.name}` is already a name here")
        if index == 0 and roots is not None and not made:
            _check_roots(context, path, roots, where)
        known += [node.name]
        with context.collecting() as reads:
            when = condition_of(context, node, "when", names | {*known})
            reads.roots.clear()  # of a path on the element, whose names are no names of the file
            reads.forget(*known)
        levels.append(Level(node.name, path, when, context.origin(where), each))
    return levels


def _compile_path(context: Context, node: LevelPart, index: int, known: list[str]) -> Path | None:
    """Compile the path of a level: the first begins with names, the others in an element of the level before."""
    if node.at is None:  # which is told where the part is read
        return None
    with context.collecting() as reads:
        path = context.path(node.at, node.place)
        if index > 0:  # evaluated on an element, whose names are no names of the file
            _check_relative(context, path, known, node.place)
            reads.roots.clear()
    return path


def _compile_each(context: Context, node: LevelPart, names: frozenset[str], known: list[str]) -> Template | None:
    """Compile the list of a level that is made, and not found in the one before."""
    with context.collecting() as reads:
        each = context.expression(node.in_, (*node.place, "in"), names)
        reads.forget(*known)
    return each


def _check_relative(context: Context, path: Path | None, levels: list[str], place: Place) -> None:
    """A path of an inner level begins in the element around it, and not with the name of a level."""
    for name in sorted(path.roots & {*levels}) if path is not None else ():
        message = (
            f"`{name}` is a level, and this path is read in the element of `{levels[-1]}` already: write what stands "
            "there, or give the level another name than the key"
        )
        context.report(place, "unknown-name", message)


def _check_roots(context: Context, path: Path, names: frozenset[str], place: Place) -> None:
    for root in sorted(path.roots - names):
        message = f"`{root}` is no step and no variable here{suggestion(root, names)}"
        context.report(place, "unknown-name", message)
    known = context.known_here
    for root in sorted(path.roots & names & known.roots.keys()):
        fields = known.roots[root].fields
        for key in dict.fromkeys(path.beneath(root)):
            if fields and key not in fields:
                code = "unknown-setting" if root == "settings" else "unknown-key"
                context.report(place, code, f"`{root}` has no `{key}`{suggestion(key, fields)}")
