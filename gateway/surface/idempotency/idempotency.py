"""Writes that a caller may repeat: the answer to an Idempotency-Key is kept and given again (IETF draft-07).

A key is taken before anything is sent. What came to no end, because the process died or could not write it down, is an
unknown outcome, and so is a write whose answer was lost: a repeat looks first. What was done is given, what was not
done is done now, by one of those who ask; what nobody knows is never sent again, for that could book twice. An answer
that says nothing happened for now (429, 5xx) is not kept, so that the repeat is a new try.

Nothing is forgotten before its time: each caller has a share, and one that has used it up is refused new keys.
The keys live in the store: a restart and every replica know them, unless that store is in memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from gateway.store import keys
from gateway.store.database import Database, Transaction
from gateway.store.keys import IdempotentRequest, KeyRecord, KeyUsage
from gateway.surface.http.responses import Answer
from gateway.surface.idempotency.written import Outcome, decode, encode, final, unknown
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, OutcomeUnknown, StoreUnavailable, TooManyCalls

Look: TypeAlias = Callable[[KeyRecord], Awaitable[Answer | None]]
"""Looks what became of a request in doubt: gives the answer of what was done, and None where nothing was.

Raises OutcomeUnknown where nobody can tell, or not yet.
"""

KEEP_SECONDS = 86_400.0
MARGIN_SECONDS = 10.0
"""How long after the end of its time a request may still write down its outcome before it counts as dead."""

_RETRY_SECONDS = 1.0
_PRUNE_EVERY = 200
_PRUNE_BATCH = 500
"""More go at once than have come in between, so that the number of keys falls."""
_COUNT_EVERY = 200
"""New keys of a caller after which they are counted anew: other replicas take keys as well."""
_FULL_BATCH = 10_000
_FULL_MILLISECONDS = 60_000
"""How long a caller that has used up its share is refused without another look."""
_LOST = "The request came to no end that is known: look before you repeat it."


@dataclass(frozen=True, slots=True)
class Share:
    """What the keys of one caller may use."""

    rows: int
    size: int
    """Bytes of requests in doubt and of answers."""

    def refuse(self, oldest: int, keep: int, now: int) -> TooManyCalls:
        """Make the error for a caller that has used it up; times are in milliseconds."""
        told = "Your Idempotency-Keys of the last 24 hours have used up your share: none is forgotten before its time."
        limit = {"idempotency_keys": self.rows, "bytes": self.size}
        return TooManyCalls(told, details={"limit": limit}, retry_after=max(1.0, (oldest + keep - now) / 1000))


STORED = Share(250_000, 512 * 1024 * 1024)
"""Of a caller in a store: about three keys a second through a whole day."""
IN_MEMORY = Share(10_000, 16 * 1024 * 1024)
"""Of a caller in a store that is in memory."""


@dataclass(slots=True)
class _Tally:
    """What a caller's keys use as far as this process knows. `fresh` were taken since they were counted."""

    used: KeyUsage
    fresh: int = 0
    full_until: int = 0


class Ledger:
    """The answers kept in the store, where a restart and other replicas find them: under one key one request is made.

    `now` gives milliseconds since 1970 and `fresh` a new id. `timeout` is how many seconds a call may take: what has no
    outcome by then, and a margin, died with its process; where that is known earlier, it is in doubt from then on.
    After `keep` seconds a key is forgotten. `share` is what a caller may use; by default what suits the store.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], int],
        fresh: Callable[[str], str],
        timeout: float,
        keep: float = KEEP_SECONDS,
        share: Share | None = None,
    ) -> None:
        self.now = now
        self._fresh = fresh
        self._hold = hold_of(timeout)
        self._keep = round(keep * 1000)
        self._process = database.process
        self._database = database
        self._share = share or (IN_MEMORY if database.in_memory else STORED)
        self._taken = itertools.count()
        self._tallies: dict[str, _Tally] = {}

    def __repr__(self) -> str:
        return f"Ledger({self._database!r})"

    async def once(
        self, asked: IdempotentRequest, perform: Callable[[], Awaitable[Outcome]], look: Look | None = None
    ) -> tuple[Outcome, bool]:
        """Perform the request, or give what it was answered with before, and True.

        Of one in doubt `look` decides; without it, nobody knows. Raises GatewayError IDEMPOTENCY_KEY_REUSED when the
        key came with another request, IDEMPOTENCY_IN_PROGRESS while there is no answer, OutcomeUnknown when nobody
        knows it, TooManyCalls when the caller's share is used up, and StoreUnavailable when the key cannot be taken
        now; in all these cases nothing is sent.
        """
        now = self.now()
        new = KeyRecord(self._fresh("op"), asked, began_at=now, until=now + self._hold, holder=self._process)
        old = await self._take(new, now - self._keep)
        if old is not None:
            if old.asked.fingerprint != asked.fingerprint:
                raise GatewayError("", code="IDEMPOTENCY_KEY_REUSED")
            known = decode(old.outcome) if old.outcome is not None else None
            if known is not None and not unknown(known):
                return known, True
            if old.under_way(now):
                raise _in_progress()
            answer = await self._look_up(old, known, look)
            if answer is not None:
                return answer, True
            now = self.now()
            new = replace(new, id=old.id, began_at=now, until=now + self._hold, lease=old.lease + 1)
            if not await self._try_again(old, new):
                raise _in_progress()
        outcome = None
        try:
            outcome = _name(await perform(), new.id)
        finally:  # also when it was cut off: something may have been sent
            if old is not None and outcome is not None and not final(outcome):
                await self._settle(replace(new, began_at=old.began_at), None)  # as it was: the first try is in doubt
            else:
                await self._settle(new, outcome)
        return outcome, False

    async def _look_up(self, old: KeyRecord, known: Outcome | None, look: Look | None) -> Outcome | None:
        """Give what a request in doubt did; None when that is nothing. Raises OutcomeUnknown."""
        try:
            answer = await look(old) if look is not None else _nobody()
        except OutcomeUnknown as error:
            if known is None and old.id:
                raise error.copy_with(details={**error.details, "operation": old.id}) from error
            if known is None:
                raise
            wait = {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}
            assert not isinstance(known, Answer)  # noqa: S101 - it is unknown
            return replace(known, headers={**known.headers, **wait})
        if answer is not None:
            await self._settle(old, answer)
        return answer

    async def _take(self, new: KeyRecord, forget: int) -> KeyRecord | None:
        """Take the key; or give what stands under it, unless that began before `forget` and is not under way."""
        if next(self._taken) % _PRUNE_EVERY == 0:
            await self._database.write(lambda store: keys.prune(store, new.began_at, forget, _PRUNE_BATCH))

        def work(store: Transaction) -> KeyRecord | None:
            old = keys.begin(store, new, forget)
            if old is None:
                self._charge(store, new, forget)  # what it raises takes the key back
            return old

        return await self._database.write(work)

    async def _try_again(self, old: KeyRecord, new: KeyRecord) -> bool:
        """Put the next try of a request in the place of the last one; False when another one has been begun."""
        return await self._database.write(lambda store: keys.again(store, old, new))

    async def _settle(self, begun: KeyRecord, outcome: Outcome | None) -> None:
        """Keep the outcome, or forget the key when the outcome is not final; None leaves it in doubt."""
        kept, size = True, 0
        try:
            if outcome is None:
                await self._database.write(lambda store: keys.doubt(store, begun))
            elif final(outcome):
                data, settled = encode(outcome), not unknown(outcome)
                size = len(data)
                kept = await self._database.write(lambda store: keys.finish(store, begun, data, settled=settled))
            else:
                await self._database.write(lambda store: keys.drop(store, begun))
        except StoreUnavailable:  # the caller is answered all the same; a repeat is told that nobody knows
            kept = False
        if not kept:
            asked = begun.asked
            logs.outcome_not_kept(connection=asked.connection, operation=asked.operation, try_id=begun.id)
        tally = self._tallies.get(begun.asked.owner)
        if tally is not None:
            tally.used = replace(tally.used, size=tally.used.size + size)

    def _charge(self, store: Transaction, new: KeyRecord, forget: int) -> None:
        """Count a new key to its caller. Raises TooManyCalls when the share is used up.

        The keys are not counted each time: with several replicas a share may be passed by some hundred keys.
        """
        now, owner = new.began_at, new.asked.owner
        tally = self._tallies.get(owner)
        full = tally is not None and self._is_full(tally.used)
        if tally is None or tally.fresh >= _COUNT_EVERY or (full and now >= tally.full_until):
            while full and keys.prune(store, now, forget, _FULL_BATCH) == _FULL_BATCH:
                pass
            tally = self._tallies[owner] = _Tally(keys.use(store, owner))  # with the new one
            tally.used = replace(tally.used, rows=tally.used.rows - 1)
        if self._is_full(tally.used):
            oldest = now if tally.used.oldest is None else tally.used.oldest
            error = self._share.refuse(oldest, self._keep, now)
            tally.full_until = min(oldest + self._keep, now + _FULL_MILLISECONDS)
            raise error
        tally.fresh += 1
        tally.used = replace(tally.used, rows=tally.used.rows + 1, size=tally.used.size + len(new.asked.request))

    def _is_full(self, used: KeyUsage) -> bool:
        return used.rows >= self._share.rows or used.size >= self._share.size


def hold_of(timeout: float) -> int:
    """Give the milliseconds after which a request that may take `timeout` seconds has ended, or died."""
    return round((timeout + MARGIN_SECONDS) * 1000)


def _in_progress() -> GatewayError:
    return GatewayError("", code="IDEMPOTENCY_IN_PROGRESS", retry_after=_RETRY_SECONDS)


def _nobody() -> Answer:
    raise OutcomeUnknown(_LOST)


def _name(outcome: Outcome, id_: str) -> Outcome:
    """Tell with an unknown outcome by which id it can be asked for."""
    if not isinstance(outcome, Answer) and unknown(outcome) and id_:
        return replace(outcome, details={**outcome.details, "operation": id_})
    return outcome
