"""Functions of texts and numbers. None of them guesses: what is no number is refused, not taken for zero."""

from __future__ import annotations

import base64 as base64_codec
import json as json_codec
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from gateway.computation.budget import spend
from gateway.mapping.expressions.functions.kind import MAX_TEXT, TEMPLATES, ExpressionFailed, function
from gateway.mapping.expressions.ids import uuid_of
from gateway.mapping.expressions.patterns import compile_pattern
from gateway.mapping.expressions.sizes import check_size
from gateway.mapping.expressions.types import kind_of
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json
from gateway.values.truth import MISSING

_WHOLE: Final = re.compile(r"0+|-?0*[1-9][0-9]{0,17}")
_DECIMAL: Final = re.compile(r"-?(?:0+|0*[1-9][0-9]{0,17})(?:\.[0-9]{1,20})?")
_MOST: Final = 10**18
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_PHONE_MARKS: Final = re.compile(r"\(0\)|[\s().\-/]")
_STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LIGHT: Final = 32
"""Characters that are searched in the time of one step."""


def plain(value: str | float) -> str:
    """Write a number in plain decimal, without an exponent; a text stays as it is."""
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)


@function("value: maybe, instead: maybe", "any", "none | default('-')", "-", only=TEMPLATES)
def default(value: Any, instead: Any) -> Any:
    """The value, or `instead` when it is missing or null."""
    return instead if value is MISSING or value is None else value


@function("value: scalar", "text", "text(49)", "49")
def text(value: str | float) -> str:
    """A number as text, in plain decimal; a text as it is."""
    return plain(value)


@function("value: scalar", "integer", "int('49')", 49)
def int_(value: str | float) -> int:
    """A text of decimal digits, or a number without a fraction, as a whole number."""
    if isinstance(value, str):
        if _WHOLE.fullmatch(value) is None:
            raise ExpressionFailed("`int` takes a whole number in decimal digits")
        return int(value)
    if not isinstance(value, int) and abs(value) >= _MOST:
        raise ExpressionFailed("`int` takes a number of at most 18 digits")
    if value != value // 1:
        raise ExpressionFailed("`int` takes a number without a fraction")
    return int(value)


@function("value: scalar", "number", "number('51.50')", 51.5)
def number(value: str | float) -> float:
    """A text in plain decimal as a number; a number as it is."""
    if not isinstance(value, str):
        return value
    if _DECIMAL.fullmatch(value) is None:
        raise ExpressionFailed("`number` takes a number in plain decimal")
    return float(value) if "." in value else int(value)


@function("value: number", "integer", "round(2.5)", 3)
def round_(value: float) -> int:
    """The nearest whole number; halves go away from zero."""
    return int(Decimal(repr(value)).quantize(Decimal(1), ROUND_HALF_UP))


@function("value: number", "number", "abs(-5)", 5, only=TEMPLATES)
def abs_(value: float) -> float:
    """The number without its sign."""
    return abs(value)


@function("value: text", "text", "lower('Mr')", "mr")
def lower(value: str) -> str:
    """The text in lower case."""
    return value.lower()


@function("value: text", "text", "upper('mr')", "MR")
def upper(value: str) -> str:
    """The text in upper case."""
    return value.upper()


@function("value: text", "text", "trim('  a b ')", "a b")
def trim(value: str) -> str:
    """The text without blanks and line ends around it."""
    return value.strip()


@function("value: text, old: text, new: text", "text", "'a b' | replace(' ', '/')", "a/b")
def replace(value: str, old: str, new: str) -> str:
    """The text with every `old` replaced by `new`."""
    if not old:
        raise ExpressionFailed("`replace` takes a text that is not empty as `old`")
    if value.count(old) * len(new) > MAX_TEXT:
        raise ExpressionFailed(f"`replace` gives more than {MAX_TEXT} characters")
    return value.replace(old, new)


@function("value: text, separator: text", "list<text>", "split('1,2', ',')", ["1", "2"])
def split(value: str, separator: str) -> list[str]:
    """The parts of a text between the separators."""
    if not separator:
        raise ExpressionFailed("`split` takes a text that is not empty as `separator`")
    return value.split(separator)


@function("values: list<scalar>, separator: text", "text", "[48, 49] | join(',')", "48,49", only=TEMPLATES)
def join(values: list[Json], separator: str) -> str:
    """The texts and numbers of a list as one text, with the separator between them."""
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ExpressionFailed(f"`join` takes a list of texts and numbers, not {kind_of(value)}")
    if len(values) * len(separator) > MAX_TEXT:
        raise ExpressionFailed(f"`join` gives more than {MAX_TEXT} characters")
    return separator.join(plain(value) for value in values)


@function(
    "value: text, beginning: text", "boolean", "'rental:48' | starts_with('rental:')", result=True, only=TEMPLATES
)
def starts_with(value: str, beginning: str) -> bool:
    """Whether the text begins so."""
    return value.startswith(beginning)


@function("value: text, ending: text", "boolean", "'23:59' | ends_with(':59')", result=True, only=TEMPLATES)
def ends_with(value: str, ending: str) -> bool:
    """Whether the text ends so."""
    return value.endswith(ending)


@function("value: text, beginning: text", "text?", "'rental:48' | after('rental:')", "48")
def after(value: str, beginning: str) -> Any:
    """What follows the beginning; missing when the text does not begin so."""
    return value.removeprefix(beginning) if value.startswith(beginning) else MISSING


@function("value: text, pattern: pattern", "text?", "extract('/events/E1?x=2', '/events/([^/?]+)')", "E1")
def extract(value: str, pattern: str) -> Any:
    """What the one group of a pattern matches first, without a group all that matches; missing when nothing does."""
    spend(len(value) // _LIGHT)
    try:
        found = compile_pattern(pattern).extract(value)
    except UnicodeEncodeError:
        raise ExpressionFailed("`extract` takes a text without half characters") from None
    return MISSING if found is None else found


@function("value: scalar, width: integer, mark: text?", "text", "pad(7, 2)", "07")
def pad(value: str | float, width: int, mark: str = "0") -> str:
    """A text or number after as many marks as make it so long: zeros, which stand behind a minus, or another mark."""
    if len(mark) != 1:
        raise ExpressionFailed("`pad` takes one character as `mark`")
    if not 0 <= width <= MAX_TEXT:
        raise ExpressionFailed(f"`pad` takes a width of 0 to {MAX_TEXT}")
    written = plain(value)
    sign = "-" if mark == "0" and not isinstance(value, str) and written.startswith("-") else ""
    return sign + written.removeprefix(sign).rjust(width - len(sign), mark)


@function("value: text", "text", "url_decode('a%20b%2Fc+d')", "a b/c+d")
def url_decode(value: str) -> str:
    """The text without percent-encoding, read as UTF-8 (RFC 3986); a `+` stays one."""
    if _STRAY_PERCENT.search(value):
        raise ExpressionFailed("`url_decode` takes a text in which two hexadecimal digits follow each `%`")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeError:
        raise ExpressionFailed("`url_decode` takes percent-encoded UTF-8") from None


@function("value: integer, mask: integer", "integer", "band(6, 3)", 2)
def band(value: int, mask: int) -> int:
    """The bits that both whole numbers have, as of a mask of weekdays."""
    if value < 0 or mask < 0:
        raise ExpressionFailed("`band` takes whole numbers from 0 on")
    return value & mask


@function("name: text", "text", "first_name('Maria de la Cruz')", "Maria de la")
def first_name(name: str) -> str:
    """A full name without its last word; all of it when it is one word."""
    parts = name.split()
    return " ".join(parts[:-1] or parts)


@function("name: text", "text", "last_name('Maria de la Cruz')", "Cruz")
def last_name(name: str) -> str:
    """The last word of a full name; empty when it is one word."""
    return "".join(name.split()[1:][-1:])


@function("value: text", "text", "base64('user:pass')", "dXNlcjpwYXNz")
def base64(value: str) -> str:
    """The text's UTF-8 in base64 with padding (RFC 4648 section 4)."""
    return base64_codec.b64encode(value.encode()).decode()


@function("value: any", "text", "json({'a': [1, none]})", '{"a":[1,null]}')
def json(value: Json) -> str:
    """The value as JSON text without blanks (RFC 8259)."""
    check_size(value)
    return json_codec.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@function("value: text", "any?", "from_json('[1, null]')", [1, None])
def from_json(value: str) -> Any:
    """What a JSON text holds (RFC 8259); missing when the text is none."""
    try:
        return decode_json(value.encode(errors="surrogatepass"))
    except JsonRefused:
        return MISSING


def international(value: str) -> str:
    """Write a phone number as E.164 when it begins with `+`: blanks, marks and a trunk `(0)` go. Else as it is."""
    digits = _PHONE_MARKS.sub("", value)
    return digits if _E164.fullmatch(digits) else value


@function("value: text", "text", "phone('+49 (0)30 1234-567')", "+49301234567")
def phone(value: str) -> str:
    """A telephone number in E.164 when it is written with `+`, else as it is."""
    return international(value)


@function("pieces: scalar…", "text", "uuid('a', 7)", uuid_of("a", 7), only=TEMPLATES)
def uuid(*pieces: str | float) -> str:
    """Without arguments the call's own fresh UUID; else the UUID that the pieces make, always the same."""
    return uuid_of(*pieces)
