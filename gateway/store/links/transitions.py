"""What may happen to an entry of the ledger: one table of its states, and the one function by which they change.

A row says, for a state and what happens in it, which state comes next, what of the change is left as it was, what is
logged, and who is woken. What has no row does not happen: whoever comes with it has looked too long ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Final, Unpack

from sqlalchemy import Connection

from gateway.store.links.ledger import (
    CANCELLED,
    CANCELLING,
    CONFIRMED,
    FAILED,
    PENDING,
    UNKNOWN,
    Entry,
    EntryChanges,
    entry,
    settle,
)


class Trigger(StrEnum):
    """What happens to an entry."""

    CONFIRMED = "confirmed"
    """The club has the booking and keeps it."""
    ANSWER_LOST = "answer lost"
    """The club was asked to book, and nobody knows what it has done."""
    REFUSED = "refused"
    """The club does not book it."""
    NOT_CONFIRMED = "not confirmed"
    """The club has booked it and does not confirm it at once: the marketplace is told that there is none."""
    APPEARED = "appeared"
    """The club has the booking whose answer was lost, and it is kept."""
    APPEARED_UNWANTED = "appeared unwanted"
    """The club has the booking whose answer was lost, and it is to be cancelled."""
    LOOKED_IN_VAIN = "looked in vain"
    """What is open still was looked after once more, and will be again."""
    NEVER_MADE = "never made"
    """The club was looked at often enough: it does not have the booking."""
    MADE_TOO_LATE = "made too late"
    """The club has the booking after all, which was cancelled or given up before."""
    ABANDONED = "abandoned"
    """It cannot be settled here any more: it is the operator's."""
    CANCELLATION_BEGUN = "cancellation begun"
    """The marketplace cancels a booking, and the club is about to be asked."""
    CANCELLED_IN_DOUBT = "cancelled in doubt"
    """The marketplace cancels what the club may have."""
    IDENTIFIED = "identified"
    """It is known now which booking of the club is to be cancelled."""
    CANCELLATION_FAILED = "cancellation failed"
    """The club did not cancel, and is asked again."""
    CANCELLATION_FAILED_AGAIN = "cancellation failed again"
    """So it is once more, as the marketplace asks again: what is tried on already keeps its pace."""
    CANCELLATION_REFUSED = "cancellation refused"
    """The club refuses to cancel, and the marketplace hears it now."""
    CANCELLATION_ENDED = "cancellation ended"
    """It stays at the club, and the marketplace was told that it is being cancelled."""
    CANCELLED = "cancelled"
    """The club does not have the booking any more, as was wanted."""
    ENDED_BY_CLUB = "ended by the club"
    """The club itself has ended the booking."""
    MOVED_BY_CLUB = "moved by the club"
    """The club has the booking at another place or time, or under another id."""


class Wakes(Enum):
    """Who has something to do after a transition."""

    NOBODY = auto()
    WORKER = auto()
    """Whoever works for the link looks at what is due."""
    READER = auto()
    """The days of the entry, as it was and as it is, are read again at the club."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A row: an entry that is in `state` is in `next` after the trigger.

    `keeps` names what stays as it is, whatever is given. `logs`: its standing is logged. `attention`, unless empty, is
    what the operator is told, with the reason that is given.
    """

    state: str
    trigger: Trigger
    next: str
    wakes: Wakes
    logs: bool = True
    attention: str = ""
    keeps: frozenset[str] = frozenset()


_TOLD: Final = "{reason}"
_OVER: Final = "the marketplace's booking is over: {reason}"
_MOVED: Final = "the marketplace's booking is changed: {reason}"


def _keeps(*names: str) -> frozenset[str]:
    return frozenset(names)


TRANSITIONS: Final = (
    # The club is asked to book.
    Transition(PENDING, Trigger.CONFIRMED, CONFIRMED, Wakes.WORKER),
    Transition(UNKNOWN, Trigger.CONFIRMED, CONFIRMED, Wakes.WORKER),
    Transition(CONFIRMED, Trigger.CONFIRMED, CONFIRMED, Wakes.WORKER),
    Transition(PENDING, Trigger.ANSWER_LOST, UNKNOWN, Wakes.NOBODY),
    Transition(PENDING, Trigger.REFUSED, FAILED, Wakes.WORKER),
    Transition(UNKNOWN, Trigger.REFUSED, FAILED, Wakes.WORKER),
    Transition(PENDING, Trigger.NOT_CONFIRMED, CANCELLING, Wakes.WORKER),
    Transition(UNKNOWN, Trigger.NOT_CONFIRMED, CANCELLING, Wakes.WORKER),
    # Its answer was lost, and it is looked for.
    Transition(PENDING, Trigger.APPEARED, CONFIRMED, Wakes.WORKER, attention=_TOLD),
    Transition(UNKNOWN, Trigger.APPEARED, CONFIRMED, Wakes.WORKER, attention=_TOLD),
    Transition(PENDING, Trigger.APPEARED_UNWANTED, CANCELLING, Wakes.WORKER),
    Transition(UNKNOWN, Trigger.APPEARED_UNWANTED, CANCELLING, Wakes.WORKER),
    # The marketplace itself has cancelled it, by the reference that it has still.
    Transition(CANCELLING, Trigger.APPEARED_UNWANTED, CANCELLING, Wakes.WORKER, keeps=_keeps("reference")),
    Transition(PENDING, Trigger.LOOKED_IN_VAIN, UNKNOWN, Wakes.NOBODY, logs=False),
    Transition(UNKNOWN, Trigger.LOOKED_IN_VAIN, UNKNOWN, Wakes.NOBODY, logs=False),
    Transition(CANCELLING, Trigger.LOOKED_IN_VAIN, CANCELLING, Wakes.NOBODY, logs=False),
    Transition(PENDING, Trigger.NEVER_MADE, FAILED, Wakes.READER),
    Transition(UNKNOWN, Trigger.NEVER_MADE, FAILED, Wakes.READER),
    Transition(CANCELLING, Trigger.NEVER_MADE, CANCELLED, Wakes.READER),
    Transition(PENDING, Trigger.ABANDONED, FAILED, Wakes.READER, attention=_TOLD),
    Transition(UNKNOWN, Trigger.ABANDONED, FAILED, Wakes.READER, attention=_TOLD),
    Transition(CANCELLING, Trigger.ABANDONED, FAILED, Wakes.READER, attention=_TOLD),
    # It was given up, or cancelled, and is there: of those that hold no time, it is the operator's.
    Transition(
        CANCELLING, Trigger.MADE_TOO_LATE, CANCELLING, Wakes.WORKER, logs=False, keeps=_keeps("reason", "tries")
    ),
    Transition(
        CANCELLED, Trigger.MADE_TOO_LATE, FAILED, Wakes.WORKER, logs=False, attention=_TOLD, keeps=_keeps("due_at")
    ),
    Transition(
        FAILED, Trigger.MADE_TOO_LATE, FAILED, Wakes.WORKER, logs=False, attention=_TOLD, keeps=_keeps("due_at")
    ),
    # The marketplace cancels.
    Transition(CONFIRMED, Trigger.CANCELLATION_BEGUN, CANCELLING, Wakes.NOBODY, logs=False),
    Transition(PENDING, Trigger.CANCELLED_IN_DOUBT, CANCELLING, Wakes.NOBODY, logs=False),
    # The looks at the club go on as they began, and come to their end, however often the marketplace asks.
    Transition(
        UNKNOWN, Trigger.CANCELLED_IN_DOUBT, CANCELLING, Wakes.NOBODY, logs=False, keeps=_keeps("due_at", "tries")
    ),
    Transition(CANCELLING, Trigger.IDENTIFIED, CANCELLING, Wakes.NOBODY, logs=False),
    Transition(CONFIRMED, Trigger.CANCELLATION_FAILED, CANCELLING, Wakes.NOBODY),
    Transition(CANCELLING, Trigger.CANCELLATION_FAILED, CANCELLING, Wakes.NOBODY),
    Transition(CONFIRMED, Trigger.CANCELLATION_FAILED_AGAIN, CANCELLING, Wakes.NOBODY, keeps=_keeps("due_at", "tries")),
    Transition(
        CANCELLING, Trigger.CANCELLATION_FAILED_AGAIN, CANCELLING, Wakes.NOBODY, keeps=_keeps("due_at", "tries")
    ),
    Transition(CANCELLING, Trigger.CANCELLATION_REFUSED, CONFIRMED, Wakes.NOBODY, logs=False),
    Transition(CANCELLING, Trigger.CANCELLATION_ENDED, CONFIRMED, Wakes.READER, attention=_TOLD),
    Transition(CONFIRMED, Trigger.CANCELLED, CANCELLED, Wakes.READER),
    Transition(CANCELLING, Trigger.CANCELLED, CANCELLED, Wakes.READER),
    Transition(UNKNOWN, Trigger.CANCELLED, CANCELLED, Wakes.READER),
    Transition(FAILED, Trigger.CANCELLED, CANCELLED, Wakes.READER),
    # The club changes it.
    Transition(CONFIRMED, Trigger.ENDED_BY_CLUB, CANCELLED, Wakes.READER, attention=_OVER),
    Transition(CONFIRMED, Trigger.MOVED_BY_CLUB, CONFIRMED, Wakes.READER, logs=False, attention=_MOVED),
)
"""Every way in which an entry changes."""

_BY: Final = MappingProxyType({(one.state, one.trigger): one for one in TRANSITIONS})


@dataclass(frozen=True, slots=True)
class TransitionResult:
    """A transition that was written: the entry before it, and as it stands in the store now."""

    transition: Transition
    before: Entry
    after: Entry


def advance(
    connection: Connection,
    entry_id: str,
    trigger: Trigger,
    now: int,
    was: str | None = None,
    **changes: Unpack[EntryChanges],
) -> TransitionResult | None:
    """Write what happened to an entry; None, and nothing changes, where nothing of the kind may happen to it as it is.

    So it is with one that is gone, and with one that is in another state than `was`, the state in which it was looked
    at, by now. `now` is in milliseconds since 1970; what `changes` does not name stays.
    """
    before = entry(connection, entry_id, hold=True)
    if before is None or was not in {None, before.state}:
        return None
    transition = _BY.get((before.state, trigger))
    if transition is None:
        return None
    written: EntryChanges = {name: value for name, value in changes.items() if name not in transition.keeps}  # type: ignore[assignment]
    if not settle(connection, entry_id, (transition.state,), transition.next, now, **written):
        return None
    after = entry(connection, entry_id)
    return None if after is None else TransitionResult(transition, before, after)
