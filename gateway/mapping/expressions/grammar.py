"""What may stand in a template's expression. Everything is refused at load that is not listed here.

The tree is also rewritten so that one thing is written one way: `md5(a)` becomes `a | md5` and `a["b"]` becomes `a.b`.
Nothing is evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NoReturn

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from gateway.documents.yaml import suggestion
from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.expressions.functions.kind import ExpressionInvalid, check_pattern

MAX_DEPTH: Final = 40
TESTS: Final = ("boolean", "defined", "integer", "list", "none", "number", "object", "text")
"""What may follow `is`: kinds of values, and `defined` for one that is there, null included."""

OWN_ID: Final = "uuid"
"""The word that, without arguments, is the call's own fresh id."""

_UNSEEING: Final = frozenset({"defined", "none"})
"""Tests that tell nothing of a secret but that there is one."""

_ALLOWED: Final = (
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Dict,
    nodes.Pair,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.CondExpr,
    nodes.Call,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
)
_REASONS: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Pow: "there are no powers",
    nodes.Concat: "`~` is not taken; join texts with `+` and write a number as `text(…)`",
    nodes.Keyword: "arguments are given by position",
    nodes.Tuple: "write a list between `[` and `]`",
}


class Grammar(NodeTransformer):
    """Checks one expression and collects the names it uses. `names` are the roots there are, or None for any.

    `uses` are names with the keys looked up on them (`("args", "quantity")`), `unsigned_uses` those that are
    neither the argument of a word that signs nor only asked whether they are there.
    """

    def __init__(self, source: str, names: Collection[str] | None) -> None:
        self.source = source
        self.names = names
        self.uses: set[tuple[str, ...]] = set()
        self.unsigned_uses: set[tuple[str, ...]] = set()

    def checked(self, tree: nodes.Expr) -> nodes.Expr:
        """Check the whole tree and give it rewritten; raises ExpressionInvalid with an offset into the source."""
        waiting: list[tuple[nodes.Node, int]] = [(tree, 1)]
        while waiting:
            node, depth = waiting.pop()
            if depth > MAX_DEPTH:
                raise ExpressionInvalid("nested too deeply")
            if not isinstance(node, _ALLOWED):
                raise ExpressionInvalid(_REASONS.get(type(node), "this cannot stand in an expression"))
            if isinstance(node, nodes.CondExpr) and node.expr2 is None:
                raise ExpressionInvalid("`if` needs an `else`")
            waiting.extend((child, depth + 1) for child in node.iter_child_nodes())
        written: nodes.Expr = self.visit(tree)
        return written

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - jinja2 names the method
        """Note a name without keys."""
        self._use((node.name,), harmless=False)
        return node

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802
        """Note `a.b`."""
        return self._looked_up(node, node.attr)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        """Rewrite `a["b"]`."""
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._looked_up(node, node.arg.value)
        return self.generic_visit(node)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        """Rewrite `word(a, b)` and refuse every other call: there are no methods."""
        if not isinstance(node.node, nodes.Name):
            raise ExpressionInvalid("only the words of the language can be called; there are no methods")
        if node.dyn_args or node.dyn_kwargs:
            self._refuse(node.node.name, "arguments are given by position")
        if not node.args and node.node.name == OWN_ID:
            self._use((OWN_ID,), harmless=False)
            return nodes.Name(OWN_ID, "load", lineno=node.lineno)
        if not node.args:
            self._refuse(node.node.name, f"`{node.node.name}` is called without arguments")
        return self._word(node, node.node.name, node.args)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        """Check `a | word(b)`."""
        if node.dyn_args or node.dyn_kwargs:
            self._refuse(node.name, "arguments are given by position")
        first = [] if node.node is None else [node.node]
        return self._word(node, node.name, [*first, *node.args])

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        """Check `a is defined`."""
        if node.name not in TESTS:
            self._refuse(node.name, f"`is {node.name}` is no test{suggestion(node.name, TESTS)}")
        if node.args or node.dyn_args or node.dyn_kwargs:
            self._refuse(node.name, f"`is {node.name}` takes no arguments")
        chain = chain_of(node.node)
        if chain is None or node.name not in _UNSEEING:
            return self.generic_visit(node)
        self._use(chain, harmless=True)
        return nodes.Test(_plain(node.node), node.name, [], [], None, None, lineno=node.lineno)

    def _looked_up(self, node: nodes.Getattr | nodes.Getitem, key: str) -> nodes.Node:
        chain = chain_of(node)
        if chain is None:
            inner: Any = self.visit(node.node)
        else:
            self._use(chain, harmless=False)
            inner = node.node
        return nodes.Getattr(_plain(inner), key, "load", lineno=node.lineno)

    def _word(self, node: nodes.Node, name: str, arguments: list[nodes.Expr]) -> nodes.Node:
        function = FUNCTIONS.get(name)
        if function is None:
            self._refuse(name, f"`{name}` is no word of the language{suggestion(name, FUNCTIONS)}")
        refused = function.refuses(len(arguments))
        if refused is not None:
            self._refuse(name, f"`{name}`: {refused}")
        written: list[Any] = []
        for index, argument in enumerate(arguments):
            if function.parameter(index).kind == "pattern":
                self._pattern(name, argument)
            chain = chain_of(argument) if function.signs else None
            if chain is None:
                written.append(self.visit(argument))
            else:
                self._use(chain, harmless=True)
                written.append(_plain(argument))
        return nodes.Filter(written[0], name, written[1:], [], None, None, lineno=node.lineno)

    def _pattern(self, name: str, argument: nodes.Expr) -> None:
        """Check a regular expression, which must stand here as a text: one that is computed could not be checked."""
        try:
            check_pattern(name, argument.value if isinstance(argument, nodes.Const) else None)
        except ExpressionInvalid as invalid:
            self._refuse(name, invalid.message)

    def _use(self, chain: tuple[str, ...], *, harmless: bool) -> None:
        if self.names is not None and chain[0] not in self.names:
            known = [*self.names, "none"]
            self._refuse(chain[0], f"`{chain[0]}` is not known here{suggestion(chain[0], known)}")
        self.uses.add(chain)
        if not harmless:
            self.unsigned_uses.add(chain)

    def _refuse(self, name: str, message: str) -> NoReturn:
        found = re.search(rf"(?<![\w.]){re.escape(name)}\b", self.source)
        raise ExpressionInvalid(message, found.start() if found else 0)


def chain_of(node: nodes.Node) -> tuple[str, ...] | None:
    """Give the name and keys of an expression that only looks up keys (`args.customer["name"]`), else None."""
    keys: list[str] = []
    while True:
        match node:
            case nodes.Name():
                return (node.name, *reversed(keys))
            case nodes.Getattr():
                keys.append(node.attr)
            case nodes.Getitem(arg=nodes.Const(value=str(key))):
                keys.append(key)
            case _:
                return None
        node = node.node


def chains_of(node: nodes.Node) -> Iterator[tuple[str, ...]]:
    """Give the names that an expression looks up, with their keys."""
    chain = chain_of(node)
    if chain is not None:
        yield chain
        return
    for child in node.iter_child_nodes():
        yield from chains_of(child)


def _plain(node: nodes.Node) -> nodes.Node:
    """Rewrite the look-ups of a chain, whose names have been noted already."""
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return nodes.Getattr(_plain(node.node), node.arg.value, "load", lineno=node.lineno)
    if isinstance(node, nodes.Getattr):
        return nodes.Getattr(_plain(node.node), node.attr, "load", lineno=node.lineno)
    return node
