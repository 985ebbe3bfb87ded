"""How far each link has come, and which replica works for it: plain functions of a connection.

One row for each link. A claim counts up `lease`; only who holds the last count may write what its work gave, so a
replica that was away for longer than its claim changes nothing. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, Connection, select, update

from gateway.store.sql.statements import insert_new, put
from gateway.store.tables import links


@dataclass(frozen=True, slots=True)
class LinkState:
    """What is known of a link. A moment is None before it came for the first time.

    `pulled_at`: the peer asked for slots; `read_at`: the club was read completely; `pushed_at`: the peer took what it
    was told. Each `…_reason` says why the last try failed, None after a success. Nothing is read before `read_due_at`
    or pushed before `push_due_at`; `push_failures` counts in a row. `cursor` is the sequence of the last event
    followed, None when none was.
    """

    name: str
    pulled_at: int | None
    pull_reason: str | None
    read_at: int | None
    read_due_at: int
    read_reason: str | None
    pushed_at: int | None
    push_due_at: int
    push_failures: int
    push_reason: str | None
    cursor: int | None
    lease: int
    leased_until: int


class LinkChanges(TypedDict, total=False):
    """What `note` writes; what is not given stays as it is, and None clears."""

    pulled_at: int
    pull_reason: str | None
    read_at: int
    read_due_at: int
    read_reason: str | None
    pushed_at: int
    push_due_at: int
    push_failures: int
    push_reason: str | None
    cursor: int | None


def state(connection: Connection, name: str) -> LinkState | None:
    """Give what is known of a link; None before anything is."""
    columns = [links.c[column] for column in LinkState.__slots__]
    row = connection.execute(select(*columns).where(links.c.name == name)).one_or_none()
    return None if row is None else LinkState(*row)


def ensure(connection: Connection, name: str) -> None:
    """Make the row of a link unless it is there."""
    insert_new(connection, links, {"name": name})


def claim(connection: Connection, name: str, now: int, until: int, holder: str = "") -> int | None:
    """Take the work of a link up to a moment and give the number of the lease; None while another replica has it.

    `holder` is the process that takes it: once that is dead, the link can be claimed at once.
    """
    ensure(connection, name)
    free = (links.c.name == name) & (links.c.leased_until <= now)
    # A row that another replica is about to take is its own; waiting for it could only end in a deadlock.
    last: int | None = connection.scalar(select(links.c.lease).where(free).with_for_update(skip_locked=True))
    if last is None:
        return None
    taken = {"lease": last + 1, "leased_until": until, "holder": holder}
    connection.execute(update(links).where(links.c.name == name).values(taken))
    return last + 1


def held(connection: Connection, name: str, lease: int) -> bool:
    """Tell whether nobody has claimed a link since; when so, nobody can before the end of this transaction."""
    return connection.scalar(select(links.c.lease).where(_held(name, lease)).with_for_update()) is not None


def extend(connection: Connection, name: str, lease: int, until: int) -> bool:
    """Hold a link up to a later moment; False when it is no longer held."""
    return connection.execute(update(links).where(_held(name, lease)).values(leased_until=until)).rowcount == 1


def release(connection: Connection, name: str, lease: int) -> None:
    """Give a link back: whoever comes next may claim it at once."""
    connection.execute(update(links).where(_held(name, lease)).values(leased_until=0))


def note(connection: Connection, name: str, **changes: Unpack[LinkChanges]) -> None:
    """Write how far a link has come."""
    put(connection, links, {"name": name, **changes}, ["name"])


def lock(connection: Connection, name: str) -> None:
    """Hold a link's row up to the commit: of those who call this for the same link, one comes after the other."""
    ensure(connection, name)
    connection.execute(select(links.c.name).where(links.c.name == name).with_for_update())


def _held(name: str, lease: int) -> ColumnElement[bool]:
    return (links.c.name == name) & (links.c.lease == lease)
