"""A marketplace's booking made at the club: once, whoever sends it how often, and confirmed only when it is there.

The entry in the ledger is written before the club is asked, and holds the time. Marketplaces send no id of a booking:
court, start and end are what it is known by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from gateway import observe
from gateway.errors import GatewayError, NotMapped, OutcomeUnknown, ProviderRejected, ProviderUnavailable
from gateway.links.calendar import Reading, block, earliest, exactly, keep, read_day
from gateway.links.desk import AGAIN_SECONDS, LEDGER, Asking, Desk, later, told_of
from gateway.links.grids import milliseconds, window
from gateway.links.link import Link, Wanted, can
from gateway.links.reconciling import found_again, stands
from gateway.links.settling import FIRST_LOOK_SECONDS
from gateway.messages import Json
from gateway.store import ledger
from gateway.store.database import Transaction
from gateway.store.ledger import CANCELLING, CONFIRMED, FAILED, PENDING, UNKNOWN, Entry

WAIT_SECONDS = 10.0
"""How long a request waits for another one of the same slot, at most."""
_LOOK_SECONDS = 0.25
_REPLAY_MILLISECONDS = 60_000
"""A booking that is asked for again within so long is a repetition; later the club is asked whether it still stands."""
_MARGIN_SECONDS = 30.0
"""How long after its deadline a request that left no trace counts as in doubt."""
_ROUNDS = 3
"""How often the ledger is tried: each time something in it has turned out to be over."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What is free at the club: the slot that the club itself offers, where it has exactly this one."""

    slot_id: str | None


async def book(desk: Desk, link: Link, asked: Wanted, asking: Asking) -> dict[str, Json]:
    """Book, and give what is booked. A repetition is answered with what the first one was.

    Raises GatewayError: BOOKING_NOT_ALLOWED, SLOT_NOT_FOUND, BOOKING_CONFLICT, whatever the club says, and
    PROVIDER_UNAVAILABLE when nobody knows yet or the club cannot be asked.
    """
    for _ in range(_ROUNDS):
        there = await settled(desk, link, asked, asking)
        if there is not None and there.state in ledger.LIVE and holds(there, asked):
            again = await _again(desk, link, there, asked, asking)
            if again is not None:
                return told_of(link, again)
        _allowed(desk, link, asked)
        found = await _free(desk, link, asked, asking)
        if found is None:
            now = await desk.database.read(lambda store: ledger.newest(store, link.name, key=asked.key))
            if now is not None and now.state in ledger.LIVE and (there is None or now.id != there.id):
                continue  # another request for the same slot came in between, which may be this one's twin
            raise _taken()
        entry = _entry(desk, link, asked, asking)
        clash = await desk.database.write(partial(ledger.begin, new=entry), tells=LEDGER)
        if clash is None:
            return told_of(link, await _create(desk, link, asked, entry, found, asking))
        if clash.key != asked.key and await stands(desk, link, clash, asking):
            raise _taken()
    raise _taken()


async def settled(desk: Desk, link: Link, asked: Wanted, asking: Asking) -> Entry | None:
    """Give the newest entry of a slot, once the request that wrote it is over. Raises ProviderRejected.

    One that left no trace for so long that it cannot be under way any more is given as it is: pending.
    """
    until = min(desk.clock() + WAIT_SECONDS, asking.deadline - 1)
    while True:
        told = desk.database.told(LEDGER)
        found = await desk.database.read(lambda store: ledger.newest(store, link.name, key=asked.key))
        if found is None or found.state != PENDING or found.until <= desk.now():
            return found
        if desk.clock() >= until:
            raise ProviderRejected("The same slot is being booked.", code="BOOKING_CONFLICT")
        try:
            await asyncio.wait_for(told.wait(), _LOOK_SECONDS)
        except TimeoutError:
            continue  # another replica may have written


def holds(entry: Entry, asked: Wanted) -> bool:
    """Tell whether an entry is still for the slot that it was made for: the club may have moved it."""
    there = (entry.facility, entry.start_at, entry.end_at)
    return there == (asked.facility.facility_id, asked.start_ms, asked.end_ms)


async def _again(desk: Desk, link: Link, there: Entry, asked: Wanted, asking: Asking) -> Entry | None:
    """Give the booking that a request repeats; None when it is over, and a new one may be made."""
    if asked.player is not None and there.player is not None and asked.player != there.player:
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


async def _found_now(desk: Desk, link: Link, there: Entry, asking: Asking) -> Entry:
    """Confirm a booking whose answer was lost, if the club has it."""
    booking = await found_again(desk, link, there, asking)
    if booking is None:
        raise _unknown()
    return await _confirm(desk, link, there, await _firm(desk, link, there, booking, asking))


def _allowed(desk: Desk, link: Link, asked: Wanted) -> None:
    """Check what the link allows, whatever the club has free."""
    if asked.start_ms < earliest(desk, link):
        raise ProviderRejected("It is too late to book this.", code="BOOKING_NOT_ALLOWED")
    if asked.start_ms >= window(desk.now(), link.settings.horizon_days, link.zone).end_ms:
        raise ProviderRejected("It is too early to book this.", code="BOOKING_NOT_ALLOWED")


async def _free(desk: Desk, link: Link, asked: Wanted, asking: Asking) -> _Found | None:
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
        raise NotMapped("There is no such slot.", code="SLOT_NOT_FOUND")
    if not here.available:
        desk.woken(link.name).set()
        return None
    return _Found(_same(reading, asked))


def _same(reading: Reading, asked: Wanted) -> str | None:
    """Give the id of the club's own slot, if it offers exactly what is wanted."""
    for slot in reading.slots[asked.facility.facility_id]:
        times = milliseconds(slot["start"]), milliseconds(slot["end"])
        service = slot.get("service_id")
        fits = service is None or asked.facility.service_id in {None, service}
        if times == (asked.start_ms, asked.end_ms) and slot.get("resource_id") == asked.facility.resource_id and fits:
            return slot["id"] if slot["available"] else None
    return None


def _entry(desk: Desk, link: Link, asked: Wanted, asking: Asking) -> Entry:
    now = desk.now()
    return Entry(
        id=desk.fresh("lnk"),
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
    )


async def _create(desk: Desk, link: Link, asked: Wanted, entry: Entry, found: _Found, asking: Asking) -> Entry:
    """Book at the club. Whatever happens, the entry says it."""
    try:
        booking = await desk.call(link.club, "bookings.create", _given(link, asked, found), asking, link.channel)
    except GatewayError as error:
        # What the mapping does not list may be said of a booking that was made all the same.
        if isinstance(error, OutcomeUnknown) or error.code == ProviderRejected.code:
            await _doubt(desk, entry, error)
            return await _found_now(desk, link, entry, asking)
        await _settle(desk, entry, FAILED, reason=f"{error.code}: {error.detail}")
        desk.woken(link.name).set()
        raise
    return await _confirm(desk, link, entry, await _firm(desk, link, entry, booking, asking))


def _given(link: Link, asked: Wanted, found: _Found) -> dict[str, Json]:
    """Give the arguments of the booking: the club's own slot where there is one, else court and times."""
    given: dict[str, Json] = {"customer": link.customer(asked.player, asked.key)}
    if found.slot_id is not None and can(link.club, "bookings.create", "slot_id"):
        return given | {"slot_id": found.slot_id}
    given |= {"resource_id": asked.facility.resource_id, "start": asked.start, "end": asked.end}
    if asked.facility.service_id is not None:
        given["service_id"] = asked.facility.service_id
    return {name: value for name, value in given.items() if can(link.club, "bookings.create", name)}


async def _firm(
    desk: Desk, link: Link, entry: Entry, booking: Mapping[str, Json], asking: Asking
) -> Mapping[str, Json]:
    """Give a confirmed booking: marketplaces know no other. One that only waits is confirmed, or else cancelled."""
    waits = booking["status"] == "pending" and booking.get("status_reason") != "payment"
    if waits and can(link.club, "bookings.confirm"):
        try:
            booking = await desk.call(link.club, "bookings.confirm", {"id": booking["id"]}, asking, link.channel)
        except GatewayError as error:
            await _settle(desk, entry, CANCELLING, booking=booking["id"], reason=f"{error.code}: {error.detail}")
            raise later(error) from error
    if booking["status"] == "confirmed":
        return booking
    await _settle(desk, entry, CANCELLING, booking=booking["id"], reason="the club does not confirm it at once")
    desk.woken(link.name).set()
    text = "The club does not confirm bookings of this slot at once."
    raise ProviderRejected(text, code="BOOKING_NOT_ALLOWED")


async def _confirm(desk: Desk, link: Link, entry: Entry, booking: Mapping[str, Json]) -> Entry:
    """Write that the club has the booking, and that everything that shares its time is taken."""

    def work(store: Transaction) -> Entry | None:
        now, was = desk.now(), (PENDING, UNKNOWN, CONFIRMED)
        if not ledger.settle(store, entry.id, was, CONFIRMED, now, booking=booking["id"], reason=None):
            return None
        block(store, link, entry, now)
        return ledger.entry(store, entry.id)

    kept = await desk.database.write(work, tells=LEDGER)
    if kept is None:
        await _lost(desk, link, entry, booking)
        raise _unknown()
    observe.link_booking(link=link.name, entry=entry.id, state=CONFIRMED, booking=kept.booking)
    desk.woken(link.name).set()
    return kept


async def _lost(desk: Desk, link: Link, entry: Entry, booking: Mapping[str, Json]) -> None:
    """See to a booking that was made after all, when it had been given up or cancelled: it is not for anybody."""
    now, name = desk.now(), booking["id"]
    taken_up = await desk.database.write(
        lambda store: ledger.settle(store, entry.id, (CANCELLING,), CANCELLING, now, booking=name, due_at=now),
        tells=LEDGER,
    )
    if not taken_up:
        reason = f"the club has booking {name}, which was given up before it was made"
        observe.link_attention(link=link.name, entry=entry.id, reason=reason)
    desk.woken(link.name).set()


async def _doubt(desk: Desk, entry: Entry, error: GatewayError) -> None:
    """Write that nobody knows whether the club has the booking."""
    due = desk.now() + int(FIRST_LOOK_SECONDS * 1000)
    reason = f"{error.code}: {error.detail}"
    await desk.database.write(
        lambda store: ledger.settle(store, entry.id, (PENDING,), UNKNOWN, desk.now(), due_at=due, reason=reason),
        tells=LEDGER,
    )
    observe.link_booking(link=entry.link, entry=entry.id, state=UNKNOWN, booking=None)


async def _settle(desk: Desk, entry: Entry, state: str, *, reason: str, booking: str | None = None) -> None:
    now, was = desk.now(), (PENDING, UNKNOWN)
    await desk.database.write(
        lambda store: ledger.settle(store, entry.id, was, state, now, reason=reason, booking=booking, due_at=now),
        tells=LEDGER,
    )
    observe.link_booking(link=entry.link, entry=entry.id, state=state, booking=booking)


def _taken() -> ProviderRejected:
    return ProviderRejected("The slot is not free.", code="BOOKING_CONFLICT")


def _unknown() -> ProviderUnavailable:
    text = "The club's answer to this booking was lost: it is not confirmed. Ask again."
    return ProviderUnavailable(text, sent=True, retry_after=AGAIN_SECONDS)
