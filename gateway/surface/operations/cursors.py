"""Cursors of lists that the store itself cuts: a moment or number and an id, bound to the list they belong to.

Opaque, but no secret and no permission: whoever sends one is shown what it may see, from another place on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway.values.errors import CallInvalid
from gateway.values.messages import Json

_MARK = re.compile(r"([0-9]{1,18})\.([A-Za-z0-9_-]{1,40})\.([0-9a-f]{8})")
Row = TypeVar("Row")


def place_of(cursor: str | None, bound: str) -> tuple[int, str] | None:
    """Give the place that a cursor of the list `bound` holds; raises CallInvalid for another list's, and for none."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError):
        text = ""
    found = _MARK.fullmatch(text)
    if found is None or found[3] != _digest(bound):
        problem = "is not valid for this list: send it with the arguments it was given for"
        raise CallInvalid(f"`cursor` {problem}.", details={"fields": [{"field": "cursor", "problem": problem}]})
    return int(found[1]), found[2]


def paged(
    rows: Sequence[Row], limit: int, bound: str, place: Callable[[Row], tuple[int, str]]
) -> tuple[Sequence[Row], dict[str, Json]]:
    """Cut rows of which one more was asked for than the page holds, and say what `page` is told."""
    shown, more = rows[:limit], len(rows) > limit
    cursor = None
    if more:
        number, key = place(shown[-1])
        text = f"{number}.{key}.{_digest(bound)}"
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return shown, {"limit": limit, "next_cursor": cursor, "has_more": more, "total": None}


def _digest(bound: str) -> str:
    return hashlib.sha256(bound.encode()).hexdigest()[:8]
