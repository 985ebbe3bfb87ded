"""A marketplace's booking made at the club: once, whoever sends it how often, and confirmed only when it is there.

The entry in the ledger is written before the club is asked, and holds the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from gateway.links.bookings.advance import advance
from gateway.links.bookings.entries import asked_for, by_reference, holds, is_asked, settled
from gateway.links.bookings.reconciliation import found_again, stands
from gateway.links.bookings.recovery import FIRST_LOOK_SECONDS
from gateway.links.context import AGAIN_SECONDS, LEDGER, Asking, LinkContext, later, packed, told_of
from gateway.links.link import Link, Wanted, can, invalid
from gateway.links.slots.calendar import Reading, block, earliest, exactly, keep, narrowed, read_day
from gateway.links.slots.payloads import create_key, customer_key
from gateway.links.slots.slot_grid import MINUTE, clock_end, milliseconds, window
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
class _Found:
    """What is free: the slot as the link sells it, and the club's own where it has exactly this one."""

    asked: Wanted
    slot_id: str | None


async def book(desk: LinkContext, link: Link, asked: Wanted, asking: Asking) -> dict[str, Json]:
    """Book, and give what is booked. A repetition is answered with what the first one was.

    Raises GatewayError: BOOKING_NOT_ALLOWED, SLOT_NOT_FOUND, BOOKING_CONFLICT, whatever the club says, and
    PROVIDER_UNAVAILABLE when nobody knows yet or the club cannot be asked.
    """
    for _ in range(_ROUNDS):
        there = await settled(desk, link, asked, asking)
        if there is not None:
            again = await _repeated(desk, link, there, asked, asking)
            if again is not None:
                return told_of(link, again)
        _allowed(desk, link, asked)
        found = await _free(desk, link, asked, asking)
        if found is None:
            now = await asked_for(desk, link, asked)
            if now is not None and now.state in ledger.LIVE and (there is None or now.id != there.id):
                continue  # another request for the same slot came in between, which may be this one's twin
            raise _taken()
        entry = _entry(desk, link, found.asked, asking)
        clash = await desk.database.write(partial(ledger.begin, new=entry), tells=LEDGER)
        if clash is None:
            return told_of(link, await _create(desk, link, entry, found, asking))
        if not is_asked(clash, asked) and await stands(desk, link, clash, asking):
            raise _taken()
    raise _taken()


async def _repeated(desk: LinkContext, link: Link, there: Entry, asked: Wanted, asking: Asking) -> Entry | None:
    """Give the booking that a request repeats; None when it repeats none, and a new one may be made.

    Raises GatewayError where it must not be made: what has its reference is cancelled, or another booking.
    """
    if not by_reference(there, asked):
        if there.state not in ledger.LIVE or not holds(link, there, asked):
            return None
        again = await _again(desk, link, there, asked, asking)
        if again is not None and asked.reference is not None:  # it was made before the marketplace sent references
            name = asked.reference
            await desk.database.write(lambda store: ledger.adopt(store, there.id, name), tells=LEDGER)
        return again
    if there.state == FAILED:
        return None
    if there.key != asked.key:
        raise invalid("reference", "is that of a booking of another court or time")
    again = None
    if there.state not in {CANCELLED, CANCELLING}:
        again = await _again(desk, link, there, asked, asking)
    kept = again or await desk.database.read(lambda store: ledger.entry(store, there.id)) or there
    if kept.state in {CANCELLED, CANCELLING}:
        raise ProviderRejected("The booking of this reference was cancelled.", code="INVALID_STATE")
    return kept  # wherever the club has moved it


async def _again(desk: LinkContext, link: Link, there: Entry, asked: Wanted, asking: Asking) -> Entry | None:
    """Give the booking that a request repeats; None when it is over, and a new one may be made."""
    if not by_reference(there, asked) and None not in {asked.player, there.player} and asked.player != there.player:
        if await stands(desk, link, there, asking):
            raise _taken()
        return None
    if there.state == CONFIRMED:
        if 0 <= desk.now() - there.created_at < _REPLAY_MILLISECONDS or await stands(desk, link, there, asking):
            return there
        return None
    if there.state in {PENDING, UNKNOWN}:
        return await _found_now(desk, link, there, asking)
    raise _taken()  # it is being cancelled


async def _found_now(desk: LinkContext, link: Link, there: Entry, asking: Asking) -> Entry:
    """Confirm a booking whose answer was lost, if the club has it."""
    booking = await found_again(desk, link, there, asking)
    if booking is None:
        raise unknown()
    return await _confirm(desk, link, there, await _firm(desk, link, there, booking, asking))


def _allowed(desk: LinkContext, link: Link, asked: Wanted) -> None:
    """Check what the link allows, whatever the club has free."""
    if asked.start_ms < earliest(desk, link):
        raise ProviderRejected("It is too late to book this.", code="BOOKING_NOT_ALLOWED")
    if asked.start_ms >= window(desk.now(), link.settings.horizon_days, link.zone).end_ms:
        raise ProviderRejected("It is too early to book this.", code="BOOKING_NOT_ALLOWED")


async def _free(desk: LinkContext, link: Link, asked: Wanted, asking: Asking) -> _Found | None:
    """Look at the club whether the slot is free; None when it is taken. What was read is kept, and told if it is new.

    Raises NotMapped when there is no such slot.
    """
    reading = await read_day(desk, link, asked, asking)
    for error in reading.failed.values():
        raise desk.refusal(error)
    ended = [
        one
        for one in await keep(desk, link, reading)
        if one.facility == asked.facility.facility_id
        and one.start_at < asked.end_ms
        and one.end_at > asked.start_ms
        and not await stands(desk, link, one, asking)
    ]
    if ended:  # the club has cancelled or moved what kept the slot taken
        await keep(desk, link, reading)
    here = await exactly(desk, link, asked)
    if here is None:
        raise NotMapped("Slot not found.", code="SLOT_NOT_FOUND")
    if not here.available:
        desk.woken(link.name).set()
        return None
    wanted = narrowed(link, asked, here)
    return _Found(wanted, _same(reading, wanted))


def _same(reading: Reading, asked: Wanted) -> str | None:
    """Give the id of the club's own slot, if it offers exactly what is wanted."""
    for slot in reading.slots[asked.facility.facility_id]:
        times = milliseconds(slot["start"]), milliseconds(slot["end"])
        service = slot.get("service_id")
        fits = service is None or asked.facility.service_id in {None, service}
        if times == (asked.start_ms, asked.end_ms) and slot.get("resource_id") == asked.facility.resource_id and fits:
            return slot["id"] if slot["available"] else None
    return None


def _entry(desk: LinkContext, link: Link, asked: Wanted, asking: Asking) -> Entry:
    now, name = desk.now(), desk.fresh("lnk")
    return Entry(
        id=name,
        link=link.name,
        key=asked.key,
        facility=asked.facility.facility_id,
        start_at=asked.start_ms,
        end_at=asked.end_ms,
        slot_id=asked.slot_id,
        player=asked.player,
        booking=None,
        state=PENDING,
        created_at=now,
        updated_at=now,
        until=desk.until(asking, _MARGIN_SECONDS),
        due_at=now,
        tries=0,
        reason=None,
        reference=asked.reference,
        customer=packed(link.customer(asked.customer, customer_key(name))),
        holder=desk.database.process,
    )


async def _create(desk: LinkContext, link: Link, entry: Entry, found: _Found, asking: Asking) -> Entry:
    """Book at the club. Whatever happens, the entry says it."""
    given, key = _given(link, entry, found), create_key(entry.id)
    try:
        booking = await desk.call(link.club, "bookings.create", given, asking, link.channel, key)
    except GatewayError as error:
        # What the mapping does not list may be said of a booking that was made all the same.
        if isinstance(error, OutcomeUnknown) or error.code == ProviderRejected.CODE:
            due = desk.now() + int(FIRST_LOOK_SECONDS * 1000)
            await advance(desk, link, entry, Trigger.ANSWER_LOST, due_at=due, reason=error.explanation)
            return await _found_now(desk, link, entry, asking)
        await advance(desk, link, entry, Trigger.REFUSED, reason=error.explanation)
        raise
    return await _confirm(desk, link, entry, await _firm(desk, link, entry, booking, asking))


def _given(link: Link, entry: Entry, found: _Found) -> dict[str, Json]:
    """Give the arguments of the booking: the club's own slot where there is one, else court and times.

    An end that the club's clocks show for the second time is given as a length: a club that counts by the clock would
    read it as the first time.
    """
    asked = found.asked
    given: dict[str, Json] = {"customer": link.customer(asked.customer, customer_key(entry.id))}
    if found.slot_id is not None and can(link.club, "bookings.create", "slot_id"):
        return given | {"slot_id": found.slot_id}
    start, end = asked.start_ms, asked.end_ms
    given |= {"resource_id": asked.facility.resource_id, "start": asked.start, "end": asked.end}
    if clock_end(start, end, link.club.zone) != end and can(link.club, "bookings.create", "duration"):
        del given["end"]
        given["duration"] = (end - start) // MINUTE
    if asked.facility.service_id is not None:
        given["service_id"] = asked.facility.service_id
    return {name: value for name, value in given.items() if can(link.club, "bookings.create", name)}


async def _firm(
    desk: LinkContext, link: Link, entry: Entry, booking: Mapping[str, Json], asking: Asking
) -> Mapping[str, Json]:
    """Give a confirmed booking: marketplaces know no other. One that only waits is confirmed, or else cancelled."""
    waits = booking["status"] == "pending" and booking.get("status_reason") != "payment"
    if waits and can(link.club, "bookings.confirm"):
        try:
            booking = await desk.call(link.club, "bookings.confirm", {"id": booking["id"]}, asking, link.channel)
        except GatewayError as error:
            await _give_up(desk, link, entry, booking["id"], error.explanation)
            raise later(error) from error
    if booking["status"] == "confirmed":
        return booking
    await _give_up(desk, link, entry, booking["id"], "the club does not confirm it at once")
    text = "The club does not confirm bookings of this slot at once."
    raise ProviderRejected(text, code="BOOKING_NOT_ALLOWED")


async def _confirm(desk: LinkContext, link: Link, entry: Entry, booking: Mapping[str, Json]) -> Entry:
    """Write that the club has the booking, and that everything that shares its time is taken."""

    def taken(store: Transaction, _: Entry) -> None:
        block(store, link, entry, desk.now())

    kept = await advance(desk, link, entry, Trigger.CONFIRMED, beside=taken, booking=booking["id"], reason=None)
    if kept is None:
        await _lost(desk, link, entry, booking)
        raise unknown()
    return kept


async def _lost(desk: LinkContext, link: Link, entry: Entry, booking: Mapping[str, Json]) -> None:
    """See to a booking that was made after all, when it had been given up or cancelled: it is not for anybody."""
    name, tries = booking["id"], entry.tries + 1
    reason = f"the club has booking {name}, which was given up before it was made"
    late: EntryChanges = {"booking": name, "reason": reason, "tries": tries, "due_at": desk.now()}
    if await advance(desk, link, entry, Trigger.MADE_TOO_LATE, **late) is None:  # nobody knows of it any more
        logs.link_attention(link=link.name, entry=entry.id, reason=reason)


async def _give_up(desk: LinkContext, link: Link, entry: Entry, booking: str, reason: str) -> None:
    """Write that a booking was made and must be cancelled: the marketplace is told that there is none.

    Its reference is given free, for the marketplace may ask again.
    """
    made: EntryChanges = {"booking": booking, "reason": reason, "reference": None, "due_at": desk.now(), "tries": 0}
    await advance(desk, link, entry, Trigger.NOT_CONFIRMED, **made)


def _taken() -> ProviderRejected:
    return ProviderRejected("The slot is not free.", code="BOOKING_CONFLICT")


def unknown(what: str = "confirmed") -> ProviderUnavailable:
    """Give the error by which a marketplace learns that nobody knows yet whether the club has a booking."""
    text = f"The club's answer to this booking was lost: it is not {what}. Ask again."
    return ProviderUnavailable(text, sent=True, retry_after=AGAIN_SECONDS)
