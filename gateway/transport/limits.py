"""How often a provider is asked, and by how many calls at once: every attempt passes the gate of its connection.

Calls of one class wait inside their deadline: those of one caller in the order in which they came, and the callers take
turns. One that could not be in time is refused at once, before anything was sent. Nothing here sends, and nothing is
known of what an answer means: whoever reads it says when the provider asked for a pause.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from gateway.computation.fair_shares import Shares
from gateway.transport.client import CONNECTIONS_PER_HOST
from gateway.transport.quota import Clock, Quota
from gateway.values.errors import TooManyCalls
from gateway.values.messages import Json, Response
from gateway.values.rates import LimitsPlan, Rate

Sleep = Callable[[float], Awaitable[None]]

SHORTEST_PAUSE = 1.0
LONGEST_GUESS = 60.0
"""Seconds of pause when the provider did not say how long, or nobody can read it: doubled from pause to pause."""

LONGEST_PAUSE = 300.0
"""Seconds. A provider that asks for more is asked again after these."""

CONNECTION_CALLS = 32
"""Calls of one connection under way at the same time, whatever its mapping says: half of a host's connections."""
CALLER_CALLS = 16
"""Calls of one connection that one caller has under way at the same time; the gateway's own count as one caller's."""
HOST_CALLS = CONNECTIONS_PER_HOST
"""Calls to one host under way at the same time: of those that wait, each connection has its turn."""

_LEAST = 0.001
"""Seconds slept at least: the end of a window is a sum that may round to a moment before it."""


@dataclass(slots=True)
class _Lane:
    """The calls of one class. Who holds `front` is the next to go; of those behind it, each caller has its turn."""

    rate: Rate | None
    front: Shares = field(default_factory=lambda: Shares(1))
    paused_until: float = -math.inf
    guess: float = 0.0
    """The last pause that the provider gave no length for, in seconds; 0 after an answer that was none."""


@dataclass(frozen=True, slots=True)
class _Wait:
    """Seconds until a call may be made, as the provider's pause has it and as the rate has it; never too many."""

    paused: float
    full: float

    @property
    def seconds(self) -> float:
        return max(self.paused, self.full)


class Gate:
    """The gate of one connection. `limits` is what its mapping says."""

    def __init__(
        self, name: str, limits: LimitsPlan, quota: Quota, clock: Clock, sleep: Sleep, calls: Shares | None = None
    ) -> None:
        self.limits = limits
        self._calls = calls if calls is not None else _calls()
        self._name = name
        self._quota = quota
        self._clock = clock
        self._sleep = sleep
        self._lanes: dict[str, _Lane] = {}
        self._places = asyncio.Semaphore(limits.concurrency) if limits.concurrency is not None else None

    def enters(self, limit: str, caller: str) -> bool:
        """Count one more call of a class if nothing is to be waited for, as with most providers; `leave` must follow.

        Whatever has a rate or places of its mapping is for `enter`.
        """
        lane = self._lane(limit)
        if lane.rate is not None or self._places is not None or lane.front.ahead(caller):
            return False
        return self._clock() >= lane.paused_until and self._calls.enters(caller)

    async def enter(self, limit: str, deadline: float, caller: str = "") -> None:
        """Wait until the caller may make one more call of the class `limit`, and count it; `leave` must follow.

        Raises TooManyCalls when that cannot be before `deadline`, a reading of the clock: at once where it can be
        foreseen. A wait that is cancelled leaves its place to the next.
        """
        await self._pace(limit, deadline, caller)
        if self._calls.enters(caller):
            return
        entered = False
        try:
            async with asyncio.timeout(deadline - self._clock()):
                await self._calls.enter(caller)
            entered = True
        except TimeoutError:
            detail = "Too many calls to this provider were under way."
            told = {
                "rate_class": limit,
                "concurrency": self._calls.places,
                "concurrency_of_a_caller": self._calls.share,
            }
            raise TooManyCalls(detail, details={"limit": told}, retry_after=SHORTEST_PAUSE) from None
        finally:
            if not entered:
                self._release()

    async def _pace(self, limit: str, deadline: float, caller: str) -> None:
        """Wait as the mapping's rates and places have it; of those that wait, each caller has its turn."""
        lane = self._lane(limit)
        ahead = lane.front.ahead(caller)
        if ahead:
            self._foresee(limit, lane, await self._wait(limit, lane, ahead), deadline)
        elif lane.rate is None and self._places is None and self._clock() >= lane.paused_until:
            return  # nothing to wait for, as with most providers
        try:
            async with asyncio.timeout(deadline - self._clock()), lane.front.place(caller):
                await self._pass(limit, lane, deadline)
        except TimeoutError:
            detail = "Too many calls to this provider were waiting before this one."
            raise self._refusal(limit, lane, detail, SHORTEST_PAUSE) from None

    def leave(self, caller: str = "") -> None:
        """Make room for the next call."""
        self._calls.leave(caller)
        self._release()

    def _release(self) -> None:
        if self._places is not None:
            self._places.release()

    def slowed(self, limit: str, seconds: float | None) -> None:
        """Pause a class: the provider said that these were too many. `seconds` is what it asked for, if it did."""
        lane, now = self._lane(limit), self._clock()
        if seconds is None:
            if now >= lane.paused_until:  # one that was under way when the pause began says nothing new
                lane.guess = min(lane.guess * 2 or SHORTEST_PAUSE, LONGEST_GUESS)
            seconds = lane.guess or SHORTEST_PAUSE
        lane.paused_until = max(lane.paused_until, now + min(seconds, LONGEST_PAUSE))

    def answered(self, limit: str) -> None:
        """Note an answer that asked for no pause: the next guess is a short one again."""
        lane = self._lane(limit)
        if lane.guess and self._clock() >= lane.paused_until:
            lane.guess = 0.0

    def _lane(self, limit: str) -> _Lane:
        lane = self._lanes.get(limit)
        if lane is None:
            lane = self._lanes[limit] = _Lane(self.limits.rates.get(limit))
        return lane

    def _key(self, limit: str) -> str:
        return f"{self._name}/{limit}"

    async def _wait(self, limit: str, lane: _Lane, ahead: int) -> _Wait:
        """What a call has to wait that `ahead` others are before."""
        full = 0.0 if lane.rate is None else await self._quota.delay(lane.rate, self._key(limit), ahead)
        return _Wait(max(0.0, lane.paused_until - self._clock()), full)

    async def _pass(self, limit: str, lane: _Lane, deadline: float) -> None:
        """Go through as the first of the class: with a place, and only then with the right to make a call now."""
        while True:
            wait = await self._wait(limit, lane, 0)
            if wait.seconds <= 0 and await self._take(limit, lane):
                return
            self._foresee(limit, lane, wait, deadline)
            await self._sleep(max(wait.seconds, _LEAST))

    async def _take(self, limit: str, lane: _Lane) -> bool:
        """Take a place and count the call. False, with nothing taken, after a new pause or when another was quicker."""
        if self._places is not None:
            await self._places.acquire()
        taken = False
        try:
            if self._clock() >= lane.paused_until:
                taken = lane.rate is None or await self._quota.take(lane.rate, self._key(limit))
        finally:
            if not taken:
                self._release()
        return taken

    def _foresee(self, limit: str, lane: _Lane, wait: _Wait, deadline: float) -> None:
        """Refuse a call that has to wait longer than it has time."""
        if wait.seconds <= 0 or self._clock() + wait.seconds <= deadline:
            return
        if wait.paused >= wait.full:
            detail = "The provider asked for a pause, which ends after the time for this call."
        else:
            detail = "The rate of calls to this provider is used up until after the time for this call."
        raise self._refusal(limit, lane, detail, wait.seconds)

    def _refusal(self, limit: str, lane: _Lane, detail: str, seconds: float) -> TooManyCalls:
        told: dict[str, Json] = {"rate_class": limit}
        if lane.rate is not None:
            told["rate"] = lane.rate.text
        if self.limits.concurrency is not None:
            told["concurrency"] = self.limits.concurrency
        return TooManyCalls(detail, details={"limit": told}, retry_after=seconds)


class Gates:
    """The gates of all connections, by name. One whose mapping or limits stay the same keeps its gate."""

    def __init__(self, clock: Clock, *, quota: Quota | None = None, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._quota = quota if quota is not None else Quota(clock)
        self._sleep = sleep
        self._gates: dict[str, Gate] = {}
        self._calls: dict[str, Shares] = {}
        self._hosts: dict[str, Shares] = {}

    def of(self, name: str, limits: LimitsPlan) -> Gate:
        """Give the gate of a connection."""
        gate = self._gates.get(name)
        if gate is None or gate.limits != limits:
            gate = self._gates[name] = Gate(
                name, limits, self._quota, self._clock, self._sleep, self._calls.setdefault(name, _calls())
            )
        return gate

    def places(self, host: str) -> Shares:
        """Give the places at a host, for who need not wait; the others wait with `at_host`."""
        found = self._hosts.get(host)
        if found is None:
            found = self._hosts[host] = Shares(HOST_CALLS)
        return found

    async def at_host(self, host: str, connection: str, deadline: float) -> Shares:
        """Take one of the places at a host, which all connections to it share fairly; the connection must leave it.

        Raises TooManyCalls.
        """
        places = self.places(host)
        if places.enters(connection):
            return places
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                await places.enter(connection)
        except TimeoutError:
            detail = "Too many calls to this provider's host were under way."
            told = {"host_concurrency": places.places}
            raise TooManyCalls(detail, details={"limit": told}, retry_after=SHORTEST_PAUSE) from None
        return places


def _calls() -> Shares:
    """Make the bound of a connection whose mapping may say none."""
    return Shares(CONNECTION_CALLS, CALLER_CALLS)


class GatedRequest(Protocol):
    """What passes a gate."""

    @property
    def limit(self) -> str:
        """The class of rate that it counts against."""

    @property
    def deadline(self) -> float:
        """Until when it may wait, a reading of the clock, in seconds."""

    @property
    def caller(self) -> str:
        """Whose it is."""


_Gated = TypeVar("_Gated", bound=GatedRequest)


def limit(send: Callable[[_Gated], Awaitable[Response]], gate: Gate) -> Callable[[_Gated], Awaitable[Response]]:
    """Wrap `send` so that whatever it sends passes the gate before its deadline; its answer makes room for the next."""

    async def sending(exchange: _Gated) -> Response:
        if not gate.enters(exchange.limit, exchange.caller):
            await gate.enter(exchange.limit, exchange.deadline, exchange.caller)
        try:
            return await send(exchange)
        finally:
            gate.leave(exchange.caller)

    return sending
