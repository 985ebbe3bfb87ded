"""Functions of lists and objects. They give new values and change none; what is not found is missing, not null."""

from __future__ import annotations

from json import dumps
from typing import Any, Final

from gateway.computation.budget import remember
from gateway.mapping.expressions.functions.intervals import Intervals
from gateway.mapping.expressions.functions.kind import TEMPLATES, ExpressionFailed, function
from gateway.mapping.expressions.sizes import check_length, check_size
from gateway.mapping.expressions.types import KINDS, kind_of
from gateway.values.messages import Json
from gateway.values.truth import MISSING

_MOST_NUMBERS: Final = 10_000


def _numbers(name: str, values: list[Json]) -> list[Any]:
    for value in values:
        if not KINDS["number"].holds(value):
            raise ExpressionFailed(f"`{name}` takes a list of numbers, not with {kind_of(value)} in it")
    return values


def _sortable(name: str, values: list[Json]) -> list[Any]:
    """Check that the values have an order: all of them texts, or all numbers."""
    if not all(isinstance(value, str) for value in values) and not all(
        KINDS["number"].holds(value) for value in values
    ):
        raise ExpressionFailed(f"`{name}` takes texts, or numbers, not both and nothing else")
    return values


def same(one: Json, other: Json) -> bool:
    """Compare two values as JSON does: true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def distinct(values: list[Json]) -> list[Json]:
    """Give the values without repetitions, in order of their first appearance."""
    check_size(values)  # nested ones are written
    kept: dict[tuple[bool, Json] | str, Json] = {}
    for value in values:
        nested = isinstance(value, dict | list)
        kept.setdefault(dumps(value, sort_keys=True) if nested else (isinstance(value, bool), value), value)
    return list(kept.values())


def _objects(name: str, values: list[Json]) -> list[dict[str, Json]]:
    for value in values:
        if not isinstance(value, dict):
            raise ExpressionFailed(f"`{name}` takes a list of objects, not with {kind_of(value)} in it")
    return values


@function("values: list<element>", "element?", "first([1, 2])", 1)
def first(values: list[Json]) -> Any:
    """The first element; missing when there is none."""
    return values[0] if values else MISSING


@function("values: list<element>", "element?", "last([1, 2])", 2)
def last(values: list[Json]) -> Any:
    """The last element; missing when there is none."""
    return values[-1] if values else MISSING


@function("value: any", "integer", "length([1, 2])", 2, only=TEMPLATES)
def length(value: Json) -> int:
    """How many elements a list, keys an object, characters a text has."""
    if not isinstance(value, list | dict | str):
        raise ExpressionFailed(f"`length` takes a list, an object or a text, not {kind_of(value)}")
    return len(value)


@function("value: any, element: any", "boolean", "['a', 'b'] | contains('a')", result=True, only=TEMPLATES)
def contains(value: Json, element: Json) -> bool:
    """Whether a list has the element, an object the key, a text the text."""
    if isinstance(value, list):
        return any(same(held, element) for held in value)
    if isinstance(value, dict | str) and isinstance(element, str):
        return element in value
    raise ExpressionFailed(f"`contains` does not look for {kind_of(element)} in {kind_of(value)}")


@function("values: list<element>", "list<element>", "unique(['a', 'b', 'a'])", ["a", "b"])
def unique(values: list[Json]) -> list[Json]:
    """The elements without repetitions, in order of their first appearance."""
    return distinct(values)


@function("values: list<element>", "list<element>", "compact([1, none])", [1])
def compact(values: list[Json]) -> list[Json]:
    """The elements that are not null."""
    return [value for value in values if value is not None]


@function("values: list<list>", "list", "flatten([[1], [2, 3]])", [1, 2, 3])
def flatten(values: list[Json]) -> list[Json]:
    """The elements of a list of lists, one level deep."""
    for value in values:
        if not isinstance(value, list):
            raise ExpressionFailed(f"`flatten` takes a list of lists, not with {kind_of(value)} in it")
    check_length(sum(map(len, values)))
    return [element for value in values for element in value]


@function("values: list<element>, size: integer", "list<list>", "chunks([1, 2, 3], 2)", [[1, 2], [3]])
def chunks(values: list[Json], size: int) -> list[Json]:
    """The elements in lists of so many, in order; the last may be shorter."""
    if size < 1:
        raise ExpressionFailed("`chunks` takes a size of 1 or more")
    return [values[at : at + size] for at in range(0, len(values), size)]


@function("first: integer, last: integer, step: integer?", "list<integer>", "range(0, 100, 25)", [0, 25, 50, 75])
def range_(first: int, last: int, step: int = 1) -> list[Json]:
    """Whole numbers from the first on and before the last, every so many (1; below zero downward). At most 10,000."""
    if step == 0:
        raise ExpressionFailed("`range` takes a step other than 0")
    if -((first - last) // step) > _MOST_NUMBERS:
        raise ExpressionFailed(f"`range` gives at most {_MOST_NUMBERS:,} numbers")
    numbers: list[Json] = list(range(first, last, step))
    check_length(len(numbers))
    return numbers


@function("values: list<element>", "list<element>", "sort(['b', 'a'])", ["a", "b"], only=TEMPLATES)
def sort(values: list[Json]) -> list[Json]:
    """Texts or numbers in ascending order."""
    return sorted(_sortable("sort", values))


@function(
    "values: list<object>, key: text",
    "list<object>",
    "[{'a': 2}, {'a': 1}] | sort_by('a')",
    [{"a": 1}, {"a": 2}],
    only=TEMPLATES,
)
def sort_by(values: list[Json], key: str) -> list[Json]:
    """Objects in ascending order of what they hold under the key."""
    _sortable("sort_by", pluck.call(values, key))
    ordered: list[Json] = sorted(values, key=lambda value: value[key])
    return ordered


@function("values: list<number>", "number", "sum([1, 2.5])", 3.5, only=TEMPLATES)
def sum_(values: list[Json]) -> Json:
    """The sum of numbers; of none, 0."""
    return sum(_numbers("sum", values))


@function("values: list<element>", "element?", "min([2, 1])", 1, only=TEMPLATES)
def min_(values: list[Json]) -> Any:
    """The least of texts or numbers (of instants only when they have the same offset); missing when there is none."""
    return min(_sortable("min", values)) if values else MISSING


@function("values: list<element>", "element?", "max([2, 1])", 2, only=TEMPLATES)
def max_(values: list[Json]) -> Any:
    """The greatest of texts or numbers (of instants as with `min`); missing when there is none."""
    return max(_sortable("max", values)) if values else MISSING


@function("values: list", "boolean", "any([false, true])", result=True)
def any_(values: list[Json]) -> bool:
    """Whether one of them is true."""
    return any(value is True for value in values)


@function("values: list", "boolean", "all([false, true])", result=False)
def all_(values: list[Json]) -> bool:
    """Whether each of them is true."""
    return all(value is True for value in values)


@function("object: object_or_empty", "list<text>", "keys({'a': 1})", ["a"])
def keys(held: Json) -> list[Json]:
    """The keys of an object; `[]` is an empty one, as in the next words."""
    return list(held)


@function("object: object_or_empty", "list", "values({'a': 1})", [1], only=TEMPLATES)
def values(held: Json) -> list[Json]:
    """The values of an object."""
    return list(dict(held).values())


@function("object: object_or_empty", "list<object>", "items({'a': 1})", [{"key": "a", "value": 1}])
def items(held: Json) -> list[Json]:
    """The pairs of an object as `{key, value}`."""
    return [{"key": key, "value": value} for key, value in dict(held).items()]


@function("object: object_or_empty, key: any, instead: maybe?", "any?", "{'a': 1} | get('b', 0)", 0)
def get(held: Json, key: Json, instead: Any = MISSING) -> Any:
    """What the object holds under a computed key (nothing under null); else `instead`, or missing."""
    if key is not None and not isinstance(key, str):
        raise ExpressionFailed(f"`get` takes a text as `key`, not {kind_of(key)}")
    return dict(held).get(key, instead)


@function("objects: list<object>, key: text, value: any", "object?", "[{'id': '7'}] | find('id', '7')", {"id": "7"})
def find(objects: list[Json], key: str, value: Json) -> Any:
    """The first object that holds the value under the key; missing when there is none."""
    return next((held for held in _objects("find", objects) if key in held and same(held[key], value)), MISSING)


@function(
    "objects: list<object>, key: text, value: any", "list<object>", "[{'a': 1}, {'a': 2}] | where('a', 2)", [{"a": 2}]
)
def where(objects: list[Json], key: str, value: Json) -> list[Json]:
    """The objects that hold the value under the key."""
    return [held for held in _objects("where", objects) if key in held and same(held[key], value)]


@function(
    "objects: list<object>, key: text, value: any", "list<object>", "[{'a': 1}, {'a': 2}] | without('a', 2)", [{"a": 1}]
)
def without(objects: list[Json], key: str, value: Json) -> list[Json]:
    """The objects that do not hold the value under the key."""
    return [held for held in _objects("without", objects) if key not in held or not same(held[key], value)]


@function("objects: list<object>, key: text", "list", "[{'id': '7'}, {'id': '8'}] | pluck('id')", ["7", "8"])
def pluck(objects: list[Json], key: str) -> list[Json]:
    """What each object holds under the key; one without it is refused."""
    if not all(key in held for held in _objects("pluck", objects)):
        raise ExpressionFailed("`pluck` takes objects that all have the key")
    return [held[key] for held in objects]


@function(
    "objects: list<object>, key: text", "object", "[{'id': '7'}] | index_by('id')", {"7": {"id": "7"}}, only=TEMPLATES
)
def index_by(objects: list[Json], key: str) -> dict[str, Json]:
    """An object that holds each object under its text or whole number at the key; the last counts."""
    index: dict[str, Json] = {}
    for held in _objects("index_by", objects):
        named = held.get(key)
        if not isinstance(named, str) and not KINDS["integer"].holds(named):
            raise ExpressionFailed("`index_by` takes objects with a text or a whole number at the key")
        index[str(named)] = held
    return index


@function(
    "base: object_or_empty, over: object_or_empty",
    "object",
    "merge({'a': 1, 'b': 1}, {'b': 2})",
    {"a": 1, "b": 2},
    only=TEMPLATES,
)
def merge(base: Json, over: Json) -> dict[str, Json]:
    """Both objects laid over each other; the second wins."""
    return {**dict(base), **dict(over)}


@function(
    "objects: list<object>, from: text, to: text, start: scalar, end: scalar",
    "list<object>",
    "[{'a': '09:00', 'b': '10:00'}, {'a': '11:00', 'b': '12:00'}] | overlapping('a', 'b', '09:30', '11:00')",
    [{"a": "09:00", "b": "10:00"}],
)
def overlapping(objects: list[Json], from_key: str, to_key: str, start: Json, end: Json) -> list[Json]:
    """The objects whose interval, held under two keys, meets [start, end); all four times are written the same way."""
    intervals = remember(objects, (from_key, to_key), lambda: Intervals(_bounds(objects, from_key, to_key)))
    if intervals is None:  # this list is asked once
        _sortable("overlapping", [start, end, *pluck.call(objects, from_key), *pluck.call(objects, to_key)])
        return [held for held in objects if held[from_key] < end and held[to_key] > start]
    _sortable("overlapping", [start, end, *intervals.sample])
    return [objects[at] for at in intervals.meeting(start, end)]


def _bounds(objects: list[Json], from_key: str, to_key: str) -> list[tuple[Any, Any]]:
    starts, ends = pluck.call(objects, from_key), pluck.call(objects, to_key)
    _sortable("overlapping", [*starts, *ends])
    return list(zip(starts, ends, strict=True))


@function(
    "intervals: list<object>, start: text, end: text",
    "boolean",
    "[{'start': '09:00', 'end': '10:00'}] | overlaps('09:30', '10:30')",
    True,
)
def overlaps(intervals: list[Json], start: str, end: str) -> bool:
    """Whether any `{start, end}` of the list meets `[start, end)`; texts of one format are compared as they are."""
    return bool(overlapping.call(intervals, "start", "end", start, end))
