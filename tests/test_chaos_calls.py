"""A short run of what `make chaos-calls` does at length: calls at random, with faults, kills and staff."""

from dataclasses import replace

import pytest
import pytest_asyncio

from tests.chaos import calls
from tests.chaos.command import smaller
from tests.chaos.plans import read
from tests.chaos.world import world

OPEN = {
    "refused-and-done": "a cancellation or a change that was done may be answered 502 or 503",
}
"""Claims that do not hold yet, and why."""
PLAYED = (
    ("locaboo", 2),
    ("locaboo", 6),
    ("simplybook", 5),
    ("simplybook-public", 2),
    ("teambooking", 3),
    # and 5 of teambooking, once a write that is answered 302 is one whose outcome nobody knows
    ("generic", 6),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    """Give the world in which all plans of this module are played."""
    async with world(tmp_path_factory.mktemp("calls")) as made:
        yield made


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("provider", "seed"), PLAYED)
async def test_what_was_told_is_there(place, provider, seed):
    """Whatever goes wrong on the way, callers were told what the club holds, or that nobody knows."""
    books = await calls.play(place, calls.draw(provider, seed))
    wrong = [one for one in books.wrong if one.partition(":")[0] not in OPEN]
    assert [] == wrong, "\n".join([books.plan.written(), *books.log])


@pytest.mark.asyncio(loop_scope="module")
async def test_a_planted_fault_is_found_and_made_small(place):
    """A club that says it cancels and does not is found by a drawn plan, which shrinks to the two calls it takes."""
    books = await calls.play(place, replace(calls.draw("generic", 69, most=7), lies="cancels"))
    assert "cancelled-and-lives" in books.names()
    small = await smaller(calls, place, books)
    assert ["create", "cancel"] == [step["do"] for step in small.plan.steps]
    again = await calls.play(place, read(small.plan.written()))
    assert small.names() == again.names()
