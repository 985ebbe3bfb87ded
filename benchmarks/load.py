"""Requests over plain keep-alive connections, as fast as they are answered: a client that costs as little as may be."""

import asyncio
import re
import time

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Lane(asyncio.Protocol):
    """One connection that sends the next request when the one before is answered, until there is none."""

    def __init__(self, requests, seen):
        self.requests = requests
        self.seen = seen
        self.waiting = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        """Begin."""
        self.transport = transport
        self.next()

    def next(self):
        """Send the next request, or end."""
        sent = next(self.requests, None)
        if sent is None:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.begun = time.perf_counter()
        self.transport.write(sent)

    def data_received(self, data):
        """Take what has come, and go on once it is a whole answer."""
        self.waiting += data
        end = self.waiting.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self.waiting, 0, end)
        last = end + 4 + (int(length[1]) if length else 0)
        if len(self.waiting) < last:
            return
        whole, self.waiting = self.waiting[:last], self.waiting[last:]
        self.seen(time.perf_counter() - self.begun, whole)
        self.next()

    def connection_lost(self, error):
        """Fail where the other side hung up."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionResetError("the connection was closed before the answer"))


async def ask(port, requests, connections, seen):
    """Send these requests over so many connections; `seen` is called with the seconds and bytes of each answer."""
    loop, shared = asyncio.get_running_loop(), iter(requests)
    lanes = [await loop.create_connection(lambda: Lane(shared, seen), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.gather(*(lane.done for _, lane in lanes))


async def answer(port, request):
    """Send one request and give status, headers (names in lower case) and body of the answer."""
    found = []
    await ask(port, [request], 1, lambda _, whole: found.append(whole))
    head, _, body = found[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    return int(first.split(" ")[1]), headers, body
