"""So many at once, shared fairly: those who wait are let in by key, each in turn, and none has more than its share.

Nothing here knows what is waited for.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Shares:
    """`places` for all, of which one key holds at most `share` (all of them without one)."""

    def __init__(self, places: int, share: int | None = None) -> None:
        self.places = places
        self.share = share if share is not None else places
        self._held: dict[str, int] = {}
        self._taken = 0
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def __repr__(self) -> str:
        return f"Shares({self._taken} of {self.places} taken, {sum(self.waiting().values())} waiting)"

    def waiting(self) -> dict[str, int]:
        """Tell how many of each key wait."""
        return {key: len(line) for key, line in self._waiting.items()}

    def ahead(self, key: str) -> int:
        """Tell how many would have their turn before one of this key that comes now: each of the others in turn."""
        if not self._waiting:
            return self._taken
        own = len(self._waiting.get(key, ()))
        others = sum(min(len(line), own + 1) for other, line in self._waiting.items() if other != key)
        return self._taken + own + others

    def enters(self, key: str) -> bool:
        """Take a place, if nobody need wait for it; then `leave` must follow."""
        if key in self._waiting or not self._fits(key):
            return False
        self._take(key)
        return True

    async def enter(self, key: str) -> None:
        """Wait for a place and take it; `leave` must follow. A wait that is cancelled leaves its turn to the next."""
        if self.enters(key):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(key)
            else:
                self._drop(key, turn)
            raise

    def leave(self, key: str) -> None:
        """Give a place back."""
        self._taken -= 1
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]
        while self._waiting and (following := self._following()) is not None:
            line = self._waiting[following]
            turn = line.popleft()
            self._waiting.move_to_end(following)
            if not line:
                del self._waiting[following]
            if not turn.done():
                self._take(following)
                turn.set_result(None)

    @asynccontextmanager
    async def place(self, key: str) -> AsyncIterator[None]:
        """Hold a place for as long as the context lasts."""
        await self.enter(key)
        try:
            yield
        finally:
            self.leave(key)

    def _following(self) -> str | None:
        """Give whose turn is next."""
        return next((one for one in self._waiting if self._fits(one)), None)

    def _fits(self, key: str) -> bool:
        return self._taken < self.places and self._held.get(key, 0) < self.share

    def _take(self, key: str) -> None:
        self._taken += 1
        self._held[key] = self._held.get(key, 0) + 1

    def _drop(self, key: str, turn: asyncio.Future[None]) -> None:
        line = self._waiting.get(key)
        if line is not None and turn in line:
            line.remove(turn)
            if not line:
                del self._waiting[key]
