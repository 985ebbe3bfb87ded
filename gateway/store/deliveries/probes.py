"""A test of one subscription: an event that nobody else is told, stored with its single delivery.

It belongs to no connection, so that no list of changes and no stream has it; its number is taken from the events' own,
for a hole in them means that something is no longer kept.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update

from gateway.store.events.events import EVENTS, NewEvent
from gateway.store.tables import counters, deliveries, events

NOWHERE = ""
"""The connection of a test."""
TEST = "test"
"""The job of its delivery: like a replay, it says nothing of the endpoint's health."""


def probe(connection: Connection, event: NewEvent, subscription: str, key: str, most: int) -> bool:
    """Store a test for this subscription with the delivery `key`; False while `most` of its tests are pending."""
    mine = (deliveries.c.subscription == subscription) & (deliveries.c.job == TEST) & (deliveries.c.state == "pending")
    waiting: int = connection.execute(select(func.count()).select_from(deliveries).where(mine)).scalar_one()
    if waiting >= most:
        return False
    taken = update(counters).where(counters.c.name == EVENTS).values(value=counters.c.value + 1)
    sequence: int = connection.execute(taken.returning(counters.c.value)).scalar_one()
    told = {name: getattr(event, name) for name in NewEvent.__slots__ if name != "body"}
    connection.execute(insert(events).values(sequence=sequence, **told, body=event.body(sequence)))
    connection.execute(
        insert(deliveries).values(
            id=key,
            sequence=sequence,
            event=event.id,
            subscription=subscription,
            job=TEST,
            stream=f"{NOWHERE}/{event.id}",  # its own: a test waits for no other
            state="pending",
            due_at=event.created_at,
            created_at=event.created_at,
        )
    )
    return True
