"""What a call may compute: briefly at once, for long in a thread, within its time and bounds."""

import asyncio

import pytest

from gateway.computation import budget, workers
from gateway.computation.budget import Effort, HandOver, check_rows, remember, spend
from gateway.values.errors import GatewayError

HOUR = 3600.0


def counted(steps):
    """Give a computation of so many steps that tells where it is run to its end."""

    def compute():
        for _ in range(steps):
            spend()
        return steps

    return compute


def an_effort(*, windowed=False, deadline=HOUR):
    return Effort(lambda: 0.0, deadline, windowed=windowed)


def test_brief():
    """A brief computation ends by itself; by steps or by time, a longer one is handed over."""
    assert budget.AT_ONCE_STEPS == an_effort().at_once(counted(budget.AT_ONCE_STEPS), lambda: 0.0)
    with pytest.raises(HandOver):
        an_effort().at_once(counted(budget.AT_ONCE_STEPS * 2), lambda: 0.0)
    ticks = iter(range(1000))
    with pytest.raises(HandOver):
        an_effort().at_once(counted(100), lambda: float(next(ticks)))


@pytest.mark.parametrize(("windowed", "code"), [(True, "WINDOW_TOO_LARGE"), (False, "PROVIDER_ERROR")])
def test_bounds(windowed, code):
    """Too many rows, or steps over all computations of a call, are refused: where there is a window, it is too long."""
    one = an_effort(windowed=windowed)
    with pytest.raises(GatewayError) as caught:
        one.apart(lambda: check_rows(budget.MOST_ROWS + 1))
    assert code == caught.value.code
    assert f"{budget.MOST_ROWS:,} rows" in caught.value.detail
    one.apart(lambda: check_rows(budget.MOST_ROWS))
    one.apart(lambda: spend(budget.MOST_STEPS))
    with pytest.raises(GatewayError) as caught:
        one.apart(lambda: spend(16))
    assert code == caught.value.code


def test_remembered():
    """What is made of a list is made once in a computation, and another list with the same content is another."""
    made = []

    def compute():
        values, others = [1], [1]
        return [remember(one, ("key",), lambda: made.append(1) or len(made)) for one in (values, others, values)]

    assert [1, 2, 1] == an_effort().apart(compute)
    assert [3, 4, 3] == an_effort().apart(compute)
    assert remember([1], ("key",), lambda: 5) is None


async def test_long_ones_leave_the_loop():
    """A long computation does not hold the event loop, and gives its result."""
    goes_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    def compute():
        spend(budget.AT_ONCE_STEPS * 2)
        loop.call_soon_threadsafe(goes_on.set)  # from a thread: the loop must turn to hear it
        return "done"

    computing = asyncio.ensure_future(workers.Workers().run("club", Effort(loop.time, loop.time() + 30), compute))
    async with asyncio.timeout(30):
        await goes_on.wait()
        assert "done" == await computing


@pytest.mark.parametrize(
    ("windowed", "long", "code"),
    [(False, False, "PROVIDER_TIMEOUT"), (True, False, "PROVIDER_TIMEOUT"), (True, True, "WINDOW_TOO_LARGE")],
)
def test_late(windowed, long, code):
    """Time that is used up is a time-out; when it went into computing a window, that is too long."""
    assert code == an_effort(windowed=windowed).late(60.0 if long else 0.1).code


async def test_the_deadline_ends_a_computation():
    """A computation without end is ended when the call has no time left, and others compute meanwhile."""
    loop, crew = asyncio.get_running_loop(), workers.Workers()

    def endless():
        while True:
            spend()

    async def ended(who):
        with pytest.raises(GatewayError) as caught:
            await crew.run(who, Effort(loop.time, loop.time() + 0.2), endless)
        return caught.value.code

    many = [asyncio.ensure_future(ended("greedy")) for _ in range(5)]
    await asyncio.sleep(0)
    long = counted(budget.AT_ONCE_STEPS * 2)
    assert budget.AT_ONCE_STEPS * 2 == await crew.run("other", Effort(loop.time, loop.time() + 30), long)
    assert {"PROVIDER_TIMEOUT"} == {await one for one in many}
