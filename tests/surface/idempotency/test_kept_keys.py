"""Idempotency-Keys in a store: they outlive the process, hold on every replica, and are never sent twice."""

import asyncio
import json
import sqlite3
from itertools import count

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update

from gateway.application import build
from gateway.store.database import Database
from gateway.store.keys import IdempotentRequest
from gateway.store.tables import keys
from gateway.surface.dependencies import Bounds
from gateway.surface.http.responses import Answer
from gateway.surface.idempotency.idempotency import Ledger, Share
from gateway.values.errors import GatewayError
from tests.applications import ambient

BOOKINGS = "/v1/club-a/bookings"
START = 1_800_000_000_000
LEASE = 5 + 10
"""Seconds: the timeout of the settings, and the margin."""
NUMBERS = count(1)


@pytest.fixture
def replica(engine, settings, store_url, ticks, call_as, provider, booking):
    """Start a gateway on the store: `async with replica() as book: status, body, headers = await book("k")`."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})

    def now():
        return START + round(ticks[-1] * 1000)

    class Replica:
        def __init__(self, share=None):
            self.share = share

        async def __aenter__(self):
            self.database = await Database(store_url, now).__aenter__()
            world = ambient(now, bounds=Bounds(keys=self.share))
            app = build(settings, engine, self.database, None, world).surface()
            self.client = TestClient(TestServer(app))
            await self.client.start_server()
            self.call = call_as("web")
            self.call.client = self.client
            return self

        async def __aexit__(self, *_):
            await self.client.close()
            await self.database.__aexit__(None, None, None)

        async def __call__(self, key, **changes):
            new = {"resource_id": "c1", "start": "2026-03-19T09:00:00+01:00", "customer": {"name": "Ada"}}
            end = {"end": "2026-03-19T10:00:00+01:00"}
            return await self.call("POST", BOOKINGS, json=new | end | changes, headers={"Idempotency-Key": key})

    return Replica


async def test_a_restart(replica, provider):
    """After a restart the same answer is given, and another request under the key is refused."""
    async with replica() as book:
        first = await book("k")
    provider.answers["POST /bookings"] = (500, {})
    async with replica() as book:
        again = await book("k")
        assert (201, first[1], "true") == (again[0], again[1], again[2]["Idempotent-Replayed"])
        assert first[2]["ETag"] == again[2]["ETag"]
        assert "IDEMPOTENCY_KEY_REUSED" == (await book("k", notes="more"))[1]["error"]["code"]
    assert 1 == len(provider.asked)


async def test_two_replicas(replica, provider):
    """Of requests that come to two replicas at once one is sent; the others are told to wait, then get its answer."""
    provider.gate = asyncio.Event()
    async with replica() as one, replica() as two:
        waiting = [asyncio.ensure_future(book("k")) for book in (one, two) * 4]
        ended = asyncio.as_completed(waiting)
        found = [await next(ended) for _ in waiting[1:]]
        provider.gate.set()
        found.append(await next(ended))
        assert [201, *[409] * 7] == sorted(status for status, _, _ in found)
        told = {body["error"]["code"] for status, body, _ in found if status == 409}
        assert {"IDEMPOTENCY_IN_PROGRESS"} == told
        again = [await book("k") for book in (one, two)]
        assert [(201, "true")] * 2 == [(status, headers["Idempotent-Replayed"]) for status, _, headers in again]
    assert 1 == len(provider.asked)


async def test_a_process_that_died(replica, provider, ticks):
    """What has no outcome when its time is up is unknown and not sent again; should it end after all, that is told."""
    provider.gate, provider.reads = asyncio.Event(), True
    async with replica() as one, replica() as two:
        waiting = asyncio.ensure_future(one("k"))
        await provider.arrived.wait()
        ticks.append(LEASE - 1)
        assert 409 == (await two("k"))[0]
        ticks.append(LEASE)
        for _ in range(2):
            status, body, headers = await two("k")
            assert (504, "OUTCOME_UNKNOWN", None) == (status, body["error"]["code"], headers.get("Idempotent-Replayed"))
            details = body["error"]["details"]
            assert ("bookings.list", "op_") == (details["reconcile_with"], details["operation"][:3])
        assert 422 == (await two("k", notes="more"))[0]
        provider.gate.set()
        assert 201 == (await waiting)[0] == (await two("k"))[0]
    assert 1 == sum(method == "POST" for method, _, _ in provider.asked)


async def test_an_unknown_outcome_has_an_id(replica, provider):
    """The answer whose outcome is unknown names the request, and every repeat names the same."""
    provider.answers["POST /bookings"] = None
    async with replica() as book:
        first, again = await book("k"), await book("k")
    details = first[1]["error"]["details"]
    assert (details, "true") == (again[1]["error"]["details"], again[2]["Idempotent-Replayed"])
    assert "op_" == details["operation"][:3]


async def test_a_new_try_after_a_restart(replica, provider, booking):
    """An answer that is not kept leaves nothing behind: the repeat is sent, by whichever replica."""
    provider.answers["POST /bookings"] = (429, {})
    async with replica() as one, replica() as two:
        assert 429 == (await one("k"))[0]
        provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
        assert 201 == (await two("k"))[0]
    assert 2 == len(provider.asked)


async def test_a_share(replica, provider):
    """A caller that has used up its share is refused new keys, with the time to come again, and keeps those it has."""
    async with replica(share=Share(2, 10**9)) as book:
        found = [await book(key) for key in "abca"]
    assert [201, 201, 429, 201] == [status for status, _, _ in found]
    error, headers = found[2][1]["error"], found[2][2]
    assert ("RATE_LIMITED", {"idempotency_keys": 2, "bytes": 10**9}) == (error["code"], error["details"]["limit"])
    assert ("86400", "true", 2) == (headers["Retry-After"], found[3][2]["Idempotent-Replayed"], len(provider.asked))


async def test_no_secret_is_kept(store_url):
    """What is kept of an answer that shows a secret holds none of it, in no column of the store."""
    answer = Answer(201, b'{"secret":"whsec_seen"}', kept=b'{"secret_withheld":"shown once"}')

    async def perform():
        return answer

    async with Database(store_url, lambda: START) as database:
        ledger = Ledger(database, now=lambda: START, fresh=lambda _: f"op_{next(NUMBERS)}", timeout=5)
        asked = IdempotentRequest("web", "", "k", "f", "webhooks.create", b"{}")
        assert (answer, False) == await ledger.once(asked, perform)
        assert (answer.kept, True) == ((found := await ledger.once(asked, perform))[0].body, found[1])
        rows = await database.read(lambda store: store.execute(select(keys)).all())
    assert "whsec_" not in repr(rows)


class Lock:
    """Another process that holds a SQLite store, so that nobody can write."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("BEGIN IMMEDIATE")

    def release(self):
        self.connection.execute("ROLLBACK")
        self.connection.close()


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """Give a function that takes the store away, until its result is released."""
    monkeypatch.setattr("gateway.store.sql.drivers._BUSY_MILLISECONDS", 50)
    return lambda: Lock(tmp_path / "gateway.db")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_no_store_before(replica, provider, lock):
    """While the key cannot be written nothing is sent, and the caller may come again."""
    async with replica() as book:
        held = lock()
        status, body, headers = await book("k")
        assert (503, "STORE_UNAVAILABLE") == (status, body["error"]["code"])
        assert ("5", []) == (headers["Retry-After"], provider.asked)
        held.release()
        assert 201 == (await book("k"))[0]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_no_store_after(replica, provider, lock, ticks):
    """When the answer cannot be written down it is given all the same, and a repeat is told that nobody knows."""
    provider.gate = asyncio.Event()
    async with replica() as book:
        waiting = asyncio.ensure_future(book("k"))
        await provider.arrived.wait()
        held = lock()
        provider.gate.set()
        assert 201 == (await waiting)[0]
        held.release()
        assert 409 == (await book("k"))[0]
        ticks.append(LEASE)
        assert "OUTCOME_UNKNOWN" == (await book("k"))[1]["error"]["code"]
    assert 1 == sum(method == "POST" for method, _, _ in provider.asked)


async def test_two_look_at_once(store_url):
    """Of two repeats that look at once, one that saw nothing sends nothing once the other has found it done."""
    asked = IdempotentRequest("web", "club-a", "k", "f")
    done, looking, found = Answer(201, b"{}"), asyncio.Event(), asyncio.Event()

    async def performed():
        raise AssertionError

    async def sees_nothing(_):
        looking.set()
        await found.wait()

    async def sees_it(_):
        await looking.wait()
        return done

    async with Database(store_url, lambda: START) as database:
        ledger = Ledger(database, now=lambda: START, fresh=lambda _: f"op_{next(NUMBERS)}", timeout=5)
        with pytest.raises(AssertionError):  # in doubt from now on
            await ledger.once(asked, performed)
        slow = asyncio.ensure_future(ledger.once(asked, performed, sees_nothing))
        assert (done, True) == await ledger.once(asked, performed, sees_it)
        found.set()
        with pytest.raises(GatewayError) as refused:
            await slow
        assert "IDEMPOTENCY_IN_PROGRESS" == refused.value.code
        assert (done, True) == await ledger.once(asked, performed)


async def test_a_dead_try_of_what_may_be_done_twice(replica, provider, booking, ticks):
    """What a process was at as it died is done now where doing it again changes nothing, though nobody can tell."""
    provider.answers["POST /bookings/7/cancel"] = (200, {"ok": True, "data": booking | {"status": "cancelled"}})
    told = {"headers": {"Idempotency-Key": "k"}}
    async with replica() as one:
        first = await one.call("POST", f"{BOOKINGS}/7/cancel", **told)
        sent = json.dumps({"path": {"connection": "club-a", "id": "7"}, "body": {}}).encode()
        await one.database.write(lambda store: store.execute(update(keys).values(outcome=None, until=0, request=sent)))
        assert 504 == (await one.call("POST", f"{BOOKINGS}/7/cancel", **told))[0]  # the provider may still be at it
        ticks.append(LEASE)
        status, body, headers = await one.call("POST", f"{BOOKINGS}/7/cancel", **told)
        assert (200, first[1], None) == (status, body, headers.get("Idempotent-Replayed"))
        assert "true" == (await one.call("POST", f"{BOOKINGS}/7/cancel", **told))[2].get("Idempotent-Replayed")
    assert ["POST", "POST"] == [method for method, _, _ in provider.asked]
