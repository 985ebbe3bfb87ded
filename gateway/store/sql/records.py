"""Records: how rows of a table are values of a type, said once. The columns have the names of the type's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Select, Table, bindparam, insert, select

from gateway.store.sql.constant import Constant, Values

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """What makes a value of a row."""

    def read(self, row: Sequence[Any]) -> T_co:
        """Make the value."""
        ...


class Record(Reader[T]):
    """Rows of `table` as values of `made`, a dataclass: `_FEEDS = Record(feeds, Feed, also=["digest"])`.

    What is not a column is no part of the record, and neither is a column that is not a field: those in `also` are
    given apart when a row is added. `made` may be a function of the `names` of columns, in their order, with `parts`
    that gives their values.
    """

    def __init__(
        self,
        table: Table,
        made: Callable[..., T],
        *,
        also: Sequence[str] = (),
        names: Sequence[str] = (),
        parts: Callable[[T], Values] | None = None,
    ) -> None:
        self._made = made
        self._parts = parts
        self.names = tuple(names or (one.name for one in fields(made) if one.name in table.c))  # type: ignore[arg-type]
        self.columns = tuple(table.c[name] for name in self.names)
        self._insert = Constant(insert(table).values({name: bindparam(name) for name in (*self.names, *also)}))

    def __repr__(self) -> str:
        return f"Record({', '.join(self.names)})"

    def read(self, row: Sequence[Any]) -> T:
        """Make the value of a row of the columns, in their order."""
        return self._made(*row)

    def select(self, *where: Any) -> Select[Any]:
        """Begin a statement that chooses rows, to be given to `all` or `first`."""
        return select(*self.columns).where(*where)

    def by(self, *names: str) -> Constant:
        """Make the statement that chooses rows by these columns, whose values have their names."""
        table = self.columns[0].table
        return Constant(self.select(*(table.c[name] == bindparam(name) for name in names)))

    def all(self, connection: Connection, found: Select[Any] | Constant, values: Values | None = None) -> list[T]:
        """Carry out a statement of `select` or `by`, and give the values."""
        if isinstance(found, Constant):
            return [self.read(row) for row in found.rows(connection, values)]
        return [self.read(row) for row in connection.execute(found, values)]

    def first(self, connection: Connection, found: Select[Any] | Constant, values: Values | None = None) -> T | None:
        """Carry out such a statement, and give the first value; None without any."""
        if isinstance(found, Constant):
            row = found.row(connection, values)
            return None if row is None else self.read(row)
        return next(iter(self.all(connection, found.limit(1), values)), None)

    def values(self, one: T) -> dict[str, Any]:
        """Give what stands in the columns for a value."""
        parts: Mapping[str, Any] | None = None if self._parts is None else self._parts(one)
        return {name: getattr(one, name) if parts is None else parts[name] for name in self.names}

    def add(self, connection: Connection, one: T, **also: Any) -> None:
        """Add a row."""
        self._insert.run(connection, self.values(one) | also)
