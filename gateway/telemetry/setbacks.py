"""What keeps a loop alive: a turn of it that meets a defect of ours is logged and counted, and this loop alone waits.

One loop works for one connection, link or job of the gateway's own. None of them may end the process, nor another loop.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final

from gateway.telemetry import logs

LONGEST: Final = 600.0
"""Seconds that a loop waits at most, however often it failed."""


@dataclass(slots=True)
class Setbacks:
    """The defects of one loop in a row: `wait = await setbacks.turn(self._turn())` again and again.

    `loop` names it in the log; `longest` is in seconds.
    """

    loop: str
    longest: float = LONGEST
    times: int = 0
    """How many turns in a row failed; 0 when the last one did not."""

    async def turn(self, work: Awaitable[float]) -> float:
        """Do one turn and give the seconds until the next: those it gives, or a pause that doubles while it fails.

        Only a cancellation leaves it.
        """
        try:
            wait = await work
        except Exception as error:  # noqa: BLE001 - whatever is wrong in one loop must not end the others
            self.times += 1
            pause = min(2.0 ** min(self.times - 1, 30), self.longest)
            logs.loop_crashed(loop=self.loop, times=self.times, seconds=pause, error=error)
            return pause
        self.times = 0
        return wait
