"""Constant statements: built once of the tables, compiled once for each database, carried out without SQLAlchemy.

SQLAlchemy Core stays the one definition of tables and statements. What it does at each execution (finding the compiled
form, making a context, wrapping rows) costs about ten times what SQLite needs for a row by its key; so here the text it
made is given to the driver's own connection, with the values in their places. On a server, where the way there costs
more than that, the same text goes through SQLAlchemy's driver level. Either way it is part of the transaction at hand.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Executable
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DBAPIError

from gateway.store.sql.kinds import Kind

Values: TypeAlias = Mapping[str, Any]
_Convert: TypeAlias = Callable[[Any], Any]
_FILE: Final = "sqlite"


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as one database reads it: its text, what stands in each place, and how values are kept and read."""

    text: str
    names: tuple[str, ...]
    given: Mapping[str, Any]
    """What stands in the statement itself."""
    encoders: tuple[tuple[str, _Convert | None], ...]
    """What each place is written by, where any is written otherwise than it is given."""
    decoders: tuple[tuple[int, _Convert], ...]

    def places(self, values: Values) -> tuple[Any, ...]:
        """Give the values in their places. Raises KeyError for one that is missing."""
        whole = {**self.given, **values} if self.given else values
        if not self.encoders:
            return tuple([whole[name] for name in self.names])
        return tuple([encode(whole[name]) if encode else whole[name] for name, encode in self.encoders])

    def read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Give a row with its values as their columns give them."""
        if not self.decoders:
            return tuple(row)
        read = list(row)
        for at, decode in self.decoders:
            read[at] = decode(read[at])
        return tuple(read)


class Constant:
    """A statement whose values alone change: `_BY_ID = Constant(select(…).where(events.c.id == bindparam("id")))`.

    Where databases need different ones, it is made of a function that gives the statement for the name of one.
    """

    def __init__(self, statement: Executable | Callable[[str], Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def __repr__(self) -> str:
        return f"Constant({next(iter(self._compiled.values())).text if self._compiled else 'not used yet'})"

    def rows(self, connection: Connection, values: Values | None = None) -> list[tuple[Any, ...]]:
        """Carry it out and give the rows."""
        made = self._for(connection)
        found = _execute(connection, made.text, made.places(values or {})).fetchall()
        return [made.read(row) for row in found] if made.decoders else [*found]

    def row(self, connection: Connection, values: Values | None = None) -> tuple[Any, ...] | None:
        """Carry it out and give the first row; None without any."""
        made = self._for(connection)
        found = _execute(connection, made.text, made.places(values or {})).fetchone()
        return None if found is None else made.read(found)

    def value(self, connection: Connection, values: Values | None = None) -> Any:
        """Carry it out and give what stands first in the first row; None without any."""
        found = self.row(connection, values)
        return None if found is None else found[0]

    def run(self, connection: Connection, values: Values | None = None) -> int:
        """Carry it out and give how many rows it was about."""
        made = self._for(connection)
        count: int = _execute(connection, made.text, made.places(values or {})).rowcount
        return count

    def run_each(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Carry it out for each of these, in their order."""
        if not rows:
            return
        made = self._for(connection)
        places = [made.places(row) for row in rows]
        if connection.dialect.name != _FILE:
            connection.exec_driver_sql(made.text, places)
            return
        for one in places:
            _execute(connection, made.text, one)

    def _for(self, connection: Connection) -> _Compiled:
        name = connection.dialect.name
        made = self._compiled.get(name)
        if made is None:
            statement = self._statement(name) if callable(self._statement) else self._statement
            made = self._compiled[name] = _compile(statement, connection.dialect)
        return made


def _execute(connection: Connection, text: str, values: tuple[Any, ...]) -> Any:
    """Give the driver's cursor, or on a server what stands for it. Raises what SQLAlchemy raises."""
    if connection.dialect.name != _FILE:
        return connection.exec_driver_sql(text, values)
    driver: Any = connection.connection.driver_connection
    try:
        return driver.execute(text, values)
    except sqlite3.Error as error:
        # Without the values, which hold secrets and bodies.
        told = DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect)
        raise told from error


def _compile(statement: Any, dialect: Dialect) -> _Compiled:
    """Compile a statement. Raises ValueError for one whose text depends on its values."""
    made = statement.compile(dialect=dialect)
    if made.post_compile_params:
        raise ValueError(f"not constant: {made}")
    kinds = {name: bind.type for bind, name in made.bind_names.items() if isinstance(bind.type, Kind)}
    given = {name: bind.effective_value for bind, name in made.bind_names.items() if not bind.required}
    names = tuple(made.positiontup or ())
    encoders = tuple((name, kinds[name].kept if name in kinds else None) for name in names) if kinds else ()
    columns = statement.exported_columns if hasattr(statement, "exported_columns") else ()
    decoders = tuple((at, column.type.told) for at, column in enumerate(columns) if isinstance(column.type, Kind))
    return _Compiled(str(made), names, given, encoders, decoders)
