"""Writes of bookings of which nobody knows whether they were done. Plain functions of a connection.

A write is noted here before it is sent and forgotten when its end is known, so that one whose process died is known as
well. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from gateway.store.sql.statements import put
from gateway.store.tables import doubts


@dataclass(frozen=True, slots=True)
class Doubt:
    """A write that may have been done: its canonical operation, and until when the provider may still be at it."""

    operation: str
    until: int


def of(connection: Connection, name: str, booking: str) -> Doubt | None:
    """Give the write of a booking that is in doubt, or under way; None where there is none."""
    row = connection.execute(select(doubts).where(_one(name, booking))).one_or_none()
    return None if row is None else Doubt(row.operation, row.until)


def note(connection: Connection, name: str, booking: str, doubt: Doubt | None) -> None:
    """Keep what is in doubt of a booking from now on; None forgets it."""
    if doubt is None:
        connection.execute(delete(doubts).where(_one(name, booking)))
    else:
        values = {"connection": name, "id": booking, "operation": doubt.operation, "until": doubt.until}
        put(connection, doubts, values, ("connection", "id"))


def settle(connection: Connection, name: str, booking: str, doubt: Doubt) -> None:
    """Forget what was looked for and found; another write that was noted meanwhile stays in doubt."""
    same = and_(doubts.c.operation == doubt.operation, doubts.c.until == doubt.until)
    connection.execute(delete(doubts).where(_one(name, booking), same))


def prune(connection: Connection, before: int) -> int:
    """Forget writes whose provider had ended its work on them before a moment; gives how many."""
    return connection.execute(delete(doubts).where(doubts.c.until < before)).rowcount


def _one(name: str, booking: str) -> ColumnElement[bool]:
    return and_(doubts.c.connection == name, doubts.c.id == booking)
