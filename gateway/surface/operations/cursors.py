"""Cursors: what they look like to callers, and those of lists that the store itself cuts, bound to what they belong to.

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

_PLACE = re.compile(rb"([0-9]{1,18})\.([A-Za-z0-9_-]{1,40})\.([0-9a-f]{8})")
_SEQUENCE = re.compile(rb"([0-9]{1,18})\.([0-9a-f]{8})")
Row = TypeVar("Row")


def encode(content: str) -> str:
    """Write what a cursor holds as it goes through URLs and headers."""
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def decode(cursor: str) -> bytes | None:
    """Read what a cursor holds; None for what is none of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def cursor_error(problem: str, field: str = "cursor") -> CallInvalid:
    """Make the error of a cursor that stood in this field."""
    return CallInvalid(f"`{field}` {problem}.", details={"fields": [{"field": field, "problem": problem}]})


def cursor_of(sequence: int, connection: str) -> str:
    """Give the cursor of the events of a connection after this number."""
    return encode(f"{sequence}.{_digest(connection)}")


def sequence_of(cursor: str, connection: str, field: str = "cursor") -> int:
    """Give the number that a cursor of events holds, which stood in this field.

    Raises CallInvalid for what is none, and for another connection's.
    """
    found = _SEQUENCE.fullmatch(decode(cursor) or b"")
    if found is None:
        raise cursor_error("is not valid", field)
    if found[2].decode() != _digest(connection):
        raise cursor_error("belongs to another connection", field)
    return int(found[1])


def place_of(cursor: str | None, bound: str) -> tuple[int, str] | None:
    """Give the place that a cursor of the list `bound` holds; raises CallInvalid for another list's, and for none."""
    if cursor is None:
        return None
    found = _PLACE.fullmatch(decode(cursor) or b"")
    if found is None or found[3].decode() != _digest(bound):
        raise cursor_error("is not valid for this list: send it with the arguments it was given for")
    return int(found[1]), found[2].decode()


def cut_page(
    rows: Sequence[Row], limit: int, bound: str, place: Callable[[Row], tuple[int, str]]
) -> tuple[Sequence[Row], dict[str, Json]]:
    """Cut rows of which one more was asked for than the page holds, and say what `page` is told."""
    shown, more = rows[:limit], len(rows) > limit
    cursor = None
    if more:
        number, key = place(shown[-1])
        cursor = encode(f"{number}.{key}.{_digest(bound)}")
    return shown, {"limit": limit, "next_cursor": cursor, "has_more": more, "total": None}


def _digest(bound: str) -> str:
    return hashlib.sha256(bound.encode()).hexdigest()[:8]
