"""How a store of an earlier version becomes one of this version: one step a version, run in one transaction.

A step that has been released is never changed; a later one corrects it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select

from gateway.errors import StoreUnavailable
from gateway.store.tables import METADATA, counters, schema_version

_FIRST = (
    *("schema_version", "counters", "receipts", "events", "subscriptions", "deliveries", "attempts", "jobs"),
    *("bookings", "watches", "feeds", "keys"),
)
"""The tables of version 1. Never all that are known: those of a later version are made by its own step."""


class StoreTooNewError(Exception):
    """A newer gateway wrote this store; the message says which."""


def _first(connection: Connection) -> None:
    """Make the tables of events, deliveries, bookings and keys; the counter of events begins at 0."""
    _make(connection, _FIRST)
    connection.execute(insert(counters).values(name="events", value=0))


def _second(connection: Connection) -> None:
    """Make the tables of links."""
    _make(connection, ("links", "link_slots", "link_days", "link_bookings"))


def _make(connection: Connection, names: Sequence[str]) -> None:
    """Make these tables. Raises StoreUnavailable where one is there already, for then it is somebody else's."""
    there = {*inspect(connection).get_table_names()}.intersection(names)
    if there:
        told = "The database has tables that the gateway did not make, of names that it needs."
        raise StoreUnavailable(told, reason=", ".join(sorted(there)))
    METADATA.create_all(connection, [METADATA.tables[name] for name in names])


STEPS: Sequence[Callable[[Connection], None]] = (_first, _second)
"""The steps in order; the version of a store is the number of steps that it has seen."""


def migrate(connection: Connection, now: int) -> int:
    """Bring the store to this version inside the caller's transaction, and give the number of steps that it took.

    Raises StoreTooNewError when a newer gateway has written it, StoreUnavailable when it is somebody else's. `now` is
    in milliseconds since 1970.
    """
    known = inspect(connection).has_table(schema_version.name)
    done = set(connection.scalars(select(schema_version.c.version))) if known else set()
    version = max(done, default=0)
    if version > len(STEPS):
        raise StoreTooNewError(
            f"the store is of version {version}, written by a newer gateway; this one knows versions up to {len(STEPS)}"
        )
    for number, step in enumerate(STEPS[version:], version + 1):
        step(connection)
        connection.execute(insert(schema_version).values(version=number, applied_at=now))
    return len(STEPS) - version
