"""Sockets before and between requests: slow heads and idle sockets end, and what is no HTTP is told so."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from gateway.model.model import load
from gateway.surface.http.cors import Cors
from gateway.surface.http.middleware import BOUNDARY, Boundary
from gateway.surface.http.server import listening
from gateway.surface.http.sockets import Bounds

BOUNDS = Bounds(head=30, idle=30, lingering=0.1)
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


@asynccontextmanager
async def served(**bounds):
    """Serve something and give what opens a socket to it."""
    app = web.Application()
    app[BOUNDARY] = Boundary(load(), Cors(()))

    async def greet(_request):
        return web.Response(text="hello")

    app.router.add_get("/", greet)
    async with listening(app, "127.0.0.1", 0, replace(BOUNDS, **bounds)) as url, asyncio.timeout(10):
        opened = []

        async def connect(content):
            reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
            opened.append(writer)
            writer.write(content)
            await writer.drain()
            return reader, writer

        yield connect
        for writer in opened:
            writer.close()


@pytest.mark.parametrize("content", [b"G", HEAD, HEAD + b"X-Slow: " + b"a" * 500])
async def test_a_head_that_does_not_end(content):
    """A request whose headers do not come in time is hung up on, though bytes of it came."""
    async with served(head=0.05) as connect:
        reader, _ = await connect(content)
        assert b"" == await reader.read()


async def test_a_head_after_an_answer():
    """The time holds for every request of a socket, and not for the pause between two."""
    async with served(head=0.05) as connect:
        reader, writer = await connect(HEAD + b"\r\n")
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.write(HEAD)
        assert b"" == await reader.read()


@pytest.mark.parametrize("content", [b"", HEAD + b"\r\n"])
async def test_an_idle_socket(content):
    """A socket that asks for nothing, or for nothing more, is hung up on."""
    async with served(idle=0.05) as connect:
        reader, _ = await connect(content)
        assert content == b"" or (await reader.readuntil(b"hello"))
        assert b"" == await reader.read()


async def test_many_idle_sockets():
    """Beyond the bound the socket that has waited longest is closed, and the newest is answered."""
    async with served(sockets=3) as connect:
        waiting = [await connect(b"") for _ in range(5)]
        assert [b"", b""] == [await reader.read() for reader, _ in waiting[:2]]
        for reader, writer in waiting[2:]:
            writer.write(HEAD + b"\r\n")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")


CANARY = b"canary-7f3"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
NO_HTTP = {
    "brotli": (415, POST + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"),
    "zstd": (415, POST + b"Content-Encoding: zstd\r\nContent-Length: 3\r\n\r\nabc"),
    "a bad Expect": (417, POST + b"Expect: " + CANARY + b"\r\nContent-Length: 3\r\n\r\nabc"),
    "a long address": (400, b"GET /?" + CANARY * 900 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a long header": (400, HEAD + b"X: " + CANARY * 900 + b"\r\n\r\n"),
    "many headers": (400, HEAD + b"X: " + CANARY + b"\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
    "no request": (400, CANARY + b"\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01"),
    "another protocol": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another version": (400, b"GET /" + CANARY + b" HTTP/3.0\r\nHost: x\r\n\r\n"),
    "an address that is none": (400, b"GET http://[" + CANARY + b"/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a name that is none": (400, HEAD + b"a " + CANARY + b": 1\r\n\r\n"),
    "no host": (400, b"GET /" + CANARY + b" HTTP/1.1\r\n\r\n"),
    "two lengths": (400, POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + CANARY),
    "an unknown framing": (400, POST + b"Transfer-Encoding: " + CANARY + b"\r\n\r\n"),
    "a chunk that is none": (400, POST + b"Transfer-Encoding: chunked\r\n\r\n" + CANARY + b"\r\n"),
}


@pytest.mark.parametrize("case", NO_HTTP)
async def test_what_no_handler_sees(case, caplog):
    """It is answered like everything else: our error body, headers and request id; nothing that came is repeated."""
    status, content = NO_HTTP[case]
    async with served() as connect:
        reader, _ = await connect(content)
        head = await reader.readuntil(b"\r\n\r\n")
        first, *fields = head.decode().split("\r\n")[:-2]
        headers = dict(field.split(": ", 1) for field in fields)
        body = await reader.readexactly(int(headers["Content-Length"]))
    assert str(status) == first.split()[1]
    error = json.loads(body)["error"]
    assert ("VALIDATION_ERROR", status, headers["X-Request-Id"]) == (
        error["code"],
        error["status"],
        error["request_id"],
    )
    assert ("no-store", "nosniff", "booking-gateway") == tuple(
        headers[name] for name in ("Cache-Control", "X-Content-Type-Options", "Server")
    )
    told = head + body + str([vars(record) for record in caplog.records if record.name != "asyncio"]).encode()
    assert not [word for word in (CANARY, b"aiohttp", b"Python/", b"rotli", b"Traceback") if word in told]
