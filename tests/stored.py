"""What stands in a store, as tests look at it."""

from sqlalchemy import select

from gateway.store.events.events import StoredEvent
from gateway.store.tables import events, polls


def events_of(connection, *names):
    """Give all events of these connections, in their order."""
    columns = [events.c[name] for name in StoredEvent.__slots__]
    found = select(*columns).where(events.c.connection.in_(names)).order_by(events.c.sequence)
    return [StoredEvent(*row) for row in connection.execute(found)]


def failing(connection):
    """Give the connections whose last poll failed, each with the reason."""
    rows = connection.execute(select(polls.c.connection, polls.c.reason).where(polls.c.reason.is_not(None)))
    return {row.connection: row.reason for row in rows}
