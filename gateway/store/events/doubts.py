"""Writes of bookings of which nobody knows whether they were done. Plain functions of a connection.

A write is noted here before it is sent and forgotten when its end is known, so that one whose process died is known as
well. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete

from gateway.store.sql.constant import Constant
from gateway.store.sql.records import Record
from gateway.store.sql.statements import put
from gateway.store.tables import doubts


@dataclass(frozen=True, slots=True)
class Doubt:
    """A write that may have been done: its canonical operation, and until when the provider may still be at it."""

    operation: str
    until: int


def of(connection: Connection, name: str, booking: str) -> Doubt | None:
    """Give the write of a booking that is in doubt, or under way; None where there is none."""
    return _DOUBTS.first(connection, _BY_KEY, {"connection": name, "id": booking})


def note(connection: Connection, name: str, booking: str, doubt: Doubt | None) -> None:
    """Keep what is in doubt of a booking from now on; None forgets it."""
    if doubt is None:
        _FORGET.run(connection, {"connection": name, "id": booking})
    else:
        put(connection, doubts, {"connection": name, "id": booking, **_DOUBTS.values(doubt)}, ("connection", "id"))


def settle(connection: Connection, name: str, booking: str, doubt: Doubt) -> None:
    """Forget what was looked for and found; another write that was noted meanwhile stays in doubt."""
    _SETTLE.run(connection, {"connection": name, "id": booking, **_DOUBTS.values(doubt)})


def prune(connection: Connection, before: int) -> int:
    """Forget writes whose provider had ended its work on them before a moment; gives how many."""
    return connection.execute(delete(doubts).where(doubts.c.until < before)).rowcount


_DOUBTS = Record(doubts, Doubt)
_BY_KEY = _DOUBTS.by("connection", "id")
_FORGET = Constant(delete(doubts).where(*(doubts.c[name] == bindparam(name) for name in ("connection", "id"))))
_SETTLE = Constant(delete(doubts).where(*(column == bindparam(column.name) for column in doubts.c)))
