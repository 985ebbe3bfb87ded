"""What is known of a call's arguments at a place of an operation: which are certainly given, and which may not be.

An optional argument that is used bare fails the calls that do not give it. What a condition asks is known behind it:
`when:`, `$if`, `if … else`, `and`, `or`, guards that refused, variants that were not chosen. Pure, at load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from gateway.mapping.expressions import ExpressionFailed, Hole
from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.expressions.grammar import chain_of, chains_of
from gateway.mapping.expressions.sandbox import Program
from gateway.mapping.nodes.given import NativeArgument
from gateway.model.model import Argument, Field, Operation, Type
from gateway.values.messages import Json

_OPEN: Final = frozenset({"any", "map", "object"})
"""Canonical kinds whose keys the contract does not name."""
_FAILS: Final = "\x00"
_REMEMBERED: Final = 4_096
_WITHOUT: Final[dict[str, Json]] = {}
"""Expression, written as Jinja2 shows its tree → what it gives without its names: making its code takes milliseconds.

What it gives is only compared. A mapping has some hundred conditions, which it writes over and over."""

Chain: TypeAlias = tuple[str, ...]
"""A name and the keys that are looked up on it: `("args", "customer", "email")`."""


_Literal: TypeAlias = tuple[nodes.Expr, bool]
"""A condition, and whether it holds."""


@dataclass(frozen=True, slots=True)
class GivenArguments:
    """What a template may count on. Argument names are those of the contract; chains begin with `args`."""

    arguments: Mapping[str, Field]
    groups: tuple[frozenset[str], ...] = ()
    """Of each group of arguments the contract has at least one given."""
    parts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Argument → those that are made of it (`args_from:`)."""
    present: frozenset[Chain] = frozenset()
    absent: frozenset[Chain] = frozenset()
    facts: tuple[_Literal, ...] = ()
    """Conditions that are known to hold, or not to."""
    clauses: tuple[tuple[_Literal, ...], ...] = ()
    """Conditions of which not all are so: a guard refused those calls."""
    taken: Mapping[str, nodes.Expr] = field(default_factory=dict)
    """Taken names that are made of nothing but arguments → their expressions."""
    elements: Mapping[str, Type] = field(default_factory=dict)
    """Names of elements of an argument that is a list → their type."""
    roots: Mapping[str, Type] = field(default_factory=dict)
    """Names besides arguments whose type is known, such as `connection` → their type."""
    owed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names that stand for what the caller gave → the caller's fields."""

    def fields(self, chain: Chain) -> tuple[Mapping[str, Field], Chain] | None:
        """The fields in which a chain begins, and what of it is looked up in them; None of what is unknown here."""
        if chain[0] == "args" and len(chain) > 1:
            return (self.arguments, chain[1:]) if chain[1] in self.arguments else None
        element = self.elements.get(chain[0])
        return (element.fields, chain[1:]) if element is not None and element.fields and len(chain) > 1 else None

    def surely(self, chain: Chain) -> bool:
        """Whether a value is there in every call that comes to this place; so is what is not known here."""
        begins = self.fields(chain)
        if begins is None:
            return True
        fields, keys = begins
        holder: Type | None = None
        for depth, key in enumerate(keys, start=len(chain) - len(keys) + 1):
            known = fields.get(key)
            if known is None:  # any key may stand in an open object; of another it is told elsewhere
                return self._is_known(chain) or holder is None or holder.kind not in _OPEN or bool(holder.fields)
            default = known.default if isinstance(known, Argument) else None
            if not (known.required or default is not None or self._is_known(chain[:depth])):
                return False
            holder, fields = known.type, known.type.fields
        return True

    def _is_known(self, chain: Chain) -> bool:
        return any(one[: len(chain)] == chain for one in self.present)

    def knowing(self, present: Iterable[Chain] = (), absent: Iterable[Chain] = ()) -> GivenArguments:
        """The same with more known: what must be given where something else is not, and what is made of it."""
        there, gone = set(self.present) | set(present), self.absent | set(absent)
        for group in self.groups:
            live = [name for name in group if ("args", name) not in gone]
            made = [{name} | self.parts.get(name, frozenset()) for name in live]
            there |= {("args", name) for name in set.intersection(*made)} if made else set()
        for name, parts in self.parts.items():
            if any(chain[:2] == ("args", name) for chain in there):
                there |= {("args", part) for part in parts}
        return replace(self, present=frozenset(there), absent=gone)

    def after(self, condition: nodes.Expr | None, *, holds: bool) -> GivenArguments:
        """The same where a condition was found to hold, or not to."""
        if condition is None:
            return self
        learned = self._learn(self._written_out(condition), holds=holds)
        found = tuple(_literals(condition, holds=holds))
        if len(found) > 1 and _alternative(condition, holds=holds):
            clauses = (*self.clauses, tuple((atom, not one) for atom, one in found))
            return replace(self.knowing(*learned), clauses=clauses)
        known = replace(self.knowing(*learned), facts=(*self.facts, *found))
        for clause in self.clauses:
            left = [one for one in clause if one not in known.facts]
            if len(left) == 1 and (left[0][0], not left[0][1]) not in known.facts:
                rest = tuple(one for one in self.clauses if one is not clause)
                return replace(known, clauses=rest).after(left[0][0], holds=not left[0][1])
        return known

    def with_variables(self, name: str, tree: nodes.Expr, *, encoded: bool) -> GivenArguments:
        """The same with a variable; of what a codec writes it is only known when it is null."""
        chains = set(chains_of(tree))
        owed = {**self.owed, name: fields} if (fields := self.owing(chains)) else self.owed
        known = {chain[0] for chain in chains} <= {"args", *self.taken}
        if not known or (encoded and _without(self._written_out(tree)) is not None):
            return replace(self, owed=owed)
        return replace(self, owed=owed, taken={**self.taken, name: tree})

    def _written_out(self, tree: nodes.Expr) -> nodes.Expr:
        """Write out the expressions of the variables in an expression, which itself stays as it is."""
        if all(chain[0] not in self.taken for chain in chains_of(tree)):
            return tree
        written: nodes.Expr = _Expanded(self.taken).visit(deepcopy(tree))
        return written

    def owing(self, chains: Iterable[Chain]) -> tuple[str, ...]:
        """The caller's fields that a value of these names is made of; none where something else is among them."""
        found: list[str] = []
        for chain in sorted(chains):
            if chain[0] == "args" and len(chain) > 1:
                found.append(".".join(chain[1:]))
            elif chain[0] in self.owed:
                found += self.owed[chain[0]]
            elif chain[0] not in {"settings", "connection", "now"}:
                return ()
        return tuple(dict.fromkeys(found))

    def naming(self, name: str, element: Type | None, owed: tuple[str, ...]) -> GivenArguments:
        """The same with a name for each element of a list."""
        elements = {key: one for key, one in self.elements.items() if key != name}
        owes = {key: one for key, one in self.owed.items() if key != name}
        known = {**elements, name: element} if element is not None else elements
        taken = {key: one for key, one in self.taken.items() if key != name}
        return replace(self, elements=known, taken=taken, owed={**owes, name: owed} if owed else owes)

    def lacking(self, node: nodes.Node) -> Iterator[Chain]:
        """Give the names that an expression needs and that some calls do not give."""
        chain = chain_of(node)
        if chain is not None:
            if not self.surely(chain):
                yield chain
            return
        match node:
            case nodes.CondExpr(test=test, expr1=first, expr2=second):
                yield from self.lacking(test)
                yield from self.after(test, holds=True).lacking(first)
                if second is not None:
                    yield from self.after(test, holds=False).lacking(second)
            case nodes.And() | nodes.Or():
                yield from self.lacking(node.left)
                yield from self.after(node.left, holds=isinstance(node, nodes.And)).lacking(node.right)
            case nodes.Test() | nodes.Filter() if isinstance(node, nodes.Test) or FUNCTIONS[node.name].takes_missing:
                for child in node.iter_child_nodes():
                    yield from self._lacking_below(child)
            case _:
                for child in node.iter_child_nodes():
                    yield from self.lacking(child)

    def _lacking_below(self, node: nodes.Node) -> Iterator[Chain]:
        """The same of what may itself be missing."""
        if chain_of(node) is not None:
            return
        if isinstance(node, nodes.Getitem | nodes.Getattr):
            yield from self._lacking_below(node.node)
            if isinstance(node, nodes.Getitem):
                yield from self.lacking(node.arg)
            return
        yield from self.lacking(node)

    def _learn(self, node: nodes.Node, *, holds: bool) -> tuple[set[Chain], set[Chain]]:
        """What is given, and what is not, where an expression was found to be true, or false."""
        match node:
            case nodes.Not():
                return self._learn(node.node, holds=not holds)
            case nodes.And() | nodes.Or():
                left = self._learn(node.left, holds=holds)
                right = self._learn(node.right, holds=holds)
                if isinstance(node, nodes.And) is holds:
                    return left[0] | right[0], left[1] | right[1]
                return left[0] & right[0], left[1] & right[1]
        needed = set(self.lacking(node))  # it was evaluated, so they were there
        callers = {"args", *self.elements}
        chains = {chain for chain in chains_of(node) if chain[0] in callers}
        if len(chains) == 1:
            (chain,) = chains
            if {one[0] for one in chains_of(node)} <= callers and _without(node) is not holds:
                return needed | chains, set()
            if holds and _found_in(node, chain):
                return needed | chains, set()
            if _asks_only_for(node, chain):
                return needed, chains
        return needed, set()


def given_to(
    operation: Operation, parts: Mapping[str, frozenset[str]], *, unsupported: Iterable[str], requires: Iterable[str]
) -> GivenArguments:
    """What is known of the arguments of an operation before anything of its mapping is done.

    `parts`: argument → those that it is taken apart into; `unsupported` and `requires` are names of arguments.
    """
    gone = {("args", name) for name in unsupported if "." not in name}
    groups = tuple(frozenset(group) for group in operation.rules.one_of)
    needed = {("args", *name.split(".")) for name in requires}
    owed: dict[str, tuple[str, ...]] = {}
    for name, made in parts.items():
        owed |= {f"args.{part}": (*owed.get(f"args.{part}", ()), name) for part in made}
    return GivenArguments(operation.args, groups, parts, owed=owed).knowing(needed, gone)


def given_to_native(arguments: Mapping[str, NativeArgument]) -> GivenArguments:
    """What is known of the arguments of a native operation, which are of the kinds that the mapping declares."""
    return GivenArguments(
        {
            name: Argument(name, _native_type(one.type), one.required, one.meaning, default=one.default)
            for name, one in arguments.items()
        }
    )


def _native_type(kind: str) -> Type:
    return Type("text" if kind == "string" else kind, lambda value: value)


def _literals(node: nodes.Expr, *, holds: bool) -> Iterator[_Literal]:
    """Take a condition apart into those that it is joined of by `and`, or by `or`, with what is known of each."""
    if isinstance(node, nodes.Not):
        yield from _literals(node.node, holds=not holds)
    elif isinstance(node, nodes.And | nodes.Or):
        for side in (node.left, node.right):
            if type(side) is type(node) or not isinstance(side, nodes.And | nodes.Or):
                yield from _literals(side, holds=holds)
            else:
                yield side, holds
    else:
        yield node, holds


def _alternative(node: nodes.Expr, *, holds: bool) -> bool:
    """Whether of the parts of a condition only one must be so."""
    if isinstance(node, nodes.Not):
        return _alternative(node.node, holds=not holds)
    return isinstance(node, nodes.Or) is holds and isinstance(node, nodes.And | nodes.Or)


def _without(node: nodes.Node) -> Json:
    """What an expression gives where nothing of its names is given; a text that is no value where it fails."""
    if not isinstance(node, nodes.Expr):
        return _FAILS
    written = repr(node)
    if written not in _WITHOUT:
        if len(_WITHOUT) >= _REMEMBERED:
            _WITHOUT.clear()
        scope: dict[str, Json] = {chain[0]: {} for chain in chains_of(node)}
        try:
            _WITHOUT[written] = Hole(Program(node).run, node).value(scope)
        except ExpressionFailed:
            _WITHOUT[written] = _FAILS
    return _WITHOUT[written]


def _found_in(node: nodes.Node, chain: Chain) -> bool:
    """Whether an expression asks if something is in a list that is empty where the argument is not given."""
    match node:
        case nodes.Compare(ops=[nodes.Operand(op="in", expr=nodes.Filter(name="default") as held)]):
            return held.node is not None and chain_of(held.node) == chain and _without(held) == []
    return False


def _asks_only_for(node: nodes.Node, chain: Chain) -> bool:
    """Whether an expression asks for nothing but whether an argument is given."""
    match node:
        case nodes.Test(name="defined", node=asked):
            return chain_of(asked) == chain
        case nodes.Test(name="none", node=nodes.Filter(name="default", node=asked, args=[nodes.Const(value=None)])):
            return asked is not None and chain_of(asked) == chain
    return False


class _Expanded(NodeTransformer):
    """Writes the expressions of variables out."""

    def __init__(self, taken: Mapping[str, nodes.Expr]) -> None:
        self._taken = taken

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 - jinja2 names the method
        """Replace a variable."""
        tree = self._taken.get(node.name)
        if tree is None:
            return node
        written: Any = self.visit(deepcopy(tree))
        return written if isinstance(written, nodes.Node) else node
