"""What is left open, taken up again until it is settled: lost answers, and cancellations that the club did not take.

Whatever is taken up ends: done, or as the operator's with a reason. What the club has then is told as it shows it.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.links.bookings.advance import advance
from gateway.links.bookings.reconciliation import find_booking, is_moved, nameless
from gateway.links.club import GONE, OVER, REFUSALS
from gateway.links.context import LinkContext
from gateway.links.link import Link
from gateway.links.session import Session, session_of
from gateway.store.links import ledger
from gateway.store.links.ledger import CANCELLING, Entry, EntryChanges
from gateway.store.links.transitions import Trigger
from gateway.telemetry import logs
from gateway.values.errors import GatewayError
from gateway.values.messages import Json

FIRST_LOOK_SECONDS = 15.0
"""When the club is asked for the first time about a booking whose answer was lost."""
_LOOKS = (30.0, 120.0, 600.0)
"""Seconds between further looks; a booking that has not appeared after the last is taken never to have been made."""
_CANCEL_LOOKS = (5.0, 30.0, 120.0, 600.0, 1800.0)
_TOLD_AFTER = 6
"""Tries of a cancellation after which the operator is told; it is tried on all the same."""
MOST_TRIES = 48
"""Tries after which it is the operator's, about a day of cancellations and eight hours of looks."""
_MOST = 50


async def settle_due(context: LinkContext, link: Link, seconds: float) -> None:
    """Look after every entry that is due; each may take so many seconds. Raises StoreUnavailable."""
    for entry in await context.database.read(lambda store: ledger.due(store, link.name, context.now(), _MOST)):
        session = session_of(context, link, context.asking(seconds))
        if entry.state == CANCELLING and entry.booking is not None:
            await _cancel(session, entry)
        else:
            await _look(session, entry)


async def _look(session: Session, entry: Entry) -> None:
    """Look once more for a booking whose answer was lost."""
    context, link, last = session.context, session.link, entry.tries >= len(_LOOKS)
    if all(one.facility_id != entry.facility for one in link.settings.facilities):
        reason = "its answer was lost, and its court is sold no more: look whether the club has the booking"
        await _end(context, link, entry, Trigger.ABANDONED, reason)
        return
    try:
        booking = await find_booking(session, entry)
        unclear = booking is None and last and await nameless(session, entry)
    except GatewayError as error:
        reason = error.explanation
        if entry.tries + 1 >= MOST_TRIES or entry.end_at <= context.now():
            reason = f"the club cannot be asked whether it has this booking: {reason}"
            await _end(context, link, entry, Trigger.ABANDONED, reason)
        else:
            await _wait(context, link, entry, _LOOKS, reason)
        return
    if booking is not None:
        await _late(context, link, entry, booking)
    elif unclear or not session.club.lists_bookings:
        reason = "nobody can tell whether the club has this booking: it lists none, or not whose they are"
        await _end(context, link, entry, Trigger.ABANDONED, reason)
    elif last:
        await _end(context, link, entry, Trigger.NEVER_MADE)
    else:
        await _wait(context, link, entry, _LOOKS, entry.reason)


async def _late(context: LinkContext, link: Link, entry: Entry, booking: Mapping[str, Json]) -> None:
    """A booking has come to light that the marketplace was never told of, or has cancelled."""
    found: EntryChanges = {"booking": booking["id"], "due_at": context.now(), "tries": 0}
    if link.settings.policy.on_unknown_outcome == "keep" and entry.state != CANCELLING:
        found["reason"] = "the club has it, and the marketplace was told that it is not confirmed"
        await advance(context, link, entry, Trigger.APPEARED, **found)
    else:
        found["reason"] = "it came to light after its answer was lost"
        found["reference"] = None  # the marketplace was told that there is no booking, and may ask again by it
        await advance(context, link, entry, Trigger.APPEARED_UNWANTED, **found)


async def _cancel(session: Session, entry: Entry) -> None:
    """Try once more to cancel what must not be at the club."""
    context, link, club = session.context, session.link, session.club
    if entry.end_at <= context.now():
        await _end(context, link, entry, Trigger.ABANDONED, "it was over before it could be cancelled")
        return
    gone = False
    try:
        if club.reads_bookings:
            booking = await club.read(entry.booking)
            gone = booking is None  # any page that is not there says so: what the club says to the cancellation counts
            if booking is not None and booking["status"] in OVER:
                await _end(context, link, entry, Trigger.CANCELLED)  # by us, with a lost answer, or by the club
                return
            if booking is not None and is_moved(link, entry, booking, entry.start_at, entry.end_at):
                reason = "the club has moved it, after the marketplace cancelled it: look whether it shall stay"
                await _end(context, link, entry, Trigger.CANCELLATION_ENDED, reason)
                return
        await club.cancel(entry.booking)
    except GatewayError as error:
        await _not_cancelled(context, link, entry, error, gone=gone)
        return
    await _end(context, link, entry, Trigger.CANCELLED)


async def _not_cancelled(context: LinkContext, link: Link, entry: Entry, error: GatewayError, *, gone: bool) -> None:
    """Write what comes of a try that failed: it is tried on, done all the same, or the operator's.

    `gone` says that the club does not have the booking any more.
    """
    reason = error.explanation
    if error.code == GONE or (gone and error.code in REFUSALS):
        await _end(context, link, entry, Trigger.CANCELLED)
    elif error.code in REFUSALS:
        await _end(context, link, entry, Trigger.CANCELLATION_ENDED, f"the club refuses to cancel it: {reason}")
    elif entry.tries + 1 >= MOST_TRIES:
        await _end(context, link, entry, Trigger.ABANDONED, f"it was not cancelled in {MOST_TRIES} tries: {reason}")
    else:
        await _wait(context, link, entry, _CANCEL_LOOKS, reason)
        refused = not context.passing(error) and error.code != "OUTCOME_UNKNOWN"
        if entry.tries + 1 == _TOLD_AFTER or (refused and entry.tries == 0):
            logs.link_attention(link=link.name, entry=entry.id, reason=f"it cannot be cancelled: {reason}")


async def _wait(context: LinkContext, link: Link, entry: Entry, looks: tuple[float, ...], reason: str | None) -> None:
    """Write when it is looked after again."""
    due, tries = context.now() + int(looks[min(entry.tries, len(looks) - 1)] * 1000), entry.tries + 1
    what = Trigger.LOOKED_IN_VAIN
    await advance(context, link, entry, what, was=entry.state, due_at=due, tries=tries, reason=reason)


async def _end(context: LinkContext, link: Link, entry: Entry, how: Trigger, reason: str | None = None) -> None:
    """Write how it ended, unless somebody else has settled it. A reason is for the operator, who is told."""
    await advance(context, link, entry, how, was=entry.state, reason=reason, tries=entry.tries + 1)
