"""What a request of a marketplace is about in the ledger: the entry that it asks for, repeats or cancels.

A booking is known by the reference that the marketplace gives it; where it gives none, by court, start and end.
"""

from __future__ import annotations

import asyncio

from gateway.links.context import LEDGER, Asking, LinkContext
from gateway.links.link import Link, Wanted
from gateway.store.links import ledger
from gateway.store.links.ledger import PENDING, Entry
from gateway.values.errors import ProviderRejected

WAIT_SECONDS = 10.0
"""How long a request waits for another one of the same slot, at most."""
_LOOK_SECONDS = 0.25


async def asked_for(desk: LinkContext, link: Link, asked: Wanted) -> Entry | None:
    """Give the entry that a request is about; None where the ledger has none."""
    return await desk.database.read(lambda store: ledger.asked_for(store, link.name, asked.key, asked.reference))


def by_reference(entry: Entry, asked: Wanted) -> bool:
    """Tell whether a request names an entry by its reference."""
    return asked.reference is not None and entry.reference == asked.reference


def is_asked(entry: Entry, asked: Wanted) -> bool:
    """Tell whether an entry in the way may be what a request asks for, sent twice."""
    if asked.reference is None or entry.reference is None:
        return entry.key == asked.key
    return entry.reference == asked.reference


async def settled(desk: LinkContext, link: Link, asked: Wanted, asking: Asking) -> Entry | None:
    """Give the entry that a request is about, once the request that wrote it is over. Raises ProviderRejected.

    One that left no trace for so long that it cannot be under way any more is given as it is: pending.
    """
    until = min(desk.clock() + WAIT_SECONDS, asking.deadline - 1)
    while True:
        told = desk.database.told(LEDGER)
        found = await asked_for(desk, link, asked)
        if found is None or found.state != PENDING or found.until <= desk.now():
            return found
        if desk.clock() >= until:
            raise ProviderRejected("The same slot is being booked.", code="BOOKING_CONFLICT")
        try:
            await asyncio.wait_for(told.wait(), _LOOK_SECONDS)
        except TimeoutError:
            continue  # another replica may have written


def holds(link: Link, entry: Entry, asked: Wanted) -> bool:
    """Tell whether an entry is still for the slot that it was made for: the club may have moved it."""
    same = link.same_time((entry.start_at, entry.end_at), (asked.start_ms, asked.end_ms))
    return same and entry.facility == asked.facility.facility_id
