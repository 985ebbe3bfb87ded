"""Who may write now: one write of a booking at a time, and one of what a mapping says a write is exclusive over.

A write looks before it changes, and its look counts only while nobody else changes the same thing. Turns are given in
the order in which they are asked for, and hold in this process alone; nothing here sends or knows what it guards.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias

from gateway.values.errors import TooManyCalls

Key: TypeAlias = tuple[str, ...]
"""What a turn is of: the connection, then what it is of there."""

EXCLUSIVE = "exclusive"
"""What stands second in the key of what a mapping says a write is exclusive over."""
MOST_WAITING = 100
"""Writes that wait for the same turn; one more is refused at once."""
_AGAIN_SECONDS = 1.0


@dataclass(slots=True)
class _Line:
    """Whoever holds or waits for a turn: `asked` counts all of them."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0


class Turns:
    """The turns of this process. `clock` is the event loop's, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lines: dict[Key, _Line] = {}
        self._written: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"Turns({len(self._lines)})"

    def turn(self, deadline: float) -> Turn:
        """Begin what takes turns before `deadline`, a reading of the clock: a context."""
        return Turn(self, deadline)

    def written(self, connection: str) -> int:
        """Give a number that is another one after every write through a connection, and after the beginning of one."""
        return self._written[connection]

    def write(self, connection: str) -> None:
        """Note that a write through a connection begins, or that all of it is done and written down."""
        self._written[connection] += 1

    async def enter(self, key: Key, deadline: float, *, patient: bool = True) -> None:
        """Wait for a turn; `leave` must follow. Raises TooManyCalls when it does not come in time.

        Who is not `patient` has it at once or not at all.
        """
        line = self._lines.setdefault(key, _Line())
        if line.asked > MOST_WAITING:
            raise _refusal("Too many writes of the same thing are waiting.")
        if line.asked and not patient:
            raise _refusal("Another write has what this one needs too, and may be waiting for what this one has.")
        line.asked += 1
        try:
            async with asyncio.timeout(deadline - self._clock()):
                await line.lock.acquire()
        except BaseException as error:
            self._leave(key, line)
            if isinstance(error, TimeoutError):
                raise _refusal("Another write of the same thing did not end in time.") from None
            raise

    def leave(self, key: Key) -> None:
        """Give the turn to the next."""
        line = self._lines[key]
        line.lock.release()
        self._leave(key, line)

    def _leave(self, key: Key, line: _Line) -> None:
        line.asked -= 1
        if not line.asked:
            del self._lines[key]


class Turn:
    """The turns that one call holds, up to the end of the context. Taking one twice is taking it once."""

    def __init__(self, turns: Turns, deadline: float) -> None:
        self._turns = turns
        self._deadline = deadline
        self._held: list[Key] = []
        self._writes: set[str] = set()
        self._taking: asyncio.Lock | None = None

    async def __aenter__(self) -> Self:
        """Hold nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back every turn."""
        for connection in self._writes:
            self._turns.write(connection)
        while self._held:
            self._turns.leave(self._held.pop())

    def writes(self, connection: str) -> None:
        """Note that this call writes there: what was read before its end is old."""
        self._writes.add(connection)
        self._turns.write(connection)

    def written(self, connection: str) -> int:
        """Give the number of `Turns.written`."""
        return self._turns.written(connection)

    async def take(self, keys: Iterable[Key]) -> None:
        """Wait for these turns, in one order for everybody, so that two calls never wait for each other's.

        What comes before something that is held already is not waited for: whoever has it may wait for that. Raises
        TooManyCalls (429) when it is not free, and when one of the others does not come before the deadline.
        """
        asked = set(keys)
        if not asked:
            return
        if self._taking is None:
            self._taking = asyncio.Lock()
        async with self._taking:  # steps of one call may go on at once: none may wait for what another of them is given
            for key in sorted(asked.difference(self._held), key=_order):
                patient = all(_order(held) < _order(key) for held in self._held)
                await self._turns.enter(key, self._deadline, patient=patient)
                self._held.append(key)


def _order(key: Key) -> tuple[bool, Key]:
    """The order in which everybody takes turns: first of the thing that is written, which is known before any step."""
    return EXCLUSIVE in key[1:2], key


def _refusal(detail: str) -> TooManyCalls:
    return TooManyCalls(
        detail, details={"limit": {"rate_class": "write", "concurrency": 1}}, retry_after=_AGAIN_SECONDS
    )
