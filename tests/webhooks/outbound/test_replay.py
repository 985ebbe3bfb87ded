"""Replays at work: paced, carried on by several gateways, alive through outages, and quiet while nothing moves."""

import asyncio
from itertools import count

import pytest
from sqlalchemy import func, select, update

from gateway.store.database import Database
from gateway.store.deliveries import replays, subscriptions
from gateway.store.deliveries.replays import ReplaySelection
from gateway.store.deliveries.subscriptions import Subscription
from gateway.store.events.events import append
from gateway.store.tables import deliveries
from gateway.values.errors import GatewayError, NotMapped, StoreUnavailable
from gateway.values.secrets import Secret
from gateway.webhooks.outbound import replay
from tests.applications import built
from tests.databases import sqlite_store
from tests.subscribers import happened
from tests.webhooks.outbound.house import until

NOW = 1_900_000_000_000


class Counting(Database):
    """A store that counts its writes, and is out of reach while `away`."""

    writes, away = 0, False

    async def write(self, work, *, tells=""):
        self.writes += 1
        return await super().write(work, tells=tells)

    async def read(self, work):
        if self.away:
            raise StoreUnavailable("The store is out of reach, full or locked.", retry_after=5.0)
        return await super().read(work)


@pytest.fixture
async def database(tmp_path):
    """Give a store with one subscription and seven delivered events."""
    numbers = count(1)

    def work(connection):
        made = Subscription("wh_1", "config", "https://x.example", ("*",), None, "native", Secret("whsec_x"), 1)
        subscriptions.add(connection, made, 9)
        append(connection, [happened(number) for number in range(7)], lambda prefix: f"{prefix}_{next(numbers)}")
        connection.execute(update(deliveries).values(state="delivered"))

    async with Counting(sqlite_store(tmp_path / "events.db"), lambda: NOW) as opened:
        await opened.write(work)
        yield opened


@pytest.fixture
async def work(database, monkeypatch):
    """Give replays of that store that are carried on, two events at a time, with at most four deliveries waiting."""
    monkeypatch.setattr(replay, "BATCH", 2)
    monkeypatch.setattr(replay, "MOST_PENDING", 4)
    monkeypatch.setattr(replay, "_LOOK_SECONDS", 0.02)
    numbers = count(1)
    made = built(database, lambda: NOW, new_id=lambda prefix: f"{prefix}_new_{next(numbers)}").replays
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


def made_of(key, *states):
    """Give the function that counts the deliveries of a replay in these states."""
    mine = (deliveries.c.job == key) & deliveries.c.state.in_(states)
    counted = select(func.count()).select_from(deliveries).where(mine)
    return lambda connection: connection.execute(counted).scalar_one()


async def settled(database, key, expected):
    """Wait until so many deliveries of a replay wait, and then give them all up."""

    async def waiting():
        return expected == await database.read(made_of(key, "pending"))

    await until(waiting)
    mine = (deliveries.c.job == key) & (deliveries.c.state == "pending")
    await database.write(lambda connection: connection.execute(update(deliveries).where(mine).values(state="dead")))


async def test_carried_on(database, work):
    """A replay makes no more than may wait, goes on when they are settled, and ends with its counts."""
    job = await work.begin(ReplaySelection(first=1))
    await settled(database, job.id, 4)
    await settled(database, job.id, 3)

    async def done():
        return "done" == (await database.read(lambda connection: replays.job(connection, job.id))).state

    await until(done)
    found = await database.read(lambda connection: replays.job(connection, job.id))
    assert (7, {"dead": 7}) == (found.total, found.counts)


async def test_quiet(database, work):
    """While nothing moves a running replay writes nothing."""
    job = await work.begin(ReplaySelection(first=1))
    await settled(database, job.id, 4)

    async def all_made():
        return 7 == await database.read(made_of(job.id, "pending", "dead"))

    await until(all_made)
    await asyncio.sleep(0.05)
    before = database.writes
    await asyncio.sleep(0.3)
    assert before == database.writes


async def test_after_an_outage(database, work, caplog):
    """While the store is away that is told once; then replays go on by themselves."""
    database.away = True

    async def told():
        return bool(caplog.records)

    await until(told)
    await asyncio.sleep(0.1)  # the loop meets the store some times more
    assert ["worker.paused"] == [record.getMessage() for record in caplog.records]
    database.away = False
    job = await work.begin(ReplaySelection(event="evt_x3"))
    await settled(database, job.id, 1)


async def test_refused(database, work):
    """What is not there cannot be replayed, and what has ended cannot be cancelled."""
    for wanted in (ReplaySelection(event="evt_none"), ReplaySelection(first=1, subscription="wh_none")):
        with pytest.raises(NotMapped):
            await work.begin(wanted)
    with pytest.raises(NotMapped):
        await work.cancel("job_none")
    job = await work.begin(ReplaySelection(event="evt_x1"))
    assert "cancelled" == (await work.cancel(job.id)).state
    with pytest.raises(GatewayError, match="has ended"):
        await work.cancel(job.id)
    await database.write(lambda connection: subscriptions.disable(connection, "wh_1", "it answered 410"))
    with pytest.raises(GatewayError, match="disabled"):
        await work.begin(ReplaySelection(event="evt_x1", subscription="wh_1"))
