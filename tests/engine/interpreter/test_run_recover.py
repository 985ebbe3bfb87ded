"""Steps that failed after something was written: they are looked at before anything is taken back.

Whoever moves a booking must never end with none, whatever the provider answers to the cancellation of the old one.
"""

import pytest

from gateway.values.errors import GatewayError, OutcomeUnknown, ProviderRejected, ProviderUnavailable

LATE = ProviderUnavailable("The provider did not answer in time.", sent=True, timed_out=True)
UNREACHED = ProviderUnavailable("The provider cannot be reached.", sent=False)
NO = ProviderRejected("", code="CANCELLATION_NOT_PERMITTED")
OLD = {"data": {"id": 7, "court": "c1", "start": "2026-03-19 09:00", "end": "2026-03-19 10:00"}}

MOVE = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.cancel:
    unsupported: {reason: x, cancelled_by: x}
    steps:
      - {name: gone, call: {post: "/b/{{ args.id }}/cancel"}%s}
    result: {run: bookings.get}
  bookings.reschedule:
    unsupported: {resource_id: x, end: x, duration: x, reason: x}
    steps:
      - {name: new, call: {post: /b, json: {at: "{{ args.start }}"}}, keep: id, undo: {call: {delete: "/b/{{ new }}"}}}
      - {name: old, run: bookings.cancel, with: {id: "{{ args.id }}"}}
    result: {run: bookings.get, with: {id: "{{ new }}"}}
"""
LOOKS = """, recover: {call: {get: "/state/{{ args.id }}"}, keep: state,
             done: "{{ true if body == 'gone' else none if body == 'open' else false }}"}"""


class Provider:
    """A provider with bookings `7` and, once it is made, `8`. The cancellation of 7 is answered as told."""

    def __init__(self, answer, *, does, shows=None):
        self.answer, self.does, self.shows = answer, does, shows
        self.live = {"7"}

    async def __call__(self, request):
        """Answer one request."""
        path = request.url.removeprefix("https://api.example/")
        match request.method, path.split("/"):
            case "POST", ["b"]:
                self.live.add("8")
                return {"id": "8"}
            case "POST", ["b", "7", "cancel"]:
                self.live -= {"7"} if self.does else set()
                return self.answer
            case "DELETE", ["b", "8"]:
                self.live.discard("8")
                return {}
            case "GET", ["state", "7"]:
                return self.shows or {"state": "here" if "7" in self.live else "gone"}
        return OLD


async def moved(club, provider, looks=LOOKS):
    """Move the booking; gives the code of the error, or None."""
    made = club(MOVE % looks)
    made.answers = provider
    try:
        await made.run("bookings.reschedule", id="7", start="2026-03-20T09:00")
    except GatewayError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("status", "does", "shows", "code", "live"),
    [
        (500, True, None, None, {"8"}),
        (500, False, None, "PROVIDER_UNAVAILABLE", {"7"}),
        (200, True, None, None, {"8"}),  # a body that cannot be read
        (418, True, None, None, {"8"}),  # refused in a way that no rule knows
        (418, False, None, "PROVIDER_ERROR", {"7"}),
        (502, True, None, None, {"8"}),
        (502, False, None, "OUTCOME_UNKNOWN", {"7", "8"}),  # behind the server in front it may still be done
        (500, True, {"state": "open"}, "OUTCOME_UNKNOWN", {"8"}),  # what is seen does not tell
        (500, True, ProviderUnavailable("x", sent=True), "OUTCOME_UNKNOWN", {"8"}),
        (500, False, ProviderUnavailable("x", sent=True), "OUTCOME_UNKNOWN", {"7", "8"}),
    ],
)
async def test_a_failed_step_is_looked_at(club, answered, status, does, shows, code, live):
    """Seen to be done a step goes on, seen to be not done what came before is undone, else nothing is."""
    provider = Provider(answered(b"<html>", status), does=does, shows=shows)
    assert (code, live) == (await moved(club, provider), provider.live)


@pytest.mark.parametrize(
    ("does", "shows", "code", "live"),
    [
        (True, None, None, {"8"}),
        (False, None, "PROVIDER_UNAVAILABLE", {"7"}),
        (True, {"else": "x"}, "OUTCOME_UNKNOWN", {"8"}),  # null: what is seen does not tell
    ],
)
async def test_a_path_that_decides(club, answered, does, shows, code, live):
    """What a look shows may be told by a path on it as well, and null says that it does not tell."""
    looks = ', recover: {call: {get: "/state/{{ args.id }}"}, done: "state && state == \'gone\'"}'
    provider = Provider(answered({}, 500), does=does, shows=shows)
    assert (code, live) == (await moved(club, provider, looks), provider.live)


@pytest.mark.parametrize(
    ("answer", "does", "code", "live"),
    [
        (LATE, True, None, {"8"}),
        (LATE, False, "OUTCOME_UNKNOWN", {"7", "8"}),
        (UNREACHED, False, "PROVIDER_UNAVAILABLE", {"7"}),
        (NO, False, "CANCELLATION_NOT_PERMITTED", {"7"}),
    ],
)
async def test_no_answer(club, answer, does, code, live):
    """Without an answer only what is seen to be done is known; what was not sent, or refused, needs no look."""
    provider = Provider(answer, does=does)
    assert (code, live) == (await moved(club, provider), provider.live)


@pytest.mark.parametrize("does", [True, False])
async def test_without_a_look(club, answered, does):
    """Where the mapping does not say how to look, nothing is undone that came before a step in doubt."""
    provider = Provider(answered({}, 500), does=does)
    assert "OUTCOME_UNKNOWN" == await moved(club, provider, "")
    assert "8" in provider.live


async def test_done_and_not_read(club, answered):
    """Once the old booking is cancelled the new one stays, also when the old one cannot be read afterwards."""
    made = club(MOVE % "", {"id": "8"}, {}, answered({}, 500))
    with pytest.raises(OutcomeUnknown) as caught:
        await made.run("bookings.reschedule", id="7", start="2026-03-20T09:00")
    assert ["POST /b", "POST /b/7/cancel", "GET /b/7"] == made.sent
    assert "PROVIDER_UNAVAILABLE" == caught.value.details["cause"]


async def test_cancellation_that_is_seen(club, answered):
    """A call of its own is looked at as well: what was done and answered 500 is a success."""
    made = club(MOVE % LOOKS, answered({}, 500), {"state": "gone"}, OLD)
    assert "7" == (await made.run("bookings.cancel", id="7")).data["id"]


UNSAFE = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm:
    steps:
      - name: said
        call: {post: "/b/{{ args.id }}/confirm"}
        recover: {run: bookings.get, done: "{{ body.start == '2026-03-19T09:00:00+01:00' }}"}
    result: {run: bookings.get}
"""


async def test_unsafe(club, answered):
    """A write that must not be repeated is no unknown outcome once a look has told what became of it."""
    assert (await club(UNSAFE, answered({}, 500), OLD, OLD).run("bookings.confirm", id="7")).data
    other = {"data": OLD["data"] | {"start": "2026-03-19 08:00"}}
    with pytest.raises(ProviderUnavailable):
        await club(UNSAFE, answered({}, 500), other).run("bookings.confirm", id="7")


SIBLINGS = """
native:
  write:
    steps:
      - name: each
        for_each: {in: "{{ [1, 2, 3] }}", as: it, concurrency: 3}
        call: {post: "/x/{{ it }}"}
        undo: {call: {delete: "/x/{{ it }}"}}
        recover: {call: {get: "/x/{{ it }}"}, done: "{{ body.there }}"}
      - {name: last, call: {post: /last}}
    result: {at: last}
"""


async def test_elements_at_once(club, answered):
    """Elements that are sent at once are looked at and taken back each by itself."""

    async def answers(request):
        if request.url.endswith("/last"):
            return ProviderRejected("", code="BOOKING_NOT_ALLOWED")
        if request.method == "POST" and request.url.endswith("/2"):
            return answered({}, 500)
        return {"there": True}

    made = club(SIBLINGS)
    made.answers = answers
    with pytest.raises(ProviderRejected):
        await made.run("native.write")
    assert ["GET /x/2"] == [one for one in made.sent if one.startswith("GET")]
    assert {"DELETE /x/1", "DELETE /x/2", "DELETE /x/3"} == set(made.sent[-3:])
