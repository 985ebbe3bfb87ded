"""What is no longer kept goes, a batch at a time, while the gateway runs. What waits to be delivered always stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.store.database import Database
from gateway.store.events import doubts
from gateway.store.loop import Loop
from gateway.store.retention import forget_bookings, prune
from gateway.telemetry import logs

_PAUSE = 600.0
"""Seconds between one look and the next."""
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Retention:
    """Keeps `days` days and `rows` events. `now` gives milliseconds since 1970, `chance` numbers from 0 to below 1."""

    database: Database
    now: Callable[[], int]
    days: int
    rows: int
    chance: Callable[[], float] = lambda: 0.5

    async def run(self) -> None:
        """Look after the store for ever, also after it was out of reach."""
        await Loop("housekeeping", chance=self.chance).run(self._turn, self.database)

    async def _turn(self) -> float:
        await self.tidy()
        return _PAUSE

    async def tidy(self) -> None:
        """Remove all that is too old or too much, in batches between which others write. Raises StoreUnavailable."""
        more = True
        while more:
            now, age = self.now(), self.days * _DAY
            pruned = await self.database.write(lambda connection: prune(connection, now, age, self.rows))  # noqa: B023
            gone = await self.database.write(lambda connection: forget_bookings(connection, now - age))  # noqa: B023
            await self.database.write(lambda connection: doubts.prune(connection, now - age))  # noqa: B023
            more = pruned.more
            if pruned.events or pruned.receipts or gone:
                logs.pruned(events=pruned.events, receipts=pruned.receipts, bookings=gone)
