"""Polls beside others: gateways that share a store, webhooks, calls of ours, and a store that goes away."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from gateway.engine.catalog import Catalog, bind
from gateway.events.known_state import note
from gateway.events.polling import polling_of
from gateway.events.publisher import observe
from gateway.store.events.polls import claim
from gateway.transport.client import Client
from tests.stored import failing
from tests.webhooks.outbound.house import until

MINUTE = 60_000


async def test_two_gateways_share_the_polls(house):
    """Whoever polls first, each change is told once; the claim of a gateway that died ends by itself."""
    await house.gateway()
    await house.poll(0)
    for number in range(5):
        house.desk.put(f"b{number}")
        house.at += MINUTE
        await asyncio.gather(*(one.round(engine.connection("club")) for one, engine, _ in house.gateways * 2))
    assert [(f"b{number}", "created") for number in range(5)] == await house.changes()
    house.at += MINUTE
    _, _, publisher = house.gateways[0]
    held = await publisher.database.write(lambda store: claim(store, "club", house.at, house.at + 5 * MINUTE))
    assert held is not None
    house.desk.put("late")
    assert await house.poll(1) is None
    assert 1 == (await house.poll(1, later=6 * MINUTE)).told


async def test_who_lost_the_claim_changes_nothing(house):
    """A gateway that was away for longer than its claim tells nothing of what it found."""
    await house.poll()
    house.desk.put("b1")
    arrived, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Client):
        async def send(self, request):
            arrived.set()
            await go_on.wait()
            return await super().send(request)

    house.client = await house.stack.enter_async_context(Slow(["127.0.0.0/8"]))
    await house.gateway()
    late = asyncio.ensure_future(house.poll(1))
    await arrived.wait()
    assert 1 == (await house.poll(0, later=10 * MINUTE)).told
    go_on.set()
    assert await late is None
    assert [("b1", "created")] == await house.changes()


async def test_webhooks_calls_and_polls_tell_together_once(house):
    """Whoever learns first tells: a poll does not repeat a webhook or a call of ours, nor they a poll."""
    await house.poll()
    _, engine, publisher = house.gateways[-1]
    connection = engine.connection("club")

    def seen(state):
        return {"id": "b1", "status": state, "start": "2026-03-20T10:00:00+01:00", "notes": None}

    for state, word in (("pending", "created"), ("confirmed", "confirmed"), ("cancelled", "cancelled")):
        house.desk.put("b1", state=state)
        if state == "confirmed":
            await house.poll()
        house.at += 1
        await publisher.publish([observe("club", "desk", "provider_webhook", f"booking.{word}", seen(state))])
        house.at += 1
        await house.poll()
    origins = {"created": "provider_webhook", "confirmed": "poll", "cancelled": "provider_webhook"}
    assert [("b1", word, origin) for word, origin in origins.items()] == await house.told()
    house.desk.put("b2")
    house.at += 1
    await note(publisher, connection, "bookings.create", {}, seen("confirmed") | {"id": "b2"})
    await house.poll()
    assert ("b2", "created", "gateway") == (await house.told())[-1]
    assert 4 == len(await house.told())


async def test_a_list_that_was_asked_for_before_a_change_does_not_undo_it(house):
    """What a call of ours did while the provider was listing stands, though the list still shows what was before."""
    house.desk.put("b1")
    await house.poll()
    _, engine, publisher = house.gateways[-1]

    class Meanwhile(Client):
        async def send(self, request):
            found = await super().send(request)
            house.at += 5
            cancelled = {"id": "b1", "status": "cancelled"}
            await note(publisher, engine.connection("club"), "bookings.cancel", {"id": "b1"}, cancelled)
            return found

    house.client = await house.stack.enter_async_context(Meanwhile(["127.0.0.0/8"]))
    await house.gateway()
    await house.poll()
    assert [("b1", "cancelled", "gateway")] == await house.told()


async def test_polling_runs_by_itself_and_stops(house):
    """The task polls what is due, takes up a new catalog, and gives its claim back when it is stopped."""
    poller, engine, publisher = house.gateways[-1]
    house.desk.put("b1")
    running = asyncio.ensure_future(poller.run())
    await asyncio.wait_for(house.desk.called.wait(), 10)
    connection = engine.connection("club")
    assert polling_of(connection) is not None
    engine.use(
        Catalog(
            "v2", {}, {"club": bind("club", replace(connection.provider.compiled, polling=None), connection.public)}
        )
    )
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    held = await publisher.database.write(lambda store: claim(store, "club", house.at + MINUTE, house.at + 2 * MINUTE))
    assert held is not None


async def test_a_defect_that_one_connection_meets_is_its_own(house, caplog):
    """Its poll fails with a reason and its trace, waits, and works again; the others are polled meanwhile."""
    sound, broken = asyncio.Event(), True

    class Odd(Client):
        async def send(self, request):
            if "/odd/" not in request.url:
                sound.set()
            elif broken:
                raise OverflowError("of what came in")
            return await super().send(replace(request, url=request.url.replace("/odd/", "/")))

    house.client = await house.stack.enter_async_context(Odd(["127.0.0.0/8"]))
    poller, engine, publisher = await house.gateway()
    club = engine.connection("club")
    odd = bind("odd", club.provider.compiled, {**club.public, "base_url": f"{house.base}/odd"})
    engine.use(Catalog("v2", {}, {"odd": odd, "club": club}))
    running = asyncio.ensure_future(poller.run())

    async def hindered():
        return await publisher.database.read(failing)

    async def failed():
        return "odd" in await hindered()

    await until(failed)
    await asyncio.wait_for(sound.wait(), 10)
    assert not running.done()
    running.cancel()
    await asyncio.wait([running])
    assert "OverflowError" in (await hindered())["odd"]
    assert "of what came in" not in (await hindered())["odd"]
    (line,) = (one for one in caplog.records if one.message == "crashed")
    assert ({"request": "polling odd"}, OverflowError) == (line.fields, line.exc_info[0])
    waits = []
    for _ in range(3):
        house.at += 20 * MINUTE
        waits.append(((await poller.round(odd)).due_at - house.at) // MINUTE)
    assert [2, 4, 8] == waits
    broken = False
    house.at += 20 * MINUTE
    assert "" == (await poller.round(odd)).reason
    assert {} == await hindered()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_polling_outlives_its_store(house, monkeypatch):
    """While the store is locked nothing is polled and nothing is lost; afterwards the same poller goes on."""
    monkeypatch.setattr("gateway.store.sql.drivers._BUSY_MILLISECONDS", 50)
    monkeypatch.setattr("gateway.store.database.RETRY_SECONDS", 0.05)
    await house.poll()
    await house.gateway()
    poller, _, _ = house.gateways[-1]
    house.desk.put("b1")
    house.desk.called.clear()
    house.at += MINUTE
    holder = sqlite3.connect(house.url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    running = asyncio.ensure_future(poller.run())
    await asyncio.sleep(0.3)
    assert not running.done()
    assert not house.desk.called.is_set()
    holder.execute("ROLLBACK")
    holder.close()
    await asyncio.wait_for(house.desk.called.wait(), 10)
    running.cancel()
    await asyncio.wait([running])
