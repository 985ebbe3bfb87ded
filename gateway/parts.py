"""How a part of the language is declared: a class whose fields are its keys, and what each field says of itself.

From these declarations come the reader, the rules of shape, the reference page, `gateway explain keys` and the JSON
Schema. No key is declared here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType, NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from gateway.document import Place
from gateway.shape import Rules, Shape
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class Takes:
    """Of a type: the language that its texts are in, `path`, `paths`, `template` or `tree`."""

    language: str


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Of a type: what its values must be besides, as rules of cerberus."""

    rules: Mapping[str, Json]


def limits(**rules: Json) -> Limits:
    """Say what the values of a type must be besides."""
    return Limits(rules)


@dataclass(frozen=True, slots=True)
class Unit:
    """Of a type: in which units its texts are, told behind the meaning of each key."""

    told: str


NAME: Final = r"[a-z][a-z0-9_]*"
"""Names that a mapping gives to steps, levels and elements."""
TREE: Final = ("dict", "list", "string", "integer", "float", "boolean")
"""Types of a value that may be a tree."""

Name: TypeAlias = Annotated[str, limits(regex=NAME)]
PathText: TypeAlias = Annotated[str, Takes("path")]
TemplateText: TypeAlias = Annotated[str, Takes("template")]
TemplateTexts: TypeAlias = Annotated[dict[str, Json], Takes("template")]
Tree: TypeAlias = Annotated[Json, Takes("tree")]
TreeObject: TypeAlias = Annotated[dict[str, Json], Takes("tree")]
TreeParams: TypeAlias = Annotated[list[Json] | dict[str, Json], Takes("tree")]
Reasons: TypeAlias = Annotated[dict[str, str], limits(valuesrules={"type": "string", "empty": False})]
"""Texts by name, none of them empty."""
Scalar: TypeAlias = str | int | float | bool
Duration: TypeAlias = Annotated[str, limits(regex=r"[1-9]\d*(ms|s|m|h|d)"), Unit("in ms, s, m, h or d")]
"""How long something takes or is kept: `500ms`, `10s`, `15m`, `1h`, `6d`."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a file: where it stands, in words that fit after its name, its keys, and the class of its nodes.

    `keys` are rules of cerberus, each with `meta: {meaning, takes, example}` for people. `shape` is the same, ready to
    be checked against.
    """

    name: str
    where: str
    keys: Rules
    shape: Shape
    node: type[Node]
    short: str | None
    """The key that a bare value stands for, where a part may be written so."""


@dataclass(frozen=True, slots=True)
class Child:
    """What a key holds: the parts that its value, each value or each element of it is one of."""

    parts: tuple[type[Node], ...]
    one: bool
    """Its value may be such a part itself."""
    each: bool
    """Its value may be an object of such parts by name."""
    listed: bool
    """Its value may be a list of such parts; in an object by name, each of them may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One part of a mapping as it is written: a field for each key, None where the key is not given.

    A node that is not `sound` does not fit the rules of its part, which was told; its fields say nothing.
    """

    part: ClassVar[Part]
    place: Place
    given: frozenset[str]
    """The keys that stand in the file."""
    sound: bool = True

    def __contains__(self, key: str) -> bool:
        return key in self.given


_N = TypeVar("_N", bound=Node)
_META: Final = "key"


def key(meaning: str, *, example: Json = None, default: Json = None, **rules: Json) -> Any:
    """Declare a key: what it means, an example, its default, and rules of cerberus besides those of its type."""
    return dataclasses.field(default=default, metadata={_META: (meaning, example, default, rules)})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key,))
def part(name: str, where: str, *, short: str | None = None) -> Callable[[type[_N]], type[_N]]:
    """Declare the part of this name: its keys are the fields of the class."""

    def declare(declared: type[_N]) -> type[_N]:
        node = cast("type[_N]", dataclass(frozen=True, kw_only=True)(declared))
        keys = {spelled(field.name): _rules(field, hint) for field, hint in _declared(node)}
        node.part = Part(name, where, keys, Shape(keys), node, short)
        return node

    return declare


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key,))
def shared(declared: type[_N]) -> type[_N]:
    """Declare keys that several parts share: those parts are subclasses of the class."""
    return cast("type[_N]", dataclass(frozen=True, kw_only=True)(declared))


def spelled(field: str) -> str:
    """Give the key that a field stands for: a word that Python keeps for itself has `_` behind it there."""
    return field.removesuffix("_")


def parts_of(module: ModuleType) -> Iterator[Part]:
    """Give the parts that a module declares, in their order."""
    for declared in vars(module).values():
        if _is_part(declared) and declared.__module__ == module.__name__ and "part" in vars(declared):
            yield declared.part


@cache
def children(node: type[Node]) -> Mapping[str, Child]:
    """Give the keys of a part that hold other parts."""
    found = {spelled(field.name): _child(hint) for field, hint in _declared(node)}
    return {name: child for name, child in found.items() if child is not None}


def _declared(node: type[Node]) -> Iterator[tuple[dataclasses.Field[Any], Any]]:
    hints = get_type_hints(node, include_extras=True)
    return ((field, hints[field.name]) for field in dataclasses.fields(node) if _META in field.metadata)


def _rules(field: dataclasses.Field[Any], hint: Any) -> Rules:
    """Make cerberus' rules of a key from its type and from what it says of itself."""
    meaning, example, default, given = field.metadata[_META]
    members = [member for member in _members(hint) if member is not NoneType]
    kinds = list(dict.fromkeys(kind for member in members for kind in _kinds(member)))
    rules: dict[str, Json] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    takes = "literal"
    for extra in _extras(hint):
        if isinstance(extra, Takes):
            takes = extra.language
        elif isinstance(extra, Limits):
            rules |= extra.rules
        elif isinstance(extra, Unit):
            meaning = f"{meaning}, {extra.told}"
    for member in members:
        rules |= _inner(member)
    if default is not None:
        rules["default"] = default
    elif len(members) == len(_members(hint)) and not given.get("nullable"):
        rules["required"] = True
    described: Rules = rules | given | {"meta": {"meaning": meaning, "takes": takes, "example": example}}
    return described


def _members(hint: Any) -> list[Any]:
    """Give the members of a union, the type itself where it is none; what is annotated is looked into."""
    if get_origin(hint) is Annotated:
        return _members(get_args(hint)[0])
    if get_origin(hint) in {Union, UnionType}:
        return [inner for member in get_args(hint) for inner in _members(member)]
    return [hint]


def _extras(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        yield from extras
        yield from _extras(inner)
    elif get_origin(hint) in {Union, UnionType}:
        for member in get_args(hint):
            yield from _extras(member)


_KINDS: Final[Mapping[Any, str]] = {
    str: "string",
    int: "integer",
    float: "float",
    bool: "boolean",
    dict: "dict",
    list: "list",
}


def _kinds(member: Any) -> tuple[str, ...]:
    """Name the kinds of cerberus that a type stands for."""
    if member is Any:
        return TREE
    origin = get_origin(member) or member
    if origin is Literal:
        return ("string",)
    if _is_part(origin):
        return ("dict",)
    return (_KINDS[origin],)


def _inner(member: Any) -> dict[str, Json]:
    """Give what a type says of the values inside: the words there are, and the type of elements."""
    origin, inside = get_origin(member), get_args(member)
    if origin is Literal:
        return {"allowed": list(inside)}
    if origin is list and get_origin(inside[0]) is Literal:
        return {"allowed": list(get_args(inside[0]))}
    if origin is list and inside[0] is str:
        return {"schema": {"type": "string"}}
    return {}


def _is_part(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, Node)


def _child(hint: Any) -> Child | None:
    """Say which parts a key of this type holds, and how."""
    one: list[type[Node]] = []
    each: list[type[Node]] = []
    listed: list[type[Node]] = []
    for member in _members(hint):
        origin, inside = get_origin(member), get_args(member)
        if _is_part(member):
            one.append(member)
        elif origin is dict:
            for inner in _members(inside[1]):
                each += [inner] if _is_part(inner) else []
                listed += (
                    [deep for deep in _members(get_args(inner)[0]) if _is_part(deep)]
                    if get_origin(inner) is list
                    else []
                )
        elif origin is list:
            listed += [inner for inner in _members(inside[0]) if _is_part(inner)]
    parts = tuple(dict.fromkeys([*one, *each, *listed]))
    return Child(parts, bool(one), bool(each), bool(listed)) if parts else None
