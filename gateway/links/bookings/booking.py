"""A marketplace's booking made at the club: once, whoever sends it how often, and confirmed only when it is there.

The entry in the ledger is written before the club is asked, and holds the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from gateway.links.bookings.advance import advance
from gateway.links.bookings.entries import by_reference, find_entry, holds, is_asked, wait_for_settled
from gateway.links.bookings.reconciliation import find_booking, stands
from gateway.links.bookings.recovery import FIRST_LOOK_SECONDS
from gateway.links.context import AGAIN_SECONDS, LEDGER, LinkContext, later, pack, payload_of
from gateway.links.link import BookingRequest, Link, invalid
from gateway.links.session import BookingSession, Session
from gateway.links.slots.calendar import Reading, block, earliest, exactly, keep, narrow, read_day
from gateway.links.slots.payloads import customer_key
from gateway.links.slots.slot_grid import milliseconds, window
from gateway.store.database import Transaction
from gateway.store.links import ledger
from gateway.store.links.ledger import CANCELLED, CANCELLING, CONFIRMED, FAILED, PENDING, UNKNOWN, Entry, EntryChanges
from gateway.store.links.transitions import Trigger
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, NotMapped, OutcomeUnknown, ProviderRejected, ProviderUnavailable
from gateway.values.messages import Json

_REPLAY_MILLISECONDS = 60_000
"""A booking that is asked for again within so long is a repetition; later the club is asked whether it still stands."""
_MARGIN_SECONDS = 30.0
"""How long after its deadline a request that left no trace counts as in doubt."""
_ROUNDS = 3
"""How often the ledger is tried: each time something in it has turned out to be over."""


@dataclass(frozen=True, slots=True)
class _FreeSlot:
    """What is free: the slot as the link sells it, and the club's own where it has exactly this one."""

    request: BookingRequest
    slot_id: str | None


async def book(session: BookingSession) -> dict[str, Json]:
    """Book, and give what is booked. A repetition is answered with what the first one was.

    Raises GatewayError: BOOKING_NOT_ALLOWED, SLOT_NOT_FOUND, BOOKING_CONFLICT, whatever the club says, and
    PROVIDER_UNAVAILABLE when nobody knows yet or the club cannot be asked.
    """
    context, link, request = session.context, session.link, session.request
    for _ in range(_ROUNDS):
        there = await wait_for_settled(session)
        if there is not None:
            again = await _repeat(session, there)
            if again is not None:
                return payload_of(link, again)
        _check_allowed(context, link, request)
        found = await _free(session)
        if found is None:
            now = await find_entry(session)
            if now is not None and now.state in ledger.LIVE and (there is None or now.id != there.id):
                continue  # another request for the same slot came in between, which may be this one's twin
            raise _take()
        entry = _entry(session, found.request)
        clash = await context.database.write(partial(ledger.begin, new=entry), tells=LEDGER)
        if clash is None:
            return payload_of(link, await _create(session, entry, found))
        if not is_asked(clash, request) and await stands(session, clash):
            raise _take()
    raise _take()


async def _repeat(session: BookingSession, there: Entry) -> Entry | None:
    """Give the booking that a request repeats; None when it repeats none, and a new one may be made.

    Raises GatewayError where it must not be made: what has its reference is cancelled, or another booking.
    """
    database, request = session.context.database, session.request
    if not by_reference(there, request):
        if there.state not in ledger.LIVE or not holds(session.link, there, request):
            return None
        again = await _again(session, there)
        if again is not None and request.reference is not None:  # it was made before the marketplace sent references
            name = request.reference
            await database.write(lambda store: ledger.adopt(store, there.id, name), tells=LEDGER)
        return again
    if there.state == FAILED:
        return None
    if there.key != request.key:
        raise invalid("reference", "is that of a booking of another court or time")
    again = None
    if there.state not in {CANCELLED, CANCELLING}:
        again = await _again(session, there)
    kept = again or await database.read(lambda store: ledger.entry(store, there.id)) or there
    if kept.state in {CANCELLED, CANCELLING}:
        raise ProviderRejected("The booking of this reference was cancelled.", code="INVALID_STATE")
    return kept  # wherever the club has moved it


async def _again(session: BookingSession, there: Entry) -> Entry | None:
    """Give the booking that a request repeats; None when it is over, and a new one may be made."""
    now, player = session.context.now(), session.request.player
    if not by_reference(there, session.request) and None not in {player, there.player} and player != there.player:
        if await stands(session, there):
            raise _take()
        return None
    if there.state == CONFIRMED:
        if 0 <= now - there.created_at < _REPLAY_MILLISECONDS or await stands(session, there):
            return there
        return None
    if there.state in {PENDING, UNKNOWN}:
        return await _found_now(session, there)
    raise _take()  # it is being cancelled


async def _found_now(session: Session, there: Entry) -> Entry:
    """Confirm a booking whose answer was lost, if the club has it."""
    booking = await find_booking(session, there)
    if booking is None:
        raise unknown()
    return await _confirm(session, there, await _firm(session, there, booking))


def _check_allowed(context: LinkContext, link: Link, request: BookingRequest) -> None:
    """Check what the link allows, whatever the club has free."""
    if request.start_ms < earliest(context, link):
        raise ProviderRejected("It is too late to book this.", code="BOOKING_NOT_ALLOWED")
    if request.start_ms >= window(context.now(), link.settings.horizon_days, link.zone).end_ms:
        raise ProviderRejected("It is too early to book this.", code="BOOKING_NOT_ALLOWED")


async def _free(session: BookingSession) -> _FreeSlot | None:
    """Look at the club whether the slot is free; None when it is taken. What was read is kept, and told if it is new.

    Raises NotMapped when there is no such slot.
    """
    context, link, request = session.context, session.link, session.request
    reading = await read_day(session)
    for error in reading.failed.values():
        raise context.refusal(error)
    ended = [
        one
        for one in await keep(context, link, reading)
        if one.facility == request.facility.facility_id
        and one.start_at < request.end_ms
        and one.end_at > request.start_ms
        and not await stands(session, one)
    ]
    if ended:  # the club has cancelled or moved what kept the slot taken
        await keep(context, link, reading)
    here = await exactly(context, link, request)
    if here is None:
        raise NotMapped("Slot not found.", code="SLOT_NOT_FOUND")
    if not here.available:
        context.woken(link.name).set()
        return None
    sold = narrow(link, request, here)
    return _FreeSlot(sold, _same(reading, sold))


def _same(reading: Reading, request: BookingRequest) -> str | None:
    """Give the id of the club's own slot, if it offers exactly what is wanted."""
    for slot in reading.slots[request.facility.facility_id]:
        times = milliseconds(slot["start"]), milliseconds(slot["end"])
        service = slot.get("service_id")
        fits = service is None or request.facility.service_id in {None, service}
        if (
            times == (request.start_ms, request.end_ms)
            and slot.get("resource_id") == request.facility.resource_id
            and fits
        ):
            return slot["id"] if slot["available"] else None
    return None


def _entry(session: Session, request: BookingRequest) -> Entry:
    context, link = session.context, session.link
    now, name = context.now(), context.fresh("lnk")
    return Entry(
        id=name,
        link=link.name,
        key=request.key,
        facility=request.facility.facility_id,
        start_at=request.start_ms,
        end_at=request.end_ms,
        slot_id=request.slot_id,
        player=request.player,
        booking=None,
        state=PENDING,
        created_at=now,
        updated_at=now,
        until=context.until(session.asking, _MARGIN_SECONDS),
        due_at=now,
        tries=0,
        reason=None,
        reference=request.reference,
        customer=pack(link.customer(request.customer, customer_key(name))),
        holder=context.database.process,
    )


async def _create(session: Session, entry: Entry, found: _FreeSlot) -> Entry:
    """Book at the club. Whatever happens, the entry says it."""
    context, link = session.context, session.link
    try:
        booking = await session.club.create(found.request, found.slot_id, entry.id)
    except GatewayError as error:
        # What the mapping does not list may be said of a booking that was made all the same.
        if isinstance(error, OutcomeUnknown) or error.code == ProviderRejected.CODE:
            due = context.now() + int(FIRST_LOOK_SECONDS * 1000)
            await advance(context, link, entry, Trigger.ANSWER_LOST, due_at=due, reason=error.explanation)
            return await _found_now(session, entry)
        await advance(context, link, entry, Trigger.REFUSED, reason=error.explanation)
        raise
    return await _confirm(session, entry, await _firm(session, entry, booking))


async def _firm(session: Session, entry: Entry, booking: Mapping[str, Json]) -> Mapping[str, Json]:
    """Give a confirmed booking: marketplaces know no other. One that only waits is confirmed, or else cancelled."""
    waits = booking["status"] == "pending" and booking.get("status_reason") != "payment"
    if waits and session.club.confirms_bookings:
        try:
            booking = await session.club.confirm(booking["id"])
        except GatewayError as error:
            await _give_up(session, entry, booking["id"], error.explanation)
            raise later(error) from error
    if booking["status"] == "confirmed":
        return booking
    await _give_up(session, entry, booking["id"], "the club does not confirm it at once")
    text = "The club does not confirm bookings of this slot at once."
    raise ProviderRejected(text, code="BOOKING_NOT_ALLOWED")


async def _confirm(session: Session, entry: Entry, booking: Mapping[str, Json]) -> Entry:
    """Write that the club has the booking, and that everything that shares its time is taken."""
    context, link = session.context, session.link

    def taken(store: Transaction, _: Entry) -> None:
        block(store, link, entry, context.now())

    kept = await advance(context, link, entry, Trigger.CONFIRMED, beside=taken, booking=booking["id"], reason=None)
    if kept is None:
        await _lose(session, entry, booking)
        raise unknown()
    return kept


async def _lose(session: Session, entry: Entry, booking: Mapping[str, Json]) -> None:
    """See to a booking that was made after all, when it had been given up or cancelled: it is not for anybody."""
    context, link, name, tries = session.context, session.link, booking["id"], entry.tries + 1
    reason = f"the club has booking {name}, which was given up before it was made"
    late: EntryChanges = {"booking": name, "reason": reason, "tries": tries, "due_at": context.now()}
    if await advance(context, link, entry, Trigger.MADE_TOO_LATE, **late) is None:  # nobody knows of it any more
        logs.link_attention(link=link.name, entry=entry.id, reason=reason)


async def _give_up(session: Session, entry: Entry, booking: str, reason: str) -> None:
    """Write that a booking was made and must be cancelled: the marketplace is told that there is none.

    Its reference is given free, for the marketplace may ask again.
    """
    now = session.context.now()
    made: EntryChanges = {"booking": booking, "reason": reason, "reference": None, "due_at": now, "tries": 0}
    await advance(session.context, session.link, entry, Trigger.NOT_CONFIRMED, **made)


def _take() -> ProviderRejected:
    return ProviderRejected("The slot is not free.", code="BOOKING_CONFLICT")


def unknown(what: str = "confirmed") -> ProviderUnavailable:
    """Give the error by which a marketplace learns that nobody knows yet whether the club has a booking."""
    text = f"The club's answer to this booking was lost: it is not {what}. Ask again."
    return ProviderUnavailable(text, sent=True, retry_after=AGAIN_SECONDS)
