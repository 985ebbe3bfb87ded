"""The loop of a worker: it does a turn again and again, and waits in between until there may be more to do.

One loop works for one connection, link or job of the gateway's own. None of them may end the process, nor another loop:
a turn that meets a defect of ours is logged and counted, and this loop alone waits. While the store is out of reach a
loop says so once, and goes on by itself once it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.store.database import RETRY_SECONDS, Database
from gateway.telemetry import logs
from gateway.values.errors import StoreUnavailable

LONGEST: Final = 600.0
"""Seconds that a loop waits at most, however often it failed."""
_SPREAD: Final = 0.1
"""By so much of itself a wait after a failure is longer or shorter, so that what failed together comes back apart."""


@dataclass(slots=True)
class Outage:
    """Whether the store is out of reach for a worker, which is logged once, under this name."""

    name: str
    begun: bool = False

    def begin(self, error: StoreUnavailable) -> None:
        """Say that the worker waits, unless it does so already."""
        if not self.begun:
            logs.worker_paused(loop=self.name, reason=str(error))
        self.begun = True

    def end(self) -> None:
        """Note that the store was used again."""
        self.begun = False


@dataclass(slots=True)
class Loop:
    """The loop of one worker: `await Loop("replay", wakes=["deliveries"]).run(turn, database)`.

    `name` names it in the log. A commit that tells of one of the topics `wakes`, or whoever sets `woken`, ends a wait.
    `longest` is how long it waits at most after defects, `retry` how long while the store is out of reach, by default
    as long as the store says; both in seconds. `chance` gives numbers from 0 to below 1. Loops with a
    `shared` outage tell of it once.
    """

    name: str
    wakes: Sequence[str] = ()
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    longest: float = LONGEST
    retry: float | None = None
    chance: Callable[[], float] = lambda: 0.5
    shared: Outage | None = None
    outage: Outage = field(init=False)
    defects: int = field(default=0, init=False)
    """How many turns in a row met one; 0 when the last one did not."""
    _stopped: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self.outage = Outage(self.name) if self.shared is None else self.shared

    async def run(self, turn: Callable[[], Awaitable[float]], database: Database, *, after: float = 0.0) -> None:
        """Do turns until `stop`, the first one so many seconds from now. A turn gives the seconds until the next."""
        unheard = [database.listen(topic, self.woken.set) for topic in self.wakes]
        wait = after
        try:
            while True:
                await self._pause(wait)
                if self._stopped.is_set():
                    return
                self.woken.clear()  # before the turn, so that nothing that comes meanwhile is missed
                wait = await self.turn(turn())
        finally:
            for one in unheard:
                one()

    async def turn(self, work: Awaitable[float]) -> float:
        """Do one turn and give the seconds until the next: those it gives, or a pause that doubles while it fails.

        Only a cancellation leaves it.
        """
        try:
            wait = await work
        except StoreUnavailable as error:
            self.defects = 0
            self.outage.begin(error)
            return self._spread(self.retry or error.retry_after or RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever is wrong in one loop must not end the others
            self.defects += 1
            pause = self._spread(min(2.0 ** min(self.defects - 1, 30), self.longest))
            logs.worker_crashed(loop=self.name, times=self.defects, seconds=pause, error=error)
            return pause
        self.defects = 0
        self.outage.end()
        return wait

    def stop(self) -> None:
        """End the loop after the turn that is under way."""
        self._stopped.set()
        self.woken.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopped.is_set()

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until there is something to do: after a defect that would only meet the same again."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(seconds):
                await (self._stopped if self.defects else self.woken).wait()
        except TimeoutError:
            return

    def _spread(self, seconds: float) -> float:
        return seconds * (1 - _SPREAD + 2 * _SPREAD * self.chance())
