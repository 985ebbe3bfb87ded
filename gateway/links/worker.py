"""One link kept in step: the club's events followed, its calendar read, doubts settled, the marketplace told.

Where several gateways share a store, one of them works for a link at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date
from functools import partial

from gateway.links.bookings.reconciliation import stands
from gateway.links.bookings.recovery import settle_due
from gateway.links.club_events import follow_club
from gateway.links.context import LinkContext
from gateway.links.link import Link
from gateway.links.session import Session, session_of
from gateway.links.slots.calendar import Reading, keep, read
from gateway.links.slots.push import push
from gateway.links.slots.slot_grid import days, window
from gateway.store.database import Transaction
from gateway.store.events.events import EVENTS
from gateway.store.events.following import follow
from gateway.store.links import ledger, links, offers
from gateway.store.links.links import LinkState
from gateway.store.loop import Loop
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, NotMapped, StoreUnavailable

_LOOK_SECONDS = 1.0
"""How soon work that another replica has left, or an operator asks for, is noticed at the latest."""
_HELD_MILLISECONDS = 150_000
"""How long the work of a link is taken at a time; each part of it takes less."""
_READ_SECONDS = 60.0
_CALL_SECONDS = 30.0
_SUSPICIOUS = 20
"""Bookings that are asked for after one reading since the club shows their time as free: it may have ended them."""
_PAUSES = (5.0, 30.0, 120.0, 600.0)


class Worker:
    """Works for one link until cancelled: `await worker.run()`."""

    def __init__(self, context: LinkContext, name: str) -> None:
        self._context = context
        self._name = name
        self._failures = 0

    async def run(self) -> None:
        """Work, and wait for something to do."""
        context = self._context
        loop = Loop(f"link {self._name}", [EVENTS], context.woken(self._name), chance=context.chance)
        await loop.run(self.turn, context.database)

    async def turn(self) -> float:
        """Do what there is to do, and give the seconds after which to look again. Raises StoreUnavailable."""
        context = self._context
        try:
            link = context.link(self._name)
        except NotMapped:
            return _LOOK_SECONDS  # its connections are gone from the catalog
        if not await self._due(link):
            return _LOOK_SECONDS
        now, me = context.now(), context.database.process
        until = now + _HELD_MILLISECONDS
        lease = await context.database.write(lambda store: links.claim(store, self._name, now, until, me))
        if lease is None:
            return _LOOK_SECONDS
        try:
            await self._work(link, lease)
        finally:
            with contextlib.suppress(StoreUnavailable):  # then it ends by itself
                await context.database.write(lambda store: links.release(store, self._name, lease))
        return _LOOK_SECONDS

    async def _due(self, link: Link) -> bool:
        """Tell whether there is anything to do, by looking alone."""
        context, now = self._context, self._context.now()

        def look(store: Transaction) -> bool:
            state = links.state(store, self._name)
            if state is None or state.cursor is None or state.read_due_at <= now:
                return True
            new = follow(store, link.club.name, state.cursor, (), 1)
            waits = state.push_due_at <= now and bool(offers.waiting(store, self._name, now, 1))
            return waits or new.gap or bool(new.events) or bool(ledger.due(store, self._name, now, 1))

        return context.is_touched(self._name) or await context.database.read(look)

    async def _work(self, link: Link, lease: int) -> None:
        context = self._context
        state = await self._state()
        await follow_club(context, link, state.cursor)
        touched = context.touched(self._name)
        if touched and link.settings.debounce:
            await asyncio.sleep(link.settings.debounce)
            touched |= context.touched(self._name)
        state = await self._state()
        if state.read_due_at <= context.now():
            await self._read(link, None, state.read_due_at)
        elif touched:
            await self._read(link, touched)
        if not await self._hold(lease):
            return
        await settle_due(context, link, _CALL_SECONDS)
        state = await self._state()
        if state.push_due_at <= context.now():
            await push(context, link, state.push_failures, _CALL_SECONDS, partial(self._hold, lease))

    async def _read(self, link: Link, touched: set[date] | None, was_due: int | None = None) -> None:
        """Read the whole horizon, which was due then, or some days of it, and write how it went."""
        context = self._context
        whole = window(context.now(), link.settings.horizon_days, link.zone)
        windows = (
            [whole] if touched is None else [days(one, 1, link.zone) for one in sorted(touched & set(whole.dates))]
        )
        reason, suspects = None, []
        for of in windows:
            reading = await read(self._session(link, _READ_SECONDS), link.settings.facilities, of)
            suspects += await keep(context, link, reading)
            reason = reason or self._reason(reading)
        if touched is None or reason is not None:
            await self._note(link, reason, was_due)
        for entry in suspects[:_SUSPICIOUS]:
            with contextlib.suppress(GatewayError):  # the next reading finds it as suspicious
                await stands(self._session(link, _CALL_SECONDS), entry)

    async def _note(self, link: Link, reason: str | None, was_due: int | None) -> None:
        """Write how a reading went, and when the next one is due: at once where an operator asked for it meanwhile."""
        context, now = self._context, self._context.now()
        if reason is None:
            self._failures = 0
            due = now + int(link.settings.interval * 1000)

            def work(store: Transaction) -> None:
                state = links.state(store, self._name)
                asked = state is not None and state.read_due_at != was_due
                at = state.read_due_at if asked and state is not None else due
                links.note(store, self._name, read_at=now, read_reason=None, read_due_at=at)

            await context.database.write(work)
            return
        wait = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        due = now + int(wait * 1000)
        await context.database.write(lambda store: links.note(store, self._name, read_reason=reason, read_due_at=due))
        logs.link_failed(link=self._name, what="read", reason=reason, seconds=wait)

    @staticmethod
    def _reason(reading: Reading) -> str | None:
        for facility, error in reading.failed.items():
            return f"{facility}: {error.explanation}"
        return None

    async def _state(self) -> LinkState:
        found = await self._context.database.read(lambda store: links.state(store, self._name))
        assert found is not None  # noqa: S101 - the claim made it
        return found

    def _session(self, link: Link, seconds: float) -> Session:
        return session_of(self._context, link, self._context.asking(seconds))

    async def _hold(self, lease: int) -> bool:
        """Hold the link for longer; False when another replica has taken it."""
        until = self._context.now() + _HELD_MILLISECONDS
        return await self._context.database.write(lambda store: links.extend(store, self._name, lease, until))
