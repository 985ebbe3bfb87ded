"""What cannot be written in the form of a body."""

from __future__ import annotations

import re
from typing import Final

from gateway.values.messages import Json

UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What no text of XML 1.0 may hold (section 2.2), and no text of a calendar (RFC 5545, section 3.3.11)."""


class NotWritable(ValueError):
    """A value has no place in a body of this form. `reason` completes "the body …" and holds nothing of the value.

    `strange` are the characters that are to blame, where it is these.
    """

    def __init__(self, reason: str, strange: frozenset[str] = frozenset()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.strange = strange


def plain(value: Json, name: str) -> str:
    """Give a text or number as text. True, false and null are refused: how they are spelled is the mapping's to say.

    Raises NotWritable naming the part of the body, also for a character that no text of these forms may hold.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise NotWritable(f"has in `{name}` neither text nor a number; write what the provider wants to read")
    text = value if isinstance(value, str) else str(value)
    strange = frozenset(UNFIT.findall(text))
    if strange:
        raise NotWritable(f"has in `{name}` a character that no text may hold there", strange)
    return text
