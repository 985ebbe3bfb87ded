"""Field tables, compiled: how a provider's row is read as a canonical object, and written.

One table serves both directions: a field is written back where its path is simple, no other field is written to the
same place, and its codec can write without the row. What cannot be inverted is read-only unless the mapping says
otherwise. A value never appears in a message, only its place.
"""

from __future__ import annotations

import json
from dataclasses import replace

from gateway.document import Place, suggestion
from gateway.mapping.context import Context
from gateway.mapping.fields import SOURCES, Compiled, law_of, targets_of
from gateway.mapping.fits import check_constant, no_field, unwritable
from gateway.mapping.nodes.trees import Embedded, FieldPlan, Group, RecordPlan
from gateway.mapping.reads import Reads
from gateway.mapping.scopes import object_of
from gateway.model.model import Resource
from gateway.values.messages import Json
from gateway.values.truth import MISSING

_OWN = frozenset({"row", "fields"})
"""Names that a record gives its own lines."""


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
                context.records[name] = record

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
    lines: list[FieldPlan] = []
    _check_dotted(context, resource, shape["fields"], (*place, "fields"))
    with context.collecting() as found, context.typed(fields=object_of(resource.fields)):
        for canonical, spec in shape["fields"].items():
            where = (*place, "fields", canonical)
            with context.collecting() as line_reads:
                line = _compile_line(context, resource, canonical, spec, where)
            _check_above(context, line_reads, spec, [one.name for one in lines], where)
            if line is not None:
                lines.append(line)
    lines = [_alone(context, line, lines, shape["fields"], (*place, "fields")) for line in lines]
    reads = tuple(line for line in lines if line.source is not None and line.mode != "write")
    if reads:
        _check_required(context, resource, list(shape["fields"]), (*place, "fields"))
    context.record_reads[name] = _outside(context, found, lines)
    begun = {line.path[0] for line in reads}
    return RecordPlan(
        name=name,
        resource=resource,
        fields=tuple(lines),
        reads=reads,
        writes=tuple(line for line in lines if line.mode != "read"),
        groups=_groups(resource, reads),
        order=tuple(name for name in resource.fields if name in begun),  # the contract's order, whatever the file's
        null_as=shape.get("nothing"),
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


def _outside(context: Context, reads: Reads, lines: list[FieldPlan]) -> Reads:
    """What a record reads besides its row and its own fields, embedded records included."""
    found = Reads({use for use in reads.names if use[0] not in _OWN}, set(reads.whole), set(reads.roots))
    for line in lines:
        inner = context.record_reads.get(line.embeds)
        if inner is not None:
            on_row = isinstance(line.source, Embedded) and line.source.path.text == "@"
            found.add(inner if on_row else Reads(inner.names, inner.whole))
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


def _alone(
    context: Context, line: FieldPlan, lines: list[FieldPlan], specs: dict[str, Json], place: Place
) -> FieldPlan:
    """The line, only read where another is written to its place too: of two values there only one could be."""

    def chosen(name: str) -> bool:
        return isinstance(specs[name], dict) and "mode" in specs[name]

    others = [other for other in lines if other is not line and _overlap(line.targets, other.targets)]
    if not chosen(line.name):
        return replace(line, mode="read", targets=()) if others else line
    for other in others:
        if chosen(other.name):
            message = f"`mode: {line.mode}` needs a place of its own, and {other.name} is written there too"
            context.report((*place, line.name), "not-invertible", message, key=True)
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


def _compile_line(context: Context, resource: Resource, canonical: str, spec: Json, place: Place) -> FieldPlan | None:
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
    compiled = SOURCES[sources[0]](context, resource, field, shape, place)
    codec = compiled.codec
    if "as" in shape and codec is None:
        return None
    mode = _mode(context, shape, compiled, place)
    when = context.condition(shape["when"], (*place, "when")) if compiled.source and "when" in shape else None
    text = _written(shape[sources[0]]) + (f" at {shape['at']}" if sources[0] == "record" and "at" in shape else "")
    return FieldPlan(
        name=canonical,
        path=tuple(canonical.split(".")),
        source=compiled.source,
        text=text,
        codec=codec.name if codec else None,
        law=law_of(codec, field.type, shape),
        mode=mode,
        origin=context.origin(place),
        embeds=shape.get("record", ""),
        unwritable=unwritable(field.type, codec),
        targets=targets_of(context, shape, place) if mode != "read" and compiled.writes else (),
        type=None if sources[0] == "record" else field.type,
        required=field.required and "." not in canonical,
        nullable=field.nullable,
        when=when,
        default=shape.get("default", MISSING),
    )


def _written(source: Json) -> str:
    """A source as the file has it, for messages: texts as they are, paths side by side, anything else as JSON."""
    if isinstance(source, list) and all(isinstance(one, str) for one in source):
        return ", ".join(source)
    return source if isinstance(source, str) else json.dumps(source, ensure_ascii=False)


def _mode(context: Context, shape: dict[str, Json], compiled: Compiled, place: Place) -> str:
    both = compiled.writes and "when" not in shape and "default" not in shape
    mode: str = shape.get("mode") or ("both" if both else "read")
    if mode != "read" and not compiled.writes:
        context.report(
            place,
            "not-invertible",
            f"`mode: {mode}` needs one simple path and a codec that can write; this has none",
            key=True,
        )
    return mode


def _groups(resource: Resource, lines: tuple[FieldPlan, ...]) -> tuple[Group, ...]:
    """Embedded objects written with dotted names."""
    found = []
    for name in dict.fromkeys(line.path[0] for line in lines if len(line.path) > 1):
        field = resource.fields[name]
        members = tuple(member.name for member in field.type.fields.values() if member.required)
        origin = next(line.origin for line in lines if line.path[0] == name)
        found.append(Group(name, members, origin if field.required else None))
    return tuple(found)
