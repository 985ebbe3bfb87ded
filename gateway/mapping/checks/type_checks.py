"""Whether what a mapping gives is of the canonical type: what codecs read and write, constants, trees.

Pure: nothing is evaluated, so that of a template only its form is judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.codecs import Codec, CodecUnsupported
from gateway.mapping.compiler.context import Context
from gateway.mapping.nodes.calls import NOT_MAPPED, Scope
from gateway.model.types.types import Field, Type, TypeRefused
from gateway.values.messages import Json

_TEXTS: Final = frozenset({"text", "id", "enum", "email", "url", "currency", "time_zone"})
"""Canonical kinds that a text may fill."""
_WRITTEN: Final = _TEXTS | {"instant", "date", "clock"}
"""Canonical kinds that are written as text."""
_DIRECT: Final = _TEXTS | {"integer", "number", "boolean", "list", "object", "map", "any"}
"""Canonical kinds a path may fill without a codec."""
_GIVES: Final = {"text": _TEXTS, "integer": frozenset({"integer", "number"})}
"""What a codec's kind may fill besides its own kind."""

_LIST: Final = frozenset({"list"})
_OBJECTS: Final = frozenset({"object", "map"})
_BUILDS: Final = {"": _OBJECTS, "$for": _OBJECTS, "$record": _OBJECTS, "$merge": _OBJECTS, "$json": _TEXTS}
"""Word of a tree (none: an object written out) → the canonical kinds it builds; `$for` without `$key` builds a list."""

_ARGUMENT: Final = re.compile(r"\{\{\s*args\.([a-z_.]+)\s*(?:\|\s*default\([^()]*\)\s*)?\}\}")


def _fills(gives: str, kind: str) -> bool:
    return "any" in {gives, kind} or gives == kind or kind in _GIVES.get(gives, ())


def check_codec(context: Context, name: str, type_: Type, codec: Codec | None, place: Place) -> None:
    """Check that a codec gives what a field takes; without one, that the provider's own value can be it."""
    if codec is None:
        inner = type_.item if type_.kind == "list" and type_.item is not None else type_
        if inner.kind not in _DIRECT:
            message = f"{name} is of type {type_.kind}: say with `as:` how the provider writes it"
            context.report(place, "needs-codec", message)
        return
    for value in codec.outputs or ():
        if value is None:
            continue
        try:
            type_.accept(value)
        except TypeRefused as refused:
            context.report(place, "codec-type", f"codec {codec.name} gives `{value}`, but {name} is {refused}")
    if not _fills(codec.gives, type_.kind):
        message = f"codec {codec.name} gives {codec.gives}, but {name} is of type {type_.kind}"
        context.report(place, "codec-type", message)
    elif type_.kind == "list" == codec.gives and type_.item is not None:
        if codec.item is not None:
            check_codec(context, f"an element of {name}", type_.item, codec.item, place)
        elif not _fills("text", type_.item.kind):
            message = f"codec {codec.name} gives a list of texts, but the elements of {name} are {type_.item.kind}"
            context.report(place, "codec-type", message)


def unwritable(type_: Type, codec: Codec | None) -> tuple[Json, ...]:
    """The canonical values of a type that a codec neither writes nor declares unsupported; none of an open type."""
    if codec is not None and codec.item is not None and type_.item is not None:
        return unwritable(type_.item, codec.item)
    if codec is None or codec.inputs is None:
        return ()
    settled = {(type(value), value) for value in codec.inputs}
    allowed: tuple[Json, ...] = type_.allowed or ((True, False) if type_.kind == "boolean" else ())
    return tuple(value for value in allowed if (type(value), value) not in settled)


def only_mapped(type_: Type, codec: Codec) -> Codec:
    """Give the codec, which says of a canonical value that it has no word for that it is not mapped.

    Such a value may have come into the contract after the mapping was written: to send it is the caller's business.
    """
    values = {(type(value), value) for value in unwritable(type_, codec)}
    encode = codec.encode
    if not values or encode is None:
        return codec

    def encode_mapped(value: Json, scope: Scope) -> Json:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | bool) and (type(one), one) in values:
                raise CodecUnsupported(NOT_MAPPED)
        return encode(value, scope)

    return replace(codec, encode=encode_mapped)


def check_written(context: Context, name: str, type_: Type, codec: Codec, place: Place) -> None:
    """Check that a codec can write every canonical value of a type."""
    if not _fills(codec.gives, type_.kind):
        message = f"codec {codec.name} writes {codec.gives}, but {name} is of type {type_.kind}: take another"
        context.report(place, "codec-type", message)
    report_unwritable(context, name, unwritable(type_, codec), place)


def report_unwritable(context: Context, name: str, values: Sequence[Json], place: Place) -> None:
    """Report canonical values that a codec, here in use for writing, has no word for."""
    if values:
        told = ", ".join(f"`{value if isinstance(value, str) else json.dumps(value)}`" for value in values)
        message = f"{name} may be {told}, which the table cannot write: add it, or the reason under `unsupported:`"
        context.report(place, "enum-not-total", message)


def check_joined(context: Context, codec: Codec, fields: Sequence[Field], place: Place) -> None:
    """Check that a codec joins these canonical fields, each part written by a codec that takes its type."""
    parts = codec.parts
    if parts is None or len(parts) != len(fields):
        wanted = f"{codec.name} joins {len(parts)} parts" if parts is not None else f"{codec.name} is no join"
        context.report(place, "wrong-parts", f"{wanted}, and `from` names {len(fields)} fields")
        return
    for field, (part, inner) in zip(fields, parts.items(), strict=True):
        kind = field.type.kind
        if inner is None and kind not in _WRITTEN | {"integer"}:
            message = f"part `{part}` needs a codec: {field.name} of type {kind} is neither text nor a whole number"
            context.report(place, "codec-type", message)
        elif inner is not None:
            check_written(context, field.name, field.type, inner, place)


def check_taken_apart(context: Context, argument: Field | None, part: str, inner: Codec | None, place: Place) -> None:
    """Check that a part of a joined text, once taken apart, is of its argument's type."""
    if argument is None or (inner is None and argument.type.kind in _WRITTEN):
        return
    if inner is None:
        message = f"`{part}` is of type {argument.type.kind}: give the part a codec, since what is taken apart is text"
        context.report(place, "codec-type", message)
    else:
        check_codec(context, f"`{part}`", argument.type, inner, place)


def check_taken(context: Context, arguments: Mapping[str, Field], source: str, codec: Codec, place: Place) -> Codec:
    """Check that a codec can write an argument that is taken as it is; give the codec that writes it."""
    found = _ARGUMENT.fullmatch(source)
    first, _, rest = found[1].partition(".") if found is not None else ("", "", "")
    argument = arguments.get(first)
    field = argument.type.field(rest) if argument is not None and rest else argument
    if field is not None and found is not None:
        check_written(context, f"args.{found[1]}", field.type, codec, place)
        return only_mapped(field.type, codec)
    return codec


def check_constant(context: Context, field: Field, value: Json, place: Place) -> None:
    """Check that a constant is a value of a field."""
    try:
        field.accept(value)
    except TypeRefused as refused:
        context.report(place, "wrong-value", f"{field.name} must be {refused}")


def check_tree(context: Context, field: Field, node: Json, place: Place) -> None:
    """Check what a tree builds for a field, as far as it is written out."""
    kind = field.type.kind
    if kind == "any":
        return
    if isinstance(node, str) and "{{" in node:
        whole = node.startswith("{{") and node.endswith("}}") and node.count("{{") == 1
        if not whole and kind not in _WRITTEN:
            context.report(place, "wrong-value", f"{field.name} is of type {kind}, and this builds text")
    elif isinstance(node, list):
        if kind != "list":
            context.report(place, "wrong-value", f"{field.name} is of type {kind}, and this builds a list")
        for index, element in enumerate(node):
            _check_inner(context, field, element, (*place, index))
    elif isinstance(node, dict):
        _check_object(context, field, node, place)
    else:
        check_constant(context, field, node, place)


def _check_inner(context: Context, field: Field, node: Json, place: Place) -> None:
    """Check an element of a list, or a value of a map."""
    if field.type.item is not None:
        check_tree(context, Field(f"an element of {field.name}", field.type.item, True, "", False), node, place)


def _check_object(context: Context, field: Field, node: dict[str, Json], place: Place) -> None:
    word = next((key for key in node if key.startswith("$")), "")
    named = node.get("$fragment")
    if isinstance(named, str) and named in context.fragments.keys() - context.open_fragments:
        with context.inside(named, place):
            check_tree(context, field, context.fragments[named], ("fragments", named))
    for key in ("$optional", "$then", "$else"):
        if key in node:
            check_tree(context, field, node[key], (*place, key))
    builds = _LIST if word == "$for" and "$key" not in node else _BUILDS.get(word)
    if builds is not None and field.type.kind not in builds:
        what = "a list" if builds is _LIST else "text" if builds is _TEXTS else "an object"
        context.report(place, "wrong-value", f"{field.name} is of type {field.type.kind}, and this builds {what}")
    elif word == "$for":
        _check_inner(context, field, node.get("$give"), (*place, "$give"))
    elif not word and field.type.kind == "map":
        for key, inner in node.items():
            _check_inner(context, field, inner, (*place, key))
    elif not word and field.type.fields:
        _check_members(context, field, node, place)


def no_field(owner: str, name: str, fields: Mapping[str, Field]) -> str:
    """Say that a type of the contract has no such field, and which was meant or which there are."""
    head, _, rest = name.partition(".")
    if rest and head in fields and fields[head].type.fields:
        return no_field(f"{owner}.{head}", rest, fields[head].type.fields)
    near = suggestion(name, fields)
    return f"{owner} has no field `{name}`{near or '; it has ' + ', '.join(fields)}"


def check_fields(
    context: Context, owner: str, fields: Mapping[str, Field], node: dict[str, Json], place: Place
) -> None:
    """Check that what stands in an object are fields of its owner, each with a value that fits."""
    for name, inner in node.items():
        field = fields.get(name)
        if field is None:
            message = no_field(owner, name, fields)
            context.report((*place, name), "unknown-field", message, key=True)
        else:
            check_tree(context, field, inner, (*place, name))


def _check_members(context: Context, field: Field, node: dict[str, Json], place: Place) -> None:
    check_fields(context, field.name, field.type.fields, node, place)
    for member in field.type.fields.values():
        if member.required and member.name not in node:
            message = f"{field.name}.{member.name} is required once {field.name} is given"
            context.report(place, "required-field-missing", message)
