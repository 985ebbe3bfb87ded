"""The database itself: opened, migrated, written in groups, read beside. What is written where is not known here.

SQLite: WAL with `synchronous=FULL`, so that what is acknowledged outlives a power cut; every transaction begins
IMMEDIATE, for one that begins reading and then writes fails at once whatever the busy timeout. Writes that come
together are committed together, each in a savepoint of its own: one flush to the disk serves them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import URL, Connection, event, make_url, text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import StoreUnavailable
from gateway.store.migrations import migrate
from gateway.store.tables import counters

T = TypeVar("T")
Transaction: TypeAlias = Connection
"""What work is given: a connection within a transaction. Only the store's own modules make statements on it."""

RETRY_SECONDS = 5.0
"""What callers are told to wait while the database is out of reach."""
_BATCH = 256
_BUSY_MILLISECONDS = 5_000
_CONNECT_SECONDS = 5
_COMMAND_SECONDS = 15
_MIGRATION_LOCK = 0x626F6F6B
"""Any fixed number: replicas that start together migrate one after the other."""
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
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
        self._writer: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None
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
            self._writer = _engine(self._url, writes=True)
            self._reader = _engine(self._url, writes=False)
            async with _mapped(), self._writer.begin() as connection:
                if self._url.get_backend_name() == "postgresql":
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
                await connection.run_sync(migrate, self._now())
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
            async with _mapped(), self._reader.connect() as connection:
                return await connection.run_sync(work)
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
                outcomes = [StoreUnavailable(error.detail, retry_after=error.retry_after) for _ in group]
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
        """Run a group in one transaction. A piece that fails is undone by itself; its exception is its outcome."""
        assert self._writer is not None  # noqa: S101 - opened by the context
        async with _mapped(), self._writer.begin() as connection:
            return [await _alone(connection, work) for work in group]

    async def _dispose(self) -> None:
        for engine in (self._writer, self._reader):
            if engine is not None:
                await engine.dispose()


async def _alone(connection: AsyncConnection, work: _Work) -> Any:
    """Run one piece within its savepoint. A failure of the database itself ends the whole group."""
    savepoint = await connection.begin_nested()
    try:
        result = await connection.run_sync(work.run)
    except Exception as error:
        if isinstance(error, (DBAPIError, OSError)) and not isinstance(error, _OURS):
            raise
        await savepoint.rollback()
        return error
    await savepoint.commit()
    return _Result(result)


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


def _engine(url: URL, *, writes: bool) -> AsyncEngine:
    """Make an engine; the one that writes has a single connection, for its groups follow one another."""
    backend = url.get_backend_name()
    sqlite = backend == "sqlite"
    arguments: dict[str, Any] = {"timeout": _BUSY_MILLISECONDS / 1000}
    if not sqlite:
        arguments = {"timeout": _CONNECT_SECONDS, "command_timeout": _COMMAND_SECONDS}
    engine = create_async_engine(
        url.set(drivername=_DRIVERS[backend]),
        pool_size=1 if writes else 4,
        max_overflow=0,
        pool_timeout=_COMMAND_SECONDS,
        pool_pre_ping=not sqlite,
        connect_args=arguments,
        hide_parameters=True,  # parameters hold secrets and bodies; errors are logged
    )
    if sqlite:
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin_immediate if writes else _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; `_begin` does
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_BUSY_MILLISECONDS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """Say once, for every driver, that the database cannot be used now; never what it said, which may hold values."""
    try:
        yield
    except _OURS:
        raise
    except (DBAPIError, PoolTimeout, OSError) as error:
        raise StoreUnavailable("The store is out of reach, full or locked.", retry_after=RETRY_SECONDS) from error


@asynccontextmanager
async def _mapped() -> AsyncIterator[None]:
    with _translated():
        yield
