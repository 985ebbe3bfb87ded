"""Calendar feeds: who made them, for what, and the digest by which a token is found. The token itself is never here.

Plain functions of a connection. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select

from gateway.store.tables import feeds


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed. `owner` is the caller who made it; `resource_id` and `show` are None for all and for no more."""

    id: str
    connection: str
    owner: str
    name: str
    resource_id: str | None
    show: str | None
    created_at: int


def add(connection: Connection, feed: Feed, digest: str, most: int) -> bool:
    """Keep a feed under the SHA-256 of its token, in hex; False when its owner has `most` of this connection."""
    if len(of(connection, feed.connection, feed.owner)) >= most:
        return False
    values = {name: getattr(feed, name) for name in Feed.__slots__}
    connection.execute(insert(feeds).values(**values, digest=digest))
    return True


def by_digest(connection: Connection, digest: str) -> Feed | None:
    """Give the feed whose token has this digest; None when there is none, or no longer."""
    row = connection.execute(select(feeds).where(feeds.c.digest == digest)).one_or_none()
    return None if row is None else _feed(row)


def of(connection: Connection, name: str, owner: str | None) -> list[Feed]:
    """Give the feeds of a connection that this caller made, or all for None; the oldest first."""
    found = select(feeds).where(_whose(name, owner)).order_by(feeds.c.created_at, feeds.c.id)
    return [_feed(row) for row in connection.execute(found)]


def remove(connection: Connection, name: str, owner: str | None, key: str) -> bool:
    """Forget a feed of this caller, or of anybody for None: its token opens nothing from now on. False without one."""
    return connection.execute(delete(feeds).where(_whose(name, owner), feeds.c.id == key)).rowcount == 1


def _whose(name: str, owner: str | None) -> ColumnElement[bool]:
    mine = feeds.c.connection == name
    return mine if owner is None else and_(mine, feeds.c.owner == owner)


def _feed(row: Row[tuple[object, ...]]) -> Feed:
    return Feed(**{name: getattr(row, name) for name in Feed.__slots__})
