"""What is left open, taken up again until it is settled: lost answers, and cancellations that the club did not take.

Whatever is taken up ends: done, or as the operator's with a reason. What the club has then is told as it shows it.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.links.bookings.reconciliation import GONE, OVER, REFUSALS, at_club, found_again, is_moved, nameless
from gateway.links.context import LEDGER, Asking, LinkContext
from gateway.links.link import Link, can
from gateway.store.links import ledger
from gateway.store.links.ledger import CANCELLED, CANCELLING, CONFIRMED, FAILED, PENDING, UNKNOWN, Entry, EntryChanges
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


async def settle_due(desk: LinkContext, link: Link, seconds: float) -> None:
    """Look after every entry that is due; each may take so many seconds. Raises StoreUnavailable."""
    for entry in await desk.database.read(lambda store: ledger.due(store, link.name, desk.now(), _MOST)):
        asking = desk.asking(seconds)
        if entry.state == CANCELLING and entry.booking is not None:
            await _cancel(desk, link, entry, asking)
        else:
            await _look(desk, link, entry, asking)


async def _look(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> None:
    """Look once more for a booking whose answer was lost."""
    last = entry.tries >= len(_LOOKS)
    if all(one.facility_id != entry.facility for one in link.settings.facilities):
        reason = "its answer was lost, and its court is sold no more: look whether the club has the booking"
        await _end(desk, link, entry, FAILED, reason)
        return
    try:
        booking = await found_again(desk, link, entry, asking)
        unclear = booking is None and last and await nameless(desk, link, entry, asking)
    except GatewayError as error:
        reason = error.explanation
        if entry.tries + 1 >= MOST_TRIES or entry.end_at <= desk.now():
            reason = f"the club cannot be asked whether it has this booking: {reason}"
            await _end(desk, link, entry, FAILED, reason)
        else:
            await _wait(desk, entry, _LOOKS, reason)
        return
    if booking is not None:
        await _late(desk, link, entry, booking)
    elif unclear or not can(link.club, "bookings.list"):
        reason = "nobody can tell whether the club has this booking: it lists none, or not whose they are"
        await _end(desk, link, entry, FAILED, reason)
    elif last:
        state = CANCELLED if entry.state == CANCELLING else FAILED
        await _end(desk, link, entry, state, None)  # it never appeared
    else:
        await _wait(desk, entry, _LOOKS, entry.reason)


async def _late(desk: LinkContext, link: Link, entry: Entry, booking: Mapping[str, Json]) -> None:
    """A booking has come to light that the marketplace was never told of, or has cancelled."""
    now, keep = desk.now(), link.settings.policy.on_unknown_outcome == "keep" and entry.state != CANCELLING
    state, reason = CANCELLING, "it came to light after its answer was lost"
    if keep:
        state, reason = CONFIRMED, "the club has it, and the marketplace was told that it is not confirmed"
    was, name = (PENDING, UNKNOWN, CANCELLING), booking["id"]
    found: EntryChanges = {"booking": name, "due_at": now, "tries": 0, "reason": reason}
    if not keep and entry.state != CANCELLING:
        found["reference"] = None  # the marketplace was told that there is no booking, and may ask again by it
    done = await desk.database.write(
        lambda store: ledger.settle(store, entry.id, was, state, now, **found), tells=LEDGER
    )
    if done:
        logs.link_booking(link=link.name, entry=entry.id, state=state, booking=name)
    if done and keep:
        logs.link_attention(link=link.name, entry=entry.id, reason=reason)
    desk.woken(link.name).set()


async def _cancel(desk: LinkContext, link: Link, entry: Entry, asking: Asking) -> None:
    """Try once more to cancel what must not be at the club."""
    if entry.end_at <= desk.now():
        await _end(desk, link, entry, FAILED, "it was over before it could be cancelled")
        return
    given = {"id": entry.booking, "cancelled_by": "customer"}
    given = {name: text for name, text in given.items() if can(link.club, "bookings.cancel", name)}
    gone = False
    try:
        if can(link.club, "bookings.get"):
            booking = await at_club(desk, link, entry, asking)
            gone = booking is None  # any page that is not there says so: what the club says to the cancellation counts
            if booking is not None and booking["status"] in OVER:
                await _end(desk, link, entry, CANCELLED, None)  # by us, with a lost answer, or by the club
                return
            if booking is not None and is_moved(link, entry, booking, entry.start_at, entry.end_at):
                reason = "the club has moved it, after the marketplace cancelled it: look whether it shall stay"
                await _end(desk, link, entry, CONFIRMED, reason)
                return
        await desk.call(link.club, "bookings.cancel", given, asking, link.channel)
    except GatewayError as error:
        await _not_cancelled(desk, link, entry, error, gone=gone)
        return
    await _end(desk, link, entry, CANCELLED, None)


async def _not_cancelled(desk: LinkContext, link: Link, entry: Entry, error: GatewayError, *, gone: bool) -> None:
    """Write what comes of a try that failed: it is tried on, done all the same, or the operator's.

    `gone` says that the club does not have the booking any more.
    """
    reason = error.explanation
    if error.code == GONE or (gone and error.code in REFUSALS):
        await _end(desk, link, entry, CANCELLED, None)
    elif error.code in REFUSALS:
        await _end(desk, link, entry, CONFIRMED, f"the club refuses to cancel it: {reason}")
    elif entry.tries + 1 >= MOST_TRIES:
        await _end(desk, link, entry, FAILED, f"it was not cancelled in {MOST_TRIES} tries: {reason}")
    else:
        await _wait(desk, entry, _CANCEL_LOOKS, reason)
        refused = not desk.passing(error) and error.code != "OUTCOME_UNKNOWN"
        if entry.tries + 1 == _TOLD_AFTER or (refused and entry.tries == 0):
            logs.link_attention(link=link.name, entry=entry.id, reason=f"it cannot be cancelled: {reason}")


async def _wait(desk: LinkContext, entry: Entry, looks: tuple[float, ...], reason: str | None) -> None:
    """Write when it is looked after again."""
    now, state = desk.now(), CANCELLING if entry.state == CANCELLING else UNKNOWN
    due = now + int(looks[min(entry.tries, len(looks) - 1)] * 1000)
    tries, was = entry.tries + 1, (entry.state,)
    await desk.database.write(
        lambda store: ledger.settle(store, entry.id, was, state, now, due_at=due, tries=tries, reason=reason),
        tells=LEDGER,
    )


async def _end(desk: LinkContext, link: Link, entry: Entry, state: str, reason: str | None) -> None:
    """Write how it ended; its time is looked at again. A reason is for the operator, who is told."""
    was, tries = (entry.state,), entry.tries + 1
    done = await desk.database.write(
        lambda store: ledger.settle(store, entry.id, was, state, desk.now(), reason=reason, tries=tries), tells=LEDGER
    )
    if not done:
        return  # somebody else has settled it
    logs.link_booking(link=link.name, entry=entry.id, state=state, booking=entry.booking)
    if reason is not None:
        logs.link_attention(link=link.name, entry=entry.id, reason=reason)
    desk.touch(link, entry.start_at, entry.end_at)
