"""Functions of paths alone: what JMESPath lacks, and those of its own that guess or fail. They only read.

What they share with templates is declared beside its like. What a provider in PHP writes as `[]` is an empty object.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.computation.budget import BudgetSpent
from gateway.mapping.expressions.functions.kind import MAX_TEXT, PATHS, ExpressionFailed, function
from gateway.mapping.expressions.functions.lists import same
from gateway.mapping.expressions.types import kind_of
from gateway.values.messages import Json

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,20})?")


@function("object: object_or_list", "list", 'values(`{"a": 1}`)', [1], only=PATHS)
def values(value: Json) -> list[Json]:
    """The values of an object; a list is its own values, for providers that send either."""
    return list(value) if isinstance(value, list) else list(value.values())


@function("pairs: list<object>", "object", 'from_items(`[{"key": "a", "value": 1}]`)', {"a": 1}, only=PATHS)
def from_items(pairs: Json) -> dict[str, Json]:
    """An object of `[{key, value}]`; of equal keys the last counts."""
    if not all(isinstance(pair, dict) and isinstance(pair.get("key"), str) and "value" in pair for pair in pairs):
        raise ExpressionFailed("`from_items` takes a list of {key, value}")
    return {pair["key"]: pair["value"] for pair in pairs}


@function(
    "elements: list<element>, key: expression",
    "object",
    'index_by(`[{"id": 7}]`, &id)',
    {"7": {"id": 7}},
    only=PATHS,
)
def index_by(elements: list[Json], key: Callable[[Json], Json]) -> dict[str, Json]:
    """An object of a list, each element under the text or whole number that `key` gives; the last counts."""
    return {_key("index_by", key(element)): element for element in elements}


@function(
    "elements: list<element>, key: expression",
    "object",
    'group_by(`[{"a": 1}, {"a": 1}]`, &a)',
    {"1": [{"a": 1}, {"a": 1}]},
    only=PATHS,
)
def group_by(elements: list[Json], key: Callable[[Json], Json]) -> dict[str, Json]:
    """An object of lists: the elements for which `key` gives the same text or whole number."""
    groups: dict[str, list[Json]] = {}
    for element in elements:
        groups.setdefault(_key("group_by", key(element)), []).append(element)
    return dict(groups)


@function(
    "elements: list<element>, key: text, value: any",
    "object|null",
    "find_by(`[{\"id\": 7}]`, 'id', `7`)",
    {"id": 7},
    only=PATHS,
)
def find_by(elements: list[Json], key: str, value: Json) -> Json:
    """The first object of a list whose `key` is `value`, else null."""
    for element in elements:
        if isinstance(element, dict) and key in element and same(element[key], value):
            return element
    return None


@function("first: list, second: list", "list<list>", "zip(`[1]`, `[2]`)", [[1, 2]], only=PATHS)
def zip_(first: list[Json], second: list[Json]) -> list[Json]:
    """The pairs of two lists of the same length."""
    if len(first) != len(second):
        raise ExpressionFailed("`zip` takes a list as long as the first as `second`")
    return [[one, other] for one, other in zip(first, second, strict=True)]


@function("subject: text_or_list, search: any", "boolean", "contains('abc', 'b')", result=True, only=PATHS)
def contains(subject: Json, search: Json) -> bool:
    """Whether a list has the element, or a text the text; jmespath's own fails on `contains('a', `1`)`."""
    if isinstance(subject, str):
        return isinstance(search, str) and search in subject
    return any(same(element, search) for element in subject)


@function("separator: text, texts: list<text>", "text", 'join(\',\', `["a", "b"]`)', "a,b", only=PATHS)
def join(separator: str, texts: list[Json]) -> str:
    """The texts of a list as one text, with the separator between them."""
    for text in texts:
        if not isinstance(text, str):
            raise ExpressionFailed(f"`join` takes a list of texts, not with {kind_of(text)} in it")
    if len(separator) * len(texts) + sum(map(len, texts)) > MAX_TEXT:
        raise BudgetSpent(f"makes a text of more than {MAX_TEXT:,} characters")
    return separator.join(texts)


@function("value: any", "number|null", "to_number('12')", 12, only=PATHS)
def to_number(value: Json) -> Json:
    """A plain decimal text as a number, a number as it is, else null; jmespath's own also takes `1_000` and `nan`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return float(found[0]) if found[1] else int(found[0])


def _key(name: str, value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ExpressionFailed(f"`{name}` takes a key that is a text or a whole number, not {kind_of(value)}")
