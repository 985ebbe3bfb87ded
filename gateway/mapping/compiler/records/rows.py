"""Where rows are: paths, named levels and the record that reads each row, compiled."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.operations import check_record_names
from gateway.mapping.checks.usage import Reads
from gateway.mapping.compiler.context import RESERVED, Context
from gateway.mapping.expressions import Path
from gateway.mapping.language.results import Level as LevelPart
from gateway.mapping.nodes.calls import RowsPlan
from gateway.mapping.nodes.trees import Level, RecordPlan
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class Wanted:
    """What rows must be: of which resource, how their first path may begin (None: anyhow), what templates may name."""

    resource: str
    roots: frozenset[str] | None
    names: frozenset[str]


def compile_rows(context: Context, shape: dict[str, Json], place: Place, wanted: Wanted) -> tuple[RowsPlan, ...]:
    """Compile `rows`, `at` or `union` with their records."""
    if "union" in shape:
        found: list[RowsPlan] = []
        for index, node in enumerate(shape["union"]):
            where = (*place, "union", index)
            checked = context.check("source", node, where)
            if checked is not None:
                found += compile_rows(context, checked, where, wanted)
        return tuple(found)
    if "rows" not in shape and "at" not in shape:
        if "row" in shape:
            context.report((*place, "row"), "row-without-rows", "`row` needs `rows:` or `at:`", key=True)
        return ()
    record = _record(context, shape, place, wanted)
    one = "at" in shape
    source = shape["at"] if one else shape["rows"]
    key = "at" if one else "rows"
    levels = compile_levels(context, source, (*place, key), wanted.roots, wanted.names)
    if record is None or not levels:
        return ()
    roots = context.record_reads[record.name].roots
    if isinstance(source, list) or levels[0].at.steps == ():  # its paths begin with levels, steps and taken names
        context.reads.roots |= roots
    if isinstance(source, list):
        known = wanted.names | {level.name for level in levels}
        for root in sorted(roots - known):
            message = f"record `{record.name}` reads `{root}`, which is no level and no step here"
            context.report((*place, "row"), "unknown-name", message + suggestion(root, known))
    return (RowsPlan(tuple(levels), record, isinstance(source, list), one, context.origin((*place, key))),)


def _record(context: Context, shape: dict[str, Json], place: Place, wanted: Wanted) -> RecordPlan | None:
    name = shape.get("row")
    if name is None:
        context.report(place, "missing-key", "`row` is missing (the record that reads each row)")
        return None
    record = context.records.get(name)
    if record is None:
        hint = suggestion(name, context.records)
        context.report((*place, "row"), "unknown-record", f"there is no record `{name}`{hint}")
        return None
    context.used_records.add(name)
    reads = context.record_reads[name]
    context.reads.add(Reads(reads.names, reads.whole))
    check_record_names(context, record, wanted.names, (*place, "row"))
    if record.resource.name != wanted.resource:
        message = f"record `{name}` reads {record.resource.name}, and {wanted.resource or 'nothing'} is given here"
        context.report((*place, "row"), "wrong-record", message)
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
    for index, written in enumerate(source):
        node = context.read(LevelPart, written, (*place, index))
        if not node.sound:
            continue
        where = node.place
        with context.collecting() as reads:
            path = context.path(node.at, where)
            if index > 0:  # evaluated on an element, whose names are no names of the file
                _check_relative(context, path, known, where)
                reads.roots.clear()
        if path is None:
            continue
        if node.name in RESERVED | {*known}:
            context.report((*where, "name"), "reserved-name", f"`{node.name}` is already a name here")
        if index == 0 and roots is not None:
            _check_roots(context, path, roots, where)
        known += [node.name]
        with context.collecting() as reads:
            when = context.deciding(node.when, (*where, "when"), names | {*known}) if "when" in node else None
            reads.forget(*known)
        levels.append(Level(node.name, path, when, context.origin(where)))
    return levels


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
        message = f"`{root}` is no step and no taken value here{suggestion(root, names)}"
        context.report(place, "unknown-name", message)
    known = context.known_here
    for root in sorted(path.roots & names & known.roots.keys()):
        fields = known.roots[root].fields
        for key in dict.fromkeys(path.beneath(root)):
            if fields and key not in fields:
                code = "unknown-setting" if root == "settings" else "unknown-key"
                context.report(place, code, f"`{root}` has no `{key}`{suggestion(key, fields)}")
