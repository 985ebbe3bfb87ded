"""How many attempts may be under way: for each endpoint, for those that fail, and in all. Nothing here sends.

An endpoint that hangs holds only its own places. One that fails is tried with one place, and all that fail together
have no more than half of the places there are: whoever is sound always finds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.store.deliveries.deliveries import DueSubscription


@dataclass(slots=True)
class _EndpointLoad:
    """One endpoint: its attempts under way, and how many more the rate lets begin, as of the moment `since`."""

    tokens: float
    since: float
    running: int = 0
    failing: bool = False


@dataclass(slots=True)
class ConcurrencyLimiter:
    """The places. `clock` is monotonic, in seconds; `per_second` attempts begin at one endpoint in a second."""

    clock: Callable[[], float]
    per_endpoint: int
    in_all: int
    per_second: float
    _lanes: dict[str, _EndpointLoad] = field(default_factory=dict)

    def share(self, ready: Iterable[DueSubscription]) -> dict[str, int]:
        """Give how many deliveries of each endpoint may be begun now; who has least under way comes first."""
        due = list(ready)
        for one in due:
            self._lane(one.subscription).failing = one.failing
        free = self.in_all - sum(lane.running for lane in self._lanes.values())
        half = max(1, self.in_all // 2)
        free_failing = half - sum(lane.running for lane in self._lanes.values() if lane.failing)
        found = {}
        for one in sorted(due, key=lambda one: self._lanes[one.subscription].running):
            lane = self._lanes[one.subscription]
            most = min(1, free_failing + lane.running) if one.failing else self.per_endpoint
            room = min(most - lane.running, free, int(lane.tokens))
            if room > 0:
                found[one.subscription] = room
                free -= room
                free_failing -= room if one.failing else 0
        return found

    def wait(self, ready: Iterable[DueSubscription]) -> float:
        """Give the seconds until the rate lets another attempt begin at one that is ready; infinity for none."""
        short = [self._lane(one.subscription).tokens for one in ready]
        return min(((1 - tokens) / self.per_second for tokens in short if tokens < 1), default=float("inf"))

    def enter(self, subscription: str) -> None:
        """Count an attempt that begins."""
        lane = self._lane(subscription)
        lane.running += 1
        lane.tokens -= 1

    def leave(self, subscription: str) -> None:
        """Count an attempt that ended."""
        self._lane(subscription).running -= 1
        idle = [key for key, lane in self._lanes.items() if not lane.running and self._fill(lane) >= self._burst]
        for key in idle:
            del self._lanes[key]

    @property
    def _burst(self) -> float:
        return max(1.0, self.per_second)

    def _lane(self, subscription: str) -> _EndpointLoad:
        lane = self._lanes.setdefault(subscription, _EndpointLoad(self._burst, self.clock()))
        lane.tokens, lane.since = self._fill(lane), self.clock()
        return lane

    def _fill(self, lane: _EndpointLoad) -> float:
        return min(self._burst, lane.tokens + max(0.0, self.clock() - lane.since) * self.per_second)
