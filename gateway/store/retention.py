"""What is no longer kept: old events with their deliveries and attempts, receipts, replays, what links remember.

Never what is pending, and no entry of a ledger that holds a time to come.

Events go from the oldest on and leave no holes, for whoever reads them by number recognises by their beginning that
something is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, func, select

from gateway.store.deliveries.deliveries import PENDING
from gateway.store.deliveries.replays import forget
from gateway.store.events.events import last_sequence
from gateway.store.links import ledger, offers
from gateway.store.tables import attempts, bookings, deliveries, events, links, receipts, subscriptions

LEAST_AGE = 7 * 86_400_000
"""How long receipts are kept at least, in milliseconds: longer than any provider repeats a message, and a message whose
receipt is gone is taken for a new one."""
_PAST = 86_400_000
"""How long the slots of links are kept after they are over, in milliseconds: nobody is told of them any more."""


@dataclass(frozen=True, slots=True)
class PruneResult:
    """How many rows of each kind were removed. With `more` there are further ones to remove."""

    events: int
    deliveries: int
    attempts: int
    receipts: int
    jobs: int
    slots: int
    entries: int
    more: bool


def prune(connection: Connection, now: int, keep_age: int, keep_rows: int, batch: int = 500) -> PruneResult:
    """Remove what is older than `keep_age` (milliseconds), and events beyond the newest `keep_rows`; the oldest first.

    An event goes with its deliveries and their attempts, and stays, with all that follow, while one of its deliveries
    is pending. Slots of links go a day after they ended. At most `batch` events, receipts, entries of ledgers, and
    slots of each link are removed: others write between one batch and the next.
    """
    before = now - keep_age
    old = _events(connection, before, keep_rows, batch)
    mine = deliveries.c.event.in_(old)
    tried = attempts.c.delivery.in_(select(deliveries.c.id).where(mine))
    gone_attempts = connection.execute(delete(attempts).where(tried)).rowcount if old else 0
    gone_deliveries = connection.execute(delete(deliveries).where(mine)).rowcount if old else 0
    gone_events = connection.execute(delete(events).where(events.c.id.in_(old))).rowcount if old else 0
    late = (attempts.c.at < before) & ~exists().where(deliveries.c.id == attempts.c.delivery)
    gone_attempts += connection.execute(delete(attempts).where(late)).rowcount
    aged = receipts.c.received_at < now - max(keep_age, LEAST_AGE)
    some = select(receipts.c.id).where(aged).order_by(receipts.c.received_at).limit(batch)
    gone_receipts = connection.execute(delete(receipts).where(receipts.c.id.in_(some))).rowcount
    names = connection.scalars(select(links.c.name)).all()
    gone_slots = [offers.forget(connection, name, now - _PAST, batch) for name in names]
    gone_entries = ledger.forget(connection, before, batch)
    return PruneResult(
        events=gone_events,
        deliveries=gone_deliveries,
        attempts=gone_attempts,
        receipts=gone_receipts,
        jobs=forget(connection, before),
        slots=sum(gone_slots),
        entries=gone_entries,
        more=batch in (gone_events, gone_receipts, gone_entries, *gone_slots),
    )


def forget_bookings(connection: Connection, before: int, batch: int = 500) -> int:
    """Forget bookings that were over, and last seen, before a moment; gives how many."""
    over = (bookings.c.ends_at < before) & (bookings.c.seen_at < before)
    some = select(bookings.c.connection, bookings.c.id).where(over).limit(batch)
    gone = [(row.connection, row.id) for row in connection.execute(some)]
    for name, key in gone:
        connection.execute(delete(bookings).where(bookings.c.connection == name, bookings.c.id == key))
    return len(gone)


def _events(connection: Connection, before: int, keep_rows: int, batch: int) -> list[str]:
    """Give the ids of the oldest events that may go."""
    known = select(subscriptions.c.id)  # the index of what is pending begins with the subscription
    pending = (deliveries.c.state == PENDING) & deliveries.c.subscription.in_(known)
    waiting: int | None = connection.execute(select(func.min(deliveries.c.sequence)).where(pending)).scalar_one()
    beyond = last_sequence(connection) - keep_rows
    oldest = select(events.c.id, events.c.sequence, events.c.created_at).order_by(events.c.sequence).limit(batch)
    found = []
    for row in connection.execute(oldest):
        kept = row.created_at >= before and row.sequence > beyond
        if kept or (waiting is not None and row.sequence >= waiting):
            break
        found.append(row.id)
    return found
