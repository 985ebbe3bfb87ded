"""JSON that means the same to every reader. Nothing here knows where the bytes came from, or repeats what they hold."""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate

from gateway.messages import Json

MAX_DEPTH = 64
"""Levels of nesting, far above any booking and far below the recursion limit."""
MAX_DIGITS = 100
"""Characters of an integer: far above any identifier, far below where Python's float and text conversions fail."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BRACKETS = b"[{]}"
_STEPS = bytes.maketrans(_BRACKETS, b"\2\2\0\0")
_NO_BRACKET = bytes(set(range(256)) - set(_BRACKETS))


class Unreadable(ValueError):
    """A body is not of the form it should have. `reason` completes "the body …" and holds no value of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class JsonRefused(Unreadable):
    """The bytes are no JSON this gateway takes."""


def decode_text(body: bytes) -> str:
    """Decode UTF-8 text; raises Unreadable."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8 text") from None


def decode_json(body: bytes, *, depth: int = MAX_DEPTH) -> Json:
    """Decode one JSON text (RFC 8259) into plain dicts, lists, texts, ints, floats, booleans and None.

    Raises JsonRefused for anything but strict UTF-8 without a byte order mark, for NaN, infinities and numbers beyond a
    double, integers longer than MAX_DIGITS, repeated keys, unpaired surrogates, and nesting beyond `depth` levels.
    """
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
    """
    bare = b"".join(body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    steps = bare.translate(_STEPS, _NO_BRACKET)
    return any(level > depth for level in accumulate(step - 1 for step in steps))


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
