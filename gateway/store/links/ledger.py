"""The ledger of links: what peers asked to book, and what came of it. Plain functions of a connection.

An entry is written before the club is asked. While it is live it holds its time: nothing else of the link that shares
time with it on the same facility is begun. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict, Unpack

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    false,
    func,
    null,
    or_,
    select,
    update,
)

from gateway.store.links.links import lock
from gateway.store.sql.records import Record
from gateway.store.tables import link_bookings

PENDING: Final = "pending"
CONFIRMED: Final = "confirmed"
CANCELLING: Final = "cancelling"
UNKNOWN: Final = "unknown"
CANCELLED: Final = "cancelled"
FAILED: Final = "failed"
LIVE: Final = frozenset({PENDING, CONFIRMED, CANCELLING, UNKNOWN})
"""The states in which an entry holds its time. From the others nothing comes back."""
_C = link_bookings.c
_NEWEST = (_C.created_at.desc(), _C.live.is_(None), _C.id.desc())


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of a peer. `booking` is the club's id, once it is known.

    `key` is the same for the same place and time, `reference` the peer's own id of the booking, where it gives one.
    A pending one is in doubt from `until` on; `due_at` is when it is looked after again, `tries` how often it was.
    `customer` is whom the club was told, packed; None in entries of gateways that did not keep it.
    """

    id: str
    link: str
    key: str
    facility: str
    start_at: int
    end_at: int
    slot_id: str | None
    player: str | None
    booking: str | None
    state: str
    created_at: int
    updated_at: int
    until: int
    due_at: int
    tries: int
    reason: str | None
    reference: str | None = None
    customer: bytes | None = None
    holder: str = ""


class EntryChanges(TypedDict, total=False):
    """What is written beside the state; what is not given stays as it is, and None clears."""

    booking: str | None
    until: int
    due_at: int
    tries: int
    reason: str | None
    facility: str
    start_at: int
    end_at: int
    reference: str | None
    holder: str


def begin(connection: Connection, new: Entry) -> Entry | None:
    """Write a live entry; when another one has its key or shares its time, write nothing and give that one.

    So does one that has its reference, unless that failed: a reference is of one booking. It comes first, then the one
    with the same key, then the earliest. Of those who begin at the same time, on whatever replica, one comes after the
    other.
    """
    lock(connection, new.link)
    same = _C.live == new.key
    shares = and_(_C.facility == new.facility, _C.start_at < new.end_at, _C.end_at > new.start_at)
    named = false() if new.reference is None else and_(_C.reference == new.reference, _C.state != FAILED)
    found = _ENTRIES.select(_C.link == new.link, or_(named, and_(_C.live.is_not(None), or_(same, shares))))
    taken = _ENTRIES.first(connection, found.order_by(case((named, 0), (same, 1), else_=2), _C.start_at))
    if taken is None:
        _ENTRIES.add(connection, new, live=new.key)
    return taken


def entry(connection: Connection, entry_id: str, *, hold: bool = False) -> Entry | None:
    """Give an entry by its id; None when there is none, or no longer. `hold` it and nobody changes it up to the end."""
    found = _ENTRIES.select(_C.id == entry_id)
    return _ENTRIES.first(connection, found.with_for_update() if hold else found)


def find(connection: Connection, link: str, key: str, reference: str | None) -> Entry | None:
    """Give the entry of a link that a request is about: the newest of its reference, where it has one, else of its key.

    An entry without a reference is known by its key, also to a request that has one: it was made by one that had none,
    or is no longer the reference's booking.
    """
    found = _ENTRIES.select(_C.link == link).order_by(*_NEWEST)
    if reference is None:
        return _ENTRIES.first(connection, found.where(_C.key == key))
    mine = _ENTRIES.first(connection, found.where(_C.reference == reference))
    return mine or _ENTRIES.first(connection, found.where(_C.key == key, _C.reference.is_(None)))


def adopt(connection: Connection, entry_id: str, reference: str) -> bool:
    """Let an entry without a reference stand for this one; False when it has one by now."""
    mine = and_(_C.id == entry_id, _C.reference.is_(None))
    return connection.execute(update(link_bookings).where(mine).values(reference=reference)).rowcount == 1


def of_booking(connection: Connection, link: str, booking: str) -> list[Entry]:
    """Give the entries of a link that became this booking of the club, the newest first."""
    return _ENTRIES.all(connection, _ENTRIES.select(_C.link == link, _C.booking == booking).order_by(*_NEWEST))


def settle(
    connection: Connection,
    entry_id: str,
    was: Collection[str],
    state: str,
    now: int,
    **changes: Unpack[EntryChanges],
) -> bool:
    """Bring an entry from one of these states into another; False when it is in none of them.

    Only `transitions.advance` calls it, which knows what may follow what. Nothing that is cancelled or failed becomes
    live again: its time may be somebody else's. An entry that is moved gives its key free, so that its former time can
    be booked by whoever comes next.
    """
    mine = and_(_C.id == entry_id, _C.state.in_(was))
    if state in LIVE:
        mine = and_(mine, _C.live.is_not(None))
    values: dict[str, Any] = {"holder": "", **changes, "state": state, "updated_at": now, "live": _live(state, changes)}
    return connection.execute(update(link_bookings).where(mine).values(values)).rowcount == 1


def due(connection: Connection, link: str, now: int, most: int) -> list[Entry]:
    """Give entries to look after: in doubt or to be cancelled, and due; or pending, and past `until`."""
    ready = or_(and_(_C.state.in_((CANCELLING, UNKNOWN)), _C.due_at <= now), and_(_C.state == PENDING, _C.until <= now))
    return _ENTRIES.all(connection, _ENTRIES.select(_C.link == link, ready).order_by(_C.due_at, _C.id).limit(most))


def list_(connection: Connection, link: str, most: int, states: Collection[str] | None = None) -> list[Entry]:
    """Give entries of a link, in these states or in any, the newest first."""
    found = _ENTRIES.select(_C.link == link)
    if states is not None:
        found = found.where(_C.state.in_(states))
    return _ENTRIES.all(connection, found.order_by(*_NEWEST).limit(most))


def holding(connection: Connection, link: str, start_at: int, end_at: int) -> list[Entry]:
    """Give the live entries of a link that share time with [start_at, end_at), the newest first."""
    here = and_(_C.link == link, _C.live.is_not(None), _C.start_at < end_at, _C.end_at > start_at)
    return _ENTRIES.all(connection, _ENTRIES.select(here).order_by(*_NEWEST))


def counts(connection: Connection, link: str) -> dict[str, int]:
    """Count the entries of a link by their state; a state without one is missing."""
    counted = select(_C.state, func.count()).where(_C.link == link).group_by(_C.state)
    return {row[0]: row[1] for row in connection.execute(counted)}


def forget(connection: Connection, before: int, batch: int = 500) -> int:
    """Forget up to `batch` entries of any link that did not change since a moment, the oldest first; gives how many.

    A live one stays until its time was over at that moment too.
    """
    old = and_(_C.updated_at < before, _C.live.is_(None) | (_C.end_at < before))
    some = select(_C.id).where(old).order_by(_C.updated_at).limit(batch).with_for_update(skip_locked=True)
    ids = list(connection.scalars(some))
    return connection.execute(delete(link_bookings).where(_C.id.in_(ids))).rowcount if ids else 0


def _live(state: str, changes: Mapping[str, object]) -> ColumnElement[Any]:
    """Give what stands in `live` in this state: elsewhere or at another time than before the id, nobody else's."""
    if state not in LIVE:
        return null()
    moved = [_C[name] != changes[name] for name in ("facility", "start_at", "end_at") if name in changes]
    return case((or_(*moved), _C.id), else_=_C.live) if moved else _C.live


_ENTRIES = Record(link_bookings, Entry, also=["live"])
