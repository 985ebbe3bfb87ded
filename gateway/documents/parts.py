"""How a part of the language is declared: a class whose fields are its keys, and what each field says of itself.

From these declarations come the reader, the rules of shape, the reference page, `gateway explain keys` and the JSON
Schema. No key is declared here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
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
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from gateway.documents.part_rules import Choice, Rule
from gateway.documents.schema_check import Rules, Shape
from gateway.documents.yaml import Place
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class Takes:
    """Of a type: the language of its texts, `path`, `paths`, `template`, `tree` or `condition` (a path on `on`)."""

    language: str
    on: str = ""


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


@dataclass(frozen=True, slots=True)
class Names:
    """Of a type: that its texts name something, such as `operation`, `error`, `resource` or `codec`."""

    kind: str


NAME: Final = r"[a-z][a-z0-9_]*"
"""Names that a mapping gives to steps, levels and elements."""
TREE: Final = ("dict", "list", "string", "integer", "float", "boolean")
"""Types of a value that may be a tree."""

Name: TypeAlias = Annotated[str, limits(regex=NAME)]
PathText: TypeAlias = Annotated[str, Takes("path")]
TemplateText: TypeAlias = Annotated[str, Takes("template")]
ConditionText: TypeAlias = Annotated[str, Takes("condition")]
"""What decides: a template on names, and where data is at hand, as for those below, a path on it."""
OnBody: TypeAlias = Annotated[str, Takes("condition", "body")]
OnRow: TypeAlias = Annotated[str, Takes("condition", "row")]
OnElement: TypeAlias = Annotated[str, Takes("condition", "element")]
OnMessage: TypeAlias = Annotated[str, Takes("condition", "message")]
Tree: TypeAlias = Annotated[Json, Takes("tree")]
TreeObject: TypeAlias = Annotated[dict[str, Json], Takes("tree")]
TreeParams: TypeAlias = Annotated[list[Json] | dict[str, Json], Takes("tree")]
Reasons: TypeAlias = Annotated[dict[str, str], limits(valuesrules={"type": "string", "empty": False})]
"""Texts by name, none of them empty."""
OperationName: TypeAlias = Annotated[str, Names("operation")]
ErrorCode: TypeAlias = Annotated[str, Names("error")]
CodecSpec: TypeAlias = Annotated[str | dict[str, Json], Names("codec")]
"""A codec by name, or an object that says how it reads."""
Scalar: TypeAlias = str | int | float | bool
Duration: TypeAlias = Annotated[str, limits(regex=r"[1-9]\d*(ms|s|m|h|d)"), Unit("in ms, s, m, h or d")]
"""How long something takes or is kept: `500ms`, `10s`, `15m`, `1h`, `6d`."""


@dataclass(frozen=True)
class Part:
    """One part of a file: its name, where it stands, in words that fit after its name, and the class of its nodes."""

    name: str
    where: str
    node: type[Node]
    short: str | None
    """The key that a bare value stands for, where a part may be written so."""
    known_by: str | None
    """The key that tells it from the other parts that may stand in the same place."""
    rules: tuple[Rule, ...]
    """What its keys must be with each other."""

    @cached_property
    def declared(self) -> tuple[tuple[str, _Key, Any], ...]:
        """Each field of its nodes that is a key: name, what it says of itself, and type. Types are read once."""
        return tuple(_declare(self.node))

    @cached_property
    def keys(self) -> Rules:
        """Rules of cerberus for each key, with `meta: {meaning, takes, example}` for people."""
        return {key_name(name): _rules(declared, hint) for name, declared, hint in self.declared}

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Each key, and the field of a node that it is read into."""
        return {key_name(name): name for name, _, _ in self.declared}

    @cached_property
    def shape(self) -> Shape:
        """The same, ready to be checked against."""
        return Shape(self.keys)

    @cached_property
    def children(self) -> Mapping[str, Child]:
        """The keys that hold other parts."""
        found = {key_name(name): _child(hint) for name, _, hint in self.declared}
        return {name: child for name, child in found.items() if child is not None}


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
    texts: bool
    """Elements of the list may be texts besides."""
    choice: Choice | None
    """What is told where it is not clear which of the parts is meant; None: it is the first that tells nothing."""


class Node:
    """One part of a file as it is written: a field for each key, None where the key is not given.

    A node that is not `sound` does not fit the rules of its part, which was told; its fields say nothing.
    """

    part: ClassVar[Part]
    place: Place
    raw: Json
    """What stands in the file."""
    given: frozenset[str]
    """The keys that stand there."""
    sound: bool
    all_sound: bool
    """Whether it and all that is inside is sound."""

    def __contains__(self, key: str) -> bool:
        return key in self.given

    def __getitem__(self, key: str) -> Json:
        return getattr(self, self.part.fields[key])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is read, and never written")


@dataclass(frozen=True, slots=True)
class _Key:
    """What a field says of its key."""

    meaning: str
    example: Json
    default: Json
    rules: Mapping[str, Json]


_N = TypeVar("_N", bound=Node)


def key(meaning: str, *, example: Json = None, default: Json = None, **rules: Json) -> Any:
    """Declare a key: what it means, an example, its default, and rules of cerberus besides those of its type."""
    return _Key(meaning, example, default, rules)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key,))
def part(
    name: str, where: str, *rules: Rule, short: str | None = None, known_by: str | None = None
) -> Callable[[type[_N]], type[_N]]:
    """Declare the part of this name: its keys are the fields of the class, which must be so with each other."""

    def declare(node: type[_N]) -> type[_N]:
        node.part = Part(name, where, node, short, known_by, rules)
        return node

    return declare


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key,))
def share(node: type[_N]) -> type[_N]:
    """Declare keys that several parts share: those parts are subclasses of the class."""
    return node


def key_name(field: str) -> str:
    """Give the key that a field stands for: a word that Python keeps for itself has `_` behind it there."""
    return field.removesuffix("_")


def parts_in(module: ModuleType) -> Iterator[Part]:
    """Give the parts that a module declares, in their order."""
    for declared in vars(module).values():
        if _is_part(declared) and declared.__module__ == module.__name__ and "part" in vars(declared):
            yield declared.part


def _declare(node: type[Node]) -> Iterator[tuple[str, _Key, Any]]:
    """Give the fields of a class that are keys: name, declaration, and type. Those it inherits stand first."""
    hints = get_type_hints(node, include_extras=True)
    names = dict.fromkeys(name for base in reversed(node.__mro__) for name in vars(base))
    for name in names:
        declared = getattr(node, name)
        if isinstance(declared, _Key):
            yield name, declared, hints[name]


def _rules(declared: _Key, hint: Any) -> Rules:
    """Make cerberus' rules of a key from its type and from what it says of itself."""
    meaning, default, given = declared.meaning, declared.default, dict(declared.rules)
    members = [member for member in _members(hint) if member is not NoneType]
    kinds = list(dict.fromkeys(kind for member in members for kind in _kinds(member)))
    rules: dict[str, Json] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    takes, names = "literal", dict[str, str]()
    for extra in _extras(hint):
        if isinstance(extra, Takes):
            takes = extra.language
            names |= {"on": extra.on} if extra.on else {}
        elif isinstance(extra, Limits):
            rules |= extra.rules
        elif isinstance(extra, Names):
            names["names"] = extra.kind
        elif isinstance(extra, Unit):
            meaning = f"{meaning}, {extra.told}"
    for member in members:
        rules |= _inner(member)
        names |= _named_keys(member)
    if default is not None:
        rules["default"] = default
    elif len(members) == len(_members(hint)) and not given.get("nullable"):
        rules["required"] = True
    about = {"meaning": meaning, "takes": takes, "example": declared.example}
    described: Rules = rules | given | {"meta": about | names}
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


def _named_keys(member: Any) -> dict[str, str]:
    """Say what the keys of an object name, or the elements of a list."""
    word = {dict: "keys", list: "names"}.get(get_origin(member) or member)
    named = _extras(get_args(member)[0]) if word is not None and get_args(member) else ()
    kinds = [extra.kind for extra in named if isinstance(extra, Names)]
    return {word: kinds[0]} if word is not None and kinds else {}


def _inner(member: Any) -> dict[str, Json]:
    """Give what a type says of the values inside: the words there are, and the type of elements."""
    origin, inside = get_origin(member), get_args(member)
    if origin is Literal:
        return {"allowed": list(inside)}
    if origin is list and get_origin(inside[0]) is Literal:
        return {"allowed": list(get_args(inside[0]))}
    if origin is list and _members(inside[0]) == [str]:
        return {"schema": {"type": "string"}}
    return {}


def _is_part(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, Node)


def _child(hint: Any) -> Child | None:
    """Say which parts a key of this type holds, and how."""
    members = _members(hint)
    lists = [member for member in members if get_origin(member) is list]
    values = [inner for member in members if get_origin(member) is dict for inner in _members(get_args(member)[1])]
    lists += [inner for inner in values if get_origin(inner) is list]
    elements = [inner for member in lists for inner in _members(get_args(member)[0])]
    one, each, listed = ([inner for inner in found if _is_part(inner)] for found in (members, values, elements))
    parts = tuple(dict.fromkeys([*one, *each, *listed]))
    choice = next((extra for extra in _inside(hint) if isinstance(extra, Choice)), None)
    return Child(parts, bool(one), bool(each), bool(listed), str in elements, choice) if parts else None


def _inside(hint: Any) -> Iterator[Any]:
    """Give all that a type says, of itself and of what it holds."""
    for inner in get_args(hint):
        yield inner
        yield from _inside(inner)
