"""Sockets before and between requests: slow heads and idle sockets end, and many of them keep nobody out."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from gateway.surface.listening import listening
from gateway.surface.sockets import Bounds

BOUNDS = Bounds(head=30, idle=30, lingering=0.1)
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


@asynccontextmanager
async def served(**bounds):
    """Serve something and give what opens a socket to it."""
    app = web.Application()

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
