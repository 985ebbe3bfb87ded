"""A call of a caller with what the gateway remembers: reads are completed from the store, writes are told at once.

The engine knows one call and no store; here the two meet. What a provider cannot tell is chosen by here and not by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway import observe
from gateway.catalog import Connection
from gateway.engine import Engine
from gateway.errors import StoreUnavailable
from gateway.flows.recall import note, recall
from gateway.messages import Call, Effect, Json, Reply
from gateway.model.model import Operation
from gateway.store.database import Database
from gateway.tracing import Trace
from gateway.webhooks.publish import Publisher


@dataclass(frozen=True, slots=True)
class Remembering:
    """Runs calls as the engine does, and remembers."""

    engine: Engine
    database: Database
    publisher: Publisher

    async def run(self, call: Call, trace: Trace | None = None) -> Reply:
        """Answer one call. Raises GatewayError, StoreUnavailable among it where only the store could tell.

        A write that was done is answered as done even when the store cannot take its event: a poll or a webhook of the
        provider tells it later.
        """
        operation = self.engine.model.operations.get(call.operation)
        if operation is None:
            return await self.engine.run(call, trace)
        connection = self.engine.connection(call.connection)
        if operation.effect is Effect.SAFE:
            return await self._read(connection, operation, call, trace)
        reply = await self.engine.run(call, trace)
        try:
            told = await note(self.publisher, connection, call.operation, call.arguments, reply.data)
            if told is None or operation.gives != "one":
                return reply
            (data,) = await recall(self.database, connection, [reply.data])
        except StoreUnavailable as error:
            about = {"request": call.request_id, "connection": call.connection, "operation": call.operation}
            observe.event_missed(**about, reason=error.detail)
            return reply
        return replace(reply, data=data)

    async def _read(self, connection: Connection, operation: Operation, call: Call, trace: Trace | None) -> Reply:
        """Run a reading call; of what the provider does not tell, its rows are chosen after the store has spoken."""
        remembered = connection.provider.remembered
        told = operation.resource is not None and operation.resource.name == self.engine.model.changes.resource
        if not told or not remembered:
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
            (data,) = await recall(self.database, connection, [reply.data])
            return replace(reply, data=data)
        rows = await recall(self.database, connection, reply.data)
        return _chosen(reply, rows, [*withheld.values()])


def _chosen(reply: Reply, rows: list[Json], tests: list[Callable[[Json], bool]]) -> Reply:
    """Give the rows that pass, and with each the provider's own object where it was asked for."""
    kept = [at for at, row in enumerate(rows) if all(test(row) for test in tests)]
    raw = reply.raw if reply.raw is None else [reply.raw[at] for at in kept]
    return replace(reply, data=[rows[at] for at in kept], raw=raw)
