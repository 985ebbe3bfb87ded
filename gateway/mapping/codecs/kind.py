"""What a codec is: how a provider writes one value, as a pair of functions with a law. No codec is defined here.

Codecs neither guess nor repair: what does not fit is refused with the form that was expected, never with the value.
Null and missing are the field's business; a codec is not asked about them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.document import Place
from gateway.mapping.expressions import ExpressionFailed, ExpressionInvalid, Literal, Template
from gateway.mapping.expressions.types import KINDS as VALUE_KINDS
from gateway.values.messages import Json

ISO: Final = "iso"
"""Exact: decode after encode, and encode after decode, give back what was there."""
LOSSY: Final = "lossy"
"""Several writings mean the same, or precision is dropped; what was encoded is still read back as the same."""
ONE_WAY: Final = "one-way"
"""Only read."""

Scope: TypeAlias = Mapping[str, Json]
Turn: TypeAlias = Callable[[Json, Scope], Json]
"""A value and the names templates may see (`settings`, `row`) → the value on the other side."""


class CodecInvalid(Exception):
    """A codec is refused at load; `place` is where inside its specification."""

    def __init__(self, message: str, place: Place = ()) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class CodecRefused(Exception):
    """A value does not fit; `str()` is what was expected, fit to follow `is not`."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


class CodecUnsupported(CodecRefused):
    """The provider has no word for a canonical value, and the mapping says why: `reason` is for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__("a value the provider has a word for")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Codec:
    """A codec made ready. `encode` is None for a one-way codec.

    Both directions raise CodecRefused, or ExpressionFailed when a template of the codec fails.

    `gives` is the canonical kind of the model, or `any`; `item` is the codec of a list's elements, None where these are
    texts. `parts` are the names a joined text is taken apart into, with their codecs. For codecs that know them,
    `outputs` are the only canonical values that are read, and `inputs` the only ones whose writing is settled.
    `uses` are the names that its templates read, with their keys.
    """

    name: str
    law: str
    gives: str
    decode: Turn
    encode: Turn | None
    parts: Mapping[str, Codec | None] | None = None
    outputs: tuple[Json, ...] | None = None
    inputs: tuple[Json, ...] | None = None
    item: Codec | None = None
    uses: frozenset[tuple[str, ...]] = frozenset()


@dataclass(frozen=True, slots=True)
class Option:
    """A key a codec may be given, for the reference. `default` is what its absence means."""

    name: str
    meaning: str
    default: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Specification:
    """One codec as the mapping spells it. `main` is what stands after the codec's own name, None when nothing does."""

    name: str
    main: Json
    options: Mapping[str, Json]
    within: bool
    compile_template: Callable[[str], Template | Literal] = field(repr=False)
    compile_codec: Callable[[Json], Codec] = field(repr=False)

    def place(self, option: str | None = None) -> Place:
        """Where the main value, or an option, stands inside the specification."""
        if option is None:
            return (self.name,)
        return (self.name, option) if self.within else (option,)

    def template(self, option: Option, kind: str = "text") -> Callable[[Scope], Any]:
        """Compile an option that is a template; what it gives must be of this kind of words (else ExpressionFailed)."""
        text, place = self.options.get(option.name, option.default), self.place(option.name)
        if not isinstance(text, str):
            raise CodecInvalid(f"`{option.name}` is a template", place)
        try:
            template = self.compile_template(text)
        except ExpressionInvalid as invalid:
            raise CodecInvalid(invalid.message, place) from None
        named, holds, _ = VALUE_KINDS[kind]

        def rendered(scope: Scope) -> Json:
            value = template.render(scope)
            if not holds(value):
                raise ExpressionFailed(f"`{option.name}` does not give {named}")
            return value

        return rendered

    def codec(self, inner: Json, place: Place) -> Codec:
        """Compile a codec that this one is made of."""
        try:
            return self.compile_codec(inner)
        except CodecInvalid as invalid:
            raise CodecInvalid(invalid.message, (*place, *invalid.place)) from None

    def main_text(self, what: str) -> str:
        """Give the main value, which must be a text that is not empty."""
        if not isinstance(self.main, str) or not self.main:
            raise CodecInvalid(f"`{self.name}` takes {what}", self.place() if self.main is not None else ())
        return self.main


@dataclass(frozen=True, slots=True)
class CodecKind:
    """One row of the table of codecs. `example` is a specification, the provider's value and the canonical one.

    `main` says what stands after the name (empty: nothing). Options stand beside the name, or, when `within`, in the
    object after it. `law` and `gives` are the most a codec of this kind can promise; its parts may take some away.
    """

    name: str
    main: str
    options: tuple[Option, ...]
    law: str
    reads: str
    gives: str
    meaning: str
    example: tuple[Json, Json, Json]
    build: Callable[[Specification], Codec] = field(repr=False)
    within: bool = False
