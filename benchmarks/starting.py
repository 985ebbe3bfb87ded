"""How long a start takes and how much memory there is then, by the number of providers."""

import contextlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.measure import BEFORE, GATEWAY, Row, turns
from benchmarks.sockets import BARE

_NAME = re.compile(r"(?m)^provider: *(\w+)")


def many(folder, number):
    """Write so many mappings into a folder, copies of the shipped under other names, and give them and the vendor's."""
    own = [processes.ROOT / "benchmarks" / "vendor.yaml"]
    shipped = [file.read_text(encoding="utf-8") for file in sorted((processes.ROOT / "mappings").glob("*.yaml"))]
    for index in range(number):
        text = shipped[index % len(shipped)]
        copy = folder / f"provider-{index:03d}.yaml"
        copy.write_text(_NAME.sub(rf"provider: \1_{index // len(shipped)}", text, count=1), encoding="utf-8")
        own.append(copy)
    return own


@dataclass(frozen=True)
class Starts:
    """What is started, again and again."""

    folder: Path
    vendor: processes.Server
    mappings: list[Path]
    against: Path | None
    cores: set[int]

    def start(self, name, turn):
        """Start a side, in a folder of its own."""
        own = self.folder / f"{name}-{turn}"
        own.mkdir()
        if name == BARE:
            return processes.proxy(BARE, self.vendor, own, self.cores)
        root = self.against if name == BEFORE else processes.ROOT
        return processes.gateway(GATEWAY, self.vendor, own, self.cores, root, self.mappings)

    async def measured(self, name, turn):
        """Start a side and end it: seconds, CPU seconds and MB."""
        server = self.start(name, turn)
        try:
            seconds, used = await server.ready()
            return {"seconds": seconds, "cpu_seconds": used, "memory_mb": server.memory()}
        finally:
            server.stop()


async def rows(providers, rounds, against, tell):
    """Measure starts of each number of providers; the hand-written proxy has one, whatever the gateway has."""
    measured, others = processes.cores()
    for number in providers:
        tell(f"start {number}")
        row = Row("start", f"{number} providers", f"{number} mappings, those that are shipped or copies of them", "ms")
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            vendor = processes.vendor(folder, others)
            stack.callback(vendor.stop)
            await vendor.ready("/count")
            starts = Starts(folder, vendor, many(folder, number), against, measured)
            row.sides = {name: [] for name in (GATEWAY, *([BEFORE] if against is not None else []), BARE)}
            for turn in range(rounds):
                for name in turns(row.sides, turn):
                    row.more[name] = await starts.measured(name, turn)
                    row.sides[name].append(row.more[name]["seconds"] * 1000)
        yield row
