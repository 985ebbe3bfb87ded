"""How many attempts may be under way at once."""

import pytest

from gateway.store.deliveries.deliveries import DueSubscription
from gateway.webhooks.outbound.concurrency import ConcurrencyLimiter


def lanes(per_endpoint=4, in_all=8, per_second=50.0, time=0.0):
    clock = [time]
    return ConcurrencyLimiter(lambda: clock[0], per_endpoint, in_all, per_second), clock


def due(*names, failing=()):
    return [DueSubscription(name, name in failing) for name in names]


def begin(made, shares):
    for name, count in shares.items():
        for _ in range(count):
            made.enter(name)


def test_an_endpoint_has_its_places_and_no_more():
    """With all its places taken an endpoint gets none, whatever is free."""
    made, _ = lanes(in_all=100)
    shares = made.share(due("a"))
    assert {"a": 4} == shares
    begin(made, shares)
    assert {"b": 4} == made.share(due("a", "b"))
    made.leave("a")
    assert {"a": 1} == made.share(due("a"))


def test_places_in_all_go_to_those_who_have_least():
    """When few places are left, who has least under way is served first."""
    made, _ = lanes()
    begin(made, {"a": 3, "b": 2})
    assert {"c": 3} == made.share(due("a", "b", "c"))
    begin(made, {"c": 3})
    assert {} == made.share(due("a", "b", "d"))


def test_those_that_fail_have_one_place_each_and_half_of_all():
    """However many endpoints fail, half of the places are for the others."""
    made, _ = lanes()
    failing = [f"f{number}" for number in range(9)]
    shares = made.share(due(*failing, "a", failing=failing))
    assert [1, 1, 1, 1] == [shares[name] for name in failing if name in shares]
    assert 4 == shares["a"]
    begin(made, {name: count for name, count in shares.items() if name != "a"})
    assert {} == made.share(due(*failing, failing=failing))
    assert {"a": 4} == made.share(due("a", *failing, failing=failing))


@pytest.mark.parametrize(("per_second", "first", "wait"), [(2.0, 2, 0.5), (0.5, 1, 2.0)])
def test_attempts_begin_at_a_rate(per_second, first, wait):
    """After a burst of a second's worth another attempt may begin when the rate has room, which can be waited for."""
    made, clock = lanes(per_second=per_second)
    ready = due("a")
    begin(made, made.share(ready))
    for _ in range(first):
        made.leave("a")
    assert ({}, wait) == (made.share(ready), made.wait(ready))
    clock[0] += wait
    assert ({"a": 1}, float("inf")) == (made.share(ready), made.wait(ready))


def test_what_is_idle_is_forgotten():
    """An endpoint whose attempts have ended and whose rate is full again takes no memory."""
    made, clock = lanes()
    begin(made, {"a": 1, "b": 1})
    made.leave("a")
    assert {"a", "b"} == made._lanes.keys()
    clock[0] += 60
    made.leave("b")
    assert {} == made._lanes
