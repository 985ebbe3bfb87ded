"""What is dropped, what is kept, and that the lists show both sides."""

import pytest
from sqlalchemy import func, insert, select

from gateway.store.database import Database
from gateway.store.deliveries.deliveries import (
    DEAD,
    DELIVERED,
    PENDING,
    Attempt,
    ClaimedDelivery,
    Result,
    claim,
    record,
)
from gateway.store.deliveries.history import Filter, attempts_of, delivery, list_
from gateway.store.events.events import NewEvent, Receipt, append, receive
from gateway.store.links import ledger, offers
from gateway.store.links.ledger import Entry
from gateway.store.links.offers import Offer
from gateway.store.retention import PruneResult, prune
from gateway.store.tables import attempts, deliveries, events, receipts, subscriptions
from gateway.values.secrets import Secret

NOW = 1_800_000_000_000
DAY = 86_400_000
HOUR = 3_600_000
AGE = 30 * DAY
ROWS = 1_000_000


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: NOW) as opened:
        for key in ("wh_1", "wh_2"):
            await opened.write(lambda connection, key=key: subscribe(connection, key))
        yield opened


def subscribe(connection, key):
    about = {"owner": "ada", "url": "https://x.example", "format": "native", "secret": Secret("s"), "created_at": NOW}
    connection.execute(insert(subscriptions).values(**about, id=key, events=["*"], state="active"))


async def happen(database, number, days, connection="club", type_="booking.created"):
    """Store event `evt_…` with its deliveries `dlv_…`, made so many days ago."""
    keys = iter((f"dlv_{number}a", f"dlv_{number}b"))
    at = NOW - days * DAY
    told = NewEvent(f"evt_{number}", connection, "example", type_, "poll", f"b{number}", at, lambda _: b"{}")
    await database.write(lambda connection: append(connection, [told], lambda _: next(keys)))


async def end(database, subscription="wh_1", state=DELIVERED, at=NOW):
    """Try everything that is due once."""

    def work(connection):
        for one in claim(connection, subscription, NOW, 1, 100):
            record(connection, one, Attempt(1, at, 5, state, 500, b"no"), Result(state, NOW))

    await database.write(work)


async def pruned(database, rows=ROWS, batch=500, age=AGE):
    return await database.write(lambda connection: prune(connection, NOW, age, rows, batch))


async def counted(database):
    tables = (events, deliveries, attempts, receipts)
    count = [select(func.count()).select_from(table) for table in tables]
    return await database.read(lambda connection: [connection.scalar(one) for one in count])


async def test_what_is_old_goes_with_all_that_belongs_to_it(database):
    """An event older than the age goes with its deliveries and attempts; a younger one keeps its own."""
    await happen(database, 1, 31)
    await happen(database, 2, 29)
    for key in ("wh_1", "wh_2"):
        await end(database, key)
    assert PruneResult(1, 2, 2, 0, 0, 0, 0, more=False) == await pruned(database)
    assert [1, 2, 2, 0] == await counted(database)
    assert PruneResult(0, 0, 0, 0, 0, 0, 0, more=False) == await pruned(database)


async def test_what_is_pending_stays_and_leaves_no_hole_behind_it(database):
    """An event that somebody still waits for stays, and so do those after it, for the sequence has no holes."""
    for number in (1, 2, 3):
        await happen(database, number, 40)
    await end(database, "wh_1")
    assert 0 == (await pruned(database)).events
    await database.write(
        lambda connection: record(
            connection,
            *(claim(connection, "wh_2", NOW, 1, 1)[0], Attempt(1, NOW, 5, DEAD, None, b""), Result(DEAD, NOW)),
        )
    )
    assert 1 == (await pruned(database)).events
    assert [2, 4, 2, 0] == await counted(database)


async def test_rows_are_bounded_as_well_and_go_in_batches(database):
    """Beyond so many events the oldest go however young they are, a batch at a time."""
    for number in range(5):
        await happen(database, number, 1)
    for key in ("wh_1", "wh_2"):
        await end(database, key)
    assert PruneResult(2, 4, 4, 0, 0, 0, 0, more=True) == await pruned(database, rows=2, batch=2)
    assert PruneResult(1, 2, 2, 0, 0, 0, 0, more=False) == await pruned(database, rows=2, batch=2)
    found = await database.read(lambda connection: list_(connection, Filter(), None, 9))
    assert ["evt_4", "evt_4", "evt_3", "evt_3"] == [one.event for one in found]


async def test_receipts_are_kept_for_a_week_at_least(database):
    """A receipt younger than seven days stays, whatever the age: without it a repeated message would be a new one."""
    for days in (5, 8, 31):
        one = Receipt(f"rcp_{days}", "club", "events", f"{days}", "x", NOW - days * DAY, b"{}", "mapped")
        await database.write(lambda connection, one=one: receive(connection, one))
    assert 1 == (await pruned(database)).receipts
    assert 1 == (await pruned(database, age=DAY)).receipts
    assert [0, 0, 0, 1] == await counted(database)


async def test_a_late_attempt_of_what_is_gone_goes_as_well(database):
    """An attempt written after its delivery was dropped does not stay for ever."""
    await happen(database, 1, 1)
    lost = ClaimedDelivery("dlv_9", 1, 0, "", NOW, "evt_9", b"", None)
    tried = Attempt(1, NOW - 31 * DAY, 5, "broken", None, b"")
    await database.write(lambda connection: record(connection, lost, tried, Result(DEAD, NOW)))
    assert 1 == (await pruned(database)).attempts


async def test_slots_of_links_go_once_they_are_over(database):
    """A day after it ended a slot goes, of every link and a batch at a time; one that is younger stays."""

    def work(connection):
        for link in ("court", "hall"):
            for hours in (30, 28, 26, 25, 23, -1):
                start = NOW - hours * HOUR
                offers.put(connection, link, [Offer("1", start, start + HOUR, True, b"{}", "d", NOW)])
            offers.note_days(connection, link, [("1", "2026-12-01"), ("1", "2027-01-15")], NOW)

    await database.write(work)
    first, second = await pruned(database, batch=2), await pruned(database, batch=2)
    assert [(4, True), (2, False)] == [(one.slots, one.more) for one in (first, second)]
    days = ["2026-12-01", "2027-01-15"]
    for link in ("court", "hall"):
        left = await database.read(lambda connection, link=link: offers.between(connection, link, 0, NOW + DAY))
        assert [NOW - 25 * HOUR, NOW - 23 * HOUR, NOW + HOUR] == [one.start_at for one in left]
        read = await database.read(lambda connection, link=link: offers.read_days(connection, link, ["1"], days))
        assert {("1", "2027-01-15"): NOW} == read


@pytest.mark.parametrize("state", [*sorted(ledger.LIVE), ledger.CANCELLED, ledger.FAILED])
async def test_an_entry_of_a_ledger_goes_when_it_is_old_and_holds_no_time_to_come(database, state):
    """What has not changed for so long goes, but for what is live and not over, or was over only lately."""
    cases = {"old": (40, 39), "fresh": (40, 29), "lately": (29, 39), "coming": (-1, 39)}

    def work(connection):
        for key, (ended, changed) in cases.items():
            end, at = NOW - ended * DAY, NOW - changed * DAY
            about = Entry(key, "court", key, key, end - HOUR, end, None, None, None, "pending", at, at, at, at, 0, None)
            assert ledger.begin(connection, about) is None
            assert ledger.settle(connection, key, ["pending"], state, at)

    await database.write(work)
    gone = (await pruned(database)).entries
    left = await database.read(lambda connection: {one.id for one in ledger.list_(connection, "court", 9)})
    expected = {"fresh", "lately", "coming"} if state in ledger.LIVE else {"fresh"}
    assert (4 - len(expected), expected) == (gone, left)


@pytest.mark.parametrize(
    ("expected", "wanted"),
    [
        (["dlv_3b", "dlv_3a", "dlv_2b", "dlv_2a", "dlv_1b", "dlv_1a"], {}),
        (["dlv_3a", "dlv_2a", "dlv_1a"], {"subscription": "wh_1"}),
        (["dlv_3a", "dlv_2a", "dlv_1a"], {"state": DEAD}),
        (["dlv_3b"], {"state": PENDING, "event": "evt_3"}),
        (["dlv_2b", "dlv_2a"], {"connection": "other"}),
        (["dlv_3b", "dlv_3a"], {"type": "booking.cancelled"}),
        ([], {"job": "job_1"}),
    ],
)
async def test_deliveries_are_listed_page_by_page(database, expected, wanted):
    """Every filter narrows the list, the newest come first, and each page begins where the last one ended."""
    await happen(database, 1, 0)
    await happen(database, 2, 0, connection="other")
    await happen(database, 3, 0, type_="booking.cancelled")
    await end(database, state=DEAD)
    found, before = [], None
    while page := await database.read(lambda connection, before=before: list_(connection, Filter(**wanted), before, 2)):
        found += [one.id for one in page]
        before = page[-1].sequence, page[-1].id
    assert expected == found


async def test_one_delivery_and_its_attempts(database):
    """An operator sees what a delivery is about, how it stands and what each answer was."""
    await happen(database, 1, 0)
    await end(database, state=DEAD)
    found = await database.read(lambda connection: delivery(connection, "dlv_1a"))
    assert ("evt_1", "booking.created", "club", "b1", "wh_1") == (
        *(found.event, found.type, found.connection, found.subject, found.subscription),
    )
    assert (DEAD, 1, NOW + 5) == (found.state, found.attempts, found.finished_at)
    assert [Attempt(1, NOW, 5, DEAD, 500, b"no")] == await database.read(
        lambda connection: attempts_of(connection, "dlv_1a")
    )
    assert await database.read(lambda connection: delivery(connection, "dlv_9")) is None
