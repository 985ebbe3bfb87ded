"""Whose value a template fails on: the error that names the caller's own field, or the mapping's line. Pure.

The smallest part of the expression is looked for that fails by itself. Where it is made of nothing but what the caller
gave, the caller must change it (400), and is told the name that the contract has for it. Everything else is the
mapping's fault or the provider's answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from jinja2 import nodes

from gateway.computation.budget import BudgetSpent, over_budget
from gateway.mapping.expressions import ExpressionFailed, Hole, Literal, SegmentRefused, Template, ValueMissing
from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.expressions.grammar import chain_of, chains_of
from gateway.mapping.expressions.sandbox import Program
from gateway.mapping.nodes.calls import Scope
from gateway.values.errors import CallInvalid, GatewayError, MappingFault

_OURS: Final = frozenset({"settings", "connection", "now", "sent_at"})
"""Names whose values no caller and no provider gives."""
_HELPERS: Final = (nodes.Pair, nodes.Operand, nodes.Slice)
"""Parts of an expression that are no expressions themselves."""
_TAKES: Final = re.compile(r"`\w+` takes (.+?)(?: as `\w+`.*)?")
"""How a word says what it takes (`functions/kind.py`)."""
_NEEDED: Final = "is needed here"
_UNFIT: Final = "is nothing that can be asked for here"


class _Cause(NamedTuple):
    fields: tuple[str, ...]
    problem: str


def failure(template: Template | Literal, failed: ExpressionFailed, scope: Scope, origin: str) -> GatewayError:
    """Give the error of a template that failed: CallInvalid naming the caller's fields, else MappingFault."""
    cause = None
    if isinstance(template, Template) and template.owed is not None:
        try:
            cause = _cause(template, failed, scope)
        except BudgetSpent as spent:
            return over_budget(spent, origin, template.text)
    if cause is None or not cause.fields:
        return MappingFault(f"{origin}: `{template.text}`: {failed}", origin=origin)
    return unfit(cause.fields, cause.problem, origin=origin)


def unfit(fields: Iterable[str], problem: str, *, code: str | None = None, origin: str | None = None) -> CallInvalid:
    """Give the error of fields of a caller that cannot be used."""
    names = tuple(fields)
    detail = f"{', '.join(f'`{name}`' for name in names)} {problem}."
    details = {"fields": [{"field": name, "problem": problem} for name in names]}
    return CallInvalid(detail, code=code, details=details, origin=origin)


def given_by_caller(template: Template, scope: Scope) -> tuple[str, ...]:
    """Name the caller's fields of which a template makes its value, as this call runs through it."""
    return fields_of(template.owed or {}, reads_of(template, scope), scope)


def reads_of(template: Template, scope: Scope) -> Iterator[tuple[str, ...]]:
    """Give the names that make the value of a template, as this call runs through it."""
    return (chain for hole in template.holes for chain in _read(hole.tree, scope))


def _cause(template: Template, failed: ExpressionFailed, scope: Scope) -> _Cause | None:
    for hole in template.holes:
        found = _failing(hole.tree, scope)
        if found is not None:
            return _judge(template, *found, scope)
        try:
            template.piece(hole, scope)
        except ExpressionFailed as unfit:
            return _judge(template, hole.tree, unfit, scope)
    if isinstance(failed, SegmentRefused):  # each part fits, and not beside the others
        fields = given_by_caller(template, scope)
        return _Cause(fields, _UNFIT) if fields else None
    return None


def _judge(template: Template, node: nodes.Node, failed: ExpressionFailed, scope: Scope) -> _Cause | None:
    """Tell whether the part that fails is the caller's, and what is wrong with it in the caller's eyes."""
    chains, owed = set(chains_of(node)), template.owed or {}
    if not all_callers(owed, chains):
        key = _key_of(node) if isinstance(failed, ValueMissing) else None
        if key is None or not all_callers(owed, keys := set(chains_of(key))):
            return None
        return _Cause(fields_of(owed, keys, scope), _UNFIT)
    if isinstance(failed, ValueMissing) and chain_of(node) is not None:
        return _Cause(fields_of(owed, chains, scope, missing=True), _NEEDED)
    takes = _TAKES.fullmatch(str(failed))
    return _Cause(fields_of(owed, chains, scope), f"is not {takes[1]}" if takes else _UNFIT)


def all_callers(owed: Mapping[str, tuple[str, ...]], chains: set[tuple[str, ...]]) -> bool:
    """Tell whether names stand for nothing but what the caller gave, and for anything at all."""
    roots = {chain[0] for chain in chains} - _OURS
    return bool(roots) and all(root == "args" or root in owed for root in roots)


def _key_of(node: nodes.Node) -> nodes.Node | None:
    """Give what looks something up in a part that finds nothing: a computed key, or what a word is asked for."""
    match node:
        case nodes.Getitem(arg=key):
            return key
        case nodes.Filter(args=[*_, key]):
            return key
    return None


def fields_of(
    owed: Mapping[str, tuple[str, ...]], chains: Iterable[tuple[str, ...]], scope: Scope, *, missing: bool = False
) -> tuple[str, ...]:
    """Name the caller's fields behind names of a template; of several those that are given."""
    found: list[str] = []
    for chain in sorted(chains):
        dotted = ".".join(chain[1:])
        if chain[0] != "args":
            found += owed.get(chain[0], ())
        elif dotted and (missing or _is_there(scope, chain)):
            whole = [name for name in owed.get(f"args.{chain[1]}", ()) if _is_there(scope, ("args", name))]
            found += whole or [dotted]
    return tuple(dict.fromkeys(found))


def _is_there(scope: Scope, chain: tuple[str, ...]) -> bool:
    held: object = scope
    for key in chain:
        held = held.get(key) if isinstance(held, Mapping) else None
    return held is not None


def _failing(node: nodes.Expr, scope: Scope) -> tuple[nodes.Expr, ExpressionFailed] | None:
    """Find the smallest part that fails by itself, on the way that this scope takes through the expression."""
    failed = _fail(node, scope)
    if failed is None:
        return None
    return next((found for child in _evaluate(node, scope) if (found := _failing(child, scope))), (node, failed))


def _fail(node: nodes.Expr, scope: Scope) -> ExpressionFailed | None:
    try:
        _value(node, scope)
    except ExpressionFailed as failed:
        return failed
    return None


def _value(node: nodes.Expr, scope: Scope) -> object:
    return Hole(Program(node).run, node).value(scope)


def _evaluate(node: nodes.Expr, scope: Scope) -> Iterator[nodes.Expr]:
    """Give the parts of an expression that are evaluated in this scope and must not fail."""
    if chain_of(node) is not None:
        return
    match node:
        case nodes.CondExpr(test=test, expr1=first, expr2=second):
            yield test
            if _fail(test, scope) is None:
                taken = first if _value(test, scope) else second
                yield from () if taken is None else (taken,)
        case nodes.And() | nodes.Or():
            yield node.left
            if _fail(node.left, scope) is None and bool(_value(node.left, scope)) is isinstance(node, nodes.And):
                yield node.right
        case nodes.Filter(name=name) if FUNCTIONS[name].takes_missing:
            yield from (one for one in _parts(node) if not isinstance(_fail(one, scope), ValueMissing))
        case nodes.Filter(name=name) if FUNCTIONS[name].signs:
            yield from (one for one in _parts(node) if next(chains_of(one), ("",))[0] != "settings")
        case nodes.Test():
            yield from (one for one in _parts(node) if not isinstance(_fail(one, scope), ValueMissing))
        case _:
            yield from _parts(node)


def _parts(node: nodes.Node) -> Iterator[nodes.Expr]:
    for child in node.iter_child_nodes():
        if isinstance(child, _HELPERS):
            yield from _parts(child)
        elif isinstance(child, nodes.Expr):
            yield child


def _read(node: nodes.Expr, scope: Scope) -> Iterator[tuple[str, ...]]:
    """Give the names that make the value in this scope: not those of a condition, nor of what is not needed."""
    chain = chain_of(node)
    if chain is not None:
        yield chain
        return
    parts = list(_evaluate(node, scope))
    if isinstance(node, nodes.CondExpr):
        parts = parts[1:]
    elif isinstance(node, nodes.Filter) and node.name == "default" and node.node is not None:
        first = node.node
        parts = [first] if _fail(first, scope) is None and _value(first, scope) is not None else parts[1:]
    for part in parts:
        yield from _read(part, scope)
