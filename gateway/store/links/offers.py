"""The slots that links offer to their peers, and what the peers were told of them: plain functions of a connection.

A slot is known by its facility and start. What a peer was told is kept as the digest of what it took: a slot waits to
be told while its digest is neither that one nor the one that the peer refused. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, select, tuple_, update

from gateway.store.links.links import ensure
from gateway.store.sql.records import Record
from gateway.store.sql.statements import put_newest
from gateway.store.tables import link_days, link_slots

Stated: TypeAlias = tuple[str, int, str]
"""A state that a slot had: the facility, the start, the digest."""
_SLOT = ("link", "facility", "start_at")
_WAITS = and_(
    link_slots.c.digest.is_distinct_from(link_slots.c.told), link_slots.c.digest.is_distinct_from(link_slots.c.parked)
)
_PARKED = and_(link_slots.c.digest.is_distinct_from(link_slots.c.told), link_slots.c.digest == link_slots.c.parked)


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot as the club has it: `state` is the canonical slot as JSON, `digest` the SHA-256 of it in hex.

    `seen_at` is when the reading began that gave it.
    """

    facility: str
    start_at: int
    end_at: int
    available: bool
    state: bytes
    digest: str
    seen_at: int


@dataclass(frozen=True, slots=True)
class StoredOffer(Offer):
    """A slot, and the digests of the state that the peer took last, when, and of the one that it refused, and why."""

    told: str | None
    told_at: int | None
    parked: str | None
    reason: str | None


def put(connection: Connection, link: str, offers: Sequence[Offer]) -> None:
    """Keep these slots of a link, but for those of which a later reading told; what the peer was told stays."""
    ensure(connection, link)
    rows = [{"link": link, **_OFFERS.values(one)} for one in offers]
    put_newest(connection, link_slots, rows, _SLOT, "seen_at")


def drop(connection: Connection, link: str, facility: str, starts: Collection[int]) -> None:
    """Forget the slots of a facility that begin at these moments."""
    mine = (link_slots.c.link == link) & (link_slots.c.facility == facility)
    connection.execute(delete(link_slots).where(mine, link_slots.c.start_at.in_(starts)))


def between(
    connection: Connection, link: str, start_at: int, end_at: int, facilities: Collection[str] | None = None
) -> list[StoredOffer]:
    """Give the slots that begin in [start_at, end_at), of these facilities or of all, by facility and start."""
    found = _store(link).where(link_slots.c.start_at >= start_at, link_slots.c.start_at < end_at)
    if facilities is not None:
        found = found.where(link_slots.c.facility.in_(facilities))
    return _STORED.all(connection, found.order_by(link_slots.c.facility, link_slots.c.start_at))


def overlapping(connection: Connection, link: str, facility: str, start_at: int, end_at: int) -> list[StoredOffer]:
    """Give the slots of a facility that share time with [start_at, end_at), by their start."""
    found = _store(link).where(link_slots.c.facility == facility)
    found = found.where(link_slots.c.start_at < end_at, link_slots.c.end_at > start_at)
    return _STORED.all(connection, found.order_by(link_slots.c.start_at))


def read_days(
    connection: Connection, link: str, facilities: Collection[str], days: Collection[str]
) -> dict[tuple[str, str], int]:
    """Give when the readings began that last gave these days of these facilities; those never read are missing."""
    mine = (link_days.c.link == link) & link_days.c.facility.in_(facilities) & link_days.c.day.in_(days)
    rows = connection.execute(select(link_days.c.facility, link_days.c.day, link_days.c.read_at).where(mine))
    return {(row.facility, row.day): row.read_at for row in rows}


def note_days(connection: Connection, link: str, pairs: Iterable[tuple[str, str]], read_at: int) -> None:
    """Write that these facilities were read on these days by a reading that began then; a later one stays."""
    rows = [{"link": link, "facility": facility, "day": day, "read_at": read_at} for facility, day in pairs]
    put_newest(connection, link_days, rows, ("link", "facility", "day"), "read_at")


def waiting(connection: Connection, link: str, now: int, most: int) -> list[StoredOffer]:
    """Give slots that begin after `now` and are to be told, the earliest first."""
    found = _store(link).where(link_slots.c.start_at > now, _WAITS)
    return _STORED.all(connection, found.order_by(link_slots.c.start_at, link_slots.c.facility).limit(most))


def depth(connection: Connection, link: str, now: int) -> tuple[int, int]:
    """Count the slots after `now` that wait to be told, and those that the peer refused as they are."""
    counted = select(func.count().filter(_WAITS), func.count().filter(_PARKED)).select_from(link_slots)
    row = connection.execute(counted.where(link_slots.c.link == link, link_slots.c.start_at > now)).one()
    return row[0], row[1]


def tell(connection: Connection, link: str, told: Sequence[Stated], now: int) -> None:
    """Write that the peer took these states. A slot that has changed since waits again."""
    _mark(connection, link, told, {"told": bindparam("mark"), "told_at": now, "parked": None, "reason": None})


def park(connection: Connection, link: str, what: Sequence[Stated], reason: str) -> None:
    """Write that the peer refused these states, and why: each waits again once it has changed."""
    _mark(connection, link, what, {"parked": bindparam("mark"), "reason": reason})


def doubt(connection: Connection, link: str, which: Sequence[tuple[str, int]]) -> None:
    """Write that nobody knows what the peer was told last of these slots, by facility and start: each waits again."""
    if which:
        mine = (link_slots.c.link == link) & (link_slots.c.facility == bindparam("of_facility"))
        rows = [{"of_facility": facility, "of_start": start} for facility, start in sorted(which)]
        changed = update(link_slots).where(mine, link_slots.c.start_at == bindparam("of_start"))
        connection.execute(changed.values(told=None), rows)


def untold(connection: Connection, link: str) -> None:
    """Take the peer to know nothing: every slot waits to be told."""
    nothing = dict.fromkeys(("told", "told_at", "parked", "reason"))
    connection.execute(update(link_slots).where(link_slots.c.link == link).values(nothing))


def forget(connection: Connection, link: str, before: int, batch: int = 500) -> int:
    """Forget days that are over, and up to `batch` slots that ended, before a moment; gives how many slots."""
    # Somewhere on earth a date ends half a day after it has ended in UTC.
    day = datetime.fromtimestamp(before / 1000, UTC).date() - timedelta(days=1)
    connection.execute(delete(link_days).where(link_days.c.link == link, link_days.c.day < day.isoformat()))
    columns = [link_slots.c[name] for name in _SLOT]
    over = (link_slots.c.link == link) & (link_slots.c.start_at < before) & (link_slots.c.end_at < before)
    some = select(*columns).where(over).order_by(link_slots.c.start_at).limit(batch).with_for_update(skip_locked=True)
    rows = [tuple(row) for row in connection.execute(some)]
    return connection.execute(delete(link_slots).where(tuple_(*columns).in_(rows))).rowcount if rows else 0


def _mark(connection: Connection, link: str, what: Sequence[Stated], values: dict[str, Any]) -> None:
    """Write what became of these states, in the order in which the slots are written."""
    if not what:
        return
    slot = and_(
        link_slots.c.link == link,
        link_slots.c.facility == bindparam("of_facility"),
        link_slots.c.start_at == bindparam("of_start"),
    )
    rows = [{"of_facility": facility, "of_start": start, "mark": digest} for facility, start, digest in sorted(what)]
    connection.execute(update(link_slots).where(slot).values(values), rows)


def _store(link: str) -> Select[Any]:
    return _STORED.select(link_slots.c.link == link)


_OFFERS = Record(link_slots, Offer)
_STORED = Record(link_slots, StoredOffer)
