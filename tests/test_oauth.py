"""Sessions by OAuth 2.0 against a real server of other people's, real sockets, and real gateways on one store."""

import asyncio
import contextlib
import json
import re
import sys
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import yaml

from tests.processes import ROOT, Served
from tests.token_server import CLIENT, JANE, ODD, ODD_SECRET, PASSWORD, SECRET, SIGNING, TokenServer

BASE = ROOT / "tests" / "mapping" / "base.yaml"
KEY = {"Authorization": "Bearer the-key-of-a-caller-0123"}
STATE_KEY = "a-state-key-of-thirty-two-characters-and-more"
THINGS = {"things": {"safe": True, "call": {"get": "/things"}}, "make": {"call": {"post": "/things"}}}
SETTINGS = {
    "client": {"type": "string", "default": CLIENT},
    "password": {"type": "secret"},
}
COMMON = {
    "token_url": "/oauth/token",
    "client_id": "{{ settings.client }}",
    "client_secret": "{{ settings.key }}",
    "margin": "1s",
}
PERSON = {"grant": "authorization_code", "authorize_url": "/oauth/authorize"}
ACCOUNT = {"grant": "password", "user": JANE, "password": "{{ settings.password }}"}
GRANTS = {
    "client_credentials": ({"grant": "client_credentials"}, ["client_credentials", "client_credentials"]),
    "plain": ({"grant": "client_credentials", "client_auth": "plain"}, ["client_credentials", "client_credentials"]),
    "password": (ACCOUNT, ["password", "refresh_token"]),
    "jwt_bearer": (
        {
            "grant": "jwt_bearer",
            "assertion": {"key": "{{ settings.password }}", "subject": JANE},
        },
        ["urn:ietf:params:oauth:grant-type:jwt-bearer"] * 2,
    ),
}


def written(folder, server, grant, *, store=None, connections=("club",), client=(CLIENT, SECRET), **keys):
    """Write a mapping whose scheme is this grant, and a configuration with these connections, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = yaml.safe_load(BASE.read_text(encoding="utf-8"))
    mapping |= {"auth": {"oauth2": COMMON | grant}, "native": THINGS}
    own = _own(grant)
    mapping["settings"] |= SETTINGS if own else {"client": SETTINGS["client"]}
    (folder / "example.yaml").write_text(json.dumps(mapping), encoding="utf-8")
    settings = {"base_url": server.url, "client": client[0], "key": client[1]}
    settings |= {"time_zone": "Europe/Berlin", "currency": "EUR"}
    settings |= {"password": own} if own else {}
    told = {
        "store": store or f"sqlite:///{folder}/gateway.db",
        "state_key": STATE_KEY,
        "mappings": ["example.yaml"],
        "callers": {"web": {"key": "the-key-of-a-caller-0123", "may": ["read", "write"]}},
        "egress": {"allow": ["127.0.0.0/8"]},
        "connections": {name: {"provider": "example", "settings": settings} for name in connections},
    }
    told |= keys
    told = {name: one for name, one in told.items() if one is not None}
    (folder / "config.yaml").write_text(json.dumps(told), encoding="utf-8")
    return Served(folder)


def _own(grant):
    """Give what a grant has besides the client's secret: a password, or a key in PEM on one line."""
    key = " ".join(SIGNING.as_pem(private=True).decode().split())
    return key if "assertion" in grant else PASSWORD if "password" in grant else ""


@contextlib.asynccontextmanager
async def serving(*gateways):
    """Start these gateways, and give a client for them; they are killed in the end."""
    async with aiohttp.ClientSession(headers=KEY) as client:
        try:
            for one in gateways:
                await one.start()
            for one in gateways:
                await one.ready(client)
            yield client
        finally:
            for one in gateways:
                await one.kill()


async def things(client, gateway, connection="club"):
    """Ask for the things of the provider, and give the status, the body and the headers of the answer."""
    async with client.get(f"{gateway.url}/v1/{connection}/native/things") as answer:
        return answer.status, await answer.json(), answer.headers


def kept(folder):
    """Give every byte that the store of a folder has on disk."""
    return b"".join(path.read_bytes() for path in folder.glob("gateway.db*") if path.is_file())


@pytest.mark.parametrize("name", GRANTS)
async def test_grants(tmp_path, name):
    """Each grant gets a token that the API takes, which is renewed before its end: no call is refused for it."""
    grant, asked = GRANTS[name]
    client = (ODD, ODD_SECRET) if name == "plain" else (CLIENT, SECRET)
    with TokenServer(lifetime=2.0) as server:
        gateway = written(tmp_path, server, grant, client=client)
        async with serving(gateway) as web:
            assert 200 == (await things(web, gateway))[0]
            await asyncio.sleep(1.2)
            assert 200 == (await things(web, gateway))[0]
        assert [(one, 200) for one in asked] == server.asked


async def test_one_login_for_all(tmp_path):
    """Fifty callers of two connections at three gateways on one store need one login, and then one renewal."""
    with TokenServer(slow=0.3) as server:
        first = written(tmp_path / "a", server, ACCOUNT, connections=("club", "annexe"))
        store = f"sqlite:///{tmp_path}/a/gateway.db"
        same = {"store": store, "connections": ("club", "annexe")}
        others = [written(tmp_path / name, server, ACCOUNT, **same) for name in ("b", "c")]
        gateways = [first, *others]
        async with serving(*gateways) as web:
            places = [(gateways[at % 3], ("club", "annexe")[at % 2]) for at in range(50)]
            found = await asyncio.gather(*(things(web, *place) for place in places))
            assert ([200] * 50, ["password"]) == ([status for status, *_ in found], server.granted)
            server.revoke()
            found = await asyncio.gather(*(things(web, *place) for place in places))
            assert [200] * 50 == [status for status, *_ in found]
            assert [("password", 200), ("refresh_token", 200)] == server.asked


async def test_rotation_outlives_a_restart(tmp_path):
    """A refresh token of a setting is used once; what followed it is kept, encrypted, and serves after a kill."""
    with TokenServer() as server:
        seed = server.give()
        gateway = written(tmp_path, server, {"grant": "refresh_token", "refresh_token": seed})
        async with serving(gateway) as web:
            assert 200 == (await things(web, gateway))[0]
        server.revoke()
        async with serving(gateway) as web:
            assert 200 == (await things(web, gateway))[0]
        assert [("refresh_token", 200)] * 2 == server.asked
        secrets = [one for token in server.tokens for one in (token.access, token.refresh) if one != seed]
        everything = kept(tmp_path) + (tmp_path / "log.txt").read_bytes()
        assert [] == [one for one in secrets if one.encode() in everything]


async def test_killed_with_a_renewal_in_hand(tmp_path):
    """A gateway that dies before it has kept what a refresh token gave costs one more login, and no call after it."""
    with TokenServer() as server:
        gateway = written(tmp_path, server, ACCOUNT)
        async with serving(gateway) as web:
            assert 200 == (await things(web, gateway))[0]
            server.revoke()
            server.late = 2.0
            asking = asyncio.ensure_future(things(web, gateway))
            async with asyncio.timeout(10):
                await asyncio.to_thread(server.answering.wait)
            await gateway.kill()
            asking.cancel()
        server.late = 0.0
        async with serving(gateway) as web:
            assert 200 == (await things(web, gateway))[0]
        assert [("password", 200), ("refresh_token", 200), ("refresh_token", 400), ("password", 200)] == server.asked


async def test_refused(tmp_path):
    """A provider that refuses the credentials is asked once; all are told when it is asked again, by restarts too."""
    with TokenServer(refuses=True) as server:
        gateway = written(tmp_path, server, {"grant": "client_credentials"})
        async with serving(gateway) as web:
            for _ in range(2):
                found = await asyncio.gather(*(things(web, gateway) for _ in range(10)))
                assert {(502, "PROVIDER_AUTH_FAILED")} == {(status, body["error"]["code"]) for status, body, _ in found}
                assert all(20 < int(headers["Retry-After"]) <= 30 for *_, headers in found)
        async with serving(gateway) as web:
            status, body, _ = await things(web, gateway)
        assert (502, "invalid_client") == (status, body["error"]["provider"]["code"])
        assert [("client_credentials", 401)] == server.asked
        assert 1 == (tmp_path / "log.txt").read_text(encoding="utf-8").count("login.refused")


async def command(folder, *words):
    """Run a command of the gateway in a folder, and give what it prints and its exit code."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", *words, "--config", "config.yaml"),
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    return out.decode(), error.decode(), process.returncode


async def test_a_person_logs_in(tmp_path):
    """A person opens the printed address and comes back once; the session lasts, and no part of it is seen anywhere."""
    with TokenServer() as server:
        gateway = written(tmp_path, server, PERSON)
        written(tmp_path, server, PERSON, public_url=gateway.url)
        async with serving(gateway) as web:
            status, body, _ = await things(web, gateway)
            assert (502, "PROVIDER_AUTH_FAILED") == (status, body["error"]["code"])
            assert "gateway login club" in body["error"]["message"]
            address, told, code = await command(tmp_path, "login", "club")
            assert (0, f"{gateway.url}/oauth/callback") == (code, re.search(r"http\S+callback", told)[0])
            sent = dict(parse_qsl(urlsplit(address.strip()).query))
            assert ("S256", "code", f"{gateway.url}/oauth/callback") == (
                sent["code_challenge_method"],
                sent["response_type"],
                sent["redirect_uri"],
            )
            async with web.get(address.strip(), allow_redirects=False) as answer:
                back = answer.headers["Location"]
            async with web.get(back) as answer:
                assert (200, "no-store") == (answer.status, answer.headers["Cache-Control"])
            assert 200 == (await things(web, gateway))[0]
            for again in (back, back.replace("state=", "state=x"), f"{gateway.url}/oauth/callback"):
                async with web.get(again) as answer:
                    assert 404 == answer.status
        server.revoke()
        async with serving(gateway) as web:
            assert 200 == (await things(web, gateway))[0]
        assert [("authorization_code", 200), ("refresh_token", 200)] == server.asked
        came = dict(parse_qsl(urlsplit(back).query))
        hidden = [came["code"], came["state"], SECRET, *(token.refresh for token in server.tokens)]
        everything = kept(tmp_path) + (tmp_path / "log.txt").read_bytes()
        assert [] == [one for one in hidden if one.encode() in everything]


async def test_checked(tmp_path):
    """What a restart would end for good, and a person who could not come back, are told before anything runs."""
    with TokenServer() as server:
        written(tmp_path, server, PERSON, state_key=None)
    out, error, code = await command(tmp_path, "check")
    assert 1 == code
    assert ("tokens-not-kept" in out + error, "public-url-missing" in out + error) == (True, True)
    out, error, code = await command(tmp_path, "login", "club")
    assert (1, "") == (code, out)
