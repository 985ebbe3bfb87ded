"""The pages of a list that a provider tells a part at a time: how the next one is found, and how it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.mapping.expressions import Path, Predicate
from gateway.mapping.nodes.trees import Tree

ADDRESS: Final = "the address of the page"
"""Where a scope has the address that a page is told to be at, `(url, query)`. No name of the language is written so."""


@dataclass(frozen=True, slots=True)
class PagesPlan:
    """How a reading call follows the pages of a list, whose rows are joined."""

    kind: str
    """`next` where an answer has the address of the next page; `token`, `number` or `offset` where the call itself
    says which one it wants, by a value that its templates know by this name."""
    rows: Path
    """The list of a page, by keys alone."""
    told: Path | None
    """Where an answer has the address or the token; None where it has neither, or has it in a header."""
    link: str
    """The relation by which a Link header names the next page; empty where none is looked for."""
    start: int | None
    """What the first page is asked by, where that is a number or an offset."""
    query: Tree | None
    """The query of a call that says which page it wants; None where that is not in the query."""
    body: Tree | None
    """Its body, likewise."""
    until: Predicate | None
    """What holds of the last page besides that it names no other; its templates see the value, and `body`."""
    most: int
    """So many pages at most: what goes on beyond them fails."""
    origin: str
