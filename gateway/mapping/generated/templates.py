"""Templates, written out: what Jinja2 makes of them, for values of the usual kinds (`expressions/`, the meaning)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from jinja2 import nodes

from gateway.mapping.expressions import Hole, Template
from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.expressions.functions import times as time_functions
from gateway.mapping.expressions.functions.kind import MAX_TEXT, Function
from gateway.mapping.expressions.grammar import chain_of
from gateway.mapping.expressions.sandbox import SANDBOX, look_up
from gateway.mapping.expressions.sizes import check_size
from gateway.mapping.expressions.templates import check_odd, climbs, write
from gateway.mapping.generated.codecs import MOST_REMEMBERED
from gateway.mapping.generated.names import Names
from gateway.values.messages import Json
from gateway.values.secrets import Secret

_BIG: Final = 10**15
"""Whole numbers up to this are calculated with as they are."""
_TESTS: Final = {
    "boolean": "{0}.__class__ is bool",
    "defined": "{0} is not MISSING",
    "integer": "{0}.__class__ is int",
    "list": "isinstance({0}, list)",
    "none": "{0} is None",
    "number": "({0}.__class__ is int or isinstance({0}, float))",
    "object": "isinstance({0}, dict)",
    "text": "isinstance({0}, str)",
}
_ORDERS: Final = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip
_BINARY: Final = {nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//", nodes.Mod: "%"}
_SCALARS: Final = {
    **dict.fromkeys(("text", "instant", "date", "clock", "time_zone"), "str"),
    "integer": "int",
}
"""Kinds of parameters of which a value has one plain class."""


class Found(NamedTuple):
    """The name of what a part of a template gives. `misses`: it may be MISSING; `plain`: it is a small scalar."""

    name: str
    misses: bool = False
    plain: bool = False


def remember(function: Function) -> Callable[..., Json] | None:
    """Give a function of times that remembers what it gave, where it takes and gives plain values; else None."""
    plain = function.gives.kind in {*_SCALARS, "boolean"} and not function.gives.optional
    if not plain or function not in _OF_TIMES or any(one.kind not in _SCALARS for one in function.parameters):
        return None
    return _REMEMBERED.setdefault(function.name, lru_cache(MOST_REMEMBERED, typed=True)(function.call))


_OF_TIMES: Final = frozenset(one for one in vars(time_functions).values() if isinstance(one, Function))
_REMEMBERED: Final[dict[str, Callable[..., Json]]] = {}


def _check(value: Json) -> None:
    check_size(value, check_odd)


class TemplateWriter:
    """Writes expressions with these names. What is missing where it is needed ends in `missing`."""

    def __init__(self, names: Names, missing: tuple[str, ...] = ("return STOP",)) -> None:
        self._names = names
        self._source = names.source
        self._missing = missing

    def written(self, template: Template) -> Found:
        """Write a template that gives text, or any value where it is one expression."""
        holes = template.holes
        if template.is_quoted:
            return self._quote(template)
        if template.whole:
            return self.hole(holes[0])
        source, pieces = self._source, []
        for piece in template.pieces:
            if isinstance(piece, str):
                pieces.append(source.constant(piece))
                continue
            held = self.needed(self.hole(piece))
            text = source.name("text")
            other = f"{source.bind('written', _as_text)}({held})"
            source.add(f"{text} = {held} if {held}.__class__ is str else {other}")
            pieces.append(text)
        made = source.name("text")
        source.add(f"{made} = {' + '.join(pieces)}")
        source.stop_where(f"len({made}) > {MAX_TEXT}")
        return Found(made)

    def _quote(self, template: Template) -> Found:
        """Write a part of the path of a URL: a name and nothing else may give a secret there."""
        source, pieces = self._source, []
        for piece in template.pieces:
            if isinstance(piece, str):
                pieces.append(source.constant(piece))
                continue
            found = self.of(piece.tree) if chain_of(piece.tree) is not None else self.hole(piece)
            text = source.name("segment")
            source.add(f"{text} = {source.bind('as_segment', _as_segment)}({self.needed(found)})")
            pieces.append(text)
        path = source.name("path")
        source.add(f"{path} = {' + '.join(pieces)}")
        source.stop_where(f"len({path}) > {MAX_TEXT} or {source.bind('climbs', climbs)}({path})")
        return Found(path)

    def hole(self, hole: Hole) -> Found:
        """Write one expression, and that its value is one of JSON and not too large."""
        source, found = self._source, self.of(hole.tree)
        if found.plain or found.name == "MISSING":
            return found
        held = found.name
        with source.block(f"if {held}.__class__ is str:"):
            source.stop_where(f"len({held}) > {MAX_TEXT}")
        missing = f" and {held} is not MISSING" if found.misses else ""
        big = f"({held}.__class__ is not int or not -{_BIG} < {held} < {_BIG})"
        with source.block(f"elif {held} is not None and {held}.__class__ is not bool and {big}{missing}:"):
            source.add(f"{source.bind('checked', _check)}({held})")
        return found

    def of(self, node: nodes.Expr | None) -> Found:
        """Write an expression that `can_be_written`."""
        chain = chain_of(node) if node is not None else None
        if chain is not None:
            return Found(self._names.chain(chain), misses=True)
        return _WRITERS[type(node)](self, node)

    def needed(self, found: Found) -> str:
        """Write that a value must be there."""
        if found.misses:
            self.missing_where([found])
        return found.name

    def missing_where(self, found: list[Found]) -> None:
        """Write that none of these may be missing."""
        needed = [f"{one.name} is MISSING" for one in found if one.misses]
        if needed:
            with self._source.block(f"if {' or '.join(needed)}:"):
                for line in self._missing:
                    self._source.add(line)

    def _stop(self, found: Found) -> str:
        """Write that a value must be there; where it is not, the evaluator knows what that means."""
        if found.misses:
            self._source.stop_where(f"{found.name} is MISSING")
        return found.name

    def _make(self, about: str, text: str, *, misses: bool = False, plain: bool = False) -> Found:
        name = self._source.name(about)
        self._source.add(f"{name} = {text}")
        return Found(name, misses, plain)

    def constant(self, node: nodes.Const) -> Found:
        """Write a value that is written in the template."""
        text = self._source.constant(node.value)
        return self._make("constant", text, plain=isinstance(node.value, str | int | None))

    def list_of(self, node: nodes.List) -> Found:
        """Write a list, whose elements must be there."""
        return self._make("list", f"[{', '.join([self._stop(self.of(one)) for one in node.items])}]")

    def object_of(self, node: nodes.Dict) -> Found:
        """Write an object, whose members must be there."""
        pairs = [(self._stop(self.of(pair.key)), self._stop(self.of(pair.value))) for pair in node.items]
        return self._make("object", f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}")

    def key(self, node: nodes.Getattr) -> Found:
        """Write a look-up of a key in what an expression gives."""
        inner = self.of(node.node)
        return Found(self._names.keys(inner.name, (node.attr,)), misses=True)

    def element(self, node: nodes.Getitem) -> Found:
        """Write a look-up by what is computed."""
        inner, key = self.of(node.node), self._stop(self.of(node.arg))
        found = f"{self._source.bind('look_up', look_up)}({inner.name}, {key})"
        return self._make("element", f"MISSING if {inner.name} is MISSING else {found}", misses=True)

    def chosen(self, node: nodes.CondExpr) -> Found:
        """Write `a if b else c`."""
        source, test = self._source, self.needed(self.of(node.test))
        found, plain, misses = source.name("chosen"), True, False
        for head, part in ((f"if {test}:", node.expr1), ("else:", node.expr2)):
            with source.block(head):
                one = self.of(part)
                source.add(f"{found} = {one.name}")
            plain, misses = plain and one.plain, misses or one.misses
        return Found(found, misses, plain)

    def both(self, node: nodes.And | nodes.Or) -> Found:
        """Write `a and b`, `a or b`."""
        first = self.of(node.left)
        found = self._make("both", self.needed(first))
        with self._source.block(f"if {found.name}:" if isinstance(node, nodes.And) else f"if not {found.name}:"):
            second = self.of(node.right)
            self._source.add(f"{found.name} = {second.name}")
        return Found(found.name, second.misses, first.plain and second.plain)

    def negated(self, node: nodes.Not) -> Found:
        """Write `not a`."""
        return self._make("negated", f"not {self.needed(self.of(node.node))}", plain=True)

    def signed(self, node: nodes.Neg | nodes.Pos) -> Found:
        """Write `-a`."""
        sign = "-" if isinstance(node, nodes.Neg) else "+"
        return self._make("signed", f"{sign}{self.needed(self.of(node.node))}")

    def compared(self, node: nodes.Compare) -> Found:
        """Write a comparison of two values."""
        (operand,) = node.ops
        left, right = self.of(node.expr), self.of(operand.expr)
        if operand.op in {"in", "notin"}:  # of an empty list nothing is asked
            self._stop(left)
        self.missing_where([left, right])
        return self._make("compared", f"{left.name} {_ORDERS[operand.op]} {right.name}", plain=True)

    def calculated(self, node: nodes.BinExpr) -> Found:
        """Write a calculation with two values."""
        source, sign = self._source, _BINARY[type(node)]
        left, right = self.of(node.left), self.of(node.right)
        self.missing_where([left, right])
        found, one, other = source.name("result"), left.name, right.name
        by_itself = f"{source.bind('calculate', SANDBOX.call_binop)}(None, {sign!r}, {one}, {other})"
        if sign not in "+-*":
            source.add(f"{found} = {by_itself}")
            return Found(found)
        with source.block(f"if {one}.__class__ is int and {other}.__class__ is int:"):
            source.add(f"{found} = {one} {sign} {other}")
            source.stop_where(f"not -{_BIG} < {found} < {_BIG}")
        if sign == "+":
            with source.block(f"elif {one}.__class__ is str and {other}.__class__ is str:"):
                source.add(f"{found} = {one} + {other}")
                source.stop_where(f"len({found}) > {MAX_TEXT}")
        with source.block("else:"):
            source.add(f"{found} = {by_itself}")
        return Found(found)

    def tested(self, node: nodes.Test) -> Found:
        """Write `a is defined`."""
        held = self._make("held", self.of(node.node).name).name
        return self._make("is", _TESTS[node.name].format(held), plain=True)

    def called(self, node: nodes.Filter) -> Found:
        """Write a call of a function."""
        function = FUNCTIONS[node.name]
        first = [] if node.node is None else [node.node]
        given = [self.of(one) for one in (*first, *node.args)]
        if function.name == "default":
            value, instead = given
            text = f"{instead.name} if {value.name} is MISSING or {value.name} is None else {value.name}"
            return self._make("default", text, misses=instead.misses, plain=value.plain and instead.plain)
        if not function.takes_missing:
            self.missing_where(given)
        return self._apply(function, [one.name for one in given])

    def _apply(self, function: Function, given: list[str]) -> Found:
        source = self._source
        call = f"{source.bind(function.name, function)}({', '.join(given)})"
        misses = function.gives.optional or function.gives.kind in {"any", "maybe", "element"}
        quick = remember(function)
        if quick is not None:
            kinds = [_SCALARS[function.parameter(at).kind] for at in range(len(given))]
            fits = " and ".join(f"{name}.__class__ is {kind}" for name, kind in zip(given, kinds, strict=True))
            known = f"{source.bind(function.name, quick)}({', '.join(given)})"
            return self._make(function.name, f"{known} if {fits} else {call}", plain=True)
        if function.name == "text":
            (one,) = given
            quick_text = f"{one} if {one}.__class__ is str else str({one}) if {one}.__class__ is int else {call}"
            return self._make("text", quick_text)
        return self._make(function.name, call, misses=misses, plain=function.gives.kind == "boolean" and not misses)


def _as_text(value: Json) -> str:
    return write(value, quote=False)


def _as_segment(value: Json) -> str:
    if isinstance(value, Secret):
        return write(value.reveal(), quote=True)
    if not isinstance(value, str):
        _check(value)
    return write(value, quote=True)


_WRITERS: Final[Mapping[type, Callable[[TemplateWriter, Any], Found]]] = {
    nodes.Const: TemplateWriter.constant,
    nodes.List: TemplateWriter.list_of,
    nodes.Dict: TemplateWriter.object_of,
    nodes.Getattr: TemplateWriter.key,
    nodes.Getitem: TemplateWriter.element,
    nodes.CondExpr: TemplateWriter.chosen,
    nodes.And: TemplateWriter.both,
    nodes.Or: TemplateWriter.both,
    nodes.Not: TemplateWriter.negated,
    nodes.Neg: TemplateWriter.signed,
    nodes.Pos: TemplateWriter.signed,
    nodes.Compare: TemplateWriter.compared,
    nodes.Test: TemplateWriter.tested,
    nodes.Filter: TemplateWriter.called,
    **dict.fromkeys(_BINARY, TemplateWriter.calculated),
}
"""Kind of expression → what writes it. What is not here, such as slices, is left to Jinja2."""


def can_be_written(template: Template) -> bool:
    """Whether all of a template is written out: no slice, no `a < b < c`."""
    return all(_is_known(hole.tree) for hole in template.holes)


def _is_known(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Compare) and len(node.ops) != 1:
        return False
    if isinstance(node, nodes.Expr) and not isinstance(node, nodes.Name) and type(node) not in _WRITERS:
        return False
    return all(_is_known(child) for child in node.iter_child_nodes())
