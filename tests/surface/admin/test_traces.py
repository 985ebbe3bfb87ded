"""The operator's traces over HTTP: who gets one, what is in it, and how long it is kept."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.engine.catalog import Catalog, bind, load_providers
from gateway.model.model import load
from gateway.surface.admin.traces import MOST_OF_A_BODY, Traces
from gateway.surface.app import build_app
from gateway.surface.http.request_context import RequestContext, Traceable
from gateway.values.secrets import Secret

ADMIN = "admin-token-0123456789"
API_KEY = "provider-s3cret-api-key"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TRACE = {"Gateway-Trace": "1", "Gateway-Admin": f"Bearer {ADMIN}"}
COURTS = Path(__file__).parents[1] / "courts.yaml"
AUTH = 'auth: {headers: {X-Api-Key: "{{ settings.api_key }}"}}'
SESSION = (
    'auth: {session: {login: {post: /login, json: {key: "{{ settings.api_key }}"}}, token: data.token,'
    ' renew_when: [{status: 401}], send: {headers: {X-Token: "{{ token }}"}}}}'
)


@pytest.fixture
def settings(settings):
    """Give the settings with an operator's side that keeps three traces."""
    return replace(settings, admin_token=Secret(ADMIN), traces=3)


@pytest.fixture
def admin(call_as):
    """Call the gateway as the operator."""
    caller = call_as(None)
    caller.key = ADMIN
    return caller


@pytest.fixture
def traced(call, admin):
    """Give a function that makes a traced call as `web` and gives its status and its trace."""

    async def of(method, path, **more):
        status, _, headers = await call(method, path, headers=TRACE | more.pop("headers", {}), **more)
        _, trace, _ = await admin("GET", f"/admin/traces/{headers['Gateway-Trace-Id']}")
        return status, trace

    return of


def place(text):
    """Give `file:line` of the first line of the mapping that holds a text, as far as it is the same everywhere."""
    lines = COURTS.read_text(encoding="utf-8").splitlines()
    return f"courts.yaml:{next(number for number, line in enumerate(lines, 1) if text in line)}"


async def test_success(traced, provider, booking):
    """A call's trace tells when, what and how long, and of its exchange the step, the request and the answer."""
    provider.answers["GET /bookings/7"] = (200, {"ok": True, "data": booking})
    status, trace = await traced("GET", "/v1/club-a/bookings/7", headers={"X-Request-Id": "mine"})
    assert 200 == status
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", trace["at"])
    expected = {"connection": "club-a", "operation": "bookings.get", "outcome": "ok", "request_id": "mine"}
    assert expected | {"error": None, "origin": None} == {key: trace[key] for key in (*expected, "error", "origin")}
    assert 0 < trace["seconds"] < 5
    (one,) = trace["exchanges"]
    assert "GET /bookings/{{ args.id }}" == one["step"]
    assert one["origin"].endswith(place('get: "/bookings/'))
    assert ("call", 1, "success", None, None, None) == tuple(
        one[key] for key in ("purpose", "attempt", "verdict", "code", "rule", "error")
    )
    assert ("GET", [["X-Api-Key", "***"]], "") == tuple(one["request"][key] for key in ("method", "headers", "body"))
    assert one["request"]["url"].endswith("/bookings/7")
    assert {"ok": True, "data": booking} == json.loads(one["response"]["body"])
    assert 200 == one["response"]["status"]
    assert "application/json; charset=utf-8" == dict(one["response"]["headers"])["content-type"]
    assert 0 < one["seconds"] <= trace["seconds"]


async def test_error(traced, provider, new):
    """A refusal names the rule that matched, by its place, its condition and its code."""
    provider.answers["POST /bookings"] = (409, {"ok": False, "error": {"code": "taken", "message": "no"}})
    status, trace = await traced("POST", "/v1/club-a/bookings", json=new)
    assert (409, "BOOKING_CONFLICT") == (status, trace["outcome"])
    (one,) = trace["exchanges"]
    assert ("rule", "BOOKING_CONFLICT") == (one["verdict"], one["code"])
    assert ("when: error.code == 'taken'", "BOOKING_CONFLICT") == (one["rule"]["text"], one["rule"]["code"])
    assert one["rule"]["origin"].endswith(place("error.code == 'taken'"))
    assert "Ada" == json.loads(one["request"]["body"])["name"]


async def test_no_answer(traced, provider):
    """A provider that hangs up leaves a trace without an answer."""
    provider.answers["GET /bookings/7"] = None
    status, trace = await traced("GET", "/v1/club-a/bookings/7")
    assert (503, "PROVIDER_UNAVAILABLE") == (status, trace["outcome"])
    (one,) = trace["exchanges"]
    assert (None, "no-answer", "PROVIDER_UNAVAILABLE") == (one["response"], one["verdict"], one["code"])
    assert one["error"] == trace["error"]


@pytest.mark.parametrize(
    ("path", "status", "outcome"),
    [
        ("/v1/club-a/services", 501, "UNSUPPORTED_OPERATION"),
        ("/v1/club-a/bookings?limit=0", 400, "VALIDATION_ERROR"),
        ("/v1/club-x/bookings", 404, "CONNECTION_NOT_FOUND"),
        ("/v1/connections", 200, "ok"),
    ],
)
async def test_nothing_sent(traced, provider, path, status, outcome):
    """A request that no provider was asked for has a trace as well, without exchanges."""
    found, trace = await traced("GET", path)
    assert (status, outcome, []) == (found, trace["outcome"], trace["exchanges"])
    assert [] == provider.asked


async def test_session(traced, admin, engine, provider, tmp_path):
    """A login is shown as one, its token and the connection's secret masked wherever they stand, in any form."""
    mapping = tmp_path / "courts.yaml"
    mapping.write_text(COURTS.read_text(encoding="utf-8").replace(AUTH, SESSION), encoding="utf-8")
    providers, findings = load_providers([mapping], load())
    assert [] == findings
    values = dict(engine.catalog.connections["club-a"].scope["settings"])
    engine.use(Catalog("v2", {}, {"club-a": bind("club-a", providers["courts"], values)}))
    token = "s3ssion/t0ken+1"
    provider.answers |= {
        "POST /login": (200, {"ok": True, "data": {"token": token}}),
        "GET /prices": (200, {"ok": True, "data": [token, API_KEY, {API_KEY: token}]}),
    }
    status, trace = await traced("GET", "/v1/club-a/native/getPrices?court=1")
    assert 200 == status
    login, call = trace["exchanges"]
    assert ("login", "POST /login", "call") == (login["purpose"], login["step"], call["purpose"])
    assert ({"key": "***"}, "***") == (
        json.loads(login["request"]["body"]),
        json.loads(login["response"]["body"])["data"]["token"],
    )
    assert [["X-Token", "***"]] == call["request"]["headers"]
    assert [["court", "1"], ["members", "0"]] == call["request"]["query"]
    assert ["***", "***", {"***": "***"}] == json.loads(call["response"]["body"])["data"]
    _, listed, _ = await admin("GET", "/admin/traces")
    told = json.dumps([trace, listed])
    assert not [word for word in (token, API_KEY, ADMIN, "t0ken", "s3cret") if word in told]


async def test_ring(admin, traced, provider):
    """The newest traces are kept, and listed the newest first."""
    provider.answers["GET /courts"] = (200, {"ok": True, "data": []})
    made = [(await traced("GET", f"/v1/club-{club}/resources"))[1] for club in "abbab"]
    _, listed, _ = await admin("GET", "/admin/traces")
    assert [one["id"] for one in made[:1:-1]] == [one["id"] for one in listed["data"]]
    keys = {"id", "at", "connection", "operation", "outcome", "seconds"}
    assert [{key: one[key] for key in keys} for one in made[:1:-1]] == listed["data"]
    status, body, _ = await admin("GET", f"/admin/traces/{made[0]['id']}")
    assert (404, "NOT_FOUND") == (status, body["error"]["code"])


async def test_long_bodies(traced, provider):
    """Of a long body the beginning is kept, with a word that it was cut."""
    said = json.dumps({"ok": True, "data": "-" + "ä" * MOST_OF_A_BODY}, ensure_ascii=False).encode()
    provider.answers["GET /prices"] = (200, said)
    _, trace = await traced("GET", "/v1/club-a/native/getPrices?court=1")
    body = trace["exchanges"][0]["response"]["body"]
    assert body.endswith(f"ä… (cut: 65536 of {len(said)} bytes)")
    assert MOST_OF_A_BODY - 1 == len(body.partition("…")[0].encode())  # no half of a character


def test_room():
    """Traces take no more room than they may, whatever their number; the newest is always kept."""
    traces = Traces(100, most_bytes=1000)
    for number in range(20):
        made = Traceable(f"id-{number}", NOW)
        traces.keep(RequestContext("r", 0.0, connection="c" * 100), made, 1.0)
    assert re.fullmatch(r"Traces\(\d kept, \d{3} bytes\)", repr(traces))
    traces.keep(RequestContext("r", 0.0, connection="c" * 5000), Traceable("id-x", NOW), 1.0)
    assert repr(traces).startswith("Traces(1 kept, 5")


@pytest.mark.parametrize("value", ["1", "0", ""])
@pytest.mark.parametrize("beside", [{}, {"Gateway-Admin": "Bearer web-key-0123456789"}], ids=["alone", "own key"])
async def test_without_the_token(call, provider, beside, value):
    """A caller without the admin token beside its key is refused with what is to be sent; nothing is sent on."""
    status, body, headers = await call("GET", "/v1/club-a/resources", headers={"Gateway-Trace": value} | beside)
    assert (403, "FORBIDDEN", "admin") == (status, body["error"]["code"], body["error"]["details"]["needs"])
    assert "`Gateway-Admin: Bearer TOKEN`" in body["error"]["message"]
    assert "`admin.token`" in body["error"]["message"]
    assert "Gateway-Trace-Id" not in headers
    assert [] == provider.asked


@pytest.mark.parametrize("value", ["0", "", "yes", "11"])
async def test_other_values(call, provider, value):
    """The header has one value; another is told, not taken for no."""
    status, body, _ = await call("GET", "/v1/club-a/resources", headers=TRACE | {"Gateway-Trace": value})
    assert (400, "Gateway-Trace") == (status, body["error"]["details"]["fields"][0]["field"])
    assert [] == provider.asked


async def test_untraced(admin, call, provider):
    """Without the header nothing is kept, also where the admin token stands beside the key."""
    provider.answers["GET /courts"] = (200, {"ok": True, "data": []})
    for beside in ({}, {"Gateway-Admin": f"Bearer {ADMIN}"}):
        status, _, headers = await call("GET", "/v1/club-a/resources", headers=beside)
        assert (200, False) == (status, "Gateway-Trace-Id" in headers)
    assert {"data": []} == (await admin("GET", "/admin/traces"))[1]


async def test_who_is_logged(call, call_as, admin, provider, caplog):
    """A traced call is its caller's and goes as far as that may; only what the operator does is logged as `admin`."""
    caplog.set_level("INFO", "gateway")
    provider.answers["DELETE /bookings/7"] = (200, {"ok": True})
    assert 204 == (await call("DELETE", "/v1/club-a/bookings/7", headers=TRACE))[0]
    assert 403 == (await call_as("reporting")("DELETE", "/v1/club-a/bookings/7", headers=TRACE))[0]
    assert 401 == (await admin("DELETE", "/v1/club-a/bookings/7", headers=TRACE))[0]
    assert ["DELETE"] == [method for method, *_ in provider.asked]
    await admin("GET", "/admin/traces/none")
    found = [record.fields for record in caplog.records if record.message == "call.done"]
    expected = [("web", "bookings.delete", 204), ("reporting", "bookings.delete", 403), ("admin", "", 401)]
    expected += [("admin", "admin.traces.get", 404)]
    assert expected == [(one["caller"], one["operation"], one["status"]) for one in found]


@pytest.mark.parametrize(
    ("who", "status", "code"), [(None, 401, "UNAUTHORIZED"), ("web", 403, "FORBIDDEN"), ("writer", 403, "FORBIDDEN")]
)
@pytest.mark.parametrize("path", ["/admin/traces", "/admin/traces/x"])
async def test_guard(call_as, who, status, code, path):
    """The operator's side is closed to everybody else, in the one shape of errors."""
    found, body, headers = await call_as(who)("GET", path)
    assert (status, code) == (found, body["error"]["code"])
    assert "no-store" == headers["Cache-Control"]


@pytest.mark.parametrize("key", [ADMIN, "web-key-0123456789", None])
async def test_no_operator(dependencies, settings, aiohttp_client, key):
    """Without a token in the configuration there is no operator's side: its paths are unknown, its token is no key."""
    client = await aiohttp_client(build_app(replace(settings, admin_token=None, traces=0), dependencies))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    for path in ("/admin/traces", "/admin/traces/x", "/admin/nothing"):
        response = await client.get(path, headers=headers)
        assert (404, "There is nothing at this path.") == (
            response.status,
            (await response.json())["error"]["message"],
        )
    if key == ADMIN:
        assert 401 == (await client.get("/v1/connections", headers=headers)).status


async def test_replay(call, admin, provider, booking, new):
    """A repeated write is traced as what it is: answered from what was kept, without an exchange."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    found = []
    for _ in range(2):
        sent = TRACE | {"Idempotency-Key": "k1"}
        _, _, headers = await call("POST", "/v1/club-a/bookings", headers=sent, json=new)
        found.append((await admin("GET", f"/admin/traces/{headers['Gateway-Trace-Id']}"))[1])
    assert [1, 0] == [len(one["exchanges"]) for one in found]
    assert found[0]["id"] != found[1]["id"]


async def test_not_in_the_contract(client):
    """The operator's paths are not in the callers' document."""
    document = await (await client.get("/openapi.json")).text()
    assert "/admin" not in document
