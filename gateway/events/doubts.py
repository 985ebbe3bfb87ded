"""What the gateway knows of a booking whose provider does not tell how it stands, where a write of it is in doubt.

A cancellation whose answer was lost, or that the store could not take, may be done: a later save would bring the
booking back. So a write that ends a booking is noted before it is sent. Whoever writes or reads the booking next looks
whether it is still listed, where the mapping says that what is over leaves the list; where that cannot be told, a write
in doubt counts as done for those that follow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from gateway.engine.catalog import Connection
from gateway.engine.engine import Engine
from gateway.events.known_state import note
from gateway.events.listed import is_listed
from gateway.events.publisher import Publisher
from gateway.model.model import Model
from gateway.store.events import doubts
from gateway.store.events.doubts import Doubt
from gateway.store.events.events import find
from gateway.values.errors import GatewayError
from gateway.values.messages import Call, Json, Reply

_MARGIN_SECONDS: Final = 10.0
"""How long after the end of a call its provider may still be at work on it."""


@dataclass(slots=True)
class PendingWrite:
    """What is known of one write before it is sent. `noted` tells whether it has been noted as in doubt."""

    earlier: Doubt | None = None
    noted: bool = False

    def refused(self, error: GatewayError) -> GatewayError:
        """Give the refusal of a write, saying what stands behind it where that is an earlier write in doubt."""
        if self.earlier is None or error.code != "INVALID_STATE":
            return error
        told = f"Whether `{self.earlier.operation}` was done is not known, and it counts as done: repeat it to be sure."
        return error.copy_with(
            detail=f"{error.detail} {told}", details={**error.details, "in_doubt": self.earlier.operation}
        )


@dataclass(frozen=True, slots=True)
class Doubts:
    """The writes in doubt of bookings whose provider does not tell their status."""

    engine: Engine
    publisher: Publisher

    async def begin(self, connection: Connection, call: Call, begun: PendingWrite) -> Mapping[str, Json]:
        """Give what is known of the booking that a call writes, of what its provider cannot tell, and note the write.

        Raises StoreUnavailable: a write that must not bring back what is over cannot be made without knowing it.
        """
        names, key = connection.provider.remembered, call.arguments.get("id")
        model, database = self.engine.model, self.publisher.database
        if not names or key is None or call.operation not in model.changes.operations:
            return {}
        begun.earlier = await self.settled(connection, call, str(key))
        memory = await database.read(lambda store: find(store, connection.name, [key]))
        told = {name: one.data.get(name) for one in memory.values() for name in names}
        if begun.earlier is not None and told.get(model.changes.status) not in model.changes.final:
            told |= _make(model, begun.earlier.operation)
        if call.operation in names.get(model.changes.status, ()):
            left = max(0.0, call.deadline - asyncio.get_running_loop().time()) + _MARGIN_SECONDS
            doubt = Doubt(call.operation, self.publisher.now() + round(left * 1000))
            await database.write(lambda store: doubts.note(store, connection.name, str(key), doubt))
            begun.noted = True
        return told

    async def end(self, connection: Connection, call: Call, begun: PendingWrite, *, done: bool) -> None:
        """Forget a write whose end is known; what was in doubt before one that was not done still is.

        Raises StoreUnavailable: then it stays in doubt.
        """
        if begun.noted:
            key, left = str(call.arguments["id"]), None if done else begun.earlier
            await self.publisher.database.write(lambda store: doubts.note(store, connection.name, key, left))

    async def settled(self, connection: Connection, call: Call, key: str) -> Doubt | None:
        """Give the write of a booking that is in doubt still, once it has been looked for where that can be seen.

        A failure of the provider leaves it in doubt. Raises StoreUnavailable.
        """
        database, model = self.publisher.database, self.engine.model
        doubt = await database.read(lambda store: doubts.of(store, connection.name, key))
        if doubt is None or model.changes.vanished not in _make(model, doubt.operation).values():
            return doubt

        async def run(operation: str, given: Mapping[str, Json]) -> Reply:
            asked = replace(call, operation=operation, arguments=given, include=frozenset(), partial=False, handling="")
            return await self.engine.run(asked)

        now = self.publisher.now()
        try:
            found = await is_listed(model, connection, key, run)
        except GatewayError:
            return doubt
        if found is None or (found.listed and doubt.until > now):
            return doubt
        if not found.listed:
            over = {**found.booking, model.changes.status: model.changes.vanished}
            await note(self.publisher, connection, doubt.operation, {}, over)
        await database.write(lambda store: doubts.settle(store, connection.name, key, doubt))
        return None


def _make(model: Model, operation: str) -> dict[str, Json]:
    """Give the status that an operation of this name gives a booking, by the name of its field."""
    changes = model.changes
    event = changes.operations.get(operation)
    made = [status for status, becomes in changes.becomes.items() if becomes == event]
    return dict.fromkeys((changes.status,), made[0]) if made else {}
