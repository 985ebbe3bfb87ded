"""A provider with a second service behind a login of its own, played: both see the same bookings."""

import pytest

from gateway.simulator.play import Play
from gateway.values.errors import GatewayError, Unsupported
from gateway.values.secrets import Secret

DAY = {"from": "2026-03-02T00:00", "to": "2026-03-03T00:00"}
JANE = {"name": "Jane Doe", "email": "jane@example.com", "phone": "+447700900123"}
PUBLIC = {"user_login": None, "user_password": None}


@pytest.fixture
def club(shipped):
    """Give the play with the settings of its script, an administrator's login among them."""
    play = shipped("simplybook")
    return Play(play.examples.played, play.examples, play.script, play.now)


@pytest.fixture
async def ask(club, engine_on, call):
    """Make a call as an administrator: `data = await ask("bookings.get", id="7")`."""
    engine = await engine_on(club)

    async def asked(operation, **given):
        return await call(engine, operation, **given)

    return asked


async def refusal(call):
    """Give the code that a call fails with."""
    with pytest.raises(GatewayError) as refused:
        await call
    return refused.value.code


async def test_a_booking_of_the_administration(ask):
    """A booking is made for a customer who is there, listed, moved without a new id, changed and completed."""
    jane = await ask("customers.create", **JANE)
    slot = (await ask("slots.list", **DAY, service_id="1"))[0]
    made = await ask("bookings.create", slot_id=slot["id"], customer=JANE | {"email": "Jane@example.com"}, notes="Left")
    assert ("confirmed", jane["id"], "Left") == (made["status"], made["customer"]["id"], made["notes"])
    assert "Left" == await ask("native.getBookingComment", bookingId=int(made["id"]))
    assert "BOOKING_CONFLICT" == await refusal(ask("bookings.create", slot_id=slot["id"], customer=JANE))
    moved = await ask("bookings.reschedule", id=made["id"], start="2026-03-02T15:00", duration=90)
    assert (made["id"], "2026-03-02T16:30:00+00:00") == (moved["id"], moved["end"])
    answers = [{"name": "level", "value": "4"}]
    changed = await ask("bookings.update", id=made["id"], form_responses=answers, customer={"name": "Jane Roe"})
    assert ("Jane Roe", "4") == (changed["customer"]["name"], changed["form_responses"][0]["value"])
    listed = await ask("bookings.list", **DAY)
    assert [(made["id"], moved["start"], "Jane Roe")] == [(b["id"], b["start"], b["customer"]["name"]) for b in listed]
    assert "completed" == (await ask("bookings.complete", id=made["id"]))["status"]
    assert [made["id"]] == [one["id"] for one in await ask("bookings.list", **DAY, status=["completed"])]
    assert "INVALID_STATE" == await refusal(ask("bookings.no_show", id=made["id"]))


async def test_approval(ask):
    """What waits for an approval is confirmed or rejected by it; a lesson is confirmed as it is booked."""
    trial = {"service_id": "4", "resource_id": "4", "customer": JANE}
    first, second = [await ask("bookings.create", start=f"2026-03-02T{time}", **trial) for time in ("10:00", "11:00")]
    assert [("pending", "approval")] * 2 == [(one["status"], one["status_reason"]) for one in (first, second)]
    assert 2 == len(await ask("native.pluginApproveGetPendingBookings"))
    assert "confirmed" == (await ask("bookings.confirm", id=first["id"]))["status"]
    rejected = await ask("bookings.reject", id=second["id"], reason="Full")
    assert ("rejected", {"reason": "Full"}) == (rejected["status"], rejected["cancellation"])
    assert "INVALID_STATE" == await refusal(ask("bookings.reject", id=first["id"]))
    assert {first["id"]: "confirmed", second["id"]: "cancelled"} == {
        one["id"]: one["status"] for one in await ask("bookings.list", **DAY)
    }
    lesson = await ask("bookings.create", service_id="3", start="2026-03-02T12:00", customer=JANE)
    assert "confirmed" == lesson["status"]
    assert "no_show" == (await ask("bookings.no_show", id=lesson["id"]))["status"]


async def test_cancelled_without_a_word(ask, club):
    """A cancelled booking has the flag of one that waits, and is cancelled all the same, however it is read."""
    made = await ask("bookings.create", service_id="1", start="2026-03-02T10:00", customer=JANE)
    for _ in range(2):
        assert "cancelled" == (await ask("bookings.cancel", id=made["id"]))["status"]
    assert ("0", None) == tuple(club.state["bookings"][made["id"]][name] for name in ("is_confirmed", "approve_status"))
    assert "cancelled" == (await ask("bookings.get", id=made["id"]))["status"]
    assert "cancelled" == (await ask("bookings.list", **DAY))[0]["status"]
    assert "BOOKING_NOT_FOUND" == await refusal(ask("bookings.cancel", id="9999"))


async def test_both_services(ask, club, engine_on, call):
    """A booking of the public service is the administration's as well, under either id, and the other way round."""
    public = await engine_on(club, PUBLIC)
    made = await call(
        public, "bookings.create", service_id="1", resource_id="1", start="2026-03-02T10:00", customer=JANE
    )
    number, mark, _ = made["id"].partition("~")
    assert "~" == mark
    assert [number, number] == [(await ask("bookings.get", id=one))["id"] for one in (made["id"], number)]
    assert "cancelled" == (await call(public, "bookings.cancel", id=made["id"]))["status"]
    assert [(number, "cancelled")] == [(one["id"], one["status"]) for one in await ask("bookings.list", **DAY)]
    with pytest.raises(Unsupported, match=r"bookings\.list: A public key cannot"):
        await call(public, "bookings.list", **DAY)


async def test_logins_apart(club, engine_on, call):
    """A wrong password closes the administration alone; the key's session does not open it."""
    wrong = await engine_on(club, {"user_password": Secret("another")})
    assert 4 == len(await call(wrong, "services.list"))
    assert "PROVIDER_AUTH_FAILED" == await refusal(call(wrong, "bookings.list", **DAY))
    assert [""] == [scheme for scheme, _ in club.sessions.tokens]


async def test_no_example_makes_the_script_fail(club, ask):
    """Every request that the examples of the administration send is answered by the play."""
    failed = []
    for example in club.examples.examples:
        if example.connection.scope["settings"]["user_login"] is None:
            continue
        try:
            await ask(example.operation, **example.args)
        except GatewayError as error:
            if "answered 500" in error.detail:
                failed.append(f"{example.origin} {example.name}: {error.detail}")
    assert [] == failed
