"""What people wrote, read as nodes of declared parts: each checked against its shape, with everything inside it.

Nothing here knows a part. Whoever reads says how a shape is checked, and where its findings go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from gateway.document import Place
from gateway.parts import Child, Node
from gateway.shape import Shape
from gateway.values.messages import Json

Check: TypeAlias = Callable[[Shape, Json, Place], Mapping[str, Json] | None]
"""Holds a value against a shape: its keys with defaults put in; None, and findings, when it does not fit."""
_N = TypeVar("_N", bound=Node)


def read_part(kind: type[_N], raw: Json, place: Place, check: Check) -> _N:
    """Read what stands at a place as a node of one part, and all that is inside it.

    What does not fit is told by `check`; such a node is not `sound`, and the others are read all the same.
    """
    part = kind.part
    bare = part.short if not isinstance(raw, dict) else None
    written = raw if bare is None else {bare: raw}  # whoever knows what a bare value means says whether it fits
    shape = check(part.shape, written, place) if bare is None else written
    node = kind.__new__(kind)
    fields: dict[str, Json] = dict.fromkeys(part.fields.values())
    fields |= {part.fields[key]: value for key, value in part.shape.defaults.items()}
    given = frozenset(map(str, written)) if isinstance(written, dict) else frozenset[str]()
    for key, value in shape.items() if shape is not None else ():
        child = part.children.get(key)
        fields[part.fields[key]] = value if child is None else _inside(child, value, (*place, key), check)
    all_sound = shape is not None and all(inner.all_sound for value in fields.values() for inner in _nodes(value))
    vars(node).update(fields, raw=raw, place=place, given=given, sound=shape is not None, all_sound=all_sound)
    return node


def _nodes(value: Json) -> Iterator[Node]:
    """Give the nodes that a field holds: itself, or its elements and members."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _nodes(inner)


def _inside(child: Child, value: Json, place: Place, check: Check) -> Json:
    """Read what a key holds that may hold other parts."""
    if isinstance(value, list) and child.listed:
        return [_element(child, one, (*place, index), check) for index, one in enumerate(value)]
    if isinstance(value, dict) and child.each:
        return {name: _member(child, one, (*place, name), check) for name, one in value.items()}
    if isinstance(value, dict) and child.one:
        return _one_of(child, value, place, check)
    return value


def _member(child: Child, value: Json, place: Place, check: Check) -> Json:
    if isinstance(value, list) and child.listed:
        return [_element(child, one, (*place, index), check) for index, one in enumerate(value)]
    return _one_of(child, value, place, check)


def _element(child: Child, value: Json, place: Place, check: Check) -> Json:
    return value if child.texts and isinstance(value, str) else _one_of(child, value, place, check)


def _one_of(child: Child, value: Json, place: Place, check: Check) -> Node:
    """Read one of several parts: that whose telling key is given, else the first that has none."""
    first, *others = child.parts
    keys = value.keys() if isinstance(value, dict) else ()
    told = next((kind for kind in reversed(child.parts) if kind.part.known_by in keys), None)
    plain = next((kind for kind in (first, *others) if kind.part.known_by is None), first)
    return read_part(told or plain, value, place, check)
