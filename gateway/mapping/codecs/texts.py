"""Codecs of texts and numbers: how a provider spells what the contract has as text, a number, a zone or a phone."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Final

from gateway.mapping.codecs.kind import (
    ISO,
    LOSSY,
    ONE_WAY,
    Codec,
    CodecInvalid,
    CodecKind,
    CodecRefused,
    Scope,
    Specification,
)
from gateway.mapping.expressions import ExpressionFailed, ExpressionInvalid
from gateway.mapping.expressions.functions.texts import international
from gateway.model.types import times
from gateway.values.messages import Json

_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FRACTION: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,20}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,20})?")
_MARKUP: Final = re.compile(r"(<!--|-->|<![^<>]*>|</?[A-Za-z][^<>]*>)")
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_BLOCKS: Final = frozenset(
    {"blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "table", "tr", "ul"}
)
_UNSHOWN: Final = frozenset({"script", "style"})


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise CodecRefused("a text")
    return value


def _whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number_as_text(value: Json) -> str:
    if _whole(value):
        return str(value)
    if isinstance(value, float) and isfinite(value):
        text = format(Decimal(repr(value)), "f")
        return text if "." in text else f"{text}.0"
    raise CodecRefused("a number")


def _text_or_number(value: Json) -> str:
    return value if isinstance(value, str) else _number_as_text(value)


def _text_as_number(value: Json) -> int | float:
    """Undo `_number_as_text`, so that the same number is written back as was read."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, str) and _FRACTION.fullmatch(value) and _number_as_text(float(value)) == value:
        return float(value)
    raise CodecRefused("a number of at most 18 digits, without leading zeros")


def _exact_number_as_text(value: Json) -> str:
    text = _number_as_text(value)
    _text_as_number(text)
    return text


def _integer_of_text(value: Json) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise CodecRefused("a whole number written as text")


def _integer_to_text(value: Json) -> str:
    if _whole(value) and _WHOLE.fullmatch(str(value)):
        return str(value)
    raise CodecRefused("a whole number of at most 18 digits")


def _decimal_of_text(value: Json) -> int | float:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value) if "." in value else int(value)
    if _whole(value) or (isinstance(value, float) and isfinite(value)):
        number: int | float = value
        return number
    raise CodecRefused("a number in plain decimal, as text or as a number")


def _decimal_to_text(value: Json) -> str:
    text = _number_as_text(value)
    if _decimal_of_text(text) != value:
        raise CodecRefused("a number of at most 18 digits and 20 decimals")
    return text


def _zone_of_name(value: Json) -> str:
    """Read an IANA name whose slash or underscores became blanks: `Europe London`, `America New York`."""
    text = _text(value)
    area, _, place = text.partition(" ")
    for candidate in (text, text.replace(" ", "_"), f"{area}/{place.replace(' ', '_')}"):
        if candidate in times.zone_names():
            return candidate
    raise CodecRefused(times.ZONE)


def _phone(value: Json) -> str:
    return international(_text(value))


def _plain_text(value: Json) -> str:
    """HTML without its markup: one pass, block elements end lines, scripts and styles are not text."""
    lines = [""]
    hidden = ""
    # Split by a pattern with a group: text and markup take turns.
    for index, piece in enumerate(_MARKUP.split(_text(value))):
        tag = _TAG.match(piece) if index % 2 else None
        name = tag[2].lower() if tag is not None else ""
        if hidden:
            if piece == hidden or (tag is not None and f"{tag[1]}{name}" == hidden):
                hidden = ""
        elif piece == "<!--" and index % 2:
            hidden = "-->"
        elif tag is not None and name in _UNSHOWN and not tag[1]:
            hidden = f"/{name}"
        elif name in _BLOCKS:
            lines.append("")
        elif not index % 2:
            lines[-1] += html.unescape(piece)
    shown = (" ".join(line.split()) for line in lines)
    return "\n".join(line for line in shown if line)


def _prefix(spec: Specification) -> Codec:
    written = spec.main_text("a text that stands before every value")
    try:
        template = spec.compile_template(written)
    except ExpressionInvalid as invalid:
        raise CodecInvalid(invalid.message, spec.place()) from None

    def beginning(scope: Scope) -> str:
        text = template.render(scope)
        if not isinstance(text, str) or not text:
            raise ExpressionFailed("`prefix` does not give a text")
        return text

    def decode(value: Json, scope: Scope) -> Json:
        text, rest = beginning(scope), _text(value)
        if not rest.startswith(text) or rest == text:
            raise CodecRefused("a text that begins with the prefix, and goes on")
        return rest.removeprefix(text)

    def encode(value: Json, scope: Scope) -> Json:
        if not isinstance(value, str) or not value:
            raise CodecRefused("a text that is not empty")
        return beginning(scope) + value

    return Codec("prefix", ISO, "text", decode, encode)


def _kind(
    name: str,
    law: str,
    gives: str,
    sides: tuple[str, str],
    example: tuple[Json, Json],
    decode: Callable[[Json], Json],
    encode: Callable[[Json], Json] | None,
) -> CodecKind:
    """Make the row of a codec without parameters. `sides` are what it reads and what it does."""

    def reader(value: Json, _scope: Scope) -> Json:
        return decode(value)

    def build(_spec: Specification) -> Codec:
        if encode is None:
            return Codec(name, law, gives, reader, None)
        return Codec(name, law, gives, reader, lambda value, _scope: encode(value))

    return CodecKind(name, "", (), law, sides[0], gives, sides[1], ((name, *example),), build)


KINDS: Final[tuple[CodecKind, ...]] = (
    _kind(
        "text",
        LOSSY,
        "text",
        ("text or number", "text as it is, a number in plain decimal; written back as text"),
        (49, "49"),
        _text_or_number,
        _text,
    ),
    _kind(
        "number_text",
        ISO,
        "text",
        ("number", "number ↔ text"),
        (49, "49"),
        _exact_number_as_text,
        _text_as_number,
    ),
    _kind(
        "integer_text",
        ISO,
        "integer",
        ("text", "decimal digits ↔ whole number"),
        ("60", 60),
        _integer_of_text,
        _integer_to_text,
    ),
    _kind(
        "decimal_text",
        LOSSY,
        "number",
        ("text or number", "plain decimal ↔ number; trailing zeros are dropped"),
        ("51.5001300", 51.50013),
        _decimal_of_text,
        _decimal_to_text,
    ),
    _kind(
        "plain_text",
        ONE_WAY,
        "text",
        ("HTML", "HTML → plain text, a line for each block"),
        ("<p>A &amp; B</p>", "A & B"),
        _plain_text,
        None,
    ),
    _kind(
        "zone_name",
        LOSSY,
        "time_zone",
        ("text", "IANA zone whose slash and underscores may be blanks"),
        ("Europe London", "Europe/London"),
        _zone_of_name,
        _zone_of_name,
    ),
    _kind(
        "phone",
        LOSSY,
        "text",
        ("text", "E.164 when written with `+`, else as it is; both ways"),
        ("+49 (0)30 1234-567", "+49301234567"),
        _phone,
        _phone,
    ),
    CodecKind(
        name="prefix",
        main="a text that stands before every value, or a template that gives it",
        options=(),
        law=ISO,
        reads="text",
        gives="text",
        meaning="text with a beginning ↔ what follows it, as of ids that are addresses",
        samples=(({"prefix": "https://api.example/users/"}, "https://api.example/users/U7", "U7"),),
        build=_prefix,
    ),
)
