"""Where every event is made: an observation meets what is known, in one transaction with its receipt and deliveries.

Whatever learns of something (a webhook, a poll, a call of ours) comes here, and nothing else writes events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.events.envelope import instant, native
from gateway.events.transitions import EventChange, decide, fact, given_up, with_status
from gateway.model.model import EventType, Model
from gateway.store.database import Database, Transaction
from gateway.store.events.events import (
    DELIVERIES,
    EVENTS,
    KnownState,
    NewEvent,
    Receipt,
    Span,
    append,
    find,
    one_by_one,
    publishing,
    receive,
    remember,
)
from gateway.values.messages import Observation

__all__ = ["DELIVERIES", "EVENTS", "PublishResult", "Publisher"]


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What became of observations: whether their receipt was new, and the sequence numbers of the events told."""

    new: bool
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True, repr=False)  # it would print every mapping
class Publisher:
    """Publishes into a store. `now` gives milliseconds since 1970, `fresh` a new id with this prefix.

    `tracked` gives the fields of a connection whose changes are told.
    """

    database: Database
    model: Model
    now: Callable[[], int]
    fresh: Callable[[str], str]
    tracked: Callable[[str], Sequence[str]]
    status_of_new: bool = False
    """Whether a booking that is made confirmed is told as confirmed too; else its creation has told that."""

    async def publish(
        self, seen: Sequence[Observation], receipt: Receipt | None = None, *, quiet: bool = False
    ) -> PublishResult:
        """Remember what was seen and store the events that it means, all or nothing.

        With a receipt that was received before, nothing happens. `quiet` remembers without telling: for what was there
        before the gateway looked for the first time. Raises StoreUnavailable: then nothing was accepted.
        """
        return await self.database.write(
            lambda connection: self.work(connection, seen, receipt, quiet=quiet),
            tells=EVENTS,
            alone=sorted({publishing(one.connection) for one in seen}),
        )

    def work(
        self,
        connection: Transaction,
        seen: Sequence[Observation],
        receipt: Receipt | None,
        *,
        quiet: bool = False,
        because: str | None = None,
        as_of: int | None = None,
        compare: bool = False,
    ) -> PublishResult:
        """Do the same inside of a transaction of the caller's; `because` is an earlier receipt that it is done for.

        With `compare` a receipt that was received before is no reason to look away: what is told in the same words may
        have happened again. What is known already tells nothing all the same.
        `as_of`, in milliseconds since 1970, is when the provider was asked: what was learned since is newer and stays.
        """
        one_by_one(connection, {one.connection for one in seen})
        new = receipt is None or receive(connection, receipt)
        if not new and not compare:
            return PublishResult(new=False, sequences=())
        now = self.now()
        told: list[NewEvent] = []
        for name in dict.fromkeys(one.connection for one in seen):
            mine = [one for one in seen if one.connection == name]
            kinds = [(one, self._fact(one)) for one in mine]
            bookings = [one for one, event in kinds if event is None]
            facts = [(one, event) for one, event in kinds if event is not None]
            told += self._changes(connection, name, bookings, now, quiet=quiet, as_of=as_of)
            told += self._facts(connection, name, facts, now, quiet=quiet, as_of=as_of)
        sequences = append(connection, told, self.fresh, receipt.id if receipt is not None and new else because)
        return PublishResult(new, tuple(sequences))

    def _changes(
        self,
        connection: Transaction,
        name: str,
        seen: Sequence[Observation],
        now: int,
        *,
        quiet: bool,
        as_of: int | None,
    ) -> list[NewEvent]:
        """Compare what was seen of one connection with what is known of it, remember, and give the events."""
        changes = self.model.changes
        replaces = {one.subject: str(one.data[changes.replaces]) for one in seen if one.data.get(changes.replaces)}
        memory = find(connection, name, {one.subject for one in seen} | set(replaces.values()))
        told: list[NewEvent] = []
        for one in sorted(seen, key=lambda one: one.subject not in replaces):  # what takes a place before what loses it
            before, old = memory.get(one.subject), replaces.get(one.subject, one.subject)
            if _is_older(as_of, before):
                continue
            replaced = memory.get(old) if before is None and old != one.subject else None
            decision = decide(before, one, changes, self.tracked(name), now, quiet=quiet, replaced=replaced)
            decision = with_status(decision, changes, tell=self.status_of_new)
            lost = given_up(replaced, changes, now) if replaced is not None else None
            for key, what in ((one.subject, decision.known), (old, lost)):
                if what is not None:
                    memory[key] = what
                    remember(connection, name, key, what, self._span(what), now)
            if decision.known is not None:
                told += [self._event(one, event, decision.known, now) for event in decision.events]
        return told

    def _fact(self, seen: Observation) -> EventType | None:
        """Give the event that an observation of anything but a booking is."""
        event = self.model.events.get(seen.type)
        return None if event is None or event.data.name == self.model.changes.resource else event

    def _facts(
        self,
        connection: Transaction,
        name: str,
        seen: Sequence[tuple[Observation, EventType]],
        now: int,
        *,
        quiet: bool,
        as_of: int | None,
    ) -> list[NewEvent]:
        """Do with other things than bookings what `_changes` does. They stand beside them, under names of their own."""
        told: list[NewEvent] = []
        for one, event in seen:
            key = beside(event, one.subject)
            before = find(connection, name, [key]).get(key)
            if _is_older(as_of, before):
                continue
            decision = fact(before, one, event, now, quiet=quiet)
            if decision.known is not None:
                # It takes no time, and is forgotten like a booking that was over when it was seen last.
                remember(connection, name, key, decision.known, Span(None, now), now)
                apart = replace(one, subject=key)
                told += [self._event(apart, what, decision.known, now) for what in decision.events]
        return told

    def _event(self, seen: Observation, told: EventChange, what: KnownState, now: int) -> NewEvent:
        key = self.fresh("evt")
        about = {
            "id": key,
            "event": told.type,
            "created_at": instant(now),
            "connection": seen.connection,
            "provider": seen.provider,
            "origin": seen.origin,
        }
        body = native(about, what.data, told.previous, self.model.changes)
        return NewEvent(key, seen.connection, seen.provider, told.type, seen.origin, seen.subject, now, body)

    def _span(self, what: KnownState) -> Span:
        start, end = (_milliseconds(what.data.get(name)) for name in self.model.changes.span)
        return Span(start, end)


def observe(
    connection: str,
    provider: str,
    origin: str,
    type_: str,
    data: Mapping[str, object],
    stand_ins: frozenset[str] = frozenset(),
    lapsing: frozenset[str] = frozenset(),
) -> Observation:
    """Make an observation of a canonical object, by its id."""
    name = str(data["id"])
    return Observation(connection, provider, origin, type_, name, data, stand_ins=stand_ins, lapsing=lapsing)


def beside(event: EventType, subject: str) -> str:
    """Name what an event of another kind is of, as it stands beside the bookings."""
    return f"{event.data.name}/{subject}"


def observe_missing(one: Observation) -> Observation:
    """Make the observation that a booking is no longer listed."""
    return replace(one, gone=True)


def _is_older(as_of: int | None, before: KnownState | None) -> bool:
    """Tell whether what was asked for at that moment is older than what is known."""
    return before is not None and as_of is not None and before.changed_at >= as_of


def _milliseconds(moment: object) -> int | None:
    return int(datetime.fromisoformat(moment).timestamp() * 1000) if isinstance(moment, str) else None
