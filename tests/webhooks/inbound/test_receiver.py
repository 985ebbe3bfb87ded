"""Messages of providers while something is wrong: the store away or full, the mapping broken; and letters mended."""

import asyncio
import json
import sqlite3

import pytest
from sqlalchemy import text

from gateway.events.publisher import observe
from gateway.store.events.events import find
from gateway.values.errors import NotMapped, ProviderUnavailable
from tests.hooked import IN_PATH, MAPPINGS, batch, compiled, courts, signed, thin, told

CLUB = f"/hooks/club/events/{IN_PATH}"
DESK = "/hooks/desk/callback"
YARD = "/hooks/yard/signed"
NOTHING = (0, 0, 0, 0)


@pytest.fixture
def quick(monkeypatch):
    """Make SQLite give up on a lock at once."""
    monkeypatch.setattr("gateway.store.sql.drivers._BUSY_MILLISECONDS", 50)


def lock(tmp_path):
    """Hold the lock of the store's file, as another process would."""
    holder = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder


async def ready(gate):
    async with gate.session.get(f"{gate.url}/ready") as response:
        return response.status, (await response.json())["status"]


async def refused(gate):
    """Post a message that the store cannot take."""
    status, body, headers = await gate.post(CLUB, told())
    assert (503, "STORE_UNAVAILABLE") == (status, json.loads(body)["error"]["code"])
    assert 0 < int(headers["Retry-After"])
    assert (503, "store") == await ready(gate)


async def recovered(gate):
    """Wait until `/ready` says that the store works again."""
    async with asyncio.timeout(10):
        found = None
        while found != (200, "ready"):
            found = await ready(gate)


async def taken(gate):
    """Post the message again once the store works again."""
    await recovered(gate)
    assert 204 == (await gate.post(CLUB, told()))[0]
    assert (1, 1, 1, 1) == await gate.rows()


@pytest.mark.usefixtures("quick")
async def test_a_locked_store(gate, tmp_path):
    """While the store is locked nothing is accepted and `/ready` says so; afterwards the same process takes it."""
    holder = lock(tmp_path)
    await refused(gate)
    assert (503, "store") == await ready(gate)
    assert NOTHING == await gate.rows()
    holder.close()
    await taken(gate)


async def test_a_full_store(gate):
    """A disk that is full is 503 with Retry-After, never 2xx and never 4xx; with room again, work goes on (F16)."""

    def limit(pages):
        return lambda opened: opened.execute(text(f"PRAGMA max_page_count={pages}")).all()

    await gate.dependencies.database.write(limit(1))  # to what it has now
    statuses = set()
    for number in range(40):
        status, *_ = await gate.post(CLUB, told(f"bulk_{number}", note="x" * 20_000))
        statuses.add(status)
        if status == 503:
            break
    assert 503 in statuses <= {204, 503}
    assert {number} == set(await gate.rows())
    await gate.dependencies.database.write(limit(1_000_000))
    await recovered(gate)
    assert 204 == (await gate.post(CLUB, told()))[0]
    assert {number + 1} == set(await gate.rows())


async def test_a_database_that_hangs_up(serve_gate, postgresql_server):
    """When PostgreSQL ends all connections a message is stored or answered 503, and the next ones are taken (F17)."""
    url = postgresql_server()
    async with serve_gate(url) as gate:
        end = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
        with pytest.raises(Exception, match="out of reach"):
            await gate.dependencies.database.write(lambda opened: opened.execute(end).all())
        assert (200, "ready") == await ready(gate)  # the probe finds it well again
        assert 204 == (await gate.post(CLUB, told()))[0]
        assert (1, 1, 1, 1) == await gate.rows()


@pytest.mark.usefixtures("quick")
async def test_the_store_is_probed_once_a_second(gate, tmp_path):
    """However often somebody asks whether the gateway is ready, a store that fails is tried once in a second."""
    holder = lock(tmp_path)
    await refused(gate)
    begun = asyncio.get_running_loop().time()
    assert {(503, "store")} == {await ready(gate) for _ in range(20)}
    assert asyncio.get_running_loop().time() - begun < 1
    holder.close()
    await recovered(gate)


async def test_a_store_in_memory(serve_gate):
    """A gateway whose configuration names no store takes messages in as every other one, and is ready."""
    async with serve_gate("sqlite://") as gate:
        assert 200 == (await gate.post("/ready", method="GET"))[0]
        assert 204 == (await gate.post(CLUB, told()))[0]
        assert (1, 1, 1, 1) == await gate.rows()


@pytest.mark.usefixtures("quick")
async def test_a_mapping_cannot_end_what_shall_come_again(gate, tmp_path):
    """A mapping that answers every error with 200 still says 503 of what was not stored, and its own of the forged."""
    default = "    reply: {status: 200, json: {taken: true}}\n    replies: {default: {status: 200, text: odd}}\n"
    gate.mend(courts(tmp_path, ("    reply: {status: 200, json: {taken: true}}\n", default)))
    body, headers = batch(("b1", "new", {}))
    status, answer, _ = await gate.post(YARD, body, headers=signed(b"other bytes"))
    assert (200, b"odd", NOTHING) == (status, answer, await gate.rows())
    holder = lock(tmp_path)
    assert 503 == (await gate.post(YARD, body, headers=headers))[0]
    holder.close()
    assert 200 == (await gate.post(YARD, body, headers=headers))[0]
    assert (1, 1, 1, 1) == await gate.rows()


async def test_a_body_is_taken_as_a_whole(gate):
    """When one message of a body cannot be stored none is, and the whole body can come again."""
    body, headers = batch(("b1", "new", {}), ("b2", "new", {"start": "2031-05-06T10:00:00Z"}))
    database = gate.dependencies.database

    def forbid(opened):
        when = "BEFORE INSERT ON bookings WHEN NEW.id='b2'"
        opened.execute(text(f"CREATE TRIGGER no {when} BEGIN SELECT RAISE(ABORT, 'no'); END"))

    await database.write(forbid)
    assert 500 == (await gate.post(YARD, body, headers=headers))[0]
    assert NOTHING == await gate.rows()
    await database.write(lambda opened: opened.execute(text("DROP TRIGGER no")) and None)
    assert 200 == (await gate.post(YARD, body, headers=headers))[0]
    assert (2, 2, 2, 2) == await gate.rows()


def mended(tmp_path, old, new):
    """Compile the mapping of `club`, changed."""
    path = tmp_path / "generic.yaml"
    whole = (MAPPINGS / "generic.yaml").read_text(encoding="utf-8")
    assert old in whole
    path.write_text(whole.replace(old, new), encoding="utf-8")
    return compiled(path)["generic"]


async def letters(gate):
    return [receipt for receipt in await gate.receipts() if receipt.state == "dead"]


BERLIN = (
    "start: {at: data.scheduled_at, as: rfc3339}",
    'start: {at: data.scheduled_at, as: {datetime: "%Y-%m-%d %H:%M"}}',
)
"""The mending: the provider has begun to write times in another form."""


async def test_a_dead_letter_is_read_again(any_gate, tmp_path):
    """What could not be read is stored with its event once the mapping is mended, once, and is then no dead letter."""
    await any_gate.post(CLUB, told(at="2031-05-06 12:00"))
    (letter,) = await letters(any_gate)
    assert not await any_gate.replay(letter.id)
    assert (1, 0, 0, 0) == await any_gate.rows()
    any_gate.mend(mended(tmp_path, *BERLIN))
    first, *others = await asyncio.gather(*(any_gate.replay(letter.id) for _ in range(3)), return_exceptions=True)
    assert first is True
    assert all(one is True or isinstance(one, NotMapped) for one in others)
    assert [("booking.created", "2031-05-06T12:00:00+02:00")] == [
        (event["event"], event["data"]["start"]) for event in await any_gate.told()
    ]
    assert (2, 1, 1, 1) == await any_gate.rows()
    assert [] == await letters(any_gate)
    with pytest.raises(NotMapped):
        await any_gate.replay(letter.id)
    assert 204 == (await any_gate.post(CLUB, told(at="2031-05-06 12:00")))[0]
    assert (2, 1, 1, 1) == await any_gate.rows()


async def test_what_came_again_in_the_meantime_is_not_told_twice(gate, tmp_path):
    """A message that the provider sent again after the mapping was mended is told once, whatever is replayed later."""
    await gate.post(CLUB, told(at="2031-05-06 12:00"))
    (letter,) = await letters(gate)
    gate.mend(mended(tmp_path, *BERLIN))
    await gate.post(CLUB, told(at="2031-05-06 12:00"))
    await gate.post(CLUB, told(event="booking.rescheduled", at="2031-05-06 14:00"))
    assert await gate.replay(letter.id)
    assert ["booking.created", "booking.rescheduled"] == [event["event"] for event in await gate.told()]


async def test_a_dead_letter_undoes_nothing(gate, tmp_path):
    """What a dead letter says is as old as the letter: a booking that was moved again since stays where it is."""
    await gate.post(CLUB, told())
    await gate.post(CLUB, told(event="booking.rescheduled", at="2031-05-06 12:00"))
    (letter,) = await letters(gate)
    gate.moments.append(gate.moments[-1] + 60_000)
    await gate.post(CLUB, told(event="booking.rescheduled", at="2031-05-06T15:00:00Z"))
    either = '{as: {datetime: ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M"]}}'
    assert either
    gate.mend(mended(tmp_path, *BERLIN))
    assert await gate.replay(letter.id)
    assert 2 == len(await gate.told())
    found = await gate.dependencies.database.read(lambda opened: find(opened, "club", ["bk_1"]))
    assert "2031-05-06T17:00:00+02:00" == found["bk_1"].data["start"]


async def test_an_end_that_was_a_dead_letter_is_told(gate, tmp_path):
    """That a booking was cancelled is told when the letter is read, also of one that something was learned of since."""
    await gate.post(CLUB, told())
    await gate.post(CLUB, told(event="booking.cancelled", at="2031-05-06 12:00"))
    (letter,) = await letters(gate)
    gate.moments.append(gate.moments[-1] + 60_000)
    row = {"id": "bk_1", "notes": "seen by a poll"}
    await gate.dependencies.publisher.publish([observe("club", "generic", "poll", "changed", row)])
    gate.mend(mended(tmp_path, *BERLIN))
    assert await gate.replay(letter.id)
    assert "booking.cancelled" == (await gate.told())[-1]["event"]


async def test_all_messages_of_a_letter(gate, tmp_path):
    """Of a body whose one message cannot be read all are told when it is mended, and each of them once."""
    body, headers = batch(("b1", "new", {}), ("b2", "new", {"status": "asked"}), ("b3", "new", {}))
    assert 200 == (await gate.post(YARD, body, headers=headers))[0]
    (letter,) = await letters(gate)
    assert (1, 0, 0, 0) == await gate.rows()
    words = "{enum: {confirmed: confirmed, asked: pending, cancelled: cancelled}}"
    old = "      status: status\n      start: {at: start, as: rfc3339}"
    gate.mend(courts(tmp_path, (old, old.replace(": status\n", f": {{at: status, as: {words}}}\n"))))
    assert await gate.replay(letter.id)
    assert ["b1", "b2", "b3"] == [event["data"]["id"] for event in await gate.told()]
    assert (4, 3, 3, 3) == await gate.rows()
    assert 200 == (await gate.post(YARD, body, headers=headers))[0]
    assert 3 == len(await gate.told())


async def test_a_dead_letter_that_still_cannot_be_read(gate, tmp_path):
    """After a mending that does not mend it, a letter tells what is wrong now, and no longer what was."""
    await gate.post(CLUB, told(at="2031-05-06 12:00"))
    (before,) = await letters(gate)
    assert "scheduled_at" in before.reason
    gate.mend(mended(tmp_path, BERLIN[0], "start: {at: data.begins_at, as: rfc3339}"))
    assert not await gate.replay(before.id)
    (after,) = await letters(gate)
    assert ("begins_at" in after.reason, before.id) == (True, after.id)


async def test_a_fetched_object_that_cannot_be_read(any_gate):
    """What the provider shows and the mapping cannot read is a dead letter; read again, the booking is fetched anew."""
    gate = any_gate
    gate.vendor.known[434] = "approved"
    gate.vendor.answer = 200, {"result": {"id": "434", "start_date_time": "soon"}}
    for kind in ("create", "change"):
        assert 200 == (await gate.post(DESK, thin(kind=kind)))[0]
        assert 200 == (await gate.post(DESK, thin(kind=kind)))[0]
    created, changed = await letters(gate)
    assert (2, 0, 0, 0) == await gate.rows()
    assert not await gate.replay(created.id)
    gate.vendor.answer = 500, {}
    with pytest.raises(ProviderUnavailable):
        await gate.replay(created.id)
    gate.vendor.answer = None
    gate.moments.append(gate.moments[-1] + 90_000)
    assert await gate.replay(created.id)
    assert await gate.replay(changed.id)
    assert ["booking.created"] == [event["event"] for event in await gate.told()]
    assert [] == await letters(gate)


async def test_a_letter_that_is_no_longer_proved(gate):
    """A booking that the provider shows no more cannot be read again: the letter stays, and nothing is told."""
    gate.vendor.answer = 200, {"result": {"id": "434"}}
    await gate.post(DESK, thin())
    (letter,) = await letters(gate)
    gate.vendor.answer = None
    assert not await gate.replay(letter.id)
    assert [letter.id] == [one.id for one in await letters(gate)]
    with pytest.raises(NotMapped):
        await gate.replay("rcp_none")
