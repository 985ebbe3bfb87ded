"""How fast events go through: `make bench-events`, or `python -m tests.throughput --events 3000`.

One `gateway serve` with its usual settings, but for the limits that are given. Events are posted to a hook over so many
connections at once and delivered to subscribers that take them at once; everything runs on this machine, the poster and
the subscribers too. Attempts at one endpoint begin at a rate that the gateway bounds, so that with one subscriber this
bound is what is measured, unless it is raised: `--per-second 50000 --at-once 64`.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
from pathlib import Path

import aiohttp

from benchmarks.processes import cpu_ns
from tests.databases import postgresql
from tests.processes import HOOK, Served, Subscriber, configuration

LONGEST = 600.0
"""Seconds after which a run is given up."""


async def post(session, url, numbers, begun, refused):
    """Post the messages of these bookings one after the other, each until it is taken."""
    clock = asyncio.get_running_loop().time
    for number in numbers:
        customer = {"name": "Zoë Ω", "email": "zoe@example.com"}
        data = {"id": f"bk_{number}", "service": "s", "duration": 60, "scheduled_at": "2031-05-06T10:00:00Z"}
        body = json.dumps({"event": "booking.created", "data": data | {"customer": customer}}).encode()
        begun[f"bk_{number}"] = clock()
        while True:
            async with session.post(url + HOOK, data=body) as response:
                if response.status == 204:
                    break
                refused.append(response.status)


async def delivered(subscribers, number):
    """Wait until every subscriber has every event."""
    async with asyncio.timeout(LONGEST):
        while True:
            if all(len(one.accepted) == number for one in subscribers):
                return
            await asyncio.sleep(0.01)


async def run(store, number, at_once, readers, folder, deliveries=None):
    """Send so many events through and give the table as a dict. Times are in seconds, latencies in milliseconds."""
    clock = asyncio.get_running_loop().time
    subscribers = [Subscriber(lambda: (200, 0)) for _ in range(readers)]
    async with contextlib.AsyncExitStack() as stack:
        urls = [await one.open(stack) for one in subscribers]
        (folder / "config.yaml").write_text(configuration(store, urls, deliveries or {}), encoding="utf-8")
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        await stack.enter_async_context(session)
        gateway = Served(folder)
        stack.push_async_callback(gateway.kill)
        await gateway.start()
        await gateway.ready(session)
        begun, refused, start, used = {}, [], clock(), cpu_ns(gateway.process.pid)
        lanes = [range(lane, number, at_once) for lane in range(at_once)]
        await asyncio.gather(*(post(session, gateway.url, lane, begun, refused) for lane in lanes))
        accepted = clock() - start
        await delivered(subscribers, number)
        ended, used = clock() - start, cpu_ns(gateway.process.pid) - used
        await gateway.stop()
    waits = sorted(
        at - begun[json.loads(one.bodies[key])["data"]["id"]] for one in subscribers for key, at in one.at.items()
    )
    return {
        "store": store.partition(":")[0],
        "events": number,
        "connections": at_once,
        "subscribers": readers,
        "refused": len(refused),
        "accepted/s": round(number / accepted),
        "delivered/s": round(number * readers / ended),
        "CPU us/event": round(used / number / 1000),
        "p50 ms": round(waits[len(waits) // 2] * 1000),
        "p99 ms": round(waits[len(waits) * 99 // 100] * 1000),
        "seconds": round(ended, 1),
    }


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.throughput", description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--events", type=int, default=3000, metavar="N")
    parser.add_argument("--connections", type=int, default=16, metavar="N", help="messages posted at the same time")
    parser.add_argument("--subscribers", type=int, default=1, metavar="N", help="each gets all events")
    parser.add_argument("--per-second", type=int, metavar="N", help="attempts that begin at one subscriber in a second")
    parser.add_argument("--at-once", type=int, metavar="N", help="attempts under way at one subscriber")
    given = parser.parse_args()
    limits = {"per_second": given.per_second, "concurrency": given.at_once}
    limits = {name: value for name, value in limits.items() if value is not None}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = f"sqlite:///{folder / 'gateway.db'}"
        if given.store == "postgresql":
            store = stack.enter_context(postgresql(folder / "postgresql"))()
        row = asyncio.run(run(store, given.events, given.connections, given.subscribers, folder, limits))
    widths = {name: max(len(name), len(str(value))) for name, value in row.items()}
    for line in ({name: name for name in row}, row):
        sys.stdout.write("  ".join(str(cell).rjust(widths[name]) for name, cell in line.items()) + "\n")


if __name__ == "__main__":
    main()
