"""A short run of what `make chaos-calls` does at length: calls at random, with faults, kills and staff."""

from dataclasses import replace

import pytest

from tests.chaos import calls
from tests.chaos.command import smaller
from tests.chaos.plans import read
from tests.chaos.played import holds, place_of
from tests.chaos.world import world

PLAYED = (
    ("locaboo", 2),
    ("locaboo", 6),
    ("locaboo", 1021),
    ("locaboo", 1030),
    ("simplybook", 5),
    ("simplybook-public", 2),
    ("teambooking", 3),
    ("teambooking", 5),
    ("generic", 6),
)


place = place_of(world, "calls")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("provider", "seed"), PLAYED)
async def test_what_was_told_is_there(place, provider, seed):
    """Whatever goes wrong on the way, callers were told what the club holds, or that nobody knows."""
    await holds(calls, place, provider, seed)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_planted_fault_is_found_and_made_small(place):
    """A club that says it cancels and does not is found by a drawn plan, which shrinks to the two calls it takes."""
    books = await calls.play(place, replace(calls.draw("generic", 69, most=7), lies="cancels"))
    assert "cancelled-and-lives" in books.names()
    small = await smaller(calls, place, books)
    assert ["create", "cancel"] == [step["do"] for step in small.plan.steps]
    again = await calls.play(place, read(small.plan.written()))
    assert small.names() == again.names()
