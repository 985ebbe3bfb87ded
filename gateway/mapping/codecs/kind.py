"""What a codec is: how a provider writes one value, as a pair of functions with a law. No codec is defined here.

Codecs neither guess nor repair: what does not fit is refused with the form that was expected, never with the value.
Null and missing are the field's business; a codec is not asked about them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.documents.yaml import Place
from gateway.mapping.expressions import ExpressionFailed, ExpressionInvalid, Literal, Template
from gateway.mapping.expressions.types import KINDS as VALUE_KINDS
from gateway.mapping.expressions.types import ValueType, value_type
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
    `templates` are those that it evaluates, its parts' among them, and `uses` the names, with keys, that these read.
    `form` is what it is made of, for those who know codecs of its kind from inside.
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
    templates: tuple[Template, ...] = ()
    form: object = None


@dataclass(frozen=True, slots=True)
class Option:
    """A key a codec may be given. `default` is what its absence means.

    `takes` is the kind of its value, a key of KINDS; with `template` it is a template that gives that kind. `form` says
    more closely what it is, for messages.
    """

    name: str
    meaning: str
    default: str = ""
    required: bool = False
    takes: str = "any"
    form: str = ""
    template: bool = False

    def check(self, value: Json, place: Place) -> None:
        """Refuse a value of another kind: raises CodecInvalid. What a template gives is seen when it is rendered."""
        if self.template:
            if not isinstance(value, str):
                raise CodecInvalid(f"`{self.name}` is a template", place)
        elif not VALUE_KINDS[self.takes].holds(value):
            raise CodecInvalid(f"`{self.name}` is {self.form or VALUE_KINDS[self.takes].shown}", place)


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

    def template(self, option: Option) -> Callable[[Scope], Any]:
        """Compile an option that is a template; what it gives must be of the option's kind (else ExpressionFailed)."""
        text, place = self.options.get(option.name, option.default), self.place(option.name)
        try:
            template = self.compile_template(str(text))
        except ExpressionInvalid as invalid:
            raise CodecInvalid(invalid.message, place) from None
        named, holds, _ = VALUE_KINDS[option.takes]

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
    """The declaration of a codec: all there is to say of it, and all that has to be added for another one.

    `main` says what stands after the name (empty: nothing). Options stand beside the name, or, when `within`, in the
    object after it. `law` and `gives` (a type, such as `list<text>`) are the most a codec of this kind can promise; its
    parts may take some away. `samples` prove the law: each is a specification, the provider's value and the canonical
    one, and the first is the example of the reference. Of a lossy codec one of them shows the loss.
    """

    name: str
    main: str
    options: tuple[Option, ...]
    law: str
    reads: str
    gives: str
    meaning: str
    samples: tuple[tuple[Json, Json, Json], ...]
    build: Callable[[Specification], Codec] = field(repr=False)
    within: bool = False

    @property
    def example(self) -> tuple[Json, Json, Json]:
        """The sample that the reference shows."""
        return self.samples[0]

    @property
    def type(self) -> ValueType:
        """The type of what it reads."""
        return value_type(self.gives)
