"""How far each link has come, and which replica works for it: plain functions of a connection.

One row for each link, claimed as `sql/leases.py` has it. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy import Connection, bindparam, select

from gateway.store.sql.constant import Constant
from gateway.store.sql.leases import Leases
from gateway.store.sql.records import Record
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
    return _LINKS.first(connection, _BY_NAME, {"name": name})


def ensure(connection: Connection, name: str) -> None:
    """Make the row of a link unless it is there."""
    insert_new(connection, links, {"name": name})


def claim(connection: Connection, name: str, now: int, until: int, holder: str = "") -> int | None:
    """Take the work of a link up to a moment and give the number of the lease; None while another replica has it.

    `holder` is the process that takes it: once that is dead, the link can be claimed at once.
    """
    ensure(connection, name)
    taken = LEASES.claim(connection, {"name": name}, now, until, holder)
    return taken[0][0] if taken else None


def extend(connection: Connection, name: str, lease: int, until: int) -> bool:
    """Hold a link up to a later moment; False when it is no longer held."""
    return LEASES.write(connection, name, lease, {"leased_until": until})


def release(connection: Connection, name: str, lease: int) -> None:
    """Give a link back: whoever comes next may claim it at once."""
    LEASES.release(connection, name, lease)


def note(connection: Connection, name: str, **changes: Unpack[LinkChanges]) -> None:
    """Write how far a link has come."""
    put(connection, links, {"name": name, **changes}, ["name"])


def lock(connection: Connection, name: str) -> None:
    """Hold a link's row up to the commit: of those who call this for the same link, one comes after the other."""
    ensure(connection, name)
    _LOCK.rows(connection, {"name": name})


LEASES = Leases(
    links.c.name,
    free=(links.c.name == bindparam("name")) & (links.c.leased_until <= bindparam("now")),
    given=[links.c.lease],
)
_LINKS = Record(links, LinkState)
_BY_NAME = _LINKS.by("name")
_LOCK = Constant(select(links.c.name).where(links.c.name == bindparam("name")).with_for_update())
