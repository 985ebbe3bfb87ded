"""Which entries of the ledger hold a stretch of time: what a calendar is shown, and what its booking is told by."""

from dataclasses import replace

import pytest

from gateway.store.database import Database
from gateway.store.links import ledger
from gateway.store.links.ledger import CANCELLED, CONFIRMED, PENDING, Entry

NOW = 1_800_000_000_000
HOUR = 3_600_000


def at(number, begins, ends, **more):
    """Make an entry of these hours on a court of its own."""
    start, end = (NOW + round(hours * HOUR) for hours in (begins, ends))
    about = {"id": f"lnk_{number}", "link": "court", "key": f"k{number}", "facility": str(number), "slot_id": "s"}
    about |= {"player": "Jané", "booking": None, "reason": None, "tries": 0}
    about |= {"created_at": NOW + number, "updated_at": NOW + number, "until": NOW, "due_at": NOW}
    return Entry(start_at=start, end_at=end, state=PENDING, **about | more)


@pytest.fixture
async def holding(store_url):
    """Give the numbers of the entries that hold the time between two hours, of a ledger with seven entries."""
    async with Database(store_url, lambda: NOW) as database:
        some = [at(1, 1, 2), at(2, 2, 3), at(3, 0.5, 4), at(4, 3, 4), at(5, 1, 2), replace(at(6, 1, 2), link="hall")]
        for one in some:
            await database.write(lambda store, one=one: ledger.begin(store, one))
        await database.write(lambda store: ledger.settle(store, "lnk_2", (PENDING,), CONFIRMED, NOW + HOUR))
        await database.write(lambda store: ledger.settle(store, "lnk_5", (PENDING,), CANCELLED, NOW))

        async def of(begins, ends):
            span = (NOW + round(hours * HOUR) for hours in (begins, ends))
            found = await database.read(lambda store: ledger.holding(store, "court", *span))
            return [int(one.id.removeprefix("lnk_")) for one in found]

        yield of


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        (1, 2, [3, 1]),
        (2, 3, [3, 2]),
        (1.5, 2.5, [3, 2, 1]),
        (0, 0.5, []),
        (4, 9, []),
        (3.5, 3.6, [4, 3]),
        (0, 0.6, [3]),
    ],
)
async def test_what_holds_a_time(holding, begins, ends, expected):
    """Live entries of the link that share time with it are given, the newest first; what only touches it is not."""
    assert expected == await holding(begins, ends)
