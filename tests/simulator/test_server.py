"""The simulated provider on a real socket: answers, and every fault that can be ordered."""

import asyncio
import json
import time

import aiohttp
import pytest

from gateway.simulator.server import playing
from gateway.values.errors import GatewayError
from tests.simulator.conftest import AUTH

KEYS = {"X-User": "ada", "X-Key": "desk-s3cret-key"}
BOOKING = {"slot": "a", "who[name]": "Ada"}


@pytest.fixture
async def desk(play):
    """Give a client of the desk's server: `status, body = await desk("GET", "/rooms")`."""
    played = play()
    async with playing(played, 0) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=KEYS) as session:

        async def ask(method, path, **more):
            async with session.request(method, path, **more) as answer:
                return answer.status, (await answer.read()).decode()

        ask.play = played
        ask.session = session
        ask.port = port
        yield ask


async def order(desk, **fault):
    status, body = await desk("POST", "/_simulator", json=fault)
    return status, json.loads(body)


async def test_answers(desk):
    """Path, query, form and JSON reach the play as they were sent, and its answers come back whole."""
    async with desk.session.get("/rooms/1") as answer:
        assert (200, "yes", "application/json") == (answer.status, answer.headers["X-Recorded"], answer.content_type)
        assert {"ok": True, "room": {"id": 1, "name": "Attic"}} == await answer.json()
    assert "2026-03-02T09:00:00" in (await desk("GET", "/free?day=2026-03-02"))[1]
    status, body = await desk("POST", "/bookings", data={"slot": "a", "who[name]": "Jürgen K"})
    assert (201, "Jürgen K") == (status, json.loads(body)["booking"]["who"])
    rpc = {"jsonrpc": "2.0", "method": "greet", "params": ["Bo"], "id": 5}
    assert {"jsonrpc": "2.0", "id": 5, "result": "Hello Bo"} == json.loads((await desk("POST", "/rpc", json=rpc))[1])
    assert (204, "") == await desk("DELETE", "/bookings/100")
    assert 404 == (await desk("GET", "/a%2Fb"))[0]
    assert 401 == (await desk("GET", "/rooms", headers={"X-Key": "another"}))[0]


async def test_what_it_holds(desk):
    """The control page tells provider, number of calls, state and waiting faults, to anybody on this machine."""
    await desk("POST", "/bookings", data=BOOKING)
    await desk("GET", "/nosuch")
    async with aiohttp.ClientSession() as stranger, stranger.get(f"http://127.0.0.1:{desk.port}/_simulator") as answer:
        told = await answer.json()
    assert ("desk", 2, ["100"]) == (told["provider"], told["calls"], list(told["state"]["bookings"]))


async def test_status(desk):
    """A status is answered once, before anything is done; then all is as before."""
    assert 200 == (await order(desk, status=503, text="down", headers={"Retry-After": "7"}))[0]
    async with desk.session.post("/bookings", data=BOOKING) as answer:
        assert (503, "7", "down") == (answer.status, answer.headers["Retry-After"], await answer.text())
    assert {} == desk.play.state["bookings"]
    assert 201 == (await desk("POST", "/bookings", data=BOOKING))[0]


async def test_times(desk):
    """A fault lasts as many calls as ordered, and orders wait in line."""
    await order(desk, status=500, times=2)
    _, told = await order(desk, status=429)
    assert [{"status": 500, "times": 2}, {"status": 429}] == told["waiting"]
    assert [500, 500, 429, 200] == [(await desk("GET", "/rooms"))[0] for _ in range(4)]


async def test_delay(desk):
    """A delayed call is done and answered, later; other calls do not wait for it."""
    await order(desk, delay=300)
    slow = asyncio.create_task(desk("GET", "/rooms"))
    async with asyncio.timeout(60):
        while True:
            if not json.loads((await desk("GET", "/_simulator"))[1])["waiting"]:
                break
            await asyncio.sleep(0.01)
    assert 200 == (await desk("GET", "/rooms"))[0]
    assert not slow.done()
    slow.cancel()
    await order(desk, delay=0.2)
    began = time.monotonic()
    assert 200 == (await desk("GET", "/rooms"))[0]
    assert time.monotonic() - began >= 0.2


async def test_drop(desk):
    """A dropped call is hung up on and not done."""
    await order(desk, drop=True)
    with pytest.raises(aiohttp.ClientError):
        await desk("POST", "/bookings", data=BOOKING)
    assert {} == desk.play.state["bookings"]


async def test_after(desk):
    """A call whose answer is lost is done all the same."""
    await order(desk, after=True)
    with pytest.raises(aiohttp.ClientError):
        await desk("POST", "/bookings", data=BOOKING)
    assert ["100"] == list(desk.play.state["bookings"])


async def test_lost_answers_meet_the_engine(play, engine_on, call):
    """Behind the engine a lost write is an unknown outcome, and a dropped reading an unavailable provider."""
    played = play()
    engine = await engine_on(played)
    url = engine.connection("one").public["base_url"]
    async with aiohttp.ClientSession(url) as session:
        for fault, operation, given, code in (
            ({"after": True}, "bookings.create", {"slot_id": "a", "customer": {"name": "Ada"}}, "OUTCOME_UNKNOWN"),
            ({"drop": True}, "resources.list", {}, "PROVIDER_UNAVAILABLE"),
            ({"status": 429}, "resources.list", {}, "RATE_LIMITED"),
            ({"status": 500}, "resources.list", {}, "PROVIDER_UNAVAILABLE"),
            ({"status": 200, "text": "<html>"}, "resources.list", {}, "PROVIDER_ERROR"),
        ):
            await (await session.post("/_simulator", json=fault)).read()
            with pytest.raises(GatewayError) as failed:
                await call(engine, operation, **given)
            assert code == failed.value.code
    assert ["100"] == list(played.state["bookings"])


async def test_expire(play):
    """All tokens are refused from then on; a new login is let in."""
    played = play(
        'auth: {session: {login: {post: /login, json: {key: "{{ settings.key }}"}}, token: token,'
        ' renew_when: [{status: 401}], send: {headers: {X-Token: "{{ token }}"}}}}'
    )
    async with playing(played, 0) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def login():
            async with session.post("/login", json={"key": "desk-s3cret-key"}) as answer:
                return {"X-Token": (await answer.json())["token"]}

        async def status(token):
            async with session.get("/rooms", headers=token) as answer:
                return answer.status

        old = await login()
        assert 200 == await status(old)
        async with session.post("/_simulator", json={"expire": True}) as answer:
            assert {"waiting": []} == await answer.json()
        assert 401 == await status(old)
        new = await login()
        assert (200, 401) == (await status(new), await status(old))


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("", "the body is not JSON"),
        ("{", "the body is not JSON"),
        ("7", "an order is an object"),
        ("{}", "an order has one of after, delay, drop, expire, status"),
        ('{"times": 2}', "an order has one of"),
        ('{"expire": true, "times": 2}', "an order has one of"),
        ('{"staus": 503}', "`staus` cannot be ordered; did you mean `status`?"),
        ('{"status": "503"}', "`status` must be an HTTP status, 200 to 599"),
        ('{"status": 100}', "`status` must be"),
        ('{"status": true}', "`status` must be"),
        ('{"delay": "1"}', "`delay` must be seconds"),
        ('{"delay": -1}', "`delay` must be seconds"),
        ('{"drop": 1}', "`drop` must be true"),
        ('{"after": false}', "`after` must be true"),
        ('{"drop": true, "times": 0}', "`times` must be how many calls, 1 or more"),
        ('{"status": 503, "headers": {"Retry-After": 7}}', "`headers` must be headers"),
        ('{"status": 503, "text": 7}', "`text` must be the body"),
        ('{"delay": 1, "text": "x"}', "`text` and `headers` go with a `status`"),
        ('{"status": 503, "expire": "yes"}', "`expire` must be true"),
    ],
)
async def test_wrong_orders(desk, body, wrong):
    """What cannot be ordered is refused in words, and nothing of it is done."""
    status, told = await desk("POST", "/_simulator", data=body)
    assert 400 == status
    assert json.loads(told)["wrong"].startswith(wrong)
    assert 200 == (await desk("GET", "/rooms"))[0]


async def test_failing_script(desk):
    """A script that fails is told to whoever looks at the answer, with its line."""
    status, body = await desk("DELETE", "/bookings/odd")
    assert 500 == status
    assert body.startswith("the simulator's own script fails: ")
    assert "desk.yaml:" in body
    assert 200 == (await desk("GET", "/rooms"))[0]


async def test_taken_port(play):
    """A port that is taken is an error of the operating system, at once."""
    async with playing(play(), 0) as port:
        with pytest.raises(OSError, match="address already in use"):
            async with playing(play(), port):
                pass


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x00\xff\r\n\r\n", b"400"),
        (b"GET /nosuch HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic \xff\r\n\r\n", b"401"),
        (b"POST /%ff?%ff=%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n\xff", b"401"),
    ],
)
async def test_garbage_on_the_wire(desk, sent, status):
    """Whatever comes over the wire is answered, and the server goes on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(sent)
    assert status == (await reader.read()).split()[1]
    writer.close()
    assert 200 == (await desk("GET", "/rooms"))[0]


PAGED = """native:
  clubs: {safe: true, call: {get: /clubs, pages: {rows: data, next: more}}}
  halls: {safe: true, call: {get: /halls, success: {status: 200}, pages: {rows: "@", next: {link: next}}}}
  teams: {safe: true, call: {get: /teams, pages: {rows: data, token: t, send: {query: {t: "{{ token }}"}}}}}
"""
RECORDED = """
  - operation: native.clubs
    name: clubs in pages
    exchanges:
      - request: {get: "https://desk.example/clubs"}
        answer: {json: {ok: true, data: [A], more: "https://desk.example/clubs?page=2"}}
      - request: {get: "https://desk.example/clubs", query: {page: "2"}}
        answer: {json: {ok: true, data: [B], more: "https://desk.example/clubs/rest?page=3"}}
      - request: {get: "https://desk.example/clubs/rest", query: {page: "3"}}
        answer: {json: {ok: true, data: [C, "https://desk.example.org"]}}
    gives: {ok: true, data: [A, B, C, "https://desk.example.org"]}
  - operation: native.halls
    name: halls in pages
    exchanges:
      - request: {get: "https://desk.example/halls"}
        answer: {headers: {Link: "<https://desk.example/halls?page=2>; rel=next"}, json: [A]}
      - request: {get: "https://desk.example/halls", query: {page: "2"}}
        answer: {json: [B]}
    gives: [A, B]
  - operation: native.teams
    name: teams in pages
    exchanges:
      - request: {get: "https://desk.example/teams"}
        answer: {json: {ok: true, data: [A], t: x1}}
      - request: {get: "https://desk.example/teams", query: {t: x1}}
        answer: {json: {ok: true, data: [B]}}
    gives: {ok: true, data: [A, B]}
"""


async def test_pages(play, engine_on, call):
    """Recorded pages are played one after the other, at the address of the play and no longer that of the examples."""
    paged = play(AUTH, ("native:\n", PAGED), examples=RECORDED)
    engine = await engine_on(paged)
    assert ["A", "B", "C", "https://desk.example.org"] == (await call(engine, "native.clubs"))["data"]
    assert ["A", "B"] == await call(engine, "native.halls")
    assert ["A", "B"] == (await call(engine, "native.teams"))["data"]
    assert 7 == paged.calls
