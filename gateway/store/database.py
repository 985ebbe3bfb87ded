"""The database itself: opened, migrated, written in groups, read beside. What is written where is not known here.

SQLite: WAL with `synchronous=FULL`, so that what is acknowledged outlives a power cut; every transaction begins
IMMEDIATE, for one that begins reading and then writes fails at once whatever the busy timeout. Writes that come
together are committed together, each in a savepoint of its own: one flush to the disk serves them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import Connection, make_url, text, update
from sqlalchemy.exc import DBAPIError

from gateway.store.migrations import migrate
from gateway.store.sql.drivers import OURS, RETRY_SECONDS, Bench, bench, file_of, in_memory, make_file
from gateway.store.sql.statements import hold
from gateway.store.tables import counters
from gateway.values.errors import StoreUnavailable

__all__ = ["RETRY_SECONDS", "Database", "Transaction"]

T = TypeVar("T")
Transaction: TypeAlias = Connection
"""What work is given: a connection within a transaction. Only the store's own modules make statements on it."""

_BATCH = 256
_MIGRATION_LOCK = 0x626F6F6B
"""Any fixed number: replicas that start together migrate one after the other."""
_CROSSED = "40P01"
"""PostgreSQL's deadlock_detected (PostgreSQL documentation, Appendix A)."""
_AGAIN = 2
"""How often a group is run again after a deadlock."""


@dataclass(slots=True)
class _Work:
    """One piece of writing that waits for its group."""

    run: Callable[[Connection], Any]
    done: asyncio.Future[Any]
    tells: str
    alone: Sequence[str]


class Database:
    """One store: `async with Database(url, now) as database: await database.write(work)`.

    `url` is `sqlite:///path` (relative to the working folder), `sqlite://` (in memory, gone at the end) or
    `postgresql://user:password@host/database`; `now` gives milliseconds since 1970. `process` names this gateway to the
    others at work on the store, in whatever it claims: see `Heartbeat`; what an unnamed one claims is left to its
    lease. Work is a plain function of a SQLAlchemy Connection. Everything here raises StoreUnavailable while the
    database is out of reach, full or locked, and works again by itself afterwards.
    """

    def __init__(self, url: str, now: Callable[[], int], process: str = "") -> None:
        self._url = make_url(url)
        self.process = process
        self._now = now
        self._writer: Bench | None = None
        self._reader: Bench | None = None
        self._waiting: asyncio.Queue[_Work] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._told: dict[str, asyncio.Event] = {}
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._failing = False

    @property
    def failing(self) -> bool:
        """Whether the database could not be used the last time, and has not been written since."""
        return self._failing

    @property
    def file(self) -> Path | None:
        """The file of a SQLite store; None for one in memory, or on a server."""
        return file_of(self._url)

    @property
    def in_memory(self) -> bool:
        """Whether the store lives in this process alone, and ends with it."""
        return in_memory(self._url)

    def __repr__(self) -> str:
        return f"Database({self._url.get_backend_name()}, {self._waiting.qsize()} waiting)"

    async def __aenter__(self) -> Self:
        if self.file is not None:
            make_file(self.file)
        try:
            self._writer = bench(self._url, writes=True)
            # A database in memory belongs to its one connection: who reads takes turns with who writes.
            self._reader = self._writer if self.in_memory else bench(self._url, writes=False)
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

    async def write(self, work: Callable[[Connection], T], *, tells: str = "", alone: Sequence[str] = ()) -> T:
        """Do `work` in a transaction and give its result once that is committed.

        What `work` raises undoes this piece alone and comes back. It may be done more than once, each time from the
        beginning: what it changes beside the transaction must not add up. After the commit all who wait for `tells`
        wake up. A caller that stops waiting does not undo it. `alone` names what `work` holds (`statements.hold`): a
        group takes all the names of its pieces before it begins, so that two groups never wait crosswise.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Work(work, done, tells, alone))
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

    def listen(self, topic: str, heard: Callable[[], None]) -> Callable[[], None]:
        """Call `heard` after every commit of this process that tells of `topic`; gives what ends that."""
        self._listeners.setdefault(topic, []).append(heard)
        return lambda: self._listeners[topic].remove(heard)

    async def _write_groups(self) -> None:
        """Write what waits, in groups, for ever."""
        while True:
            group = [await self._waiting.get()]
            await asyncio.sleep(0)  # whoever is ready to write as well comes into this group, and shares its flush
            while len(group) < _BATCH and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            try:
                outcomes = await self._write_group(group)
                self._failing = False
            except StoreUnavailable as error:
                self._failing = True
                outcomes = [error.copy_with() for _ in group]  # each raises its own
            except asyncio.CancelledError:
                for work in group:
                    _settle(work, StoreUnavailable("The store is closing.", retry_after=RETRY_SECONDS))
                raise
            except Exception as error:  # noqa: BLE001 - the defect belongs to those who wait; the writer lives on
                outcomes = [error for _ in group]
            for work, outcome in zip(group, outcomes, strict=True):
                _settle(work, outcome)
            self._tell({work.tells for work in group})

    def _tell(self, topics: Collection[str]) -> None:
        """Wake all who wait for these topics."""
        for topic in topics:
            if topic in self._told:
                self._told.pop(topic).set()
            for heard in self._listeners.get(topic, ()):
                heard()

    async def _write_group(self, group: list[_Work]) -> list[Any]:
        """Run a group in one transaction. A piece that fails is undone by itself; its exception is its outcome.

        For that each piece needs a savepoint, which costs as much as all that it writes. So they are done without; when
        one of them fails, all are undone, and done again with savepoints.

        Two replicas may wait for rows of each other's groups; the group that the database undoes then is run again.
        """
        assert self._writer is not None  # noqa: S101 - opened by the context
        writer = self._writer

        def run(connection: Connection, one: Callable[[Connection, _Work], Any]) -> list[Any]:
            hold(connection, [name for work in group for name in work.alone])
            return [one(connection, work) for work in group]

        way, again = _together, _AGAIN
        while True:
            try:
                return await writer.do(partial(run, one=way))
            except _Undone as failed:
                if len(group) == 1:
                    return [failed.error]
                way = _alone
            except StoreUnavailable as error:
                if not again or not _is_crossed(error):
                    raise
                again -= 1

    def _migrate(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        migrate(connection, self._now())

    async def _dispose(self) -> None:
        for one in (self._writer, None if self._reader is self._writer else self._reader):
            if one is not None:
                await one.close()


class _Undone(Exception):
    """A piece failed, and with it the group that it was done in without a savepoint."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def _together(connection: Connection, work: _Work) -> Any:
    """Run one piece; what it raises ends the whole group."""
    try:
        return _Result(work.run(connection))
    except Exception as error:
        if _is_outage(error):
            raise
        raise _Undone(error) from error


def _alone(connection: Connection, work: _Work) -> Any:
    """Run one piece within its savepoint. A failure of the database itself ends the whole group."""
    savepoint = connection.begin_nested()
    try:
        result = work.run(connection)
    except Exception as error:
        if _is_outage(error):
            raise
        savepoint.rollback()
        return error
    savepoint.commit()
    return _Result(result)


def _is_outage(error: Exception) -> bool:
    """Tell whether the database itself failed, and not what it was asked for."""
    return isinstance(error, (DBAPIError, OSError)) and not isinstance(error, OURS)


def _is_crossed(error: StoreUnavailable) -> bool:
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
