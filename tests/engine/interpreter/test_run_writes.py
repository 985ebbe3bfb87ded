"""Writes whose answer is lost, whose result cannot be read back, or which a later failure must take back.

Nobody may book twice because the gateway called a failure what was none.
"""

import asyncio

import pytest

from gateway.values.errors import GatewayError, OutcomeUnknown, ProviderRejected, ProviderUnavailable

LATE = ProviderUnavailable("The provider did not answer in time.", sent=True, timed_out=True)
HUNG_UP = ProviderUnavailable("The provider hung up.", sent=True)
UNREACHED = ProviderUnavailable("The provider cannot be reached.", sent=False)
BOOKED = {"data": {"id": 7, "court": "c1", "start": "2026-03-19 09:00", "end": "2026-03-19 10:00"}}

BOOKINGS = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm: {call: {post: "/b/{{ args.id }}/confirm"}, result: {run: bookings.get}}
  bookings.complete:
    steps:
      - {name: current, safe: true, call: {get: "/b/{{ args.id }}"}}
      - {name: done, call: {post: "/b/{{ args.id }}/done", json: {of: "{{ current.data.id }}"}}}
    result: {at: done.data, record: booking}
  bookings.delete: {call: {delete: "/b/{{ args.id }}"}}
"""


# The answer to the write itself.


@pytest.mark.parametrize(
    "lost",
    [LATE, HUNG_UP, b"<html>", b"", b'{"data"', (500, {}), (503, {}), (200, b"\xff")],
)
async def test_lost_answer(club, answered, lost):
    """A write that was sent and has no readable answer is an unknown outcome, with what shows whether it was done."""
    if isinstance(lost, tuple):
        lost = answered(lost[1], lost[0])
    elif isinstance(lost, bytes):
        lost = answered(lost)
    made = club(BOOKINGS, lost)
    with pytest.raises(OutcomeUnknown) as caught:
        await made.run("bookings.confirm", id="7")
    assert ("OUTCOME_UNKNOWN", {"reconcile_with": "bookings.get"}) == (caught.value.code, caught.value.details)
    assert ["POST /b/7/confirm"] == made.sent


@pytest.mark.parametrize(
    ("lost", "code"),
    [(UNREACHED, "PROVIDER_UNAVAILABLE"), (ProviderRejected("", code="BOOKING_CONFLICT"), "BOOKING_CONFLICT")],
)
async def test_certain(club, lost, code):
    """A write that certainly was not sent, or that the provider refused, is no unknown outcome."""
    with pytest.raises(GatewayError) as caught:
        await club(BOOKINGS, lost).run("bookings.confirm", id="7")
    assert code == caught.value.code


@pytest.mark.parametrize(
    ("status", "code"), [(400, "PROVIDER_ERROR"), (404, "BOOKING_NOT_FOUND"), (429, "RATE_LIMITED")]
)
async def test_refused(club, answered, status, code):
    """A refusal is a refusal, also without a rule that knows it."""
    with pytest.raises(ProviderRejected) as caught:
        await club(BOOKINGS, answered({}, status)).run("bookings.confirm", id="7")
    assert code == caught.value.code


@pytest.mark.parametrize(("lost", "code"), [(LATE, "PROVIDER_TIMEOUT"), (HUNG_UP, "PROVIDER_UNAVAILABLE")])
@pytest.mark.parametrize("operation", ["bookings.get", "bookings.complete", "bookings.delete"])
async def test_reading_steps(club, operation, lost, code):
    """A lost answer to what changes nothing, or may be repeated, is no unknown outcome."""
    with pytest.raises(ProviderUnavailable) as caught:
        await club(BOOKINGS, lost).run(operation, id="7")
    assert code == caught.value.code


async def test_too_much_to_read(club):
    """An answer that takes more to read than an evaluation may leaves the write in doubt: it was sent, and answered."""
    doubled = " | ".join(["[@, @]"] * 40)
    made = club(f'native: {{book: {{call: {{post: /book, success: "({doubled}) == ok"}}}}}}', {"ok": True})
    with pytest.raises(OutcomeUnknown):
        await made.run("native.book")
    assert ["POST /book"] == made.sent


async def test_wrong_number(club, answered):
    """A JSON-RPC answer that belongs to another call leaves the write in doubt."""
    made = club("native: {book: {call: {jsonrpc: {method: book, params: []}}}}", {"id": 99, "result": 1})
    with pytest.raises(OutcomeUnknown):
        await made.run("native.book")


# What follows the write.


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (LATE, "PROVIDER_TIMEOUT"),
        (UNREACHED, "PROVIDER_UNAVAILABLE"),
        ({"data": {"id": 7}}, "PROVIDER_ERROR"),
        ({"data": None}, "BOOKING_NOT_FOUND"),
        ({}, "BOOKING_NOT_FOUND"),
    ],
)
async def test_failed_read_back(club, answer, cause):
    """A write that was accepted and cannot be read back is an unknown outcome that tells why."""
    made = club(BOOKINGS, {}, answer)
    with pytest.raises(OutcomeUnknown) as caught:
        await made.run("bookings.confirm", id="7")
    assert {"cause": cause, "reconcile_with": "bookings.get"} == caught.value.details
    assert ["POST /b/7/confirm", "GET /b/7"] == made.sent


async def test_unreadable_result(club):
    """The answer of the write itself counts like one read back: a row that does not fit leaves the write in doubt."""
    with pytest.raises(OutcomeUnknown) as caught:
        await club(BOOKINGS, BOOKED, {"data": {"id": "7"}}).run("bookings.complete", id="7")
    assert "PROVIDER_ERROR" == caught.value.details["cause"]


async def test_repeatable(club, answered):
    """What may be repeated without harm fails as what it is, and says that it may have been done."""
    text = (
        BOOKINGS.replace("bookings.confirm:", "bookings.cancel:")
        .replace("confirm", "cancel")
        .replace("bookings.cancel: {", "bookings.cancel: {unsupported: {reason: x, cancelled_by: x}, ")
    )
    for answers in ([{}, LATE], [LATE], [HUNG_UP], [answered({}, 500)], [b"<html>"], [{}, answered({}, 429)]):
        made = club(text, *(answered(one) if isinstance(one, bytes) else one for one in answers))
        with pytest.raises(GatewayError) as caught:
            await made.run("bookings.cancel", id="7")
        assert caught.value.code in {"PROVIDER_TIMEOUT", "PROVIDER_UNAVAILABLE", "PROVIDER_ERROR", "RATE_LIMITED"}
        assert {"may_have_been_done": True} == caught.value.details
    for certain in (UNREACHED, answered({}, 429), ProviderRejected("", code="BOOKING_NOT_ALLOWED")):
        with pytest.raises(GatewayError) as caught:
            await club(text, certain).run("bookings.cancel", id="7")
        assert {} == caught.value.details


# Undoing.

UNDO = """
native:
  write:
    args: {fail: {type: list, required: true}}
    steps:
      - {name: one, call: {post: /one}, keep: id, undo: {call: {delete: "/one/{{ one }}"}}}
      - {name: two, call: {post: /two}, keep: id, ignore_errors: [BOOKING_CONFLICT],
         undo: {call: {delete: "/two/{{ two }}"}}}
      - {name: three, for_each: {in: "{{ args.fail }}", as: it, concurrency: 1}, keep: id,
         call: {post: "/three/{{ it }}"},
         undo: {call: {delete: "/three/{{ it }}/{{ three }}"}}}
      - {name: four, call: {post: /four}}
    result: {at: four}
"""


def failing(made, *urls, error=None):
    """Make the provider give everything an id, and refuse these URLs."""

    async def answers(request):
        if request.url.endswith(urls):
            return error or ProviderRejected("", code="BOOKING_NOT_ALLOWED")
        return {"id": len(made.requests)}

    made.answers = answers
    return made


async def test_undone(club):
    """When a later step fails what was done is taken back, the last first, and the failure is told as it is."""
    made = failing(club(UNDO), "/four")
    with pytest.raises(ProviderRejected) as caught:
        await made.run("native.write", fail=["a", "b"])
    assert "BOOKING_NOT_ALLOWED" == caught.value.code
    assert [
        "POST /one", "POST /two", "POST /three/a", "POST /three/b", "POST /four",
        "DELETE /three/b/4", "DELETE /three/a/3", "DELETE /two/2", "DELETE /one/1",
    ] == made.sent  # fmt: skip


async def test_only_what_was_done_is_undone(club):
    """The step that fails is not taken back, nor one whose error was accepted, nor one that was never reached."""
    made = failing(club(UNDO), "/three/b")
    with pytest.raises(ProviderRejected):
        await made.run("native.write", fail=["a", "b"])
    assert ["DELETE /three/a/3", "DELETE /two/2", "DELETE /one/1"] == made.sent[4:]
    made = failing(club(UNDO), "/two", "/four", error=ProviderRejected("", code="BOOKING_CONFLICT"))
    with pytest.raises(ProviderRejected):
        await made.run("native.write", fail=[])
    assert ["POST /one", "POST /two", "POST /four", "DELETE /one/1"] == made.sent


@pytest.mark.parametrize("error", [LATE, UNREACHED, ProviderRejected("", code="BOOKING_NOT_FOUND")])
async def test_undo_fails(club, error):
    """What cannot be taken back leaves the outcome unknown, and what was done before it stays."""

    async def answers(request):
        if request.method == "DELETE" and "/two/" in request.url:
            return error
        if request.url.endswith("/four"):
            return ProviderRejected("", code="BOOKING_NOT_ALLOWED")
        return {"id": len(made.requests)}

    made = club(UNDO)
    made.answers = answers
    with pytest.raises(OutcomeUnknown) as caught:
        await made.run("native.write", fail=[])
    assert ({"cause": "BOOKING_NOT_ALLOWED"}, "DELETE /two/2") == (caught.value.details, made.sent[-1])


async def test_lost_write_is_not_undone(club):
    """While a write is in doubt nothing is taken back: whoever looks must find what there is."""
    made = failing(club(UNDO), "/four", error=HUNG_UP)
    with pytest.raises(OutcomeUnknown):
        await made.run("native.write", fail=[])
    assert ["POST /one", "POST /two", "POST /four"] == made.sent


STAYS = """
native:
  write:
    steps:
      - {name: one, call: {post: /one}, keep_on_failure: true}
      - {name: two, call: {post: /two}}
    result: {at: two}
"""


@pytest.mark.parametrize("answers", [[{}, ProviderRejected("", code="BOOKING_CONFLICT")], [LATE]])
async def test_stays(club, answers):
    """What may stay leaves no doubt when it is lost, nor when something after it fails."""
    with pytest.raises(GatewayError) as caught:
        await club(STAYS, *answers).run("native.write")
    assert caught.value.code in {"BOOKING_CONFLICT", "PROVIDER_TIMEOUT"}


RUNS = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm:
    steps:
      - {name: said, call: {post: "/b/{{ args.id }}/confirm"}, undo: {call: {post: "/b/{{ args.id }}/back"}}}
    result: {run: bookings.get}
  bookings.complete:
    steps:
      - {name: confirmed, run: bookings.confirm, %s with: {id: "{{ args.id }}"}}
      - {name: done, call: {post: "/b/{{ args.id }}/done"}}
    result: {step: confirmed}
"""


@pytest.mark.parametrize(
    ("own", "undone"),
    [
        ("", "POST /b/7/back"),
        ('undo: {run: bookings.get, with: {id: "{{ confirmed.id }}"}},', "GET /b/7"),
    ],
)
async def test_undo_of_what_was_run(club, own, undone):
    """What a run operation would take back is taken back for the outer one, unless that has an undo of its own."""
    made = club(RUNS % own, {}, BOOKED, ProviderRejected("", code="BOOKING_CONFLICT"), BOOKED)
    with pytest.raises(ProviderRejected):
        await made.run("bookings.complete", id="7")
    assert ["POST /b/7/confirm", "GET /b/7", "POST /b/7/done", undone] == made.sent


IDEMPOTENT = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.cancel:
    unsupported: {reason: x, cancelled_by: x}
    steps:
      - {name: said, call: {post: "/b/{{ args.id }}/cancel"}, undo: {call: {post: "/b/{{ args.id }}/back"}}}
      - {name: paid, call: {post: "/b/{{ args.id }}/refund"}}
    result: {run: bookings.get}
"""


async def test_undo_in_a_repeatable_operation(club):
    """An undo counts in every operation that has one."""
    made = club(IDEMPOTENT, {}, ProviderRejected("", code="PAYMENT_FAILED"), {})
    with pytest.raises(ProviderRejected):
        await made.run("bookings.cancel", id="7")
    assert "POST /b/7/back" == made.sent[-1]


MANY = """
native:
  write:
    args: {to: {type: list, required: true}}
    steps:
      - {name: all, for_each: {in: "{{ args.to }}", as: it, concurrency: 4}, call: {post: "/x/{{ it }}"}}
    result: {at: all}
"""


async def test_cancelled_writes(club):
    """A write that is cancelled on its way, because another failed, may have arrived: the outcome is unknown."""

    async def answers(request):
        if request.url.endswith("/a"):
            await asyncio.sleep(0)
            return ProviderRejected("", code="BOOKING_CONFLICT")
        await asyncio.sleep(5)
        return {}

    made = club(MANY)
    made.answers = answers
    with pytest.raises(OutcomeUnknown) as caught:
        await made.run("native.write", to=["a", "b"])
    assert {"cause": "BOOKING_CONFLICT"} == caught.value.details
