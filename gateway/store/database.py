"""The database itself: opened, migrated, written in groups, read beside. What is written where is not known here.

SQLite: WAL with `synchronous=FULL`, so that what is acknowledged outlives a power cut; every transaction begins
IMMEDIATE, for one that begins reading and then writes fails at once whatever the busy timeout. Writes that come
together are committed together, each in a savepoint of its own: one flush to the disk serves them all.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from gateway.errors import StoreUnavailable
from gateway.store.migrations import migrate
from gateway.store.tables import counters

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Transaction: TypeAlias = Connection
"""What work is given: a connection within a transaction. Only the store's own modules make statements on it."""

RETRY_SECONDS = 5.0
"""What callers are told to wait while the database is out of reach."""
_BATCH = 256
_BUSY_MILLISECONDS = 5_000
_TURNS = 10
"""How often a connection asks for the journal of SQLite while others who open the same file are in its way."""
_CONNECT_SECONDS = 5
_COMMAND_SECONDS = 15
_MIGRATION_LOCK = 0x626F6F6B
"""Any fixed number: replicas that start together migrate one after the other."""
_CROSSED = "40P01"
"""PostgreSQL's deadlock_detected (PostgreSQL documentation, Appendix A)."""
_AGAIN = 2
"""How often a group is run again after a deadlock."""
_OURS = (IntegrityError, ProgrammingError, DataError, NotSupportedError)
"""A defect of a statement, and not of the database: never told as an outage."""


@dataclass(slots=True)
class _Work:
    """One piece of writing that waits for its group."""

    run: Callable[[Connection], Any]
    done: asyncio.Future[Any]
    tells: str


class Database:
    """One store: `async with Database(url, now) as database: await database.write(work)`.

    `url` is `sqlite:///path` (relative to the working folder) or `postgresql://user:password@host/database`; `now`
    gives milliseconds since 1970. Work is a plain function of a SQLAlchemy Connection. Everything here raises
    StoreUnavailable while the database is out of reach, full or locked, and works again by itself afterwards.
    """

    def __init__(self, url: str, now: Callable[[], int]) -> None:
        self._url = make_url(url)
        self._now = now
        self._writer: _Bench | None = None
        self._reader: _Bench | None = None
        self._waiting: asyncio.Queue[_Work] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._told: dict[str, asyncio.Event] = {}
        self._failing = False

    @property
    def failing(self) -> bool:
        """Whether the database could not be used the last time, and has not been written since."""
        return self._failing

    def __repr__(self) -> str:
        return f"Database({self._url.get_backend_name()}, {self._waiting.qsize()} waiting)"

    async def __aenter__(self) -> Self:
        try:
            self._writer = _bench(self._url, writes=True)
            self._reader = _bench(self._url, writes=False)
            await self._writer.do(self._migrate)
        except BaseException:
            await self._dispose()
            raise
        self._task = asyncio.create_task(self._write_groups())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        while not self._waiting.empty():
            _settle(self._waiting.get_nowait(), StoreUnavailable("The store is closing.", retry_after=RETRY_SECONDS))
        await self._dispose()

    async def write(self, work: Callable[[Connection], T], *, tells: str = "") -> T:
        """Do `work` in a transaction and give its result once that is committed.

        What `work` raises undoes this piece alone and comes back. After the commit all who wait for `tells` wake up.
        A caller that stops waiting does not undo it.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Work(work, done, tells))
        return await done

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do `work`, which only reads, on what is committed, and give its result."""
        assert self._reader is not None  # noqa: S101 - opened by the context
        try:
            return await self._reader.do(work)
        except StoreUnavailable:
            self._failing = True
            raise

    async def probe(self) -> None:
        """Write nothing of importance, to see whether writing is possible again. Raises StoreUnavailable."""
        await self.write(
            lambda connection: connection.execute(update(counters).values(value=counters.c.value)).rowcount
        )

    def told(self, topic: str) -> asyncio.Event:
        """Give the event that is set by the next commit of this process that tells of `topic`, and then replaced.

        Take it before looking into the store, and nothing that comes between is missed.
        """
        return self._told.setdefault(topic, asyncio.Event())

    async def _write_groups(self) -> None:
        """Write what waits, in groups, for ever."""
        while True:
            group = [await self._waiting.get()]
            while len(group) < _BATCH and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            try:
                outcomes = await self._write_group(group)
                self._failing = False
            except StoreUnavailable as error:
                self._failing = True
                outcomes = [_again(error) for _ in group]
            except asyncio.CancelledError:
                for work in group:
                    _settle(work, StoreUnavailable("The store is closing.", retry_after=RETRY_SECONDS))
                raise
            except Exception as error:  # noqa: BLE001 - the defect belongs to those who wait; the writer lives on
                outcomes = [error for _ in group]
            for work, outcome in zip(group, outcomes, strict=True):
                _settle(work, outcome)
            for topic in {work.tells for work in group} & self._told.keys():
                self._told.pop(topic).set()

    async def _write_group(self, group: list[_Work]) -> list[Any]:
        """Run a group in one transaction. A piece that fails is undone by itself; its exception is its outcome.

        Two replicas may wait for rows of each other's groups; the group that the database undoes then is run again.
        """
        assert self._writer is not None  # noqa: S101 - opened by the context
        writer = self._writer

        def run(connection: Connection) -> list[Any]:
            return [_alone(connection, work) for work in group]

        for _ in range(_AGAIN):
            try:
                return await writer.do(run)
            except StoreUnavailable as error:
                if not _crossed(error):
                    raise
        return await writer.do(run)

    def _migrate(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        migrate(connection, self._now())

    async def _dispose(self) -> None:
        for bench in (self._writer, self._reader):
            if bench is not None:
                await bench.close()


@dataclass(frozen=True, slots=True)
class _File:
    """Work on SQLite, a whole transaction in a thread: its driver blocks, and a thread for each statement is slow."""

    engine: Engine
    threads: ThreadPoolExecutor

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction. Raises StoreUnavailable."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, self._done, work)

    def _done(self, work: Callable[[Connection], T]) -> T:
        with _translated(), self.engine.begin() as connection:
            return work(connection)

    async def close(self) -> None:
        """Wait for what is under way, and close."""
        await asyncio.to_thread(self.threads.shutdown)
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class _Server:
    """Work on a database server."""

    engine: AsyncEngine

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction. Raises StoreUnavailable."""
        with _translated():
            async with self.engine.begin() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        """Close."""
        await self.engine.dispose()


_Bench: TypeAlias = _File | _Server


def _alone(connection: Connection, work: _Work) -> Any:
    """Run one piece within its savepoint. A failure of the database itself ends the whole group."""
    savepoint = connection.begin_nested()
    try:
        result = work.run(connection)
    except Exception as error:
        if isinstance(error, (DBAPIError, OSError)) and not isinstance(error, _OURS):
            raise
        savepoint.rollback()
        return error
    savepoint.commit()
    return _Result(result)


def _crossed(error: StoreUnavailable) -> bool:
    """Tell whether the database undid this for a deadlock."""
    cause = error.__cause__
    return isinstance(cause, DBAPIError) and getattr(cause.orig, "sqlstate", None) == _CROSSED


@dataclass(frozen=True, slots=True)
class _Result:
    """What a piece of work gave, told apart from an exception that it may give as well."""

    value: Any


def _settle(work: _Work, outcome: Any) -> None:
    """Hand the outcome to whoever still waits for it."""
    if work.done.done():
        return
    if isinstance(outcome, _Result):
        work.done.set_result(outcome.value)
    else:
        work.done.set_exception(outcome)


def _bench(url: URL, *, writes: bool) -> _Bench:
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
        return _Server(made)
    arguments = {"timeout": _BUSY_MILLISECONDS / 1000, "check_same_thread": False}
    engine = create_engine(url, poolclass=QueuePool, connect_args=arguments, **pool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediate if writes else _begin)
    return _File(engine, ThreadPoolExecutor(size, "store"))


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; `_begin` does
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


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """Say once, for every driver, that the database cannot be used now; to callers never what it said."""
    try:
        yield
    except _OURS:
        raise
    except (DBAPIError, PoolTimeout, OSError) as error:
        detail = "The store is out of reach, full or locked."
        raise StoreUnavailable(detail, retry_after=RETRY_SECONDS, reason=_said(error)) from error


def _again(error: StoreUnavailable) -> StoreUnavailable:
    """Give the same error once more: each of a group raises its own."""
    return StoreUnavailable(error.detail, retry_after=error.retry_after, reason=error.reason)


def _said(error: Exception) -> str:
    """Give what the driver itself said: neither the statement nor its parameters, nor a server's second line."""
    told: BaseException = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    told = told.__cause__ or told  # behind SQLAlchemy's own form of an error of asyncpg
    return (str(told).splitlines() or [type(told).__name__])[0]
