"""Rules of shape that keys of a part have with each other: which of them must be, and which go together.

A part declares them, the reader holds files against them. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Violation:
    """What is told of a part that breaks a rule: at one of its keys, or at the part itself."""

    code: str
    message: str
    key: str | None = None


Rule: TypeAlias = Callable[[Collection[str]], Iterator[Violation]]
"""The keys that are given → what is wrong with them."""


def exactly_one(*keys: str, code: str, what: str = "", message: str = "") -> Rule:
    """Of these keys a part has one. What is told is the message, or names the part by `what`, as a sentence begins."""

    def broken(given: Collection[str]) -> Iterator[Violation]:
        if sum(key in given for key in keys) != 1:
            yield Violation(code, message or exactly_one_of(what, keys))

    return broken


def not_beside(key: str, *others: str) -> Rule:
    """A key means nothing beside one of the others."""

    def broken(given: Collection[str]) -> Iterator[Violation]:
        other = next((one for one in others if one in given), None)
        if key in given and other is not None:
            yield Violation("unknown-key", f"`{key}` does not go with `{other}`", key)

    return broken


def not_both(first: str, second: str, *, code: str) -> Rule:
    """One of two keys is meant."""

    def broken(given: Collection[str]) -> Iterator[Violation]:
        if first in given and second in given:
            yield Violation(code, f"`{first}` or `{second}`, not both")

    return broken


def exactly_one_of(what: str, keys: Collection[str]) -> str:
    """Say that one of these keys is needed, and no more."""
    *first, last = (f"`{key}`" for key in keys)
    return f"{what} has exactly one of {', '.join(first)} and {last}"


@dataclass(frozen=True, slots=True)
class Choice:
    """Of a union of parts that are told apart by a key: what is told where that is not clear.

    `code` is that of a part with none of the telling keys, or with several, and `what` names it, as a sentence
    begins. `stranger` is that of a key which only another of the parts has, with the sentence for it, which may name
    `{key}` and `{told}`, the key that tells which part it is.
    """

    what: str
    code: str
    stranger: tuple[str, str] = ("unknown-key", "`{key}` does not go with `{told}`")
