"""Endpoints of consumers: real servers on 127.0.0.1 that note what comes, and answer as a test says."""

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook


@dataclass
class Post:
    """One request as it came."""

    path: str
    headers: dict
    body: bytes

    @property
    def attempt(self):
        return int(self.headers["gateway-attempt"])

    def verified(self, secret):
        """Tell whether a consumer with this secret would take it; not how old it is, for tests have their own time."""
        at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        wanted = Webhook(secret).sign(self.headers["webhook-id"], at, self.body.decode())
        return wanted in self.headers["webhook-signature"].split(" ")


def answer(status=200, body=b"", **headers):
    """Write an answer that is whole."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def hang(_writer):
    await asyncio.sleep(60)


async def drip(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nX-A: ")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood(writer):
    writer.write(b"HTTP/1.1 500 No\r\n\r\n")
    while True:
        writer.write(b"a" * 65_536)
        await writer.drain()


@dataclass
class Receiver:
    """An endpoint. `answers` are given in turn, the last one for ever: bytes are sent, a function does its deed."""

    answers: list = field(default_factory=lambda: [answer()])
    posts: list = field(default_factory=list)
    _tasks: set = field(default_factory=set)

    async def open(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hooks"

    async def close(self):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serve(self, reader, writer):
        self._tasks.add(asyncio.create_task(self._exchanges(reader, writer)))

    async def _exchanges(self, reader, writer):
        try:
            while not writer.is_closing():
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines if line)
                headers = {name.lower(): value for name, value in headers.items()}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.posts.append(Post(first.split(" ")[1], headers, body))
                deed = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if isinstance(deed, bytes):
                    writer.write(deed)
                    await writer.drain()
                else:
                    await deed(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the gateway hung up, which is its right
        finally:
            writer.close()
