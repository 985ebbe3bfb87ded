"""The reference of a peer in the ledger: which entry a request is about, and that a reference is of one booking."""

import pytest

from gateway.store.database import Database
from gateway.store.links import ledger
from gateway.store.links.ledger import CANCELLED, CANCELLING, FAILED, LIVE
from tests.store.links.test_ledger import NOW, at


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: NOW) as one:
        yield one


@pytest.fixture
def begin(database):
    """Begin an entry; gives the id of the one that is in its way, or None."""

    async def of(new):
        found = await database.write(lambda store: ledger.begin(store, new))
        return found and found.id

    return of


@pytest.fixture
def settle(database):
    """Settle an entry, from any state."""

    async def of(number, state, **changes):
        was = LIVE | {CANCELLED, FAILED}
        return await database.write(lambda store: ledger.settle(store, f"lnk_{number}", was, state, NOW, **changes))

    return of


async def test_the_entry_that_is_asked_for(database, begin, settle):
    """It is the newest of the reference, else the newest of the key that has none; without a reference, of the key."""
    for number, reference in ((1, None), (2, "r2"), (3, "r3"), (4, "r2")):
        await begin(at(number, 1, 2, key="k", reference=reference))
        await settle(number, FAILED)
    for expected, key, reference in (
        ("lnk_4", "k", None),
        ("lnk_4", "k", "r2"),
        ("lnk_3", "another", "r3"),
        ("lnk_1", "k", "r5"),
        (None, "another", "r5"),
        (None, "another", None),
    ):
        found = await database.read(lambda store, about=(key, reference): ledger.find(store, "court", *about))
        assert expected == (found and found.id)
    assert await database.read(lambda store: ledger.find(store, "hall", "k", "r2")) is None


async def test_a_reference_is_of_one_booking(begin, settle):
    """What has it is given before all others, cancelled too; one that failed, or gave it free, is not in the way."""
    await begin(at(1, 1, 2, reference="r"))
    assert "lnk_1" == await begin(at(2, 5, 6, reference="r"))
    await settle(1, CANCELLED)
    await begin(at(3, 1, 2))
    assert "lnk_1" == await begin(at(2, 1, 2, key="k3", reference="r"))
    assert None is await begin(at(4, 5, 6, reference="another"))
    await settle(1, FAILED)
    assert None is await begin(at(5, 7, 8, reference="r"))
    await settle(5, CANCELLING, reference=None)
    assert None is await begin(at(6, 9, 10, reference="r"))


async def test_an_entry_gets_its_reference_once(database, begin):
    """Of two requests that find an entry without one, the first gives it its reference."""
    await begin(at(1, 1, 2))
    adopted = [
        await database.write(lambda store, name=name: ledger.adopt(store, "lnk_1", name)) for name in ("r1", "r2")
    ]
    found = await database.read(lambda store: ledger.find(store, "court", "another", "r1"))
    assert ([True, False], "lnk_1") == (adopted, found.id)
