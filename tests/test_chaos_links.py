"""A short run of what `make chaos-links` does at length: a marketplace and a club, with faults, kills and staff."""

import pytest

from tests.chaos import links
from tests.chaos.command import smaller
from tests.chaos.link_world import link_world
from tests.chaos.plans import Plan
from tests.chaos.played import holds, place_of

PLAYED = (
    ("locaboo", 2),
    ("locaboo+reference", 1),
    ("simplybook", 5),
    ("simplybook-public", 7002),
    ("teambooking+reference", 2),
    ("generic+reference", 1),
)


place = place_of(link_world, "links")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("provider", "seed"), PLAYED)
async def test_both_sides_agree(place, provider, seed):
    """Whatever goes wrong on the way, marketplace and club agree in the end, and everything has come to an end."""
    await holds(links, place, provider, seed)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_planted_fault_is_found_and_made_small(place):
    """A club that says it cancels and does not is found, and the plan shrinks to a booking and its cancellation."""
    steps = (
        {"do": "book", "name": "m1", "slot": 0, "player": 0},
        {
            "do": "together",
            "steps": [{"do": "again", "of": "m1"}, {"do": "book", "name": "m2", "slot": 1, "player": 1}],
        },
        {"do": "cancel", "of": "m1"},
    )
    books = await links.play(place, Plan("links", "generic", 0, steps, lies="cancels"))
    assert "lives-cancelled" in books.names()
    small = await smaller(links, place, books)
    assert ["book", "cancel"] == [step["do"] for step in small.plan.steps]
