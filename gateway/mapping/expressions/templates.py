"""Templates: what is sent is built by Jinja2 expressions between `{{` and `}}`, parsed once and checked at load.

Types are never guessed: a template that is one expression keeps its value's type, with text around it it is text.
Only items of objects and lists are looked up; there are no attributes, methods, statements or loops, and the only
functions are those of `functions/`. Paths are in `paths.py`.

No message holds a value, and a secret is shown to nothing but a word that signs and the path of a URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any, Final, TypeAlias
from urllib.parse import quote as percent_encode

from jinja2 import TemplateError, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.parser import Parser

from gateway.computation.budget import BudgetSpent, over_budget, spend
from gateway.documents.yaml import Place
from gateway.mapping.expressions.conditions import seen_of_template
from gateway.mapping.expressions.functions.kind import (
    MAX_TEXT,
    ExpressionFailed,
    ExpressionInvalid,
    SegmentRefused,
    ValueMissing,
)
from gateway.mapping.expressions.grammar import Grammar, chain_of
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.expressions.sandbox import SANDBOX, Program, look_up
from gateway.mapping.expressions.sizes import check_size
from gateway.mapping.expressions.types import kind_of
from gateway.values.messages import Json
from gateway.values.secrets import Secret
from gateway.values.truth import MISSING

_Scope: TypeAlias = Mapping[str, Json]

_MAX_LENGTH: Final = 2_000
_REMEMBERED: Final = 8_192
"""Templates that are remembered as parsed: a mapping has some hundreds, about half of them written more than once."""
_DOTS: Final = frozenset({".", ".."})
_UNFIT: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Hole:
    """One expression, ready to be run. `tree` is the checked expression itself."""

    run: Callable[[_Scope], Any]
    tree: nodes.Expr

    def value(self, scope: _Scope) -> Json:
        """Evaluate to plain JSON; raises ValueMissing or ExpressionFailed."""
        spend()
        try:
            value = self.run(scope)
            if not isinstance(value, str):
                check_size(value, check_odd)
        except UndefinedError as missing:
            raise ValueMissing(missing.message or "a value") from None
        except (TypeError, ValueError, ArithmeticError, TemplateError):
            raise ExpressionFailed("the operators do not take values of these kinds") from None
        return value


@dataclass(frozen=True, slots=True)
class Literal:
    """A text without expressions, with the face of a template."""

    text: str
    whole: bool = False
    uses: frozenset[tuple[str, ...]] = frozenset()
    unsigned_uses: frozenset[tuple[str, ...]] = frozenset()

    def render(self, scope: _Scope) -> str:
        """Give the text as it is."""
        del scope
        return self.text


@dataclass(frozen=True, slots=True)
class Template:
    """A checked template. `whole` says that it is one expression and nothing around it.

    `uses` are the names it reads, with their keys (`("args", "quantity")`); `unsigned_uses` those that are not the
    direct argument of a word that signs, nor by themselves a part of a URL path: a secret among them is a finding for
    whoever knows the settings.
    """

    text: str
    whole: bool
    uses: frozenset[tuple[str, ...]]
    unsigned_uses: frozenset[tuple[str, ...]]
    pieces: tuple[str | Hole, ...] = field(repr=False, compare=False)
    is_quoted: bool = False
    """Whether each value is percent-encoded, for the path of a URL."""
    origin: str = field(default="", compare=False)
    owed: Mapping[str, tuple[str, ...]] | None = field(default=None, repr=False, compare=False)
    """Names that stand for what a caller gave → the caller's own fields; None where no caller is asked."""
    place: Place = field(default=(), compare=False)
    """Its place in the file."""

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Its expressions, in order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Hole))

    @property
    def gives(self) -> str | None:
        """The kind of what a `whole` template gives, where it can be seen to be neither true nor false."""
        return seen_of_template(self.holes[0].tree) if self.whole else None

    def piece(self, hole: Hole, scope: _Scope) -> Json:
        """Evaluate one of its expressions as it is written into the whole; raises what `render` raises."""
        value = hole.value(scope)
        return value if self.whole and not self.is_quoted else write(value, quote=self.is_quoted)

    def render(self, scope: _Scope) -> Json:
        """Evaluate with the names in `scope`: text, or for a `whole` template that is not quoted any JSON.

        Raises ValueMissing for what is not there, ExpressionFailed for what does not fit, OverBudget for what makes
        more than one evaluation may.
        """
        probe = PROBE.get()
        if probe is not None:
            probe.rendering(self, scope)
        try:
            return self._render(scope)
        except BudgetSpent as spent:
            raise over_budget(spent, self.origin, self.text) from None

    def _render(self, scope: _Scope) -> Json:
        first = self.pieces[0]
        if self.whole and not self.is_quoted and isinstance(first, Hole):
            return _bound(first.value(scope))
        text = "".join(
            piece if isinstance(piece, str) else write(piece.value(scope), quote=self.is_quoted)
            for piece in self.pieces
        )
        if self.is_quoted and climbs(text):
            raise SegmentRefused("a segment of a URL path cannot be `.` or `..`")
        return _bound(text)


def compile_template(
    text: str, *, quote: bool = False, names: Collection[str] | None = None, origin: str = ""
) -> Template | Literal:
    """Parse and check a template; a text without `{{` is a Literal. Raises ExpressionInvalid.

    `names` are the roots an expression may read (None: any), `origin` is its place, `file:line`. With `quote`, for URL
    paths, every value is percent-encoded, and an expression that is a name and nothing else may give a secret.
    """
    if not is_template(text):
        return Literal(text)
    if names is None:
        return replace(_parse(text, quote), origin=origin)
    try:
        found = _parse(text, quote)
    except ExpressionInvalid:
        found = None
    if found is None or not all(use[0] in names for use in found.uses):
        found = _check(text, names, quote=quote)  # once more, for what is wrong first; where nothing is, the same
    return replace(found, origin=origin)


@lru_cache(maxsize=_REMEMBERED)
def _parse(text: str, quote: bool) -> Template:
    """Give the template of a text with any names. It is never changed, and its code is made but once."""
    return _check(text, None, quote=quote)


def _check(text: str, names: Collection[str] | None, *, quote: bool) -> Template:
    """Parse and check a template; raises ExpressionInvalid for the first thing that is wrong."""
    pieces: list[str | Hole] = []
    uses: set[tuple[str, ...]] = set()
    unsigned: set[tuple[str, ...]] = set()
    for offset, piece, is_hole in _split(text):
        if not is_hole:
            pieces.append(piece)
            continue
        grammar = Grammar(piece, names)
        try:
            pieces.append(_compile(piece, grammar, path=quote))
        except ExpressionInvalid as invalid:
            raise ExpressionInvalid(invalid.message, offset + invalid.offset) from None
        uses |= grammar.uses
        unsigned |= grammar.unsigned_uses
    return Template(text, len(pieces) == 1, frozenset(uses), frozenset(unsigned), tuple(pieces), quote)


def is_template(text: str) -> bool:
    """Tell whether a text is a template, right or wrong."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def _split(text: str) -> Iterator[tuple[int, str, bool]]:
    """Cut a text into what stands as it is and the expressions, each with its offset. Jinja2's lexer finds the ends."""
    if "\r" in text:
        raise ExpressionInvalid("a template holds no carriage return", text.index("\r"))
    position, start = 0, None
    try:
        for _, kind, token in SANDBOX.lexer.tokeniter(text, None):
            if kind == "data":
                yield position, token, False
            elif kind in {"block_begin", "comment_begin", "raw_begin"}:
                raise ExpressionInvalid("there are no statements and no comments, only `{{ … }}`", position)
            elif kind in {"variable_begin", "variable_end"} and token not in {"{{", "}}"}:
                raise ExpressionInvalid("`{{` and `}}` stand alone; blanks around them are kept", position)
            elif kind == "variable_begin":
                start = position + len(token)
            elif kind == "variable_end" and start is not None:
                yield start, text[start:position], True
                start = None
            position += len(token)
    except TemplateSyntaxError as error:
        raise ExpressionInvalid(error.message or "not an expression", position) from None
    if start is not None:
        raise ExpressionInvalid("`{{` is not closed by `}}`", start - len("{{"))


def _compile(source: str, grammar: Grammar, *, path: bool) -> Hole:
    """Make one expression ready: a chain of keys is walked here, anything else is run by Jinja2."""
    if len(source) > _MAX_LENGTH:
        raise ExpressionInvalid(f"an expression longer than {_MAX_LENGTH} characters")
    parser = Parser(SANDBOX, source, state="variable")
    try:
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        raise ExpressionInvalid(error.message or "not an expression") from None
    except RecursionError:
        raise ExpressionInvalid("nested too deeply") from None
    if not parser.stream.eos:
        raise ExpressionInvalid("there is something after the end of the expression")
    chain = chain_of(tree)
    checked = grammar.checked(tree)
    if chain is not None:
        if path:
            grammar.unsigned_uses.clear()
        return Hole(lambda scope: _walk(scope, chain, reveal=path), checked)
    return Hole(Program(checked).run, checked)


def _walk(scope: _Scope, chain: tuple[str, ...], *, reveal: bool) -> Any:
    held: Any = scope
    for depth, key in enumerate(chain, start=1):
        held = look_up(held, key)
        if held is MISSING:
            raise ValueMissing(f"`{'.'.join(chain[:depth])}`")
    return held.reveal() if reveal and isinstance(held, Secret) else held


def check_odd(held: object) -> None:
    """Refuse what JSON cannot hold: secrets, missing values, numbers without end."""
    if isinstance(held, Undefined):
        str(held)  # raises, with its name
    elif isinstance(held, Secret):
        raise ExpressionFailed("a secret can only be given to a word that signs")
    elif held is not None and not isinstance(held, int | float):
        raise ExpressionFailed("gives nothing JSON can hold")
    elif isinstance(held, float) and not isfinite(held):
        raise ExpressionFailed("gives a number without end")


def climbs(path: str) -> bool:
    """Whether a segment of a URL's path is `.` or `..`, which would name another path (RFC 3986, section 5.2.4)."""
    return "." in path and not _DOTS.isdisjoint(re.split("[/?#]", path))


def _bound(value: Json) -> Json:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise ExpressionFailed(f"gives more than {MAX_TEXT} characters")
    return value


def write(value: Json, *, quote: bool) -> str:
    """Write a value inside text: texts as they are, numbers in plain decimal."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ExpressionFailed(f"{kind_of(value)} cannot be written inside text")
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)
    if not quote:
        return text
    if not text or _UNFIT.search(text):
        raise SegmentRefused("a part of a URL path cannot be empty or hold control characters")
    return percent_encode(text, safe="")
