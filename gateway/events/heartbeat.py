"""The life sign of this gateway, and a look at those of the others on its store: what a dead one held is given back.

On SQLite a lock tells a gateway that starts whether it is alone; if so, whatever is held there was held by the dead.
Otherwise, and on PostgreSQL, who has not beaten for some looks in a row is taken for dead. A gateway that was only
paused comes to know of it by its next beat; until then the counts of the claims keep it from overwriting anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from gateway.store.database import Database
from gateway.store.events.events import DELIVERIES
from gateway.store.loop import Loop
from gateway.store.processes import processes
from gateway.store.processes.presence import Presence
from gateway.telemetry import logs
from gateway.values.errors import StoreUnavailable

INTERVAL: Final = 2.0
"""Seconds between one beat and the next."""
MISSED: Final = 5
"""Looks in a row without a new beat after which a process is dead: with the look before them, 12 seconds at most.

Looks are counted, and no time: while the store is out of reach nobody can beat, and nobody can look.
"""


@dataclass(slots=True)
class Heartbeat:
    """`async with Heartbeat(database, now) as heart: create_task(heart.run())`, before anything is claimed.

    `now` gives milliseconds since 1970; `interval` is in seconds; `chance` gives numbers from 0 to below 1.
    Raises StoreUnavailable when it cannot begin.
    """

    database: Database
    now: Callable[[], int]
    interval: float = INTERVAL
    missed: int = MISSED
    chance: Callable[[], float] = lambda: 0.5
    _presence: Presence | None = field(default=None, init=False)
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)
    """How often each process had beaten at the last look, and how many looks in a row found it so."""

    async def __aenter__(self) -> Self:
        file = self.database.file
        self._presence = None if file is None else Presence(file)
        try:
            if self._presence is not None:
                if self._presence.enter():
                    self._tell(await self.database.write(processes.bury_all))
                await self._presence.share()
            await self._beat()
        except BaseException:
            self._leave_lock()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(StoreUnavailable):  # then the others find it dead
            await self.database.write(lambda store: processes.leave(store, self.database.process))
        self._leave_lock()

    async def run(self) -> None:
        """Beat, and look at the others, until cancelled; also after the store was out of reach."""
        loop = Loop("heartbeat", longest=self.interval, retry=self.interval, chance=self.chance)
        await loop.run(self._turn, self.database, after=self.interval)

    async def _turn(self) -> float:
        if not await self._beat():
            logs.process_paused(process=self.database.process)
        await self.look()
        return self.interval

    async def look(self) -> None:
        """Look once at the beats of the others, and give back what the dead ones held. Raises StoreUnavailable."""
        beats = await self.database.read(processes.beats)
        beats.pop(self.database.process, None)
        before, self._seen = self._seen, {}
        for process, number in beats.items():
            last, times = before.get(process, (None, 0))
            self._seen[process] = (number, times + 1 if number == last else 0)
        dead = {process: number for process, (number, times) in self._seen.items() if times >= self.missed}
        if dead:
            self._tell(await self.database.write(lambda store: processes.bury(store, dead), tells=DELIVERIES))

    async def _beat(self) -> bool:
        now, process = self.now(), self.database.process
        return await self.database.write(lambda store: processes.beat(store, process, now))

    def _tell(self, gone: int) -> None:
        if gone:
            logs.processes_dead(count=gone)

    def _leave_lock(self) -> None:
        if self._presence is not None:
            self._presence.leave()
