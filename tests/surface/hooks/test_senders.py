"""Who sends to a hook: addresses that are signed behind proxies, and strangers, who are told nothing apart."""

import asyncio
import hmac

import pytest
from yarl import URL

from tests.databases import sqlite_store
from tests.hooked import SECRETS, batch, courts

YARD = "/hooks/yard/signed"
PUBLIC = "https://hooks.example/gateway"
FORWARDED = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Prefix": "/other",
    "Forwarded": "host=evil.example;proto=http",
}


@pytest.mark.parametrize("signs", ["[url, body]", "[{text: 'https://'}, {text: hooks.example}, url_path, query, body]"])
@pytest.mark.parametrize("query", ["", "?a=1", "?b=%7E~x+y%20z&a=%C3%A9&empty=", "?%61=1&&a=2&c"])
async def test_a_signed_address(serve_gate, tmp_path, signs, query):
    """Signed is the public address with the query as it came, and no proxy's word for the host changes that."""
    async with serve_gate(sqlite_store(tmp_path / "gateway.db"), public_url=PUBLIC) as gate:
        gate.mend(courts(tmp_path, ("signed: [body]", f"signed: {signs}")))
        body, headers = batch(("b1", "new", {}))

        async def sent(address, **more):
            key = SECRETS["sign_key"].reveal().encode()
            proof = hmac.digest(key, address.encode() + body, "sha256").hex()
            target = URL(gate.url + YARD + query, encoded=True)
            given = {**headers, "X-Signature": proof, "Content-Type": "application/json", **more}
            async with gate.session.post(target, data=body, headers=given) as response:
                return response.status

        assert 200 == await sent(PUBLIC + YARD + query)
        assert 200 == await sent(PUBLIC + YARD + query, Host="other.example", **FORWARDED)
        assert 401 == await sent(f"http://evil.example/other{YARD}{query}", Host="evil.example", **FORWARDED)
        assert 401 == await sent(f"{gate.url}{YARD}{query}")
        assert 401 == await sent(f"{PUBLIC}{YARD}?other=1")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("", {}, 401),
        ("?a=%ff", {}, 400),
        ("", {"Content-Encoding": "gzip", "Authorization": "Bearer x"}, 415),
        ("", {"Content-Length": "999999"}, 413),
    ],
)
async def test_strangers_are_answered_alike(any_gate, path, headers, status):
    """Whoever proves nothing is told the same by a hook, by a wrong token and by what is no hook, in the same order."""
    told = set()
    for where in (
        "/hooks/nobody/signed",
        "/hooks/yard/nothing",
        YARD,
        "/hooks/club/events/wrong",
        "/hooks/club/events",
    ):
        reader, writer = await asyncio.open_connection(*any_gate.url.removeprefix("http://").split(":"))
        lines = {"Host": "x", "Content-Length": "2", "X-Request-Id": "r1"} | headers
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"POST {where}{path} HTTP/1.1\r\n{head}\r\n{{}}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        names = dict(line.split(": ", 1) for line in answer.decode().splitlines()[1:-1])
        body = await reader.readexactly(int(names["Content-Length"]))
        told.add((answer.split()[1], body, tuple(sorted(names.keys() - {"Date"}))))
        writer.close()
    assert [str(status).encode()] == [one for one, *_ in told]
