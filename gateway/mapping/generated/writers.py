"""The writing of a record, written out as one function of a canonical object (`runtime/writing.py`, the meaning)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.mapping.generated.codecs import encoding, is_settled, memory
from gateway.mapping.generated.names import FIELDS
from gateway.mapping.generated.source import Source
from gateway.mapping.nodes.trees import Embedded, FieldPlan, FromPath, RecordPlan
from gateway.mapping.runtime.writing import lay, put_at

_OBJECT: Final = "value"
"""What the function calls the canonical object that it is given."""
Inner = Callable[[Source, RecordPlan], str]
"""Gives the name by which a function knows that of another record."""


def write_writing(record: RecordPlan, inner: Inner) -> Source:
    """Write the function that writes an object. Raises TooLong."""
    source = Source()
    source.stop_where(f"{_OBJECT}.__class__ is not dict")
    source.add("found = {}")
    for line in record.writes:
        source.note(f"{line.origin}  {line.text} ← {line.name}{f' as {line.codec}' if line.codec else ''}")
        _line(source, record, line, inner)
    source.add("return found")
    return source


def _line(source: Source, record: RecordPlan, line: FieldPlan, inner: Inner) -> None:
    """Write one field: what is absent is left out, null is what the provider wants for it."""
    held = _OBJECT
    for key in line.path:
        found = source.name(key)
        got = f"{held}.get({source.constant(key)}, MISSING)"
        source.add(f"{found} = {got} if {held}.__class__ is dict else MISSING")
        held = found
    with source.block(f"if {held} is not None and {held} is not MISSING:"):
        match line.source:
            case FromPath():
                _paths(source, line.source, held)
            case Embedded():
                written = source.name("written")
                source.add(f"{written} = {inner(source, line.source.record)}({held}, scope)")
                source.stop_where(f"{written} is STOP")
                for step in reversed(line.source.path.steps or ()):
                    source.add(f"{written} = {{{source.constant(step)}: {written}}}")
                source.add(f"{source.bind('lay', lay)}(found, {written})")
            case _:
                source.add("pass")
    if record.null_as is not None and not line.embeds:
        with source.block(f"elif {held} is None:"):
            source.add("pass")
            for target in line.targets:
                _put(source, target, source.constant(record.null_as))


def _paths(source: Source, held: FromPath, value: str) -> None:
    """Write a value to where it is read, or its parts to several places."""
    codec = held.codec
    if codec is not None and is_settled(codec):
        source.inline += 1
        encode = source.cell("encode", codec, lambda scope: encoding(codec, scope))
        known = memory(source, "encoded", codec, encoding, codec.uses)
        encoded = source.name("encoded")
        source.add(f"{encoded} = {known}[{value}] if {value}.__class__ is str else {encode}({value})")
        value = encoded
    elif codec is not None:
        source.asked += 1
        encoded = source.name("encoded")
        names = f"{{**scope, 'row': {{}}, '{FIELDS}': {_OBJECT}}}"
        source.add(f"{encoded} = {source.bind('encode', codec.encode)}({value}, {names})")
        value = encoded
    if len(held.paths) == 1:
        _put(source, held.paths[0].steps or (), value)
        return
    parts = source.name("parts")
    source.add(f"{parts} = list({value}.values()) if {value}.__class__ is dict else {value}")
    source.stop_where(f"{parts}.__class__ is not list or len({parts}) != {len(held.paths)}")
    for at, path in enumerate(held.paths):
        _put(source, path.steps or (), f"{parts}[{at}]")


def _put(source: Source, target: tuple[str, ...], value: str) -> None:
    """Write that a value stands at a place of the provider's object."""
    if len(target) == 1:
        source.add(f"found[{source.constant(target[0])}] = {value}")
    else:
        source.add(f"{source.bind('put_at', put_at)}(found, {source.bind('keys', target)}, {value})")
