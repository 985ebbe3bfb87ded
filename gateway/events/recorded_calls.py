"""A call of a caller with what the gateway remembers: reads are completed from the store, writes are told at once.

The engine knows one call and no store; here the two meet. What a provider cannot tell is chosen by here and not by it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from gateway.computation.budget import spend
from gateway.engine.catalog import Connection
from gateway.engine.compensation import leaves_doubt
from gateway.engine.engine import Engine
from gateway.engine.tracing import Trace
from gateway.events.doubts import Doubts, PendingWrite
from gateway.events.known_state import GATEWAY, note, recall
from gateway.events.publisher import Publisher, beside
from gateway.model.model import Operation
from gateway.store.database import Database
from gateway.store.events.events import find
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, StoreUnavailable
from gateway.values.messages import Call, Effect, Json, Observation, Reply

_STATUS_CHANGED: Final = "connection.status_changed"
_USUAL: Final = "active"
"""The status that is no news of a connection that nobody was told anything of."""


@dataclass(frozen=True, slots=True)
class RecordedCalls:
    """Runs calls as the engine does, and remembers."""

    engine: Engine
    database: Database
    publisher: Publisher

    async def run(self, call: Call, trace: Trace | None = None, channel: str | None = None) -> Reply:
        """Answer one call; `channel` is where it came in, if not from a caller.

        A write that was done is answered as done even when the store cannot take its event: a poll or a webhook of the
        provider tells it later. Raises GatewayError, StoreUnavailable among it where only the store could tell.
        """
        operation = self.engine.model.operations.get(call.operation)
        if operation is None:
            return await self.engine.run(call, trace)
        connection = self.engine.connection(call.connection)
        if operation.effect is Effect.SAFE:
            return await self._read(connection, operation, call, trace)
        # The next write of the booking begins when this one is remembered, and not before.
        begun = PendingWrite()
        async with self.engine.turn(call) as turn:
            try:
                reply = await self.engine.run(call, trace, turn, partial(self._doubts.begin, connection, call, begun))
            except GatewayError as error:
                if not leaves_doubt(error):
                    await self._forget(connection, call, begun)
                raise begun.refused(error) from error
            return await self._note(connection, operation, call, reply, channel, begun)

    @property
    def _doubts(self) -> Doubts:
        return Doubts(self.engine, self.publisher)

    async def _forget(self, connection: Connection, call: Call, begun: PendingWrite) -> None:
        """Forget a write that was not done. What the store cannot take now counts as in doubt, and is looked for."""
        with contextlib.suppress(StoreUnavailable):
            await self._doubts.end(connection, call, begun, done=False)

    async def _note(
        self,
        connection: Connection,
        operation: Operation,
        call: Call,
        reply: Reply,
        channel: str | None,
        begun: PendingWrite,
    ) -> Reply:
        """Tell what a write did, and complete its reply with what is remembered."""
        try:
            told = await note(self.publisher, connection, call.operation, call.arguments, reply.data, channel)
            await self._doubts.end(connection, call, begun, done=True)
            if told is None or operation.gives != "one" or not self._of_bookings(operation):
                return reply
            (data,) = await recall(self.database, connection, [reply.data])
        except StoreUnavailable as error:
            about = {"request": call.request_id, "connection": call.connection, "operation": call.operation}
            logs.event_missed(**about, reason=error.explanation)
            return reply
        return replace(reply, data=data)

    async def found(self, connection: Connection, operation: str, data: Json) -> None:
        """Tell a write that was found to be done, after its answer was lost. What the store cannot take is logged."""
        try:
            await note(self.publisher, connection, operation, {}, data)
        except StoreUnavailable as error:
            about = {"request": "", "connection": connection.name, "operation": operation}
            logs.event_missed(**about, reason=error.explanation)

    async def stands(self, told: Mapping[str, Json]) -> None:
        """Tell how a connection stands, where that is another status than the last that anybody was told.

        `told` is the canonical Connection. What the store cannot take goes into the log alone: a call is not refused
        for that.
        """
        name, provider = str(told["id"]), str(told["provider"])
        seen = Observation(name, provider, GATEWAY, _STATUS_CHANGED, name, told)
        try:
            key = beside(self.engine.model.events[_STATUS_CHANGED], name)
            fresh = key not in await self.database.read(lambda store: find(store, name, [key]))
            await self.publisher.publish([seen], quiet=fresh and told["status"] == _USUAL)
        except StoreUnavailable as error:
            logs.event_missed(request="", connection=name, operation=_STATUS_CHANGED, reason=error.explanation)

    def _of_bookings(self, operation: Operation) -> bool:
        """Whether an operation gives what changes are told of and remembered."""
        return operation.resource is not None and operation.resource.name == self.engine.model.changes.resource

    async def _read(self, connection: Connection, operation: Operation, call: Call, trace: Trace | None) -> Reply:
        """Run a reading call; of what the provider does not tell, its rows are chosen after the store has spoken."""
        remembered = connection.provider.remembered
        if not remembered or not self._of_bookings(operation):
            return await self.engine.run(call, trace)
        withheld = {
            name: rule.test(call.arguments[name])
            for name, rule in operation.filters.items()
            if call.arguments.get(name) is not None
            and {field.split(".")[0] for field in rule.fields} & remembered.keys()
        }
        arguments = {name: value for name, value in call.arguments.items() if name not in withheld}
        reply = await self.engine.run(replace(call, arguments=arguments), trace)
        if operation.gives == "one":
            await self._doubts.settled(connection, call, str(reply.data["id"]))
            (data,) = await recall(self.database, connection, [reply.data])
            return replace(reply, data=data)
        rows = await recall(self.database, connection, reply.data)
        return await self.engine.computing(call)(_choose, reply, rows, [*withheld.values()])


def _choose(reply: Reply, rows: list[Json], tests: list[Callable[[Json], bool]]) -> Reply:
    """Give the rows that pass, and with each the provider's own object where it was asked for."""
    kept = []
    for at, row in enumerate(rows):
        spend()
        if all(test(row) for test in tests):
            kept.append(at)
    raw = reply.raw if reply.raw is None else [reply.raw[at] for at in kept]
    return replace(reply, data=[rows[at] for at in kept], raw=raw)
