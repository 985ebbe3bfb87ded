"""Long computations beside the event loop: a thread computes, the loop goes on, and nobody waits past a deadline.

Only for pure work: it must change nothing that others see. The work is Python, so that the interpreter lets the loop go
on every few milliseconds (`sys.getswitchinterval`). A thread cannot be killed: what computes for long says `checkpoint`
now and then, which ends it once nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Final, TypeVar

_T = TypeVar("_T")

_THREADS: Final = 2
"""They share one interpreter with the loop: more would not compute faster, and the loop would wait longer."""
_pool: Final = ThreadPoolExecutor(_THREADS, "offload")  # not the loop's own, where host names are looked up
_given_up: Final[contextvars.ContextVar[Event | None]] = contextvars.ContextVar("given_up", default=None)


class Abandoned(Exception):
    """Nobody waits for this computation any more. Raised by `checkpoint`, and never seen by who asked for the work."""


async def offloaded(work: Callable[[], _T], deadline: float) -> _T:
    """Compute in a thread and give the result, or raise what `work` raises.

    `deadline` is a reading of the event loop's clock, in seconds. Raises TimeoutError when it passes before the work is
    done, the wait for a free thread included. After that, or when the caller is cancelled, the work ends at its next
    `checkpoint`.
    """
    loop = asyncio.get_running_loop()
    given_up = Event()
    context = contextvars.copy_context()
    context.run(_given_up.set, given_up)
    try:
        async with asyncio.timeout_at(deadline):
            return await loop.run_in_executor(_pool, context.run, work)
    finally:
        given_up.set()


def checkpoint() -> None:
    """End a computation that nobody waits for any more; does nothing outside of `offloaded`. Raises Abandoned."""
    given_up = _given_up.get()
    if given_up is not None and given_up.is_set():
        raise Abandoned
