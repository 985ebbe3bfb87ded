"""The one way in which a link changes an entry of the ledger: written, then told as it was written, then seen to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from gateway.links.context import LEDGER, LinkContext
from gateway.links.link import Link
from gateway.store.database import Transaction
from gateway.store.links import transitions
from gateway.store.links.ledger import Entry, EntryChanges
from gateway.store.links.transitions import TransitionResult, Trigger, Wakes
from gateway.telemetry import logs


async def advance(
    context: LinkContext,
    link: Link,
    entry: Entry,
    trigger: Trigger,
    *,
    was: str | None = None,
    beside: Callable[[Transaction, Entry], None] | None = None,
    **changes: Unpack[EntryChanges],
) -> Entry | None:
    """Write what happened to an entry and give it as it is now; None where it does not happen to it as it stands.

    Then nothing is written, logged or woken: see `transitions.advance`, which knows `was`. `beside` writes what belongs
    into the same transaction, and is given the entry as it is now. Raises StoreUnavailable.
    """

    def work(store: Transaction) -> TransitionResult | None:
        done = transitions.advance(store, entry.id, trigger, context.now(), was, **changes)
        if done is not None and beside is not None:
            beside(store, done.after)
        return done

    done = await context.database.write(work, tells=LEDGER)
    if done is None:
        return None
    _log(done)
    _wake(context, link, done)
    return done.after


def _log(done: TransitionResult) -> None:
    now, told = done.after, done.transition.attention
    if done.transition.logs:
        logs.link_booking(link=now.link, entry=now.id, state=now.state, booking=now.booking)
    if told:
        logs.link_attention(link=now.link, entry=now.id, reason=told.format(reason=now.reason))


def _wake(context: LinkContext, link: Link, done: TransitionResult) -> None:
    match done.transition.wakes:
        case Wakes.WORKER:
            context.woken(link.name).set()
        case Wakes.READER:
            for one in (done.before, done.after):
                context.touch(link, one.start_at, one.end_at)
        case Wakes.NOBODY:
            pass
