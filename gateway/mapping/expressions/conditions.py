"""Conditions that can be seen, at load, to give neither true nor false. What counts as true: `values/truth.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import nodes

from gateway.mapping.expressions.functions import FUNCTIONS, PATH_FUNCTIONS
from gateway.mapping.expressions.types import KINDS, ValueType

_SPECIFIED: Final = {
    **dict.fromkeys(("abs", "avg", "ceil", "floor", "length", "sum"), "number"),
    **dict.fromkeys(("to_string", "type"), "text"),
}
"""Functions of JMESPath's own → what they give, where it is no matter of being empty."""
_OPEN: Final = frozenset({"any", "maybe", "element"})
"""What a function gives that nobody can tell before it is called."""
_PYTHON: Final = {str: "text", int: "number", float: "number", list: "list", dict: "object"}


def seen_of_path(node: Mapping[str, Any]) -> str | None:
    """Name what a parsed path gives where it can be seen to be neither true nor false; None where it cannot."""
    kind, children = node["type"], node.get("children", [])
    if kind == "literal":
        return None if node["value"] is None else _PYTHON.get(type(node["value"]))
    if kind == "function_expression":
        own = PATH_FUNCTIONS.get(node["value"])
        return _SPECIFIED.get(node["value"]) if own is None else _of_function(own.gives)
    if kind in {"and_expression", "or_expression", "not_expression"}:
        return next((seen for child in children if (seen := seen_of_path(child)) is not None), None)
    if kind in {"pipe", "subexpression"}:
        return seen_of_path(children[-1])
    return {"multi_select_list": "list", "multi_select_dict": "object"}.get(kind)


def seen_of_template(node: nodes.Node) -> str | None:
    """Name what an expression gives where it can be seen to be neither true nor false; None where it cannot."""
    match node:
        case nodes.Const(value=value):
            return "null" if value is None else _PYTHON.get(type(value))
        case nodes.List() | nodes.Slice():
            return "list"
        case nodes.Dict():
            return "object"
        case nodes.Add():
            return seen_of_template(node.left) or seen_of_template(node.right) or "number"
        case nodes.Sub() | nodes.Mul() | nodes.Div() | nodes.FloorDiv() | nodes.Mod() | nodes.Neg() | nodes.Pos():
            return "number"
        case nodes.And() | nodes.Or():
            return seen_of_template(node.left) or seen_of_template(node.right)
        case nodes.CondExpr():
            return seen_of_template(node.expr1) or (seen_of_template(node.expr2) if node.expr2 is not None else None)
        case nodes.Filter():
            return _never_true(FUNCTIONS[node.name].gives) if node.name in FUNCTIONS else None
    return None


def _never_true(gives: ValueType) -> str | None:
    """Name what a function of templates gives, unless it may be true or false."""
    return None if gives.kind in _OPEN or gives.kind == "boolean" else gives.kind


def _of_function(gives: ValueType) -> str | None:
    """Name what a function of paths gives, unless it may be true or false, or the question is whether it is empty."""
    return gives.json if gives.json in {"text", "integer", "number"} and not gives.optional else None


def named(kind: str) -> str:
    """Name a kind for a message."""
    return KINDS[kind][0] if kind in KINDS else kind
