"""What is in doubt between a marketplace and a club: whether a booking came into being, and whether one still stands.

The club's list of bookings decides. A booking whose marketplace was not told of it is cancelled; one that nobody can
find or tell apart is the operator's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.events.polling import POLL
from gateway.events.publisher import observed, vanished
from gateway.events.transitions import CHANGED
from gateway.links.bookings.advance import advance
from gateway.links.context import Asking, LinkContext
from gateway.links.link import Link, can
from gateway.links.slots.payloads import KEY_LENGTH, create_key
from gateway.links.slots.slot_grid import instant, milliseconds
from gateway.mapping.checks.lapsing import lapsing
from gateway.store.database import Transaction
from gateway.store.links import ledger
from gateway.store.links.ledger import CONFIRMED, Entry, EntryChanges
from gateway.store.links.transitions import Trigger
from gateway.values.errors import GatewayError
from gateway.values.messages import Json

OVER = frozenset({"cancelled", "rejected", "expired"})
"""Where a booking stands that holds no time any more."""
GONE = "BOOKING_NOT_FOUND"
"""What a club says that does not have a booking, or no longer."""
REFUSALS = frozenset({"CANCELLATION_NOT_PERMITTED", "INVALID_STATE", "VALIDATION_ERROR"})
"""By these the club itself says that a booking stays, whatever is asked of it."""
_DAY = 24 * 3_600_000


async def found_again(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> Mapping[str, Json] | None:
    """Look for the booking that an entry asked for; None when the club does not have it (yet).

    Raises ProviderUnavailable and whatever may pass when the club cannot be asked.
    """
    theirs = _customer(link, entry)
    for booking in await _exactly(desk, link, entry, asking):
        if booking.get("reference") != create_key(entry.id) and not _is(booking, theirs):
            continue
        if all(other.id == entry.id for other in await _entries_of(desk, link, booking["id"])):
            return booking
    return None


def _customer(link: Link, entry: Entry) -> Mapping[str, Json]:
    """Give whom the club was told for an entry; a gateway that did not keep it put the key of the slot into him."""
    if entry.customer is None:
        return link.customer({"name": entry.player}, entry.key[:KEY_LENGTH])
    told: Mapping[str, Json] = json.loads(entry.customer)
    return told


async def _entries_of(desk: LinkContext, link: Link, booking: str) -> list[Entry]:
    """Give what became this booking of the club, by this link or another one that sells its courts."""
    names = [one.name for one in desk.links.values() if one.club == link.settings.club]

    def look(store: Transaction) -> list[Entry]:
        return [entry for name in names for entry in ledger.of_booking(store, name, booking)]

    return await desk.database.read(look)


async def at_club(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> Mapping[str, Json] | None:
    """Read the booking of an entry; None when the club does not have it. Raises GatewayError when it cannot be read."""
    try:
        booking: Mapping[str, Json] = await desk.call(link.club, "bookings.get", {"id": entry.booking}, asking)
    except GatewayError as error:
        if error.code == GONE:
            return None
        raise
    return booking


async def nameless(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> bool:
    """Tell whether the club has a booking at the time of an entry and does not say whose. Raises as `found_again`."""
    return any(not _names(one) for one in await _exactly(desk, link, entry, asking))


async def anybody(desk: LinkContext, link: Link, resource: str, start: int, end: int, asking: Asking) -> bool:
    """Tell whether the club has a booking, anybody's, that shares this time. Raises as `found_again`."""
    return bool(await _at(desk, link, resource, start, end, asking))


async def stands(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> bool:
    """Tell whether an entry still holds its time; one that the club has cancelled or moved is settled.

    What is found out here is told as an event, as a poll would. Raises ProviderUnavailable and whatever may pass when
    the club cannot be asked, and StoreUnavailable.
    """
    if entry.state != CONFIRMED or entry.booking is None or not can(link.club, "bookings.get"):
        return entry.state in ledger.LIVE
    try:
        booking = await at_club(desk, link, entry, asking)
    except GatewayError as error:
        raise desk.refusal(error) from error
    if booking is None:
        await _tell(desk, link, {"id": entry.booking}, gone=True)
        await over(desk, link, entry, "the club does not have it any more")
        return False
    gone = await _vanished(desk, link, booking, asking)
    ended = gone or booking["status"] in OVER
    if ended:
        reason = "the club lists it no more" if gone else f"the club has it as {booking['status']}"
        await over(desk, link, entry, reason)
    changed = ended or await moved(desk, link, entry, booking)
    if changed:
        await _tell(desk, link, booking, gone=gone)
    return not changed


async def _tell(desk: LinkContext, link: Link, booking: Mapping[str, Json], *, gone: bool) -> None:
    """Publish what the club has made of a booking; nothing is told twice."""
    about = (link.club.name, link.club.provider.name, POLL, CHANGED)
    provider = link.club.provider
    ends = lapsing(provider.operations, "bookings.get")
    seen = observed(*about, booking, stand_ins=frozenset(provider.remembered), lapsing=ends)
    await desk.remembering.publisher.publish([vanished(seen) if gone else seen])


async def over(desk: LinkContext, link: Link, entry: Entry, reason: str) -> None:
    """Write that the club itself has ended a booking. No call of a marketplace tells that, so the operator is told."""
    await advance(desk, link, entry, Trigger.ENDED_BY_CLUB, reason=reason)


async def moved(desk: LinkContext, link: Link, entry: Entry, booking: Mapping[str, Json]) -> bool:
    """Tell whether the club has the booking of an entry elsewhere, at another time or under another id, and write it.

    The entry keeps its booking and holds the new time; the old one can be booked. The operator is told.
    """
    if booking["id"] == entry.booking and not is_moved(link, entry, booking, entry.start_at, entry.end_at):
        return False
    court, start, end = _place(link, entry, booking)
    now: EntryChanges = {"booking": booking["id"], "facility": court, "start_at": start, "end_at": end}
    now["reason"] = "the club has moved it"
    await advance(desk, link, entry, Trigger.MOVED_BY_CLUB, **now)
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


async def _vanished(desk: LinkContext, link: Link, booking: Mapping[str, Json], asking: Asking) -> bool:
    """Tell whether a club that never says how a booking stands has it no more in its list.

    Only what its mapping says of what vanishes from the list makes this a cancellation.
    """
    polling = link.club.provider.polling
    untold = "status" in link.club.provider.remembered and polling is not None and polling.vanishes
    if not untold or booking.get("start") is None or not can(link.club, "bookings.list"):
        return False
    start, end = milliseconds(booking["start"]), milliseconds(booking["end"])
    listed = await _at(desk, link, booking.get("resource_id"), start, end, asking)
    return all(one["id"] != booking["id"] for one in listed)


async def _exactly(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> list[Mapping[str, Json]]:
    """List the club's bookings of an entry's court at exactly its time."""
    court = link.facility(entry.facility)
    listed = await _at(desk, link, court.resource_id, entry.start_at, entry.end_at, asking)
    when = (entry.start_at, entry.end_at)
    return [one for one in listed if link.same_time((milliseconds(one["start"]), milliseconds(one["end"])), when)]


async def _at(
    desk: LinkContext, link: Link, resource: str | None, start: int, end: int, asking: Asking
) -> list[Mapping[str, Json]]:
    """List the club's bookings of a court that stand and share this time; none where it lists no bookings."""
    if not can(link.club, "bookings.list"):
        return []
    given: dict[str, Json] = {
        "from": instant(start - _DAY, link.club.zone),  # a list is by the start, and a booking may have begun before
        "to": instant(end, link.club.zone),
    }
    if resource is not None and can(link.club, "bookings.list", "resource_id"):
        given["resource_id"] = [resource]
    try:
        listed = await desk.call(link.club, "bookings.list", given, asking)
    except GatewayError as error:
        raise desk.refusal(error) from error
    return [
        one
        for one in listed
        if one["status"] not in OVER
        and one["start"] is not None
        and milliseconds(one["start"]) < end
        and milliseconds(one["end"]) > start
    ]


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
