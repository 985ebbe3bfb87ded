"""Gateways that start in a moment: a process that has loaded everything makes a copy of itself for each of them.

`python -m tests.chaos.nursery MODULE ARGUMENT` calls `MODULE.prepare(ARGUMENT)`, and for each line it reads, an order
in JSON, what that gave, in a new process. It ends them by SIGKILL, as a power cut does, and says when they are dead.
"""

import asyncio
import importlib
import json
import os
import signal
import sys
import traceback
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Nursery:
    """The parent of the gateways."""

    def __init__(self, process):
        self._process = process
        self._asking = asyncio.Lock()

    async def start(self, order):
        """Start a gateway with this order, and give its process id; it is not ready yet."""
        return (await self._ask({"start": order}))["pid"]

    async def kill(self, pid):
        """End it in the middle of whatever it does."""
        await self._ask({"kill": pid})

    async def _ask(self, order):
        async with self._asking:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            line = await self._process.stdout.readline()
        assert line, "the parent of the gateways has ended"
        return json.loads(line)


@dataclass(eq=False, repr=False, kw_only=True)
class Raised(ABC):
    """Whoever has one gateway of a nursery, and starts it anew after a kill. `pid` is 0 while there is none."""

    parent: Nursery
    pid: int = 0
    kills: int = 0

    @abstractmethod
    async def start(self):
        """Start the gateway on the store of the plan, and wait until it takes calls."""

    async def kill(self, *, counted=True):
        """End the gateway in the middle of what it does."""
        if self.pid:
            pid, self.pid = self.pid, 0
            self.kills += counted
            await self.parent.kill(pid)

    async def restarted(self):
        """Start it again if it was killed."""
        if not self.pid:
            await self.start()


@asynccontextmanager
async def nursery(module, argument, log):
    """Give the parent while the context lasts; then it and its gateways are gone. `log`: where they write."""
    words = ["-m", "tests.chaos.nursery", module, str(argument)]
    with Path(log).open("ab") as errors:  # noqa: ASYNC230 - once, before anything else is under way
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield Nursery(process)
    finally:
        process.stdin.close()  # it ends its gateways, then itself
        await process.wait()


def main():
    prepared = importlib.import_module(sys.argv[1]).prepare(sys.argv[2])
    alive = set()
    for line in sys.stdin.buffer:
        order = json.loads(line)
        if "kill" in order:
            _end(order["kill"], alive)
            told = {}
        else:
            pid = os.fork()
            if pid == 0:
                _live(prepared, order["start"])
            alive.add(pid)
            told = {"pid": pid}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    for pid in list(alive):
        _end(pid, alive)


def _end(pid, alive):
    if pid in alive:  # only what was started here
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        alive.remove(pid)


def _live(prepared, order):
    """Be the gateway, and nothing else afterwards."""
    code = 1
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 0)
        os.dup2(2, 1)  # its log goes where errors go
        prepared(order)
        code = 0
    except BaseException:  # noqa: BLE001 - it is told, and the copy ends here whatever it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
