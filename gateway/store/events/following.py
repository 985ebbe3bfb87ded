"""Events as somebody reads them who comes back with the number of the last one: in order, and nothing left out unsaid.

Plain functions of a connection. Retention removes events from the oldest on and leaves no holes: what stands between
the oldest kept and the newest is complete, and this is how a gap is recognised.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from gateway.store.events.events import EVENT_ROWS, StoredEvent, last_sequence
from gateway.store.tables import events


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The next events of a reader. `upto` is the number to come back with; `more` says that there are further ones.

    `gap` is true when events after the reader's number are no longer kept, or the store never gave that number: then
    the events are none, for nothing may be skipped in silence.
    """

    events: tuple[StoredEvent, ...]
    upto: int
    more: bool
    gap: bool


def follow(connection: Connection, name: str, after: int | None, types: Collection[str], most: int) -> EventBatch:
    """Give the events of a connection after a number, at most so many; None for the oldest kept, no types for all.

    `upto` moves on even when no event was for this reader, so that who comes back regularly is never left behind.
    """
    # In this order: PostgreSQL looks anew at every statement. Whatever is not above `last` is committed when the
    # events are read, and whatever was removed before they were read is missing when the oldest is.
    last = last_sequence(connection)
    wanted = [events.c.connection == name, events.c.sequence > (after or 0), events.c.sequence <= last]
    if types:
        wanted.append(events.c.type.in_(types))
    read = EVENT_ROWS.select(*wanted).order_by(events.c.sequence).limit(most + 1)
    rows = EVENT_ROWS.all(connection, read)
    if after is not None and (after > last or after + 1 < _oldest(connection, last)):
        return EventBatch((), after, more=False, gap=True)
    found = tuple(rows[:most])
    more = len(rows) > most
    return EventBatch(found, found[-1].sequence if more else last, more, gap=False)


def _oldest(connection: Connection, last: int) -> int:
    """Give the number of the oldest event kept, of any connection; the next one to come when none is."""
    kept: int | None = connection.execute(select(func.min(events.c.sequence))).scalar_one()
    return last + 1 if kept is None else kept
