"""Deliveries to real endpoints: what is sent, what every answer leads to, and when it is tried again."""

import asyncio
import json
import socket
from dataclasses import replace

import pytest

from gateway import __version__
from gateway.store.deliveries.subscriptions import rotate
from gateway.webhooks.outbound.attempts import MOST_TRIES
from gateway.webhooks.outbound.sender import MOST_CLAIMS
from gateway.webhooks.outbound.signing import new_secret
from tests.webhooks.outbound.house import NOW, OURS, PACE, SECRET, until
from tests.webhooks.outbound.receivers import answer, drip, flood, hang, reset

OTHER = new_secret(b"another key of 24 bytes!" + bytes(8))
LONG = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""The example of Standard Webhooks ("Deliverability and reliability"): ten attempts in 75.6 hours."""
HTTP_DATE = "Fri, 15 Jan 2027 08:00:00 GMT"


async def test_what_is_sent(house):
    """An event is posted as it was stored, signed, with the ids by which a consumer tells deliveries apart."""
    receiver = await house.subscribed(answer(200, b"thanks"))
    house.start()
    (event,) = await house.happen("b1")
    (attempt,) = await house.tried(1)
    (post,) = receiver.posts
    (delivery,) = await house.deliveries()
    assert {
        "content-type": "application/json",
        "webhook-id": event,
        "webhook-timestamp": str(NOW // 1000),
        "gateway-delivery": delivery.id,
        "gateway-attempt": "1",
        "user-agent": f"booking-gateway/{__version__}",
    }.items() <= post.headers.items()
    assert post.verified(SECRET.reveal())
    assert ("/hooks", event) == (post.path, json.loads(post.body)["id"])
    assert ("delivered", NOW, None) == (delivery.state, delivery.finished_at, delivery.reason)
    assert (1, "delivered", 200, b"thanks") == (attempt.number, attempt.outcome, attempt.status, attempt.excerpt)
    assert NOW == (await house.endpoint()).last_success_at


async def test_a_cloudevent(house):
    """A subscription may have its events as CloudEvents: the same event, signed as it is sent."""
    receiver = await house.subscribed(format="cloudevents")
    house.start()
    (event,) = await house.happen("b1")
    await house.tried(1)
    (post,) = receiver.posts
    assert "application/cloudevents+json" == post.headers["content-type"]
    assert ("1.0", event, "/v1/club") == tuple(json.loads(post.body)[name] for name in ("specversion", "id", "source"))
    assert post.verified(SECRET.reveal())


CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"


@pytest.mark.parametrize(
    ("outcome", "status", "excerpt", "deed"),
    [
        ("delivered", 204, b"", answer(204)),
        ("delivered", 299, b"", answer(299)),
        ("delivered", 200, b"half", CUT),
        ("redirected", 301, b"", answer(301, Location="/elsewhere")),
        ("redirected", 307, b"", answer(307, Location="http://169.254.169.254/")),
        ("redirected", 304, b"", answer(304)),
        ("rejected", 400, b"what?", answer(400, b"what?")),
        ("rejected", 401, b"", answer(401)),
        ("rejected", 404, b"", answer(404)),
        ("limited", 429, b"", answer(429)),
        ("failed", 500, b"\xef\xbf\xbd", answer(500, b"\xff")),
        ("failed", 503, b"", answer(503)),
        ("failed", 500, b"a" * 1_024, flood),
        ("timed_out", None, b"", hang),
        ("timed_out", None, b"", drip),
        ("broken", None, b"", reset),
        ("broken", None, b"", b"not HTTP\r\n\r\n"),
        ("failed", 500, b"*** and *** end", answer(500, f"{SECRET.reveal()} and {OURS.reveal()} end".encode())),
        ("failed", 500, b"a" * 50, answer(500, b"a" * 1_000 + SECRET.reveal()[6:].encode() * 40)),
    ],
)
async def test_outcomes(house, outcome, status, excerpt, deed):
    """Every way in which an attempt can end has its word and its state; an excerpt is short and holds no secret."""
    await house.subscribed(deed)
    house.start(pace=replace(PACE, timeout=0.3) if outcome == "timed_out" else PACE)
    await house.happen("b1")
    (attempt,) = await house.tried(1)
    assert (outcome, status) == (attempt.outcome, attempt.status)
    assert attempt.excerpt.startswith(excerpt)
    assert len(attempt.excerpt) <= 1_024
    assert SECRET.reveal()[6:].encode() not in attempt.excerpt
    (delivery,) = await house.deliveries()
    assert ("delivered" if outcome == "delivered" else "pending") == delivery.state
    assert (await house.endpoint()).failing_since == (None if outcome == "delivered" else NOW)


@pytest.mark.parametrize(
    ("outcome", "more"),
    [
        ("no_connection", {}),
        ("no_connection", {"url": "http://10.255.255.1/"}),
        ("unsendable", {"url": "http://user:password@127.0.0.1/"}),
        ("unsendable", {"url": "ftp://127.0.0.1/"}),
        ("unsignable", {"secret": OURS}),
    ],
)
async def test_what_does_not_even_leave(house, outcome, more):
    """Whether nobody listens or the address may not be called is told by one word, and is tried again like the rest."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        await house.subscribe(**{"url": f"http://127.0.0.1:{taken.getsockname()[1]}/"} | more)
        house.start()
        await house.happen("b1")
        (attempt,) = await house.tried(1)
    assert (outcome, None, b"") == (attempt.outcome, attempt.status, attempt.excerpt)
    (delivery,) = await house.deliveries()
    assert ("pending", NOW + 5_000, outcome) == (delivery.state, delivery.due_at, delivery.reason)


async def test_the_schedule_and_its_end(house):
    """Three attempts with 5 seconds and 5 minutes between them; after the last the delivery is dead, and stays so."""
    receiver = await house.subscribed(answer(500))
    house.start()
    (event,) = await house.happen("b1")
    for number, wait in enumerate((5_000, 300_000), 1):
        await house.tried(number)
        house.time += wait - 1
        await house.settle()
        assert number == len(receiver.posts)
        house.time += 1
    await house.tried(3)
    house.time += 86_400_000
    await house.settle()
    assert [1, 2, 3] == [post.attempt for post in receiver.posts]
    assert {event} == {post.headers["webhook-id"] for post in receiver.posts}
    assert 1 == len({post.body for post in receiver.posts})
    moments = [NOW // 1000, NOW // 1000 + 5, NOW // 1000 + 305]
    assert moments == [int(post.headers["webhook-timestamp"]) for post in receiver.posts]
    assert all(post.verified(SECRET.reveal()) for post in receiver.posts)
    (delivery,) = await house.deliveries()
    assert ("dead", "failed, 500: attempt 3 was the last") == (delivery.state, delivery.reason)


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 4_500), (0.5, 5_000), (0.999999, 5_500)])
async def test_waits_vary_by_chance(house, chance, expected):
    """A wait is up to a tenth shorter or longer than the schedule says."""
    await house.subscribed(answer(500))
    house.start(chance=lambda: chance)
    await house.happen("b1")
    await house.tried(1)
    assert expected == (await house.deliveries())[0].due_at - NOW


@pytest.mark.parametrize(("schedule", "tries"), [((), 1), ((0.0,) * 4, 5), ((0.0,) * 50, MOST_TRIES)])
async def test_a_schedule_of_its_own_and_the_hard_cap(house, schedule, tries):
    """A subscription may have its own schedule, and none leads to more attempts than the hard cap."""
    receiver = await house.subscribed(answer(400), schedule=schedule)
    house.start()
    await house.happen("b1")
    await house.tried(tries)
    await house.settle()
    assert (tries, ["dead"]) == (len(receiver.posts), await house.states())


async def test_what_is_too_old_is_tried_once_more_and_no_further(house):
    """An old delivery gets an attempt, and is dead when that fails."""
    receiver = await house.subscribed(answer(500), schedule=LONG)
    await house.happen("b1")
    house.time += 8 * 86_400_000
    house.start()
    await house.tried(1)
    assert ["dead"] == await house.states()
    assert [1] == [post.attempt for post in receiver.posts]


async def test_gone(house):
    """410 disables the subscription and says why; nothing more is sent, and what was pending is still there."""
    receiver = await house.subscribed(answer(410))
    house.start()
    await house.happen("b1", "b1")
    await house.tried(1)
    house.time += 86_400_000
    await house.happen("b2")
    await house.settle()
    endpoint = await house.endpoint()
    assert ("disabled", True) == (endpoint.state, "410" in endpoint.reason)
    assert (1, ["pending", "pending"]) == (len(receiver.posts), await house.states())


@pytest.mark.parametrize(
    ("seconds", "headers"),
    [
        (120, {"Retry-After": "120"}),
        (5, {"Retry-After": "3"}),
        (5, {"Retry-After": "0"}),
        (5, {"Retry-After": "-7"}),
        (5, {"Retry-After": "soon"}),
        (5, {"Retry-After": "1.5"}),
        (86_400, {"Retry-After": "9" * 30}),
        (60, {"Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT", "Date": HTTP_DATE}),
        (5, {"Retry-After": "Fri, 15 Jan 2027 07:01:00 GMT", "Date": HTTP_DATE}),
        (86_400, {"Retry-After": "Fri, 15 Jan 2077 08:00:00 GMT", "Date": HTTP_DATE}),
        (5, {"Retry-After": "Fri, 99 Jan 2027 08:00:00 GMT", "Date": HTTP_DATE}),
        (5, {}),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after(house, seconds, headers, status):
    """An endpoint is not asked earlier than it wants, nor than the schedule has it, and within a day in any case."""
    await house.subscribed(answer(status, **headers))
    house.start()
    await house.happen("b1")
    await house.tried(1)
    assert NOW + seconds * 1_000 == (await house.deliveries())[0].due_at


async def test_a_pause_is_of_the_whole_endpoint(house):
    """While an endpoint has a pause nothing else is sent to it either, and no attempt is used up."""
    receiver = await house.subscribed(answer(429, Retry_After="60"), answer())
    house.start()
    await house.happen("b1")
    await house.tried(1)
    await house.happen("b2", "b3")
    house.time += 59_999
    await house.settle()
    assert 1 == len(receiver.posts)
    house.time += 1
    await house.tried(4)
    assert ["delivered"] * 3 == await house.states()
    assert [2, 1, 1] == sorted((post.attempt for post in receiver.posts[1:]), reverse=True)


async def test_other_answers_bring_no_pause(house):
    """Retry-After means a pause where the standard says so, and not on other failures."""
    await house.subscribed(answer(500, Retry_After="60"))
    house.start()
    await house.happen("b1")
    await house.tried(1)
    assert NOW + 5_000 == (await house.deliveries())[0].due_at


async def test_the_next_of_a_booking_waits_for_the_one_before(house):
    """What happened to a booking arrives in order, however often the first has to be tried; others go ahead."""
    receiver = await house.subscribed(answer(500), answer())
    house.start()
    first, second = await house.happen("b1", "b1")
    await house.tried(1)
    (other,) = await house.happen("b2")
    await house.tried(2)
    house.time += 5_000
    await house.tried(4)
    assert [first, other, first, second] == [post.headers["webhook-id"] for post in receiver.posts]


async def test_a_secret_is_replaced_between_attempts(house):
    """Each attempt is signed with the keys that hold then: the old, both, and at last the new one alone."""
    receiver = await house.subscribed(answer(500), schedule=LONG)
    house.start()
    await house.happen("b1")
    await house.tried(1)
    await house.database.write(lambda connection: rotate(connection, "wh_1", OTHER, NOW + 10_000))
    house.time += 5_000
    await house.tried(2)
    house.time += 300_000
    await house.tried(3)
    expected = [(True, False), (True, True), (False, True)]
    assert expected == [(post.verified(SECRET.reveal()), post.verified(OTHER.reveal())) for post in receiver.posts]


async def test_a_url_is_replaced_between_attempts(house):
    """An attempt goes where the subscription says then."""
    before, after = await house.subscribed(answer(500)), await house.receiver()
    house.start()
    await house.happen("b1")
    await house.tried(1)
    await house.change(url=after.url)
    house.time += 5_000
    await house.tried(2)
    assert (1, 1, ["delivered"]) == (len(before.posts), len(after.posts), await house.states())


async def test_an_endpoint_that_takes_nothing_for_days_is_disabled(house):
    """One that only fails for five days is disabled with a reason; a success in between begins the count anew."""
    await house.subscribed(answer(500), answer(200), answer(500), schedule=())
    house.start()
    for number, hours in enumerate((0, 100, 1, 119)):
        house.time += hours * 3_600_000
        await house.happen(f"b{number}")
        await house.tried(number + 1)
        assert "active" == (await house.endpoint()).state
    house.time += 3_600_000
    await house.happen("b9")
    await house.tried(5)
    assert "disabled" == (await house.endpoint()).state
    assert "the endpoint has taken nothing for 120 hours" == (await house.endpoint()).reason


async def test_an_event_that_nobody_wants(house):
    """An event without a reader is stored and leads to nothing, and no error."""
    receiver = await house.subscribed(events=("booking.cancelled",))
    _, task = house.start()
    await house.happen("b1")
    await house.settle()
    assert ([], [], False) == (receiver.posts, await house.deliveries(), task.done())


async def test_what_is_claimed_again_and_again_is_given_up(house):
    """A delivery whose attempts never have an outcome does not come up for ever."""
    receiver = await house.subscribed()
    await house.happen("b1")
    await house.change_deliveries(lease=MOST_CLAIMS)
    house.start()

    async def dead():
        return ["dead"] == await house.states()

    await until(dead)
    assert [] == receiver.posts


async def test_a_test_or_replay_says_nothing_of_the_endpoints_health(house):
    """The failure of what an operator asked for does not count against the endpoint."""
    await house.subscribed(answer(500))
    await house.happen("b1")
    await house.change_deliveries(job="job_1")
    house.start()
    await house.tried(1)
    assert (await house.endpoint()).failing_since is None


async def test_sending_begins_with_the_commit_and_goes_on_when_it_is_time(house):
    """Nobody waits for a look into the store: a commit wakes the dispatcher, and so does the next attempt's moment."""
    receiver = await house.subscribed(answer(500), answer(200), schedule=(0.05,))
    dispatcher, _ = house.start(pace=replace(PACE, look=50.0))
    await house.settle()
    clock = asyncio.get_running_loop().time
    dispatcher.now = lambda: int(clock() * 1000) + NOW
    dispatcher.clock = clock
    await house.happen("b1")
    await house.tried(2)
    assert [1, 2] == [post.attempt for post in receiver.posts]
