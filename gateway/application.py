"""The application root: everything is built here, from settings and a catalog, and from nothing that is not handed in.

`open_application` opens what must be opened, `build` puts the parts together, `Application.work` keeps them at work and
`Application.surface` gives the HTTP side. Verbs and tests build the very same; tests bring their own `Ambient`.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from gateway.config import IN_MEMORY, Settings
from gateway.engine.catalog import Catalog
from gateway.engine.engine import Engine
from gateway.engine.sessions.logins import Logins
from gateway.engine.sessions.vaults import StoreVault, Vault
from gateway.events import heartbeat
from gateway.events.heartbeat import Heartbeat
from gateway.events.polling import Poller, PollingSettings, tracked_fields
from gateway.events.publisher import Publisher
from gateway.events.recorded_calls import RecordedCalls
from gateway.events.retention import Retention
from gateway.links.context import LinkContext
from gateway.links.links import Links
from gateway.model.model import load as load_model
from gateway.store.database import Database
from gateway.store.sessions.sealing import Sealer
from gateway.surface.app import Surface, build_app
from gateway.surface.dependencies import Bounds, Dependencies
from gateway.transport import retry
from gateway.transport.client import Client
from gateway.transport.limits import Gates
from gateway.transport.quota import Quota, quota_of
from gateway.values.messages import Send
from gateway.values.secrets import Redactor, Secret
from gateway.webhooks.inbound.receiver import Receiver
from gateway.webhooks.outbound.attempts import Patience
from gateway.webhooks.outbound.replay import Replays
from gateway.webhooks.outbound.sender import Dispatcher, Pace
from gateway.webhooks.outbound.subscriptions import settle

_BLOCK: Final = 256
"""Ids whose random parts are drawn at once: to ask the system for each of them costs as much as all the rest."""
_DRAWN: Final[deque[str]] = deque()
"""What is drawn and not given yet; threads take from it as they need."""


def wall_clock() -> int:
    """Give the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def new_id(prefix: str) -> str:
    """Make an id that nobody can guess; later ones sort behind earlier ones."""
    return f"{prefix}_{wall_clock():012x}{_draw()}"


def new_uuid() -> str:
    """Make a random UUID (RFC 9562, section 5.4: version 4)."""
    drawn = _draw() + _draw()
    variant = "89ab"[int(drawn[16], 16) % 4]
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{variant}{drawn[17:20]}-{drawn[20:]}"


def _draw() -> str:
    """Give 64 random bits in hexadecimal digits, which are given to nobody else."""
    try:
        return _DRAWN.pop()
    except IndexError:
        block = secrets.token_hex(8 * _BLOCK)
        _DRAWN.extend(block[at : at + 16] for at in range(16, len(block), 16))
        return block[:16]


def loop_clock() -> float:
    """Read the clock of the running event loop, in seconds: deadlines of requests are readings of it."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Ambient:
    """What the application takes from the world around it: time, ids and chance. The defaults are the real ones."""

    now: Callable[[], int] = wall_clock
    """Milliseconds since 1970."""
    clock: Callable[[], float] = loop_clock
    """Monotonic seconds."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits so many seconds, between one attempt of a call and the next."""
    new_id: Callable[[str], str] = new_id
    """Gives a new id with this prefix."""
    new_uuid: Callable[[], str] = new_uuid
    """Gives what a call is known by at its provider."""
    chance: Callable[[], float] = random.random
    """From 0 to below 1."""
    token_bytes: Callable[[int], bytes] = secrets.token_bytes
    """Gives so many bytes that nobody can guess."""
    retries: int = 2
    """How often a call that failed is made again, where that is safe."""
    bounds: Bounds = field(default_factory=Bounds)
    sending: Pace = field(default_factory=Pace)
    """How deliveries are sent, where the configuration does not say it."""
    polling: PollingSettings = field(default_factory=PollingSettings)
    """How polls are made, where the configuration does not say it."""

    def utc(self) -> datetime:
        """Give this moment, in UTC."""
        return datetime.fromtimestamp(self.now() / 1000, UTC)


@dataclass(frozen=True, slots=True, repr=False)  # it would print every mapping
class Application:
    """The parts, put together. Nothing works yet, and nobody listens: see `work` and `surface`."""

    settings: Settings
    ambient: Ambient
    engine: Engine
    database: Database
    publisher: Publisher
    recorded_calls: RecordedCalls
    receiver: Receiver
    dispatcher: Dispatcher
    replays: Replays
    retention: Retention
    polling: Poller | None
    """None where the configuration says that nobody is polled."""
    links: Links | None
    """None where the configuration has no link."""
    logins: Logins | None
    """None where the configuration keeps no session."""

    @property
    def dependencies(self) -> Dependencies:
        """What the surface is built on."""
        return Dependencies(
            engine=self.engine,
            database=self.database,
            publisher=self.publisher,
            recorded_calls=self.recorded_calls,
            receiver=self.receiver,
            now=self.ambient.now,
            fresh=self.ambient.new_id,
            token_bytes=self.ambient.token_bytes,
            logins=self.logins,
            links=self.links,
            bounds=self.ambient.bounds,
        )

    def surface(self) -> Surface:
        """Make the HTTP side, for callers, providers and the operator."""
        return build_app(self.settings, self.dependencies)

    @asynccontextmanager
    async def work(self, defect: Callable[[], object]) -> AsyncIterator[None]:
        """Keep everything at work while the context lasts. Raises StoreUnavailable when it cannot begin.

        A defect that a worker meets in its work makes that one wait (`store/loop.py`). One that ends a worker calls
        `defect`, which should end the context, and is raised at its end: a gateway that no longer delivers is restarted
        and not kept.
        """
        async with Heartbeat(self.database, self.ambient.now, heartbeat.INTERVAL, chance=self.ambient.chance) as heart:
            await settle(self.database, self.settings, self.ambient.now())
            workers = (self.dispatcher, heart, self.replays, self.retention, self.links, self.polling)
            tasks = [asyncio.create_task(worker.run()) for worker in workers if worker is not None]
            for task in tasks:
                task.add_done_callback(lambda ended: defect() if _is_broken(ended) else None)
            try:
                yield
            finally:
                await self.dispatcher.stop()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            for task in filter(_is_broken, tasks):
                await task


@asynccontextmanager
async def open_application(
    settings: Settings,
    catalog: Catalog,
    ambient: Ambient | None = None,
    *,
    process: str = "",
    send: Send | None = None,
) -> AsyncIterator[Application]:
    """Open the store and the ways out, and build the application in between. Raises StoreUnavailable, StoreTooNewError.

    `process` names it to the others at work on the store; what an unnamed one claims is left to its lease. `send` is
    the way out to providers and to who is told of events, by default a client for each.
    """
    ambient = ambient or Ambient()
    async with Database(settings.store, ambient.now, process) as database:
        vault = vault_on(settings, database, ambient)
        if vault is not None:
            await vault.open()
        async with (
            open_engine(settings, catalog, ambient, send=send, vault=vault) as engine,
            _way_out(settings, send) as way_out,
        ):
            yield build(settings, engine, database, way_out, ambient)


def vault_on(settings: Settings, database: Database, ambient: Ambient) -> StoreVault | None:
    """Make what keeps sessions at providers in a store; None where no `state_key` says how they are encrypted."""
    if not settings.state_keys:
        return None
    return StoreVault(database, Sealer(settings.state_keys, ambient.token_bytes), ambient.now, ambient.token_bytes)


@asynccontextmanager
async def open_vault(settings: Settings, ambient: Ambient, *, opens: bool = True) -> AsyncIterator[StoreVault | None]:
    """Open the store for its sessions alone, where they are kept in one that is not this process's own.

    Raises StoreUnavailable, StoreTooNewError; with `opens`, also where no key opens what is kept.
    """
    if not settings.state_keys or settings.store == IN_MEMORY:
        yield None
        return
    async with Database(settings.store, ambient.now) as database:
        vault = vault_on(settings, database, ambient)
        if vault is not None and opens:
            await vault.open()
        yield vault


@asynccontextmanager
async def open_engine(
    settings: Settings,
    catalog: Catalog,
    ambient: Ambient | None = None,
    *,
    send: Send | None = None,
    vault: Vault | None = None,
) -> AsyncIterator[Engine]:
    """Build the engine alone with its way out, for calls that remember nothing, and close that in the end.

    Sessions at providers are kept in the `vault`, by default as long as the engine lasts.
    """
    ambient = ambient or Ambient()
    async with (
        _way_out(settings, send) as way_out,
        quota_of(settings.limits_store, ambient.clock, lambda: ambient.now() / 1000) as quota,
    ):
        yield build_engine(catalog, way_out, ambient, quota, vault)


def build_engine(
    catalog: Catalog, send: Send, ambient: Ambient, quota: Quota | None = None, vault: Vault | None = None
) -> Engine:
    """Put an engine together on a way out to the providers.

    Without a `quota` rates are counted in this process, and without a `vault` it alone knows its sessions.
    """
    return Engine(
        catalog,
        load_model(),
        send,
        clock=ambient.clock,
        now=ambient.utc,
        fresh=ambient.new_uuid,
        gates=Gates(ambient.clock, quota=quota, sleep=ambient.sleep),
        patience=retry.Patience(ambient.clock, ambient.sleep, ambient.chance, ambient.retries),
        vault=vault,
    )


def build(settings: Settings, engine: Engine, database: Database, send: Send, ambient: Ambient) -> Application:
    """Put the parts together around an engine and an open store; `send` is the way to who is told of events."""
    now, new_id = ambient.now, ambient.new_id
    publisher = Publisher(
        database, engine.model, now, new_id, tracked_fields(engine), settings.emit_confirmed_on_create
    )
    recorded_calls = RecordedCalls(engine, database, publisher)
    told = settings.deliveries
    in_all = max(ambient.sending.in_all, told.concurrency)  # one endpoint may have all places
    pace = replace(ambient.sending, timeout=told.timeout, per_endpoint=told.concurrency, in_all=in_all)
    pace = replace(pace, per_second=told.per_second)
    patience = Patience(ambient.chance, told.schedule)
    redactor = redactor_of(settings, engine.catalog)
    return Application(
        settings=settings,
        ambient=ambient,
        engine=engine,
        database=database,
        publisher=publisher,
        recorded_calls=recorded_calls,
        receiver=Receiver(engine, publisher, now, new_id),
        dispatcher=Dispatcher(database, send, now, ambient.clock, patience, redactor, pace),
        replays=Replays(database, now, new_id, ambient.chance),
        retention=Retention(database, now, settings.retention.days, settings.retention.rows, ambient.chance),
        polling=_polling(settings, engine, publisher, ambient),
        links=_links(settings, recorded_calls, ambient),
        logins=_logins(settings, database, ambient),
    )


def redactor_of(settings: Settings, catalog: Catalog) -> Redactor:
    """Make what masks every secret that the configuration has."""
    known = [*settings.secrets()]
    for connection in catalog.connections.values():
        known += [value for value in connection.scope["settings"].values() if isinstance(value, Secret)]
    return Redactor(known)


def _polling(settings: Settings, engine: Engine, publisher: Publisher, ambient: Ambient) -> Poller | None:
    if settings.polling is None:
        return None
    stated, chance = settings.polling, ambient.chance
    polling = replace(ambient.polling, interval=stated.interval, window_days=stated.window_days, chance=chance)
    return Poller(engine, publisher, ambient.clock, polling)


def _links(settings: Settings, calls: RecordedCalls, ambient: Ambient) -> Links | None:
    if not settings.links:
        return None
    by_name = {one.name: one for one in settings.links}
    told = (ambient.now, ambient.new_id, ambient.clock, by_name, ambient.chance)
    return Links(LinkContext(calls.engine, calls.database, calls, *told))


def _logins(settings: Settings, database: Database, ambient: Ambient) -> Logins | None:
    vault = vault_on(settings, database, ambient)
    return None if vault is None else Logins(database, vault.sealer, vault.now, vault.random, settings.public_url)


@asynccontextmanager
async def _way_out(settings: Settings, send: Send | None) -> AsyncIterator[Send]:
    """Give this way out, or else a client that may call the private networks of the configuration."""
    if send is not None:
        yield send
        return
    async with Client([str(network) for network in settings.egress]) as client:
        yield client.send


def _is_broken(task: asyncio.Task[None]) -> bool:
    """Whether a worker has ended of itself, which is a defect."""
    return not task.cancelled() and task.exception() is not None
