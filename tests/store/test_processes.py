"""Who is at work on a store: what a dead gateway held is given back, and nothing that anybody living holds."""

import pytest

from gateway.store import keys
from gateway.store.database import Database
from gateway.store.deliveries import deliveries, subscriptions
from gateway.store.deliveries.deliveries import Result
from gateway.store.deliveries.probes import probe
from gateway.store.deliveries.subscriptions import Subscription
from gateway.store.events import polls
from gateway.store.events.events import NewEvent
from gateway.store.keys import IdempotentRequest, KeyRecord
from gateway.store.links import ledger, links
from gateway.store.processes import processes
from gateway.store.tables import processes as table
from gateway.values.secrets import Secret

NOW = 1_800_000_000_000
LATER = NOW + 150_000


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: NOW) as opened:
        yield opened


@pytest.fixture
def do(database):
    """Write: `await do(links.claim, "court", NOW, LATER)`."""

    async def of(work, *given):
        return await database.write(lambda connection: work(connection, *given))

    return of


@pytest.fixture
async def hold(do):
    """Take one of everything in the name of a process; what cannot be had is None, or nothing."""
    endpoint = Subscription("wh_1", "caller:web", "https://x.example", ("*",), None, "native", Secret("whsec_x"), NOW)
    await do(subscriptions.add, endpoint, 9)
    event = NewEvent("evt_1", "", "", "webhook.test", "gateway", "wh_1", NOW, lambda _: b"{}")
    await do(probe, event, "wh_1", "dlv_1", 9)

    async def of(process, at=NOW):
        asked = IdempotentRequest("web", "club", "k", "f", "bookings.create", b"{}")
        found = (
            await do(links.claim, "court", at, LATER, process),
            await do(polls.claim, "club", at, LATER, process),
            (await do(deliveries.claim, "wh_1", at, 45_000, 9, process) or [None])[0],
        )
        return *found, await do(keys.begin, KeyRecord(f"op_{process}", asked, at, LATER, holder=process), 0)

    return of


async def living(database):
    return await database.read(processes.beats)


async def test_beats(do, database):
    """A process is known from its first beat on, and counts; one that was forgotten is told so, and known again."""
    assert [False, True, True] == [await do(processes.beat, "gw_1", NOW) for _ in range(3)]
    assert {"gw_1": 3} == await living(database)
    await do(lambda store: store.execute(table.delete()))
    assert not await do(processes.beat, "gw_1", NOW)
    assert {"gw_1": 1} == await living(database)


async def test_the_dead_are_buried(do, hold, database):
    """What a process held that has not beaten since can be claimed at once, and its request is in doubt."""
    for name in ("gw_1", "gw_2"):
        await do(processes.beat, name, NOW)
    old = await hold("gw_1")
    assert (None, None, None) == (await hold("gw_2"))[:3]
    assert 1 == await do(processes.bury, {"gw_1": 1})
    assert {"gw_2": 1} == await living(database)
    new = await hold("gw_2")
    assert None not in new[:3]
    assert (new[3].id, new[3].under_way(NOW)) == ("op_gw_1", False)
    assert (2, 2, 2) == (new[0], new[1].lease, new[2].lease)
    # Who was only paused overwrites nothing.
    assert not await do(links.extend, "court", old[0], LATER)
    assert not await do(polls.complete, old[1], NOW, "d", LATER)
    assert not await do(deliveries.finish, old[2], Result("delivered", NOW), NOW)


async def test_the_living_are_not(do, hold, database):
    """A process that has beaten since it was looked at keeps what it holds, and so does whoever names no process."""
    for name in ("gw_1", "gw_2", "gw_3"):
        await do(processes.beat, name, NOW)
    await hold("gw_1")
    await do(processes.beat, "gw_1", NOW)
    assert 1 == await do(processes.bury, {"gw_1": 1, "gw_2": 1})
    assert {"gw_1", "gw_3"} == (await living(database)).keys()
    *found, key = await hold("gw_3")
    assert ([None] * 3, True) == (found, key.under_way(NOW))


async def test_what_the_forgotten_took(do, hold):
    """What a process took after it had been forgotten, and before it died, goes with the next one that dies."""
    await do(processes.beat, "gw_2", NOW)
    await hold("gw_1")
    assert 1 == await do(processes.bury, {"gw_2": 1})
    assert None not in (await hold("gw_3"))[:3]


async def test_alone(do, hold):
    """Who knows that it is alone takes over at once, but for what names no process."""
    await do(processes.beat, "gw_1", NOW)
    await hold("gw_1")
    assert 1 == await do(processes.bury_all)
    assert None not in (await hold(""))[:3]
    assert 0 == await do(processes.bury_all)
    assert (None, None, None) == (await hold("gw_2"))[:3]


async def test_who_leaves_gives_back(do, hold, database):
    """A gateway that stops leaves nothing in its hands, and nobody else's is touched."""
    for name in ("gw_1", "gw_2"):
        await do(processes.beat, name, NOW)
    await hold("gw_1")
    await do(processes.leave, "gw_2")
    assert (None, None, None) == (await hold("gw_3"))[:3]
    await do(processes.leave, "gw_1")
    assert None not in (await hold("gw_3"))[:3]
    assert {} == await living(database)


async def test_what_has_ended_stays(do, hold):
    """An outcome that is written is no matter of who wrote it."""
    await do(processes.beat, "gw_1", NOW)
    await hold("gw_1")
    asked = IdempotentRequest("web", "club", "k", "f", "bookings.create", b"{}")
    await do(lambda store: keys.finish(store, KeyRecord("op_gw_1", asked, NOW, LATER), b"done", settled=True))
    await do(processes.bury_all)
    assert b"done" == (await hold("gw_2"))[3].outcome


async def test_bookings_of_links(do):
    """What a dead process was booking or cancelling for a link is in doubt at once; what has come to an end is not."""

    def entry(name, hour, holder):
        times = {"start_at": NOW + hour, "end_at": NOW + hour + 1, "created_at": NOW, "updated_at": NOW}
        about = {"link": "court", "facility": "c1", "slot_id": None, "player": None, "booking": None, "reason": None}
        open_ = {"state": ledger.PENDING, "until": LATER, "due_at": LATER, "tries": 0, "holder": holder}
        return ledger.Entry(id=name, key=name, **times, **about, **open_)

    for number, holder in enumerate(("gw_1", "gw_1", "gw_2", "gw_1")):
        await do(ledger.begin, entry(f"lnk_{number}", number, holder))
    for process in ("gw_1", "gw_2"):
        await do(processes.beat, process, NOW)
    await do(lambda store: ledger.settle(store, "lnk_1", (ledger.PENDING,), ledger.CONFIRMED, NOW))
    begun = {"due_at": LATER, "holder": "gw_1"}
    await do(lambda store: ledger.settle(store, "lnk_3", (ledger.PENDING,), ledger.CANCELLING, NOW, **begun))
    assert [] == await do(ledger.due, "court", NOW, 9)
    await do(processes.bury, {"gw_1": 1})
    assert ["lnk_0", "lnk_3"] == [one.id for one in await do(ledger.due, "court", NOW, 9)]
