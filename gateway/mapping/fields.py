"""The sources of one line of a field table: a path, a constant, something computed, built or embedded.

Each compiles to a reader (row → value) and, where an inverse exists, a writer. A message names the line and what was
wanted, never what was there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gateway.document import Place, suggestion
from gateway.mapping.codecs import Codec, CodecRefused, CodecUnsupported
from gateway.mapping.codecs.kind import ISO, LOSSY
from gateway.mapping.context import BASE, Context
from gateway.mapping.evaluate import read
from gateway.mapping.expressions import ExpressionFailed, Path
from gateway.mapping.fits import check_codec, check_constant, check_joined, check_tree, only_mapped
from gateway.mapping.plan import Scope
from gateway.mapping.plan_records import RecordPlan
from gateway.mapping.results import walk
from gateway.mapping.rows import compile_levels
from gateway.mapping.runtime.trees import LEFT_OUT, evaluate
from gateway.mapping.trees import compile_tree
from gateway.mapping.unwritable import Unwritable
from gateway.model.model import Resource
from gateway.model.types import Field, Type
from gateway.values.errors import AnswerMismatch, MappingFault, OverBudget
from gateway.values.messages import Json
from gateway.values.truth import MISSING, is_true

Get: TypeAlias = Callable[[Json, Scope], Json]
"""Row and scope (with `row` and `fields` in it) → the value before the canonical type is asked, or MISSING."""
Put: TypeAlias = Callable[[Json, Scope, dict[str, Json]], None]
"""Canonical value, scope → written into the provider's object."""
Compiled: TypeAlias = tuple[Get | None, Put | None, Codec | None]


def put_at(out: dict[str, Json], target: tuple[str, ...], value: Json) -> None:
    """Write a value into an object, making the objects on the way."""
    for step in target[:-1]:
        out = out.setdefault(step, {})
    out[target[-1]] = value


def _from_path(context: Context, _resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    several = isinstance(shape["at"], list)
    texts = shape["at"] if several else [shape["at"]]
    if shape.get("mode") == "write":
        paths = [context.target(text, (*place, "at")) for text in texts]
    else:
        paths = [context.path(text, (*place, "at"), whole=True) for text in texts]
    codec = context.codec(shape["as"], (*place, "as")) if "as" in shape else None
    if any(path is None for path in paths) or ("as" in shape and codec is None):
        return None, None, codec
    if not paths:
        context.report((*place, "at"), "field-without-source", "a field has at least one path")
        return None, None, codec
    if several and codec is None and field.type.kind != "list":
        context.report(place, "needs-codec", "several paths need `as:`, the codec that reads their list")
    check_codec(context, field.name, field.type, codec, place)
    codec = only_mapped(field.type, codec) if codec is not None else None
    known = [path for path in paths if path is not None]
    origin, text = context.origin(place), ", ".join(texts)
    raw = _raw(known, several=several, origin=origin)
    get = _decoded(raw, codec, origin, text) if codec else raw
    return get, _put(known, codec, origin), codec


def _raw(paths: list[Path], *, several: bool, origin: str) -> Get:
    if not several:
        only = paths[0]
        return lambda row, _scope: read(only, row, origin)

    def read_all(row: Json, _scope: Scope) -> Json:
        values = [read(path, row, origin) for path in paths]
        if any(value is MISSING for value in values):
            return MISSING
        return None if any(value is None or value == "" for value in values) else values

    return read_all


def _decoded(raw: Get, codec: Codec, origin: str, text: str) -> Get:
    decode = codec.decode

    def get(row: Json, scope: Scope) -> Json:
        value = raw(row, scope)
        if value is MISSING or value is None:
            return value
        try:
            return decode(value, scope)
        except CodecRefused as refused:
            if value == "":
                return None  # an empty text that the codec does not know is a provider's way to write nothing
            raise AnswerMismatch(f"{origin}: `{text}` is not {refused}", origin=origin) from None
        except ExpressionFailed as failed:
            raise AnswerMismatch(f"{origin}: `{text}`: {failed}", origin=origin) from None

    return get


def _put(paths: list[Path], codec: Codec | None, origin: str) -> Put | None:
    targets = [path.steps for path in paths]
    if any(not target for target in targets) or (codec is not None and not _writes(codec)):
        return None
    encode = codec.encode if codec else None

    def put(value: Json, scope: Scope, out: dict[str, Json]) -> None:
        if encode is not None and value is not None:
            value = _encoded(encode, value, scope, origin)
        if len(targets) == 1:
            put_at(out, targets[0] or (), value)
            return
        parts = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(parts, list) or len(parts) != len(targets):
            raise MappingFault(f"{origin}: cannot be written: not {len(targets)} values", origin=origin)
        for target, part in zip(targets, parts, strict=True):
            put_at(out, target or (), part)

    return put


def _writes(codec: Codec) -> bool:
    """Whether a codec can write into a row that is still to be made: none of its templates looks at the row."""
    return codec.encode is not None and not any(use[0] == "row" for use in codec.uses)


def _encoded(encode: Callable[[Json, Scope], Json], value: Json, scope: Scope, origin: str) -> Json:
    try:
        return encode(value, scope)
    except CodecUnsupported as lost:
        raise Unwritable("not known to the provider", origin, lost=lost.reason) from None
    except CodecRefused as refused:
        raise Unwritable(f"not {refused}", origin) from None
    except ExpressionFailed as failed:
        raise MappingFault(f"{origin}: cannot be written: {failed}", origin=origin) from None


def _constant(context: Context, _resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    value = shape["value"]
    check_constant(context, field, value, (*place, "value"))
    return (lambda _row, _scope: value), None, None


def _names(context: Context) -> frozenset[str]:
    """Names a record's templates may use: which of them there are is checked where the record reads."""
    return BASE | context.step_names | {"args", "row", "fields", "window"}


def _made(context: Context, _resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    check_tree(context, field, shape["make"], (*place, "make"))
    tree = compile_tree(context, shape["make"], (*place, "make"), _names(context))

    def get(_row: Json, scope: Scope) -> Json:
        try:
            value = evaluate(tree, scope)
        except OverBudget:
            raise  # which no other answer mends
        except MappingFault as failed:
            raise AnswerMismatch(failed.detail, origin=failed.origin) from None
        return MISSING if value is LEFT_OUT else value

    return get, None, None


def _built(context: Context, resource: Resource, field: Field, shape: dict[str, Json], place: Place) -> Compiled:
    names = [tuple(str(name).split(".")) for name in shape["from"]]
    codec = context.codec(shape["as"], (*place, "as")) if "as" in shape else None
    if codec is None:
        if "as" not in shape:
            context.report(place, "needs-codec", "`from` needs `as:`, the codec that joins the fields")
        return None, None, None
    check_codec(context, field.name, field.type, codec, place)
    _check_from(context, resource, codec, shape["from"], place)

    def raw(_row: Json, scope: Scope) -> Json:
        values = []
        for name in names:
            value: Json = scope["fields"]
            for step in name:
                value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
            values.append(value)
        return MISSING if any(value is MISSING or value is None for value in values) else values

    return _decoded(raw, codec, context.origin(place), ", ".join(map(str, shape["from"]))), None, codec


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
        return None, None, None
    context.used_records.add(record.name)
    many = "rows" in shape
    wanted = field.type.item if many else field.type
    if wanted is not None and wanted.name != record.resource.name:
        message = f"record `{record.name}` reads {record.resource.name}, and {field.name} is no such object"
        context.report((*place, "record"), "wrong-record", message)
    if ("at" in shape) == many or many != (field.type.kind == "list"):
        context.report(place, "field-without-source", "an embedded object needs `at:`, a list of them `rows:`")
        return None, None, None
    if many:
        return _many(context, record, shape["rows"], (*place, "rows")), None, None
    path = context.path(shape["at"], (*place, "at"))
    if path is None:
        return None, None, None
    return _one(record, path, context.origin(place)), _put_record(record, path), None


def _one(record: RecordPlan, path: Path, origin: str) -> Get:
    def get(row: Json, scope: Scope) -> Json:
        value = read(path, row, origin)
        if value is MISSING or value is None:
            return value
        if value == []:
            return None  # PHP writes an empty object as []
        if not isinstance(value, dict):
            raise AnswerMismatch(f"{origin}: `{path.text}` is not an object", origin=origin)
        return record.read(value, scope)

    return get


def _many(context: Context, record: RecordPlan, source: Json, place: Place) -> Get | None:
    named = isinstance(source, list)
    levels = compile_levels(context, source, place, None, _names(context))
    if not levels:
        return None
    first = levels[0]

    def get(row: Json, scope: Scope) -> Json:
        found = None if named else read(first.at, row, first.origin)
        if not named and (found is MISSING or found is None):
            return found
        rows = walk(tuple(levels), row, scope)
        if named:
            return [record.read({"row": row, **names}, scope) for names in rows]
        return [record.read(names[first.name], scope) for names in rows]

    return get


def _put_record(record: RecordPlan, path: Path) -> Put | None:
    target = path.steps
    if target is None or not _complete(record):
        return None

    def put(value: Json, scope: Scope, out: dict[str, Json]) -> None:
        written = record.write(value, scope)
        for step in reversed(target):
            written = {step: written}
        _lay(out, written)

    return put


def _complete(record: RecordPlan) -> bool:
    """Whether an embedded record writes anything, and all that must be there to read it again."""
    required = {name for name, field in record.resource.fields.items() if field.required}
    lost = any(line.mode == "read" and line.from_row and line.name in required for line in record.fields)
    return not lost and any(line.mode != "read" for line in record.fields)


def _lay(out: dict[str, Json], written: dict[str, Json]) -> None:
    """Add what an embedded record writes, into objects that fields beside it have begun."""
    for key, value in written.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            _lay(out[key], value)
        else:
            out[key] = value


SOURCES: dict[str, Callable[[Context, Resource, Field, dict[str, Json], Place], Compiled]] = {
    "at": _from_path,
    "value": _constant,
    "make": _made,
    "from": _built,
    "record": _embedded,
}
"""The key that says where a field comes from → its compiler."""


def conditional(context: Context, shape: dict[str, Json], get: Get, place: Place) -> Get:
    """`when:` and `default:` around a source."""
    inner = get
    if "default" in shape:
        default = shape["default"]

        def with_default(row: Json, scope: Scope) -> Json:
            value = get(row, scope)
            return default if value is MISSING or value is None or value == "" else value

        inner = with_default
    when = context.condition(shape["when"], (*place, "when")) if "when" in shape else None
    if when is None:
        return inner
    guarded, origin = inner, context.origin(place)
    return lambda row, scope: guarded(row, scope) if is_true(read(when, row, origin)) else MISSING


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
