"""Events of providers that send none: list, compare with what is known, publish what changed.

A poll that fails changes nothing: no list is not an empty list. Where several gateways share a store, one polls a
connection at a time, and what it found counts only while it holds the claim. Nothing here knows a provider.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from gateway.engine.catalog import Connection
from gateway.engine.engine import Engine
from gateway.events.listed import reading_of
from gateway.events.polling_window import Span, digest_of, interval_of, old_span, span_of
from gateway.events.publisher import Publisher, observe, observe_missing
from gateway.events.transitions import CHANGED
from gateway.mapping.checks.lapsing import lapsing
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.polling import PollingPlan
from gateway.model.model import arguments
from gateway.store.database import Transaction
from gateway.store.events.events import EVENTS, KnownState, known_between, publishing
from gateway.store.events.polls import Claim, claim, complete, due_at, fail, release
from gateway.store.loop import Loop, Outage
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, StoreUnavailable
from gateway.values.messages import Call, Json, Observation, Reply

POLL: Final = "poll"
"""The origin of what a list showed."""
_LOOK_SECONDS: Final = 1.0
"""How soon a new catalog, or a poll that another replica has left, is noticed at the latest."""
_SLACK_SECONDS: Final = 30.0
"""How much longer than its calls a poll is held: for storing what it found."""

_DEFECT: Final = "a defect of the gateway, whose trace is in the log"


@dataclass(frozen=True, slots=True)
class PollingSettings:
    """`interval`: seconds between polls of a connection, unless its mapping wants more; `timeout`: for one poll.

    `longest_pause`: seconds after which a poll that keeps failing is tried again, at most. `window_days`: how many days
    ahead are listed at most; None leaves it to the mappings. `chance` gives numbers from 0 to below 1.
    """

    interval: float = 60.0
    timeout: float = 120.0
    longest_pause: float = 900.0
    window_days: int | None = None
    chance: Callable[[], float] = lambda: 0.5


@dataclass(frozen=True, slots=True)
class Round:
    """What became of one poll: `told` events, or the `reason` of a failure, and when the next is due, in ms."""

    told: int
    reason: str
    due_at: int


@dataclass(frozen=True, slots=True)
class _PollResult:
    """What a poll found: the whole list, and what is not in it any more or has moved out of its window."""

    held: Claim
    began: int
    span: Span
    seen: Sequence[Observation]
    missing: Sequence[Observation]


def polling_of(connection: Connection) -> PollingPlan | None:
    """Give how a connection is polled; None where it has none, or its settings do not give it the list."""
    plan = connection.provider.polling
    return plan if plan is not None and plan.operation in connection.provider.operations else None


def tracked_fields(engine: Engine) -> Callable[[str], Sequence[str]]:
    """Give the function that tells which fields of a connection count, for a Publisher."""

    def of(name: str) -> Sequence[str]:
        connection = engine.catalog.connections.get(name)
        plan = connection.provider.polling if connection is not None else None
        return engine.model.changes.tracked if plan is None else plan.tracked

    return of


class Poller:
    """Polls every connection that is polled of the current catalog, each in a task of its own: `await poller.run()`.

    `clock` is that of the engine, in seconds; the publisher gives milliseconds since 1970.
    """

    def __init__(
        self, engine: Engine, publisher: Publisher, clock: Callable[[], float], settings: PollingSettings
    ) -> None:
        self._engine = engine
        self._publisher = publisher
        self._clock = clock
        self._settings = settings
        self._failures: dict[str, int] = {}
        self._outage = Outage("polling")

    async def run(self) -> None:
        """Poll until cancelled. Connections come and go with the catalog."""
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                wanted = {one.name for one in self._engine.catalog.connections.values() if polling_of(one) is not None}
                for name in tasks.keys() - wanted:
                    tasks.pop(name).cancel()
                for name in wanted:
                    if name not in tasks or tasks[name].done():
                        tasks[name] = asyncio.create_task(self._poll(name))
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    async def round(self, connection: Connection) -> Round | None:
        """Poll one connection if it is due and nobody else polls it; else None. Raises StoreUnavailable."""
        plan = polling_of(connection)
        if plan is None:
            return None
        if self._settings.window_days is not None:
            plan = replace(plan, after=min(plan.after, self._settings.window_days))
        database, began = self._publisher.database, self._publisher.now()
        until = began + int((self._settings.timeout + _SLACK_SECONDS) * 1000)
        held = await database.write(lambda store: claim(store, connection.name, began, until, database.process))
        if held is None:
            return None
        try:
            span = span_of(plan, connection.zone, began, held.complete_at)
            return await self._hold(connection, plan, _PollResult(held, began, span, (), ()))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - what one connection meets must not end the polls of the others
            logs.crashed(request=f"polling {connection.name}", error=error)
            return await self._fail(connection, plan, held, GatewayError(f"{_DEFECT} ({type(error).__name__})"))
        except asyncio.CancelledError:
            with contextlib.suppress(StoreUnavailable):  # then it ends by itself
                await database.write(lambda store: release(store, held))
            raise

    async def _hold(self, connection: Connection, plan: PollingPlan, found: _PollResult) -> Round | None:
        """Do what the claim allows."""
        deadline = self._clock() + self._settings.timeout
        try:
            reply = await self._list(connection, plan, found.span, deadline)
        except GatewayError as error:
            return await self._fail(connection, plan, found.held, error)
        about = (connection.name, connection.provider.name, POLL, CHANGED)
        unsure = frozenset(connection.provider.remembered)
        ends = lapsing(connection.provider.operations, plan.operation)
        found = replace(found, seen=[observe(*about, one, unsure, ends) for one in reply.data])
        if not reply.whole:  # who is not in a part of a list may be in the rest of it
            logs.polling_incomplete(connection=connection.name, listed=len(reply.data))
        elif plan.vanishes:
            found = replace(found, missing=await self._missing(connection, found, deadline))
        due = max(found.began + int(1000 * self._interval(connection, plan)), self._publisher.now())
        told = await self._publisher.database.write(
            lambda store: (
                self._tell(store, connection, plan, found)
                if complete(store, found.held, found.began, digest_of(plan, connection), due)
                else None
            ),
            tells=EVENTS,
            alone=[publishing(connection.name)],
        )
        if told is None:
            return None  # it took too long, and the poll is somebody else's
        baseline, failed = found.held.complete_at is None, self._failures.pop(connection.name, 0)
        if told or baseline or failed:
            logs.polling_done(connection=connection.name, listed=len(reply.data), events=told, baseline=baseline)
        return Round(told, "", due)

    async def _list(self, connection: Connection, plan: PollingPlan, span: Span, deadline: float) -> Reply:
        """List what is in the window, as far as the provider tells it; raises GatewayError."""
        operation = self._engine.model.operations[plan.operation]
        first, end = operation.window or ("", "")
        scope = {**connection.scope, "now": span.now}
        given = dict(build(plan.arguments, scope)) if plan.arguments is not None else {}
        given |= {first: span.first, end: span.end}
        call = self._call(connection, plan.operation, arguments(operation, given, connection.zone), deadline)
        return await self._engine.run(replace(call, parted=True))

    async def _missing(self, connection: Connection, found: _PollResult, deadline: float) -> list[Observation]:
        """Give what is known to be still to come and is not listed: vanished, or, where it can be asked for, moved."""
        listed = {one.subject for one in found.seen}
        start, end = max(found.span.start_ms, found.began + 1), found.span.end_ms
        there = await self._publisher.database.read(lambda store: known_between(store, connection.name, start, end))
        final = self._engine.model.changes.final
        status = self._engine.model.changes.status
        missing: list[Observation] = []
        for key, what in there.items():
            if key in listed or what.changed_at >= found.began or what.data.get(status) in final:
                continue
            try:
                missing.append(await self._looked_for(connection, found.span, key, what, deadline))
            except GatewayError:
                continue  # what could not be looked for now is missing in the next poll as well
        return missing

    async def _looked_for(
        self, connection: Connection, span: Span, key: str, what: KnownState, deadline: float
    ) -> Observation:
        """Look for one that is not listed: it may have moved out of the window, or become what is not listed."""
        about = (connection.name, connection.provider.name, POLL, CHANGED)
        gone = observe_missing(observe(*about, what.data))
        reading = reading_of(self._engine.model)
        if reading not in connection.provider.operations:
            return gone
        try:
            data = (await self._engine.run(self._call(connection, reading, {"id": key}, deadline))).data
        except GatewayError as error:
            if error.code == self._engine.model.operations[reading].not_found:
                return gone
            raise
        changes, unsure = self._engine.model.changes, frozenset(connection.provider.remembered)
        over = data.get(changes.status) in changes.final and changes.status not in unsure
        if not over and span.holds(data.get(changes.span[0])):
            return gone
        return observe(*about, {**data, "id": key}, unsure, lapsing(connection.provider.operations, reading))

    def _tell(self, store: Transaction, connection: Connection, plan: PollingPlan, found: _PollResult) -> int:
        """Publish what was found, inside of the transaction that completes the poll; gives how many events it told.

        What was there before it could be seen is no news: all of the first list, and of a list that is made or read in
        another way; of a window that has grown, what lies outside of the old one.
        """
        start = self._engine.model.changes.span[0]
        old = old_span(found.held.digest, plan, connection, found.began)
        quiet, loud = [*found.seen, *found.missing], list[Observation]()
        if old is not None:
            quiet = [one for one in found.seen if not old.holds(one.data.get(start))]
            loud = [*(one for one in found.seen if old.holds(one.data.get(start))), *found.missing]
        self._publisher.work(store, quiet, None, quiet=True, as_of=found.began)
        return len(self._publisher.work(store, loud, None, as_of=found.began).sequences)

    async def _fail(self, connection: Connection, plan: PollingPlan, held: Claim, error: GatewayError) -> Round | None:
        """Write down a poll that failed, and wait longer each time, up to the longest pause."""
        times = self._failures[connection.name] = self._failures.get(connection.name, 0) + 1
        interval = self._interval(connection, plan)
        pause = max(interval, min(interval * 2.0 ** min(times - 1, 30), self._settings.longest_pause))
        pause = max(pause, min(error.retry_after or 0.0, 2 * self._settings.longest_pause))
        due, reason = self._publisher.now() + int(pause * 1000), error.explanation
        if not await self._publisher.database.write(lambda store: fail(store, held, reason, due)):
            return None
        logs.polling_failed(connection=connection.name, reason=reason, seconds=pause)
        return Round(0, reason, due)

    def _interval(self, connection: Connection, plan: PollingPlan) -> float:
        return max(self._settings.interval, interval_of(plan, connection.provider))

    def _call(self, connection: Connection, operation: str, given: Mapping[str, Json], deadline: float) -> Call:
        return Call(connection.name, operation, given, self._publisher.fresh("poll"), deadline)

    async def _poll(self, name: str) -> None:
        """Poll one connection again and again."""
        loop = Loop(f"polling {name}", chance=self._settings.chance, shared=self._outage)
        await loop.run(partial(self._turn, name), self._publisher.database)

    async def _turn(self, name: str) -> float:
        """Poll a connection if it is due; gives the seconds to wait."""
        connection = self._engine.catalog.connections.get(name)
        if connection is None:
            return _LOOK_SECONDS
        due = await self._publisher.database.read(lambda store: due_at(store, name))
        if due <= self._publisher.now():
            await self.round(connection)
        left = (due - self._publisher.now()) / 1000
        return min(max(left, 0.05), _LOOK_SECONDS)
