"""What a request of a marketplace is about in the ledger: the entry that it asks for, repeats or cancels.

A booking is known by the reference that the marketplace gives it; where it gives none, by court, start and end.
"""

from __future__ import annotations

import asyncio
from functools import partial

from gateway.links.context import LEDGER
from gateway.links.link import BookingRequest, Link
from gateway.links.session import BookingSession
from gateway.store.links import ledger
from gateway.store.links.ledger import PENDING, Entry
from gateway.values.errors import ProviderRejected

WAIT_SECONDS = 10.0
"""How long a request waits for another one of the same slot, at most."""
_LOOK_SECONDS = 0.25


async def find_entry(session: BookingSession) -> Entry | None:
    """Give the entry that a request is about; None where the ledger has none."""
    name, request = session.link.name, session.request
    read = partial(ledger.find, link=name, key=request.key, reference=request.reference)
    return await session.context.database.read(read)


def by_reference(entry: Entry, request: BookingRequest) -> bool:
    """Tell whether a request names an entry by its reference."""
    return request.reference is not None and entry.reference == request.reference


def is_asked(entry: Entry, request: BookingRequest) -> bool:
    """Tell whether an entry in the way may be what a request asks for, sent twice."""
    if request.reference is None or entry.reference is None:
        return entry.key == request.key
    return entry.reference == request.reference


async def wait_for_settled(session: BookingSession) -> Entry | None:
    """Give the entry that a request is about, once the request that wrote it is over. Raises ProviderRejected.

    One that left no trace for so long that it cannot be under way any more is given as it is: pending.
    """
    context = session.context
    until = min(context.clock() + WAIT_SECONDS, session.asking.deadline - 1)
    while True:
        told = context.database.told(LEDGER)
        found = await find_entry(session)
        if found is None or found.state != PENDING or found.until <= context.now():
            return found
        if context.clock() >= until:
            raise ProviderRejected("The same slot is being booked.", code="BOOKING_CONFLICT")
        try:
            await asyncio.wait_for(told.wait(), _LOOK_SECONDS)
        except TimeoutError:
            continue  # another replica may have written


def holds(link: Link, entry: Entry, request: BookingRequest) -> bool:
    """Tell whether an entry is still for the slot that it was made for: the club may have moved it."""
    same = link.same_time((entry.start_at, entry.end_at), (request.start_ms, request.end_ms))
    return same and entry.facility == request.facility.facility_id
