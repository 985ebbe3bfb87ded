"""A marketplace's cancellation made at the club: only of what the marketplace booked, once, and never lost."""

from __future__ import annotations

from gateway.links.bookings.advance import advance
from gateway.links.bookings.booking import unknown
from gateway.links.bookings.entries import by_reference, holds, settled
from gateway.links.bookings.reconciliation import GONE, OVER, REFUSALS, anybody, at_club, found_again, is_moved
from gateway.links.bookings.recovery import FIRST_LOOK_SECONDS
from gateway.links.context import Asking, LinkContext, later, told_of
from gateway.links.link import Link, Wanted, can
from gateway.links.slots.calendar import exactly, keep, narrowed, read_day
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


async def cancel(desk: LinkContext, link: Link, asked: Wanted, asking: Asking) -> dict[str, Json] | None:
    """Cancel, and give what was booked; None where nothing was, and the policy takes that for cancelled.

    Raises GatewayError: FORBIDDEN for somebody else's booking, BOOKING_NOT_FOUND and SLOT_NOT_FOUND where there is
    none, INVALID_STATE for one that was moved, is over or is the operator's, whatever the club says, and
    PROVIDER_UNAVAILABLE when the club cannot be asked or nobody knows yet what it has: it is tried on all the same.
    """
    entry = await settled(desk, link, asked, asking)
    if entry is None or (entry.state == FAILED and not is_given_up(entry)):
        await _not_ours(desk, link, asked, asking)
        return None
    if entry.state == CANCELLED:
        return told_of(link, entry)
    if entry.state == FAILED:
        return await _of_given_up(desk, link, entry, asking)
    if entry.state in {PENDING, UNKNOWN} or entry.booking is None:
        return await _of_unknown(desk, link, entry, asking)
    if entry.state == CONFIRMED:
        if await _is_over(desk, link, entry, asked, asking):
            return told_of(link, await _done(desk, link, entry))
        await _begin(desk, link, entry, asking)
    return await _cancel(desk, link, entry, asking)


def is_given_up(entry: Entry) -> bool:
    """Tell whether an entry is the operator's: it was looked after in vain, or was over first."""
    return entry.state == FAILED and entry.tries > 0 and entry.reason is not None


async def _of_given_up(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> dict[str, Json]:
    """Cancel what the gateway had given up, where it knows the booking. Raises ProviderRejected where it does not."""
    if entry.end_at <= desk.now():
        raise _ended()
    if entry.booking is None:
        text = "Nobody can tell whether the club has this booking: the club itself must be asked."
        raise ProviderRejected(text, code="INVALID_STATE")
    return await _cancel(desk, link, entry, asking)


def _ended() -> ProviderRejected:
    return ProviderRejected("It is over.", code="INVALID_STATE")


async def _begin(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> None:
    """Write that it is being cancelled, before the club is asked.

    Whoever books it now is told so, and what a gateway that dies meanwhile has begun is taken up again.
    """
    due, me = desk.until(asking, _MARGIN_SECONDS), desk.database.process
    begun: EntryChanges = {"due_at": due, "tries": 0, "reason": "it is being cancelled", "holder": me}
    await advance(desk, link, entry, Trigger.CANCELLATION_BEGUN, **begun)


async def _of_unknown(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> dict[str, Json]:
    """Cancel what may be at the club: if it appears later, it is cancelled then.

    Until it is known the marketplace is not told that it is cancelled, for it may live: raises ProviderUnavailable.
    However often the marketplace asks, the looks at the club go on as they began, and come to their end.
    """
    due, reason = desk.now() + int(FIRST_LOOK_SECONDS * 1000), "it was cancelled before the club's answer was known"
    await advance(desk, link, entry, Trigger.CANCELLED_IN_DOUBT, due_at=due, reason=reason)
    booking = await found_again(desk, link, entry, asking)
    if booking is not None:
        await advance(desk, link, entry, Trigger.IDENTIFIED, booking=booking["id"])
    kept = await desk.database.read(lambda store: ledger.entry(store, entry.id)) or entry
    if kept.state == CANCELLED:
        return told_of(link, kept)
    if kept.booking is None or kept.state != CANCELLING:
        raise unknown("cancelled")
    return await _cancel(desk, link, kept, asking)


async def _is_over(desk: LinkContext, link: Link, entry: Entry, asked: Wanted, asking: Asking) -> bool:
    """Tell whether the booking is cancelled already. Raises ProviderRejected where it must not be cancelled now."""
    if entry.end_at <= desk.now():
        raise _ended()
    named = asked.slot_id is not None or by_reference(entry, asked)
    elsewhere = not holds(link, entry, asked)
    if can(link.club, "bookings.get"):
        try:
            booking = await at_club(desk, link, entry, asking)
        except GatewayError as error:
            if elsewhere and not named:
                raise _moved() from error
            await _keep_trying(desk, link, entry, error)
            raise later(error) from error
        if booking is None:
            return False  # any page that is not there says so: what the club says to the cancellation counts
        if booking["status"] in OVER:
            return True
        if booking["status"] in {"completed", "no_show"}:
            raise _ended()
        elsewhere = elsewhere or is_moved(link, entry, booking, asked.start_ms, asked.end_ms)
    if elsewhere and not named:
        raise _moved()
    return False


def _moved() -> ProviderRejected:
    return ProviderRejected("The club has moved the booking to another time or court.", code="INVALID_STATE")


async def _cancel(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> dict[str, Json]:
    given = {"id": entry.booking, "reason": link.peer.provider.title, "cancelled_by": "customer"}
    given = {name: text for name, text in given.items() if can(link.club, "bookings.cancel", name)}
    try:
        await desk.call(link.club, "bookings.cancel", given, asking, link.channel)
    except GatewayError as error:
        if error.code in REFUSALS:
            if not await _was_cancelled(desk, link, entry, asking):
                await _stays(desk, link, entry, error)
                raise
        elif error.code != GONE:
            await _keep_trying(desk, link, entry, error)
            raise later(error) from error
    return told_of(link, await _done(desk, link, entry))


async def _was_cancelled(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> bool:
    """Tell whether the club refuses because somebody has cancelled it meanwhile: another message, or ours of before."""
    kept = await desk.database.read(lambda store: ledger.entry(store, entry.id))
    if kept is not None and kept.state == CANCELLED:
        return True
    if not can(link.club, "bookings.get"):
        return False
    try:
        booking = await at_club(desk, link, entry, asking)
    except GatewayError:
        return False  # nobody knows more than what the club has just said
    return booking is None or booking["status"] in OVER


async def _done(desk: LinkContext, link: Link, entry: Entry) -> Entry:
    """Write that it is cancelled; the court is looked at again, and told as free."""
    done = await advance(desk, link, entry, Trigger.CANCELLED, reason=None)
    return done or await desk.database.read(lambda store: ledger.entry(store, entry.id)) or entry


async def _keep_trying(desk: LinkContext, link: Link, entry: Entry, error: GatewayError) -> None:
    """Write that it must still be cancelled: a lost cancellation blocks the court.

    What is tried on already keeps its pace, however often the marketplace asks.
    """
    due, again = desk.now() + int(_FIRST_TRY_SECONDS * 1000), entry.state == CANCELLING
    what = Trigger.CANCELLATION_FAILED_AGAIN if again else Trigger.CANCELLATION_FAILED
    await advance(desk, link, entry, what, due_at=due, tries=0, reason=error.explanation)


async def _stays(desk: LinkContext, link: Link, entry: Entry, error: GatewayError) -> None:
    """Write that the club refuses to cancel a booking, and that the marketplace is told so now: it is not tried on.

    Where the marketplace was told before that it is tried on, the operator is told as well.
    """
    told_before = entry.state == CANCELLING
    what = Trigger.CANCELLATION_ENDED if told_before else Trigger.CANCELLATION_REFUSED
    await advance(desk, link, entry, what, reason=f"the club refuses to cancel it: {error.explanation}")


async def _not_ours(desk: LinkContext, link: Link, asked: Wanted, asking: Asking) -> None:
    """Say what is wrong with a cancellation of what this link did not book; returns where the policy lets it pass."""
    asked = narrowed(link, asked, await exactly(desk, link, asked))
    if not await _is_another(desk, link, asked):
        taken = await anybody(desk, link, asked.facility.resource_id, asked.start_ms, asked.end_ms, asking)
        there = None if taken else await _slot(desk, link, asked, asking)
        unlisted = not can(link.club, "bookings.list") and there is not None and not there.available
        if taken or unlisted:
            raise CallerRefused("The booking of this slot was not made by the marketplace.", code="FORBIDDEN")
        if there is None:
            raise NotMapped("Slot not found.", code="SLOT_NOT_FOUND")
    status = link.settings.policy.cancel_without_booking
    if status == _ACCEPTED:
        return
    text = "The slot is not booked." if asked.reference is None else "There is no booking of this reference."
    raise ProviderRejected(text, code="INVALID_STATE") if status == _CONFLICT else NotMapped(text, code=GONE)


async def _is_another(desk: LinkContext, link: Link, asked: Wanted) -> bool:
    """Tell whether the slot is another booking of the marketplace's own, by its reference."""
    if asked.reference is None:
        return False
    start, end = asked.start_ms, asked.end_ms
    holding = await desk.database.read(lambda store: ledger.holding(store, link.name, start, end))
    return any(one.facility == asked.facility.facility_id for one in holding)


async def _slot(desk: LinkContext, link: Link, asked: Wanted, asking: Asking) -> StoredOffer | None:
    """Give the slot as the club has it now; None where the link does not sell it at all."""
    reading = await read_day(desk, link, asked, asking)
    for error in reading.failed.values():
        raise later(error)
    await keep(desk, link, reading)
    return await exactly(desk, link, asked)
