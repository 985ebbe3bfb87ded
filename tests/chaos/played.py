"""What bounded runs in the suite share: a world for all plans of a module, and a plan in which every claim holds."""

import pytest_asyncio


def place_of(world, name):
    """Make the fixture that gives the world in which all plans of a module are played; `name` is that of its folder."""

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def place(tmp_path_factory):
        async with world(tmp_path_factory.mktemp(name)) as made:
            yield made

    return place


async def holds(kind, place, provider, seed):
    """Play the plan drawn of a seed, and see that every claim holds. `kind` is the module that draws and plays."""
    books = await kind.play(place, kind.draw(provider, seed))
    assert [] == books.wrong, "\n".join([books.plan.written(), *books.log])
