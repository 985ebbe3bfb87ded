"""Field tables, compiled: how a provider's row is read as a canonical object, and written.

One table serves both directions: a field is written back where its path is simple, no other field is written to the
same place, and its codec can write without the row. What cannot be inverted is read-only unless the mapping says
otherwise. A value never appears in a message, only its place.
"""

from __future__ import annotations

import json
from dataclasses import replace

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.scopes import object_of
from gateway.mapping.checks.type_checks import check_constant, no_field, unwritable
from gateway.mapping.checks.usage import Reads
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.records.fields import SOURCES, Compiled, law_of, names_of, targets_of
from gateway.mapping.language.records import Field as FieldPart
from gateway.mapping.language.records import Record as RecordPart
from gateway.mapping.nodes.trees import Embedded, FieldPlan, Group, RecordPlan
from gateway.model.model import Resource
from gateway.values.messages import Json
from gateway.values.truth import MISSING

_OWN = frozenset({"row", "fields"})
"""Names that a record gives its own lines."""
_OTHER_SOURCES = ("value", "compute", "from", "record")
"""Where a field's value comes from, besides a path."""
_ONE_SOURCE = "a field has one source: at, value, make, from or record"


def compile_records(context: Context, nodes: dict[str, RecordPart], place: Place) -> None:
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
        for line in (nodes[name].fields or {}).values():
            if line.record in pending and line.record != name:
                compile_one(line.record)
        underway.pop()
        if name in pending:
            record = _compile_record(context, name, pending.pop(name))
            if record is not None:
                context.records[name] = record

    for name in nodes:
        if name in pending:
            compile_one(name)


def _compile_record(context: Context, name: str, node: RecordPart) -> RecordPlan | None:
    if not node.sound:
        return None
    place = node.place
    resource = context.model.shape(node.of)
    if resource is None:
        hint = suggestion(node.of, context.model.shapes)
        context.report((*place, "of"), "unknown-resource", f"the contract has no `{node.of}`{hint}")
        return None
    lines: list[FieldPlan] = []
    _check_dotted(context, resource, node.fields, (*place, "fields"))
    with context.collecting() as found, context.typed(fields=object_of(resource.fields)):
        for canonical, spec in node.fields.items():
            with context.collecting() as line_reads:
                line = _compile_line(context, resource, canonical, spec)
            _check_above(context, line_reads, spec, [one.name for one in lines])
            if line is not None:
                lines.append(line)
    lines = [_alone(context, line, lines, node.fields, (*place, "fields")) for line in lines]
    reads = tuple(line for line in lines if line.source is not None and line.mode != "write")
    if reads:
        _check_required(context, resource, list(node.fields), (*place, "fields"))
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
        null_as=node.null_as,
        private=frozenset(node.private or ()),
    )


def _check_above(context: Context, reads: Reads, spec: FieldPart, above: list[str]) -> None:
    """A line refers only to canonical fields of the lines above it, since the others are not told yet."""
    named = {".".join(use[1:]) for use in reads.names if use[0] == "fields" and len(use) > 1}
    for name in sorted(named | {*(spec.from_ or ())}):
        if not any(f"{name}.".startswith(f"{one}.") or one.startswith(f"{name}.") for one in above):
            message = f"`{name}` has no source in the lines above; write it there"
            context.report(spec.place, "unknown-name", message, key=True)


def _outside(context: Context, reads: Reads, lines: list[FieldPlan]) -> Reads:
    """What a record reads besides its row and its own fields, embedded records included."""
    found = Reads({use for use in reads.names if use[0] not in _OWN}, set(reads.whole), set(reads.roots))
    for line in lines:
        inner = context.record_reads.get(line.embeds)
        if inner is not None:
            on_row = isinstance(line.source, Embedded) and line.source.path.text == "@"
            found.add(inner if on_row else Reads(inner.names, inner.whole))
    return found


def _check_dotted(context: Context, resource: Resource, names: dict[str, FieldPart], place: Place) -> None:
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
    context: Context, line: FieldPlan, lines: list[FieldPlan], specs: dict[str, FieldPart], place: Place
) -> FieldPlan:
    """The line, only read where another is written to its place too: of two values there only one could be."""
    others = [other for other in lines if other is not line and _overlap(line.targets, other.targets)]
    if "mode" not in specs[line.name]:
        return replace(line, mode="read", targets=()) if others else line
    for other in others:
        if "mode" in specs[other.name]:
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


def _constant_of(value: Json) -> str:
    """Tell how a constant is written, where somebody wrote one in place of a field."""
    return f"; write a constant as `{{value: {json.dumps(value)}}}`" if isinstance(value, bool | int | float) else ""


def _compile_line(context: Context, resource: Resource, canonical: str, node: FieldPart) -> FieldPlan | None:
    place, field = node.place, resource.field(canonical)
    if field is None:
        context.report(place, "unknown-field", no_field(resource.name, canonical, resource.fields), key=True)
        return None
    if not isinstance(node.raw, dict | str):
        context.report(place, "wrong-type", f"a field is a path or an object{_constant_of(node.raw)}")
        return None
    if not node.sound:
        return None
    sources = [key for key in _OTHER_SOURCES if key in node] or ["at"]
    if len(sources) > 1 or ("at" not in node and sources == ["at"]):
        context.report(place, "field-without-source", _ONE_SOURCE)
        return None
    if "default" in node:
        check_constant(context, field, node.default, (*place, "default"))
    compiled = SOURCES[sources[0]](context, resource, field, node)
    codec = compiled.codec
    if "as" in node and codec is None:
        return None
    mode = _mode(context, node, compiled)
    when = condition_of(context, node, "when", names_of(context)) if compiled.source else None
    return FieldPlan(
        name=canonical,
        path=tuple(canonical.split(".")),
        source=compiled.source,
        text=_write(node, sources[0]),
        codec=codec.name if codec else None,
        law=law_of(codec, field.type, node),
        mode=mode,
        origin=context.origin(place),
        embeds=node.record or "",
        unwritable=unwritable(field.type, codec),
        targets=targets_of(context, node) if mode != "read" and compiled.writes else (),
        type=None if sources[0] == "record" else field.type,
        required=field.required and "." not in canonical,
        nullable=field.nullable,
        when=when,
        default=node.default if "default" in node else MISSING,
    )


def _write(node: FieldPart, key: str) -> str:
    """A source as the file has it, for messages: texts as they are, paths side by side, anything else as JSON."""
    source = node[key]
    if isinstance(source, list) and all(isinstance(one, str) for one in source):
        return ", ".join(source)
    text = source if isinstance(source, str) else json.dumps(source, ensure_ascii=False)
    return f"{text} at {node.at}" if key == "record" and "at" in node else text


def _mode(context: Context, node: FieldPart, compiled: Compiled) -> str:
    both = compiled.writes and "when" not in node and "default" not in node
    mode: str = node.mode or ("both" if both else "read")
    if mode != "read" and not compiled.writes:
        message = f"`mode: {mode}` needs one simple path and a codec that can write; this has none"
        context.report(node.place, "not-invertible", message, key=True)
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
