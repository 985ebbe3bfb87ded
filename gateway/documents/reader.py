"""What people wrote, read as nodes of declared parts: each checked against its shape, with everything inside it.

Nothing here knows a part. Whoever reads says how a shape is checked, and where findings go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from gateway.documents.part_rules import Choice, exactly_one_of
from gateway.documents.parts import Child, Node, Part
from gateway.documents.schema_check import Shape
from gateway.documents.yaml import Place
from gateway.values.messages import Json


class Judge(Protocol):
    """Tells what is wrong with a file."""

    def fits(self, shape: Shape, raw: Json, place: Place) -> Mapping[str, Json] | None:
        """Hold a value against a shape: its keys with defaults put in; None, and findings, when it does not fit."""

    def shared(self, raw: Json, place: Place) -> tuple[Json, Place]:
        """Give what stands for a value that is written once and used by name, and where; any other value as it is."""

    def report(self, place: Place, code: str, message: str, *, key: bool = False) -> None:
        """Tell one thing that is wrong at a place, or with the key there."""


_N = TypeVar("_N", bound=Node)


def read_part(kind: type[_N], raw: Json, place: Place, judge: Judge) -> _N:
    """Read what stands at a place as a node of one part, and all that is inside it.

    What does not fit is told to the judge; such a node is not `sound`, and the others are read all the same. Keys that
    are wrong with each other are told as well, and leave it sound.
    """
    part = kind.part
    raw, place = judge.shared(raw, place)
    bare = part.short if not isinstance(raw, dict) else None
    written = raw if bare is None else {bare: raw}  # whoever knows what a bare value means says whether it fits
    written, places = _resolve(part, written, place, judge)
    shape = judge.fits(part.shape, written, place) if bare is None else written
    given = frozenset(map(str, written)) if isinstance(written, dict) else frozenset[str]()
    for broken in (broken for rule in part.rules for broken in rule(given)) if shape is not None else ():
        at = place if broken.key is None else (*place, broken.key)
        judge.report(at, broken.code, broken.message, key=broken.key is not None)
    fields: dict[str, Json] = {}
    for key, value in shape.items() if shape is not None else ():
        child = part.children.get(key)
        where = places.get(key, (*place, key))
        fields[part.fields[key]] = value if child is None else read_inside(child, value, where, judge)
    return _node(kind, raw, place, given, fields, sound=shape is not None)


def _resolve(part: Part, written: Json, place: Place, judge: Judge) -> tuple[Json, dict[str, Place]]:
    """Put what is used by name into its place, but for trees, which are evaluated with names of their own."""
    if not isinstance(written, dict):
        return written, {}
    made, places = dict(written), dict[str, Place]()
    for key, value in written.items():
        if not isinstance(value, dict) or key not in part.keys or part.keys[key]["meta"]["takes"] == "tree":
            continue
        made[key], where = judge.shared(value, (*place, key))
        if where != (*place, key):
            places[key] = where
    return (made, places) if places else (written, places)


def _node(
    kind: type[_N], raw: Json, place: Place, given: frozenset[str], read: Mapping[str, Json], *, sound: bool
) -> _N:
    """Make a node of what is read; of a key that is not given, the field has the default."""
    part, node = kind.part, kind.__new__(kind)
    fields: dict[str, Json] = dict.fromkeys(part.fields.values())
    fields |= {part.fields[key]: value for key, value in part.shape.defaults.items()}
    fields |= read
    all_sound = sound and all(inner.all_sound for value in fields.values() for inner in _nodes(value))
    vars(node).update(fields, raw=raw, place=place, given=given, sound=sound, all_sound=all_sound)
    return node


def _nodes(value: Json) -> Iterator[Node]:
    """Give the nodes that a field holds: itself, or its elements and members."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _nodes(inner)


def read_inside(child: Child, value: Json, place: Place, judge: Judge) -> Json:
    """Read what a key holds that may hold other parts."""
    if isinstance(value, list) and child.listed:
        return _elements(child, value, place, judge)
    if isinstance(value, dict) and child.each:
        return {name: _member(child, one, (*place, name), judge) for name, one in value.items()}
    if isinstance(value, dict) and child.one:
        return _one_of(child, value, place, judge)
    return value


def _elements(child: Child, listed: list[Json], place: Place, judge: Judge) -> list[Json]:
    """Read a list; one that is used by name inside it gives its own elements there."""
    read: list[Json] = []
    for index, one in enumerate(listed):
        value, where = judge.shared(one, (*place, index))
        if isinstance(value, list) and where != (*place, index):
            read += _elements(child, value, where, judge)
        else:
            read.append(_element(child, value, where, judge))
    return read


def _member(child: Child, value: Json, place: Place, judge: Judge) -> Json:
    value, place = judge.shared(value, place)
    if isinstance(value, list) and child.listed:
        return _elements(child, value, place, judge)
    return _one_of(child, value, place, judge)


def _element(child: Child, value: Json, place: Place, judge: Judge) -> Json:
    return value if child.texts and isinstance(value, str) else _one_of(child, value, place, judge)


def _one_of(child: Child, value: Json, place: Place, judge: Judge) -> Node:
    """Read one of several parts: that whose telling key is given, else the first that has none."""
    value, place = judge.shared(value, place)
    keys = value.keys() if isinstance(value, dict) else ()
    told = [kind for kind in reversed(child.parts) if kind.part.known_by in keys]
    plain = [kind for kind in child.parts if kind.part.known_by is None]
    meant = (*told, *plain, *child.parts)[0]
    if child.choice is None or not isinstance(value, dict):
        return read_part(meant, value, place, judge)
    if len(told) > 1 or not (told or plain):
        telling = [kind.part.known_by or "" for kind in child.parts]
        judge.report(place, child.choice.code, exactly_one_of(child.choice.what, telling))
        return _node(meant, value, place, frozenset(map(str, value)), {}, sound=False)
    return read_part(meant, _own(child, child.choice, meant, value, place, judge), place, judge)


def _own(
    child: Child, choice: Choice, meant: type[Node], value: Mapping[str, Json], place: Place, judge: Judge
) -> Json:
    """Give what is written, without what only another of the parts has, which is told."""
    others = {key for kind in child.parts for key in kind.part.keys} - meant.part.keys.keys()
    code, message = choice.stranger
    for key in (key for key in value if key in others):
        judge.report((*place, key), code, message.format(key=key, told=meant.part.known_by), key=True)
    return {key: one for key, one in value.items() if key not in others}
