"""Polls of a provider on a socket, into a store of each kind: every transition once, and none that did not happen."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.store.events.events import find
from gateway.values.messages import Call
from tests.stored import events_of, failing

MINUTE, DAY = 60_000, 86_400_000


async def test_each_transition_is_told_once(house):
    """What is there at first is no news; then what is made, confirmed, moved, changed, completed and cancelled is."""
    house.desk.put("old")
    assert 0 == (await house.poll()).told
    house.desk.put("b1", state="pending")
    await house.poll()
    for change in (
        {"state": "confirmed"},
        {"from": "2026-03-21T10:00:00+01:00"},
        {"text": "please"},
        {"court": "2"},
        {"state": "completed"},
    ):
        house.desk.bookings["b1"] |= change
        for _ in range(2):
            await house.poll()
    house.desk.bookings["old"]["state"] = "cancelled"
    for _ in range(2):
        await house.poll()
    expected = ["created", "confirmed", "rescheduled", "updated", "rescheduled", "completed"]
    assert [*(("b1", one, "poll") for one in expected), ("old", "cancelled", "poll")] == await house.told()


async def test_a_poll_is_made_when_it_is_due(house):
    """Not before its interval has passed, whichever gateway asks, and the whole window is asked for in its parts."""
    await house.gateway()
    assert (await house.poll(0)) is not None
    for which in (0, 1):
        assert await house.poll(which, later=MINUTE // 3) is None
    assert (await house.poll(1, later=MINUTE)) is not None
    windows = ["first=2026-03-09&last=2026-03-28", "first=2026-03-29&last=2026-04-09"]
    assert [f"/bookings?{one}" for one in windows] * 2 == house.desk.asked


async def test_days_ahead(house):
    """An operator lists fewer days ahead than a mapping does, never more; what lies beyond them has not vanished."""
    await house.gateway(window_days=366)
    house.desk.put("late", "2026-04-05T10:00:00+02:00")
    await house.poll()
    await house.gateway(window_days=5)
    await house.poll()
    windows = [
        "first=2026-03-09&last=2026-03-28",
        "first=2026-03-29&last=2026-04-09",
        "first=2026-03-09&last=2026-03-15",
    ]
    assert [f"/bookings?{one}" for one in windows] == house.desk.asked
    assert [] == await house.told()


async def test_what_happened_while_nobody_looked_is_told_once(house):
    """After a restart, and days in which none looked, each change is told once, also of what is over by now."""
    house.desk.put("b1", "2026-03-12T10:00:00+01:00")
    house.desk.put("b2")
    await house.poll()
    house.desk.put("b3", "2026-03-11T10:00:00+01:00", "no_show")
    house.desk.put("b4", "2026-03-12T09:00:00+01:00")
    house.desk.bookings["b1"]["state"] = "completed"
    house.desk.bookings["b2"]["state"] = "cancelled"
    await house.gateway()
    await house.poll(later=5 * DAY)
    await house.gateway()
    await house.poll()
    # what was made and was over before anybody saw it is no news
    assert {("b1", "completed"), ("b2", "cancelled"), ("b4", "created")} == set(await house.changes())
    assert 3 == len(await house.changes())
    assert "/bookings?first=2026-03-10&last=2026-03-29" in house.desk.asked


@pytest.mark.parametrize(("status", "body"), [(503, None), (404, None), (200, b"<html>"), (200, b'{"bookings": []}')])
async def test_a_provider_that_fails_is_not_empty(house, status, body):
    """A poll that fails tells nothing and forgets nothing, is tried again ever later, and then all is well."""
    house.desk.put("b1")
    house.desk.put("b2")
    await house.poll()
    house.desk.status, house.desk.body = status, body
    waits = []
    for _ in range(6):
        failed = await house.poll(later=20 * MINUTE)
        assert failed.reason
        waits.append((failed.due_at - house.at) // 1000)
    assert [60, 120, 240, 480, 900, 900] == waits
    _, _, publisher = house.gateways[-1]
    assert ["club"] == list(await publisher.database.read(failing))
    house.desk.status, house.desk.body = 200, None
    house.desk.bookings["b1"]["state"] = "cancelled"
    assert 1 == (await house.poll(later=20 * MINUTE)).told
    assert {} == await publisher.database.read(failing)
    assert [("b1", "cancelled")] == await house.changes()


async def test_a_part_that_fails_fails_the_poll(house):
    """When the second of two windows cannot be read, nothing is concluded from the first."""
    house.desk.put("b1")
    await house.poll()
    house.desk.put("b2", "2026-04-05T10:00:00+02:00", "unheard-of")
    del house.desk.bookings["b1"]
    assert (await house.poll()).reason.startswith("PROVIDER_ERROR: ")
    assert [] == await house.changes()


async def test_what_is_listed_no_more(house):
    """Still to come and gone: cancelled. Past, over, moved out of the window or out of it by the day: not."""
    house.desk.put("gone")
    house.desk.put("began", "2026-03-10T12:00:30+01:00")
    house.desk.put("over", state="completed")
    house.desk.put("moved")
    await house.poll(later=0)
    for key in ("gone", "began", "over"):
        del house.desk.bookings[key]
    house.desk.bookings["moved"]["from"] = "2026-08-01T10:00:00+02:00"
    for _ in range(2):
        await house.poll()
    assert {("gone", "cancelled"), ("moved", "rescheduled")} == set(await house.changes())
    assert 2 == len(await house.changes())
    house.desk.bookings["moved"]["from"] = "2026-03-21T10:00:00+01:00"
    await house.poll()
    assert ("moved", "rescheduled") == (await house.changes())[-1]


async def test_the_edge_of_the_window(house):
    """What lies behind it comes into it by the day and is told then; what leaves it on the other side is not."""
    house.desk.put("yesterday", "2026-03-10T10:00:00+01:00")
    house.desk.put("behind", "2026-04-10T23:59:00+02:00")
    await house.poll()
    assert [] == await house.changes()
    await house.poll(later=DAY)
    assert [("behind", "created")] == await house.changes()
    for _ in range(3):
        await house.poll(later=DAY)
    assert 1 == len(await house.changes())


async def test_the_day_on_which_the_clocks_change(house):
    """A window that ends on a day of 23 hours ends with that day."""
    await house.gateway(replace(house.plan, polling=replace(house.plan.polling, after=1)))
    house.at = int(datetime(2026, 3, 28, 22, 30, tzinfo=UTC).timestamp() * 1000)  # half an hour to midnight
    house.desk.put("late", "2026-03-29T23:59:00+02:00")
    house.desk.put("next", "2026-03-30T00:00:00+02:00")
    await house.poll(later=0)
    _, _, publisher = house.gateways[-1]
    there = await publisher.database.read(lambda store: find(store, "club", ["late", "next"]))
    assert ["late"] == list(there)
    assert ["/bookings?first=2026-03-27&last=2026-03-29"] == house.desk.asked


async def test_a_field_that_no_longer_holds_is_not_told(house):
    """What a poll tells of a booking is what a read shows: a field whose `when:` came to be false has no old value."""
    house.desk.put("b1")
    house.desk.bookings["b1"]["series"] = "s1"
    house.desk.put("other")
    await house.poll()
    house.desk.bookings["b1"] |= {"text": "please"}
    await house.poll()
    house.desk.bookings["b1"] |= {"text": "now", "series": None}
    await house.poll()
    _, engine, publisher = house.gateways[-1]
    stored = await publisher.database.read(lambda store: events_of(store, "club"))
    shown = [json.loads(one.body)["data"] for one in stored]
    assert ["s1", "absent"] == [one.get("group_id", "absent") for one in shown]
    call = Call("club", "bookings.get", {"id": "b1"}, "r", asyncio.get_running_loop().time() + 5)
    assert (await engine.run(call)).data.items() <= shown[-1].items()


async def test_a_part_of_a_list_says_nothing_of_the_rest(house, caplog):
    """While the provider has more than it tells, what is listed is told and nobody counts as gone; then both are."""
    for number in range(7):
        house.desk.put(f"b{number}")
    await house.poll()
    del house.desk.bookings["b0"]
    for key in ("new", "other"):
        house.desk.put(key)
    await house.poll()
    assert [("new", "created"), ("other", "created")] == await house.changes()
    assert {"list.incomplete", "polling.incomplete"} <= {record.message for record in caplog.records}
    del house.desk.bookings["other"]
    await house.poll()
    assert [("b0", "cancelled"), ("other", "cancelled")] == sorted((await house.changes())[2:])


async def test_absence_may_mean_nothing(house):
    """Where the mapping says so, what is listed no more is left as it was."""
    await house.gateway(replace(house.plan, polling=replace(house.plan.polling, vanishes=False)))
    house.desk.put("b1")
    await house.poll()
    house.desk.bookings.clear()
    await house.poll()
    assert [] == await house.changes()


async def test_a_window_that_grows_and_a_list_that_is_another(house):
    """Bookings that a new configuration makes visible, or hides, did not change; what changes later is told."""
    house.desk.put("near")
    house.desk.put("far", "2026-05-01T10:00:00+02:00")
    await house.poll()
    await house.gateway(replace(house.plan, polling=replace(house.plan.polling, after=90)))
    house.desk.put("new")
    await house.poll()
    assert [("new", "created")] == await house.changes()
    house.settings = {"kind": "other"}
    await house.gateway()
    del house.desk.bookings["near"]
    house.desk.put("strange")
    await house.poll()
    house.desk.bookings["strange"]["state"] = "cancelled"
    await house.poll()
    assert [("new", "created"), ("strange", "cancelled")] == await house.changes()
