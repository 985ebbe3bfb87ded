"""The engine with its gates and its patience, in a time that does not pass by itself; the provider is a function."""

import asyncio

import pytest

from gateway.values.errors import GatewayError, OutcomeUnknown, ProviderUnavailable, TooManyCalls
from tests.applications import MARCH, engine_of

PACED = """
http: {rates: {default: 10/s, create: 2/m, login: 1/m}, concurrency: 3}
native:
  read: {safe: true, call: {get: /read}}
  write: {rate_class: create, call: {post: /write}}
  both:
    rate_class: create
    steps:
      - {name: look, safe: true, call: {get: /look, rate_class: default}}
      - {name: write, call: {post: /write}}
      - {name: after, safe: true, call: {get: /after, rate_class: default}}
    result: {at: after}
"""
SESSION = """
auth:
  session:
    login: {post: /login, rate_class: login}
    token: token
    renew_when: [{status: 401}]
    send: {headers: {X-Token: "{{ token }}"}}
"""


def on_the_loop(made, retries=2):
    """Give the gateway an engine on the running loop's time, and a function that runs calls on it."""
    clock = asyncio.get_running_loop().time
    made.engine = engine_of(made.engine.catalog, made.send, lambda: MARCH, retries=retries)

    async def run(operation, **more):
        made.time = clock()
        try:
            return (await made.run(f"native.{operation}", **more)).data
        except GatewayError as error:
            return error

    return run


def play(virtual, made, scenario, **more):
    """Run a scenario, a coroutine function of the function that runs calls, in virtual time."""

    async def started():
        return await scenario(on_the_loop(made, **more))

    return virtual(started())


def test_fifty_at_once(virtual, gateway):
    """Fifty calls together keep to the rate and the places, in the order in which they came, and all are answered."""
    began, now, most = [], 0, 0

    async def answer(_request):
        nonlocal now, most
        began.append(asyncio.get_running_loop().time())
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.25)
        now -= 1
        return {"n": len(began)}

    made = gateway(PACED)
    made.answers = answer

    async def scenario(run):
        return await asyncio.gather(*(run("read") for _ in range(50)))

    assert [True] * 50 == [isinstance(one, dict) for one in play(virtual, made, scenario)]
    assert 3 == most
    assert 50 == len(began)
    assert all(later - earlier >= 1 for earlier, later in zip(began, began[10:], strict=False))
    assert 50 / 3 * 0.25 <= began[-1] + 0.25 <= 6


def test_waits_inside_the_deadline(virtual, gateway):
    """A call waits for its token as long as it has time, has the rest of it for the provider, and no more is asked."""
    made = gateway(PACED, *[{}] * 4)

    async def scenario(run):
        assert [{}] * 2 == [await run("write"), await run("write")]
        refused = await run("write")
        assert (TooManyCalls, "RATE_LIMITED", 60.0) == (type(refused), refused.code, refused.retry_after)
        assert {"limit": {"rate_class": "create", "rate": "2/m", "concurrency": 3}} == refused.details
        assert {} == await run("read")
        await asyncio.sleep(45)
        assert {} == await run("write", seconds=20)
        return asyncio.get_running_loop().time()

    assert 60.0 == pytest.approx(play(virtual, made, scenario), abs=0.01)
    assert [10.0, 10.0, 10.0, pytest.approx(5.0, abs=0.01)] == [request.timeout for request in made.requests]


def test_logins_count(virtual, gateway, answered):
    """A login costs a token of its own class, and what is sent again with the new session costs one too."""
    made = gateway(PACED + SESSION)
    tokens = iter(["one", "two"])
    valid = {"one", "two"}

    async def answer(request):
        if request.url.endswith("/login"):
            return {"token": next(tokens)}
        return {} if dict(request.headers)["X-Token"] in valid else answered({}, 401)

    made.answers = answer

    async def scenario(run):
        assert [{}, {}] == [await run("read"), await run("read")]
        valid.remove("one")
        assert {} == await run("write", seconds=100)
        return asyncio.get_running_loop().time()

    assert 60.0 == pytest.approx(play(virtual, made, scenario), abs=0.01)
    assert ["login", "read", "read", "write", "login", "write"] == [one.rpartition("/")[2] for one in made.sent]
    assert ["login", "default", "default", "create", "login", "create"] == [one.limit for one in made.requests]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "Sun, 01 Mar 2026 09:00:09 GMT", "date": "Sun, 01 Mar 2026 09:00:00 GMT"}, 9),
        ({"retry_after": "Sun, 01 Mar 2026 08:00:00 GMT", "date": "Sun, 01 Mar 2026 09:00:00 GMT"}, 1),
        ({"retry_after": "Sun, 01 Mar 2026 09:00:09 GMT"}, 1),
        ({"retry_after": "soon"}, 1),
        ({"retry_after": "-5"}, 1),
        ({"retry_after": "0"}, 1),
        ({}, 1),
    ],
    ids=str,
)
def test_a_pause(virtual, gateway, answered, headers, seconds):
    """A 429 pauses its class of the connection, as long as it says or for a second, and no other class."""
    made = gateway(PACED, answered({}, 429, **headers), {"of": "write"}, {"of": "read"})

    async def scenario(run):
        assert "RATE_LIMITED" == (await run("read")).code
        assert {"of": "write"} == await run("write")
        assert 0.0 == asyncio.get_running_loop().time()
        assert {"of": "read"} == await run("read")
        return asyncio.get_running_loop().time()

    assert seconds == play(virtual, made, scenario)


def test_too_long_a_pause(virtual, gateway, answered):
    """A pause longer than the call's time refuses it at once; after 5 minutes any provider is asked again."""
    made = gateway(PACED, answered({}, 429, retry_after="86400"), {})

    async def scenario(run):
        assert 86_400 == (await run("read")).retry_after
        refused = await run("read")
        assert (TooManyCalls, 300.0) == (type(refused), refused.retry_after)
        assert 0.0 == asyncio.get_running_loop().time()
        assert {} == await run("read", seconds=301)
        return asyncio.get_running_loop().time()

    assert 300.0 == play(virtual, made, scenario)


@pytest.mark.parametrize("rule", ["{status: 200, when: quota, is: RATE_LIMITED}", "{status: 409, is: RATE_LIMITED}"])
def test_a_rule(virtual, gateway, answered, rule):
    """What a rule of the mapping calls too many calls pauses as well; pauses grow until an answer comes."""
    status = 200 if "200" in rule else 409
    made = gateway(f"errors: [{rule}]\n" + PACED.replace("http: {", "http: {success: '!quota', "))
    made.answers = [answered({"quota": True}, status), answered({"quota": True}, status), {}, {}]

    async def scenario(run):
        times = []
        for _ in range(4):
            await run("read")
            times.append(asyncio.get_running_loop().time())
        return times

    assert [0.0, 1.0, 3.0, 3.0] == play(virtual, made, scenario)


def test_a_refused_login(virtual, gateway, answered):
    """A login that was one too many pauses the class of the login, and calls wait for it."""
    made = gateway(PACED.replace("login: 1/m", "login: 9/m") + SESSION)
    logins = iter([answered({}, 429, retry_after="3"), {"token": "t"}])

    async def answer(request):
        return next(logins) if request.url.endswith("/login") else {}

    made.answers = answer

    async def scenario(run):
        assert ["RATE_LIMITED"] * 2 == [one.code for one in await asyncio.gather(run("read"), run("write"))]
        assert {} == await run("read")
        return asyncio.get_running_loop().time()

    assert 3.0 == play(virtual, made, scenario)


@pytest.mark.parametrize(("status", "logins"), [(503, 3), (500, 3), (501, 1)])
def test_a_failed_login(virtual, gateway, answered, status, logins):
    """A read whose login failed is made again as the login's answer allows; a write is not, and nothing is in doubt."""
    made = gateway(PACED.replace("login: 1/m", "login: 9/m") + SESSION)

    async def answer(_request):
        return answered({}, status)

    made.answers = answer

    async def scenario(run):
        return [(await run(name)).code for name in ("read", "write")]

    assert ["PROVIDER_UNAVAILABLE"] * 2 == play(virtual, made, scenario)
    assert ["POST /login"] * (logins + 1) == made.sent


REFUSED = ProviderUnavailable("refused", sent=False)
LOST = ProviderUnavailable("lost", sent=True)


def test_reads_are_repeated(virtual, gateway, answered):
    """A read is made again, each time for a token, in its own time and under a number of its own."""
    made = gateway(PACED.replace("10/s", "1/s"), LOST, answered({}, 503), {})

    async def scenario(run):
        assert {} == await run("read")
        return asyncio.get_running_loop().time()

    assert 2.0 == pytest.approx(play(virtual, made, scenario), abs=0.01)
    assert ["GET /read"] * 3 == made.sent


def test_a_known_answer_is_not_repeated(virtual, gateway, answered):
    """A 503 that an error rule knows is an answer."""
    made = gateway("errors: [{status: 503, is: NOT_FOUND}]\n" + PACED, answered({}, 503))

    async def scenario(run):
        return (await run("read")).code

    assert "NOT_FOUND" == play(virtual, made, scenario)


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [
        ([REFUSED], ProviderUnavailable, "PROVIDER_UNAVAILABLE"),
        ([LOST], OutcomeUnknown, "OUTCOME_UNKNOWN"),
    ],
)
def test_writes_are_not_repeated(virtual, gateway, answers, kind, code):
    """A write is sent once, whatever becomes of it; a lost answer stays an unknown outcome."""
    made = gateway(PACED, *answers)

    async def scenario(run):
        return await run("write")

    error = play(virtual, made, scenario)
    assert (kind, code, ["POST /write"]) == (type(error), error.code, made.sent)


def test_the_effect_of_the_step(virtual, gateway):
    """A reading step of a writing operation is repeated, before the write and after it."""
    made = gateway(PACED, LOST, {}, {}, LOST, LOST, {"n": 1})

    async def scenario(run):
        assert {"n": 1} == await run("both")

    play(virtual, made, scenario)
    assert ["GET /look"] * 2 + ["POST /write"] + ["GET /after"] * 3 == made.sent


def test_refused_before_a_write(virtual, gateway):
    """A write that the gateway itself does not let through is in no doubt; one that it let through before is."""
    made = gateway(
        PACED.replace("rate_class: create\n    steps", "steps").replace("default: 10/s", "default: 2/d"), {}, {}
    )

    async def scenario(run):
        unknown = await run("both")
        return unknown, await run("both")

    unknown, refused = play(virtual, made, scenario)
    assert (OutcomeUnknown, "RATE_LIMITED") == (type(unknown), unknown.details["cause"])
    assert (TooManyCalls, "RATE_LIMITED") == (type(refused), refused.code)
    assert ["GET /look", "POST /write"] == made.sent


def test_without_patience(virtual, gateway):
    """Zero repetitions are zero."""
    made = gateway(PACED, LOST)

    async def scenario(run):
        return (await run("read")).code

    assert "PROVIDER_UNAVAILABLE" == play(virtual, made, scenario, retries=0)
    assert ["GET /read"] == made.sent
