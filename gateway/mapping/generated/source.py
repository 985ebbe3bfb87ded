"""The text of one function while it is made, and the names that it is made of.

No text of a mapping, a connection or a caller becomes code. A line is a form of ours with names put in that are drawn
here; a value is bound to such a name and handed to the function when it is made. Only texts like `name_1` (ASCII
letters, digits and `_`) and small whole numbers are written as they are, as literals, so that the code can be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from gateway.computation.budget import BudgetSpent, spend
from gateway.mapping.codecs import CodecRefused
from gateway.mapping.expressions import ExpressionFailed
from gateway.mapping.nodes.calls import Scope
from gateway.values.errors import AnswerMismatch, MappingFault
from gateway.values.messages import Json
from gateway.values.truth import MISSING

MOST_LINES: Final = 3_000
"""Lines that one function may have: about a hundred fields. What would be longer is left to the evaluator."""
_MOST_DEPTH: Final = 90
_MOST_LOOPS: Final = 18
"""Python takes a hundred levels, and twenty loops inside one another."""
_PLAIN: Final = re.compile("[A-Za-z0-9_]{1,60}", re.ASCII)
_STRANGE: Final = re.compile("[^a-z0-9]+", re.ASCII)
_SMALL: Final = 10**6
_INDENT: Final = "    "


class Stop:
    """The type of STOP."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "STOP"


STOP: Final = Stop()
"""What generated code gives for an input that it does not know: the evaluator is asked instead."""


FAILURES: Final = (
    AnswerMismatch,
    MappingFault,
    BudgetSpent,
    CodecRefused,
    ExpressionFailed,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)
"""What generated code may meet in values that it does not know: the evaluator is asked, and tells what is wrong."""


class TooLong(Exception):
    """A function would become longer than MOST_LINES, or nested deeper than Python takes."""


class Line(NamedTuple):
    """One line of code, or what is told of those after it."""

    depth: int
    text: str
    is_note: bool = False


class Source:
    """A function in the making. What it needs is `bound`, the same for every connection, or a cell of each."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.bound: dict[str, object] = {"MISSING": MISSING, "STOP": STOP}
        self.cells: dict[str, Callable[[Scope], object]] = {}
        self.inline = 0
        """Parts of the mapping that are written out."""
        self.asked = 0
        """Parts for which the evaluator is called."""
        self._first: list[str] = []
        self._seen: str | None = None
        self._depth = 2
        self._loops = 0
        self._count = 0
        self._known: dict[tuple[str, object], str] = {}
        self._kept: list[object] = []

    def name(self, about: str) -> str:
        """Draw a name that nothing else has; `about` is only what a reader may guess of it."""
        self._count += 1
        plain = _STRANGE.sub("_", about.lower())[:24].strip("_")
        return f"{plain if plain[:1].isalpha() else f'at_{plain}'}_{self._count}"

    def add(self, text: str) -> None:
        """Write one line. Raises TooLong."""
        if len(self.lines) >= MOST_LINES:
            raise TooLong
        self.lines.append(Line(self._depth, text))

    def at_begin(self, text: str) -> None:
        """Write a line with which the function begins."""
        self._first.append(text)

    def count(self, base: str, most: int) -> None:
        """Write that the elements of a list are counted: more than `most` in one run are left to the evaluator."""
        if self._seen is None:
            self._seen = self.name("seen")
            self.at_begin(f"{self._seen} = 0")
        self.add(f"{self._seen} += len({base})")
        self.stop_where(f"{self._seen} > {most}")
        self.add(f"{self.bind('spend', spend)}(len({base}))")

    def root(self, name: str) -> str:
        """Give the name of what the scope has under a name, or of MISSING."""
        key = ("root", name)
        if key not in self._known:
            self._known[key] = self.name(name)
            self.at_begin(f"{self._known[key]} = scope.get({self.constant(name)}, MISSING)")
        return self._known[key]

    def note(self, text: str) -> None:
        """Tell what the lines after this are made of: shown to people, and no part of the code."""
        self.lines.append(Line(self._depth, " ".join(text.split()), is_note=True))

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a line that begins a block, and what is written meanwhile inside of it. Raises TooLong."""
        self.add(head)
        loop = head.startswith(("for ", "while "))
        if self._depth >= _MOST_DEPTH or self._loops + loop > _MOST_LOOPS:
            raise TooLong
        self._depth += 1
        self._loops += loop
        try:
            yield
        finally:
            self._depth -= 1
            self._loops -= loop

    def stop_where(self, condition: str) -> None:
        """Stop where this holds."""
        with self.block(f"if {condition}:"):
            self.add("return STOP")

    def constant(self, value: Json) -> str:
        """Write a value of the mapping: a plain literal, or the name that it is bound to."""
        if value is None or value is True or value is False:
            return repr(value)
        if type(value) is int and -_SMALL < value < _SMALL:
            return repr(value)
        if type(value) is str and _PLAIN.fullmatch(value):
            return f"'{value}'"
        return self.bind("constant", value)

    def bind(self, about: str, value: object) -> str:
        """Give the name of a value that is the same for every connection."""
        key = ("bound", id(value))
        if key not in self._known:
            self._known[key] = self.name(about)
            self.bound[self._known[key]] = value
        return self._known[key]

    def cell(self, about: str, owner: object, make: Callable[[Scope], object]) -> str:
        """Give the name of what is made for each connection, of its own scope; of one owner, or the same keys, once."""
        key = (about, owner if isinstance(owner, tuple) else id(owner))
        if key not in self._known:
            self._known[key] = self.name(about)
            self.cells[self._known[key]] = make
            self._kept.append(owner)  # so that its id stays its own
        return self._known[key]

    def code(self) -> str:
        """Give the text: a function of what is bound, which gives the function."""
        given = ", ".join((*self.bound, *self.cells))
        first = [f"{_INDENT * 2}{text}" for text in self._first]
        lines = [*first, *(f"{_INDENT * one.depth}{one.text}" for one in self.lines if not one.is_note)]
        return "\n".join([f"def make({given}):", f"{_INDENT}def made(value, scope):", *lines, f"{_INDENT}return made"])

    def shown(self) -> list[str]:
        """Give the code for people: with what of the mapping each part is made of, and without the frame around it."""
        first = [f"{_INDENT}{text}" for text in self._first]
        return [*first, *(f"{_INDENT * (one.depth - 1)}{'# ' * one.is_note}{one.text}" for one in self.lines)]

    def maker(self, about: str) -> Callable[..., Callable[[Json, Scope], Any]]:
        """Make the code: a function that takes what is bound, by name, and gives the function. Once a mapping."""
        names: dict[str, Any] = {}
        exec(compile(self.code(), f"<generated: {_STRANGE.sub('_', about.lower())}>", "exec"), names)  # noqa: S102 - no text of a mapping is in it (see above)
        made: Callable[..., Callable[[Json, Scope], Any]] = names["make"]
        return made
