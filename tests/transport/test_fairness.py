"""Nobody starves anybody: bounds of a connection, of its callers and of a host, and turns for those who wait."""

import asyncio

import pytest

from gateway.transport.limits import CALLER_CALLS, CONNECTION_CALLS, HOST_CALLS, Gates, limit
from gateway.values.errors import TooManyCalls
from gateway.values.messages import Response
from gateway.values.rates import LimitsPlan, Rate
from tests.transport.conftest import Exchange


class Provider:
    """Takes a second for every request, notes whose came when, and how many there were at once."""

    def __init__(self):
        self.order = []
        self.now = self.most = 0

    async def send(self, exchange):
        self.order.append(exchange.url)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(1.0)
        self.now -= 1
        return Response(200, {}, b"")


def test_bounds_without_a_word(virtual):
    """Whatever the mapping says, a connection and each of its callers have so many calls under way, and no more."""

    async def scenario():
        clock, provider = asyncio.get_running_loop().time, Provider()
        gate = Gates(clock).of("club", LimitsPlan())

        async def ask(caller):
            await limit(provider.send, gate)(Exchange(caller, caller=caller))

        await asyncio.gather(*(ask("greedy") for _ in range(3 * CALLER_CALLS)))
        assert provider.most == CALLER_CALLS
        await asyncio.gather(*(ask(f"caller {number % 9}") for number in range(3 * CONNECTION_CALLS)))
        assert provider.most == CONNECTION_CALLS

    virtual(scenario())


@pytest.mark.parametrize(("rates", "concurrency"), [({}, None), ({}, 1), ({"default": Rate(1, 1, "1/s")}, None)])
def test_a_caller_is_not_behind_all_calls_of_another(virtual, rates, concurrency):
    """One call of a caller has its turn after at most one more of each other, also in the class of a rate."""

    async def scenario():
        clock, provider = asyncio.get_running_loop().time, Provider()
        gate = Gates(clock).of("club", LimitsPlan(rates, concurrency))

        def ask(caller):
            send = limit(provider.send, gate)
            return asyncio.ensure_future(send(Exchange(caller, deadline=1000.0, caller=caller)))

        greedy = [ask("greedy") for _ in range(100)]
        await asyncio.sleep(0.01)
        await ask("modest")
        assert provider.order.index("modest") <= CALLER_CALLS + 1
        await asyncio.gather(*greedy)

    virtual(scenario())


def test_connections_share_a_host(virtual):
    """Who calls a busy host through another connection has the next place that comes free."""

    async def scenario():
        clock, order = asyncio.get_running_loop().time, []
        gates = Gates(clock)

        async def ask(name):
            places = await gates.at_host("api.example", name, 1000.0)
            order.append(name)
            await asyncio.sleep(1.0)
            places.leave(name)

        greedy = [asyncio.ensure_future(ask("greedy")) for _ in range(4 * HOST_CALLS)]
        await asyncio.sleep(0)
        await ask("modest")
        assert order.index("modest") <= HOST_CALLS + 1
        await asyncio.sleep(0.5)
        with pytest.raises(TooManyCalls):
            await gates.at_host("api.example", "late", clock() + 0.2)
        await asyncio.gather(*greedy)

    virtual(scenario())
