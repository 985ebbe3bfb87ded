"""Where work on a store is done: SQLite in threads, PostgreSQL on its own connections. What work is, is not known here.

A file is made readable for its owner alone, and so are the journal files that SQLite makes beside it: they hold
secrets of subscriptions, and what callers and customers said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from gateway.store.sql.threads import Threads
from gateway.values.errors import StoreUnavailable

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

RETRY_SECONDS = 5.0
"""What callers are told to wait while the database is out of reach."""
OURS = (IntegrityError, ProgrammingError, DataError, NotSupportedError)
"""A defect of a statement, and not of the database: never told as an outage."""
_BUSY_MILLISECONDS = 5_000
_TURNS = 10
"""How often a connection asks for the journal of SQLite while others who open the same file are in its way."""
_CONNECT_SECONDS = 5
_COMMAND_SECONDS = 15
_OWNER_ONLY = 0o600
_NO_FILE = frozenset({None, "", ":memory:"})


def file_of(url: URL) -> Path | None:
    """Give the file of a SQLite store; None for one in memory, or on a server."""
    named = url.get_backend_name() == "sqlite" and url.database not in _NO_FILE
    return Path(str(url.database)) if named and not str(url.database).startswith("file:") else None


def in_memory(url: URL) -> bool:
    """Tell whether a store is SQLite in memory: it has one connection, and ends with it."""
    return url.get_backend_name() == "sqlite" and file_of(url) is None


def make_file(path: Path) -> None:
    """Make the file of a store unless it is there, for its owner alone; what cannot be made, SQLite tells of itself.

    SQLite gives the files beside it the same permissions (SQLite documentation, "WAL-mode File Format").
    """
    if path.parent.is_dir():
        with translate():
            path.touch(_OWNER_ONLY)


@dataclass(frozen=True, slots=True)
class File:
    """Work on SQLite, a whole transaction in a thread: its driver blocks, and a thread for each statement is slow.

    Each thread has a connection of its own for as long as it lives, on which SQLAlchemy takes one transaction to be
    open; what begins and ends the real ones is said here, at a twentieth of the cost.
    """

    engine: Engine
    threads: Threads
    begin: str
    mine: local = field(default_factory=local)
    opened: list[Connection] = field(default_factory=list)

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction. Raises StoreUnavailable."""
        return await self.threads.do(partial(self._finish, work))

    def _finish(self, work: Callable[[Connection], T]) -> T:
        with translate():
            connection = self._connection()
            driver: Any = connection.connection.driver_connection
            try:
                driver.execute(self.begin)
                result = work(connection)
                driver.execute("COMMIT")
            except BaseException:
                self._give_up(connection)
                raise
            return result

    def _connection(self) -> Connection:
        """Give the connection of this thread, which is opened where there is none."""
        found: Connection | None = getattr(self.mine, "connection", None)
        if found is None:
            found = self.mine.connection = self.engine.connect()
            self.opened.append(found)
            found.begin()
        return found

    def _give_up(self, connection: Connection) -> None:
        """Undo what is begun, and take another connection next time: this one may know of savepoints that are gone."""
        self.mine.connection = None
        self.opened.remove(connection)
        connection.close()  # the pool rolls back, and drops one that cannot

    async def close(self) -> None:
        """Wait for what is under way, and close."""
        await self.threads.close()
        for one in self.opened:
            one.close()
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class Server:
    """Work on a database server."""

    engine: AsyncEngine

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction. Raises StoreUnavailable."""
        with translate():
            async with self.engine.begin() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        """Close."""
        await self.engine.dispose()


Bench: TypeAlias = File | Server


def bench(url: URL, *, writes: bool) -> Bench:
    """Make where work is done; the one that writes has a single connection, for its groups follow one another."""
    size = 1 if writes else 4
    # Parameters hold secrets and bodies, and errors are logged.
    pool: dict[str, Any] = {
        "pool_size": size,
        "max_overflow": 0,
        "pool_timeout": _COMMAND_SECONDS,
        "hide_parameters": True,
    }
    if url.get_backend_name() == "postgresql":
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - 80 ms that a file need not wait for

        seconds = {"timeout": _CONNECT_SECONDS, "command_timeout": _COMMAND_SECONDS}
        made = create_async_engine(
            url.set(drivername="postgresql+asyncpg"), pool_pre_ping=True, connect_args=seconds, **pool
        )
        return Server(made)
    arguments = {"timeout": _BUSY_MILLISECONDS / 1000, "check_same_thread": False}
    engine = create_engine(url, poolclass=QueuePool, connect_args=arguments, **pool)
    event.listen(engine, "connect", _prepare)
    return File(engine, Threads(size, "store"), "BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; `File` does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    for left in reversed(range(_TURNS)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            if not left or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            # Of those who open a new file together one is refused at once; a transaction waits for the others.
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


@contextmanager
def translate() -> Iterator[None]:
    """Say once, for every driver, that the database cannot be used now; to callers never what it said."""
    try:
        yield
    except OURS:
        raise
    except (DBAPIError, PoolTimeout, sqlite3.Error, OSError) as error:
        detail = "The store is out of reach, full or locked."
        raise StoreUnavailable(detail, retry_after=RETRY_SECONDS, reason=_say(error)) from error


def _say(error: Exception) -> str:
    """Give what the driver itself said: neither the statement nor its parameters, nor a server's second line."""
    told: BaseException = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    told = told.__cause__ or told  # behind SQLAlchemy's own form of an error of asyncpg
    return (str(told).splitlines() or [type(told).__name__])[0]
