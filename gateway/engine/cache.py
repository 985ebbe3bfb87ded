"""Answers that are kept for a while, and asked for once however many want them at the same time.

What may be kept, for how long and under which key is not known here. No error is kept: whoever waited for the same
answer is told, and the next call asks anew.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gateway.values.errors import ProviderUnavailable, TooManyCalls

MOST = 1_000
"""Answers kept at most; the one that was not asked for the longest goes first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked for. Nobody may change `value`: it is given to others as well.

    `said` is the clock's reading when the provider said the oldest part of it; None when all of it is of this call.
    """

    value: Any
    said: float | None


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: Answer
    until: float


class Cache:
    """Answers by key. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float], *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[str, _Entry] = OrderedDict()
        self._flights: dict[str, asyncio.Future[Answer]] = {}

    def __repr__(self) -> str:
        return f"Cache({len(self._kept)} kept, {len(self._flights)} asked for)"

    async def answer(self, key: str, seconds: float, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Give what is kept under `key`, or ask; an answer is kept for so many seconds from when it was asked for.

        One `ask` is under way for a key at a time, and goes on when the call that began it is cancelled. Raises what
        it raises; but a call that only waited asks again when what failed was the time or the room of the other.
        """
        while True:
            kept = self._kept.get(key)
            if kept is not None and self._clock() < kept.until:
                self._kept.move_to_end(key)
                return kept.answer
            flight = self._flights.get(key)
            begun = flight is None
            if flight is None:
                flight = self._begin(key, seconds, ask)
            try:
                return await asyncio.shield(flight)
            except TooManyCalls:
                if begun:
                    raise
            except ProviderUnavailable as error:
                if begun or error.code != "PROVIDER_TIMEOUT":
                    raise

    def _begin(self, key: str, seconds: float, ask: Callable[[], Awaitable[Answer]]) -> asyncio.Future[Answer]:
        flight = self._flights[key] = asyncio.ensure_future(self._fly(key, seconds, ask, self._clock()))

        def landed(flight: asyncio.Future[Answer]) -> None:
            del self._flights[key]
            if not flight.cancelled():
                flight.exception()  # seen, also when every call that waited was cancelled

        flight.add_done_callback(landed)
        return flight

    async def _fly(self, key: str, seconds: float, ask: Callable[[], Awaitable[Answer]], begun: float) -> Answer:
        answer = await ask()
        said = begun if answer.said is None else min(begun, answer.said)
        self._kept[key] = _Entry(Answer(answer.value, said), begun + seconds)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return answer
