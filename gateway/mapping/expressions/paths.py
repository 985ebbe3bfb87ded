"""JMESPath, parsed once and checked at load. A path reads data and changes nothing.

Paths that only walk keys and indexes are walked here, which is quicker and tells a missing key from a null.
No message holds a value of the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import jmespath
from jmespath.exceptions import (
    EmptyExpressionError,
    IncompleteExpressionError,
    JMESPathError,
    JMESPathTypeError,
    LexerError,
    ParseError,
)
from jmespath.parser import ParsedResult
from jmespath.visitor import Options, TreeInterpreter

from gateway.computation.budget import budgeted, spend
from gateway.documents.yaml import Place, suggestion
from gateway.mapping.expressions.functions.kind import ExpressionFailed, ExpressionInvalid, check_pattern
from gateway.mapping.expressions.path_functions import CALLS, Call, PathFunctions
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.expressions.sizes import check_length, check_size
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json
from gateway.values.truth import MISSING, Missing

_MAX_LENGTH: Final = 2_000
_MAX_DEPTH: Final = 60
FUNCTIONS_OF_PATHS: Final = PathFunctions()
_OPTIONS: Final = Options(custom_functions=FUNCTIONS_OF_PATHS)
# What stands in quotes, and literals between backticks; a backslash keeps the next character.
_QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`((?:[^`\\]|\\.)*)`""", re.DOTALL)

_Node: TypeAlias = Mapping[str, Any]

_SELECTING: Final = frozenset({"multi_select_list", "multi_select_dict"})
_DOUBLING: Final = frozenset({"merge", "to_string", "zip"})
"""Functions that may give more than one of their arguments holds."""
_MOST_TIMES: Final = 32
"""A path that cannot make its data so many times as large is not measured: most make objects of a few keys."""
_GATHERING: Final = frozenset({"projection", "value_projection", "filter_projection", "flatten"})
_MEASURED: Final = _SELECTING | _GATHERING | {"function_expression"}
_OFTEN: Final = 8
"""Nodes that are visited between two counts."""


class _Interpreter(TreeInterpreter):
    """jmespath's own, which counts what it does: a path may go through thousands of elements."""

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self._steps = 0

    def visit(self, node: Any, *given: Any, **named: Any) -> Any:
        self._steps += 1
        if self._steps % _OFTEN == 1:
            spend(_OFTEN)
        return super().visit(node, *given, **named)

    def visit_flatten(self, node: Any, value: Json) -> Json:
        """Put lists into one."""
        made = super().visit_flatten(node, value)
        if isinstance(made, list):
            check_length(len(made))
        return made


class _Measuring(_Interpreter):
    """Counts also what is made, for paths that may double their data again and again."""

    def visit(self, node: Any, *given: Any, **named: Any) -> Any:
        made = super().visit(node, *given, **named)
        if node["type"] in _MEASURED:
            check_size(made)
        return made


@dataclass(frozen=True, slots=True)
class Path:
    """A checked path. `steps` are the keys of a path that only looks up keys (`a.b`; `@` has none), else None.

    `roots` are the names read at the first level, empty when they cannot be told; `origin` is its place, `file:line`.
    """

    text: str
    steps: tuple[str, ...] | None
    roots: frozenset[str]
    walk: tuple[str | int, ...] | None = field(repr=False)
    """The keys and indexes of a path that only looks things up, else None."""
    _parsed: ParsedResult = field(repr=False, compare=False)
    _interpreter: type[_Interpreter] = field(default=_Interpreter, repr=False, compare=False)
    origin: str = field(default="", compare=False)
    place: Place = field(default=(), compare=False)
    """Its place in the file; empty of a path that only says where something is written."""

    @property
    def parsed(self) -> Any:
        """The tree that jmespath made of the text."""
        return self._parsed.parsed

    @property
    def is_measured(self) -> bool:
        """Whether it may make much more than its data holds, so that what it makes is counted."""
        return self._interpreter is _Measuring

    def beneath(self, root: str) -> Iterator[str]:
        """Give the keys that are looked up directly on a name of the first level."""
        for node in nodes_of(self.parsed):
            first, *rest = node.get("children") or [{"type": ""}]
            if node["type"] == "subexpression" and first["type"] == "field" and first["value"] == root:
                yield from (one["value"] for one in rest[:1] if one["type"] == "field")

    def read(self, data: Json) -> Json | Missing:
        """Evaluate on `data`: the value, or MISSING where a walked key is not there.

        Raises ExpressionFailed, and OverBudget where it computes or makes more than one evaluation may.
        Of an expression beyond keys and indexes JMESPath gives None for missing and null alike.
        """
        found = _walk(data, self.walk) if self.walk is not None else self._evaluate(data)
        probe = PROBE.get()
        if probe is not None:
            probe.looked_up(self, data, found)
        return found

    def _evaluate(self, data: Json) -> Json | Missing:
        try:
            return budgeted(lambda: self._interpreter().visit(self._parsed.parsed, data), self.origin, self.text)
        except JMESPathTypeError as error:
            raise ExpressionFailed(
                f"`{error.function_name}` takes {' or '.join(error.expected_types)}, not {error.actual_type}"
            ) from None
        except (JMESPathError, TypeError, ValueError, ArithmeticError, AttributeError):
            raise ExpressionFailed("a function does not take values of these kinds") from None


def compile_path(text: str, origin: str = "") -> Path:
    """Parse and check a path: its functions exist and have as many arguments as they take; raises ExpressionInvalid.

    `origin` is its place, `file:line`.
    """
    if len(text) > _MAX_LENGTH:
        raise ExpressionInvalid(f"longer than {_MAX_LENGTH} characters")
    _check_literals(text)
    try:
        parsed = jmespath.compile(text)
    except ParseError as error:
        reason = error.message if isinstance(error, LexerError) else error.msg
        if isinstance(error, IncompleteExpressionError):
            reason = "it ends where more must follow, such as a closing bracket"
        raise ExpressionInvalid(f"not a JMESPath expression: {reason}", min(error.lex_position, len(text))) from None
    except EmptyExpressionError:
        raise ExpressionInvalid("an empty path; the whole is `@`") from None
    except RecursionError:
        raise ExpressionInvalid("nested too deeply") from None
    times = 1
    for node in nodes_of(parsed.parsed):
        times *= _times(node)
        if node["type"] == "function_expression":
            _check_function(node, text)
    walk = _steps(parsed.parsed)
    named = None if walk is None else tuple(step for step in walk if isinstance(step, str))
    roots = frozenset(_roots(parsed.parsed) or ())
    interpreter = _Interpreter if times < _MOST_TIMES else _Measuring
    return Path(text, named if named == walk else None, roots, walk, parsed, interpreter, origin)


def _times(node: _Node) -> int:
    """Tell how many times as large as its data what one node makes can be."""
    if node["type"] in _SELECTING:
        return max(1, len(node["children"]))
    if node["type"] == "literal" and isinstance(node["value"], list | dict) and node["value"]:
        return _MOST_TIMES
    return 2 if node["type"] == "function_expression" and node["value"] in _DOUBLING else 1


def _check_literals(text: str) -> None:
    """Refuse the deprecated literals whose backticks hold no JSON: JMESPath would guess them to be text."""
    for found in _QUOTED.finditer(text):
        if found[1] is None:
            continue
        try:
            decode_json(found[1].replace("\\`", "`").encode())
        except JsonRefused:
            raise ExpressionInvalid("between backticks stands JSON; write a text as 'text'", found.start()) from None


def _check_function(node: _Node, text: str) -> None:
    name, given = node["value"], node["children"]
    found = re.search(rf"\b{re.escape(name)}\s*\(", text)
    offset = found.start() if found else 0
    if name not in CALLS:
        raise ExpressionInvalid(f"`{name}` is no function of paths{suggestion(name, CALLS)}", offset)
    call = CALLS[name]
    if len(given) < call.least or (call.most is not None and len(given) > call.most):
        raise ExpressionInvalid(f"`{name}` takes {_count(call)}, {len(given)} given", offset)
    for index, argument in enumerate(given):
        expression = call.expressions[min(index, len(call.expressions) - 1)]
        if expression != (argument["type"] == "expref"):
            expected = "an expression such as `&id`" if expression else "a value, not an expression"
            raise ExpressionInvalid(f"`{name}` takes {expected} here", offset)
        if index in call.patterns:
            try:
                check_pattern(name, argument["value"] if argument["type"] == "literal" else None)
            except ExpressionInvalid as invalid:
                raise ExpressionInvalid(invalid.message, offset) from None


def _count(call: Call) -> str:
    if call.most is None:
        return f"{call.least} or more"
    return str(call.least) if call.least == call.most else f"{call.least} to {call.most}"


def nodes_of(root: _Node) -> Iterator[_Node]:
    """Walk a parsed tree without recursion, so that a deep one is a finding and no crash."""
    waiting: list[tuple[_Node, int]] = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise ExpressionInvalid("nested too deeply")
        yield node
        # A slice keeps bare integers where other nodes keep children.
        waiting.extend((child, depth + 1) for child in node["children"] if isinstance(child, dict))


def _steps(node: _Node) -> tuple[str | int, ...] | None:
    """Keys and indexes of a path that only looks things up, else None."""
    match node["type"]:
        case "current" | "identity":
            return ()
        case "field" | "index":
            return (node["value"],)
        case "subexpression" | "index_expression":
            steps: tuple[str | int, ...] = ()
            for child in node["children"]:
                more = _steps(child)
                if more is None:
                    return None
                steps += more
            return steps
        case _:
            return None


def _walk(data: Json, steps: tuple[str | int, ...]) -> Json | Missing:
    value = data
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return MISSING
        elif not isinstance(value, list) or not -len(value) <= step < len(value):
            return MISSING
        value = value[step]
    return value


_CHAINS: Final = frozenset({"pipe", "subexpression", "index_expression"})


def _roots(node: _Node) -> set[str] | None:
    """Names the expression reads from the data itself, or None when it takes the data as a whole."""
    kind, children = node["type"], list(node["children"])
    if kind == "field":
        return {node["value"]}
    if kind in {"literal", "expref"}:
        return set()
    if kind in {"current", "identity", "index", "slice"}:
        return None
    if kind in _CHAINS:
        # Only the first link sees the data itself, and `@` hands it on.
        while len(children) > 1 and children[0]["type"] in {"current", "identity"}:
            del children[0]
    if kind in _CHAINS or kind in _GATHERING:
        children = children[:1]
    roots: set[str] = set()
    for child in children:
        more = _roots(child)
        if more is None:
            return None
        roots |= more
    return roots
