"""How many calls of a class were made lately: in this process, or in a Redis that several gateways share.

The only place that knows the library `limits`. Nothing here waits for a free place or decides what a full window means.
A rate is a moving window: never more than its number in any period of its length, which no bucket with room for a
burst can promise.
"""

from __future__ import annotations

import importlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from gateway.telemetry import logs
from gateway.values.rates import Rate

Clock = Callable[[], float]
T = TypeVar("T")

STORE_SECONDS = 1.0
"""How long a call waits for the shared store, to connect and to answer, before it counts as out of reach."""

ALONE_SECONDS = 5.0
"""How long a store that was out of reach is left alone, so that not every call waits for it."""


class LocalWindows(MemoryStorage):
    """The windows of this process, on our clock.

    The library's own memory reads the time of day, which can be set back and would then refuse everything until it is
    the old time again, and tidies up in a thread at every call.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._passed: dict[str, deque[float]] = {}

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Note `amount` calls, unless there would be more than `limit` in the last `expiry` seconds."""
        passed = self._recent(key, expiry)
        if len(passed) + amount > limit:
            return False
        passed.extend([self._clock()] * amount)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - as declared
        """Give the time of the oldest call in the last `expiry` seconds, and how many there are."""
        passed = self._recent(key, expiry)
        return (passed[0] if passed else self._clock()), len(passed)

    def _recent(self, key: str, expiry: int) -> deque[float]:
        passed = self._passed.setdefault(key, deque())
        oldest = self._clock() - expiry
        while passed and passed[0] <= oldest:
            passed.popleft()
        return passed


@dataclass(frozen=True, slots=True)
class _Book:
    """Where calls are noted, and the clock that it is kept by."""

    limiter: MovingWindowRateLimiter
    clock: Clock


class Quota:
    """The calls made lately, by key. `clock` is monotonic; `shared` is a store with the clock that it is kept by.

    While the shared store is out of reach each gateway keeps to the rates by itself, which is logged, and not silent.
    """

    def __init__(self, clock: Clock, shared: tuple[RedisStorage, Clock] | None = None) -> None:
        self._clock = clock
        self._local = _Book(MovingWindowRateLimiter(LocalWindows(clock)), clock)
        self._shared = _Book(MovingWindowRateLimiter(shared[0]), shared[1]) if shared is not None else None
        self._alone_until = clock()

    async def take(self, rate: Rate, key: str) -> bool:
        """Note one call, if the rate allows one now."""
        return await self._ask(lambda book: book.limiter.hit(_item(rate), key))

    async def delay(self, rate: Rate, key: str, ahead: int) -> float:
        """Give the seconds until the rate may allow a call that `ahead` others are before; never too many."""

        async def asked(book: _Book) -> float:
            oldest_leaves, free = await book.limiter.get_window_stats(_item(rate), key)
            if ahead < free:
                return 0.0
            rounds = (ahead - free) // rate.amount
            return max(0.0, oldest_leaves - book.clock()) + rounds * rate.seconds

        return await self._ask(asked)

    async def _ask(self, question: Callable[[_Book], Awaitable[T]]) -> T:
        if self._shared is not None and self._clock() >= self._alone_until:
            try:
                return await question(self._shared)
            except StorageError as error:
                self._alone_until = self._clock() + ALONE_SECONDS
                logs.rate_limiter_degraded(reason=type(error.storage_error).__name__, seconds=ALONE_SECONDS)
        return await question(self._local)


def _item(rate: Rate) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(rate.amount, rate.seconds)


@asynccontextmanager
async def quota_of(url: str, clock: Clock, wall: Clock) -> AsyncIterator[Quota]:
    """Open the store that `limits_store` names: `memory://`, `redis://…` or `rediss://…`.

    `clock` is monotonic; `wall` is seconds since 1970, which gateways that share a store must agree on. Nothing is
    asked of the store before the first call.
    """
    if url == "memory://":
        yield Quota(clock)
        return
    client = importlib.import_module("redis.asyncio")  # an extra: only who shares a store needs it
    pool = client.ConnectionPool.from_url(url, socket_timeout=STORE_SECONDS, socket_connect_timeout=STORE_SECONDS)
    try:
        storage = RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="booking-gateway",
            connection_pool=pool,
        )
        yield Quota(clock, (storage, wall))
    finally:
        await pool.aclose()
