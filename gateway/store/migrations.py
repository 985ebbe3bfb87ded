"""How a store of an earlier version becomes one of this version: one step a version, run in one transaction.

A step that has been released is never changed; a later one corrects it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import (
    Column,
    Connection,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.schema import CreateColumn

from gateway.store.sessions.tables import logins, tokens
from gateway.store.tables import METADATA, counters, keys, link_bookings, schema_version
from gateway.values.errors import StoreUnavailable

_FIRST = (
    *("schema_version", "counters", "receipts", "events", "subscriptions", "deliveries", "attempts", "jobs"),
    *("bookings", "watches", "feeds", "keys"),
)
"""The tables of version 1. Never all that are known: those of a later version are made by its own step."""
_CALLED_NOW = {"watches": "polls"}
"""What tables that steps name as they once were called are called since version 6."""
_THIRD = {
    "keys": ("lease", "holder", "size"),
    "deliveries": ("holder",),
    "watches": ("holder",),
    "links": ("holder",),
}
"""The columns that version 3 added, by their tables."""
_FOURTH = {"link_bookings": ("reference", "customer", "holder")}
"""The columns that version 4 added, by their tables."""
_SHOWN_ONCE = ("webhooks.create", "webhooks.rotate")


class StoreTooNewError(Exception):
    """A newer gateway wrote this store; the message says which."""


def _first(connection: Connection) -> None:
    """Make the tables of events, deliveries, bookings and keys; the counter of events begins at 0."""
    _make(connection, _FIRST)
    connection.execute(insert(counters).values(name="events", value=0))


def _second(connection: Connection) -> None:
    """Make the tables of links."""
    _make(connection, ("links", "link_slots", "link_days", "link_bookings"))


def _third(connection: Connection) -> None:
    """Name who holds what, count the tries and bytes of keys, and take secrets out of the answers that are kept."""
    _make(connection, ("processes",))
    _add(connection, _THIRD)
    _index(connection, keys, "keys_by_holder")
    kept = select(keys.c.id, keys.c.outcome).where(keys.c.operation.in_(_SHOWN_ONCE), keys.c.outcome.is_not(None))
    for row in connection.execute(kept).all():
        told, end, body = row.outcome.partition(b"\n")
        if not body:
            continue
        shown = json.loads(body)
        shown.pop("secret", None)
        outcome = told + end + json.dumps(shown).encode()
        connection.execute(update(keys).where(keys.c.id == row.id).values(outcome=outcome))
    size = func.length(keys.c.request) + func.coalesce(func.length(keys.c.outcome), 0)
    connection.execute(update(keys).values(size=size))


def _fourth(connection: Connection) -> None:
    """Give entries of ledgers the peer's own id of a booking, and whom the club was told."""
    _add(connection, _FOURTH)
    _index(connection, link_bookings, "link_bookings_by_reference")


def _fifth(connection: Connection) -> None:
    """Make the table of writes in doubt."""
    _make(connection, ("doubts",))


def _sixth(connection: Connection) -> None:
    """Call the polls of connections what the field calls them."""
    connection.execute(text("ALTER TABLE watches RENAME TO polls"))
    if connection.dialect.name == "postgresql":  # SQLite names what stands behind a primary key itself
        connection.execute(text("ALTER INDEX watches_pkey RENAME TO polls_pkey"))


def _seventh(connection: Connection) -> None:
    """Make the tables of sessions at providers."""
    _make(connection, (tokens.name, logins.name))


def _add(connection: Connection, added: Mapping[str, Sequence[str]]) -> None:
    """Add these columns to their tables."""
    for name, columns in added.items():
        table = _table(name)
        for column in columns:
            told = CreateColumn(table.c[column]).compile(dialect=connection.dialect)
            connection.execute(text(f"ALTER TABLE {name} ADD COLUMN {told}"))


def _index(connection: Connection, table: Table, name: str) -> None:
    """Make the index of this name."""
    (found,) = (one for one in table.indexes if one.name == name)
    found.create(connection)


def _make(connection: Connection, names: Sequence[str]) -> None:
    """Make these tables. Raises StoreUnavailable where one is there already, for then it is somebody else's."""
    there = {*inspect(connection).get_table_names()}.intersection(names)
    if there:
        told = "The database has tables that the gateway did not make, of names that it needs."
        raise StoreUnavailable(told, reason=", ".join(sorted(there)))
    made = MetaData()
    for name in names:
        _as_first_made(name, made)
    made.create_all(connection)


def _table(name: str) -> Table:
    """Give the table of this name, also of one that it no longer has."""
    return METADATA.tables[_CALLED_NOW.get(name, name)]


def _as_first_made(name: str, metadata: MetaData) -> None:
    """Describe a table without the columns that later steps add."""
    table, later = _table(name), [*_THIRD.get(name, ()), *_FOURTH.get(name, ())]
    columns = [
        Column(
            one.name,
            one.type,
            primary_key=one.primary_key,
            nullable=one.nullable,
            autoincrement=one.autoincrement,
            server_default=one.server_default.arg if one.server_default is not None else None,  # type: ignore[attr-defined]
        )
        for one in table.columns
        if one.name not in later
    ]
    unique = [UniqueConstraint(*one.columns.keys()) for one in table.constraints if isinstance(one, UniqueConstraint)]
    indexes = [Index(one.name, *one.columns.keys()) for one in table.indexes if not {*one.columns.keys()} & {*later}]
    Table(name, metadata, *columns, *unique, *indexes)


STEPS: Sequence[Callable[[Connection], None]] = (_first, _second, _third, _fourth, _fifth, _sixth, _seventh)
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
