"""What is in doubt between a marketplace and a club: whether a booking came into being, and whether one still stands.

The club's list of bookings decides. A booking whose marketplace was not told of it is cancelled; one that nobody can
find or tell apart is the operator's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.events.polling import POLL
from gateway.events.publisher import observe, observe_missing
from gateway.events.transitions import CHANGED
from gateway.links.bookings.advance import advance
from gateway.links.club import OVER
from gateway.links.context import LinkContext
from gateway.links.link import Link
from gateway.links.session import BookingSession, Session
from gateway.links.slots.payloads import KEY_LENGTH, create_key
from gateway.links.slots.slot_grid import milliseconds
from gateway.mapping.checks.lapsing import lapsing
from gateway.store.database import Transaction
from gateway.store.links import ledger
from gateway.store.links.ledger import CONFIRMED, Entry, EntryChanges
from gateway.store.links.transitions import Trigger
from gateway.values.errors import GatewayError
from gateway.values.messages import Json


async def find_booking(session: Session, entry: Entry) -> Mapping[str, Json] | None:
    """Look for the booking that an entry asked for; None when the club does not have it (yet).

    Raises ProviderUnavailable and whatever may pass when the club cannot be asked.
    """
    theirs = _customer(session.link, entry)
    for booking in await _exactly(session, entry):
        if booking.get("reference") != create_key(entry.id) and not _is(booking, theirs):
            continue
        if all(other.id == entry.id for other in await _entries_of(session.context, session.link, booking["id"])):
            return booking
    return None


def _customer(link: Link, entry: Entry) -> Mapping[str, Json]:
    """Give whom the club was told for an entry; a gateway that did not keep it put the key of the slot into him."""
    if entry.customer is None:
        return link.customer({"name": entry.player}, entry.key[:KEY_LENGTH])
    told: Mapping[str, Json] = json.loads(entry.customer)
    return told


async def _entries_of(context: LinkContext, link: Link, booking: str) -> list[Entry]:
    """Give what became this booking of the club, by this link or another one that sells its courts."""
    names = [one.name for one in context.links.values() if one.club == link.settings.club]

    def look(store: Transaction) -> list[Entry]:
        return [entry for name in names for entry in ledger.of_booking(store, name, booking)]

    return await context.database.read(look)


async def nameless(session: Session, entry: Entry) -> bool:
    """Tell whether the club has a booking at the time of an entry and does not say whose. Raises as `find_booking`."""
    return any(not _names(one) for one in await _exactly(session, entry))


async def anybody(session: BookingSession) -> bool:
    """Tell whether the club has a booking, anybody's, that shares the time of a request. Raises as `find_booking`."""
    request = session.request
    return bool(await session.club.find(request.facility.resource_id, request.start_ms, request.end_ms))


async def stands(session: Session, entry: Entry) -> bool:
    """Tell whether an entry still holds its time; one that the club has cancelled or moved is settled.

    What is found out here is told as an event, as a poll would. Raises ProviderUnavailable and whatever may pass when
    the club cannot be asked, and StoreUnavailable.
    """
    context, link = session.context, session.link
    if entry.state != CONFIRMED or entry.booking is None or not session.club.reads_bookings:
        return entry.state in ledger.LIVE
    try:
        booking = await session.club.read(entry.booking)
    except GatewayError as error:
        raise context.refusal(error) from error
    if booking is None:
        await _tell(context, link, {"id": entry.booking}, gone=True)
        await over(context, link, entry, "the club does not have it any more")
        return False
    gone = await _is_vanished(session, booking)
    ended = gone or booking["status"] in OVER
    if ended:
        reason = "the club lists it no more" if gone else f"the club has it as {booking['status']}"
        await over(context, link, entry, reason)
    changed = ended or await record_move(context, link, entry, booking)
    if changed:
        await _tell(context, link, booking, gone=gone)
    return not changed


async def _tell(context: LinkContext, link: Link, booking: Mapping[str, Json], *, gone: bool) -> None:
    """Publish what the club has made of a booking; nothing is told twice."""
    about = (link.club.name, link.club.provider.name, POLL, CHANGED)
    provider = link.club.provider
    ends = lapsing(provider.operations, "bookings.get")
    seen = observe(*about, booking, stand_ins=frozenset(provider.remembered), lapsing=ends)
    await context.recorded_calls.publisher.publish([observe_missing(seen) if gone else seen])


async def over(context: LinkContext, link: Link, entry: Entry, reason: str) -> None:
    """Write that the club itself has ended a booking. No call of a marketplace tells that, so the operator is told."""
    await advance(context, link, entry, Trigger.ENDED_BY_CLUB, reason=reason)


async def record_move(context: LinkContext, link: Link, entry: Entry, booking: Mapping[str, Json]) -> bool:
    """Tell whether the club has the booking of an entry elsewhere, at another time or under another id, and write it.

    The entry keeps its booking and holds the new time; the old one can be booked. The operator is told.
    """
    if booking["id"] == entry.booking and not is_moved(link, entry, booking, entry.start_at, entry.end_at):
        return False
    court, start, end = _place(link, entry, booking)
    now: EntryChanges = {"booking": booking["id"], "facility": court, "start_at": start, "end_at": end}
    now["reason"] = "the club has moved it"
    await advance(context, link, entry, Trigger.MOVED_BY_CLUB, **now)
    return True


def is_moved(link: Link, entry: Entry, booking: Mapping[str, Json], start: int, end: int) -> bool:
    """Tell whether a booking, read for an entry, is elsewhere than on its court or at another time than this."""
    court, *there = _place(link, entry, booking)
    return court != entry.facility or not link.same_time((there[0], there[1]), (start, end))


def _place(link: Link, entry: Entry, booking: Mapping[str, Json]) -> tuple[str, int, int]:
    """Give court and time of a booking; the court is an empty text where the link does not sell it."""
    court, resource = entry.facility, booking.get("resource_id")
    courts = {one.facility_id: one.resource_id for one in link.settings.facilities}
    if resource is not None and resource != courts.get(court):
        # Of a court that the link sells no more nobody knows the resource: the booking may well be where it was.
        court = next((name for name, sold in courts.items() if sold == resource), "" if court in courts else court)
    if booking.get("start") is None or booking.get("end") is None:
        return court, entry.start_at, entry.end_at
    return court, milliseconds(booking["start"]), milliseconds(booking["end"])


async def _is_vanished(session: Session, booking: Mapping[str, Json]) -> bool:
    """Tell whether a club that never says how a booking stands has it no more in its list.

    Only what its mapping says of what vanishes from the list makes this a cancellation.
    """
    provider = session.link.club.provider
    polling = provider.polling
    untold = "status" in provider.remembered and polling is not None and polling.vanishes
    if not untold or booking.get("start") is None or not session.club.lists_bookings:
        return False
    start, end = milliseconds(booking["start"]), milliseconds(booking["end"])
    listed = await session.club.find(booking.get("resource_id"), start, end)
    return all(one["id"] != booking["id"] for one in listed)


async def _exactly(session: Session, entry: Entry) -> list[Mapping[str, Json]]:
    """List the club's bookings of an entry's court at exactly its time."""
    link = session.link
    listed = await session.club.find(link.facility(entry.facility).resource_id, entry.start_at, entry.end_at)
    when = (entry.start_at, entry.end_at)
    return [one for one in listed if link.same_time((milliseconds(one["start"]), milliseconds(one["end"])), when)]


def _is(booking: Mapping[str, Json], ours: Mapping[str, Json]) -> bool:
    """Whether a booking is for our customer: by what tells most of what both sides name."""
    theirs = booking.get("customer") or {}
    for name in ("email", "id", "name"):
        if theirs.get(name) and ours.get(name):
            return str(theirs[name]).casefold() == str(ours[name]).casefold()
    return False


def _names(booking: Mapping[str, Json]) -> bool:
    """Whether a booking says anything of who booked."""
    theirs = booking.get("customer") or {}
    return any(theirs.get(name) for name in ("email", "id", "name"))
