"""What the gateway knows better than the provider tells, and what its own calls did: between a call and the store.

It stands beside the publisher, for it reads what is known and publishes; callers' calls and the poll use it
alike. Nothing here asks a provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from gateway.engine.catalog import Connection
from gateway.events.publisher import Publisher, PublishResult
from gateway.events.transitions import CHANGED
from gateway.mapping.checks.lapsing import lapsing
from gateway.model.model import Changes, Model
from gateway.store.database import Database, Transaction
from gateway.store.events.events import find
from gateway.values.messages import Json, Observation

GATEWAY: Final = "gateway"
"""The origin of what our own calls did."""
_ID: Final = "id"


async def recall(database: Database, connection: Connection, bookings: Sequence[Json]) -> list[Json]:
    """Lay what is remembered over bookings as they were read, in their order; fields that the provider tells stay.

    Raises StoreUnavailable: without the store nobody can say what the provider does not tell.
    """
    remembered = connection.provider.remembered.keys()
    ids = [one[_ID] for one in bookings]
    if not remembered or not ids:
        return list(bookings)

    def laid(store: Transaction) -> list[Json]:  # in the store's thread: of very many, this takes long as well
        memory = find(store, connection.name, ids)
        return [_recall(one, memory[one[_ID]].data if one[_ID] in memory else {}, remembered) for one in bookings]

    return await database.read(laid)


async def note(
    publisher: Publisher,
    connection: Connection,
    operation: str,
    arguments: Mapping[str, Json],
    data: Json,
    channel: str | None = None,
) -> PublishResult | None:
    """Publish what a successful call of a caller did; None when it is no event of the contract.

    `data` is the canonical data of the reply; `channel` is how a booking came to us, where we know that better. The
    event is told at once, and whoever learns of it later finds that it is known. Raises StoreUnavailable: the provider
    has done it all the same, and a poll or webhook will tell.
    """
    seen = finish(publisher.model, connection, operation, arguments, data)
    if seen is None:
        return None
    if channel is not None:
        seen = replace(seen, data={**seen.data, publisher.model.changes.channel: channel})
    return await publisher.publish([seen])


def finish(
    model: Model, connection: Connection, operation: str, arguments: Mapping[str, Json], data: Json
) -> Observation | None:
    """Make the observation of what a call did; None when that is no event of the contract."""
    changes = model.changes
    type_ = changes.operations.get(operation)
    if type_ is None:
        return _fact(model, connection, operation, data)
    whole = data if isinstance(data, dict) else {_ID: arguments.get(_ID)}
    if not isinstance(whole.get(_ID), str):
        return None
    remembered = connection.provider.remembered
    stand_ins = frozenset(name for name, operations in remembered.items() if operation not in operations)
    about = (connection.name, connection.provider.name, GATEWAY, _type(changes, type_, whole, stand_ins))
    ends = lapsing(connection.provider.operations, operation) if whole is data else frozenset[str]()
    return Observation(*about, str(whole[_ID]), whole, stand_ins=stand_ins, lapsing=ends)


def _fact(model: Model, connection: Connection, operation: str, data: Json) -> Observation | None:
    """Make the observation of what a call did to something else than a booking, as far as the provider tells it."""
    event = next((event for event in model.events.values() if operation in event.by), None)
    if event is None or not isinstance(data, dict) or not isinstance(data.get(_ID), str):
        return None
    return Observation(connection.name, connection.provider.name, GATEWAY, event.name, data[_ID], data)


def _type(changes: Changes, type_: str, data: Mapping[str, Json], stand_ins: frozenset[str]) -> str:
    """Give the event of an operation, unless the booking says that it came to stand otherwise."""
    status = data.get(changes.status)
    if type_ in changes.becomes.values() and status is not None and changes.status not in stand_ins:
        return type_ if changes.becomes.get(str(status)) == type_ else CHANGED
    return type_


def _recall(read: Mapping[str, Json], memory: Mapping[str, Json], names: AbstractSet[str]) -> dict[str, Json]:
    return {name: memory.get(name, value) if name in names else value for name, value in read.items()}
