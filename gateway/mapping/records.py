"""Field tables, compiled to two functions: the provider's row → the canonical object, and back.

One table serves both directions: a field is written back where its path is simple, no other field is written to the
same place, and its codec can write without the row. What cannot be inverted is read-only unless the mapping says
otherwise. A value never appears in a message, only its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.document import Place, suggestion
from gateway.effort import spend
from gateway.mapping.context import Context
from gateway.mapping.fields import SOURCES, Get, Put, conditional, law_of, put_at, targets_of
from gateway.mapping.fits import check_constant, no_field, unwritable
from gateway.mapping.plan import Scope
from gateway.mapping.plan_records import FieldPlan, RecordPlan
from gateway.mapping.reads import Reads
from gateway.mapping.unwritable import telling
from gateway.model.model import Resource
from gateway.model.types import TypeRefused
from gateway.values.errors import AnswerMismatch
from gateway.values.messages import Json
from gateway.values.truth import MISSING

_OWN = frozenset({"row", "fields"})
"""Names that a record gives its own lines."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One compiled line of the table."""

    path: tuple[str, ...]
    get: Get | None
    put: Put | None
    clear: Callable[[str, dict[str, Json]], None] | None
    """Writes the provider's "nothing" where the value would go."""
    accept: Callable[[Json], Json] | None
    required: bool
    nullable: bool
    on_row: bool
    """Whether an embedded record reads the very row that this one does."""
    plan: FieldPlan


def compile_records(context: Context, nodes: dict[str, Json], place: Place) -> None:
    """Compile all records into `context.records`, the ones others refer to first."""
    pending = dict(nodes)
    underway: list[str] = []

    def compile_one(name: str) -> None:
        if name in underway:
            context.report(
                (*place, name),
                "record-cycle",
                f"records refer to each other in a circle: {' → '.join([*underway, name])}",
                key=True,
            )
            pending.pop(name, None)
            return
        underway.append(name)
        for inner in _refers_to(nodes[name]):
            if inner in pending and inner != name:
                compile_one(inner)
        underway.pop()
        if name in pending:
            record = _compile_record(context, name, pending.pop(name), (*place, name))
            if record is not None:
                context.records[name] = context.watch.record(record)

    for name in nodes:
        if name in pending:
            compile_one(name)


def _refers_to(node: Json) -> list[str]:
    fields = node.get("fields") if isinstance(node, dict) else None
    lines = fields.values() if isinstance(fields, dict) else []
    return [line["record"] for line in lines if isinstance(line, dict) and isinstance(line.get("record"), str)]


def _compile_record(context: Context, name: str, node: Json, place: Place) -> RecordPlan | None:
    shape = context.check("record", node, place)
    if shape is None:
        return None
    resource = context.model.shape(shape["of"])
    if resource is None:
        hint = suggestion(shape["of"], context.model.shapes)
        context.report((*place, "of"), "unknown-resource", f"the contract has no `{shape['of']}`{hint}")
        return None
    lines: list[_Line] = []
    _check_dotted(context, resource, shape["fields"], (*place, "fields"))
    with context.collecting() as reads:
        for canonical, spec in shape["fields"].items():
            where = (*place, "fields", canonical)
            with context.collecting() as line_reads:
                line = _compile_line(context, resource, canonical, spec, where)
            _check_above(context, line_reads, spec, [one.plan.name for one in lines], where)
            if line is not None:
                lines.append(line)
    lines = [_alone(context, line, lines, shape["fields"], (*place, "fields")) for line in lines]
    readable = [line for line in lines if line.get is not None]
    if readable:
        _check_required(context, resource, list(shape["fields"]), (*place, "fields"))
    context.record_reads[name] = _outside(context, reads, lines)
    return RecordPlan(
        name=name,
        resource=resource,
        read=_reader(resource, tuple(readable)),
        write=_writer(tuple(line for line in lines if line.put is not None), shape.get("nothing")),
        fields=tuple(line.plan for line in lines),
        private=frozenset(shape.get("private", ())),
    )


def _check_above(context: Context, reads: Reads, spec: Json, above: list[str], place: Place) -> None:
    """A line refers only to canonical fields of the lines above it, since the others are not told yet."""
    joined = spec.get("from") if isinstance(spec, dict) else None
    named = {".".join(use[1:]) for use in reads.names if use[0] == "fields" and len(use) > 1}
    for name in sorted(named | {str(name) for name in joined or ()}):
        if not any(f"{name}.".startswith(f"{one}.") or one.startswith(f"{name}.") for one in above):
            context.report(
                place, "unknown-name", f"`{name}` has no source in the lines above; write it there", key=True
            )


def _outside(context: Context, reads: Reads, lines: list[_Line]) -> Reads:
    """What a record reads besides its row and its own fields, embedded records included."""
    found = Reads({use for use in reads.names if use[0] not in _OWN}, set(reads.whole), set(reads.roots))
    for line in lines:
        inner = context.record_reads.get(line.plan.embeds)
        if inner is not None:
            found.add(inner if line.on_row else Reads(inner.names, inner.whole))
    return found


def _check_dotted(context: Context, resource: Resource, names: dict[str, Json], place: Place) -> None:
    """A member is written where its object is: not where that is a list, or given whole."""
    for name in names:
        steps = name.split(".")
        for head in (".".join(steps[:end]) for end in range(1, len(steps))):
            field = resource.field(head)
            if head in names:
                context.report((*place, name), "field-twice", f"`{head}` is given whole", key=True)
            elif field is not None and field.type.kind not in {"object", "map"}:
                message = f"`{head}` is no object: write the whole field"
                context.report((*place, name), "unknown-field", message, key=True)


def _alone(context: Context, line: _Line, lines: list[_Line], specs: dict[str, Json], place: Place) -> _Line:
    """The line, only read where another is written to its place too: of two values there only one could be."""

    def chosen(name: str) -> bool:
        return isinstance(specs[name], dict) and "mode" in specs[name]

    name = line.plan.name
    others = [other.plan for other in lines if other is not line and _overlap(line.plan.targets, other.plan.targets)]
    if not chosen(name):
        return replace(line, put=None, clear=None, plan=replace(line.plan, mode="read", targets=())) if others else line
    for other in others:
        if chosen(other.name):
            message = f"`mode: {line.plan.mode}` needs a place of its own, and {other.name} is written there too"
            context.report((*place, name), "not-invertible", message, key=True)
    return line


def _overlap(some: tuple[tuple[str, ...], ...], others: tuple[tuple[str, ...], ...]) -> bool:
    """Whether one of the places is one of the others, or inside it."""
    return any(one[: len(other)] == other[: len(one)] for one in some for other in others)


def _check_required(context: Context, resource: Resource, names: list[str], place: Place) -> None:
    """Every required field has a source; an embedded object that is begun must be completed."""
    begun = {name.split(".")[0] for name in names}
    for field in resource.fields.values():
        if field.required and field.name not in begun:
            message = f"{resource.name}.{field.name} is required by the contract ({field.meaning}) and has no source"
            context.report(place, "required-field-missing", message)
        members = [name.split(".", 1)[1] for name in names if name.startswith(f"{field.name}.")]
        for member in field.type.fields.values() if members and field.name not in names else ():
            if member.required and member.name not in {text.split(".")[0] for text in members}:
                message = f"{resource.name}.{field.name}.{member.name} is required once {field.name} is given"
                context.report(place, "required-field-missing", message)


def _compile_line(context: Context, resource: Resource, canonical: str, spec: Json, place: Place) -> _Line | None:
    field = resource.field(canonical)
    if field is None:
        context.report(place, "unknown-field", no_field(resource.name, canonical, resource.fields), key=True)
        return None
    if isinstance(spec, bool | int | float):
        constant = f"{{value: {json.dumps(spec)}}}"
        context.report(place, "wrong-type", f"a field is a path or an object; write a constant as `{constant}`")
        return None
    shape = context.check("field", {"at": spec} if isinstance(spec, str) else spec, place)
    if shape is None:
        return None
    sources: list[str] = [key for key in ("value", "make", "from", "record") if key in shape] or ["at"]
    if len(sources) > 1 or ("at" not in shape and sources == ["at"]):
        context.report(place, "field-without-source", "a field has one source: at, value, make, from or record")
        return None
    if "default" in shape:
        check_constant(context, field, shape["default"], (*place, "default"))
    get, put, codec = SOURCES[sources[0]](context, resource, field, shape, place)
    if "as" in shape and codec is None:
        return None
    mode = _mode(context, shape, get, put, place)
    targets = targets_of(context, shape, place) if mode != "read" and put is not None else ()
    get = conditional(context, shape, get, place) if get is not None else None
    source = _written(shape[sources[0]]) + (f" at {shape['at']}" if sources[0] == "record" and "at" in shape else "")
    return _Line(
        path=tuple(canonical.split(".")),
        get=get if mode != "write" else None,
        put=telling(tuple(canonical.split(".")), put) if put is not None and mode != "read" else None,
        clear=_clear(targets) if "record" not in shape else None,
        accept=None if sources[0] == "record" else field.type.accept,
        required=field.required and "." not in canonical,
        nullable=field.nullable,
        on_row=shape.get("at") == "@",
        plan=FieldPlan(
            name=canonical,
            source=source,
            codec=codec.name if codec else None,
            law=law_of(codec, field.type, shape),
            mode=mode,
            origin=context.origin(place),
            embeds=shape.get("record", ""),
            unwritable=unwritable(field.type, codec),
            targets=targets,
            from_row=not {"value", "make", "from"} & shape.keys(),
            conditional="when" in shape,
        ),
    )


def _clear(targets: tuple[tuple[str, ...], ...]) -> Callable[[str, dict[str, Json]], None]:
    def clear(nothing: str, out: dict[str, Json]) -> None:
        for target in targets:
            put_at(out, target, nothing)

    return clear


def _written(source: Json) -> str:
    """A source as the file has it, for messages: texts as they are, paths side by side, anything else as JSON."""
    if isinstance(source, list) and all(isinstance(one, str) for one in source):
        return ", ".join(source)
    return source if isinstance(source, str) else json.dumps(source, ensure_ascii=False)


def _mode(context: Context, shape: dict[str, Json], get: Get | None, put: object, place: Place) -> str:
    mode: str = shape.get("mode") or (
        "both" if get and put and "when" not in shape and "default" not in shape else "read"
    )
    if mode != "read" and put is None:
        context.report(
            place,
            "not-invertible",
            f"`mode: {mode}` needs one simple path and a codec that can write; this has none",
            key=True,
        )
    return mode


def _reader(resource: Resource, lines: tuple[_Line, ...]) -> Callable[[Json, Scope], dict[str, Json]]:
    groups = _groups(resource, lines)
    begun = {line.path[0] for line in lines}
    names = tuple(name for name in resource.fields if name in begun)

    def read(row: Json, scope: Scope) -> dict[str, Json]:
        out: dict[str, Json] = {}
        inner = {**scope, "row": row, "fields": out}
        spend(len(lines))
        for line in lines:
            value = line.get(row, inner) if line.get else MISSING
            value = _accepted(line, value)
            if value is not MISSING:
                put_at(out, line.path, value)
        for name, required, origin in groups:
            _complete(out, name, required, origin)
        return {name: out[name] for name in names if name in out}  # in the contract's order, whatever the file's

    return read


def _accepted(line: _Line, value: Json) -> Json:
    """The canonical value, or a mismatch that names the line and what was wanted, never what was there."""
    if value is not MISSING and value is not None and line.accept is not None:
        try:
            value = line.accept(value)
        except TypeRefused as refused:
            message = f"{line.plan.origin}: `{line.plan.source}` for {line.plan.name} is not {refused}"
            raise AnswerMismatch(message, origin=line.plan.origin) from None
    if line.required and (value is MISSING or (value is None and not line.nullable)):
        message = f"{line.plan.origin}: `{line.plan.source}` is missing, and {line.plan.name} is required"
        raise AnswerMismatch(message, origin=line.plan.origin)
    return value


def _groups(resource: Resource, lines: tuple[_Line, ...]) -> tuple[tuple[str, tuple[str, ...], str | None], ...]:
    """Embedded objects written with dotted names: name, required members, origin when the object itself is required."""
    found = []
    for name in dict.fromkeys(line.path[0] for line in lines if len(line.path) > 1):
        field = resource.fields[name]
        members = tuple(member.name for member in field.type.fields.values() if member.required)
        origin = next(line.plan.origin for line in lines if line.path[0] == name)
        found.append((name, members, origin if field.required else None))
    return tuple(found)


def _complete(out: dict[str, Json], name: str, members: tuple[str, ...], origin: str | None) -> None:
    """An embedded object without a required member cannot be told: left out, or a mismatch when it is required."""
    value = out.get(name)
    if isinstance(value, dict) and all(value.get(member) is not None for member in members):
        return
    if origin is not None:
        raise AnswerMismatch(f"{origin}: {name} is required and the answer does not hold all of it", origin=origin)
    if isinstance(value, dict):
        known_empty = any(member in value and value[member] is None for member in members)
        if known_empty:
            out[name] = None
        else:
            del out[name]


def _writer(lines: tuple[_Line, ...], nothing: str | None) -> Callable[[Json, Scope], dict[str, Json]]:
    """The derived writer. Absent fields are left out; null is what the provider wants for nothing, or left out too."""

    def write(canonical: Json, scope: Scope) -> dict[str, Json]:
        out: dict[str, Json] = {}
        inner = {**scope, "row": {}, "fields": canonical}
        for line in lines:
            value: Json = canonical
            for step in line.path:
                value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
            if value is MISSING or line.put is None:
                continue
            if value is not None:
                line.put(value, inner, out)
            elif nothing is not None and line.clear is not None:
                line.clear(nothing, out)
        return out

    return write
