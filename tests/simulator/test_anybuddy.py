"""The marketplace played, and what it sends to us: it knows of every slot what it was told last, and signs."""

import pytest

from gateway.values.errors import GatewayError
from gateway.values.messages import Received
from gateway.values.secrets import Secret
from gateway.webhooks.inbound.verify import verify

COURTS = [
    {"id": "49", "name": "Court 1", "type": "court", "bookable": True, "attributes": {"sport": "padel"}},
    {"id": "050", "name": "Court 2", "type": "court", "bookable": True, "attributes": {"sport": "squash"}},
]
TOLD = {
    "facilityId": "49",
    "facilityName": "Court 1",
    "startDateTime": "2026-03-19T08:30",
    "endDateTime": "2026-03-19T09:30",
    "isAvailable": True,
    "sport": "padel",
    "slotId": "49-202603190830",
}
BODY = (
    b'{"facilityId":"49","startDateTime":"2026-03-19T08:30","endDateTime":"2026-03-19T09:30",'
    b'"playerName1":"Jane Doe","slotId":"49-202603190830"}'
)
TOKEN, SECRET = "example-hook-token", "s3cr3t"
SIGNED = {"x-anybuddy-signature": "abde3f21d531da7b4a667f39f810cf27fb109387ed3b2502bb6cd822808e6621"}
BASIC = {"authorization": "Basic dXNlcjpwYXNzd29yZA=="}  # user:password


def slot(court, clock, *, free=True):
    """Give a canonical slot of an hour, as a link tells it."""
    hour = int(clock[:2])
    return {
        "id": f"{court}-20260319{clock.replace(':', '')}",
        "resource_id": court,
        "start": f"2026-03-19T{clock}:00+01:00",
        "end": f"2026-03-19T{hour + 1:02}:{clock[3:]}:00+01:00",
        "time_zone": "Europe/Paris",
        "status": "free" if free else "busy",
        "available": free,
    }


def given(*slots):
    """Give the arguments of a push of these slots."""
    return {"slots": list(slots), "resources": [{**court, "time_zone": "Europe/Paris"} for court in COURTS]}


async def test_the_last_state_counts(shipped, engine_on, call):
    """Each slot is known by court and start as it was told last, however many requests a push took."""
    play = shipped("anybuddy")
    engine = await engine_on(play, {"batch_size": 1})
    free = given(slot("49", "08:30"), slot("050", "08:30"))
    assert {"accepted": 2, "rejected": []} == await call(engine, "slots.push", **free)
    assert {"49|2026-03-19T08:30", "050|2026-03-19T08:30"} == play.state["slots"].keys()
    assert TOLD == play.state["slots"]["49|2026-03-19T08:30"]
    taken = given(slot("49", "08:30"), slot("49", "08:30", free=False))
    assert {"accepted": 2, "rejected": []} == await call(engine, "slots.push", **taken)
    assert {**TOLD, "isAvailable": False} == play.state["slots"]["49|2026-03-19T08:30"]
    assert play.state["slots"]["050|2026-03-19T08:30"]["isAvailable"]


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"password": Secret("another")}, "PROVIDER_AUTH_FAILED"),
        ({"id": "another"}, "PROVIDER_AUTH_FAILED"),
        ({"center_id": "ABC"}, "PROVIDER_ERROR"),
        ({"push_path": "v2/sync"}, "PROVIDER_ERROR"),
        ({"with_offset": True}, "PROVIDER_ERROR"),
    ],
)
async def test_refused(shipped, engine_on, call, over, code):
    """Another password or user, another club, another path, and times that are not of its form are refused."""
    play = shipped("anybuddy")
    with pytest.raises(GatewayError) as refused:
        await call(await engine_on(play, over), "slots.push", **given(slot("49", "08:30")))
    assert code == refused.value.code
    assert {} == play.state["slots"]


POST, GET = "POST", "GET"
SIGNING = {"signature_secret": SECRET}
SIGNING_IN = {"hook_user": "user", "hook_password": "password"}


@pytest.mark.parametrize("hook", ["events", "booking", "cancel"])
@pytest.mark.parametrize(
    ("over", "headers", "accepted"),
    [
        ({}, {}, True),
        ({}, SIGNED, True),
        (SIGNING, SIGNED, True),
        (SIGNING, {}, False),
        (SIGNING, {"x-anybuddy-signature": "0" * 64}, False),
        (SIGNING_IN, BASIC, True),
        (SIGNING_IN, {}, False),
        (SIGNING_IN, {"authorization": "Basic dXNlcjphbm90aGVy"}, False),
        (SIGNING | SIGNING_IN, BASIC | SIGNED, True),
        (SIGNING | SIGNING_IN, SIGNED, False),
    ],
)
def test_what_is_posted(shipped, hook, over, headers, accepted):
    """A message needs the token, and a signature and a sign-in where the connection has settings for them."""
    assert accepted is judged(shipped, hook, over, received(POST, headers, BODY))
    assert not judged(shipped, hook, over, received(POST, headers, BODY, token="another"))


def test_what_is_pulled(shipped):
    """The calendar is asked for with the token, signed in where that is expected, and never signed."""
    assert judged(shipped, "events", SIGNING, received(GET, {}))
    assert not judged(shipped, "events", SIGNING_IN, received(GET, {}))
    assert judged(shipped, "events", SIGNING | SIGNING_IN, received(GET, BASIC))
    assert not judged(shipped, "events", {}, received(GET, {}, token=None))


def received(method, headers, body=b"", token=TOKEN):
    """Make a message."""
    return Received(method, token, (), tuple(headers.items()), body)


def judged(shipped, hook, over, message):
    """Tell whether the hook takes a message, with these settings besides those of the examples."""
    connection = shipped("anybuddy").connection
    settings = connection.revealed["settings"] | over
    return verify(connection.provider.hooks[hook].verify, message, {"settings": settings}, 0, "").accepted
