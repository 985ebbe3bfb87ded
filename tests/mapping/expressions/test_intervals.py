"""Which intervals meet another: by bisection as by looking at each."""

from hypothesis import given, strategies

from gateway.computation.budget import Effort
from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.expressions.functions.intervals import Intervals

POINTS = strategies.integers(0, 12)
BOUNDS = strategies.lists(strategies.tuples(POINTS, POINTS), max_size=12)


@given(BOUNDS, POINTS, POINTS)
def test_as_by_looking_at_each(bounds, start, end):
    """The same intervals are found, in their order: empty ones, backward ones and equal ones as well."""
    expected = [at for at, (first, last) in enumerate(bounds) if first < end and last > start]
    assert expected == Intervals(bounds).meeting(start, end)


@given(BOUNDS, strategies.lists(strategies.tuples(POINTS, POINTS), min_size=1, max_size=4))
def test_the_word_is_the_same_inside_a_call(bounds, wanted):
    """`overlapping` gives the same whether it may remember the list or not."""
    held = [{"a": first, "b": last} for first, last in bounds]

    def asked():
        return [FUNCTIONS["overlapping"](held, "a", "b", start, end) for start, end in wanted]

    assert asked() == Effort(lambda: 0.0, 1.0).apart(asked)
