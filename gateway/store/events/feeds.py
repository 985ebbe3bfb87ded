"""Calendar feeds: who made them, for what, and the digest by which a token is found. The token itself is never here.

Plain functions of a connection. Moments are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, true

from gateway.store.sql.records import Record
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
    _FEEDS.add(connection, feed, digest=digest)
    return True


def by_digest(connection: Connection, digest: str) -> Feed | None:
    """Give the feed whose token has this digest; None when there is none, or no longer."""
    return _FEEDS.first(connection, _BY_DIGEST, {"digest": digest})


def of(connection: Connection, name: str, owner: str) -> list[Feed]:
    """Give the feeds of a connection that this caller made, the oldest first."""
    return _find(connection, _whose(name, owner))


def every(connection: Connection, name: str | None = None) -> list[Feed]:
    """Give everybody's feeds, of one connection or of all, the oldest first."""
    return _find(connection, true() if name is None else feeds.c.connection == name)


def remove(connection: Connection, name: str, owner: str, key: str) -> bool:
    """Forget a feed of this caller: its token opens nothing from now on. False when there is none of this id."""
    return connection.execute(delete(feeds).where(_whose(name, owner), feeds.c.id == key)).rowcount == 1


def remove_any(connection: Connection, key: str) -> bool:
    """Forget a feed, whoever made it; False when there is none of this id."""
    return connection.execute(delete(feeds).where(feeds.c.id == key)).rowcount == 1


def _whose(name: str, owner: str) -> ColumnElement[bool]:
    return and_(feeds.c.connection == name, feeds.c.owner == owner)


def _find(connection: Connection, which: ColumnElement[bool]) -> list[Feed]:
    return _FEEDS.all(connection, _FEEDS.select(which).order_by(feeds.c.created_at, feeds.c.id))


_FEEDS = Record(feeds, Feed, also=["digest"])
_BY_DIGEST = _FEEDS.by("digest")
