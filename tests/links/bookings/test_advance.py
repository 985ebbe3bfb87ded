"""What is told and woken when an entry of the ledger changes: what was written, and nothing that was not."""

import logging

from gateway.application import build
from gateway.links.bookings.advance import advance
from gateway.store.links.transitions import Trigger
from tests.links.linked import LINK, on


def context_of(house):
    """Give what the flows of another gateway work with, on the first one's engine and store."""
    first = house.gateways[0].application
    return build(first.settings, first.engine, first.database, None, first.ambient).links.context


def told(caplog):
    """Give what was logged of entries so far: where they stand, and what operators are told."""
    names = {"link.booking": "state", "link.attention": "reason"}
    return [one.fields[names[one.getMessage()]] for one in caplog.records if one.getMessage() in names]


@on("generic")
async def test_what_was_written_is_logged_and_woken(house, caplog):
    """A booking that the club has ended is logged as it stands then, the operator told, and its day read again."""
    caplog.set_level(logging.INFO)
    assert 200 == await house.book()
    desk, entry = context_of(house), (await house.rows())[0]
    caplog.clear()
    kept = await advance(desk, desk.link(LINK), entry, Trigger.ENDED_BY_CLUB, reason="closed")
    assert [kept] == await house.rows()
    assert ["cancelled", "the marketplace's booking is over: closed"] == told(caplog)
    assert desk.is_touched(LINK)
    assert desk.woken(LINK).is_set()


@on("generic")
async def test_what_was_not_written_is_neither_logged_nor_woken(house, caplog):
    """Of a cancellation that was done meanwhile it is not told that it is tried on, and nobody looks for it."""
    caplog.set_level(logging.INFO)
    assert 200 == await house.book()
    before = (await house.rows())[0]
    assert 200 == await house.cancel()
    desk, rows = context_of(house), await house.rows()
    caplog.clear()
    assert await advance(desk, desk.link(LINK), before, Trigger.CANCELLATION_FAILED, reason="away") is None
    assert await advance(desk, desk.link(LINK), before, Trigger.MOVED_BY_CLUB, was=before.state, start_at=0) is None
    assert rows == await house.rows()
    assert [] == told(caplog)
    assert not desk.is_touched(LINK)
    assert not desk.woken(LINK).is_set()
