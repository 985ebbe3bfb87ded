"""Regular expressions of a mapping, matched in time that is linear in the text: RE2 (github.com/google/re2).

Python's own go back and try again: `^(a+)+$` on forty letters takes hours, and what is matched comes from strangers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import re2

_MEMORY: Final = 1 << 20
"""Bytes that one expression may take, compiled."""
_REMEMBERED: Final = 512
"""Expressions that are remembered compiled: those of templates are asked for at each call."""


class PatternRefused(Exception):
    """A text is no regular expression; with `slow` it is one, but not in linear time."""

    def __init__(self, message: str, *, slow: bool) -> None:
        super().__init__(message)
        self.slow = slow


@dataclass(frozen=True, slots=True)
class Pattern:
    """A checked expression. One that was refused matches nothing, and hides no other rule."""

    text: str
    _compiled: Any = field(default=None, repr=False, compare=False)

    def found(self, text: str) -> bool:
        """Tell whether it matches anywhere in a text."""
        # Bytes of a header that are no UTF-8 are surrogates in its text, and go as the bytes that they were.
        return self._compiled is not None and self._compiled.search(text.encode(errors="surrogateescape")) is not None

    @property
    def groups(self) -> int:
        """How many groups it has."""
        return int(self._compiled.groups)

    def extract(self, text: str) -> str | None:
        """Give what its group matched first in a text, without a group all that matched; None where nothing did."""
        found = self._compiled.search(text)
        return None if found is None else found[self.groups]


@lru_cache(_REMEMBERED)
def compile_pattern(text: str) -> Pattern:
    """Compile an expression of RE2's syntax: no look-around and no back references. Raises PatternRefused."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return Pattern(text, re2.compile(text, options))
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        raise PatternRefused(f"not a regular expression: {said}", slow=False) from None
    message = f"cannot be matched in linear time: {said}; look-around and back references are not taken"
    raise PatternRefused(message, slow=True)
