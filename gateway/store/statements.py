"""Statements that both databases know, and SQLAlchemy writes differently for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its keys is there; tells whether it was inserted."""
    made = _insert(connection, table).values(**values).on_conflict_do_nothing()
    return connection.execute(made).rowcount == 1


def put(connection: Connection, table: Table, values: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Insert a row, or replace what the row with these keys holds."""
    keys = tuple(keys)
    made = _insert(connection, table).values(**values)
    rest = {name: made.excluded[name] for name in values if name not in keys}
    connection.execute(made.on_conflict_do_update(index_elements=keys, set_=rest))


def put_newest(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keys: Iterable[str], by: str
) -> None:
    """Insert rows, or replace what the rows with these keys hold, unless that is newer by this column.

    The rows name the same columns. They are written in the order of their keys: two who write the same ones wait for
    each other and never crosswise.
    """
    if not rows:
        return
    keys = tuple(keys)
    made = _insert(connection, table)
    rest = {name: made.excluded[name] for name in rows[0] if name not in keys}
    kept = table.c[by] > made.excluded[by]
    ordered = sorted(rows, key=lambda row: [row[name] for name in keys])
    connection.execute(made.on_conflict_do_update(index_elements=keys, set_=rest, where=~kept), ordered)


def insert_or_get(connection: Connection, table: Table, values: Mapping[str, Any], keys: Iterable[str]) -> Row[Any]:
    """Insert a row unless one with these keys is there, and give the row that is there now.

    In one statement: between two, another replica could take the row away. The row is held up to the commit.
    """
    keys = tuple(keys)
    made = _insert(connection, table).values(**values)
    same = {name: made.excluded[name] for name in keys}  # changes nothing, and so the row is given
    kept: Row[Any] = connection.execute(
        made.on_conflict_do_update(index_elements=keys, set_=same).returning(table)
    ).one()
    return kept


def _insert(connection: Connection, table: Table) -> Any:
    """Give the database's own INSERT, whose conflicts can be handled."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
