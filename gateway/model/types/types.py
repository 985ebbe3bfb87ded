"""The value types of the contract: what may stand in a field, and its JSON Schema. Nothing here reads a file.

`Type.accept` is a closure built once. It takes what a mapping made of the provider's value and gives the canonical
value, or refuses: `"60"` is no integer and `1` no boolean. What callers send is held to more, in `arguments.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gateway.model.types.scalars import EXPECTED, MAX_ID, SCALARS, Accept, TypeRefused, write
from gateway.values.messages import Json

__all__ = [
    "EXPECTED",
    "NO_RULES",
    "Field",
    "Rules",
    "Type",
    "TypeRefused",
    "enum",
    "list_of",
    "map_of",
    "named",
    "number",
    "object_of",
    "scalar",
    "text",
]


@dataclass(frozen=True, slots=True)
class Rules:
    """What must hold between the fields of an object; names are theirs."""

    intervals: tuple[tuple[str, str], ...] = ()
    """Pairs of instants of which the second must be later."""
    one_of: tuple[tuple[str, ...], ...] = ()
    """Groups of which at least one must be given."""
    not_both: tuple[tuple[str, ...], ...] = ()
    """Groups of which at most one may be given."""


NO_RULES = Rules()


@dataclass(frozen=True, slots=True)
class Type:
    """One type of the contract. `accept` gives the canonical value of a field that is not null, or raises TypeRefused.

    An empty text is accepted as None by every kind that is written as text: providers say "nothing" like that.
    """

    kind: str
    accept: Accept = field(repr=False, compare=False)
    name: str = ""
    """Of a type the contract names, else empty."""
    meaning: str = ""
    item: Type | None = None
    """Of a list its elements, of a map its values."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    minimum: int | None = None
    """Smallest number, or fewest elements of a list."""
    maximum: int | None = None
    """Largest number, most elements of a list, or most characters of a text that a caller sends."""
    multiline: bool = False
    """Whether a text may hold line breaks."""
    pattern: str = ""
    """The whole of a text must match it."""
    rules: Rules = NO_RULES

    def field(self, dotted: str) -> Field | None:
        """Find a field by its dotted name (`price.amount`): of a list that of its elements, of a map any name."""
        if self.kind == "list" and self.item is not None:
            return self.item.field(dotted)
        first, dot, rest = dotted.partition(".")
        found = self.fields.get(first)
        if self.kind == "map" and self.item is not None and first:
            found = Field(first, self.item, required=False, meaning=self.meaning)
        return found.type.field(rest) if found is not None and dot else found

    def names(self) -> frozenset[str]:
        """Give the names of the named types that it is, and that are inside it."""
        inside = [one.type for one in self.fields.values()] + ([self.item] if self.item is not None else [])
        own = {self.name} if self.name else set()
        return frozenset(own.union(*(one.names() for one in inside)))

    def schema(self) -> dict[str, Json]:
        """JSON Schema 2020-12 of a value that is not null; a named type is a reference into the OpenAPI components."""
        if self.name:
            return {"$ref": f"#/components/schemas/{self.name}"}
        return self.definition()

    def definition(self) -> dict[str, Json]:
        """JSON Schema 2020-12 of the type itself, with references only to the named types inside it."""
        described = {"description": self.meaning} if self.meaning else {}
        return described | _SCHEMAS[self.kind](self)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object. A required field is always told; null means "known to be empty"."""

    name: str
    type: Type
    required: bool
    meaning: str
    nullable: bool = True
    holds: tuple[str, ...] = ()
    """Fields beside it of which it tells everything, as a full name tells the first and the last."""
    descriptive: bool = False
    """Whether it only describes: a write that does not keep it has done what was asked for all the same."""
    unkept_by: tuple[str, ...] = ()
    """Kinds of providers of which none is known to keep it: a mapping that says nothing of it says so."""

    def accept(self, value: Json) -> Json:
        """Give the canonical value, null included where the field may be null; raises TypeRefused."""
        if value is not None:
            value = self.type.accept(value)
        if value is None and not self.nullable:
            raise TypeRefused(EXPECTED[self.type.kind] + ", and not empty")
        return value

    def schema(self) -> dict[str, Json]:
        """JSON Schema 2020-12 of the field, with its meaning."""
        inner = self.type.schema()
        return {"description": self.meaning} | (_or_null(inner) if self.nullable else inner)


def climbs(text: str) -> bool:
    """Whether `.` or `..` stands between slashes: in a URL it would name another path (RFC 3986 §5.2.4)."""
    return not {".", ".."}.isdisjoint(re.split(r"[/\\]", text))


def scalar(kind: str) -> Type:
    """Make a type that holds one value and has no parameters."""
    return Type(kind, SCALARS[kind])


def text(*, multiline: bool = False, maximum: int | None = None, pattern: str = "") -> Type:
    """Make a text type; `pattern` is a regular expression for the whole of it."""
    accept = SCALARS["text"]
    if pattern:
        matches = re.compile(pattern).fullmatch
        accept = write(f"a text that matches {pattern}", lambda value: matches(value) is not None)
    return Type("text", accept, multiline=multiline, maximum=maximum, pattern=pattern)


def number(kind: str, minimum: int | None = None, maximum: int | None = None) -> Type:
    """Make an `integer` or `number` type within bounds, both included."""
    plain = SCALARS[kind]

    def accept(value: Json) -> Json:
        accepted = plain(value)
        if (minimum is not None and accepted < minimum) or (maximum is not None and accepted > maximum):
            raise TypeRefused(f"{EXPECTED[kind]}{_bounds(minimum, maximum)}")
        return accepted

    return Type(kind, plain if minimum is None and maximum is None else accept, minimum=minimum, maximum=maximum)


def enum(allowed: tuple[str, ...]) -> Type:
    """Make a type whose values are these texts."""
    known = frozenset(allowed)
    expected = f"one of {', '.join(allowed)}"

    def accept(value: Json) -> Json:
        if not isinstance(value, str) or (value and value not in known):
            raise TypeRefused(expected)
        return value or None

    return Type("enum", accept, allowed=allowed)


def list_of(item: Type, minimum: int | None = None, maximum: int | None = None) -> Type:
    """Make a list type; no element may be null."""
    inner = item.accept

    def accept(value: Json) -> Json:
        if not isinstance(value, list):
            raise TypeRefused(EXPECTED["list"])
        accepted = []
        for index, element in enumerate(value):
            try:
                one = inner(element)
            except TypeRefused as refused:
                raise refused.under(index) from None
            if one is None:
                raise TypeRefused(EXPECTED[item.kind] + ", and not empty", f"/{index}")
            accepted.append(one)
        if len(accepted) < (minimum or 0) or (maximum is not None and len(accepted) > maximum):
            raise TypeRefused(f"a list with a length{_bounds(minimum, maximum)}")
        return accepted

    return Type("list", accept, item=item, minimum=minimum, maximum=maximum)


def map_of(item: Type) -> Type:
    """Make an object type with keys of any name and values of one type; a value may be null."""
    inner = item.accept

    def accept(value: Json) -> Json:
        if not isinstance(value, dict):
            raise TypeRefused(EXPECTED["map"])
        accepted = {}
        for key, element in value.items():
            try:
                accepted[key] = None if element is None else inner(element)
            except TypeRefused as refused:
                # The key is the provider's own word, perhaps somebody's name: it stays out of messages.
                raise refused.under("*") from None
        return accepted

    return Type("map", accept, item=item)


def object_of(fields: tuple[Field, ...], rules: Rules = NO_RULES) -> Type:
    """Make an object type with these fields and no others; without fields, any object as it is."""
    if not fields:
        return Type("object", SCALARS["object"])
    by_name = {one.name: one for one in fields}
    required = tuple(one.name for one in fields if one.required)

    def accept(value: Json) -> Json:
        if not isinstance(value, dict):
            raise TypeRefused(EXPECTED["object"])
        accepted = {}
        for name, element in value.items():
            known = by_name.get(name)
            if known is None:
                raise TypeRefused(f"an object of only {', '.join(by_name)}")
            try:
                accepted[name] = known.accept(element)
            except TypeRefused as refused:
                raise refused.under(name) from None
        for name in required:
            if name not in accepted:
                raise TypeRefused(f"complete: `{name}` is required")
        return accepted

    return Type("object", accept, fields=MappingProxyType(by_name), rules=rules)


def named(type_: Type, name: str, meaning: str) -> Type:
    """Give a type the name it has in the contract."""
    return replace(type_, name=name, meaning=meaning)


def _bounds(minimum: int | None, maximum: int | None) -> str:
    if maximum is None:
        return f" of {minimum} or more"
    return f" from {minimum} to {maximum}" if minimum is not None else f" of {maximum} or less"


def _or_null(schema: dict[str, Json]) -> dict[str, Json]:
    return {"anyOf": [schema, {"type": "null"}]}


def _item(type_: Type) -> Type:
    """Give the type of the elements; only `list_of` and `map_of` make the kinds that are asked."""
    if type_.item is None:
        raise TypeError(f"a {type_.kind} without an element type")
    return type_.item


def _span(type_: Type, smallest: str, largest: str) -> dict[str, Json]:
    lower = {} if type_.minimum is None else {smallest: type_.minimum}
    return lower | ({} if type_.maximum is None else {largest: type_.maximum})


def _object_schema(type_: Type) -> dict[str, Json]:
    if not type_.fields:
        return {"type": "object"}
    required = [one.name for one in type_.fields.values() if one.required]
    return {
        "type": "object",
        "properties": {one.name: one.schema() for one in type_.fields.values()},
        "required": required,
        "additionalProperties": False,
    }


_SCHEMAS: Mapping[str, Callable[[Type], dict[str, Json]]] = {
    "id": lambda _: {"type": "string", "minLength": 1, "maxLength": MAX_ID},
    "text": lambda type_: {"type": "string"} | ({"pattern": f"^(?:{type_.pattern})$"} if type_.pattern else {}),
    "integer": lambda type_: {"type": "integer"} | _span(type_, "minimum", "maximum"),
    "number": lambda type_: {"type": "number"} | _span(type_, "minimum", "maximum"),
    "boolean": lambda _: {"type": "boolean"},
    "instant": lambda _: {"type": "string", "format": "date-time"},
    "date": lambda _: {"type": "string", "format": "date"},
    "clock": lambda _: {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "time_zone": lambda _: {"type": "string"},
    "currency": lambda _: {"type": "string", "pattern": "^[A-Z]{3}$"},
    "email": lambda _: {"type": "string"},
    "url": lambda _: {"type": "string", "format": "uri"},
    "enum": lambda type_: {"type": "string", "enum": list(type_.allowed)},
    "list": lambda type_: {"type": "array", "items": _item(type_).schema()} | _span(type_, "minItems", "maxItems"),
    "map": lambda type_: {"type": "object", "additionalProperties": _or_null(_item(type_).schema())},
    "object": _object_schema,
    "any": lambda _: {},
}
