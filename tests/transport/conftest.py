"""Real servers on 127.0.0.1 that answer with exactly the bytes a test gives them, and time that does not pass."""

import asyncio
import selectors
import socket
import struct
from typing import NamedTuple

import pytest

from gateway.transport.client import Client


async def hang(_writer):
    await asyncio.sleep(60)


async def leave(writer):
    writer.close()


async def reset(writer):
    """Close with RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def drip(writer):
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood(writer):
    while True:
        writer.write(b"a" * 65_536)
        await writer.drain()


DEEDS = {"hang": hang, "leave": leave, "reset": reset, "drip": drip, "flood": flood}


class Provider:
    """A server that notes each request and answers it with the same steps: bytes are sent, a word is done."""

    def __init__(self, steps):
        self.steps = steps
        self.connections = 0
        self.heads = []
        self.bodies = []
        self._tasks = set()

    async def open(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def close(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._tasks.add(asyncio.current_task())
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next((int(line[16:]) for line in head.split("\r\n") if line.startswith("Content-Length: ")), 0)
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                for step in self.steps:
                    if isinstance(step, bytes):
                        writer.write(step)
                        await writer.drain()
                    else:
                        await DEEDS[step](writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client hung up, which is its right
        finally:
            writer.close()


@pytest.fixture
async def provide():
    """Start servers: `provider = await provide(b"HTTP/1.1 200 OK…", "hang")`."""
    opened = []

    async def start(*steps):
        provider = Provider(steps)
        await provider.open()
        opened.append(provider)
        return provider

    yield start
    for provider in opened:
        await provider.close()


@pytest.fixture
async def client():
    """Give a client that may call this machine."""
    async with Client(["127.0.0.1/32", "::1/128"]) as opened:
        yield opened


class Exchange(NamedTuple):
    """What passes a gate, known by its URL, with what the gate wants to know of it."""

    url: str
    limit: str = "default"
    deadline: float = 25.0
    caller: str = ""


class Jumping(selectors.SelectSelector):
    """Waits for no timer: the loop's time jumps to it."""

    def __init__(self):
        super().__init__()
        self.time = 0.0

    def select(self, timeout=None):
        assert timeout is not None, "every task waits for another, and none for time to pass"
        self.time += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a time of its own, in which an hour of waiting takes no time."""

    def __init__(self):
        self.jumping = Jumping()
        super().__init__(self.jumping)

    def time(self):
        return self.jumping.time


@pytest.fixture(scope="session")
def virtual():
    """Run a coroutine in virtual time, which begins at 0.0, and give its result. Nothing in it may use a socket."""

    def run(coroutine):
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(coroutine)

    return run
