"""Kinds of what a template works with, as far as the contract's arguments and the words tell them. Pure, at load.

Only what fails, or never holds, for every value of the kind is told. A text that is no number is a value, and the
caller's to change; a list where a text is needed is the mapping's mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from jinja2 import nodes

from gateway.documents.yaml import suggestion
from gateway.mapping.checks.given import Chain, GivenArguments
from gateway.mapping.expressions import Template
from gateway.mapping.expressions.conditions import named, seen_of_template
from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.expressions.grammar import chain_of
from gateway.mapping.expressions.types import JSON_KINDS, can_be
from gateway.model.model import Type

_OF_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("id", "text", "enum", "email", "url", "currency", "time_zone"), "text"),
    **dict.fromkeys(("instant", "date", "clock"), "text"),
    **{kind: kind for kind in ("integer", "number", "boolean", "list", "object")},
    "map": "object",
}
"""Canonical kind → the kind of its values in templates; none of `any`."""
_TOLD_ELSEWHERE: Final = frozenset({"args", "settings", "fields"})
"""Names whose own keys are checked against what is declared, or has a source above."""
_ORDERED: Final = frozenset({"gt", "gteq", "lt", "lteq"})
_NUMBERS: Final = frozenset({"integer", "number"})
_WRITTEN: Final = frozenset({"text", "integer", "number"})
"""Kinds that can stand inside text."""
_Told = tuple[str, str]
"""A finding: its code and message."""


def mistakes(template: Template, given: GivenArguments, *, optional: bool, whole: bool) -> Iterator[_Told]:
    """Tell what no call, or not every call, can be answered with.

    `optional`: what is missing is left out. `whole`: it is no text, whatever stands around its expression.
    """
    for hole in template.holes:
        if not optional:
            for chain in dict.fromkeys(given.lacking(hole.tree)):
                yield "optional-argument", _may_be_missing(chain)
        yield from dict.fromkeys(_wrong(hole.tree, given))
        kind = kind_of(hole.tree, given)
        if not (template.whole or whole) and kind is not None and kind not in _WRITTEN:
            yield "wrong-kind", f"{_show(hole.tree)} is {_a(kind)}, which cannot be written inside text"


def kind_of(node: nodes.Node, given: GivenArguments) -> str | None:
    """Name the kind of what an expression gives, where it can be seen; None where it cannot."""
    chain = chain_of(node)
    if chain is not None:
        type_ = type_of(chain, given)
        return _OF_TYPES.get(type_.kind) if type_ is not None else None
    match node:
        case nodes.Filter(name="default", node=first, args=[instead]) if first is not None:
            kind = kind_of(first, given)
            return kind if kind == kind_of(instead, given) else None
        case nodes.Filter(name=name):
            return FUNCTIONS[name].gives.json
        case nodes.CondExpr(expr1=first, expr2=second) if second is not None:
            kind = kind_of(first, given)
            return kind if kind == kind_of(second, given) else None
        case nodes.Const(value=bool()) | nodes.Compare() | nodes.Test() | nodes.Not():
            return "boolean"
        case nodes.Const(value=int()):
            return "integer"
        case nodes.And() | nodes.Or() | nodes.Getitem() | nodes.Getattr():
            return None
        case nodes.Add():
            return kind_of(node.left, given) or kind_of(node.right, given)
    seen = seen_of_template(node)
    return seen if seen in JSON_KINDS else None


def type_of(chain: Chain, given: GivenArguments) -> Type | None:
    """Find the type of a name, or of what is looked up on it; None where it is not known."""
    begins = given.fields(chain)
    found: Type | None = None
    if begins is not None:
        fields, keys = begins
    elif chain[0] in given.elements:
        return given.elements[chain[0]] if len(chain) == 1 else None
    else:
        found = given.roots.get(chain[0])
        fields, keys = found.fields if found is not None else {}, chain[1:]
    for key in keys:
        known = fields.get(key)
        if known is None:
            return None
        found, fields = known.type, known.type.fields
    return found


def element_of(node: nodes.Node, given: GivenArguments) -> Type | None:
    """Find the canonical type of the elements of a list: of an argument itself, or with something instead of it."""
    if isinstance(node, nodes.Filter) and node.name == "default" and node.node is not None:
        node = node.node
    chain = chain_of(node)
    type_ = type_of(chain, given) if chain is not None else None
    return type_.item if type_ is not None and type_.kind == "list" else None


def _wrong(node: nodes.Node, given: GivenArguments) -> Iterator[_Told]:
    chain = chain_of(node)
    if chain is not None:
        yield from _look_ups(chain, given)
        return
    match node:
        case nodes.Filter():
            yield from _parameters(node, given)
        case nodes.Compare(expr=first, ops=operands):
            for operand in operands:
                yield from _compare(first, operand, given)
                first = operand.expr
        case nodes.BinExpr() if not isinstance(node, nodes.And | nodes.Or):
            yield from _calculate(node, given)
    for child in node.iter_child_nodes():
        yield from _wrong(child, given)


def _look_ups(chain: Chain, given: GivenArguments) -> Iterator[_Told]:
    """Keys that are looked up where there are none."""
    for end in range(2 if chain[0] in _TOLD_ELSEWHERE else 1, len(chain)):
        type_ = type_of(chain[:end], given)
        if type_ is None:
            return
        shown, key = ".".join(chain[:end]), chain[end]
        if type_.fields and key not in type_.fields:
            code = "unknown-argument" if chain[0] == "args" else "unknown-key"
            yield code, f"`{shown}` has no `{key}`{suggestion(key, type_.fields)}"
        elif type_.kind == "list":
            yield "wrong-kind", f"`{shown}` is a list: its elements have `{key}`, such as `{shown}[0].{key}`"
        elif type_.kind not in {"object", "map", "any"}:
            yield "wrong-kind", f"`{shown}` is {_a(_OF_TYPES[type_.kind])}, and has no `{key}`"


def _parameters(node: nodes.Filter, given: GivenArguments) -> Iterator[_Told]:
    function = FUNCTIONS[node.name]
    for index, argument in enumerate([node.node, *node.args]):
        parameter = function.parameter(index)
        kind = kind_of(argument, given) if argument is not None else None
        if argument is not None and kind is not None and not can_be(kind, parameter.kind):
            wanted = f"`{node.name}` takes {named(parameter.kind)} as `{parameter.name}`"
            yield "wrong-kind", f"{wanted}, and {_show(argument)} is {_a(kind)}{_conversion(kind, parameter.kind)}"


def _conversion(kind: str, wanted: str) -> str:
    if wanted in {"text", "piece"} and kind in _NUMBERS:
        return ": write `text(…)` around it"
    return ": write `int(…)` or `number(…)` around it" if wanted in _NUMBERS and kind == "text" else ""


def _compare(first: nodes.Expr, operand: nodes.Operand, given: GivenArguments) -> Iterator[_Told]:
    sides = ((first, kind_of(first, given)), (operand.expr, kind_of(operand.expr, given)))
    if operand.op in {"in", "notin"}:
        kind = sides[1][1]
        if kind in _NUMBERS or kind == "boolean":
            yield "wrong-kind", f"{_show(operand.expr)} is {_a(kind or '')}: nothing is `in` it"
        return
    for (one, kind), (other, beside) in (sides, sides[::-1]):
        if kind == "list" and chain_of(one) is not None and beside != "list" and not _nothing(other):
            told = f"{_show(one)} is a list, and is compared with {_a(beside) if beside else 'one value'}"
            yield "wrong-kind", f"{told}: ask whether that is `in` it"
            return
    kinds = [kind if kind not in _NUMBERS else "number" for _, kind in sides]
    if None not in kinds and kinds[0] != kinds[1]:
        holds = "cannot be done" if operand.op in _ORDERED else "is always the same"
        yield "wrong-kind", f"comparing {_a(kinds[0] or '')} with {_a(kinds[1] or '')} {holds}: convert one of them"


def _nothing(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and node.value is None


def _calculate(node: nodes.BinExpr, given: GivenArguments) -> Iterator[_Told]:
    left, right = (kind_of(side, given) for side in (node.left, node.right))
    joins = isinstance(node, nodes.Add)
    for side, kind, other in ((node.left, left, right), (node.right, right, left)):
        if kind is None:
            continue
        alike = other is None or kind == other or {kind, other} <= _NUMBERS
        if kind not in _NUMBERS and not (joins and kind in {"text", "list"} and alike):
            told = f"`{node.operator}` does not take {_a(kind)}"
            yield "wrong-kind", f"{told} ({_show(side)}){f' and {_a(other)}' if other else ''}: convert it"
            return


def _may_be_missing(chain: Chain) -> str:
    name = ".".join(chain)
    return (
        f"`{name}` may not be given, and the call fails: ask `{name} is defined` before, give `{name} | default(…)`, "
        "or write `$optional:`"
    )


def _show(node: nodes.Node) -> str:
    chain = chain_of(node)
    return f"`{'.'.join(chain)}`" if chain is not None else "what stands here"


def _a(kind: str | None) -> str:
    return named(kind or "any")
