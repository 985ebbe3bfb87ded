"""`make bench`, or `python -m benchmarks`: what the gateway costs beside code that is written by hand."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop

from benchmarks import growing, inprocess, plot, processes, report, sockets, starting
from benchmarks.house import SHIPPED
from benchmarks.measure import Row

GROUPS = (
    *("calls", "in process", "libraries", "shipped", "rows", "connections", "subscribers", "backlog"),
    *("stores", "memory", "start"),
)
EXAMPLES = """examples:
  python -m benchmarks                              everything, in ten minutes
  python -m benchmarks --quick                      the same with fewer rounds and sizes, in two
  python -m benchmarks --only calls shipped         some groups of it
  python -m benchmarks --json after.json            keep the figures
  python -m benchmarks --against ../before          another checkout of the gateway takes turns with this one
  python -m benchmarks --compare before.json after.json   set two runs side by side; nothing is measured
  python -m benchmarks --docs docs/performance.md   write the page of the documentation"""
_ROWS = (10, 100, 1_000, 10_000, 100_000)


def plan(groups, *, rounds):
    """Give what is measured in one process, as `inprocess.rows` takes it."""
    hand, floor = (inprocess.HAND,), (inprocess.FLOOR,)
    quick = rounds <= 3
    if "in process" in groups:
        yield from (
            ("in process", "map S", "one booking, bytes to canonical bytes", "one", [], hand),
            ("in process", "map M", "100 bookings", "bookings", [100], hand),
            ("in process", "map L", "1,000 slots, 666 of them free", "slots", [1000], hand),
            ("in process", "create", "a booking made: the request built, the answer read", "create", [], hand),
            ("in process", "request", "the request of a booking alone", "request", [], hand),
            ("in process", "verify", "a signed webhook, and one that is forged", "verify", [], hand),
            ("in process", "hook", "a signed webhook verified and read", "hook", [], hand),
        )
    if "libraries" in groups:
        yield "libraries", "one", "one booking, bytes to bytes", "one", [], (*hand, *inprocess.LIBRARIES)
        yield "libraries", "100", "100 bookings, bytes to bytes", "bookings", [100], (*hand, *inprocess.LIBRARIES)
    if "rows" in groups:
        for number in _ROWS[:3] if quick else _ROWS:
            yield "rows", f"{number:,} rows", f"{number:,} slots in an answer", "slots", [number], hand
    if "shipped" in groups:
        for name in SHIPPED[:2] if rounds == 1 else SHIPPED:
            yield "shipped", name, "the examples that read, or tell a marketplace", "reads", [name], floor


async def over_sockets(groups, rounds, against, tell):
    """Measure whole calls, and what becomes of them with more connections."""
    quick = rounds <= 3
    seconds = 0.4 if quick else 1.0
    async with sockets.running(against) as bench:
        if "calls" in groups:
            for workload in sockets.WORKLOADS.values():
                tell(f"calls {workload.name}")
                yield await bench.measured(workload, rounds, seconds)
        if "connections" in groups:
            for number in (1, 32) if quick else (1, 32, 1_000):
                tell(f"connections {number}")
                found = await bench.measured(sockets.WORKLOADS["S"], rounds, seconds, number)
                about = f"workload S over {number:,} connections"
                yield Row("connections", f"{number:,} connections", about, found.unit, found.sides, found.more)


async def grown(groups, rounds, tell):
    """Measure what becomes of events and memory as there is more of everything."""
    size, few = 0 if rounds == 1 else 1 if rounds <= 3 else 2, min(rounds, 3)
    if "subscribers" in groups:
        async for row in growing.subscribers(((10,), (1, 10), (1, 10, 100, 1_000))[size], few, tell):
            yield row
    if "backlog" in groups:
        async for row in growing.backlog(((10,), (10, 10_000), (10, 10_000, 1_000_000))[size], few, tell):
            yield row
    if "stores" in groups:
        async for row in growing.stores(few, tell):
            yield row
    if "memory" in groups:
        async for row in growing.memory(((50, 100), (100, 1_000), (1_000, 10_000, 30_000))[size], tell):
            yield row


async def measured(groups, rounds, against, tell):
    """Measure what is asked for."""
    found = list(inprocess.rows(list(plan(groups, rounds=rounds)), rounds, against, tell))
    if {"calls", "connections"} & {*groups}:
        found += [row async for row in over_sockets(groups, rounds, against, tell)]
    found += [row async for row in grown(groups, rounds, tell)]
    if "start" in groups:
        providers = (1,) if rounds == 1 else (5, 50) if rounds <= 3 else (5, 50, 500)
        found += [row async for row in starting.rows(providers, min(rounds, 5), against, tell)]
    return found


def teller(stream):
    """Give the function that says what is being measured, where somebody looks."""
    begun = time.monotonic()

    def tell(what):
        stream.write(f"{time.monotonic() - begun:6.0f} s  {what}\n")
        stream.flush()

    return tell


def parsed(words):
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__.partition(": ")[2].capitalize(),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="three rounds instead of seven, and smaller sizes")
    parser.add_argument("--rounds", type=int, metavar="N", help="so many rounds; 1 only shows that everything works")
    parser.add_argument(
        "--only", nargs="+", choices=GROUPS, default=GROUPS, metavar="GROUP", help=f"of {', '.join(GROUPS)}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--docs", type=Path, metavar="FILE", help="write a page of Markdown there")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="a checkout that takes turns with this one")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("BEFORE", "AFTER"), help="two files of --json")
    return parser.parse_args(words)


def main(words=None):
    """Measure, and show what was found."""
    given = parsed(words)
    if given.compare:
        before, after = (json.loads(file.read_text(encoding="utf-8")) for file in given.compare)
        sys.stdout.write(report.aligned(report.compared(before, after)) + "\n")
        return 0
    if not processes.is_linux():
        sys.stderr.write("the benchmarks read the CPU time of other processes, which they can on Linux only\n")
        return 2
    rounds = given.rounds or (3 if given.quick else 7)
    against = given.against.resolve() if given.against else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(measured(given.only, rounds, against, teller(sys.stderr)))
    told = report.machine()
    if given.json:
        given.json.write_text(report.as_json(rows, told), encoding="utf-8")
    if given.docs:
        drawn = plot.svg(rows)
        if drawn:
            given.docs.with_suffix(".svg").write_text(drawn, encoding="utf-8")
        page = report.page(rows, told, picture=given.docs.with_suffix(".svg").name if drawn else None)
        given.docs.write_text(page, encoding="utf-8")
    sys.stdout.write(report.text(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
