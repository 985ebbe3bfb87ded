"""Statements that both databases know, and SQLAlchemy writes differently for each.

Each is built once for its table and columns. Building one, and finding out that it is the same as one that is compiled
already, costs several times what SQLite needs to carry it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

_HOLD = select(func.pg_advisory_xact_lock(bindparam("key", type_=BigInteger)))


def hold(connection: Connection, names: Iterable[str]) -> None:
    """Be the only one who holds these names, up to the end of the transaction; waits for whoever holds one of them.

    SQLite has one writer at a time, who holds everything. On PostgreSQL they are taken in an order that is the same for
    all (advisory locks, by a hash of the name): of two who take all they need in one call none waits crosswise.
    """
    if connection.dialect.name == "postgresql":
        for key in sorted(int.from_bytes(sha256(name.encode()).digest()[:8], signed=True) for name in set(names)):
            connection.execute(_HOLD, {"key": key})


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its keys is there; tells whether it was inserted."""
    return connection.execute(_inserting(connection.dialect.name, table), values).rowcount == 1


def put(connection: Connection, table: Table, values: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Insert a row, or replace what the row with these keys holds."""
    connection.execute(_putting(connection.dialect.name, table, tuple(values), tuple(keys), ""), values)


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
    ordered = sorted(rows, key=lambda row: [row[name] for name in keys])
    connection.execute(_putting(connection.dialect.name, table, tuple(rows[0]), keys, by), ordered)


def insert_or_get(connection: Connection, table: Table, values: Mapping[str, Any], keys: Iterable[str]) -> Row[Any]:
    """Insert a row unless one with these keys is there, and give the row that is there now.

    In one statement: between two, another replica could take the row away. The row is held up to the commit.
    """
    kept: Row[Any] = connection.execute(_getting(connection.dialect.name, table, tuple(keys)), values).one()
    return kept


@cache
def _inserting(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _putting(dialect: str, table: Table, names: tuple[str, ...], keys: tuple[str, ...], by: str) -> Any:
    """Build an INSERT that replaces what is there; with the name of a column, unless that is newer by it."""
    made = _insert(dialect, table)
    rest = {name: made.excluded[name] for name in names if name not in keys}
    where = ~(table.c[by] > made.excluded[by]) if by else None
    return made.on_conflict_do_update(index_elements=keys, set_=rest, where=where)


@cache
def _getting(dialect: str, table: Table, keys: tuple[str, ...]) -> Any:
    made = _insert(dialect, table)
    same = {name: made.excluded[name] for name in keys}  # changes nothing, and so the row is given
    return made.on_conflict_do_update(index_elements=keys, set_=same).returning(table)


def _insert(dialect: str, table: Table) -> Any:
    """Give the database's own INSERT, whose conflicts can be handled."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
