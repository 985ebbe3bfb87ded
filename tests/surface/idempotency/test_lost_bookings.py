"""A booking whose answer was lost, at every shipped provider: what the look at the provider makes of it."""

import asyncio
import json

import pytest

from gateway.events.listed import is_listed
from gateway.mapping.expressions.ids import uuid_of
from gateway.model.model import arguments, load
from gateway.store.keys import IdempotentRequest, KeyRecord
from gateway.surface.idempotency.reconciliation import ABSENT, CONFIRMED, OPERATOR, PENDING, state_of
from gateway.values.messages import Call, Reply
from tests.nights import CLUBS, JANE, night_at

BEFORE = {"locaboo": ABSENT, "simplybook-admin": ABSENT, "teambooking times": ABSENT}
AFTER = {"locaboo": CONFIRMED, "simplybook-admin": CONFIRMED, "teambooking times": CONFIRMED}
"""What the others list is pieced together, or tells nothing of who has booked, or a slot's id does not tell its start:
there it is a person's."""


def _reading(night):
    """Give the function that reads the provider as a call does."""

    async def run(operation, asks):
        checked = arguments(load().operations[operation], asks, "Europe/Berlin")
        deadline = asyncio.get_running_loop().time() + 10
        return await night.engine.run(Call("club", operation, checked, "test", deadline))

    return run


@pytest.mark.parametrize("way", ["slot", "times"])
@pytest.mark.parametrize("club", CLUBS)
async def test_a_lost_booking(club, way):
    """Before it is there, nothing is taken for it; once it is, it is found where the provider tells enough."""
    async with night_at(club, "Europe/Berlin", "2026-03-19") as night:
        slot = (await night.offered())[0]
        names = ("resource_id", "service_id", *(("id",) if way == "slot" else ("start", "end")))
        given = {{"id": "slot_id"}.get(name, name): slot[name] for name in names if slot.get(name) is not None}
        if way == "slot" or club not in AFTER:
            given.pop("end", None)
        body = given | {"customer": JANE}
        asked = IdempotentRequest(
            "web", "club", "k", "f", "bookings.create", json.dumps({"path": {}, "body": body}).encode()
        )
        kept = KeyRecord("op_1", asked, began_at=0, until=0)
        joined = night.engine.connection("club")

        async def state(left=0):
            return await state_of(load(), joined, kept, _reading(night), left)

        assert PENDING == (await state(1000)).state
        assert BEFORE.get(f"{club} {way}", BEFORE.get(club, OPERATOR)) == (await state()).state
        made = await night.ask("bookings.create", **body)
        for left in (0, 1000):
            found = await state(left)
            wanted = AFTER.get(f"{club} {way}", AFTER.get(club, PENDING if left else OPERATOR))
            assert (wanted, made["id"] if wanted == CONFIRMED else None) == (
                found.state,
                found.more.get("data", {}).get("id"),
            )


async def test_a_booking_that_tells_its_key():
    """What has the key of the write for its reference is what was made, whatever it is called by now; no other is."""
    async with night_at("locaboo", "Europe/Berlin", "2026-03-19") as night:
        slot = (await night.offered())[0]
        given = {name: slot[name] for name in ("resource_id", "start", "end")} | {"customer": JANE}
        asked = IdempotentRequest(
            "web", "club", "k", "f", "bookings.create", json.dumps({"path": {}, "body": given}).encode()
        )
        made = await night.ask("bookings.create", **given)
        there = await night.ask("bookings.list", **{"from": slot["start"], "to": slot["end"]})
        for key, state in (("k", CONFIRMED), ("another", OPERATOR)):
            renamed = {"reference": uuid_of("web", "club", key), "customer": {"name": "Somebody Else"}}
            rows = [one | renamed for one in there]

            async def run(_operation, _asks, rows=rows):
                return Reply(rows)

            kept = KeyRecord("op_1", asked, began_at=0, until=0)
            found = await state_of(load(), night.engine.connection("club"), kept, run, 0)
            assert (state, made["id"]) == (found.state, found.more.get("data", {"id": made["id"]})["id"])


async def test_a_lost_cancellation():
    """Of a club that tells no status, what has left the list is cancelled, where its mapping says that it means so."""
    async with night_at("locaboo", "Europe/Berlin", "2026-03-19") as night:
        slot = (await night.offered())[0]
        made = await night.ask("bookings.create", slot_id=slot["id"], customer=JANE)
        request = json.dumps({"path": {"id": made["id"]}, "body": {}}).encode()
        kept = KeyRecord(
            "op_1", IdempotentRequest("web", "club", "k", "f", "bookings.cancel", request), began_at=0, until=0
        )

        async def state(left=0):
            return await state_of(load(), night.engine.connection("club"), kept, _reading(night), left)

        assert (PENDING, ABSENT) == ((await state(1000)).state, (await state()).state)
        await night.ask("bookings.cancel", id=made["id"])
        found = await state(1000)
        assert (CONFIRMED, made["id"], "cancelled") == (
            found.state,
            found.more["data"]["id"],
            found.more["data"]["status"],
        )


async def test_a_booking_that_is_moved_while_it_is_looked_for():
    """Of a booking that somebody moves between the two looks at the club, nothing is said: it is not cancelled."""
    async with night_at("locaboo", "Europe/Berlin", "2026-03-19") as night:
        first, *_, last = await night.offered()
        made = await night.ask("bookings.create", slot_id=first["id"], customer=JANE)
        read, moved = _reading(night), []

        async def run(operation, asks):
            reply = await read(operation, asks)
            if not moved:
                to = {name: last[name] for name in ("start", "end", "resource_id")}
                moved.append(await night.ask("bookings.reschedule", id=made["id"], **to))
            return reply

        club = night.engine.connection("club")
        assert (await is_listed(load(), club, made["id"], run), moved[0]["id"]) == (None, made["id"])
        assert (await is_listed(load(), club, made["id"], read)).listed
        await night.ask("bookings.cancel", id=made["id"])
        assert not (await is_listed(load(), club, made["id"], read)).listed
