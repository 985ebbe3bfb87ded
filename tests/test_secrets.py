"""No secret gets out: whatever the provider does and whoever calls, answers, logs and findings hold none."""

import asyncio
import base64
import json
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import aiohttp
import pytest
from aiohttp import web

DESK = Path(__file__).parent / "simulator" / "desk"
AUTH = 'auth: {headers: {X-User: "{{ settings.user }}", X-Key: "{{ settings.key }}"}}'
SCHEMES = {
    "headers": AUTH,
    "query": 'auth: {query: {user: "{{ settings.user }}", key: "{{ settings.key }}"}}',
    "basic": 'auth: {basic: {user: "{{ settings.user }}", password: "{{ settings.key }}"}}',
    "session": 'auth: {session: {login: {post: /login, form: {user: "{{ settings.user }}", key: "{{ settings.key }}"},'
    ' success: token}, token: token, renew_when: [{status: 401}], send: {headers: {X-Token: "{{ token }}"}}}}',
}
CANARIES = {
    "CALLER_KEY": "c4ller~c4n4ry&key/0+1",
    "ADMIN_TOKEN": "4dmin~c4n4ry&token/0+1",
    "DESK_KEY": "pr0vider c4n4ry&key/0+1=ü",
}
TOKEN = "s3ssion~c4n4ry/token+1"
"""What the provider gives at a login: no setting, and a secret all the same."""


def forms(secret):
    """Give every way in which a secret may be written: plain, in a URL, a form, JSON, and base64 at any offset."""
    raw = secret.encode()
    yield from (secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe=""), quote_plus(secret))
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode()
        yield encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]


FORMS = {form for secret in (*CANARIES.values(), TOKEN) for form in forms(secret)}


def leaks(text):
    """Give the forms of secrets that a text holds, percent-encoding in either case."""
    return [form for form in FORMS if form in text or re.sub("%[0-9A-F]{2}", lambda it: it[0].lower(), form) in text]


OWN = " | ".join(form for form in forms(CANARIES["DESK_KEY"]) if form.isprintable())
ECHO = "ECHO"
"""Stands for what a careless provider says: every secret of the connection, in every form."""
ROOM = {"id": 1, "name": "Attic", "note": ECHO, "deep": [{ECHO: ECHO}]}
BOOKING = {"id": 7, "cancelled": False, "start": "2026-03-02T09:00:00+01:00", "end": "2026-03-02T10:00:00+01:00"}
DEEDS = {
    "success": (200, {"ok": True, "rooms": [ROOM], "room": ROOM, "booking": BOOKING | {"note": ECHO}}, {"X-Echo": "x"}),
    "own-answer": (200, {"jsonrpc": "2.0", "result": {"said": ECHO, ECHO: [ECHO]}}, {}),
    "refusal": (200, {"ok": False, "error": ECHO}, {}),
    "bad-request": (400, {"ok": False, "error": ECHO}, {}),
    "strangers": (401, {"ok": False, "error": ECHO}, {"WWW-Authenticate": "Basic realm=x"}),
    "forbidden": (403, ECHO, {}),
    "not-there": (404, {"error": ECHO}, {}),
    "taken": (409, {"error": "taken", "why": ECHO}, {}),
    "too-many": (429, {"error": ECHO}, {"Retry-After": "0"}),
    "down": (500, ECHO, {}),
    "busy": (503, {"error": ECHO}, {"Retry-After": "soon"}),
    "moved": (302, ECHO, {"Location": f"/elsewhere?key={quote(CANARIES['DESK_KEY'])}"}),
    "garbage": (200, f"<html>{ECHO}", {}),
    "half": (200, f'{{"ok": true, "rooms": [{{"name": "{ECHO}', {}),
    "twice": (200, f'{{"ok": true, "{ECHO}": 1, "{ECHO}": 2}}', {}),
    "mismatch": (200, {"ok": True, "rooms": [{"id": [ECHO], "name": {ECHO: 1}}], "room": ECHO, "booking": [ECHO]}, {}),
    "empty": (200, "", {}),
    "hung-up": None,
}
"""What the provider answers to everything but a login: status, body and headers."""


class Provider:
    """Does under `/DEED/CONNECTION/` what the deed says. `asked` are the secrets that came, in any form."""

    def __init__(self):
        self.asked = set()

    async def answer(self, request):
        told = f"{request.raw_path} {(await request.read()).decode()} {dict(request.headers)}"
        self.asked |= {form for form in FORMS if form in told}
        _, deed, connection, call, *_ = request.path.split("/")
        if call == "login" and deed not in {"down", "strangers", "garbage", "mismatch"}:
            return web.json_response({"token": TOKEN, "note": OWN})
        if DEEDS[deed] is None:
            request.transport.close()
            return web.Response()
        status, data, headers = DEEDS[deed]
        content = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
        known = connection == "session" and call != "login"  # a token that was never given is no secret of ours
        secrets = f"{OWN} | {' | '.join(forms(TOKEN))}" if known else OWN
        return web.Response(status=status, text=content.replace(ECHO, json.dumps(secrets)[1:-1]), headers=headers)


@pytest.fixture
async def provider(aiohttp_server):
    """Serve the provider; give it with its port."""
    made = Provider()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    made.port = (await aiohttp_server(app)).port
    return made


@pytest.fixture
def written(tmp_path):
    """Give a function that writes mappings, one for each scheme, and a configuration for a provider's port."""

    def of(port, dead):
        for name, auth in SCHEMES.items():
            text = (DESK / "desk.yaml").read_text(encoding="utf-8").replace(AUTH, auth)
            path = tmp_path / "mappings" / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.replace("provider: desk", f"provider: {name}"), encoding="utf-8")
        connections = {
            f"{name}-{deed}": {
                "provider": name,
                "settings": {
                    "base_url": f"http://127.0.0.1:{dead if deed == 'dead' else port}/{deed}/{name}",
                    "key": "${DESK_KEY}",
                    "time_zone": "Europe/Berlin",
                    "currency": "EUR",
                },
            }
            for name in SCHEMES
            for deed in (*DEEDS, "dead")
        }
        config = {
            "listen": {"port": 0},
            "mappings": ["mappings"],
            "timeout": "5s",
            "admin": {"token": "${ADMIN_TOKEN}"},
            "callers": {"web": {"key": "${CALLER_KEY}", "may": ["read", "write"]}},
            "egress": {"allow": ["127.0.0.0/8"]},
            "connections": connections,
        }
        (tmp_path / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
        return tmp_path

    return of


@pytest.fixture
async def gateway(provider, written, start, free_port):
    """Run the gateway before the provider: `status, text = await gateway("GET", "headers/resources")`."""
    process = start("serve", folder=written(provider.port, free_port()), **CANARIES)
    await asyncio.to_thread(process.says, '"event":"started"')
    url = re.search(r'"url":"([^"]+)"', process.out)[1]
    key = {"Authorization": f"Bearer {CANARIES['CALLER_KEY']}"}
    async with aiohttp.ClientSession(headers=key) as session:

        async def ask(method, path, **more):
            async with session.request(method, f"{url}/{path}", **more) as answer:
                text = (await answer.read()).decode()
                return answer.status, f"{answer.status} {answer.reason} {dict(answer.headers)} {text}"

        ask.process = process
        yield ask


def calls(name):
    """Give a reading, a writing and a provider's own call of a connection."""
    yield "GET", f"v1/{name}/resources?include=provider_data", {}
    yield "GET", f"v1/{name}/resources/1?include=provider_data", {"headers": {"Accept": "application/problem+json"}}
    yield "POST", f"v1/{name}/bookings", {"json": {"slot_id": "a", "customer": {"name": "Ada"}}}
    yield "POST", f"v1/{name}/native/greet", {"json": {"name": "Bo"}}


async def test_whatever_the_provider_does(gateway, provider):
    """A provider that succeeds, fails and repeats our secrets in every form gets none of them to a caller or a log."""

    async def leaked(method, path, more):
        status, text = await gateway(method, path, **more)
        return status, [(path, text)] if leaks(text) else []

    names = [f"{name}-{deed}" for name in SCHEMES for deed in (*DEEDS, "dead")]
    found = await asyncio.gather(*(leaked(*one) for name in names for one in calls(name)))
    assert [] == [leak for _, leaks in found for leak in leaks]
    assert {200, 201, 404, 409, 502, 503} <= {status for status, _ in found}
    assert {TOKEN, quote_plus(CANARIES["DESK_KEY"])} < provider.asked
    assert 0 == gateway.process.stop()
    assert ([], "") == (leaks(gateway.process.out), gateway.process.err)
    told = {json.loads(line)["event"] for line in gateway.process.out.splitlines()}
    assert {"started", "call.done", "provider.answered", "provider.failed", "stopped"} <= told
    assert "crashed" not in told


async def test_what_callers_may_see(gateway):
    """Connections, documents and probes tell no secret, nor do answers to callers with wrong keys or wrong requests."""
    own = CANARIES["CALLER_KEY"]
    wrong = {"Authorization": f"Bearer {CANARIES['ADMIN_TOKEN']}"}
    for method, path, more in [
        ("GET", "v1/connections", {}),
        ("GET", "v1/headers-success", {}),
        ("GET", "v1/headers-success/openapi.json", {}),
        ("GET", "openapi.json", {}),
        ("GET", "ready", {}),
        ("GET", "health", {}),
        ("GET", "nosuch", {}),
        ("GET", "v1/connections", {"headers": wrong}),
        ("GET", "v1/connections", {"headers": {"Gateway-Trace": "0", "Gateway-Admin": wrong["Authorization"]}}),
        ("GET", "v1/connections", {"headers": {"Gateway-Trace": "1", "Gateway-Admin": f"Bearer {own}"}}),
        ("GET", "v1/connections", {"params": {"token": CANARIES["ADMIN_TOKEN"]}}),
        ("GET", "admin/traces", {}),
        ("GET", "admin/traces", {"params": {"token": CANARIES["ADMIN_TOKEN"]}, "headers": wrong}),
        ("GET", "v1/connections", {"headers": {"Authorization": f"Basic {own}"}}),
        ("GET", "v1/connections", {"headers": {"X-Request-Id": own}}),
        ("GET", "v1/headers-success/resources", {"params": {"api_key": own}}),
        ("GET", "v1/headers-success/resources", {"params": {"include": own}}),
        ("GET", "v1/headers-success/resources", {"params": {"cursor": own}}),
        ("POST", "v1/headers-success/bookings", {"json": {"slot_id": 7, "key": own}}),
        ("POST", "v1/headers-success/bookings", {"data": own}),
        ("POST", "v1/headers-success/bookings", {"json": {}, "headers": {"Idempotency-Key": f"{own} {own}"}}),
        ("POST", "v1/headers-success/native/greet", {"json": {"name": 7, "key": own}}),
        ("OPTIONS", "v1/connections", {"headers": {"Origin": f"https://{quote(own, safe='')}"}}),
    ]:
        _, text = await gateway(method, path, **more)
        assert [] == leaks(text), (method, path, more, text)
    gateway.process.stop()
    assert [] == leaks(gateway.process.out + gateway.process.err)


@pytest.mark.parametrize("verb", [["check", "--config", "config.yaml"], ["serve"]], ids=["check", "serve"])
def test_findings(written, start, verb):
    """A secret in the wrong place of the configuration is told by its place, never by its value."""
    folder = written(1, 1)
    path = folder / "config.yaml"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["connections"]["headers-dead"]["settings"] |= {"time_zone": "${DESK_KEY}", "base_url": "${DESK_KEY}"}
    config["connections"]["query-dead"]["settings"] |= {"key": ["${DESK_KEY}"], "currency": "${DESK_KEY}"}
    config["connections"]["basic-dead"]["settings"] |= {"kee": "${DESK_KEY}", "user": {"a": "${DESK_KEY}"}}
    path.write_text(json.dumps(config), encoding="utf-8")
    process = start(*verb, folder=folder, **CANARIES)
    assert 1 == process.ended()
    assert 6 == (process.out + process.err).count("error ")
    assert [] == leaks(process.out + process.err)
    config["connections"]["query-dead"]["settings"] |= {"key": "${CALLER_KEY}", "currency": "${ADMIN_TOKEN}"}
    path.write_text(json.dumps(config), encoding="utf-8")
    process = start(*verb, folder=folder, **CANARIES)
    assert 1 == process.ended()
    assert 2 == (process.out + process.err).count("error shared-key")
    assert [] == leaks(process.out + process.err)


def test_variables_in_files(written, start, tmp_path):
    """Secrets may come from files; a file that cannot be read is told by its variable, never by its content."""
    folder = written(1, 1)
    held = tmp_path / "key.txt"
    held.write_text(f"{CANARIES['DESK_KEY']}\nmore", encoding="utf-8")
    environ = {name: value for name, value in CANARIES.items() if name != "DESK_KEY"} | {"DESK_KEY_FILE": str(held)}
    process = start("check", "--config", "config.yaml", folder=folder, **environ)
    assert 1 == process.ended()
    assert "DESK_KEY" in process.out
    assert [] == leaks(process.out + process.err)
    held.write_text(f"{CANARIES['DESK_KEY']}\n", encoding="utf-8")
    process = start("check", "--config", "config.yaml", folder=folder, **environ)
    assert 0 == process.ended()
