"""How far the poll of each connection has come, and whose turn it is: plain functions of a connection.

One row for each connection that is polled. A claim counts up `lease`; only who holds the last count may write a
result, so a replica that was away for longer than its claim changes nothing. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select, update

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
    mine = polls.c.connection == name
    free = mine & (polls.c.due_at <= now) & (polls.c.leased_until <= now)
    columns = (polls.c.lease, polls.c.complete_at, polls.c.digest)
    # A row that another replica is about to take is its own; waiting for it could only end in a deadlock.
    row = connection.execute(select(*columns).where(free).with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    connection.execute(update(polls).where(mine).values(lease=row.lease + 1, leased_until=until, holder=holder))
    return Claim(name, row.lease + 1, row.complete_at, row.digest)


def complete(connection: Connection, held: Claim, began_at: int, digest: str, due_at: int) -> bool:
    """Write that a poll was complete, and when the next one is due; False when the claim is no longer held."""
    values = {"complete_at": began_at, "digest": digest, "due_at": due_at, "leased_until": 0, "reason": None}
    return connection.execute(update(polls).where(_held(held)).values(values)).rowcount == 1


def fail(connection: Connection, held: Claim, reason: str, due_at: int) -> bool:
    """Write that a poll failed, and when it is tried again; False when the claim is no longer held."""
    values = {"reason": reason, "due_at": due_at, "leased_until": 0}
    return connection.execute(update(polls).where(_held(held)).values(values)).rowcount == 1


def release(connection: Connection, held: Claim) -> None:
    """Give a claim back: whoever comes next may poll at once."""
    connection.execute(update(polls).where(_held(held)).values(leased_until=0))


def due_at(connection: Connection, name: str) -> int:
    """Give when the poll of a connection is due, or may be taken from who has it; 0 for one that never ran."""
    row = connection.execute(
        select(polls.c.due_at, polls.c.leased_until).where(polls.c.connection == name)
    ).one_or_none()
    return 0 if row is None else max(row.due_at, row.leased_until)


def failing(connection: Connection) -> dict[str, str]:
    """Give the connections whose last poll failed, each with the reason."""
    rows = connection.execute(select(polls.c.connection, polls.c.reason).where(polls.c.reason.is_not(None)))
    return {row.connection: row.reason for row in rows}


def _held(held: Claim) -> ColumnElement[bool]:
    return (polls.c.connection == held.connection) & (polls.c.lease == held.lease)
