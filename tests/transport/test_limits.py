"""The gate of a connection: rates, places and pauses, in a time that does not pass by itself."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport import limits
from gateway.transport.limits import Gates
from gateway.values.errors import ProviderUnavailable, TooManyCalls
from gateway.values.messages import Response
from gateway.values.rates import LimitsPlan, Rate
from tests.transport.conftest import Exchange

PER_SECOND = Rate(2, 1, "2/s")
PER_MINUTE = Rate(3, 60, "3/m")


def make(rates=None, concurrency=None):
    """Make a gate on the running loop's time, `default` and other classes by keyword."""
    clock = asyncio.get_running_loop().time
    return Gates(clock).of("club", LimitsPlan(rates or {}, concurrency))


class Provider:
    """Takes `seconds` for every request, and notes when each began and how many there were at once."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.began = []
        self.order = []
        self.now = self.most = 0

    async def send(self, exchange):
        self.began.append(round(asyncio.get_running_loop().time(), 3))
        self.order.append(exchange.url)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.now -= 1
        return Response(200, {}, b"")

    async def ask(self, gate, count=1, *, limit="default", deadline=25.0):
        """Send so many requests together; what each ended with: None, or its error."""
        send = limits.limit(self.send, gate)
        sent = (send(Exchange(str(number), limit, deadline)) for number in range(count))
        ended = await asyncio.gather(*sent, return_exceptions=True)
        return [one if isinstance(one, Exception) else None for one in ended]


@pytest.mark.parametrize(
    ("rates", "concurrency", "limit", "expected"),
    [
        ({}, None, "default", [0, 0, 0, 0, 0]),
        ({"default": PER_SECOND}, None, "default", [0, 0, 1, 1, 2]),
        ({"default": PER_SECOND}, None, "other", [0, 0, 0, 0, 0]),
        ({"default": PER_MINUTE, "create": PER_SECOND}, None, "create", [0, 0, 1, 1, 2]),
        ({}, 2, "default", [0, 0, 0.5, 0.5, 1]),
        ({}, 2, "other", [0, 0, 0.5, 0.5, 1]),
        ({"default": PER_SECOND}, 1, "default", [0, 0.5, 1, 1.5, 2]),
    ],
)
def test_when(virtual, rates, concurrency, limit, expected):
    """Each call begins as early as the rate of its class and the places of its connection let it, in their order."""

    async def scenario():
        provider = Provider(0.5)
        assert [None] * 5 == await provider.ask(make(rates, concurrency), 5, limit=limit)
        assert expected == provider.began
        assert [str(number) for number in range(5)] == provider.order

    virtual(scenario())


def test_any_window(virtual):
    """No period of the rate's length has more calls than it allows, wherever it begins: no burst at an edge."""

    async def scenario():
        provider, gate = Provider(), make({"default": PER_SECOND})
        await asyncio.sleep(0.9)
        await provider.ask(gate, 5)
        assert pytest.approx([0.9, 0.9, 1.9, 1.9, 2.9], abs=0.01) == provider.began

    virtual(scenario())


def test_refused_at_once(virtual):
    """A call that would wait past its deadline is told so when it comes, and how long; those before it are not."""

    async def scenario():
        provider, gate = Provider(), make({"create": PER_MINUTE})
        ended = await provider.ask(gate, 5, limit="create")
        assert 0.0 == asyncio.get_running_loop().time()
        assert [None, None, None] == ended[:3]
        for error in ended[3:]:
            assert isinstance(error, TooManyCalls)
            assert ("RATE_LIMITED", 60.0) == (error.code, error.retry_after)
            assert {"limit": {"rate_class": "create", "rate": "3/m"}} == error.details
        assert [None] * 3 == await provider.ask(gate, 3)

    virtual(scenario())


def test_foreseen_behind_others(virtual):
    """What those that wait already will use up is foreseen as well."""

    async def scenario():
        gate, provider = make({"default": PER_SECOND}), Provider()
        ended = await provider.ask(gate, 10, deadline=2.5)
        assert [0, 0, 1, 1, 2, 2] == provider.began
        assert [3.0] * 4 == [error.retry_after for error in ended[6:]]

    virtual(scenario())


def test_no_place_in_time(virtual):
    """A place that does not become free in time is a limit too; when it does, the next has it."""

    async def scenario():
        provider, gate = Provider(10.0), make(concurrency=1)
        first = asyncio.ensure_future(provider.ask(gate))
        await asyncio.sleep(1)
        ended = await provider.ask(gate, 2, deadline=5.0)
        assert 5.0 == asyncio.get_running_loop().time()
        assert [TooManyCalls, TooManyCalls] == [type(error) for error in ended]
        assert {"limit": {"rate_class": "default", "concurrency": 1}} == ended[0].details
        assert [None] == await provider.ask(gate)
        assert [None] == await first
        assert [0, 10] == provider.began

    virtual(scenario())


def test_failures_give_the_place_back(virtual):
    """However an exchange ends, its place is free afterwards, and its token is used up."""

    async def fail(_exchange):
        raise ProviderUnavailable("", sent=True)

    async def scenario():
        gate = make({"default": PER_SECOND}, concurrency=1)
        send = limits.limit(fail, gate)
        for _ in range(3):
            with pytest.raises(ProviderUnavailable):
                await send(Exchange(""))
        assert 1.0 == asyncio.get_running_loop().time()

    virtual(scenario())


@pytest.mark.parametrize("after", [0.0, 0.1, 0.5, 0.7, 1.5])
def test_cancelled(virtual, after):
    """Calls that are cancelled while they wait leave neither the queue, a place nor a token blocked."""

    async def scenario():
        provider, gate = Provider(0.5), make({"default": PER_SECOND}, concurrency=1)
        waiting = [asyncio.ensure_future(provider.ask(gate)) for _ in range(4)]
        await asyncio.sleep(after)
        begun = len(provider.began)
        for task in waiting[1:]:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        start = asyncio.get_running_loop().time()
        assert [None, None] == await provider.ask(gate, 2)
        assert max(1, begun) + 2 >= len(provider.began)
        assert start + 1.5 >= provider.began[-1]
        assert 1 == provider.most

    virtual(scenario())


@pytest.mark.parametrize(
    ("asked", "paused"), [(7.0, [7.0] * 3), (4000.0, [300.0] * 3), (None, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0])]
)
def test_pause(virtual, asked, paused):
    """A class is left alone for as long as the provider asked, or a time that grows; never longer than 5 minutes."""

    async def scenario():
        provider, gate = Provider(), make()
        for seconds in paused:
            gate.slowed("default", asked)
            start = asyncio.get_running_loop().time()
            assert [None] == await provider.ask(gate, deadline=start + 500)
            assert seconds == asyncio.get_running_loop().time() - start
            assert [None] == await provider.ask(gate, limit="other", deadline=start)

    virtual(scenario())


def test_refused_by_a_pause(virtual):
    """A call that the pause would keep longer than its time is refused at once, like one that a rate would."""

    async def scenario():
        gate = make({"default": PER_SECOND})
        gate.slowed("default", 30.0)
        (error,) = await Provider().ask(gate)
        assert (TooManyCalls, 30.0) == (type(error), error.retry_after)
        assert {"limit": {"rate_class": "default", "rate": "2/s"}} == error.details

    virtual(scenario())


def test_pauses_grow_once(virtual):
    """Calls that were under way together make one pause, and an answer after it makes the next a short one."""

    async def scenario():
        gate, provider = make(), Provider()
        for _ in range(5):
            gate.slowed("default", None)
        gate.answered("default")  # it was under way as well
        assert [None] == await provider.ask(gate)
        gate.slowed("default", None)
        assert [None] == await provider.ask(gate)
        assert [1, 3] == provider.began
        gate.answered("default")
        gate.slowed("default", None)
        assert [None] == await provider.ask(gate)
        assert [1, 3, 4] == provider.began

    virtual(scenario())


def test_a_pause_lengthened(virtual):
    """Who waits for the end of a pause waits for the end of the one that was added to it."""

    async def scenario():
        gate, provider = make(concurrency=1), Provider()
        gate.slowed("default", 3.0)
        waiting = asyncio.ensure_future(provider.ask(gate))
        await asyncio.sleep(1)
        gate.slowed("default", 5.0)
        assert [None] == await waiting
        assert [6] == provider.began

    virtual(scenario())


def test_a_pause_while_waiting_for_a_place(virtual):
    """A call that gets its place during a pause gives it back until the pause is over."""

    async def scenario():
        gate, provider = make(concurrency=1), Provider(2.0)
        tasks = [asyncio.ensure_future(provider.ask(gate)) for _ in range(2)]
        await asyncio.sleep(1)
        gate.slowed("default", 4.0)
        assert [None] == await provider.ask(gate, limit="other")
        await asyncio.gather(*tasks)
        assert [0, 2, 5] == provider.began

    virtual(scenario())


def test_no_time_at_all(virtual):
    """A call without time left is let through when nothing stands in its way: whoever sends it tells what is wrong."""

    async def scenario():
        await asyncio.sleep(5)
        assert [None] == await Provider().ask(make({"default": PER_SECOND}, 1), deadline=4.0)

    virtual(scenario())


def test_gates_last(virtual):
    """A connection keeps its gate while its limits stay the same, and the calls it made count in a new one as well."""

    async def scenario():
        clock = asyncio.get_running_loop().time
        gates, provider = Gates(clock), Provider()
        gate = gates.of("club", LimitsPlan({"default": PER_MINUTE}))
        assert gate is gates.of("club", LimitsPlan({"default": PER_MINUTE}))
        await provider.ask(gate, 3)
        for name, plan, refused in (
            ("club", LimitsPlan({"default": PER_MINUTE}, 5), True),
            ("club", LimitsPlan({"default": Rate(4, 60, "4/m")}), False),
            ("other", LimitsPlan({"default": PER_MINUTE}), False),
        ):
            (error,) = await provider.ask(gates.of(name, plan))
            assert refused == isinstance(error, TooManyCalls)

    virtual(scenario())


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 6)), max_size=25),
    st.floats(0, 2),
    st.integers(1, 4),
    st.integers(1, 3),
    st.none() | st.integers(1, 3),
)
def test_laws(virtual, calls, takes, amount, seconds, concurrency):
    """Whatever comes: never above the rate or the places, nobody begins after the deadline, and nothing stays taken."""

    async def one(gate, provider, comes, patience):
        await asyncio.sleep(comes)
        deadline = comes + patience
        try:
            await limits.limit(provider.send, gate)(Exchange("", deadline=deadline))
        except TooManyCalls:
            return None
        return deadline

    async def scenario():
        gate = make({"default": Rate(amount, seconds, "")}, concurrency)
        provider = Provider(takes)
        ended = await asyncio.gather(*(one(gate, provider, *call) for call in calls))
        began = provider.began
        assert len(began) == len([deadline for deadline in ended if deadline is not None])
        for earlier, later in zip(began, began[amount:], strict=False):
            assert later - earlier >= seconds - 0.002
        assert concurrency is None or concurrency >= provider.most
        await asyncio.sleep(10)
        assert [None] * amount == await provider.ask(gate, amount, deadline=1e9)

    virtual(scenario())
