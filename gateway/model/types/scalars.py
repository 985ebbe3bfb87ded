"""The scalars of the contract: for each kind the closure that takes a value or refuses it. Nothing here guesses.

They run for every field of every row a provider sends, so each is one plain function without look-ups.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from gateway.model.types.times import (
    CLOCK,
    DATE,
    INSTANT,
    ZONE,
    TimeRefused,
    normal_instant,
    parse_clock,
    parse_date,
    zone_names,
)
from gateway.values.messages import Json

Accept: TypeAlias = Callable[[Json], Json]
"""A value in, the canonical value out, or TypeRefused."""

MAX_ID = 255
"""Longest id in characters."""

LARGEST_ID = 10**40
"""Whole numbers that are ids are smaller."""
_CURRENCY = re.compile(r"[A-Z]{3}")
_URL = re.compile(r"https?://[^\s/?#]+[^\s]*")


class TypeRefused(ValueError):
    """A value is not of its type. `expected` completes "is not …"; `pointer` (RFC 6901) leads into the value."""

    def __init__(self, expected: str, pointer: str = "") -> None:
        super().__init__(f"{expected} at {pointer}" if pointer else expected)
        self.expected = expected
        self.pointer = pointer

    def under(self, step: str | int) -> TypeRefused:
        """Give the same refusal as seen from the object or list that holds the value."""
        escaped = str(step).replace("~", "~0").replace("/", "~1")
        return TypeRefused(self.expected, f"/{escaped}{self.pointer}")


EXPECTED: Mapping[str, str] = {
    "id": "an id: a text of 1 to 255 visible characters, or a whole number",
    "text": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "instant": INSTANT,
    "date": DATE,
    "clock": CLOCK,
    "time_zone": ZONE,
    "currency": "an ISO 4217 currency code such as EUR",
    "email": "an e-mail address",
    "url": "a URL beginning with https:// or http://",
    "enum": "one of a list",
    "object": "an object",
    "any": "a value",
    "list": "a list",
    "map": "an object",
}
"""Every kind of type, and what is said to be missing when a value is not of it."""


def _id(value: Json) -> str | None:
    if isinstance(value, str) and len(value) <= MAX_ID and (value.isprintable() or not value):
        return value or None
    # A bool is an int to Python, and no id to anybody.
    if type(value) is int and -LARGEST_ID < value < LARGEST_ID:
        return str(value)
    raise TypeRefused(EXPECTED["id"])


def _text(value: Json) -> str | None:
    if isinstance(value, str):
        return value or None
    raise TypeRefused(EXPECTED["text"])


def _integer(value: Json) -> int:
    if type(value) is int:
        return value
    raise TypeRefused(EXPECTED["integer"])


def _number(value: Json) -> float:
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    raise TypeRefused(EXPECTED["number"])


def _boolean(value: Json) -> bool:
    if value is True or value is False:
        return value
    raise TypeRefused(EXPECTED["boolean"])


def _object(value: Json) -> Json:
    if isinstance(value, dict):
        return value
    raise TypeRefused(EXPECTED["object"])


def _any(value: Json) -> Json:
    return value


def _instant(value: Json) -> str | None:
    if isinstance(value, str):
        try:
            return normal_instant(value) if value else None
        except TimeRefused:
            pass
    raise TypeRefused(EXPECTED["instant"])


def write(expected: str, holds: Callable[[str], bool]) -> Accept:
    """Accept a text that has a property; the empty one is null."""

    def accept(value: Json) -> str | None:
        if isinstance(value, str) and (not value or holds(value)):
            return value or None
        raise TypeRefused(expected)

    return accept


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    """Turn a reader of times into a yes or no."""

    def holds(value: str) -> bool:
        try:
            parse(value)
        except TimeRefused:
            return False
        return True

    return holds


SCALARS: Mapping[str, Accept] = {
    "id": _id,
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "object": _object,
    "any": _any,
    "instant": _instant,
    "date": write(EXPECTED["date"], _parses(parse_date)),
    "clock": write(EXPECTED["clock"], _parses(parse_clock)),
    "time_zone": write(EXPECTED["time_zone"], lambda value: value in zone_names()),
    "currency": write(EXPECTED["currency"], lambda value: _CURRENCY.fullmatch(value) is not None),
    # One customer's odd address must not make a whole list fail: only callers are held to the form of an address.
    "email": _text,
    # Frontends follow these: another scheme, `javascript:` for one, must not get through.
    "url": write(EXPECTED["url"], lambda value: _URL.fullmatch(value) is not None and value.isprintable()),
}
"""Every kind that has no parameters. An empty text is None to those written as text: providers say "nothing" so."""
