"""A process in which one side's tasks are done, `python -m benchmarks.worker SIDE`: a line of JSON in, one out.

SIDE is a module of this package, or `libraries:` and one of the libraries there.

`{"task": …, "given": […], "times": n}` is answered with the CPU time of doing it n times, in nanoseconds, and with the
bytes that it gave, as a digest; `"show": true` adds them. Of what is made before, nothing counts.
"""

import base64
import gc
import hashlib
import importlib
import json
import sys
import time
from functools import partial


def main():
    """Serve one side until its input ends."""
    module, _, library = sys.argv[1].partition(":")
    side = importlib.import_module(f"benchmarks.{module}")
    runner = partial(side.runner, library) if library else side.runner
    ready = {}
    for line in sys.stdin:
        asked = json.loads(line)
        key = (asked["task"], *asked["given"])
        if key not in ready:
            ready[key] = runner(*key)
            ready[key](1)
            gc.collect()
            gc.freeze()  # as `gateway serve` has it
            gc.set_threshold(50_000)
        begun = time.process_time_ns()
        found = ready[key](asked["times"])
        told = {"ns": time.process_time_ns() - begun, "digest": hashlib.sha256(found).hexdigest()}
        if asked.get("show"):
            told["bytes"] = base64.b64encode(found).decode()
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
