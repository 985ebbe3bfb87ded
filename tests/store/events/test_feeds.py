"""Feeds in the store, and events as somebody who comes back reads them."""

import pytest
from sqlalchemy import delete, select

from gateway.store.database import Database
from gateway.store.events import feeds
from gateway.store.events.events import NewEvent, append
from gateway.store.events.feeds import Feed
from gateway.store.events.following import follow
from gateway.store.tables import events
from gateway.store.tables import feeds as table

FEED = Feed("feed_1", "club-a", "web", "Courts", None, None, 1_800_000_000_000)


@pytest.fixture
async def database(store_url):
    async with Database(store_url, lambda: 1_800_000_000_000) as opened:
        yield opened


def add(feed, digest, most=10):
    return lambda connection: feeds.add(connection, feed, digest, most)


def made(*rows):
    """Make the work that appends events: pairs of a connection and a type."""
    new = [
        NewEvent(f"evt_{name}_{number}", name, "courts", type_, "poll", "7", 0, lambda sequence: b"%d" % sequence)
        for number, (name, type_) in enumerate(rows)
    ]
    return lambda connection: append(connection, new, lambda prefix: prefix)


def after(number, types=(), most=10, name="club-a"):
    return lambda connection: follow(connection, name, number, types, most)


async def test_a_feed_is_found_by_the_digest_of_its_token(database):
    """What was kept comes back whole, and the row holds no token."""
    feed = Feed("feed_2", "club-a", "web", "Court 1", "c1", "customer", 1)
    assert await database.write(add(feed, "d" * 64))
    assert feed == await database.read(lambda connection: feeds.by_digest(connection, "d" * 64))
    assert None is await database.read(lambda connection: feeds.by_digest(connection, "e" * 64))
    row = await database.read(lambda connection: connection.execute(select(table)).one())
    assert "d" * 64 == row.digest


async def test_feeds_are_listed_by_owner_and_connection(database):
    """A caller sees its own feeds of one connection, the operator everybody's, of one or of all."""
    theirs = Feed("feed_2", "club-a", "other", "Theirs", None, None, 1)
    elsewhere = Feed("feed_3", "club-b", "web", "Elsewhere", None, None, 1)
    for number, feed in enumerate((FEED, theirs, elsewhere)):
        assert await database.write(add(feed, str(number)))
    assert [FEED] == await database.read(lambda connection: feeds.of(connection, "club-a", "web"))
    assert [theirs, FEED] == await database.read(lambda connection: feeds.every(connection, "club-a"))
    assert [theirs, elsewhere, FEED] == await database.read(feeds.every)


async def test_nobody_has_more_feeds_than_the_bound(database):
    """The feed beyond the bound is not kept; another owner still may have one."""
    assert await database.write(add(FEED, "1", most=1))
    assert not await database.write(add(Feed("feed_2", "club-a", "web", "x", None, None, 1), "2", most=1))
    assert await database.write(add(Feed("feed_3", "club-a", "other", "x", None, None, 1), "3", most=1))


async def test_a_feed_that_was_removed_is_found_no_more(database):
    """Only its owner or the operator removes a feed, and only once."""
    for by in ("web", None):
        await database.write(add(FEED, "1"))
        for owner, removed in (("other", False), (by, True), (by, False)):
            assert removed == await database.write(
                lambda connection, owner=owner: (
                    feeds.remove_any(connection, "feed_1")
                    if owner is None
                    else feeds.remove(connection, "club-a", owner, "feed_1")
                )
            )
    assert None is await database.read(lambda connection: feeds.by_digest(connection, "1"))


async def test_followers_get_their_events_in_order_and_the_number_to_come_back_with(database):
    """Other connections' events and other types move the number on and are not told."""
    await database.write(made(("club-a", "x"), ("club-b", "x"), ("club-a", "y"), ("club-b", "x")))
    first = await database.read(after(None, most=1))
    assert ([1], 1, True) == ([one.sequence for one in first.events], first.upto, first.more)
    rest = await database.read(after(first.upto))
    assert ([3], 4, False) == ([one.sequence for one in rest.events], rest.upto, rest.more)
    none = await database.read(after(0, types=("z",)))
    assert ((), 4, False, False) == (none.events, none.upto, none.more, none.gap)


@pytest.mark.parametrize(("number", "gap"), [(0, True), (1, True), (2, False), (4, False), (5, True), (None, False)])
async def test_a_gap_is_told_and_never_skipped(database, number, gap):
    """Whoever misses a removed event, or comes from another store, is told; whoever has seen them all is not."""
    await database.write(made(*[("club-a", "x")] * 4))
    await database.write(lambda connection: connection.execute(delete(events).where(events.c.sequence <= 2)))
    found = await database.read(after(number))
    assert gap == found.gap
    assert not (gap and found.events)


async def test_when_all_events_are_removed_only_the_newest_number_is_still_good(database):
    """An empty table is a gap for all but those who have seen the last event."""
    await database.write(made(("club-a", "x"), ("club-a", "x")))
    await database.write(lambda connection: connection.execute(delete(events)))
    assert [True, False] == [(await database.read(after(number))).gap for number in (1, 2)]
