"""How a store of an earlier version becomes one of this version: one step a version, run in one transaction.

A step that has been released is never changed; a later one corrects it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select

from gateway.store.tables import METADATA, counters, schema_version


class StoreTooNewError(Exception):
    """A newer gateway wrote this store; the message says which."""


def _first(connection: Connection) -> None:
    """Make every table; the counter of events begins at 0."""
    METADATA.create_all(connection)
    connection.execute(insert(counters).values(name="events", value=0))


STEPS: Sequence[Callable[[Connection], None]] = (_first,)
"""The steps in order; the version of a store is the number of steps that it has seen."""


def migrate(connection: Connection, now: int) -> int:
    """Bring the store to this version inside the caller's transaction, and give the number of steps that it took.

    Raises StoreTooNewError when a newer gateway has written it. `now` is in milliseconds since 1970.
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
