"""Leases: what is in whose hands, up to when. Written once for every table whose rows are worked on.

Such a table has `lease`, `leased_until` and `holder`. A claim counts `lease` up, and only who holds the last count may
write what the work gave: whoever was away for longer than its claim changes nothing. `holder` is the process that has
it; once that is dead, what it held can be claimed at once. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Integer, and_, bindparam, select, update

from gateway.store.sql.constant import Constant, Values


class Leases:
    """The leases of a table: `Leases(polls.c.connection, free=…, given=[…])`.

    `key` names a row, `free` says which may be claimed at the moment `now` (a parameter, as those of the statement's
    own are), in which `order`, and `given` is what a claim gives of each. Only what is `open` still is written.
    """

    def __init__(
        self,
        key: Column[Any],
        *,
        free: ColumnElement[bool],
        given: Sequence[ColumnElement[Any]],
        order: Column[Any] | None = None,
        open_: ColumnElement[bool] | None = None,
    ) -> None:
        self._table = key.table
        columns = self._table.c
        self._held = and_(key == bindparam("of_key"), columns.lease == bindparam("of_lease"))
        if open_ is not None:
            self._held = and_(self._held, open_)
        # Nobody waits for a row that another is about to take: groups of writes that wait for one another's rows would
        # end in a deadlock. On SQLite there is one writer at a time.
        found = select(key).where(free).limit(bindparam("most", type_=Integer)).with_for_update(skip_locked=True)
        chosen = (found if order is None else found.order_by(order)).cte("chosen")
        taken = update(self._table).where(key.in_(select(chosen.c[key.name])), columns.leased_until <= bindparam("now"))
        values = {"lease": columns.lease + 1, "leased_until": bindparam("until"), "holder": bindparam("by")}
        self._claim = Constant(taken.values(values).returning(*given))
        self._writing = cache(self._build)

    def claim(
        self, connection: Connection, values: Values, now: int, until: int, holder: str, most: int = 1
    ) -> list[tuple[Any, ...]]:
        """Take so many rows at most, up to a moment, and give what is given of each. Others never get the same."""
        return self._claim.rows(connection, {**values, "now": now, "until": until, "by": holder, "most": most})

    def write(self, connection: Connection, key: str, lease: int, values: Values) -> bool:
        """Write what the work on a row gave, or a later end of its lease; False when it is no longer held."""
        about = {"of_key": key, "of_lease": lease}
        return self._writing(tuple(values)).run(connection, {**values, **about}) == 1

    def release(self, connection: Connection, key: str, lease: int) -> None:
        """Give a row back, unless it is no longer held: whoever comes next may claim it at once."""
        self.write(connection, key, lease, {"leased_until": 0})

    def give_back(
        self, connection: Connection, held: Callable[[ColumnElement[str]], ColumnElement[bool]], *which: Any
    ) -> None:
        """End the leases of some holders, of these rows or of all. What names none is left to its lease."""
        columns = self._table.c
        mine = update(self._table).where(*which, columns.leased_until > 0, held(columns.holder))
        connection.execute(mine.values(leased_until=0, holder=""))

    def _build(self, names: tuple[str, ...]) -> Constant:
        return Constant(update(self._table).where(self._held).values({name: bindparam(name) for name in names}))
