"""A marketplace's cancellation made at the club: only of what the marketplace booked, once, and never lost."""

from __future__ import annotations

from dataclasses import replace

from gateway.links.bookings.advance import advance
from gateway.links.bookings.booking import unknown
from gateway.links.bookings.entries import by_reference, holds, wait_for_settled
from gateway.links.bookings.reconciliation import anybody, find_booking, is_moved
from gateway.links.bookings.recovery import FIRST_LOOK_SECONDS
from gateway.links.club import GONE, OVER, REFUSALS
from gateway.links.context import LinkContext, later, payload_of
from gateway.links.link import BookingRequest, Link
from gateway.links.session import BookingSession, Session
from gateway.links.slots.calendar import exactly, keep, narrow, read_day
from gateway.store.links import ledger
from gateway.store.links.ledger import CANCELLED, CANCELLING, CONFIRMED, FAILED, PENDING, UNKNOWN, Entry, EntryChanges
from gateway.store.links.offers import StoredOffer
from gateway.store.links.transitions import Trigger
from gateway.values.errors import CallerRefused, GatewayError, NotMapped, ProviderRejected
from gateway.values.messages import Json

_FIRST_TRY_SECONDS = 5.0
_MARGIN_SECONDS = 5.0
"""Beyond the time of a request, until which nobody else takes up what it has begun."""
_CONFLICT, _ACCEPTED = 409, 200


async def cancel(session: BookingSession) -> dict[str, Json] | None:
    """Cancel, and give what was booked; None where nothing was, and the policy takes that for cancelled.

    Raises GatewayError: FORBIDDEN for somebody else's booking, BOOKING_NOT_FOUND and SLOT_NOT_FOUND where there is
    none, INVALID_STATE for one that was moved, is over or is the operator's, whatever the club says, and
    PROVIDER_UNAVAILABLE when the club cannot be asked or nobody knows yet what it has: it is tried on all the same.
    """
    link = session.link
    entry = await wait_for_settled(session)
    if entry is None or (entry.state == FAILED and not is_given_up(entry)):
        await _not_ours(session)
        return None
    if entry.state == CANCELLED:
        return payload_of(link, entry)
    if entry.state == FAILED:
        return await _of_given_up(session, entry)
    if entry.state in {PENDING, UNKNOWN} or entry.booking is None:
        return await _of_unknown(session, entry)
    if entry.state == CONFIRMED:
        if await _is_over(session, entry):
            return payload_of(link, await _finish(session, entry))
        await _begin(session, entry)
    return await _cancel(session, entry)


def is_given_up(entry: Entry) -> bool:
    """Tell whether an entry is the operator's: it was looked after in vain, or was over first."""
    return entry.state == FAILED and entry.tries > 0 and entry.reason is not None


async def _of_given_up(session: Session, entry: Entry) -> dict[str, Json]:
    """Cancel what the gateway had given up, where it knows the booking. Raises ProviderRejected where it does not."""
    if entry.end_at <= session.context.now():
        raise _end()
    if entry.booking is None:
        text = "Nobody can tell whether the club has this booking: the club itself must be asked."
        raise ProviderRejected(text, code="INVALID_STATE")
    return await _cancel(session, entry)


def _end() -> ProviderRejected:
    return ProviderRejected("It is over.", code="INVALID_STATE")


async def _begin(session: Session, entry: Entry) -> None:
    """Write that it is being cancelled, before the club is asked.

    Whoever books it now is told so, and what a gateway that dies meanwhile has begun is taken up again.
    """
    context = session.context
    due, me = context.until(session.asking, _MARGIN_SECONDS), context.database.process
    begun: EntryChanges = {"due_at": due, "tries": 0, "reason": "it is being cancelled", "holder": me}
    await advance(context, session.link, entry, Trigger.CANCELLATION_BEGUN, **begun)


async def _of_unknown(session: Session, entry: Entry) -> dict[str, Json]:
    """Cancel what may be at the club: if it appears later, it is cancelled then.

    Until it is known the marketplace is not told that it is cancelled, for it may live: raises ProviderUnavailable.
    However often the marketplace asks, the looks at the club go on as they began, and come to their end.
    """
    context, link = session.context, session.link
    due, reason = context.now() + int(FIRST_LOOK_SECONDS * 1000), "it was cancelled before the club's answer was known"
    await advance(context, link, entry, Trigger.CANCELLED_IN_DOUBT, due_at=due, reason=reason)
    booking = await find_booking(session, entry)
    if booking is not None:
        await advance(context, link, entry, Trigger.IDENTIFIED, booking=booking["id"])
    kept = await context.database.read(lambda store: ledger.entry(store, entry.id)) or entry
    if kept.state == CANCELLED:
        return payload_of(link, kept)
    if kept.booking is None or kept.state != CANCELLING:
        raise unknown("cancelled")
    return await _cancel(session, kept)


async def _is_over(session: BookingSession, entry: Entry) -> bool:
    """Tell whether the booking is cancelled already. Raises ProviderRejected where it must not be cancelled now."""
    context, link, request = session.context, session.link, session.request
    if entry.end_at <= context.now():
        raise _end()
    named = request.slot_id is not None or by_reference(entry, request)
    elsewhere = not holds(link, entry, request)
    if session.club.reads_bookings:
        try:
            booking = await session.club.read(entry.booking)
        except GatewayError as error:
            if elsewhere and not named:
                raise _move() from error
            await _keep_trying(session, entry, error)
            raise later(error) from error
        if booking is None:
            return False  # any page that is not there says so: what the club says to the cancellation counts
        if booking["status"] in OVER:
            return True
        if booking["status"] in {"completed", "no_show"}:
            raise _end()
        elsewhere = elsewhere or is_moved(link, entry, booking, request.start_ms, request.end_ms)
    if elsewhere and not named:
        raise _move()
    return False


def _move() -> ProviderRejected:
    return ProviderRejected("The club has moved the booking to another time or court.", code="INVALID_STATE")


async def _cancel(session: Session, entry: Entry) -> dict[str, Json]:
    link = session.link
    try:
        await session.club.cancel(entry.booking, link.peer.provider.title)
    except GatewayError as error:
        if error.code in REFUSALS:
            if not await _was_cancelled(session, entry):
                await _stays(session, entry, error)
                raise
        elif error.code != GONE:
            await _keep_trying(session, entry, error)
            raise later(error) from error
    return payload_of(link, await _finish(session, entry))


async def _was_cancelled(session: Session, entry: Entry) -> bool:
    """Tell whether the club refuses because somebody has cancelled it meanwhile: another message, or ours of before."""
    kept = await session.context.database.read(lambda store: ledger.entry(store, entry.id))
    if kept is not None and kept.state == CANCELLED:
        return True
    if not session.club.reads_bookings:
        return False
    try:
        booking = await session.club.read(entry.booking)
    except GatewayError:
        return False  # nobody knows more than what the club has just said
    return booking is None or booking["status"] in OVER


async def _finish(session: Session, entry: Entry) -> Entry:
    """Write that it is cancelled; the court is looked at again, and told as free."""
    done = await advance(session.context, session.link, entry, Trigger.CANCELLED, reason=None)
    return done or await session.context.database.read(lambda store: ledger.entry(store, entry.id)) or entry


async def _keep_trying(session: Session, entry: Entry, error: GatewayError) -> None:
    """Write that it must still be cancelled: a lost cancellation blocks the court.

    What is tried on already keeps its pace, however often the marketplace asks.
    """
    due, again = session.context.now() + int(_FIRST_TRY_SECONDS * 1000), entry.state == CANCELLING
    what = Trigger.CANCELLATION_FAILED_AGAIN if again else Trigger.CANCELLATION_FAILED
    about = (session.context, session.link, entry)
    await advance(*about, what, due_at=due, tries=0, reason=error.explanation)


async def _stays(session: Session, entry: Entry, error: GatewayError) -> None:
    """Write that the club refuses to cancel a booking, and that the marketplace is told so now: it is not tried on.

    Where the marketplace was told before that it is tried on, the operator is told as well.
    """
    told_before = entry.state == CANCELLING
    what = Trigger.CANCELLATION_ENDED if told_before else Trigger.CANCELLATION_REFUSED
    reason = f"the club refuses to cancel it: {error.explanation}"
    await advance(session.context, session.link, entry, what, reason=reason)


async def _not_ours(session: BookingSession) -> None:
    """Say what is wrong with a cancellation of what this link did not book; returns where the policy lets it pass."""
    context, link = session.context, session.link
    request = narrow(link, session.request, await exactly(context, link, session.request))
    session = replace(session, request=request)
    if not await _is_another(context, link, request):
        taken = await anybody(session)
        there = None if taken else await _slot(session)
        unlisted = not session.club.lists_bookings and there is not None and not there.available
        if taken or unlisted:
            raise CallerRefused("The booking of this slot was not made by the marketplace.", code="FORBIDDEN")
        if there is None:
            raise NotMapped("Slot not found.", code="SLOT_NOT_FOUND")
    status = link.settings.policy.cancel_without_booking
    if status == _ACCEPTED:
        return
    text = "The slot is not booked." if request.reference is None else "There is no booking of this reference."
    raise ProviderRejected(text, code="INVALID_STATE") if status == _CONFLICT else NotMapped(text, code=GONE)


async def _is_another(context: LinkContext, link: Link, request: BookingRequest) -> bool:
    """Tell whether the slot is another booking of the marketplace's own, by its reference."""
    if request.reference is None:
        return False
    start, end = request.start_ms, request.end_ms
    holding = await context.database.read(lambda store: ledger.holding(store, link.name, start, end))
    return any(one.facility == request.facility.facility_id for one in holding)


async def _slot(session: BookingSession) -> StoredOffer | None:
    """Give the slot as the club has it now; None where the link does not sell it at all."""
    context, link = session.context, session.link
    reading = await read_day(session)
    for error in reading.failed.values():
        raise later(error)
    await keep(context, link, reading)
    return await exactly(context, link, session.request)
