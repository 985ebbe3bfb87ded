"""Idempotency-Keys: which request holds a key, and what it was answered with. Plain functions of a connection.

A key is written before anything is sent, in a transaction of its own: whoever finds it without an outcome must not
send. Once it is known that nothing was done, one of those who ask is given the next try; only the last try may write.
Moments are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)

from gateway.store.sql.constant import Constant
from gateway.store.sql.records import Record
from gateway.store.sql.statements import insert_or_get
from gateway.store.tables import keys

_PRIMARY = ("owner", "connection", "key")


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
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
class KeyRecord:
    """What is known under a key. Without an outcome it is under way up to `until`, and in doubt from then on.

    `lease` is the number of the try, `holder` the process that makes it.
    """

    id: str
    asked: IdempotentRequest
    began_at: int
    until: int
    outcome: bytes | None = None
    lease: int = 0
    holder: str = ""

    def under_way(self, now: int) -> bool:
        """Tell whether it may still come to an end."""
        return self.outcome is None and self.until > now


def begin(connection: Connection, new: KeyRecord, forget: int) -> KeyRecord | None:
    """Take a key; None when it is taken for this request now, else what is kept under it.

    What began before `forget` and is not under way counts for nothing.
    """
    values = _RECORDS.values(new) | {"size": len(new.asked.request)}
    _FORGET.run(connection, {name: values[name] for name in _PRIMARY} | {"forget": forget, "now": new.began_at})
    kept = _record(*insert_or_get(connection, keys, values, _PRIMARY, _RECORDS.names))
    return None if kept.id == new.id else kept


def again(connection: Connection, old: KeyRecord, new: KeyRecord) -> bool:
    """Give the next try of a request, as `new` tells it, to who asks; False when somebody else has been given it.

    So it is when its outcome has become another one than `old` tells: somebody else has found out what was done.
    """
    values = {name: getattr(new, name) for name in ("began_at", "until", "lease", "holder")}
    values |= {"request": new.asked.request, "size": len(new.asked.request), "outcome": None}
    same = keys.c.outcome.is_(None) if old.outcome is None else keys.c.outcome == old.outcome
    return connection.execute(update(keys).where(_TRIED, same), values | _of(old)).rowcount == 1


def finish(connection: Connection, begun: KeyRecord, outcome: bytes, *, settled: bool) -> bool:
    """Write the outcome of a try; once that is settled, what the caller sent is not needed any more.

    False, and nothing changes, when another try has been begun since.
    """
    kept = 0 if settled else len(begun.asked.request)
    values: dict[str, Any] = {"outcome": outcome, "size": len(outcome) + kept, "holder": ""} | (
        {"request": b""} if settled else {}
    )
    return _write(connection, begun, values)


def doubt(connection: Connection, begun: KeyRecord) -> None:
    """Write that a try has ended, nobody knows how. It counts from when `begun` says that it began."""
    values = {"until": 0, "holder": "", "began_at": begun.began_at}
    _write(connection, begun, values)


def drop(connection: Connection, begun: KeyRecord) -> None:
    """Forget a request whose try did nothing: the next one with this key is a new one."""
    _DROP.run(connection, _of(begun))


def of(connection: Connection, name: str, owner: str, key: str) -> KeyRecord | None:
    """Give a request by its id, as this caller made it on this connection."""
    return _RECORDS.first(connection, _MINE_BY_ID, {"id": key, "connection": name, "owner": owner})


def of_anybody(connection: Connection, key: str) -> KeyRecord | None:
    """Give a request by its id, whoever made it and wherever."""
    return _RECORDS.first(connection, _BY_ID, {"id": key})


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What the keys of one caller use. `oldest` is when the first of them began, None without any."""

    rows: int
    size: int
    oldest: int | None


def use(connection: Connection, owner: str) -> KeyUsage:
    """Count the keys of a caller and the bytes that are kept for them."""
    ((rows, size, oldest),) = _USED.rows(connection, {"owner": owner})
    return KeyUsage(rows, int(size), oldest)


def prune(connection: Connection, now: int, forget: int, batch: int) -> int:
    """Remove up to `batch` keys that began before `forget`, the oldest first; gives how many have gone.

    What is under way stays. Nothing goes before it is old: see `used`.
    """
    return _remove(connection, _age(forget, now), batch)


def _remove(connection: Connection, which: ColumnElement[bool], most: int) -> int:
    """Remove the oldest of these; rows that another replica holds just now are its own."""
    columns = [keys.c[name] for name in _PRIMARY]
    some = select(*columns).where(which).order_by(keys.c.began_at).limit(most).with_for_update(skip_locked=True)
    rows = [tuple(row) for row in connection.execute(some)]
    return connection.execute(delete(keys).where(tuple_(*columns).in_(rows))).rowcount if rows else 0


def _age(forget: int | BindParameter[int], now: int | BindParameter[int]) -> ColumnElement[bool]:
    return and_(keys.c.began_at < forget, keys.c.outcome.is_not(None) | (keys.c.until <= now))


def _of(begun: KeyRecord) -> dict[str, Any]:
    """Name a try, for the statements that are about one."""
    return {"of_id": begun.id, "of_lease": begun.lease}


def _write(connection: Connection, begun: KeyRecord, values: Mapping[str, Any]) -> bool:
    return _writing(tuple(values)).run(connection, {**values, **_of(begun)}) == 1


@cache
def _writing(names: tuple[str, ...]) -> Constant:
    return Constant(update(keys).where(_TRIED).values({name: bindparam(name) for name in names}))


def _record(*row: Any) -> KeyRecord:
    asked = IdempotentRequest(*row[: len(_OF_REQUEST)])
    return KeyRecord(row[len(_OF_REQUEST)], asked, *row[len(_OF_REQUEST) + 1 :])


def _parts(one: KeyRecord) -> dict[str, Any]:
    return {name: getattr(one.asked if name in _OF_REQUEST else one, name) for name in _RECORDS.names}


_OF_REQUEST = IdempotentRequest.__slots__
_OF_TRY = ("id", "began_at", "until", "outcome", "lease", "holder")
_RECORDS = Record(keys, _record, names=(*_OF_REQUEST, *_OF_TRY), parts=_parts)
_BY_ID, _MINE_BY_ID = _RECORDS.by("id"), _RECORDS.by("id", "connection", "owner")
_USED = Constant(
    select(func.count(), func.coalesce(func.sum(keys.c.size), 0), func.min(keys.c.began_at)).where(
        keys.c.owner == bindparam("owner")
    )
)
_TRIED = and_(keys.c.id == bindparam("of_id"), keys.c.lease == bindparam("of_lease"))
_DROP = Constant(delete(keys).where(_TRIED))
_MINE = and_(*(keys.c[name] == bindparam(name) for name in _PRIMARY))
_FORGET = Constant(delete(keys).where(_MINE, _age(bindparam("forget"), bindparam("now"))))
