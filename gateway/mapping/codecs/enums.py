"""The codec of tables: what a provider calls each canonical value, and what it has no word for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.mapping.codecs.kind import (
    ISO,
    LOSSY,
    ONE_WAY,
    Codec,
    CodecInvalid,
    CodecKind,
    CodecRefused,
    CodecUnsupported,
    Option,
    Scope,
    Specification,
)
from gateway.mapping.expressions.types import KINDS as VALUE_KINDS
from gateway.values.messages import Json

_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class EnumTable:
    """What an enum reads, by `key_of` the provider's value; `other` stands for the rest where there is one."""

    read: Mapping[tuple[bool, Json], Json]
    rest: bool
    other: Json


def key_of(value: Json) -> tuple[bool, Json]:
    """Make a scalar fit for look-up: true is not 1."""
    return isinstance(value, bool), value


def _scalar(value: Json) -> bool:
    return value is None or isinstance(value, str | int | float)


def _pairs(spec: Specification) -> list[tuple[Json, Json]]:
    """Read the table of an enum: an object, or a list of pairs for what is no text; raises CodecInvalid."""
    if isinstance(spec.main, dict):
        return list(spec.main.items())
    if not isinstance(spec.main, list):
        raise CodecInvalid("`enum` takes {provider: canonical}, or pairs [[provider, canonical], …]", spec.place())
    for index, pair in enumerate(spec.main):
        if not isinstance(pair, list) or len(pair) != _PAIR:
            raise CodecInvalid("a pair [provider, canonical]", (*spec.place(), index))
    return [(provider, canonical) for provider, canonical in spec.main]


def _table(spec: Specification) -> dict[tuple[bool, Json], Json]:
    """Read the table of an enum by what the provider writes; raises CodecInvalid."""
    read: dict[tuple[bool, Json], Json] = {}
    for index, (provider, canonical) in enumerate(_pairs(spec)):
        place = (*spec.place(), provider if isinstance(spec.main, dict) else index)
        if not _scalar(provider) or not _scalar(canonical):
            raise CodecInvalid("an enum is a table of texts, numbers, true, false and null", place)
        if key_of(provider) in read:
            raise CodecInvalid("the provider's value stands twice in the table", place)
        read[key_of(provider)] = canonical
    if not read:
        raise CodecInvalid("the table is empty", spec.place())
    return read


def _enum(spec: Specification) -> Codec:
    read = _table(spec)
    write = {key_of(canonical): provider for (_, provider), canonical in read.items()}
    rest = "else" in spec.options
    other = spec.options.get("else")
    if not _scalar(other):
        raise CodecInvalid("`else` is a text, a number, true, false or null", spec.place("else"))

    def decode(value: Json, _scope: Scope) -> Json:
        if _scalar(value) and key_of(value) in read:
            return read[key_of(value)]
        if not rest:
            raise CodecRefused("one of the values in the table of the enum")
        return other

    unsupported = _unsupported(spec, write)

    def encode(value: Json, _scope: Scope) -> Json:
        if isinstance(value, str) and value in unsupported:
            raise CodecUnsupported(unsupported[value])
        if not _scalar(value) or key_of(value) not in write:
            raise CodecRefused("a value the provider has a word for")
        return write[key_of(value)]

    # Two spellings of one value leave open which to write: such a table is only read.
    law = ONE_WAY if len(write) != len(read) else LOSSY if rest else ISO
    outputs = tuple(read.values()) + ((other,) if rest else ())
    inputs = (*(canonical for _, canonical in write), *unsupported)
    written = None if law == ONE_WAY else encode
    table = EnumTable(read, rest, other)
    return Codec("enum", law, _gives(outputs), decode, written, outputs=outputs, inputs=inputs, form=table)


def _unsupported(spec: Specification, write: dict[tuple[bool, Json], Json]) -> dict[str, str]:
    """Read `unsupported`: canonical texts that the provider has no word for, each with the reason."""
    given, place = spec.options.get("unsupported", {}), spec.place("unsupported")
    if not isinstance(given, dict) or not all(isinstance(reason, str) and reason for reason in given.values()):
        raise CodecInvalid("`unsupported` is an object {canonical value: reason}", place)
    for value in given:
        if key_of(value) in write:
            raise CodecInvalid(f"the table has a word for `{value}`", (*place, value))
    return given


def _gives(outputs: tuple[Json, ...]) -> str:
    """Name the one canonical kind of the values, or `any`."""
    values = [value for value in outputs if value is not None]
    for kind in ("text", "boolean", "integer", "number"):
        if values and all(VALUE_KINDS[kind].holds(value) for value in values):
            return kind
    return "any"


KINDS: Final[tuple[CodecKind, ...]] = (
    CodecKind(
        name="enum",
        main="a table {provider: canonical}, or pairs [[provider, canonical], …] for what is no text",
        options=(
            Option(
                "else",
                "what every other value is read as",
                "a mismatch",
                form="a text, a number, true, false or null",
            ),
            Option(
                "unsupported",
                "canonical values the provider has no word for: reason; sending one is a 501",
                "{}",
                takes="object",
                form="an object {canonical value: reason}",
            ),
        ),
        law=ISO,
        reads="text, number, boolean or null",
        gives="any",
        meaning="value ↔ value, as in the table; lossy with `else`, one-way when two provider values mean the same",
        samples=(({"enum": [["1", True], ["0", False]]}, "1", True),),
        build=_enum,
    ),
)
