"""The types of the language: what functions, codecs and options take and give, and which value is of which kind.

A type is written as the reference shows it: `text`, `list<date>`, `element?` (may be missing), `number|null`. A
declared type is read once, and is what calls are checked against and what a checker of expressions can build on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from gateway.values.secrets import Secret
from gateway.values.truth import MISSING

JSON_KINDS: Final = frozenset({"text", "integer", "number", "boolean", "list", "object"})
"""Kinds that a value of JSON has by itself; every other kind says more of it, or less."""
_WRITTEN: Final = re.compile(r"([a-z_]+)(?:<([a-z_<>|]+)>)?(\|null)?(\?)?")


class Kind(NamedTuple):
    """What messages call it, the test of a value, and the JSON kinds that its values can have (`integer` is a number).

    `text` is among the JSON kinds of `date`: a text may be one, and only its value tells.
    """

    shown: str
    holds: Callable[[object], bool]
    json: frozenset[str]


def _integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: object) -> bool:
    return isinstance(value, str)


_TEXT: Final = frozenset({"text"})
_NUMBER: Final = frozenset({"integer", "number"})

KINDS: Final[Mapping[str, Kind]] = {
    "text": Kind("a text", _text, _TEXT),
    "integer": Kind("a whole number", _integer, frozenset({"integer"})),
    "number": Kind("a number", lambda value: _integer(value) or isinstance(value, float), _NUMBER),
    "boolean": Kind("true or false", lambda value: isinstance(value, bool), frozenset({"boolean"})),
    "list": Kind("a list", lambda value: isinstance(value, list), frozenset({"list"})),
    "object": Kind("an object", lambda value: isinstance(value, dict), frozenset({"object"})),
    # PHP writes {} as []
    "object_or_empty": Kind(
        "an object", lambda value: isinstance(value, dict) or value == [], frozenset({"object", "list"})
    ),
    "instant": Kind("an instant", _text, _TEXT),
    "date": Kind("a date", _text, _TEXT),
    "clock": Kind("a clock time", _text, _TEXT),
    "time_zone": Kind("a time zone", _text, _TEXT),
    "scalar": Kind(
        "a text or a number", lambda value: isinstance(value, str | float) or _integer(value), _TEXT | _NUMBER
    ),
    "piece": Kind(
        "a text or a secret",
        lambda value: isinstance(value, str | Secret) or _integer(value),
        frozenset({"text", "integer"}),
    ),
    "object_or_list": Kind(
        "an object or a list", lambda value: isinstance(value, dict | list), frozenset({"object", "list"})
    ),
    "text_or_list": Kind("a text or a list", lambda value: isinstance(value, str | list), frozenset({"text", "list"})),
    "pattern": Kind("a regular expression, written out", _text, _TEXT),
    "expression": Kind("an expression such as `&id`", callable, frozenset()),
    "any": Kind("a value", lambda value: value is not MISSING and not isinstance(value, Secret), JSON_KINDS),
    "element": Kind("a value", lambda value: value is not MISSING and not isinstance(value, Secret), JSON_KINDS),
    "maybe": Kind("a value or none", lambda value: not isinstance(value, Secret), JSON_KINDS),
}
"""Kinds of values by name. `element` is whatever the list that was given holds, `any` a value nobody can tell before,
`maybe` one that may also be missing, `piece` what may be signed, `expression` a path that is computed of each element,
`pattern` a text that stands in the expression itself, so that it is checked when that is read.
"""


def kind_of(value: object) -> str:
    """Name the kind of a value for messages, which must not hold the value itself."""
    if value is None:
        return "null"
    for kind in ("text", "boolean", "number", "list", "object"):
        if KINDS[kind].holds(value):
            return KINDS[kind].shown
    return "a secret" if isinstance(value, Secret) else "nothing JSON can hold"


def can_be(given: str, wanted: str) -> bool:
    """Tell whether some value of one kind is of the other; where it is not, a call fails whatever it is given."""
    if wanted == "piece" and given in {"number", "integer"}:  # how a number is written is not left to chance
        return False
    return not KINDS[given].json.isdisjoint(KINDS[wanted].json)


@dataclass(frozen=True, slots=True)
class ValueType:
    """The type of a value: its kind, of a list what it holds, and whether it may be null or missing."""

    kind: str
    item: ValueType | None = None
    nullable: bool = False
    optional: bool = False

    @property
    def json(self) -> str | None:
        """The one JSON kind its values have (`number` for both kinds of them); None where there are several."""
        kinds = KINDS[self.kind].json
        if kinds == _NUMBER:
            return "number"
        return next(iter(kinds)) if len(kinds) == 1 else None

    def holds(self, value: object) -> bool:
        """Tell whether a value is of the type; of texts only that they are texts."""
        if value is None and self.nullable:
            return True
        if value is MISSING:
            return self.optional or self.kind == "maybe"
        if not KINDS[self.kind].holds(value):
            return False
        return self.item is None or not isinstance(value, list) or all(map(self.item.holds, value))

    def __str__(self) -> str:
        item = f"<{self.item}>" if self.item is not None else ""
        return f"{self.kind}{item}{'|null' * self.nullable}{'?' * self.optional}"


@cache
def value_type(text: str) -> ValueType:
    """Read a type as it is written. Raises ValueError for what is none, since only declarations are read."""
    found = _WRITTEN.fullmatch(text)
    if found is None or found[1] not in KINDS or (found[2] and found[1] != "list"):
        raise ValueError(f"`{text}` is no type")
    return ValueType(found[1], value_type(found[2]) if found[2] else None, bool(found[3]), bool(found[4]))
