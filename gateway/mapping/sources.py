"""What the parts of a tree are made of: which of the caller's fields stand behind a part that cannot be used. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.effort import BudgetSpent
from gateway.mapping.blame import all_callers, fields_of, reads_of
from gateway.mapping.expressions import Template
from gateway.mapping.expressions.grammar import chain_of
from gateway.mapping.plan import Scope


@dataclass(frozen=True, slots=True)
class Source:
    """What a tree is made of.

    `reads` are the names that it reads, `template` is the tree where it is one; `members` are those of an object that
    is written out, and `layers` the parts of a `$merge`: of them the parts are told apart.
    """

    reads: frozenset[tuple[str, ...]] = frozenset()
    owed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    template: Template | None = None
    members: Mapping[str, Source] | None = None
    layers: tuple[Source, ...] = ()

    def behind(self, path: Sequence[str], scope: Scope) -> tuple[str, ...]:
        """Name the caller's fields of which a part is made; none where anything else is among what makes it."""
        if self.members is not None:
            inner = self.members.get(path[0]) if path else None
            return inner.behind(path[1:], scope) if inner is not None else ()
        if self.layers:
            last = next((one for one in reversed(self.layers) if one.holds(path)), None)
            return last.behind(path, scope) if last is not None else ()
        try:
            chains = self._chains(path, scope)
        except BudgetSpent:
            return ()
        if not all_callers(self.owed, chains):
            return ()
        return fields_of(self.owed, chains, scope) or fields_of(self.owed, chains, scope, missing=True)

    def holds(self, path: Sequence[str]) -> bool:
        """Whether a part of a `$merge` may give this; of an object that is written out it is known."""
        return self.members is None or (bool(path) and path[0] in self.members)

    def _chains(self, path: Sequence[str], scope: Scope) -> set[tuple[str, ...]]:
        if self.template is None:
            return set(self.reads)
        whole = chain_of(self.template.holes[0].tree) if self.template.whole else None
        return {(*whole, *path)} if whole is not None else set(reads_of(self.template, scope))
