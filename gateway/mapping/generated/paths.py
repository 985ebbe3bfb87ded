"""Paths, written out: look-ups of keys, and of JMESPath all but expressions such as `&id`, which are left to it.

What a look-up of keys does not find is MISSING; anything else gives None then, as JMESPath has it. A list that would
make an evaluation take more steps than it may is left to the evaluator, which counts them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.computation.budget import MOST_EVALUATION_STEPS
from gateway.mapping.expressions import Path
from gateway.mapping.expressions.paths import FUNCTIONS_OF_PATHS, nodes_of
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.expressions.sizes import check_length
from gateway.mapping.generated.source import FAILURES, STOP, Source, TooLong
from gateway.values.messages import Json

_Node = Mapping[str, Any]
_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "lt": operator.lt,
    "gt": operator.gt,
    "lte": operator.le,
    "gte": operator.ge,
}
_FEW: Final = 2
"""Of the steps that an evaluation may take, those that paths written out may use: one part of so many."""


_CODE: Final[dict[str, Callable[[Json, Any], Any]]] = {}
"""Paths that are more than look-ups of keys, by their text: the same in every mapping."""
_MOST_PATHS: Final = 4_096


def find(path: Path, data: Json) -> Json:
    """Evaluate a path: what `Path.read` gives, or raises."""
    if path.walk is not None or PROBE.get() is not None:
        return path.read(data)
    code = _CODE.get(path.text)
    if code is None:
        if len(_CODE) >= _MOST_PATHS:
            _CODE.clear()
        code = _CODE[path.text] = _code(path)
    try:
        found = code(data, None)
    except FAILURES:
        found = STOP
    return path.read(data) if found is STOP else found


def _code(path: Path) -> Callable[[Json, Any], Any]:
    """Make the code of a path."""
    source = Source()
    try:
        source.add(f"return {PathWriter(source).read(path, 'value', always=True)}")
        return source.maker("path")(**source.bound)
    except TooLong:
        return lambda _data, _scope: STOP


class PathWriter:
    """Writes the paths of one function. What was looked up before, on every way through the code, is not again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._before: dict[tuple[str, tuple[str | int, ...]], str] = {}

    def read(self, path: Path, data: str, *, always: bool) -> str:
        """Write an evaluation on what a name holds, and give the name of what it finds.

        `always` says that every way through the code comes here, so that others may use what is found.
        """
        source = self._source
        if path.walk is not None:
            source.inline += 1
            return self._walk(data, path.walk, always=always)
        if not _can_be_written(path):
            source.asked += 1
            found = source.name("found")
            source.add(f"{found} = {source.bind('path', path.read)}({data})")
            return found
        source.inline += 1
        return _Writer(source, path).written(path.parsed, data)

    def _walk(self, data: str, steps: tuple[str | int, ...], *, always: bool) -> str:
        source = self._source
        held = data
        for end, step in enumerate(steps, 1):
            known = self._before.get((data, steps[:end]))
            if known is None:
                known = source.name(str(step))
                source.add(_looked_up(source, known, held, step, "MISSING"))
                if always:
                    self._before[data, steps[:end]] = known
            held = known
        return held


def _looked_up(source: Source, found: str, held: str, step: str | int, nothing: str) -> str:
    """Write one look-up: of a key in an object, or of an element in a list."""
    if isinstance(step, str):
        key = source.constant(step)
        got = f"{held}.get({key}, MISSING)" if nothing == "MISSING" else f"{held}.get({key})"
        return f"{found} = {got} if {held}.__class__ is dict else {nothing}"
    at = source.constant(step)
    return f"{found} = {held}[{at}] if {held}.__class__ is list and -len({held}) <= {at} < len({held}) else {nothing}"


def _can_be_written(path: Path) -> bool:
    """Whether a path has nothing in it that JMESPath itself must do: expressions, and what may grow without end."""
    return not path.is_measured and all(node["type"] in _WRITERS for node in nodes_of(path.parsed))


def is_false(value: str) -> str:
    """Write whether what a name holds is false by JMESPath's rule: no number is."""
    return f"not {value} and {value}.__class__ is not int and {value}.__class__ is not float"


def is_true(value: str) -> str:
    """Write whether what a path found is true (`values/truth.py`)."""
    return f"{value} is not MISSING and ({value} or {value}.__class__ is int or {value}.__class__ is float)"


def _equals(one: Json, other: Json) -> bool:
    """Compare as JMESPath does: 1 is not true, and 0 is not false."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _order(kind: str) -> Callable[[Json, Json], bool | None]:
    compare = _ORDERS[kind]

    def compared(left: Json, right: Json) -> bool | None:
        for side in (left, right):
            if isinstance(side, bool) or not isinstance(side, int | float | str):
                return None
        return compare(left, right)

    return compared


_ORDERED: Final = {kind: _order(kind) for kind in _ORDERS}


class _Writer:
    """Writes one path that is more than look-ups of keys."""

    def __init__(self, source: Source, path: Path) -> None:
        self._source = source
        self._most = MOST_EVALUATION_STEPS // _FEW // len(list(nodes_of(path.parsed)))

    def written(self, node: _Node, data: str) -> str:
        """Write a node on what a name holds; gives the name of its value."""
        return _WRITERS[node["type"]](self, node, data)

    def _find(self, about: str, text: str) -> str:
        found = self._source.name(about)
        self._source.add(f"{found} = {text}")
        return found

    def current(self, _node: _Node, data: str) -> str:
        return data

    def field(self, node: _Node, data: str) -> str:
        found = self._source.name(node["value"])
        self._source.add(_looked_up(self._source, found, data, node["value"], "None"))
        return found

    def index(self, node: _Node, data: str) -> str:
        found = self._source.name("element")
        self._source.add(_looked_up(self._source, found, data, node["value"], "None"))
        return found

    def slice(self, node: _Node, data: str) -> str:
        part = self._source.bind("part", slice(*node["children"]))
        return self._find("part", f"{data}[{part}] if {data}.__class__ is list else None")

    def chain(self, node: _Node, data: str) -> str:
        for child in node["children"]:
            data = self.written(child, data)
        return data

    def literal(self, node: _Node, _data: str) -> str:
        return self._find("literal", self._source.constant(node["value"]))

    def either(self, node: _Node, data: str) -> str:
        first, second = node["children"]
        found = self._find("either", self.written(first, data))
        rule = is_false(found) if node["type"] == "or_expression" else f"not ({is_false(found)})"
        with self._source.block(f"if {rule}:"):
            self._source.add(f"{found} = {self.written(second, data)}")
        return found

    def negated(self, node: _Node, data: str) -> str:
        held = self._find("held", self.written(node["children"][0], data))
        return self._find("negated", is_false(held))

    def compared(self, node: _Node, data: str) -> str:
        kind, sides = node["value"], node["children"]
        left, right = (self.written(side, data) for side in sides)
        if kind not in {"eq", "ne"}:
            return self._find("ordered", f"{self._source.bind('order', _ORDERED[kind])}({left}, {right})")
        plain = any(side["type"] == "literal" and isinstance(side["value"], str | None) for side in sides)
        same = f"{left} == {right}" if plain else f"{self._source.bind('equals', _equals)}({left}, {right})"
        return self._find("same", same if kind == "eq" else f"not ({same})")

    def list_of(self, node: _Node, data: str) -> str:
        return self._make(data, lambda: f"[{', '.join(self.written(one, data) for one in node['children'])}]")

    def object_of(self, node: _Node, data: str) -> str:
        def members() -> str:
            pairs = [(one["value"], self.written(one["children"][0], data)) for one in node["children"]]
            return f"{{{', '.join(f'{self._source.constant(key)}: {value}' for key, value in pairs)}}}"

        return self._make(data, members)

    def _make(self, data: str, text: Callable[[], str]) -> str:
        """Write what is made of anything but null."""
        found = self._find("made", "None")
        with self._source.block(f"if {data} is not None:"):
            self._source.add(f"{found} = {text()}")
        return found

    def projected(self, node: _Node, data: str) -> str:
        """Write what is taken of each element that is not null: of a list, of an object's values, of some of them."""
        source, kind = self._source, node["type"]
        base, of = self._find("base", self.written(node["children"][0], data)), node["children"][1]
        found = self._find("found", "None")
        with source.block(f"if {base}.__class__ is {'dict' if kind == 'value_projection' else 'list'}:"):
            source.add(f"{found} = []")
            source.count(base, self._most)
            element = source.name("element")
            with source.block(f"for {element} in {base}{'.values()' if kind == 'value_projection' else ''}:"):
                if kind == "filter_projection":
                    held = self._find("held", self.written(node["children"][2], element))
                    with source.block(f"if {is_false(held)}:"):
                        source.add("continue")
                taken = self.written(of, element)
                with source.block(f"if {taken} is not None:"):
                    source.add(f"{found}.append({taken})")
        return found

    def flat(self, node: _Node, data: str) -> str:
        source = self._source
        base = self._find("base", self.written(node["children"][0], data))
        found = self._find("found", "None")
        with source.block(f"if {base}.__class__ is list:"):
            source.count(base, self._most)
            source.add(f"{found} = {source.bind('flattened', _flatten)}({base})")
        return found

    def called(self, node: _Node, data: str) -> str:
        given = ", ".join([self.written(child, data) for child in node["children"]])
        call, name = self._source.bind("call", FUNCTIONS_OF_PATHS.call_function), self._source.constant(node["value"])
        return self._find(node["value"], f"{call}({name}, [{given}])")


def _flatten(values: list[Json]) -> list[Json]:
    made: list[Json] = []
    for value in values:
        if isinstance(value, list):
            made.extend(value)
        else:
            made.append(value)
    check_length(len(made))
    return made


_WRITERS: Final[Mapping[str, Callable[[_Writer, _Node, str], str]]] = {
    "current": _Writer.current,
    "identity": _Writer.current,
    "field": _Writer.field,
    "index": _Writer.index,
    "slice": _Writer.slice,
    "subexpression": _Writer.chain,
    "index_expression": _Writer.chain,
    "pipe": _Writer.chain,
    "literal": _Writer.literal,
    "or_expression": _Writer.either,
    "and_expression": _Writer.either,
    "not_expression": _Writer.negated,
    "comparator": _Writer.compared,
    "multi_select_list": _Writer.list_of,
    "multi_select_dict": _Writer.object_of,
    "key_val_pair": _Writer.chain,
    "projection": _Writer.projected,
    "value_projection": _Writer.projected,
    "filter_projection": _Writer.projected,
    "flatten": _Writer.flat,
    "function_expression": _Writer.called,
}
"""Kind of node of JMESPath → what writes it. What is not here, expressions, is left to JMESPath itself."""
