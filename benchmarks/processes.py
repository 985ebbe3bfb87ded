"""The processes of the benchmarks on one machine: the vendor, the gateway as shipped, and the hand-written proxies."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

from benchmarks import data
from benchmarks.inprocess import python_of

ROOT = Path(__file__).parents[1]
START_SECONDS = 240.0


def free_port():
    """Find a port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def cores():
    """Give the cores for what is measured and for everything else: the same where there is but one."""
    found = sorted(os.sched_getaffinity(0))
    return {found[0]}, set(found[1:]) or {found[0]}


def cpu_ns(pid):
    """Read the CPU time that a process has used, in nanoseconds (clock_getcpuclockid(3), as Linux encodes it)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


class Server:
    """A process that listens, pinned to its cores, its output in a file."""

    def __init__(self, name, words, port, folder, pinned, root=ROOT):
        self.name = name
        self.port = port
        self._said = folder / f"{name}.txt".replace(" ", "-")
        self._begun = time.perf_counter()
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [python_of(root), *words],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(root)},
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid
        os.sched_setaffinity(self.pid, pinned)

    async def ready(self, path="/ready"):
        """Wait until it takes work; gives the seconds since it was started and the CPU seconds it needed."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
            while True:
                if self._process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended by itself: {self.said()}")
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{self.port}{path}") as response:
                        if response.status == 200:
                            return time.perf_counter() - self._begun, cpu_ns(self.pid) / 1e9
                await asyncio.sleep(0.005)

    def memory(self):
        """Give the memory that it holds, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def said(self):
        """Give the end of its output."""
        return self._said.read_text(encoding="utf-8", errors="replace")[-3000:]

    def close(self):
        """End it, as `contextlib.closing` asks for it."""
        self.stop()

    def stop(self):
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def configuration(vendor, mappings, store, subscribers=1):
    """Write a configuration of the gateway: two connections to the vendor, of one of which these subscribers hear."""
    settings = {"base_url": vendor, "api_key": data.KEY, "hook_secret": data.HOOK_SECRET}
    account = {"provider": "vendor", "settings": settings | {"time_zone": data.ZONE, "currency": data.CURRENCY}}
    return json.dumps(
        {
            "store": store,
            "timeout": "240s",  # on a machine that others use, 32 long lists at once take longer than a caller waits
            "mappings": [str(one) for one in mappings],
            "callers": {"web": {"key": data.CALLER, "may": ["read", "write"]}},
            "egress": {"allow": ["127.0.0.0/8"]},
            "connections": {data.CONNECTION: account, "hooked": account},
            "webhooks": [
                {
                    "url": f"{vendor}/told{f'?{n}' if n else ''}",
                    "secret": data.SUBSCRIBER_SECRET,
                    "connections": ["hooked"],
                }
                for n in range(subscribers)
            ],
            "deliveries": {"concurrency": 64, "per_second": 1_000},
        }
    )


def vendor(folder, others):
    """Start the vendor."""
    port = free_port()
    return Server("vendor", ["-m", "benchmarks.vendor", str(port)], port, folder, others)


def proxy(kind, vendor, folder, pinned):
    """Start a hand-written proxy."""
    port = free_port()
    words = ["-m", "benchmarks.proxy", kind, str(port), f"http://127.0.0.1:{vendor.port}", str(folder)]
    return Server(kind, words, port, folder, pinned)


def gateway(name, vendor, folder, pinned, root=ROOT, mappings=None, *, store=None, subscribers=1):
    """Start `gateway serve` of a checkout, its store a file of SQLite unless another is given."""
    port, own = free_port(), folder / name
    own.mkdir(exist_ok=True)
    listed = mappings if mappings is not None else [root / "benchmarks" / "vendor.yaml"]
    store = store or f"sqlite:///{own / 'gateway.db'}"
    written = configuration(f"http://127.0.0.1:{vendor.port}", listed, store, subscribers)
    (own / "config.yaml").write_text(written, encoding="utf-8")
    words = ["-m", "gateway", "serve", "--config", str(own / "config.yaml"), "--port", str(port)]
    return Server(name, words, port, own, pinned, root)


def is_linux():
    """Tell whether what is measured over sockets can be measured here."""
    return sys.platform == "linux"
