"""JSON and text that mean the same to every reader. Nothing here knows where bytes came from or repeats them.

Bytes are decoded by the character set that is declared for them, UTF-8 without one; what does not decode is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from email.message import Message
from itertools import accumulate
from typing import Final

import orjson

from gateway.values.messages import Json

MAX_DEPTH = 64
"""Levels of nesting, far above any booking and far below the recursion limit."""
MAX_DIGITS = 100
"""Characters of an integer: far above any identifier, far below where Python's float and text conversions fail."""

UTF_8: Final = "utf-8"

_CODECS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), UTF_8),
    **dict.fromkeys(("us-ascii", "ascii", "ansi_x3.4-1968"), "ascii"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1"), "cp1252"),
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (*range(2, 12), 13, 14, 15, 16)},
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"cp{page}": f"cp{page}" for page in range(1250, 1259)},
    **{name: name for name in ("koi8-r", "koi8-u", "utf-16", "utf-16le", "utf-16be", "shift_jis", "euc-jp")},
    **{name: name for name in ("iso-2022-jp", "gb2312", "gbk", "gb18030", "big5", "euc-kr")},
}
"""Python's codecs by the names that are declared (WHATWG Encoding 4.2: Latin-1 is read as windows-1252)."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BRACKETS = b"[{]}"
_STEPS = bytes.maketrans(_BRACKETS, b"\2\2\0\0")
_PIECE: Final = 64 * 1024
"""Bytes that are looked at in one step."""
_NO_BRACKET = bytes(set(range(256)) - set(_BRACKETS))
_ORJSON_DEPTH: Final = 254
"""Levels of nesting that orjson writes; it refuses one more (measured with 3.11, held by a test)."""
_LARGE: Final = 1024 * 1024
"""Bytes above which Python's parser reads a body: it lets other threads go on, and orjson holds all in one step."""
_WIDE: Final = 8 * 1024
"""Bytes below which a text of orjson's is copied: it holds 4 KB of memory, however short it is, and rows are kept."""
_PLAIN: Final = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


class Unreadable(ValueError):
    """A body is not of the form it should have. `reason` completes "the body …" and holds no value of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class JsonRefused(Unreadable):
    """The bytes are no JSON this gateway takes."""


def declared_charset(headers: Mapping[str, str]) -> str:
    """The character set that a Content-Type declares, in lower case, UTF-8 without one; names of headers likewise."""
    declared = headers.get("content-type", "")
    return UTF_8 if declared in _DECLARES_NONE else _charset_of(declared)


_DECLARES_NONE: Final = frozenset({"", "application/json", "application/json; charset=utf-8"})
"""The values of nearly all: JSON is UTF-8."""


def _charset_of(declared: str) -> str:
    message = Message()
    message["Content-Type"] = declared.replace("\r", " ").replace("\n", " ")
    found = message.get_param("charset")
    return found.strip().lower() if isinstance(found, str) and found.strip() else UTF_8


def decode_text(body: bytes, charset: str = UTF_8) -> str:
    """Decode text of a declared character set; raises Unreadable, also for one that is not known."""
    codec = _CODECS.get(charset)
    if codec is None:
        raise Unreadable("declares a character set that the gateway does not know; UTF-8 is understood everywhere")
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        name = "UTF-8" if codec == UTF_8 else f"{charset}, which its Content-Type declares,"
        raise Unreadable(f"is not {name.rstrip(',')} text") from None


def as_utf8(body: bytes, charset: str) -> bytes:
    """Write text of a declared character set as UTF-8; raises Unreadable. What is declared as UTF-8 is given back."""
    return body if charset == UTF_8 or _CODECS.get(charset) == UTF_8 else decode_text(body, charset).encode()


def decode_json(body: bytes, *, depth: int = MAX_DEPTH) -> Json:
    """Decode one JSON text (RFC 8259) into plain dicts, lists, texts, ints, floats, booleans and None.

    Raises JsonRefused for anything but strict UTF-8 without a byte order mark, for NaN, infinities and numbers beyond a
    double, integers longer than MAX_DIGITS, repeated keys, unpaired surrogates, and nesting beyond `depth` levels.
    orjson reads what is usual; whatever it refuses or may have read otherwise is read by the rules written here.
    """
    if len(body) > _LARGE:
        return _decode_exactly(body, depth)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _decode_exactly(body, depth)
    return value if _same_value(body, value, depth) else _decode_exactly(body, depth)


def encode_json(value: Json) -> bytes:
    """Write one value as compact JSON in UTF-8.

    Raises ValueError for half of a surrogate pair, and TypeError for what JSON has no word for. Its numbers are finite,
    since whatever makes one refuses the others (what is decoded here, functions and literals of paths, templates,
    codecs, kinds of fields): orjson would write null for NaN.
    """
    try:
        body = orjson.dumps(value, option=_PLAIN)
        return bytes(memoryview(body)) if len(body) < _WIDE else body
    except TypeError:  # an integer over 64 bits, half of a surrogate pair, or what is no JSON at all
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _same_value(body: bytes, value: Json, depth: int) -> bool:
    """Whether orjson's value of a body is surely the strict one: written again, it is compared with the body.

    A repeated key is dropped by orjson, and then there are fewer quotes than in the body, unless an escape wrote one.
    An integer over 64 bits becomes a float, which is written with an exponent. Wrapped in lists up to the depth that
    orjson writes, a value that is nested too deep is refused.
    """
    held = value
    if body.count(b"{") + body.count(b"[") > depth:
        for _ in range(_ORJSON_DEPTH - depth):
            held = [held]
    try:
        again = orjson.dumps(held)
    except orjson.JSONEncodeError:
        return False
    if b"\\u0022" in body or again.count(b'"') != body.count(b'"'):
        return False
    return not _holds_exponent(again)


def _holds_exponent(text: bytes) -> bool:
    """Whether a number in JSON is written with a positive exponent: `e+` behind a digit, also one of a text."""
    at = text.find(b"e+")
    while at >= 0:
        if text[at - 1 : at].isdigit():
            return True
        at = text.find(b"e+", at + 2)
    return False


def _decode_exactly(body: bytes, depth: int) -> Json:
    """Decode by Python's parser, with a rule for each thing that it would let pass; raises JsonRefused."""
    if body.startswith(b"\xef\xbb\xbf"):
        raise JsonRefused("begins with a byte order mark")
    if _deeper(body, depth):
        raise JsonRefused(f"is nested deeper than {depth} levels")
    try:
        value = json.loads(
            body.decode(),
            parse_int=read_integer,
            parse_float=read_float,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise JsonRefused("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise JsonRefused(f"is not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    if _SURROGATE.search(body):
        _encodable(value)
    return value


def read_integer(text: str) -> int:
    """Read an integer written by JSON's grammar; raises JsonRefused when it is longer than MAX_DIGITS."""
    if len(text) > MAX_DIGITS:
        raise JsonRefused(f"contains an integer of more than {MAX_DIGITS} digits")
    return int(text)


def read_float(text: str) -> float:
    """Read a number with fraction or exponent; raises JsonRefused when a double cannot hold it."""
    value = float(text)
    if math.isinf(value):
        raise JsonRefused("contains a number too large for a double")
    return value


def _deeper(body: bytes, depth: int) -> bool:
    """Tell, before anything recurses, whether brackets outside texts nest deeper than `depth`.

    What is not JSON may be counted wrongly, but only after the first syntax error, and there the parser stops as well.
    A large body is looked at piece by piece: each step over all of it would hold the interpreter, and the event loop.
    """
    at, level, within = 0, 0, 0
    while at < len(body):
        piece = body[at : at + _PIECE]
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2:  # an escape goes on in the next byte
            piece = body[at : at + _PIECE + 1]
        at += len(piece)
        parts = piece.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
        steps = b"".join(parts[within::2]).translate(_STEPS, _NO_BRACKET)
        within = (within + len(parts) - 1) % 2
        levels = list(accumulate((step - 1 for step in steps), initial=level))
        if max(levels) > depth:
            return True
        level = levels[-1]
    return False


def _encodable(value: Json) -> None:
    """Refuse texts that hold half of a surrogate pair: they cannot be written as UTF-8 again."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonRefused("contains half of a surrogate pair") from None


def _constant(name: str) -> Json:
    raise JsonRefused(f"contains {name}, which is not JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise JsonRefused("repeats a key in an object")
    return data
