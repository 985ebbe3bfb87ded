"""The vendor of the benchmarks and a subscriber, as one fast process: canned answers over a bare protocol.

`python -m benchmarks.vendor PORT`. It must never be what is measured, so nothing here is more than it needs to be:
`GET /bookings/ID`, `/bookings` and `/slots` are answered with the same bytes every time, `POST /bookings` with a
booking whose id is made of the remarks, `POST /told` with 204. `GET /count` gives how many were told since
`GET /reset`, and the first of them.
"""

import asyncio
import json
import re
import sys

import uvloop

from benchmarks import data

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_REMARKS = re.compile(rb'"remarks": ?"([^"]*)"')


def answer(body, status=b"200 OK"):
    """Write an answer."""
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


ANSWERS = {
    b"/bookings/": answer(data.one()),
    b"/bookings": answer(data.bookings(100)),
    b"/slots": answer(data.slots(1000)),
}
_BOOKED = data.body(data.details(1, ref="REF"))
_NONE = b"HTTP/1.1 204 No Content\r\n\r\n"
_TOLD = {"count": 0, "headers": "", "body": ""}


def answered(head, body):
    """Answer one request, of which the head is everything before the empty line."""
    method, target, _ = head.split(b"\r\n", 1)[0].split(b" ")
    path = target.partition(b"?")[0]
    if method == b"GET":
        if path == b"/reset":
            _TOLD["count"] = 0
        if path in (b"/count", b"/reset"):
            return answer(json.dumps(_TOLD).encode())
        return ANSWERS.get(path) or ANSWERS[b"/bookings/"]
    if path == b"/told":
        _TOLD["count"] += 1
        if _TOLD["count"] == 1:
            _TOLD["headers"], _TOLD["body"] = head.decode(), body.decode()
        return _NONE
    return answer(_BOOKED.replace(b"REF", _REMARKS.search(body)[1]), b"201 Created")


class Served(asyncio.Protocol):
    """One connection."""

    def __init__(self):
        self.waiting = b""

    def connection_made(self, transport):
        """Keep the way back."""
        self.transport = transport

    def data_received(self, data):
        """Answer every request that is complete."""
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end]
            length = _LENGTH.search(head)
            last = end + 4 + (int(length[1]) if length else 0)
            if len(self.waiting) < last:
                return
            body, self.waiting = self.waiting[end + 4 : last], self.waiting[last:]
            self.transport.write(answered(head, body))


async def serve(port):
    """Listen until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Served, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
