"""Long computations beside the event loop: a thread computes, the loop goes on, and nobody waits past a deadline.

Only for pure work: it must change nothing that others see. The work is Python, so that the interpreter lets the loop go
on every few milliseconds (`sys.getswitchinterval`). A thread cannot be killed: what computes for long says `checkpoint`
now and then, which ends it once nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Final, TypeVar, TypeVarTuple

_T = TypeVar("_T")
_Given = TypeVarTuple("_Given")

_THREADS: Final = 2
"""They share one interpreter with the loop: more would not compute faster, and the loop would wait longer."""
_pool: Final = ThreadPoolExecutor(_THREADS, "offload")  # not the loop's own, where host names are looked up
_running: Final[list[None]] = []
"""One for each computation that somebody waits for."""
IN_A_ROW: Final = 20
"""Computations, one beginning before the other has ended, that go without a search for cycles."""
_in_a_row: Final[list[None]] = []
"""One for each that began since nothing was computed."""
_check: Final[contextvars.ContextVar[Callable[[], None] | None]] = contextvars.ContextVar("check", default=None)


class ComputationAbandoned(Exception):
    """Nobody waits for this computation any more. Raised by `checkpoint`, and never seen by who asked for the work."""


async def offloaded(work: Callable[[], _T], deadline: float) -> _T:
    """Compute in a thread and give the result, or raise what `work` raises.

    `deadline` is a reading of the event loop's clock, in seconds. Raises TimeoutError when it passes before the work is
    done, the wait for a free thread included. After that, or when the caller is cancelled, the work ends at its next
    `checkpoint`.
    """
    loop = asyncio.get_running_loop()
    given_up = Event()

    def check() -> None:
        if given_up.is_set():
            raise ComputationAbandoned

    context = contextvars.copy_context()
    context.run(_check.set, check)
    try:
        with _uncollected():
            async with asyncio.timeout_at(deadline):
                return await loop.run_in_executor(_pool, context.run, work)
    finally:
        given_up.set()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Leave the search for cycles until nothing is computed: over a large answer it holds the loop for a long while.

    What is computed here is data without cycles, which goes without that search. All else that the process does goes
    without it as well: where computations never cease, the search goes on after IN_A_ROW of them, or memory would fill.
    """
    _running.append(None)
    _in_a_row.append(None)
    if len(_in_a_row) <= IN_A_ROW:
        gc.disable()
    else:
        gc.enable()
    try:
        yield
    finally:
        _running.pop()
        if not _running:
            _in_a_row.clear()
            gc.enable()


def checked(work: Callable[[*_Given], _T], check: Callable[[], None], *given: *_Given) -> _T:
    """Compute here, with this `check` at every checkpoint: what it raises ends the work, and is raised."""
    before = _check.set(check)
    try:
        return work(*given)
    finally:
        _check.reset(before)


def checkpoint() -> None:
    """End a computation that nobody waits for any more; does nothing outside of one. Raises Abandoned."""
    check = _check.get()
    if check is not None:
        check()
