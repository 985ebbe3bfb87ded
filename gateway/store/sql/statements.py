"""Statements that both databases know, and SQLAlchemy writes differently for each.

Each is built once for its table and columns. Building one, and finding out that it is the same as one that is compiled
already, costs several times what SQLite needs to carry it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, Connection, Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.sql.constant import Constant

_HOLD = Constant(select(func.pg_advisory_xact_lock(bindparam("key", type_=BigInteger))))


def hold(connection: Connection, names: Iterable[str]) -> None:
    """Be the only one who holds these names, up to the end of the transaction; waits for whoever holds one of them.

    SQLite has one writer at a time, who holds everything. On PostgreSQL they are taken in an order that is the same for
    all (advisory locks, by a hash of the name): of two who take all they need in one call none waits crosswise.
    """
    if connection.dialect.name == "postgresql":
        for key in sorted(int.from_bytes(sha256(name.encode()).digest()[:8], signed=True) for name in set(names)):
            _HOLD.rows(connection, {"key": key})


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its keys is there; tells whether it was inserted."""
    return _inserting(table, tuple(values)).run(connection, values) == 1


def put(connection: Connection, table: Table, values: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Insert a row, or replace what the row with these keys holds."""
    _putting(table, tuple(values), tuple(keys), "").run(connection, values)


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
    _putting(table, tuple(rows[0]), keys, by).run_each(connection, ordered)


def insert_or_get(
    connection: Connection, table: Table, values: Mapping[str, Any], keys: Iterable[str], columns: Sequence[str]
) -> tuple[Any, ...]:
    """Insert a row unless one with these keys is there, and give these columns of the row that is there now.

    In one statement: between two, another replica could take the row away. The row is held up to the commit.
    """
    (kept,) = _getting(table, tuple(values), tuple(keys), tuple(columns)).rows(connection, values)
    return kept


def change(connection: Connection, table: Table, keys: Mapping[str, Any], values: Mapping[str, Any]) -> int:
    """Write these columns of the rows with these keys, and give how many they are."""
    about = {f"of_{name}": value for name, value in keys.items()}
    return _changing(table, tuple(keys), tuple(values)).run(connection, {**values, **about})


@cache
def _inserting(table: Table, names: tuple[str, ...]) -> Constant:
    return Constant(lambda dialect: _insert(dialect, table, names).on_conflict_do_nothing())


@cache
def _putting(table: Table, names: tuple[str, ...], keys: tuple[str, ...], by: str) -> Constant:
    """Build an INSERT that replaces what is there; with the name of a column, unless that is newer by it."""

    def build(dialect: str) -> Any:
        made = _insert(dialect, table, names)
        rest = {name: made.excluded[name] for name in names if name not in keys}
        where = ~(table.c[by] > made.excluded[by]) if by else None
        return made.on_conflict_do_update(index_elements=keys, set_=rest, where=where)

    return Constant(build)


@cache
def _getting(table: Table, names: tuple[str, ...], keys: tuple[str, ...], columns: tuple[str, ...]) -> Constant:
    def build(dialect: str) -> Any:
        made = _insert(dialect, table, names)
        same = {name: made.excluded[name] for name in keys}  # changes nothing, and so the row is given
        given = [table.c[name] for name in columns]
        return made.on_conflict_do_update(index_elements=keys, set_=same).returning(*given)

    return Constant(build)


@cache
def _changing(table: Table, keys: tuple[str, ...], names: tuple[str, ...]) -> Constant:
    mine = [table.c[name] == bindparam(f"of_{name}") for name in keys]
    return Constant(update(table).where(*mine).values({name: bindparam(name) for name in names}))


def _insert(dialect: str, table: Table, names: Iterable[str]) -> Any:
    """Give the database's own INSERT, whose conflicts can be handled."""
    made = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return made.values({name: bindparam(name) for name in names})
