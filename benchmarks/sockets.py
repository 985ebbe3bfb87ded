"""Whole calls over sockets: the gateway as shipped beside two hand-written proxies, all in front of one fast vendor.

The sides take turns on the same core, and the client and the vendor have the others. CPU is that of the process that
is measured. Before anything is timed the answers of all sides are compared byte for byte.
"""

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import os
import re
import statistics
import tempfile
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchmarks import byhand, data, load, processes
from benchmarks.measure import BEFORE, GATEWAY, Row, turns

CONNECTIONS = 32
BARE = "bare"
DUTIFUL = "dutiful"
_CURSOR = re.compile(r'cursor["=:]+([A-Za-z0-9_-]{20,})')
_WINDOW = f"from={quote(data.FROM, safe='')}&to={quote(data.TO, safe='')}"
_SECONDS = 1.0
"""What one batch should take at least."""
_LONGEST = 60.0
_APART = 10_000_000
"""The first number of the requests that all sides get, to be compared."""


def _get(path):
    head = f"GET {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {data.CALLER}\r\n\r\n".encode()
    return lambda _: head


def _post(path, body, headers):
    lines = [f"POST {path} HTTP/1.1", "Host: gateway", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join([*lines, f"Content-Length: {len(body)}"]) + "\r\n\r\n").encode() + body


def _create(number):
    body = json.dumps(data.wish(number), ensure_ascii=False).encode()
    headers = {"Authorization": f"Bearer {data.CALLER}", "Idempotency-Key": f"bench-{os.getpid()}-{number}"}
    return _post("/v1/club/bookings", body, headers)


def _hook(number):
    body = data.message(number)
    signature = hmac.digest(data.HOOK_SECRET.encode(), body, hashlib.sha256).hex()
    return _post("/hooks/hooked/events", body, {"X-Signature": f"sha256={signature}"})


@dataclass(frozen=True)
class Workload:
    """What is asked, over and over. `told`: each request leads to a delivery, which belongs to it."""

    name: str
    about: str
    request: object
    told: bool = False


WORKLOADS = {
    "S": Workload("S", "one booking, 2 KB in", _get("/v1/club/bookings/bk_17")),
    "M": Workload("M", "100 bookings, 56 KB in, all out", _get(f"/v1/club/bookings?{_WINDOW}&limit=200")),
    "L": Workload("L", "1,000 slots, 66 KB in, a page of 200 out", _get(f"/v1/club/slots?{_WINDOW}&limit=200")),
    "W": Workload("W", "a booking made once: key, intent, event", _create),
    "H": Workload("H", "a signed webhook to a signed delivery", _hook, told=True),
}


def comparable(found):
    """Give what of an answer every side must have the same; of a cursor, where the next page begins."""
    status, headers, body = found
    kept = {name: headers[name] for name in ("content-type", "location") if name in headers}
    return status, kept, _CURSOR.sub(_stands_for, body.decode())


def _stands_for(cursor):
    text = cursor[1]
    _, _, *last = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return cursor[0].replace(text, json.dumps(last))


class Bench:
    """All sides, running."""

    def __init__(self, vendor, sides):
        self.vendor = vendor
        self.sides = sides
        self._numbers = dict.fromkeys(sides, 0)
        self._apart = itertools.count(_APART)

    def requests(self, workload, side, count):
        """Give the next requests for a side: none of it is ever sent twice, and each side gets the same."""
        first = self._numbers[side]
        self._numbers[side] += count
        return [workload.request(first + number) for number in range(count)]

    async def equal(self, workload):
        """Prove that all sides answer the same, and that what they deliver is signed and the same."""
        request = workload.request(next(self._apart))
        found = {}
        for name, side in self.sides.items():
            await self.delivered(0, reset=True)
            found[name] = [comparable(await load.answer(side.port, request))]
            if workload.told:
                await self.delivered(1)
                found[name].append(comparable_delivery(json.loads((await self._count())[1])))
        for name, one in found.items():
            if one != found[GATEWAY]:
                raise RuntimeError(f"{workload.name}: {name} answers {one}, the gateway {found[GATEWAY]}")
        return found[GATEWAY]

    async def _count(self, path="/count"):
        _, _, body = await load.answer(self.vendor.port, f"GET {path} HTTP/1.1\r\n\r\n".encode())
        return json.loads(body)["count"], body

    async def delivered(self, number, *, reset=False):
        """Wait until so many events were delivered since the vendor was reset."""
        if reset:
            await self._count("/reset")
            return
        async with asyncio.timeout(_LONGEST):
            while (await self._count())[0] < number:  # noqa: ASYNC110 - another process counts
                await asyncio.sleep(0.005)

    async def batch(self, workload, side, count, connections=CONNECTIONS, *, told=1):
        """Send so many requests to a side: µs of CPU, seconds in all, and the seconds that each took.

        Each request of a workload that is told leads to so many deliveries.
        """
        server, requests, took = self.sides[side], self.requests(workload, side, count), []
        wrong = []

        def seen(seconds, whole):
            took.append(seconds)
            if not whole.startswith(b"HTTP/1.1 20"):
                wrong.append(whole[:300])

        if workload.told:
            await self.delivered(0, reset=True)
        begun, used = time.perf_counter(), processes.cpu_ns(server.pid)
        await load.ask(server.port, requests, connections, seen)
        if workload.told:
            await self.delivered(count * told)
        used, seconds = processes.cpu_ns(server.pid) - used, time.perf_counter() - begun
        if wrong:
            raise RuntimeError(f"{workload.name}: {side} answered {len(wrong)} of {count} requests with {wrong[0]!r}")
        return used / count / 1000, seconds, took

    async def measured(self, workload, rounds, seconds=_SECONDS, connections=CONNECTIONS):
        """Measure a workload and give its row; with one round each side is asked a few times, to see that it works."""
        await self.equal(workload)
        counts = {}
        for name in self.sides:
            _, took, _ = await self.batch(workload, name, 8, connections)
            counts[name] = 8 if rounds == 1 else max(16, connections, int(seconds * 8 / took))
        row = Row("calls", workload.name, workload.about, "µs CPU", {name: [] for name in self.sides})
        rates, waits = {name: [] for name in self.sides}, {name: [] for name in self.sides}
        for number in range(rounds):
            for name in turns(self.sides, number):
                used, took, each = await self.batch(workload, name, counts[name], connections)
                row.sides[name].append(used)
                rates[name].append(counts[name] / took)
                waits[name] += each
        for name, side in self.sides.items():
            slow = sorted(waits[name])
            row.more[name] = {
                "per_second": statistics.median(rates[name]),
                "p50_ms": slow[len(slow) // 2] * 1000,
                "p99_ms": slow[len(slow) * 99 // 100] * 1000,
                "memory_mb": side.memory(),
            }
        return row


def comparable_delivery(told):
    """Give what of a delivery every side must have the same, after its signature was checked."""
    names = (line.split(": ", 1) for line in told["headers"].split("\r\n")[1:])
    headers = {name.lower(): value for name, value in names}
    body = told["body"].encode()
    ours = byhand.signed(headers["webhook-id"], headers["webhook-timestamp"], body)
    if headers["webhook-signature"] != ours["webhook-signature"]:
        raise RuntimeError(f"a delivery is not signed as it should be: {headers}")
    event = json.loads(body)
    for own in ("id", "created_at", "sequence"):
        del event[own]
    return event


@contextlib.asynccontextmanager
async def vendor_running():
    """Start the vendor, this process beside it; gives a folder, the vendor and the cores for what is measured."""
    measured, others = processes.cores()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        os.sched_setaffinity(0, others)
        vendor = processes.vendor(folder, others)
        stack.callback(vendor.stop)
        await vendor.ready("/count")
        yield folder, vendor, measured


@contextlib.asynccontextmanager
async def running(against=None):
    """Start all sides, and end them."""
    async with vendor_running() as (folder, vendor, measured):
        with contextlib.ExitStack() as stack:
            sides = {GATEWAY: processes.gateway(GATEWAY, vendor, folder, measured)}
            if against is not None:
                sides[BEFORE] = processes.gateway(BEFORE, vendor, folder, measured, against)
            sides |= {kind: processes.proxy(kind, vendor, folder, measured) for kind in (BARE, DUTIFUL)}
            for side in sides.values():
                stack.callback(side.stop)
            for side in sides.values():
                await side.ready()
            yield Bench(vendor, sides)
