"""The club's calendar read for a link, kept, and told when the marketplace asks for it.

A court whose reading failed is never told as if it had nothing free: what was known of it a short while ago is told, or
the whole answer is "come again".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.config import FacilitySettings
from gateway.links.context import LEDGER, LinkContext, later, pack, unpack
from gateway.links.link import BookingRequest, Link
from gateway.links.session import BookingSession, Session
from gateway.links.slots.payloads import digest, resource, slot
from gateway.links.slots.slot_grid import Window, days, instant, window
from gateway.links.slots.slots import Cell, block_cells, cells
from gateway.model.types.times import wall_clock
from gateway.store.database import Transaction
from gateway.store.links import ledger, links, offers
from gateway.store.links.ledger import Entry
from gateway.store.links.offers import Offer, StoredOffer
from gateway.values.errors import GatewayError
from gateway.values.messages import Json

_AT_ONCE = 4
"""Calls to a club that are under way at the same time for one reading."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the club said of some courts on the days of `window`, and why it said nothing of the others.

    `began` is in milliseconds since 1970; both mappings are by facility id, `slots` are the club's own.
    """

    began: int
    window: Window
    slots: Mapping[str, Sequence[Json]]
    failed: Mapping[str, GatewayError]


async def read(session: Session, facilities: Sequence[FacilitySettings], of: Window) -> Reading:
    """Ask the club what it has free: one call for the courts of each service, few at the same time."""
    groups: dict[str | None, list[FacilitySettings]] = {}
    for facility in facilities:
        groups.setdefault(facility.service_id, []).append(facility)
    began, turn = session.context.now(), asyncio.Semaphore(_AT_ONCE)

    async def one(courts: Sequence[FacilitySettings]) -> dict[str, Sequence[Json]] | GatewayError:
        async with turn:
            try:
                return await session.club.slots(courts, of)
            except GatewayError as error:
                return error

    answers = await asyncio.gather(*map(one, groups.values()))
    slots: dict[str, Sequence[Json]] = {}
    failed: dict[str, GatewayError] = {}
    for courts, answer in zip(groups.values(), answers, strict=True):
        if isinstance(answer, GatewayError):
            failed |= {court.facility_id: answer for court in courts}
        else:
            slots |= answer
    return Reading(began, of, slots, failed)


async def read_day(session: BookingSession) -> Reading:
    """Ask the club for the local day of what is wanted, of its court alone."""
    link, request = session.link, session.request
    day = days(wall_clock(request.start, link.zone).date(), 1, link.zone)
    return await read(session, [request.facility], day)


async def exactly(context: LinkContext, link: Link, request: BookingRequest) -> StoredOffer | None:
    """Give the kept slot that is wanted; None where the link does not sell exactly this one."""
    name, start = request.facility.facility_id, request.start_ms
    here = await context.database.read(lambda store: offers.between(store, link.name, start, start + 1, [name]))
    return next((one for one in here if link.same_time((start, one.end_at), (start, request.end_ms))), None)


def narrow(link: Link, request: BookingRequest, here: StoredOffer | None) -> BookingRequest:
    """Give what is wanted with the end of the kept slot, since a marketplace may tell it by the clock."""
    return request if here is None else replace(request, end=instant(here.end_at, link.zone))


async def keep(context: LinkContext, link: Link, reading: Reading) -> list[Entry]:
    """Keep what was read, and that it was; whatever was learned since it began is newer and stays.

    What a booking of the marketplace holds is taken, whatever the club shows: it may not show yet what is under way.
    Gives the confirmed bookings whose time the club shows as free: it may have cancelled or moved them.
    """
    of, names = reading.window, list(reading.slots)
    if not names:
        return []
    known = await context.database.read(lambda store: offers.between(store, link.name, of.start_ms, of.end_ms, names))
    made = offers_of(context, link, reading, known)
    dated = [(name, str(day)) for name in names for day in of.dates]

    def work(store: Transaction) -> list[Entry]:
        links.lock(store, link.name)  # of what is booked meanwhile, all is seen here or comes after
        entries = ledger.holding(store, link.name, of.start_ms, of.end_ms)
        offers.put(store, link.name, without(link, made, entries))
        offers.note_days(store, link.name, dated, reading.began)
        return [one for one in entries if one.state == ledger.CONFIRMED and _looks_free(one, made, reading)]

    return await context.database.write(work, tells=LEDGER)


def offers_of(context: LinkContext, link: Link, reading: Reading, known: Sequence[StoredOffer]) -> list[Offer]:
    """Give the slots of a reading as the store keeps them, before what the marketplace has booked is taken out."""
    before, made = [cell_of(one) for one in known], []
    for name, slots in reading.slots.items():
        court = link.facility(name)
        found = cells(link.settings, court, reading.window, slots, before, link.peer.currency)
        made += [offer_of(link, cell, reading.began) for cell in block_cells(found, 0, earliest(context, link))]
    return made


def without(link: Link, made: Sequence[Offer], entries: Sequence[Entry]) -> list[Offer]:
    """Give the slots with those not available that share time with an entry of their court."""
    return [
        offer_of(link, replace(cell_of(one), available=False), one.seen_at)
        if one.available and any(_shares(one, entry) for entry in entries)
        else one
        for one in made
    ]


def _looks_free(entry: Entry, made: Sequence[Offer], reading: Reading) -> bool:
    return entry.updated_at < reading.began and any(one.available and _shares(one, entry) for one in made)


def _shares(one: Offer, entry: Entry) -> bool:
    return one.facility == entry.facility and one.start_at < entry.end_at and one.end_at > entry.start_at


def earliest(context: LinkContext, link: Link) -> int:
    """Give the first moment at which what is sold may begin, in milliseconds since 1970."""
    return context.now() + link.settings.policy.min_notice * 60_000


def cell_of(one: Offer) -> Cell:
    """Give a kept slot as a cell."""
    told = json.loads(one.state)
    return Cell(one.facility, told["start"], told["end"], one.available, told.get("price"))


def offer_of(link: Link, cell: Cell, seen_at: int) -> Offer:
    """Give a cell as the store keeps it."""
    told = slot(cell, link.zone)
    return Offer(cell.facility, cell.start_ms, cell.end_ms, cell.available, pack(told), digest(told), seen_at)


def block(store: Transaction, link: Link, entry: Entry, now: int) -> None:
    """Keep everything that shares time with a booking as taken, inside of the transaction that confirms it."""
    there = offers.overlapping(store, link.name, entry.facility, entry.start_at, entry.end_at)
    taken = block_cells(map(cell_of, there), entry.start_at, entry.end_at)
    offers.put(store, link.name, [offer_of(link, cell, now) for cell in taken])


async def pull(session: Session, data: Mapping[str, Json]) -> dict[str, Json]:
    """Answer with the calendar of a center, so many days from today on.

    Raises ProviderUnavailable rather than tell a part of it, and StoreUnavailable.
    """
    context, link = session.context, session.link
    count = min(data.get("days") or link.settings.horizon_days, link.settings.horizon_days)
    of = window(context.now(), count, link.zone)
    reading = await read(session, link.settings.facilities, of)
    await keep(context, link, reading)
    reason = None
    if reading.failed:
        error = next(iter(reading.failed.values()))
        reason = error.explanation
        if not await _fresh_enough(context, link, of, list(reading.failed)):
            await context.database.write(lambda store: links.note(store, link.name, pull_reason=reason))
            raise later(error)
    rows = await context.database.write(lambda store: _pull(store, context, link, of, reason), tells=LEDGER)
    courts = [resource(one, link.zone) for one in link.settings.facilities]
    return {"slots": unpack([row.state for row in rows]), "resources": courts}


def _pull(store: Transaction, context: LinkContext, link: Link, of: Window, reason: str | None) -> list[StoredOffer]:
    """Give what the marketplace is told, and write that it was.

    Whether the answer arrives is not known here. Where it differs from what the marketplace took last, it may have
    either now, and is told again by a push.
    """
    names = {one.facility_id for one in link.settings.facilities}
    over = [
        one for one in offers.between(store, link.name, of.start_ms, earliest(context, link), names) if one.available
    ]
    offers.put(
        store, link.name, [offer_of(link, replace(cell_of(one), available=False), context.now()) for one in over]
    )
    rows = offers.between(store, link.name, of.start_ms, of.end_ms, names)
    unsure = [(row.facility, row.start_at) for row in rows if row.told is not None and row.told != row.digest]
    offers.doubt(store, link.name, unsure)
    links.note(store, link.name, pulled_at=context.now(), pull_reason=reason)
    return rows


async def _fresh_enough(context: LinkContext, link: Link, of: Window, names: Sequence[str]) -> bool:
    """Tell whether every day of these courts was read a short while ago."""
    dates = [str(day) for day in of.dates]
    found = await context.database.read(lambda store: offers.read_days(store, link.name, names, dates))
    oldest = context.now() - int(link.settings.policy.serve_stale_max * 1000)
    return all(found.get((name, day), 0) >= oldest for name in names for day in dates)
