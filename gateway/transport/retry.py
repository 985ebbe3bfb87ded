"""Which attempts are made again, and when. The effect of a call decides, never its HTTP verb.

A call that changes nothing may be repeated; one that may be repeated without harm only when it certainly was not sent;
one that writes never. Nothing here sends, and an answer that an error rule knows is an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from gateway.values.errors import ProviderUnavailable, TooManyCalls
from gateway.values.messages import Effect

T = TypeVar("T")

FIRST_PAUSE = 0.25
"""Seconds before the first repetition at most; doubled from one to the next."""

PASSING = frozenset({500, 502, 503, 504})
"""The statuses that may pass (RFC 9110, section 15.6): callers are told of each that they may try again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is repeated, and by which clock. `chance` gives numbers from 0 to below 1.

    Half of every pause is by chance, so that calls that failed together do not come back together.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    chance: Callable[[], float]
    retries: int = 2

    def pause(self, tries: int) -> float:
        """Seconds to wait after so many attempts, one or more."""
        return FIRST_PAUSE * (1 << tries - 1) * (0.5 + self.chance() / 2)


async def repeat(attempt: Callable[[], Awaitable[T]], effect: Effect, deadline: float, patience: Patience) -> T:
    """Make an attempt, and again while that may help and there is time before `deadline`, a reading of the clock.

    Raises what the last attempt raised; when the gateway's own limits leave no room for another, what the provider did.
    """
    tries = 0
    failure: ProviderUnavailable | None = None
    while True:
        try:
            return await attempt()
        except ProviderUnavailable as error:
            failure = error
        except TooManyCalls:
            if failure is None:
                raise
            break
        tries += 1
        if tries > patience.retries or not may_repeat(failure, effect):
            break
        pause = max(patience.pause(tries), failure.retry_after or 0.0)
        if patience.clock() + pause >= deadline:
            break
        await patience.sleep(pause)
    raise failure


def may_repeat(failure: ProviderUnavailable, effect: Effect) -> bool:
    """Tell whether a call of this effect may be made again after this failure."""
    if effect is Effect.SAFE:
        return failure.status is None or failure.status in PASSING
    return effect is Effect.IDEMPOTENT and not failure.sent
