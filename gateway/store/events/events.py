"""What was received and what happened: receipts, events in the order of their commits, and a delivery for each reader.

Plain functions of a connection, to be put together in one transaction. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, case, insert, select, update

from gateway.store.sql.constant import Constant
from gateway.store.sql.records import Record
from gateway.store.sql.statements import hold, insert_new, put
from gateway.store.tables import bookings, counters, deliveries, events, receipts, subscriptions
from gateway.values.messages import Json

EVENTS = "events"
"""The topic of commits that add events."""
DELIVERIES = "deliveries"
"""The topic of commits that make deliveries due."""
_FEW_IDS = 2
"""So many ids are asked for one by one: a statement that names several has another text for each number of them."""
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
    values = RECEIPTS.values(receipt)
    if insert_new(connection, receipts, values):
        return True
    _REPEATED.run(connection, values)
    return False


def find(connection: Connection, name: str, ids: Iterable[str]) -> dict[str, KnownState]:
    """Give what is known of these bookings of a connection. What is not known is not in it."""
    listed, found = list(ids), dict[str, KnownState]()
    if len(listed) <= _FEW_IDS:
        for key in listed:
            one = _KNOWN.first(connection, _BY_KEY, {"connection": name, "id": key})
            if one is not None:
                found[key] = one
        return found
    for first in range(0, len(listed), _MOST_IDS):
        wanted = {"name": name, "ids": listed[first : first + _MOST_IDS]}
        found |= {row[0]: KnownState(*row[1:]) for row in connection.execute(_KNOWN_OF, wanted)}
    return found


def known_between(connection: Connection, name: str, start: int, end: int) -> dict[str, KnownState]:
    """Give what is known of the bookings of a connection that begin in [start, end)."""
    wanted = {"connection": name, "start": start, "end": end}
    return {row[0]: KnownState(*row[1:]) for row in _KNOWN_BETWEEN.rows(connection, wanted)}


def remember(connection: Connection, name: str, key: str, what: KnownState, span: Span, now: int) -> None:
    """Keep what is known of a booking from now on."""
    values = {
        "connection": name,
        "id": key,
        **_KNOWN.values(what),
        "starts_at": span.starts_at,
        "ends_at": span.ends_at,
        "seen_at": now,
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
    last: int = _COUNT.value(connection, {"more": len(new)})
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
    _EVENTS.run_each(connection, rows)
    readers = _READERS.rows(connection)
    due = [
        _delivery(row, key, fresh("dlv"))
        for row in rows
        for key, types, names in readers  # who is disabled now hears of it by a replay only
        if wants(types, names, row["type"], row["connection"])
    ]
    _DELIVERIES.run_each(connection, due)
    return list(range(first, last + 1))


def last_sequence(connection: Connection) -> int:
    """Give the number of the newest event, 0 before the first."""
    last: int = _LAST.value(connection)
    return last


def wants(types: Sequence[str], names: Sequence[str] | None, type_: str, name: str) -> bool:
    """Tell whether a subscription to these types, of these connections, is told of this event of this connection."""
    return ("*" in types or type_ in types) and (names is None or name in names)


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


RECEIPTS = Record(receipts, Receipt)
EVENT_ROWS = Record(events, StoredEvent)
_EQUAL = case((receipts.c.digest == bindparam("digest"), 1), else_=0)
_REPEATED = Constant(
    update(receipts)
    .where(*(receipts.c[name] == bindparam(name) for name in ("connection", "hook", "dedupe")))
    .values(repeats=receipts.c.repeats + _EQUAL, conflicts=receipts.c.conflicts + 1 - _EQUAL)
)
_KNOWN = Record(bookings, KnownState)
_BY_KEY = _KNOWN.by("connection", "id")
_KNOWN_OF = select(bookings.c.id, *_KNOWN.columns).where(
    bookings.c.connection == bindparam("name"), bookings.c.id.in_(bindparam("ids", expanding=True))
)
_KNOWN_BETWEEN = Constant(
    select(bookings.c.id, *_KNOWN.columns).where(
        bookings.c.connection == bindparam("connection"),
        bookings.c.starts_at >= bindparam("start"),
        bookings.c.starts_at < bindparam("end"),
    )
)
_COUNT = Constant(
    update(counters)
    .where(counters.c.name == EVENTS)
    .values(value=counters.c.value + bindparam("more"))
    .returning(counters.c.value)
)
_LAST = Constant(select(counters.c.value).where(counters.c.name == EVENTS))
_NEW = ("sequence", *(name for name in NewEvent.__slots__ if name != "body"), "receipt", "body")
_EVENTS = Constant(insert(events).values({name: bindparam(name) for name in _NEW}))
_OF_DELIVERY = ("id", "sequence", "event", "subscription", "job", "stream", "state", "due_at", "created_at")
_DELIVERIES = Constant(insert(deliveries).values({name: bindparam(name) for name in _OF_DELIVERY}))
_READERS = Constant(
    select(subscriptions.c.id, subscriptions.c.events, subscriptions.c.connections)
    .where(subscriptions.c.state == "active")
    .order_by(subscriptions.c.id)
)
