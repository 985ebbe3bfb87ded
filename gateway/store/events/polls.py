"""How far the poll of each connection has come, and whose turn it is: plain functions of a connection.

One row for each connection that is polled, claimed as `sql/leases.py` has it. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from gateway.store.sql.constant import Constant
from gateway.store.sql.leases import Leases
from gateway.store.sql.statements import insert_new
from gateway.store.tables import polls


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to poll a connection once. `complete_at` is when the last complete poll began; None before the first.

    `digest` tells what that poll listed, and is empty before it.
    """

    connection: str
    lease: int
    complete_at: int | None
    digest: str


def claim(connection: Connection, name: str, now: int, until: int, holder: str = "") -> Claim | None:
    """Take the poll of a connection up to a moment; None while it is not due, or another replica has it.

    `holder` is the process that takes it: once that is dead, the poll can be claimed at once.
    """
    insert_new(connection, polls, {"connection": name, "digest": "", "due_at": now})
    taken = LEASES.claim(connection, {"name": name}, now, until, holder)
    return Claim(*taken[0]) if taken else None


def complete(connection: Connection, held: Claim, began_at: int, digest: str, due_at: int) -> bool:
    """Write that a poll was complete, and when the next one is due; False when the claim is no longer held."""
    values = {"complete_at": began_at, "digest": digest, "due_at": due_at, "leased_until": 0, "reason": None}
    return LEASES.write(connection, held.connection, held.lease, values)


def fail(connection: Connection, held: Claim, reason: str, due_at: int) -> bool:
    """Write that a poll failed, and when it is tried again; False when the claim is no longer held."""
    values = {"reason": reason, "due_at": due_at, "leased_until": 0}
    return LEASES.write(connection, held.connection, held.lease, values)


def release(connection: Connection, held: Claim) -> None:
    """Give a claim back: whoever comes next may poll at once."""
    LEASES.release(connection, held.connection, held.lease)


def due_at(connection: Connection, name: str) -> int:
    """Give when the poll of a connection is due, or may be taken from who has it; 0 for one that never ran."""
    moments: tuple[int, ...] = _DUE.row(connection, {"connection": name}) or (0,)
    return max(moments)


LEASES = Leases(
    polls.c.connection,
    free=(polls.c.connection == bindparam("name"))
    & (polls.c.due_at <= bindparam("now"))
    & (polls.c.leased_until <= bindparam("now")),
    given=[polls.c.connection, polls.c.lease, polls.c.complete_at, polls.c.digest],
)
_DUE = Constant(select(polls.c.due_at, polls.c.leased_until).where(polls.c.connection == bindparam("connection")))
