"""`gateway call`: calls made on a provider that is played beside, traced, and never a secret shown."""

import asyncio
import base64
import contextlib
import json
import re
import threading
import urllib.request
from urllib.parse import quote, quote_plus

import pytest

from gateway.cli import simulate
from gateway.engine.catalog import load_providers
from gateway.model.model import load
from gateway.simulator.server import playing

CANARY = "c4n+ry/k&y=ü %"
"""A secret that is written differently in URLs, forms, JSON and base64."""
SCHEMES = {
    "query": 'auth: {query: {user: "{{ settings.user }}", key: "{{ settings.key }}"}}',
    "basic": 'auth: {basic: {user: "{{ settings.user }}", password: "{{ settings.key }}"}}',
    "session": 'auth: {session: {login: {post: /login, json: {user: "{{ settings.user }}", key: "{{ settings.key }}"},'
    ' success: token}, token: token, renew_when: [{status: 401}], send: {query: {token: "{{ token }}"}}}}',
}
AUTH = 'auth: {headers: {X-User: "{{ settings.user }}", X-Key: "{{ settings.key }}"}}'
FORMS = [
    CANARY,
    json.dumps(CANARY)[1:-1],
    quote(CANARY),
    quote(CANARY, safe=""),
    quote_plus(CANARY),
    base64.b64encode(CANARY.encode()).decode().rstrip("="),
    base64.b64encode(f"ada:{CANARY}".encode()).decode().rstrip("="),
]


@pytest.fixture
def aside():
    """Give a function that enters an asynchronous context on a loop of its own, in a thread beside the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def done(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout=20)

    stack = contextlib.AsyncExitStack()
    yield lambda context: done(stack.enter_async_context(context))
    done(stack.aclose())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=20)
    loop.close()


@pytest.fixture
def simulated(house, edit, aside, monkeypatch):
    """Give a function that plays the desk with a scheme, points the configuration to it and gives its URL."""

    def of(scheme):
        edit("mappings/desk.yaml", AUTH, SCHEMES[scheme])
        path = house / "mappings" / "examples" / "desk.yaml"
        text = path.read_text(encoding="utf-8").replace("desk-s3cret-key", json.dumps(CANARY, ensure_ascii=False))
        path.write_text(text, encoding="utf-8")
        play = simulate.prepare(load_providers([house / "mappings"], load())[0]["desk"], None)
        url = f"http://127.0.0.1:{aside(playing(play, 0))}"
        edit("config.yaml", "http://127.0.0.1:1", url)
        monkeypatch.setenv("DESK_KEY", CANARY)
        return url

    return of


def order(url, **fault):
    """Make the next calls fail, also when a reading is tried again."""
    with urllib.request.urlopen(f"{url}/_simulator", json.dumps(fault | {"times": 9}).encode(), timeout=10) as answer:
        return json.load(answer)


def leaked(text):
    return [form for form in FORMS if form in text]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_call(gateway, simulated, scheme):
    """A call prints the canonical answer; the trace shows every exchange on standard error, every secret masked."""
    url = simulated(scheme)
    code, out, err = gateway("call", "club", "resources.list")
    assert (0, "") == (code, err)
    assert ["Attic", "Cellar"] == [room["name"] for room in json.loads(out)]
    code, out, err = gateway("call", "club", "bookings.create", "slot_id=a", 'customer={"name": "Ada"}', "--trace")
    assert 0 == code
    assert ("100", "confirmed") == (json.loads(out)["id"], json.loads(out)["status"])
    assert f"POST {url}/bookings" in err
    assert "slot=a&who%5Bname%5D=Ada" in err
    assert re.search(r"→ 201 in \d+ ms: \{\"ok\": true", err)
    assert [] == leaked(out + err)
    if scheme != "basic":
        assert "***" in err
    if scheme == "session":
        assert re.search(r"(?m)^1\. POST /login   \(mappings/desk\.yaml:\d+\) \[login\]$", err)
        assert f"   POST {url}/login\n" in err
        assert '\n   {"user":"ada","key":"***"}\n   → 200 in ' in err
        assert ': {"token": "***"}\n' in err
        assert "simulated-token" not in out + err
    last = err[err.index("POST /bookings   ") :]
    assert re.match(r"POST /bookings   \(mappings/desk\.yaml:\d+\)\n", last)
    assert "   Content-Type: application/x-www-form-urlencoded\n" in last
    assert "     content-type: application/json" in last
    assert last.endswith("   = a success\n")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("fault", "code", "shown"),
    [
        ({"status": 500, "text": f"bad key {CANARY}"}, "PROVIDER_UNAVAILABLE", "by the status: no error rule matched"),
        ({"status": 418, "text": json.dumps({"error": f"no {CANARY}"})}, "PROVIDER_ERROR", "→ 418 in"),
        ({"status": 200, "text": f"<html>{quote_plus(CANARY)}"}, "PROVIDER_ERROR", "<html>***"),
        ({"status": 200, "text": "<html>\x1b[2J"}, "PROVIDER_ERROR", "<html>\\x1b[2J"),
        ({"status": 200, "text": "<html>"}, "PROVIDER_ERROR", "   = PROVIDER_ERROR, the answer does not fit: "),
        (
            {"status": 200, "text": json.dumps({"ok": True, "token": CANARY, "rooms": [{"id": CANARY}]})},
            "PROVIDER_ERROR",
            "→ 200 in",
        ),
        ({"drop": True}, "PROVIDER_UNAVAILABLE", "   = PROVIDER_UNAVAILABLE, no answer: "),
    ],
    ids=["500", "418", "html", "terminal", "no-json", "mismatch", "drop"],
)
def test_failing_calls(gateway, simulated, scheme, fault, code, shown):
    """A failing call ends with 1 and its problem as JSON on standard error; a secret that came back is masked."""
    url = simulated(scheme)
    order(url, **fault)
    ended, out, err = gateway("call", "club", "resources.list", "--trace")
    assert (1, "") == (ended, out)
    assert shown in err
    assert code == json.loads(err[err.index("\n{\n") :])["code"]
    assert [] == leaked(err)
    ended, out, err = gateway("call", "club", "resources.list")
    assert (1, "", code) == (ended, out, json.loads(err)["code"])
    assert [] == leaked(err)


def test_rule(gateway, simulated):
    """The trace names the error rule that matched, by its code, its place in the mapping and its condition."""
    url = simulated("query")
    order(url, status=409, text=json.dumps({"error": "taken"}))
    ended, _, err = gateway("call", "club", "resources.list", "--trace")
    assert 1 == ended
    told = r"   = BOOKING_CONFLICT, by the error rule at mappings/desk\.yaml:\d+ \(when: error == 'taken'\)\n"
    assert re.search(told, err)


def test_repetition(gateway, simulated):
    """The trace numbers the repetitions of a step."""
    url = simulated("query")
    order(url, status=503, text="{}")
    _, _, err = gateway("call", "club", "resources.list", "--trace")
    assert [" [attempt 2]", " [attempt 3]"] == re.findall(r"(?m)^\d\. GET /rooms   \(.*?\)( \[.*)$", err)


def test_trace_of_nothing(gateway, house):
    """A call that was refused before anything was sent says so in its trace."""
    ended, out, err = gateway("call", "club", "bookings.list", "--trace")
    assert (1, "") == (ended, out)
    assert err.startswith("no request was made\n{\n")


def test_wrong_secret(gateway, simulated, monkeypatch):
    """With a wrong secret the call says that the provider refuses us, and shows neither secret."""
    simulated("query")
    monkeypatch.setenv("DESK_KEY", "an0ther-c4n4ry")
    ended, out, err = gateway("call", "club", "resources.list", "--trace")
    assert (1, "") == (ended, out)
    assert '"PROVIDER_AUTH_FAILED"' in err
    assert "an0ther-c4n4ry" not in err
    assert [] == leaked(err)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["clubb", "resources.list"], "CONNECTION_NOT_FOUND", "There is no connection `clubb`."),
        (["club", "bookings.list"], "UNSUPPORTED_OPERATION", "Desk cannot do bookings.list: not told"),
        (["club", "native.great"], "NOT_FOUND", "Desk has no native operation `great`."),
        (["club", "bookings.get"], "VALIDATION_ERROR", "`id` is required"),
        (["club", "bookings.get", "idd=1"], "VALIDATION_ERROR", "did you mean `id`?"),
        (["club", "native.greet", "name=7"], "VALIDATION_ERROR", "`name`"),
        (["club", "resources.list", "limit=2"], "VALIDATION_ERROR", "`limit` shapes the HTTP answer"),
        (["club", "resources.list"], "PROVIDER_UNAVAILABLE", "could not be connected to"),
    ],
)
def test_refused_calls(gateway, house, words, code, told):
    """A call that cannot be made says why, in the words of the contract, and ends with 1."""
    ended, out, err = gateway("call", *words)
    assert (1, "") == (ended, out)
    problem = json.loads(err)
    assert code == problem["code"]
    assert told in problem["message"]


def test_arguments(gateway, house):
    """What is no NAME=VALUE is wrong usage."""
    for word in ("id", "=1", ""):
        assert (2, "", f"`{word}` is not NAME=VALUE\n") == gateway("call", "club", "bookings.get", word)


def test_text_and_json(gateway, simulated):
    """Values are JSON where they are JSON and text otherwise; quotes make a text of what looks like a number."""
    simulated("query")
    for word, expected in (("name=Bo", 0), ('name="7"', 0), ("name=7", 1), ("name=true", 1), ("name=[", 0)):
        assert expected == gateway("call", "club", "native.greet", word)[0], word
