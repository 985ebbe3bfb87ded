"""Where computations run: a short one at once, a long one in a thread, so that the event loop goes on meanwhile.

How long one will be is not known before. So each begins on the event loop, which costs nothing, and is ended there
after a hundredth of a second and begun anew in a thread; what is known to be long begins there. Computations are pure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar, TypeVarTuple

from gateway.computation.budget import Effort, HandOver
from gateway.computation.fair_shares import Shares
from gateway.computation.threads import offloaded

LARGE_BYTES: Final = 32 * 1024
"""What is made of more bytes than these begins in a thread."""
_AT_ONCE: Final = 2
"""Computations of one process in threads at a time: they share one interpreter with the event loop."""

_T = TypeVar("_T")
_Given = TypeVarTuple("_Given")


class Compute(Protocol):
    """Runs a pure function somewhere and gives what it gives; `large` says that it will take long."""

    async def __call__(self, function: Callable[[*_Given], _T], /, *given: *_Given, large: bool = False) -> _T:
        """Raise what the function raises, or that its time is used up."""


class Workers:
    """The threads for long computations, shared fairly by those who compute."""

    def __init__(self) -> None:
        self._turns = Shares(_AT_ONCE, 1)

    async def run(self, who: str, effort: Effort, function: Callable[[], _T], *, large: bool = False) -> _T:
        """Compute for somebody, a connection: at once where it is short, else as `apart` does."""
        if not large:
            try:
                return effort.at_once(function, asyncio.get_running_loop().time)
            except HandOver:
                pass
        return await self.apart(who, effort, function)

    async def apart(self, who: str, effort: Effort, function: Callable[[], _T]) -> _T:
        """Compute in a thread: of those who wait, each has its turn, and nobody has all the threads.

        Raises what the function raises, and PROVIDER_TIMEOUT, or WINDOW_TOO_LARGE after a long while, when the time is
        used up before or while it runs in a thread. After that, or when the caller is cancelled, it ends at its next
        step.
        """
        clock = asyncio.get_running_loop().time
        begun = clock()
        deadline = begun + effort.left
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.enter(who)
            try:
                begun = clock()
                return await offloaded(lambda: effort.apart(function), deadline)
            finally:
                self._turns.leave(who)
        except TimeoutError:
            raise effort.late(clock() - begun) from None


@dataclass(slots=True)
class Computing:
    """Where the pure parts of one call are computed, a Compute: all of them together have its time and its bounds."""

    workers: Workers
    who: str
    """Among whom the threads are shared: a connection."""
    effort: Effort

    async def __call__(self, function: Callable[[*_Given], _T], /, *given: *_Given, large: bool = False) -> _T:
        """Compute, and raise what `Workers.run` raises."""
        work = partial(function, *given)
        if not large:  # as `Workers.run` does, and nothing is awaited
            try:
                return self.effort.at_once(work, asyncio.get_running_loop().time)
            except HandOver:
                pass
        return await self.workers.apart(self.who, self.effort, work)
