"""Idempotency-Keys: which request holds a key, and what it was answered with. Plain functions of a connection.

A key is written before anything is sent, in a transaction of its own, and it is never taken over: whoever finds it
without an outcome must not send. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, select, tuple_, update

from gateway.store.statements import insert_or_get
from gateway.store.tables import keys

_PRIMARY = ("owner", "connection", "key")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that carries a key. Nobody meets the keys of another caller, or those of another connection.

    `fingerprint` tells requests apart; `request` is what came, for whoever looks later whether it was done.
    """

    owner: str
    connection: str
    key: str
    fingerprint: str
    operation: str = ""
    request: bytes = b""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known under a key. Without an outcome it is under way up to `until`, and in doubt from then on."""

    id: str
    asked: Asked
    began_at: int
    until: int
    outcome: bytes | None = None

    def under_way(self, now: int) -> bool:
        """Tell whether it may still come to an end."""
        return self.outcome is None and self.until > now


def begin(connection: Connection, new: Kept, forget: int) -> Kept | None:
    """Take a key; None when it is taken for this request now, else what is kept under it.

    What began before `forget` and is not under way counts for nothing.
    """
    values = {name: getattr(new.asked, name) for name in Asked.__slots__}
    mine = and_(*(keys.c[name] == values[name] for name in _PRIMARY))
    connection.execute(delete(keys).where(mine, _aged(forget, new.began_at)))
    values |= {"id": new.id, "began_at": new.began_at, "until": new.until}
    row = insert_or_get(connection, keys, values, _PRIMARY)
    return None if row.id == new.id else _kept(row)


def finish(connection: Connection, key: str, outcome: bytes, *, settled: bool) -> None:
    """Write the outcome of a request by its id; once that is settled, what the caller sent is not needed any more."""
    values: dict[str, Any] = {"outcome": outcome} | ({"request": b""} if settled else {})
    connection.execute(update(keys).where(keys.c.id == key).values(values))


def doubt(connection: Connection, key: str) -> None:
    """Write that a request has ended, nobody knows how."""
    connection.execute(update(keys).where(keys.c.id == key).values(until=0))


def drop(connection: Connection, key: str) -> None:
    """Forget a request that did nothing: the next one with this key is a new one."""
    connection.execute(delete(keys).where(keys.c.id == key))


def of(connection: Connection, name: str, owner: str | None, key: str) -> Kept | None:
    """Give a request by its id, as this caller made it on this connection; for None, as anybody did."""
    mine = and_(keys.c.id == key, keys.c.connection == name)
    if owner is not None:
        mine = and_(mine, keys.c.owner == owner)
    row = connection.execute(select(keys).where(mine)).one_or_none()
    return None if row is None else _kept(row)


def prune(connection: Connection, now: int, forget: int, most: int, batch: int) -> int:
    """Remove up to `batch` keys, the oldest first: what began before `forget`, and answers beyond `most` keys.

    What is under way stays, and so does what is in doubt, until it is old. Gives how many have gone.
    """
    some = _removed(connection, _aged(forget, now), batch)
    count = connection.execute(select(func.count()).select_from(keys)).scalar_one()
    over = min(batch - some, count - most)
    return some + (_removed(connection, keys.c.outcome.is_not(None), over) if over > 0 else 0)


def _removed(connection: Connection, which: ColumnElement[bool], most: int) -> int:
    """Remove the oldest of these; rows that another replica holds just now are its own."""
    columns = [keys.c[name] for name in _PRIMARY]
    some = select(*columns).where(which).order_by(keys.c.began_at).limit(most).with_for_update(skip_locked=True)
    rows = [tuple(row) for row in connection.execute(some)]
    return connection.execute(delete(keys).where(tuple_(*columns).in_(rows))).rowcount if rows else 0


def _aged(forget: int, now: int) -> ColumnElement[bool]:
    return and_(keys.c.began_at < forget, keys.c.outcome.is_not(None) | (keys.c.until <= now))


def _kept(row: Row[Any]) -> Kept:
    asked = Asked(**{name: getattr(row, name) for name in Asked.__slots__})
    return Kept(row.id, asked, row.began_at, row.until, row.outcome)
