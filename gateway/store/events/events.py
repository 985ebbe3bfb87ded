"""What was received and what happened: receipts, events in the order of their commits, and a delivery for each reader.

Plain functions of a connection, to be put together in one transaction. Moments are milliseconds since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, insert, select, update

from gateway.store.sql.statements import hold, insert_new, put
from gateway.store.tables import bookings, counters, deliveries, events, receipts, subscriptions
from gateway.values.messages import Json

EVENTS = "events"
"""The topic of commits that add events."""
DELIVERIES = "deliveries"
"""The topic of commits that make deliveries due."""
_MOST_IDS = 10_000
"""Ids that one statement names: PostgreSQL takes 65,535 parameters, and its driver half of them (asyncpg)."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider sent, as it is kept. `dedupe` and `digest` are SHA-256 in hex; `request` is all of it."""

    id: str
    connection: str
    hook: str
    dedupe: str
    digest: str
    received_at: int
    request: bytes
    state: str
    reason: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be stored; `body` makes its bytes once its place in the sequence is known."""

    id: str
    connection: str
    provider: str
    type: str
    origin: str
    subject: str
    created_at: int
    body: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class KnownState:
    """What is known of a booking: the canonical object, the events told of it, and how often it changed."""

    data: Mapping[str, Json]
    announced: tuple[str, ...]
    revision: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Span:
    """When a booking takes place, in milliseconds since 1970; None where that is not known."""

    starts_at: int | None
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it was stored."""

    sequence: int
    id: str
    connection: str
    type: str
    origin: str
    subject: str
    created_at: int
    body: bytes


def one_by_one(connection: Connection, names: Iterable[str]) -> None:
    """Wait until nobody else publishes for these connections, on any replica, up to the end of the transaction.

    What is known of a booking is read and then written: two who learn of the same change must not both find it new.
    Whoever publishes for others goes on beside it, up to the numbers of its events: see `append`.
    """
    hold(connection, map(publishing, names))


def publishing(name: str) -> str:
    """Give the name by which those who publish for a connection keep from one another."""
    return f"publish {name}"


def receive(connection: Connection, receipt: Receipt) -> bool:
    """Keep a receipt; False when the same delivery was received before.

    A repeat is counted at the first one, and as a conflict when its body is another: the first one stays.
    """
    values = {name: getattr(receipt, name) for name in Receipt.__slots__}
    if insert_new(connection, receipts, values):
        return True
    same = and_(*(receipts.c[name] == values[name] for name in ("connection", "hook", "dedupe")))
    differs = receipts.c.digest != receipt.digest
    first = connection.execute(select(receipts.c.id, differs).where(same)).one()
    column = receipts.c.conflicts if first[1] else receipts.c.repeats
    connection.execute(update(receipts).where(receipts.c.id == first[0]).values({column: column + 1}))
    return False


def known(connection: Connection, name: str, ids: Iterable[str]) -> dict[str, KnownState]:
    """Give what is known of these bookings of a connection. What is not known is not in it."""
    listed, found = list(ids), dict[str, KnownState]()
    for first in range(0, len(listed), _MOST_IDS):
        wanted = {"name": name, "ids": listed[first : first + _MOST_IDS]}
        found |= {row.id: _known(row) for row in connection.execute(_KNOWN, wanted)}
    return found


def known_between(connection: Connection, name: str, start: int, end: int) -> dict[str, KnownState]:
    """Give what is known of the bookings of a connection that begin in [start, end)."""
    wanted = and_(bookings.c.connection == name, bookings.c.starts_at >= start, bookings.c.starts_at < end)
    return {row.id: _known(row) for row in connection.execute(select(bookings).where(wanted))}


def remember(connection: Connection, name: str, key: str, what: KnownState, span: Span, now: int) -> None:
    """Keep what is known of a booking from now on."""
    values = {
        "connection": name,
        "id": key,
        "data": _bytes(what.data),
        "announced": json.dumps(what.announced),
        "revision": what.revision,
        "starts_at": span.starts_at,
        "ends_at": span.ends_at,
        "seen_at": now,
        "changed_at": what.changed_at,
    }
    put(connection, bookings, values, ("connection", "id"))


def append(
    connection: Connection, new: Sequence[NewEvent], fresh: Callable[[str], str], receipt: str | None = None
) -> list[int]:
    """Store events, with a delivery for every subscription that wants them, and give their sequence numbers.

    The counter's row is locked until the commit: numbers are given in the order of commits, so that whoever has read
    up to a number has missed nothing below it. `fresh` makes an id with this prefix.
    """
    if not new:
        return []
    last: int = connection.execute(_COUNT, {"more": len(new)}).scalar_one()
    first = last - len(new) + 1
    rows = [
        {
            "sequence": sequence,
            **{name: getattr(event, name) for name in NewEvent.__slots__ if name != "body"},
            "receipt": receipt,
            "body": event.body(sequence),
        }
        for sequence, event in enumerate(new, first)
    ]
    connection.execute(_EVENTS, rows)
    readers = connection.execute(_READERS).all()
    due = [
        _delivery(row, reader.id, fresh("dlv"))
        for row in rows
        for reader in readers  # who is disabled now hears of it by a replay only
        if wants(reader.events, reader.connections, row["type"], row["connection"])
    ]
    if due:
        connection.execute(_DELIVERIES, due)
    return list(range(first, last + 1))


def page(connection: Connection, names: Iterable[str], after: int, most: int) -> list[StoredEvent]:
    """Give the events of these connections after a sequence number, in their order, so many at most."""
    wanted = events.c.connection.in_(list(names)) & (events.c.sequence > after)
    columns = [events.c[name] for name in StoredEvent.__slots__]
    rows = connection.execute(select(*columns).where(wanted).order_by(events.c.sequence).limit(most))
    return [StoredEvent(*row) for row in rows]


def last_sequence(connection: Connection) -> int:
    """Give the number of the newest event, 0 before the first."""
    last: int = connection.execute(select(counters.c.value).where(counters.c.name == EVENTS)).scalar_one()
    return last


def wants(events_wanted: str, connections_wanted: str | None, type_: str, name: str) -> bool:
    """Tell whether a subscription with these filters, as stored, is told of this event of this connection."""
    named = json.loads(events_wanted)
    return ("*" in named or type_ in named) and (connections_wanted is None or name in json.loads(connections_wanted))


def _delivery(row: Mapping[str, Any], subscription: str, key: str) -> dict[str, Any]:
    return {
        "id": key,
        "sequence": row["sequence"],
        "event": row["id"],
        "subscription": subscription,
        "job": "",
        "stream": f"{row['connection']}/{row['subject']}",
        "state": "pending",
        "due_at": row["created_at"],
        "created_at": row["created_at"],
    }


def _known(row: Row[Any]) -> KnownState:
    return KnownState(json.loads(row.data), tuple(json.loads(row.announced)), row.revision, row.changed_at)


def _bytes(value: Mapping[str, Json]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# Built once: building a statement costs several times what SQLite needs to carry it out.
_KNOWN = select(bookings).where(
    bookings.c.connection == bindparam("name"), bookings.c.id.in_(bindparam("ids", expanding=True))
)
_COUNT = (
    update(counters)
    .where(counters.c.name == EVENTS)
    .values(value=counters.c.value + bindparam("more"))
    .returning(counters.c.value)
)
_EVENTS, _DELIVERIES = insert(events), insert(deliveries)
_READERS = (
    select(subscriptions.c.id, subscriptions.c.events, subscriptions.c.connections)
    .where(subscriptions.c.state == "active")
    .order_by(subscriptions.c.id)
)
