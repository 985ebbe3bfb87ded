"""How a link fares, for its operator: what was done last, what waits, what is booked, and where both sides differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from gateway.links.context import LEDGER, LinkContext, later
from gateway.links.link import Link
from gateway.links.session import Session
from gateway.links.slots.calendar import cell_of, offer_of, offers_of, read, without
from gateway.links.slots.slot_grid import instant, window
from gateway.store.database import Transaction
from gateway.store.links import ledger, links, offers
from gateway.store.links.ledger import Entry
from gateway.store.links.links import LinkState
from gateway.store.links.offers import Offer, StoredOffer
from gateway.values.messages import Json

_ENTRIES = 50
_NEVER = LinkState("", None, None, None, 0, None, None, 0, 0, None, None, 0, 0)


async def status(context: LinkContext, link: Link) -> dict[str, Json]:
    """Tell how a link fares. Raises StoreUnavailable."""

    def look(store: Transaction) -> tuple[LinkState, tuple[int, int], dict[str, int], list[Entry]]:
        return (
            links.state(store, link.name) or _NEVER,
            offers.depth(store, link.name, context.now()),
            ledger.counts(store, link.name),
            ledger.list_(store, link.name, _ENTRIES),
        )

    state, (waiting, parked), counts, entries = await context.database.read(look)
    return {
        "name": link.name,
        "peer": link.peer.name,
        "club": link.club.name,
        "center_id": link.settings.center_id,
        "facilities": [
            {"facility_id": one.facility_id, "name": one.name, "resource_id": one.resource_id, "problem": None}
            for one in link.settings.facilities
        ],
        "last_pull_at": _moment(state.pulled_at),
        "last_pull_error": state.pull_reason,
        "last_read_at": _moment(state.read_at),
        "last_read_error": state.read_reason,
        "last_push_at": _moment(state.pushed_at),
        "last_push_error": state.push_reason,
        "next_push_at": _moment(state.push_due_at or None) if waiting else None,
        "outbox": {"waiting": waiting, "parked": parked},
        "ledger": {"counts": counts, "entries": [_entry(one, link.zone) for one in entries]},
        "attention": _attention(link, state, parked, entries),
    }


def _entry(one: Entry, zone: str) -> dict[str, Json]:
    return {
        "id": one.id,
        "facility_id": one.facility,
        "start": instant(one.start_at, zone),
        "end": instant(one.end_at, zone),
        "slot_id": one.slot_id,
        "reference": one.reference,
        "player": one.player,
        "booking_id": one.booking,
        "state": one.state,
        "created_at": _moment(one.created_at),
        "updated_at": _moment(one.updated_at),
        "reason": one.reason,
    }


def _attention(link: Link, state: LinkState, parked: int, entries: Sequence[Entry]) -> list[str]:
    """Say in plain sentences what an operator must act on."""
    told = []
    if state.push_reason is not None:
        told.append(f"{link.peer.name} does not take what it is told: {state.push_reason}")
    if parked:
        told.append(f"{link.peer.name} refused {parked} slots as they are; mend the cause, then resync the link")
    if state.read_reason is not None:
        told.append(f"{link.club.name} cannot be read: {state.read_reason}")
    for one in entries:
        when = instant(one.start_at, link.zone)
        if one.state == ledger.CANCELLING:
            named = one.booking or "(not found yet)"
            told.append(f"booking {named} on {one.facility} at {when} must be cancelled at the club: {one.reason}")
        elif one.state == ledger.UNKNOWN:
            told.append(f"nobody knows whether the club has a booking on {one.facility} at {when}")
        elif one.reason is not None and (one.state != ledger.FAILED or one.tries > 0):  # else the club said no at once
            told.append(f"booking {one.booking or '(unknown)'} on {one.facility} at {when}: {one.reason}")
    return told


async def diff(session: Session) -> dict[str, Json]:
    """Read the club and tell where the marketplace was told something else. Nothing of it is kept.

    Raises ProviderUnavailable, StoreUnavailable.
    """
    context, link = session.context, session.link
    of = window(context.now(), link.settings.horizon_days, link.zone)
    reading = await read(session, link.settings.facilities, of)
    for error in reading.failed.values():
        raise later(error)
    known, entries = await context.database.read(
        lambda store: (
            offers.between(store, link.name, of.start_ms, of.end_ms),
            ledger.holding(store, link.name, of.start_ms, of.end_ms),
        )
    )
    there = {(one.facility, one.start_at): one for one in known}
    made = without(link, offers_of(context, link, reading, known), entries)
    true = {(one.facility, one.start_at): one for one in made}
    found = []
    for key in sorted(there.keys() | true.keys()):
        if key[1] <= context.now():
            continue
        said, now = there.get(key), true.get(key)
        if said is None or now is None or said.told != now.digest:
            found.append(_difference(link, said, now))
    return {
        "name": link.name,
        "checked_at": _moment(context.now()),
        "differences": found,
        "in_step": not found,
    }


def _difference(link: Link, said: StoredOffer | None, now: Offer | None) -> dict[str, Json]:
    one = now or said
    assert one is not None  # noqa: S101 - the key is of one of them
    return {
        "facility_id": one.facility,
        "start": instant(one.start_at, link.zone),
        "end": instant(one.end_at, link.zone),
        "told": "nothing" if said is None or said.told is None else _tell(link, said),
        "club": "nothing" if now is None else _word(available=now.available),
        "waiting": said is None or said.digest not in {said.told, said.parked},
        "parked": None if said is None else said.reason,
    }


def _tell(link: Link, said: StoredOffer) -> str:
    """Give what the marketplace was told of a slot; only a hash of it is kept, so it is tried out."""
    for available in (True, False):
        cell = replace(cell_of(said), available=available)
        if offer_of(link, cell, 0).digest == said.told:
            return _word(available=available)
    return _word(available=not said.available)


def _word(*, available: bool) -> str:
    return "free" if available else "busy"


async def resync(context: LinkContext, link: Link) -> dict[str, Json]:
    """Take the marketplace to know nothing, and have the club read at once. Raises StoreUnavailable."""

    def work(store: Transaction) -> None:
        offers.untold(store, link.name)
        links.note(store, link.name, read_due_at=0, push_due_at=0, push_failures=0, push_reason=None)

    await context.database.write(work, tells=LEDGER)
    context.woken(link.name).set()
    return {"name": link.name, "requested_at": _moment(context.now())}


def _moment(at: Json) -> Mapping[str, Json] | str | None:
    """Write milliseconds since 1970 in UTC."""
    return (
        None
        if at is None
        else datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    )
