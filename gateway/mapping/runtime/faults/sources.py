"""What the parts of a tree are made of: which of the caller's fields stand behind a part that cannot be used. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.computation.budget import BudgetSpent
from gateway.mapping.expressions.grammar import chain_of
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.trees import MadeOf
from gateway.mapping.runtime.faults.blame import all_callers, fields_of, reads_of


def behind(tree: MadeOf, path: Sequence[str], scope: Scope) -> tuple[str, ...]:
    """Name the caller's fields of which a part is made; none where anything else is among what makes it.

    `path` are the keys that lead to the part in what the tree builds.
    """
    if tree.members is not None:
        inner = tree.members.get(path[0]) if path else None
        return behind(inner, path[1:], scope) if inner is not None else ()
    if tree.layers:
        last = next((one for one in reversed(tree.layers) if _holds(one, path)), None)
        return behind(last, path, scope) if last is not None else ()
    try:
        chains = _chains(tree, path, scope)
    except BudgetSpent:
        return ()
    if not all_callers(tree.owed, chains):
        return ()
    return fields_of(tree.owed, chains, scope) or fields_of(tree.owed, chains, scope, missing=True)


def _holds(layer: MadeOf, path: Sequence[str]) -> bool:
    """Whether a part of a `$merge` may give this; of an object that is written out it is known."""
    return layer.members is None or (bool(path) and path[0] in layer.members)


def _chains(tree: MadeOf, path: Sequence[str], scope: Scope) -> set[tuple[str, ...]]:
    if tree.template is None:
        return set(tree.reads)
    whole = chain_of(tree.template.holes[0].tree) if tree.template.whole else None
    return {(*whole, *path)} if whole is not None else set(reads_of(tree.template, scope))
