"""What the club's events mean for a link: days to read again, and bookings of the marketplace that the club changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial

from gateway.links.bookings.reconciliation import over, record_move
from gateway.links.club import OVER
from gateway.links.context import LinkContext
from gateway.links.link import Link
from gateway.links.slots.slot_grid import milliseconds
from gateway.model.types.times import TimeRefused
from gateway.store.events.events import last_sequence
from gateway.store.events.following import follow
from gateway.store.links import ledger, links
from gateway.store.links.ledger import CONFIRMED
from gateway.values.messages import Json

_PAGE = 200


async def follow_club(context: LinkContext, link: Link, cursor: int | None) -> None:
    """Take in the club's events since the last time. The first time there is nothing before that would be of use."""
    at = await context.database.read(last_sequence) if cursor is None else cursor
    while True:
        found = await context.database.read(partial(follow, name=link.club.name, after=at, types=(), most=_PAGE))
        if found.gap:  # what was missed is in the next whole reading
            at = await context.database.read(last_sequence)
            await context.database.write(partial(links.note, name=link.name, cursor=at, read_due_at=0))
            return
        for event in found.events:
            await _take(context, link, json.loads(event.body))
        if found.upto != cursor:
            await context.database.write(partial(links.note, name=link.name, cursor=found.upto))
        if not found.more:
            return
        at = cursor = found.upto


async def _take(context: LinkContext, link: Link, event: Mapping[str, Json]) -> None:
    """Take in one event."""
    data, before = event["data"], event.get("previous") or {}
    courts = {one.resource_id for one in link.settings.facilities}
    if data.get("resource_id") is None or {data["resource_id"], before.get("resource_id")} & courts:
        for start, end in _intervals(data, before):
            context.touch(link, start, end)
    for name in (data.get("id"), data.get("rescheduled_from")):
        if name is not None:
            await _of_ours(context, link, name, event["event"], data)


async def _of_ours(context: LinkContext, link: Link, booking: str, type_: str, data: Mapping[str, Json]) -> None:
    """Keep the ledger true to what the club did to a booking of the marketplace."""
    for entry in await context.database.read(partial(ledger.of_booking, link=link.name, booking=booking)):
        if entry.state != CONFIRMED:
            continue
        if data.get("status") in OVER or type_ == "booking.deleted":
            await over(context, link, entry, f"the club has it as {data.get('status', 'deleted')}")
        else:
            await record_move(context, link, entry, data)


def _intervals(data: Mapping[str, Json], before: Mapping[str, Json]) -> Iterator[tuple[int, int]]:
    """Give when a booking is, and when it was, in milliseconds since 1970."""
    for told in (data, {**data, **before}):
        try:
            start, end = milliseconds(told["start"]), milliseconds(told["end"])
        except (KeyError, TypeError, TimeRefused):
            continue  # an unscheduled one takes no time
        if start < end:
            yield start, end
