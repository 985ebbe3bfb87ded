"""What is measured in one process: bytes of the vendor to bytes of the gateway, without sockets. CPU time alone."""

import base64
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import BEFORE, GATEWAY, Row, alternated

ROOT = Path(__file__).parents[1]
HAND = "by hand"
FLOOR = "decode+encode"
LIBRARIES = ("jmespath + jinja2", "glom", "JSONata")
_SIDES = {HAND: "handmade", FLOOR: "handmade", **{name: f"libraries:{name}" for name in LIBRARIES}}
_BATCH_NS = 60_000_000
"""CPU time that one batch should take at least."""


class Worker:
    """One side's process. `root` is the checkout whose gateway does the work."""

    def __init__(self, side, root=ROOT):
        self._process = subprocess.Popen(
            [python_of(root), "-m", "benchmarks.worker", side],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, task, given, times, *, show=False):
        """Have a task done so many times."""
        asked = {"task": task, "given": given, "times": times, "show": show}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker of {task} ended with {self._process.wait()}; what it said stands above")
        return json.loads(line)

    def close(self):
        """End it."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def python_of(root):
    """Give the interpreter of a checkout: that of its .venv, else this one."""
    own = root / ".venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def equal(task, given, workers):
    """Prove that all sides give the same bytes; raises RuntimeError with the first place where they differ."""
    shown = {name: worker.ask(task, given, 1, show=True) for name, worker in workers.items()}
    (first, wanted), *others = ((name, base64.b64decode(one["bytes"])) for name, one in shown.items())
    for name, found in others:
        if found != wanted:
            at = next(
                (i for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), min(len(wanted), len(found))
            )
            parts = f"{first} has {wanted[at - 40 : at + 80]!r}, {name} has {found[at - 40 : at + 80]!r}"
            raise RuntimeError(f"{task} {given}: the answers differ at byte {at}: {parts}")
    return wanted


def times_of(worker, task, given):
    """Find how often a task must be done in one batch."""
    times = 1
    while (ns := worker.ask(task, given, times)["ns"]) < _BATCH_NS and times < 100_000:
        times = max(times * 2, min(times * 10, int(times * _BATCH_NS / max(ns, 1))))
    return times


def measured(row, task, given, workers, rounds):
    """Prove that the sides are equal, and measure µs of CPU for doing the task once."""
    equal(task, given, workers)
    quick = rounds == 1
    times = {name: 1 if quick else times_of(worker, task, given) for name, worker in workers.items()}

    def batch(name):
        return lambda: workers[name].ask(task, given, times[name])["ns"] / times[name] / 1000

    return alternated(row, {name: batch(name) for name in workers}, rounds)


@contextlib.contextmanager
def workers_of(sides, against):
    """Start the workers: the gateway's, those of these sides and perhaps another checkout's."""
    workers = {GATEWAY: Worker("house"), **{name: Worker(_SIDES[name]) for name in sides}}
    if against is not None:
        workers[BEFORE] = Worker("house", against)
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def rows(plan, rounds, against, tell):
    """Measure each `(group, name, about, task, given, sides)` of a plan, and give its row."""
    for sides in dict.fromkeys(sides for *_, sides in plan):
        with workers_of(sides, against) as workers:
            for group, name, about, task, given, own in plan:
                if own == sides:
                    tell(f"{group} {name}")
                    yield measured(Row(group, name, about, "µs CPU"), task, given, workers, rounds)
