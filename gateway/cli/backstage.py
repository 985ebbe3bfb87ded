"""What works behind the surface, put together and kept running: the store, deliveries, polls, replays, housekeeping."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.config import Settings
from gateway.engine.engine import Engine
from gateway.events import heartbeat
from gateway.events.heartbeat import Heartbeat
from gateway.events.polling import Poller, PollingSettings, tracked
from gateway.events.publisher import Publisher
from gateway.events.recorded_calls import Remembering
from gateway.events.retention import Housekeeping
from gateway.links.context import LinkContext
from gateway.links.links import Links
from gateway.store.database import Database
from gateway.surface.dependencies import Dependencies
from gateway.transport.client import Client
from gateway.values.secrets import Redactor
from gateway.webhooks.inbound.receiver import Inbound
from gateway.webhooks.outbound.attempts import Patience
from gateway.webhooks.outbound.replay import Replays
from gateway.webhooks.outbound.sender import Dispatcher, Pace
from gateway.webhooks.outbound.subscriptions import settle


def now() -> int:
    """Give the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def fresh(prefix: str) -> str:
    """Make an id that nobody can guess; later ones sort behind earlier ones."""
    return f"{prefix}_{now():012x}{secrets.token_hex(8)}"


@asynccontextmanager
async def backstage(
    settings: Settings, engine: Engine, redactor: Redactor, defect: Callable[[], object]
) -> AsyncIterator[Dependencies]:
    """Open the store and keep everything at work while the context lasts. Raises StoreUnavailable, StoreTooNewError.

    A defect that a worker meets in its work makes that one wait (`setbacks`). One that ends a worker calls `defect`,
    which should end the context, and is raised at its end: a gateway that no longer delivers is restarted and not kept.
    """
    clock = asyncio.get_running_loop().time
    allow = [str(network) for network in settings.egress]
    async with (
        Database(settings.store, now, fresh("gw")) as database,
        Heartbeat(database, now, heartbeat.INTERVAL) as heart,
        Client(allow) as client,
    ):
        await settle(database, settings, now())
        publisher = Publisher(database, engine.model, now, fresh, tracked(engine), settings.emit_confirmed_on_create)
        links = links_of(settings, engine, database, publisher)
        dependencies = Dependencies(database, publisher, Inbound(engine, publisher, now, fresh), now, fresh, links)
        patience = Patience(random.random, settings.deliveries.schedule)
        told = settings.deliveries
        pace = Pace(timeout=told.timeout, per_endpoint=told.at_once, per_second=told.per_second)
        dispatcher = Dispatcher(database, client.send, now, clock, patience, redactor, pace)
        endless = [
            heart.run(),
            Replays(database, now, fresh).run(),
            Housekeeping(database, now, settings.retention.days, settings.retention.rows).run(),
        ]
        if links is not None:
            endless.append(links.run())
        if settings.polling is not None:
            polling = PollingSettings(settings.polling.interval, window_days=settings.polling.window_days)
            endless.append(Poller(engine, publisher, clock, polling).run())
        tasks = [asyncio.create_task(one) for one in (dispatcher.run(), *endless)]
        for task in tasks:
            task.add_done_callback(lambda ended: defect() if _broken(ended) else None)
        try:
            yield dependencies
        finally:
            await dispatcher.stop()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in filter(_broken, tasks):
            await task


def links_of(settings: Settings, engine: Engine, database: Database, publisher: Publisher) -> Links | None:
    """Make what sells on marketplaces; None where the configuration has no link. It does not work yet: see `run`."""
    if not settings.links:
        return None
    clock, by_name = asyncio.get_running_loop().time, {one.name: one for one in settings.links}
    return Links(LinkContext(engine, database, Remembering(engine, database, publisher), now, fresh, clock, by_name))


def _broken(task: asyncio.Task[None]) -> bool:
    """Whether a worker has ended of itself, which is a defect."""
    return not task.cancelled() and task.exception() is not None
