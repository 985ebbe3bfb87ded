"""Answers that are kept: for how long, for whom, and asked for once however many want them."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.engine.cache import Answer, Cache
from gateway.engine.catalog import Catalog, bind
from gateway.values.errors import GatewayError, ProviderRejected, ProviderUnavailable, TooManyCalls
from gateway.values.messages import Call
from gateway.values.secrets import Secret


class Asked:
    """What is behind a cache: gives the number of times it was asked, when `gate` is open, or raises `failure`."""

    def __init__(self, most=3):
        self.time = 0.0
        self.cache = Cache(lambda: self.time, most=most)
        self.count = 0
        self.failure = None
        self.said = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def ask(self):
        self.count += 1
        number, failure = self.count, self.failure
        await self.gate.wait()
        if failure is not None:
            raise failure
        return Answer(number, self.said)

    async def get(self, key="k", seconds=60.0):
        answer = await self.cache.answer(key, seconds, self.ask)
        return answer.value, answer.said


async def turn():
    """Let every task go on as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_kept_for_its_time():
    """An answer is given again until it is as old as it may be, with the time when the provider said it."""
    asked = Asked()
    asked.time = 5.0
    assert (1, None) == await asked.get()
    asked.time = 64.9
    assert (1, 5.0) == await asked.get()
    asked.time = 65.0
    assert (2, None) == await asked.get()
    assert (3, None) == await asked.get("other")
    assert "Cache(2 kept, 0 asked for)" == repr(asked.cache)


async def test_age_counts_from_the_question():
    """An answer that was long in coming is as old as the question."""
    asked = Asked()
    asked.gate.clear()
    waiting = asyncio.ensure_future(asked.get())
    await turn()
    asked.time = 20.0
    asked.gate.set()
    await waiting
    asked.time = 59.0
    assert (1, 0.0) == await asked.get()
    asked.time = 60.0
    assert (2, None) == await asked.get()


async def test_parts():
    """What holds a part that was kept before is as old as that part, and so is what is made of it."""
    asked = Asked()
    asked.time, asked.said = 30.0, 10.0
    assert (1, 10.0) == await asked.get()
    assert (1, 10.0) == await asked.get()


async def test_bounded():
    """The answer that nobody asked for the longest goes first."""
    asked = Asked(most=3)
    for key in ("a", "b", "c", "a", "d"):
        await asked.get(key)
    assert 4 == asked.count
    for key, expected in (("a", 1), ("c", 3), ("d", 4), ("b", 5), ("a", 6)):
        assert expected == (await asked.get(key))[0]


async def test_asked_once():
    """However many want an answer that is not there, it is asked for once, and fresh to all of them."""
    asked = Asked()
    asked.gate.clear()
    waiting = [asyncio.ensure_future(asked.get()) for _ in range(50)]
    await turn()
    asked.gate.set()
    assert [(1, None)] * 50 == await asyncio.gather(*waiting)


@pytest.mark.parametrize("failure", [ProviderRejected("no"), ProviderUnavailable("", sent=True), GatewayError("")])
async def test_errors_are_not_kept(failure):
    """A failure is told to all that waited for it, and the next call asks again."""
    asked = Asked()
    asked.failure = failure
    asked.gate.clear()
    waiting = [asyncio.ensure_future(asked.get()) for _ in range(5)]
    await turn()
    asked.gate.set()
    assert [failure] * 5 == await asyncio.gather(*waiting, return_exceptions=True)
    asked.failure = None
    assert (2, None) == await asked.get()


@pytest.mark.parametrize("failure", [TooManyCalls(""), ProviderUnavailable("", sent=True, timed_out=True)])
async def test_the_time_of_another(failure):
    """Who only waited asks anew when the call that asked had no time or no room left: its own may be more."""
    asked = Asked()
    asked.failure = failure
    asked.gate.clear()
    waiting = [asyncio.ensure_future(asked.get()) for _ in range(4)]
    await turn()
    asked.failure = None
    asked.gate.set()
    assert [failure, (2, None), (2, None), (2, None)] == await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize("failure", [None, ProviderRejected("no")])
async def test_cancelled(failure):
    """A question goes on for the others when the call that began it is cancelled, and ends quietly without them."""
    asked = Asked()
    asked.failure = failure
    asked.gate.clear()
    first, second = (asyncio.ensure_future(asked.get()) for _ in range(2))
    await turn()
    first.cancel()
    await turn()
    asked.gate.set()
    (ended,) = await asyncio.gather(second, return_exceptions=True)
    assert (failure or (1, None)) == ended
    asked.gate.clear()
    alone = asyncio.ensure_future(asked.get("other"))
    await turn()
    alone.cancel()
    asked.gate.set()
    await turn()
    assert alone.cancelled()
    assert 0 == len(asked.cache._flights)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=30), st.integers(1, 4))
def test_laws(steps, most):
    """Nothing is given that is too old or another key's, and no more is kept than may be."""

    async def run():
        asked = Asked(most)
        said = {}
        for key, later in steps:
            asked.time += later
            before = asked.count
            number, when = await asked.get(key, 2.0)
            if asked.count > before:
                assert (asked.count, None) == (number, when)
                said[key] = (number, asked.time)
            else:
                assert said[key] == (number, when)
                assert asked.time - when < 2.0
            assert most >= len(asked.cache._kept)

    asyncio.run(run())


# In the engine.

PLACES = """
operations:
  locations.list: {cache: 60s, call: {get: /places}, result: {rows: data, record: place}}
  locations.get: {result: {find: locations.list}}
  events.list:
    cache: 300s
    window: {default_days: 7}
    steps:
      - {name: places, run: locations.list}
      - {name: answer, call: {get: /events, query: {place: "{{ places[0].id }}"}}}
    result: {rows: answer.data, record: event}
native:
  ping:
    safe: true
    cache: 10s
    args: {n: {type: integer, required: true}}
    call: {get: /ping, query: {n: "{{ args.n }}"}}
"""


def places(*names):
    """Make the provider's answer with these places."""
    return {"data": [{"id": name, "name": name, "pin": "1234"} for name in names]}


@pytest.fixture
def kept(club):
    """Give a function that makes a Gateway which keeps places; its provider's answers are the arguments."""
    return lambda *answers: club(PLACES, *answers)


async def test_an_operation(kept):
    """What is kept is given again with its age, also to what is picked from it, until it is too old."""
    made = kept(places("a", "b"), places("c"))
    assert None is (await made.run("locations.list")).age
    made.time += 20.4
    reply = await made.run("locations.list")
    assert (["a", "b"], pytest.approx(20.4)) == ([one["id"] for one in reply.data], reply.age)
    made.time += 30
    reply = await made.run("locations.get", id="b")
    assert ("b", pytest.approx(50.4)) == (reply.data["id"], reply.age)
    made.time += 10
    assert ["c"] == [one["id"] for one in (await made.run("locations.list")).data]
    assert ["GET /places", "GET /places"] == made.sent


async def test_a_part(kept):
    """What is composed of kept parts is as old as the oldest of them, also when it is kept itself."""
    event = {"id": "e", "start": "2026-03-02 09:00"}
    made = kept(places("a"), {"data": [event]}, {"data": [event]})
    await made.run("locations.list")
    made.time += 50
    assert 50 == (await made.run("events.list")).age
    made.time += 40
    assert 90 == (await made.run("events.list")).age
    assert ["GET /places", "GET /events?place=a"] == made.sent
    made.time += 259
    assert ["e"] == [one["id"] for one in (await made.run("events.list")).data]
    assert 2 == len(made.sent)
    made.answers.insert(0, places("a"))
    made.time += 1
    assert None is (await made.run("events.list")).age
    assert 4 == len(made.sent)


async def test_asked_once_by_all(kept):
    """Fifty calls that want the same list make one request, and each its own answer."""
    gate = asyncio.Event()

    async def slowly(_request):
        await gate.wait()
        return places("a")

    made = kept()
    made.answers = slowly
    calls = [asyncio.ensure_future(made.run("locations.list")) for _ in range(50)]
    await turn()
    gate.set()
    assert [["a"]] * 50 == [[one["id"] for one in reply.data] for reply in await asyncio.gather(*calls)]
    assert ["GET /places"] == made.sent


async def test_arguments(kept):
    """Every argument is part of what is kept, of an operation of the provider's own as well."""
    made = kept({"n": 1}, {"n": 2})
    assert [{"n": 1}, {"n": 2}, {"n": 1}] == [(await made.run("native.ping", n=n)).data for n in (1, 2, 1)]
    assert ["GET /ping?n=1", "GET /ping?n=2"] == made.sent


async def test_provider_data(kept):
    """What is kept for a caller who saw the provider's own objects is nothing for one who did not, and the reverse."""
    made = kept(places("a"), places("a"))
    for include, raw in ((frozenset(), [None]), (frozenset({"provider_data"}), [{"id": "a", "name": "a"}])) * 2:
        reply = await made.engine.run(Call("club", "locations.list", {}, "r", 9e9, include))
        assert raw == reply.raw
    assert 2 == len(made.sent)


CONFIRMED = """
operations:
  bookings.get: {cache: 60s, call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm:
    steps:
      - {name: current, run: bookings.get}
      - {refuse: [{when: "{{ current.resource_id == 'c9' }}", is: INVALID_STATE, message: the court is closed}]}
      - {name: done, call: {post: "/b/{{ args.id }}/confirm"}}
    result: {run: bookings.get}
"""


async def test_what_a_write_read_before_it(club):
    """What a write itself has looked at before it wrote is read anew behind it, and not given for what it has made."""
    before, after = (
        {"id": 7, "court": court, "start": "2026-03-19 09:00", "end": "2026-03-19 10:00"} for court in "ab"
    )
    made = club(CONFIRMED, {"data": before}, {"ok": True}, {"data": after})
    assert "b" == (await made.run("bookings.confirm", id="7")).data["resource_id"]
    assert ["GET /b/7", "POST /b/7/confirm", "GET /b/7"] == made.sent


async def test_credentials(kept):
    """Another connection, or other credentials of the same, have nothing of what was kept."""
    made = kept(places("a"), places("b"), places("c"))
    plan = made.engine.connection("club").provider.compiled
    values = {**made.engine.connection("club").scope["settings"], "key": Secret("another-s3cret-key")}
    await made.run("locations.list")
    made.engine.use(Catalog("v2", {}, {"club": bind("club", plan, values), "other": bind("other", plan, values)}))
    assert ["b"] == [one["id"] for one in (await made.run("locations.list")).data]
    reply = await made.engine.run(Call("other", "locations.list", {}, "r", 9e9))
    assert ["c"] == [one["id"] for one in reply.data]


async def test_an_error(kept, answered):
    """An answer that says no is not kept."""
    made = kept(answered({}, 500), answered({}, 404), places("a"))
    for code in ("PROVIDER_UNAVAILABLE", "NOT_FOUND"):
        with pytest.raises(GatewayError) as caught:
            await made.run("locations.list")
        assert code == caught.value.code
    assert ["a"] == [one["id"] for one in (await made.run("locations.list")).data]
