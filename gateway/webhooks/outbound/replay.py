"""Replays at work: begun for the operator, carried on batch by batch until all is delivered or given up.

Any number of gateways may carry on the same replay: each batch is one transaction. Nothing here sends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gateway.store.database import Database, Transaction
from gateway.store.deliveries import replays, subscriptions
from gateway.store.deliveries.replays import Job, ReplaySelection
from gateway.store.events.events import DELIVERIES
from gateway.store.loop import Loop
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, NotMapped

BATCH = 100
"""Events whose deliveries are made in one transaction."""
MOST_PENDING = 500
"""Deliveries of one replay that may wait at the same time: what happens now must not stand behind all of the past."""
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Replays:
    """Replays of a store. `now` gives milliseconds since 1970, `fresh` a new id with this prefix.

    `chance` gives numbers from 0 to below 1.
    """

    database: Database
    now: Callable[[], int]
    fresh: Callable[[str], str]
    chance: Callable[[], float] = lambda: 0.5

    async def begin(self, wanted: ReplaySelection) -> Job:
        """Begin a replay, and give it as it begins.

        Raises NotMapped when there is no such event or subscription, GatewayError (INVALID_STATE) when the subscription
        is disabled, StoreUnavailable.
        """

        def work(connection: Transaction) -> Job:
            if wanted.subscription is not None:
                _must_listen(connection, wanted.subscription)
            if wanted.event is not None and not replays.is_known(connection, wanted.event):
                raise NotMapped("Event not found, or no longer kept.")
            return replays.begin(connection, self.fresh("job"), wanted, self.now())

        return await self.database.write(work, tells=DELIVERIES)

    async def cancel(self, key: str) -> Job:
        """End a replay and give it.

        Raises NotMapped, GatewayError (INVALID_STATE) when it has ended already, StoreUnavailable.
        """

        def work(connection: Transaction) -> Job:
            cancelled = replays.cancel(connection, key, self.now())
            found = replays.job(connection, key)
            if found is None:
                raise NotMapped("Job not found.")
            if not cancelled:
                raise GatewayError("The job has ended.", code="INVALID_STATE")
            return found

        return await self.database.write(work)

    async def step(self) -> None:
        """Carry on every running replay by a batch, and end those that are through. Raises StoreUnavailable."""
        for key in await self.database.read(replays.running):
            job = await self.database.read(partial(replays.job, key=key))
            if job is None:
                continue
            pending = job.counts.get("pending", 0)
            if job.after < job.upto and pending < MOST_PENDING:
                await self.database.write(partial(self._advance, key=key), tells=DELIVERIES)
            elif job.after >= job.upto and not pending:  # told to nobody: whoever is told looks here again
                ended = await self.database.write(partial(self._advance, key=key))
                if ended is not None and ended.state == replays.DONE:
                    logs.replay_done(job=ended.id, total=ended.total, counts=ended.counts)

    async def run(self) -> None:
        """Carry on replays for ever, also after the store was out of reach."""
        loop = Loop("replay", [DELIVERIES], retry=_LOOK_SECONDS, chance=self.chance)
        await loop.run(self._turn, self.database)

    async def _turn(self) -> float:
        await self.step()
        return _LOOK_SECONDS

    def _advance(self, connection: Transaction, key: str) -> Job | None:
        return replays.advance(connection, key, self.now(), self.fresh, BATCH, MOST_PENDING)


def _must_listen(connection: Transaction, key: str) -> None:
    found = subscriptions.one(connection, key)
    if found is None:
        raise NotMapped("Subscription not found.")
    if found.state != subscriptions.ACTIVE:
        raise GatewayError("The subscription is disabled: enable it first.", code="INVALID_STATE")
