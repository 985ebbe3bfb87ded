"""The marketplace told what has changed: the latest state of every slot, in batches, until it has taken them.

The outbox is what the marketplace was told last, kept beside what is true: a slot that changes twice while the
marketplace is away is told once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.links.context import LEDGER, LinkContext, unpack
from gateway.links.link import Link
from gateway.links.slots.payloads import resource
from gateway.store.database import Transaction
from gateway.store.links import links, offers
from gateway.store.links.offers import StoredOffer
from gateway.telemetry import logs
from gateway.values.errors import GatewayError
from gateway.values.messages import Json

BATCH = 100
"""Slots that one push tells."""
_MOST = 50
"""Pushes in a row, before anything else is looked at."""
_ALL = 100_000
_ENOUGH = 2
"""Slots that are refused by themselves, one after the other, before it is seen that every one is."""
_PAUSES = (5.0, 30.0, 120.0, 600.0)
"""Seconds before the next try, the more the more have failed."""
_REFUSED = frozenset({"PROVIDER_AUTH_FAILED", "UNSUPPORTED_OPERATION"})
"""What no other slot would change: nothing is sent until the longest pause is over."""


async def push(
    context: LinkContext, link: Link, failures: int, seconds: float, held: Callable[[], Awaitable[bool]]
) -> None:
    """Tell the marketplace what waits. Each push may take so many seconds, and none begins unless `held` says so.

    Of a batch that is refused each half is tried, down to the slot that is to blame. Where one slot after the other is
    refused and none is taken, all that waits is put aside: it is not the slots. Raises StoreUnavailable.
    """
    course = _Course(failures)
    for _ in range(_MOST):
        read = partial(offers.waiting, link=link.name, now=context.now(), most=course.most)
        rows = await context.database.read(read)
        if not rows or not await held():
            return
        if await _drop_unsold(context, link, rows):
            continue
        try:
            outcome = await _send(context, link, rows, seconds)
        except GatewayError as error:
            if not await course.go_on(context, link, rows, error):
                return
            continue
        refused = {one["id"]: one["reason"] for one in outcome["rejected"]}
        await context.database.write(partial(_tell, context=context, link=link, rows=rows, refused=refused))
        logs.link_pushed(link=link.name, slots=len(rows) - len(refused), refused=len(refused))
        course.succeed()


@dataclass(slots=True)
class _Course:
    """How pushes in a row go: failures before, slots of the next one, and refusals of single ones since a success."""

    failures: int
    most: int = BATCH
    refusals: int = 0

    def succeed(self) -> None:
        """Take the next push for a sound one."""
        self.failures, self.most, self.refusals = 0, min(2 * self.most, BATCH), 0

    async def go_on(self, context: LinkContext, link: Link, rows: Sequence[StoredOffer], error: GatewayError) -> bool:
        """Write that a push failed, unless a part of it may be taken; tells whether another is tried at once."""
        final = _is_final(context, error)
        if final and len(rows) > 1:  # one of them may be what is refused: the others are not lost
            self.most = len(rows) // 2
            return True
        self.refusals += final
        if self.refusals == _ENOUGH:
            rows = await context.database.read(partial(offers.waiting, link=link.name, now=context.now(), most=_ALL))
        await _fail(context, link, rows, error, self.failures)
        self.most = BATCH
        return self.refusals not in {0, _ENOUGH}


async def _drop_unsold(context: LinkContext, link: Link, rows: Sequence[StoredOffer]) -> bool:
    """Forget slots of courts that the configuration has no longer, of which nothing is known any more."""
    sold = {one.facility_id for one in link.settings.facilities}
    unsold = [row for row in rows if row.facility not in sold]
    if unsold:
        await context.database.write(partial(_unsold, link=link, rows=unsold))
    return bool(unsold)


async def _send(context: LinkContext, link: Link, rows: Sequence[StoredOffer], seconds: float) -> Json:
    """Tell the marketplace these states. Raises GatewayError."""
    # It may be taken though its answer is lost, or the gateway dies: what is true again by then is told again.
    known = [(row.facility, row.start_at) for row in rows if row.told is not None]
    if known:
        await context.database.write(partial(offers.doubt, link=link.name, which=known))
    return await context.call(link.peer, "slots.push", _give(link, rows), context.asking(seconds))


def _unsold(store: Transaction, link: Link, rows: Sequence[StoredOffer]) -> None:
    for row in rows:
        offers.drop(store, link.name, row.facility, [row.start_at])


def _give(link: Link, rows: Sequence[StoredOffer]) -> dict[str, Json]:
    courts = {row.facility for row in rows}
    return {
        "slots": unpack([row.state for row in rows]),
        "resources": [resource(one, link.zone) for one in link.settings.facilities if one.facility_id in courts],
    }


def _tell(
    store: Transaction, context: LinkContext, link: Link, rows: Sequence[StoredOffer], refused: dict[str, str]
) -> None:
    """Write what the marketplace took, and what it did not take and why."""
    slots = unpack([row.state for row in rows])
    pairs = [(slot["id"], (row.facility, row.start_at, row.digest)) for slot, row in zip(slots, rows, strict=True)]
    offers.tell(store, link.name, [what for key, what in pairs if key not in refused], context.now())
    for key, what in pairs:
        if key in refused:
            offers.park(store, link.name, [what], refused[key])
    links.note(store, link.name, pushed_at=context.now(), push_reason=None, push_failures=0, push_due_at=0)


def _is_final(context: LinkContext, error: GatewayError) -> bool:
    """Tell whether what is told, and not the telling, is refused: the same will never be taken."""
    return not context.passing(error) and error.code != "OUTCOME_UNKNOWN" and error.code not in _REFUSED


async def _fail(
    context: LinkContext, link: Link, rows: Sequence[StoredOffer], error: GatewayError, failures: int
) -> None:
    """Write that the marketplace did not take a push, and when it is tried again.

    What it will never take is put aside as it is, and told to the operator: it would keep back everything behind it.
    """
    final = _is_final(context, error)
    reason = error.explanation
    last = len(_PAUSES) - 1
    wait = _PAUSES[last if error.code in _REFUSED else min(failures, last)]
    wait = max(wait, min(error.retry_after or 0.0, _PAUSES[last]))
    due = context.now() + int(wait * 1000)

    def work(store: Transaction) -> None:
        if final:
            offers.park(store, link.name, [(row.facility, row.start_at, row.digest) for row in rows], reason)
        links.note(store, link.name, push_reason=reason, push_failures=failures + 1, push_due_at=due)

    await context.database.write(work, tells=LEDGER)
    logs.link_failed(link=link.name, what="push", reason=reason, seconds=wait)
    if failures == 0 and (final or error.code in _REFUSED):
        logs.link_attention(link=link.name, entry="", reason=f"the marketplace refuses what it is told: {reason}")
