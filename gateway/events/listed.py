"""Whether a booking is over that its provider shows as ever: where the mapping says that what is over leaves the list.

Nothing is sent from here but a read, by a function that is handed in. It knows no store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from gateway.engine.catalog import Connection
from gateway.model.model import Model
from gateway.model.types.times import format_instant, moment
from gateway.values.messages import Effect, Json, Reply

Run: TypeAlias = Callable[[str, Mapping[str, Json]], Awaitable[Reply]]
"""Runs a reading operation of the connection with canonical arguments. Raises GatewayError."""

_NARROW: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ListedBooking:
    """A booking as it is read, and whether it is listed as well."""

    booking: Mapping[str, Json]
    listed: bool


async def is_listed(model: Model, connection: Connection, key: str, run: Run) -> ListedBooking | None:
    """Look for a booking in the list of its time; None where that says nothing. Raises GatewayError."""
    plan, changes = connection.provider.polling, model.changes
    asks = reading_of(model)
    if plan is None or not plan.vanishes or not {plan.operation, asks} <= connection.provider.operations.keys():
        return None
    window = model.operations[plan.operation].window
    booking = (await run(asks, {"id": key})).data
    start = booking.get(changes.span[0])
    if window is None or start is None:
        return None
    end = format_instant(moment(start) + _NARROW)
    reply = await run(plan.operation, {window[0]: start, window[1]: end})
    if reply.age is not None or not reply.whole:
        return None  # it was read before, or is a part
    if any(row.get("id") == key for row in reply.data):
        return ListedBooking(booking, listed=True)
    again = (await run(asks, {"id": key})).data  # somebody may have moved it between the two
    return ListedBooking(booking, listed=False) if again.get(changes.span[0]) == start else None


def reading_of(model: Model) -> str:
    """Give the operation that reads one of what changes by its id."""
    for name, operation in model.operations.items():
        about = operation.resource.name if operation.resource is not None else ""
        if about == model.changes.resource and operation.gives == "one" and operation.effect is Effect.SAFE:
            return name
    return ""
