"""The sources of one line of a field table: a path, a constant, something computed, joined or embedded.

`runtime/records.py` says how each is read, and `runtime/writing.py` how it is written where an inverse exists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.document import Place, suggestion
from gateway.mapping.codecs import Codec
from gateway.mapping.codecs.kind import ISO, LOSSY
from gateway.mapping.context import BASE, Context
from gateway.mapping.fits import check_codec, check_constant, check_joined, check_tree, only_mapped
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
from gateway.mapping.rows import compile_levels
from gateway.mapping.trees import compile_tree
from gateway.model.model import Resource
from gateway.model.types import Field, Type
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class Compiled:
    """A source, None with findings; whether it can be written as well; and its codec."""

    source: Source | None = None
    writes: bool = False
    codec: Codec | None = None


def _from_path(context: Context, _resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    several = isinstance(shape["at"], list)
    texts = shape["at"] if several else [shape["at"]]
    if shape.get("mode") == "write":
        paths = [context.target(text, (*place, "at")) for text in texts]
    else:
        paths = [context.path(text, (*place, "at")) for text in texts]
    codec = context.codec(shape["as"], (*place, "as")) if "as" in shape else None
    if any(path is None for path in paths) or ("as" in shape and codec is None):
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


def _writes(codec: Codec) -> bool:
    """Whether a codec can write into a row that is still to be made: none of its templates looks at the row."""
    return codec.encode is not None and not any(use[0] == "row" for use in codec.uses)


def _constant(context: Context, _resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    value = shape["value"]
    check_constant(context, field, value, (*place, "value"))
    return Compiled(Constant(value))


def _names(context: Context) -> frozenset[str]:
    """Names a record's templates may use: which of them there are is checked where the record reads."""
    return BASE | context.step_names | {"args", "row", "fields", "window"}


def _made(context: Context, _resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    check_tree(context, field, shape["make"], (*place, "make"))
    return Compiled(Computed(compile_tree(context, shape["make"], (*place, "make"), _names(context))))


def _built(context: Context, resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    names = [tuple(str(name).split(".")) for name in shape["from"]]
    codec = context.codec(shape["as"], (*place, "as")) if "as" in shape else None
    if codec is None:
        if "as" not in shape:
            context.report(place, "needs-codec", "`from` needs `as:`, the codec that joins the fields")
        return Compiled()
    check_codec(context, field.name, field.type, codec, place)
    _check_from(context, resource, codec, shape["from"], place)

    text = ", ".join(map(str, shape["from"]))
    return Compiled(Joined(tuple(names), codec, text, context.origin(place)), codec=codec)


def _check_from(context: Context, resource: Resource, codec: Codec, names: list[str], place: Place) -> None:
    """What is joined are fields of the record, each of a type its part can write."""
    fields = []
    for index, name in enumerate(names):
        field = resource.field(name)
        if field is None:
            hint = suggestion(name, resource.fields)
            context.report((*place, "from", index), "unknown-field", f"{resource.name} has no field `{name}`{hint}")
        else:
            fields.append(field)
    if len(fields) == len(names):
        check_joined(context, codec, fields, (*place, "from"))


def _embedded(context: Context, _resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    record = context.records.get(shape["record"])
    if record is None:
        hint = suggestion(shape["record"], context.records)
        context.report((*place, "record"), "unknown-record", f"there is no record `{shape['record']}`{hint}")
        return Compiled()
    context.used_records.add(record.name)
    many = "rows" in shape
    wanted = field.type.item if many else field.type
    if wanted is not None and wanted.name != record.resource.name:
        message = f"record `{record.name}` reads {record.resource.name}, and {field.name} is no such object"
        context.report((*place, "record"), "wrong-record", message)
    if ("at" in shape) == many or many != (field.type.kind == "list"):
        context.report(place, "field-without-source", "an embedded object needs `at:`, a list of them `rows:`")
        return Compiled()
    if many:
        named = isinstance(shape["rows"], list)
        levels = compile_levels(context, shape["rows"], (*place, "rows"), None, _names(context))
        return Compiled(EmbeddedRows(tuple(levels), named, record) if levels else None)
    path = context.path(shape["at"], (*place, "at"))
    if path is None:
        return Compiled()
    source = Embedded(path, record, context.origin(place))
    return Compiled(source, path.steps is not None and _complete(record))


def _complete(record: RecordPlan) -> bool:
    """Whether an embedded record writes anything, and all that must be there to read it again."""
    required = {name for name, field in record.resource.fields.items() if field.required}
    lost = any(line.mode == "read" and line.from_row and line.name in required for line in record.fields)
    return not lost and any(line.mode != "read" for line in record.fields)


SOURCES: dict[str, Callable[[Context, Resource, Field, dict[str, Json], Place], Compiled]] = {
    "at": _from_path,
    "value": _constant,
    "make": _made,
    "from": _built,
    "record": _embedded,
}
"""The key that says where a field comes from → its compiler."""


def law_of(codec: Codec | None, type_: Type, shape: dict[str, Json]) -> str:
    """The law of a field: that of its codec; what a default stands for can be written in several ways."""
    law = codec.law if codec is not None else ISO if _exact(type_) else LOSSY
    return LOSSY if law == ISO and "default" in shape else law


def _exact(type_: Type) -> bool:
    """Whether a path alone gives back what it read: an id does not, since a number is read as text and stays text."""
    inner = [type_.item] if type_.item is not None else [field.type for field in type_.fields.values()]
    return type_.kind != "id" and all(_exact(one) for one in inner)


def targets_of(context: Context, shape: dict[str, Json], place: Place) -> tuple[tuple[str, ...], ...]:
    """Where a line that can write is written."""
    texts = shape["at"] if isinstance(shape["at"], list) else [shape["at"]]
    paths = [context.target(text, place) for text in texts]
    targets = tuple(path.steps for path in paths if path is not None and path.steps is not None)
    if "record" not in shape:
        return targets
    inner = context.records[shape["record"]].fields
    return tuple((*target, *more) for target in targets for line in inner for more in line.targets)
