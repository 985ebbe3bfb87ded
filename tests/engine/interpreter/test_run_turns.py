"""Writes that look, write and look again: one at a time, and taken back where the second look says no."""

import asyncio

import pytest

from gateway.engine.turns import MOST_WAITING
from gateway.values.errors import GatewayError, OutcomeUnknown, ProviderRejected, TooManyCalls

CLUB = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm: {call: {post: "/b/{{ args.id }}/confirm"}, result: {run: bookings.get}}
native:
  book:
    args: {court: {type: list, required: true}}
    steps:
      - {exclusive: "{{ args.court }}"}
      - {name: seen, safe: true, call: {get: "/look/{{ args.court | first }}"}}
      - {name: made, call: {post: "/book/{{ args.court | first }}", json: {seen: "{{ seen.n }}"}}}
    result: {at: made}
"""
BOOKED = {"data": {"id": 7, "court": "c1", "start": "2026-03-19 09:00", "end": "2026-03-19 10:00"}}


def slow(made, held=None, arrived=None):
    """Have the provider let others go first before it answers; a `held` event keeps writes that `arrived` waiting."""

    async def answers(request):
        for _ in range(5):
            await asyncio.sleep(0)
        if held is not None and request.method == "POST":
            arrived.put_nowait(request.url)
            await held.wait()
        return BOOKED | {"n": 1}

    made.answers = answers
    return made


def begun(made, *calls):
    """Begin calls, operation and arguments."""
    return [asyncio.ensure_future(made.run(operation, **given)) for operation, given in calls]


async def test_alone(club):
    """Of writes that name the same thing one goes on at a time, in their order; another thing waits for nobody."""
    made = slow(club(CLUB))
    await asyncio.gather(*begun(made, *[("native.book", {"court": [court]}) for court in ("a", "a", "b", "a")]))
    of_a = [one for one in made.sent if one.endswith("/a")]
    assert ["GET /look/a", "POST /book/a"] * 3 == of_a
    assert made.sent.index("POST /book/b") < made.sent.index("POST /book/a") + 2


async def test_alone_with_several(club):
    """Whoever is alone with several things keeps out those who want one of them, and nobody waits in a circle."""
    made = slow(club(CLUB))
    wanted = [["a", "b"], ["b", "a"], ["b"], ["a"]]
    await asyncio.gather(*begun(made, *[("native.book", {"court": courts}) for courts in wanted]))
    sent = [(one.split()[0], one[-1]) for one in made.sent]
    pair = [at for at, (_, court) in enumerate(sent) if court in "ab"]
    assert [("GET", "a"), ("POST", "a"), ("GET", "b"), ("POST", "b")] == [sent[at] for at in pair[:4]]


CROSSED = """
native:
  move:
    args: {from: {type: string, required: true}, to: {type: string, required: true}}
    steps:
      - {exclusive: "{{ args.from }}"}
      - {name: seen, safe: true, call: {get: "/look/{{ args.from }}"}}
      - {exclusive: "{{ args.to }}"}
      - {name: made, call: {post: "/move/{{ args.from }}/{{ args.to }}"}}
    result: {at: made}
"""


async def test_crossed(club):
    """Of two calls that each have what the other needs next, one is refused at once, and the other goes on."""
    made = slow(club(CROSSED))
    there, back = begun(made, ("native.move", {"from": "a", "to": "b"}), ("native.move", {"from": "b", "to": "a"}))
    async with asyncio.timeout(10):  # well before the deadline of the calls, whose clock stands still
        with pytest.raises(TooManyCalls) as caught:
            await back
        await there
    assert (1.0, {"GET /look/a", "GET /look/b", "POST /move/a/b"}) == (caught.value.retry_after, set(made.sent))
    await made.run("native.move", **{"from": "b", "to": "a"})  # when nobody has it, the order is no matter
    assert "POST /move/b/a" == made.sent[-1]


async def test_one_write_of_a_booking(club):
    """Writes of one booking follow each other whole, read-back and all; reads, and other bookings, do not wait."""
    held, arrived = asyncio.Event(), asyncio.Queue()
    made = slow(club(CLUB), held, arrived)
    first, second = begun(made, ("bookings.confirm", {"id": "7"}), ("bookings.confirm", {"id": "7"}))
    await asyncio.gather(*begun(made, ("bookings.get", {"id": "7"})))
    assert ["POST /b/7/confirm", "GET /b/7"] == made.sent
    other = begun(made, ("bookings.confirm", {"id": "8"}))[0]
    while not (await arrived.get()).endswith("/8/confirm"):
        pass
    held.set()
    await asyncio.gather(first, second, other)
    of_seven = [one for one in made.sent if "/7" in one]
    assert ["POST /b/7/confirm", "GET /b/7", "GET /b/7", "POST /b/7/confirm", "GET /b/7"] == of_seven


async def test_no_time_left(club):
    """A write whose turn does not come within its time is refused, and nothing is sent; then the next has its turn."""
    held, arrived = asyncio.Event(), asyncio.Queue()
    made = slow(club(CLUB), held, arrived)
    first = begun(made, ("bookings.confirm", {"id": "7"}))[0]
    await arrived.get()
    with pytest.raises(TooManyCalls) as caught:
        await made.run("bookings.confirm", id="7", seconds=0)
    assert {"rate_class": "write", "concurrency": 1} == caught.value.details["limit"]
    assert ["POST /b/7/confirm"] == made.sent
    held.set()
    await first
    await made.run("bookings.confirm", id="7")


async def test_too_many_waiting(club):
    """So many writes of a thing wait; the one behind them is refused at once, and those that give up make room."""
    held, arrived = asyncio.Event(), asyncio.Queue()
    made = slow(club(CLUB), held, arrived)
    calls = begun(made, *[("bookings.confirm", {"id": "7"})] * (MOST_WAITING + 1))
    await arrived.get()
    with pytest.raises(TooManyCalls):
        await made.run("bookings.confirm", id="7")
    for one in calls[1:]:
        one.cancel()
    await asyncio.gather(*calls[1:], return_exceptions=True)
    held.set()
    await asyncio.gather(calls[0], made.run("bookings.confirm", id="7"))


@pytest.mark.parametrize("courts", [[], [""], [None]])
async def test_alone_with_nothing(club, courts):
    """What names nothing would be alone with nobody: the mapping is at fault, and nothing is sent."""
    made = slow(club(CLUB))
    with pytest.raises(GatewayError) as caught:
        await made.run("native.book", court=courts)
    assert ("MAPPING_ERROR", []) == (caught.value.code, made.sent)


EACH = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm:
    steps:
      - {exclusive: "{{ 'court' }}"}
      - {name: made, call: {post: "/b/{{ args.id }}/confirm"}}
    result: {run: bookings.get}
  bookings.complete:
    steps:
      - {name: each, for_each: {in: "{{ ['8', '9'] }}", as: one}, run: bookings.confirm, with: {id: "{{ one }}"}}
    result: {run: bookings.get}
"""


async def test_steps_at_once(club):
    """Steps of one call that go on at once and are alone with the same thing never wait for each other."""
    held, arrived = asyncio.Event(), asyncio.Queue()
    made = slow(club(EACH), held, arrived)
    first = begun(made, ("bookings.confirm", {"id": "7"}))[0]
    await arrived.get()
    each = asyncio.ensure_future(made.run("bookings.complete", id="1"))
    for _ in range(50):  # until both of its steps wait
        await asyncio.sleep(0)
    held.set()
    async with asyncio.timeout(10):
        await asyncio.gather(first, each)
    assert {"POST /b/8/confirm", "POST /b/9/confirm"} <= set(made.sent)


# A no after a write.

CHECKED = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm:
    steps:
      - {name: one, call: {post: /one}, keep: n, undo: {call: {delete: "/one/{{ one }}"}}}
      - {name: two, call: {post: /two}, keep: n, ignore_errors: [BOOKING_CONFLICT],
         undo: {call: {delete: "/two/{{ two }}"}}}
      - {name: after, safe: true, call: {get: /after}, keep: n}
      - {refuse: [{when: "{{ after != 1 }}", is: BOOKING_CONFLICT, message: "Somebody was as quick."}], takes_back: %s}
    result: {run: bookings.get}
  bookings.complete:
    steps:
      - {name: begun, call: {post: /begun}}
      - {name: tried, run: bookings.confirm, ignore_errors: [BOOKING_CONFLICT], with: {id: "{{ args.id }}"}}
      - {name: ended, call: {post: /ended}}
    result: {run: bookings.get}
"""


async def test_taken_back(club):
    """A no after a write is the answer once everything that was written is undone, the last first."""
    made = club(CHECKED % "true", {"n": 1}, {"n": 2}, {"n": 3}, {}, {})
    with pytest.raises(GatewayError) as caught:
        await made.run("bookings.confirm", id="7")
    assert ("BOOKING_CONFLICT", "Somebody was as quick.") == (caught.value.code, caught.value.detail)
    assert ["POST /one", "POST /two", "GET /after", "DELETE /two/2", "DELETE /one/1"] == made.sent
    assert (caught.value.origin, 5) == (made.trace.origin, len(made.trace.exchanges))


async def test_nothing_to_take_back(club):
    """Where the second look is content nothing is undone."""
    made = club(CHECKED % "true", {"n": 1}, {"n": 2}, {"n": 1}, BOOKED)
    assert "7" == (await made.run("bookings.confirm", id="7")).data["id"]


async def test_not_taken_back(club):
    """Where an undo fails the outcome is unknown, with the no as its cause, and what was done before it stays."""
    made = club(CHECKED % "true", {"n": 1}, {"n": 2}, {"n": 3}, ProviderRejected("", code="PROVIDER_ERROR"), {})
    with pytest.raises(OutcomeUnknown) as caught:
        await made.run("bookings.confirm", id="7")
    assert {"cause": "BOOKING_CONFLICT", "reconcile_with": "bookings.get"} == caught.value.details
    assert ["DELETE /two/2"] == [one for one in made.sent if one.startswith("DELETE")]


@pytest.mark.parametrize("answer", [(500, {}), (400, {}), (200, b"<html>")])
async def test_the_second_look_fails(club, answered, answer):
    """Where the look after the write fails nobody knows what it would show: nothing is undone, the outcome unknown."""
    made = club(CHECKED % "true", {"n": 1}, {"n": 2}, answered(answer[1], answer[0]))
    with pytest.raises(OutcomeUnknown):
        await made.run("bookings.confirm", id="7")
    assert ["POST /one", "POST /two", "GET /after"] == made.sent


async def test_left_as_it_is(club):
    """A no that takes nothing back leaves what was written, and the outcome unknown."""
    made = club(CHECKED % "false", {"n": 1}, {"n": 2}, {"n": 3})
    with pytest.raises(OutcomeUnknown) as caught:
        await made.run("bookings.confirm", id="7")
    assert ("BOOKING_CONFLICT", "GET /after") == (caught.value.details["cause"], made.sent[-1])


async def test_taken_back_inside(club):
    """An operation that is run by another takes back its own writes alone, though its no is accepted there."""
    made = club(CHECKED % "true", {}, {"n": 1}, {"n": 2}, {"n": 3}, {}, {}, {}, BOOKED)
    await made.run("bookings.complete", id="7")
    assert ["DELETE /two/2", "DELETE /one/1", "POST /ended", "GET /b/7"] == made.sent[4:]
