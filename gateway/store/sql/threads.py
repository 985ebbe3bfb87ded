"""Threads for what blocks: a piece of work goes there and its result comes back, at half of what an executor costs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
_Piece: TypeAlias = tuple[Callable[[], Any], asyncio.Future[Any]]


class Threads:
    """So many threads, which take pieces of work in the order in which they come: `await threads.do(work)`."""

    def __init__(self, count: int, name: str) -> None:
        self._pieces: SimpleQueue[_Piece | None] = SimpleQueue()
        self._threads = [Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(count)]
        for one in self._threads:
            one.start()

    def __repr__(self) -> str:
        return f"Threads({len(self._threads)}, {self._pieces.qsize()} waiting)"

    async def do(self, work: Callable[[], T]) -> T:
        """Do `work` in one of the threads, and give or raise what it does. Who stops waiting does not stop it."""
        ended: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._pieces.put((work, ended))
        return await ended

    async def close(self) -> None:
        """Wait for all that was given, and end the threads."""
        for _ in self._threads:
            self._pieces.put(None)
        for one in self._threads:
            await asyncio.to_thread(one.join)

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            work, ended = piece
            result, failure = None, None
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - it is raised where the work was asked for
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop has gone, and whoever waited with it
                ended.get_loop().call_soon_threadsafe(_settle, ended, result, failure)
            del piece, work, ended, result, failure  # nothing is held while there is nothing to do


def _settle(ended: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    """Hand over a result, if somebody still waits for it."""
    if ended.done():
        return
    if failure is None:
        ended.set_result(result)
    else:
        ended.set_exception(failure)
