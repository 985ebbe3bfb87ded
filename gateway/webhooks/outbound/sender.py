"""Events on their way to those who subscribed: claimed, signed, sent, and the outcome written down.

Every delivery is made at least once, in the order of its booking, with the same id and body in every attempt. What is
lost with a process comes up again when that is found dead, at the latest when its lease runs out. Nothing here knows
what an event means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from gateway.store.database import Database, Transaction
from gateway.store.deliveries import deliveries, subscriptions
from gateway.store.deliveries.deliveries import DEAD, DELIVERED, Attempt, ClaimedDelivery, Result
from gateway.store.events.events import DELIVERIES, EVENTS
from gateway.store.loop import Loop
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, StoreUnavailable
from gateway.values.messages import Send
from gateway.values.secrets import Redactor
from gateway.webhooks.outbound.attempts import (
    Answer,
    Patience,
    Verdict,
    answer_of,
    judge,
    keys_of,
    no_answer,
    request_of,
)
from gateway.webhooks.outbound.concurrency import ConcurrencyLimiter

T = TypeVar("T")

MOST_CLAIMS: Final = 100
"""A delivery claimed so often that is still not finished ends the process that has it, or meets a defect of ours."""
LEASE_MARGIN: Final = 30.0
"""Seconds beyond the time of an attempt in which its outcome can be written."""
_LEAP: Final = 60.0
"""Seconds by which the two clocks may part before the wall clock counts as put forward or back."""
_LONGEST_SETBACK: Final = 30.0
"""Seconds that all deliveries wait at most after a round that met a defect of ours."""
_MEND: Final = 60.0
"""Seconds between one look for what wrong clocks and removed subscriptions left behind and the next."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The bounds of sending. Times are in seconds."""

    timeout: float = 15.0
    """One attempt, from the connection to as much of the answer as is read."""
    per_endpoint: int = 4
    in_all: int = 64
    """Attempts under way."""
    per_second: float = 50.0
    """Attempts that begin at one endpoint: a large backlog is sent at this rate and not all at once."""
    disable_after: float = 5 * 86_400.0
    """How long an endpoint may take nothing before it is disabled."""
    keep: float = 7 * 86_400.0
    """How long what is pending for a disabled endpoint waits for it."""
    grace: float = 10.0
    """How long a stop waits for what is under way."""
    look: float = 1.0
    """How often the store is looked into without word of a commit: another replica may have written."""


@dataclass(frozen=True, slots=True)
class _RecordedResult:
    """Whether a result counted, and why the endpoint was disabled with it, if it was."""

    kept: bool
    disabled: str | None = None


@dataclass(slots=True)
class Dispatcher:
    """Sends what is due until it is stopped: `task = create_task(dispatcher.run())`, then `await dispatcher.stop()`.

    `now` gives milliseconds since 1970 and `clock` monotonic seconds, which all spans are measured by. `patience` is
    what is usual; a subscription may have its own schedule. `redactor` knows the gateway's secrets. It lives on while
    the store is out of reach, and any number of them may work on one store.
    """

    database: Database
    send: Send
    now: Callable[[], int]
    clock: Callable[[], float]
    patience: Patience
    redactor: Redactor
    pace: Pace = field(default_factory=Pace)
    _lanes: ConcurrencyLimiter = field(init=False)
    _running: dict[asyncio.Task[None], ClaimedDelivery] = field(default_factory=dict, init=False)
    _loop: Loop = field(init=False)
    _ended: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _mended: tuple[int, float] | None = field(default=None, init=False)
    """What both clocks told when the store was last looked over."""

    def __post_init__(self) -> None:
        self._lanes = ConcurrencyLimiter(self.clock, self.pace.per_endpoint, self.pace.in_all, self.pace.per_second)
        self._loop = Loop(
            "deliveries",
            [EVENTS, DELIVERIES],
            longest=_LONGEST_SETBACK,
            retry=self.pace.look,
            chance=self.patience.chance,
        )

    def __repr__(self) -> str:
        return f"Dispatcher({len(self._running)} under way{', stopping' if self._loop.stopping else ''})"

    async def run(self) -> None:
        """Send until `stop`. What is under way then has its grace to end; what remains is given back."""
        try:
            await self._loop.run(self._round, self.database)
            await self._drain()
        finally:
            for task in self._running:
                task.cancel()
            self._ended.set()

    async def stop(self) -> None:
        """Begin nothing more, and return once `run` has ended."""
        self._loop.stop()
        await self._ended.wait()

    async def _round(self) -> float:
        """Begin what may be begun now, and give the seconds until there may be more to do without word of it."""
        await self._mend()
        now = self.now()
        # Looked at together: what is claimed in between was due, and says nothing of what becomes due later.
        look = await self.database.read(lambda store: (deliveries.due(store, now), deliveries.next_due(store, now)))
        ready, then = look
        await self._begin(self._lanes.share(ready), now)
        soon = self.pace.look if then is None else max(0.0, then - self.now()) / 1000
        return min(self.pace.look, soon, self._lanes.wait(ready))

    async def _begin(self, rooms: dict[str, int], now: int) -> None:
        """Claim so many deliveries of each of these subscriptions, and begin their attempts."""
        if not rooms:
            return

        def work(connection: Transaction) -> list[ClaimedDelivery]:
            lease, me = self._lease(), self.database.process
            taken = (deliveries.claim(connection, key, now, lease, room, me) for key, room in rooms.items())
            return [one for some in taken for one in some]

        for claimed in await self.database.write(work):
            self._lanes.enter(claimed.endpoint.id)
            task = asyncio.create_task(self._attempt(claimed), name=claimed.id)
            self._running[task] = claimed
            task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        """Make room for the next attempt. A defect of ours ends one attempt; its delivery waits for its lease."""
        claimed = self._running.pop(task)
        self._lanes.leave(claimed.endpoint.id)
        self._loop.woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            logs.crashed(request=claimed.id, error=error)

    async def _attempt(self, claimed: ClaimedDelivery) -> None:
        """Send a delivery once and write down how it ended."""
        if claimed.lease > MOST_CLAIMS:
            given_up = Result(DEAD, self.now(), f"claimed {MOST_CLAIMS} times without an outcome")
            await self._write(lambda connection: deliveries.finish(connection, claimed, given_up, self.now()))
            return
        at, began = self.now(), self.clock()
        answer = await self._send(claimed, at)
        elapsed = self.clock() - began
        number = claimed.attempts + 1
        attempt = Attempt(number, at, round(elapsed * 1000), answer.outcome, answer.status, answer.excerpt)
        verdict = judge(answer, claimed, self.now(), self.patience)
        written = await self._write(lambda connection: self._record(connection, claimed, attempt, answer, verdict))
        if not written.kept:
            logs.delivery_late(delivery=claimed.id, attempt=number, outcome=answer.outcome)
            return
        logs.delivery_tried(
            state=verdict.state,
            delivery=claimed.id,
            about=claimed.event,
            subscription=claimed.endpoint.id,
            attempt=number,
            outcome=answer.outcome,
            status=answer.status,
            seconds=round(elapsed, 4),
            reason=verdict.reason,
            why=answer.why,
        )
        if answer.pause is not None:
            logs.delivery_paused(subscription=claimed.endpoint.id, seconds=answer.pause)
        if written.disabled is not None:
            logs.delivery_disabled(subscription=claimed.endpoint.id, reason=written.disabled)

    async def _send(self, claimed: ClaimedDelivery, at: int) -> Answer:
        """Make the exchange and say how it ended."""
        try:
            keys = keys_of(claimed.endpoint, at)
        except ValueError:
            return Answer("unsignable")
        try:
            response = await self.send(request_of(claimed, keys, at, self.pace.timeout))
            return answer_of(response, claimed.endpoint, self.redactor)
        except GatewayError as failure:
            return no_answer(failure)
        except Exception as error:  # noqa: BLE001 - counted as an attempt, or what an endpoint answers repeats it for ever
            logs.crashed(request=claimed.id, error=error)
            return Answer("defect", why=type(error).__name__)

    def _record(
        self, connection: Transaction, claimed: ClaimedDelivery, attempt: Attempt, answer: Answer, verdict: Verdict
    ) -> _RecordedResult:
        """Write an outcome, and what it says of the endpoint; of replays and tests only what the endpoint demands."""
        now, key = self.now(), claimed.endpoint.id
        result = Result(verdict.state, now + round(verdict.wait * 1000), verdict.reason)
        if not deliveries.record(connection, claimed, attempt, result):
            return _RecordedResult(kept=False)
        if answer.pause is not None:
            deliveries.pause(connection, key, now + round(answer.pause * 1000))
        reason = None
        if verdict.state == DELIVERED:
            deliveries.succeeded(connection, key, now)
        elif answer.outcome == "gone":
            reason = "the endpoint answered 410 Gone: it wants no more events"
        elif not claimed.job:
            span = now - deliveries.failed(connection, key, now)
            if span >= self.pace.disable_after * 1000:
                reason = f"the endpoint has taken nothing for {span // 3_600_000} hours"
        if reason is not None:
            subscriptions.disable(connection, key, reason)
        return _RecordedResult(kept=True, disabled=reason)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        """Write what must not be lost: again and again while the store is out of reach, which holds the place."""
        while True:
            try:
                return await self.database.write(work)
            except StoreUnavailable as error:
                self._loop.outage.begin(error)
            await asyncio.sleep(self.pace.look)

    async def _mend(self) -> None:
        """Look the store over at the start, now and then, and when the wall clock was put forward or back."""
        now, clock = self.now(), self.clock()
        leap = 0.0
        if self._mended is not None:
            leap = (now - self._mended[0]) / 1000 - (clock - self._mended[1])
            if abs(leap) < _LEAP and clock - self._mended[1] < _MEND:
                return

        def work(connection: Transaction) -> None:
            if abs(leap) >= _LEAP:
                deliveries.restart_health(connection, now)
            deliveries.mend(connection, now, self._lease())
            deliveries.expire(connection, now - round(self.pace.keep * 1000), now)

        await self.database.write(work)
        self._mended = now, clock
        if abs(leap) >= _LEAP:
            logs.delivery_clock(seconds=leap)

    async def _drain(self) -> None:
        """Wait for what is under way, and give back what does not end within the grace."""
        if self._running:
            await asyncio.wait(self._running, timeout=self.pace.grace)
        left = dict(self._running)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
            with suppress(StoreUnavailable):  # then the leases run out
                await self.database.write(lambda connection: deliveries.release(connection, left.values()))

    def _lease(self) -> int:
        return round((self.pace.timeout + LEASE_MARGIN) * 1000)
