"""Deliveries and attempts as an operator looks at them: lists that are read page by page, and what has piled up.

Plain functions of a connection that only read. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from gateway.store.deliveries.deliveries import ATTEMPTS, Attempt
from gateway.store.tables import attempts, deliveries, events


@dataclass(frozen=True, slots=True)
class Filter:
    """Which deliveries to list; None is any. `connection` and `type` are those of the event, `event` is its id."""

    state: str | None = None
    subscription: str | None = None
    connection: str | None = None
    event: str | None = None
    type: str | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """One delivery as it is listed. `attempts` is how many were made, `job` the replay that made it, or empty."""

    id: str
    sequence: int
    event: str
    type: str
    connection: str
    subject: str
    subscription: str
    job: str
    state: str
    attempts: int
    due_at: int
    created_at: int
    finished_at: int | None
    reason: str | None


def list_(connection: Connection, wanted: Filter, before: tuple[int, str] | None, most: int) -> list[DeliverySummary]:
    """Give deliveries, those of the newest events first. `before` is the sequence and id of the last one seen."""
    found = _list()
    for column, value in (
        (deliveries.c.state, wanted.state),
        (deliveries.c.subscription, wanted.subscription),
        (deliveries.c.event, wanted.event),
        (deliveries.c.job, wanted.job),
        (events.c.connection, wanted.connection),
        (events.c.type, wanted.type),
    ):
        if value is not None:
            found = found.where(column == value)
    if before is not None:
        sequence, key = before
        earlier = and_(deliveries.c.sequence == sequence, deliveries.c.id < key)
        found = found.where(or_(deliveries.c.sequence < sequence, earlier))
    order = (deliveries.c.sequence.desc(), deliveries.c.id.desc())
    return [DeliverySummary(*row) for row in connection.execute(found.order_by(*order).limit(most))]


def delivery(connection: Connection, key: str) -> DeliverySummary | None:
    """Give one delivery; None when there is none."""
    row = connection.execute(_list().where(deliveries.c.id == key)).one_or_none()
    return None if row is None else DeliverySummary(*row)


def attempts_of(connection: Connection, key: str) -> list[Attempt]:
    """Give the attempts of a delivery in the order in which they were recorded."""
    return ATTEMPTS.all(connection, ATTEMPTS.select(attempts.c.delivery == key).order_by(attempts.c.id))


def _list() -> Select[Any]:
    """Choose deliveries with what is told of their events."""
    of_event = {"type", "connection", "subject"}
    columns = [(events if name in of_event else deliveries).c[name] for name in DeliverySummary.__slots__]
    return select(*columns).join_from(deliveries, events, events.c.sequence == deliveries.c.sequence)
