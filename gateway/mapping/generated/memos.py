"""What codecs have read and written, remembered: the rows of a list tell few things many times.

A memory is bounded and forgets everything when it is full. It is shared by the connections that would read the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.mapping.codecs import CodecRefused
from gateway.values.messages import Json

MOST_REMEMBERED: Final = 2_048
"""Values that one memory holds."""
_LONGEST: Final = 64
"""Characters of a text that is remembered."""


class Memory(dict[Json, Json]):
    """Values by what they are made of: plain texts and whole numbers. Looking up what is not there makes it."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[Json], Json]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, given: Json) -> Json:
        """Raise what the making raises."""
        made = self._make(given)
        if given.__class__ is int or len(given) <= _LONGEST:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[given] = made
        return made


def or_nothing(decode: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """Give the decoding by which an empty text that a codec does not know is null, as for every field."""

    def decoded(value: Json) -> Json:
        try:
            return decode(value)
        except CodecRefused:
            if value == "":
                return None
            raise

    return decoded
