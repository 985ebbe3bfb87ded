"""The sources of one line of a field table: a path, a constant, something computed, joined or embedded.

`runtime/records.py` says how each is read, and `runtime/writing.py` how it is written where an inverse exists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.documents.yaml import suggestion
from gateway.mapping.checks.type_checks import check_codec, check_constant, check_joined, check_tree, only_mapped
from gateway.mapping.codecs import Codec
from gateway.mapping.codecs.kind import ISO, LOSSY
from gateway.mapping.compiler.context import BASE, Context
from gateway.mapping.compiler.records.rows import compile_levels
from gateway.mapping.compiler.trees import compile_tree
from gateway.mapping.language.records import Field as FieldPart
from gateway.mapping.nodes.trees import (
    Computed,
    Constant,
    Embedded,
    EmbeddedRows,
    FromPath,
    Joined,
    RecordPlan,
    Source,
)
from gateway.model.model import Resource
from gateway.model.types.types import Field, Type


@dataclass(frozen=True, slots=True)
class Compiled:
    """A source, None with findings; whether it can be written as well; and its codec."""

    source: Source | None = None
    writes: bool = False
    codec: Codec | None = None


def _from_path(context: Context, _resource: Resource, field: Field, node: FieldPart) -> Compiled:
    place, several = node.place, isinstance(node.at, list)
    texts, read = _texts(node), context.target if node.mode == "write" else context.path
    paths = [read(text, (*place, "at")) for text in texts]
    codec = context.codec(node.as_, (*place, "as")) if node.as_ is not None else None
    if any(path is None for path in paths) or ("as" in node and codec is None):
        return Compiled(codec=codec)
    if not paths:
        context.report((*place, "at"), "field-without-source", "a field has at least one path")
        return Compiled(codec=codec)
    if several and codec is None and field.type.kind != "list":
        context.report(place, "needs-codec", "several paths need `as:`, the codec that reads their list")
    check_codec(context, field.name, field.type, codec, place)
    codec = only_mapped(field.type, codec) if codec is not None else None
    known = [path for path in paths if path is not None]
    writes = all(path.steps for path in known) and (codec is None or _writes(codec))
    source = FromPath(tuple(known), several, codec, ", ".join(texts), context.origin(place))
    return Compiled(source, writes, codec)


def _texts(node: FieldPart) -> list[str]:
    """The paths of a field."""
    return node.at if isinstance(node.at, list) else [] if node.at is None else [node.at]


def _writes(codec: Codec) -> bool:
    """Whether a codec can write into a row that is still to be made: none of its templates looks at the row."""
    return codec.encode is not None and not any(use[0] == "row" for use in codec.uses)


def _constant(context: Context, _resource: Resource, field: Field, node: FieldPart) -> Compiled:
    check_constant(context, field, node.value, (*node.place, "value"))
    return Compiled(Constant(node.value))


def names_of(context: Context) -> frozenset[str]:
    """Names a record's templates may use: which of them there are is checked where the record reads."""
    return BASE | context.step_names | {"args", "row", "fields", "window"}


def _compute(context: Context, _resource: Resource, field: Field, node: FieldPart) -> Compiled:
    where = (*node.place, "compute")
    check_tree(context, field, node.compute, where)
    return Compiled(Computed(compile_tree(context, node.compute, where, names_of(context))))


def _build(context: Context, resource: Resource, field: Field, node: FieldPart) -> Compiled:
    place, named = node.place, node.from_ or []
    if node.as_ is None:
        context.report(place, "needs-codec", "`from` needs `as:`, the codec that joins the fields")
        return Compiled()
    codec = context.codec(node.as_, (*place, "as"))
    if codec is None:
        return Compiled()
    check_codec(context, field.name, field.type, codec, place)
    _check_from(context, resource, codec, node)
    names = tuple(tuple(name.split(".")) for name in named)
    return Compiled(Joined(names, codec, ", ".join(named), context.origin(place)), codec=codec)


def _check_from(context: Context, resource: Resource, codec: Codec, node: FieldPart) -> None:
    """What is joined are fields of the record, each of a type its part can write."""
    place, names = (*node.place, "from"), node.from_ or []
    fields = []
    for index, name in enumerate(names):
        field = resource.field(name)
        if field is None:
            hint = suggestion(name, resource.fields)
            context.report((*place, index), "unknown-field", f"{resource.name} has no field `{name}`{hint}")
        else:
            fields.append(field)
    if len(fields) == len(names):
        check_joined(context, codec, fields, place)


def _embed(context: Context, _resource: Resource, field: Field, node: FieldPart) -> Compiled:
    place, named, rows = node.place, node.record or "", node.rows
    record = context.records.get(named)
    if record is None:
        hint = suggestion(named, context.records)
        context.report((*place, "record"), "unknown-record", f"there is no record `{named}`{hint}")
        return Compiled()
    context.used_records.add(record.name)
    wanted = field.type if rows is None else field.type.item
    if wanted is not None and wanted.name != record.resource.name:
        message = f"record `{record.name}` reads {record.resource.name}, and {field.name} is no such object"
        context.report((*place, "record"), "wrong-record", message)
    if (node.at is None) == (rows is None) or (rows is not None) != (field.type.kind == "list"):
        context.report(place, "field-without-source", "an embedded object needs `at:`, a list of them `rows:`")
        return Compiled()
    if rows is not None:
        levels = compile_levels(context, rows, (*place, "rows"), None, names_of(context))
        return Compiled(EmbeddedRows(tuple(levels), isinstance(rows, list), record) if levels else None)
    path = context.path(node.at, (*place, "at"))
    if path is None:
        return Compiled()
    source = Embedded(path, record, context.origin(place))
    return Compiled(source, path.steps is not None and _complete(record))


def _complete(record: RecordPlan) -> bool:
    """Whether an embedded record writes anything, and all that must be there to read it again."""
    required = {name for name, field in record.resource.fields.items() if field.required}
    lost = any(line.mode == "read" and line.from_row and line.name in required for line in record.fields)
    return not lost and any(line.mode != "read" for line in record.fields)


SOURCES: dict[str, Callable[[Context, Resource, Field, FieldPart], Compiled]] = {
    "at": _from_path,
    "value": _constant,
    "compute": _compute,
    "from": _build,
    "record": _embed,
}
"""The key that says where a field comes from → its compiler."""


def law_of(codec: Codec | None, type_: Type, node: FieldPart) -> str:
    """The law of a field: that of its codec; what a default stands for can be written in several ways."""
    law = codec.law if codec is not None else ISO if _exact(type_) else LOSSY
    return LOSSY if law == ISO and "default" in node else law


def _exact(type_: Type) -> bool:
    """Whether a path alone gives back what it read: an id does not, since a number is read as text and stays text."""
    inner = [type_.item] if type_.item is not None else [field.type for field in type_.fields.values()]
    return type_.kind != "id" and all(_exact(one) for one in inner)


def targets_of(context: Context, node: FieldPart) -> tuple[tuple[str, ...], ...]:
    """Where a line that can write is written."""
    paths = [context.target(text, node.place) for text in _texts(node)]
    targets = tuple(path.steps for path in paths if path is not None and path.steps is not None)
    if node.record is None:
        return targets
    inner = context.records[node.record].fields
    return tuple((*target, *more) for target in targets for line in inner for more in line.targets)
