"""`make chaos-calls` and `make chaos-links`: plans drawn of seeds, played one after another; what fails is made small.

The first plan that fails is played again with fewer and fewer steps for as long as it fails in the same way; then it
and what went wrong are printed. `--plan FILE` plays what was printed again. A plan that fails by chance of timing may
shrink less than one that always fails.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from tests.chaos import calls, links
from tests.chaos.link_world import link_world
from tests.chaos.plans import read, shrunk
from tests.chaos.world import world

PATIENCE_SECONDS = 16.0
"""So long may an operation be pending: what a call may take, and the margin of the gateway."""
TELLS_EVERY = 10.0
_KINDS = {"calls": (calls, lambda folder: world(folder, patience=PATIENCE_SECONDS)), "links": (links, link_world)}


async def smaller(module, where, books):
    """Make the plan of books that have something wrong small; gives the Books of the small plan."""
    last = books

    async def fails(plan):
        nonlocal last
        made = await module.play(where, plan)
        if made.names() & books.names():
            last = made
            return True
        return False

    await shrunk(books.plan, fails)
    return last


async def _run(kind, plans, say, *, shrink, keep):
    """Play the plans, and print each that has something wrong, made small; gives how many those are."""
    module, opened = _KINDS[kind]
    found, begun, told, counts = 0, time.monotonic(), time.monotonic(), {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        where = await stack.enter_async_context(opened(folder))
        for number, plan in enumerate(plans, 1):
            books = await module.play(where, plan)
            for name, value in books.counts.items():
                counts[name] = counts.get(name, 0) + value
            if time.monotonic() - told > TELLS_EVERY or number == len(plans):
                told = time.monotonic()
                about = ", ".join(f"{value} {name}" for name, value in counts.items())
                say(f"{number} of {len(plans)} plans in {told - begun:.0f} s: {about}; {found} failed")
            if books.wrong:
                say(f"{plan.provider} with seed {plan.seed}: {', '.join(sorted(books.names()))}")
                found += 1
                _print(await smaller(module, where, books) if shrink else books)
                if not keep:
                    break
    return found


def _print(books):
    sys.stdout.write(books.plan.written())
    sys.stdout.write("".join(f"# {line}\n" for line in [*books.log, "", *books.wrong]))
    sys.stdout.flush()


def main(words=None):
    """Run the command; the exit code is 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.command", description=__doc__.splitlines()[0])
    parser.add_argument(
        "kind", choices=tuple(_KINDS), help="calls of callers, or a marketplace that is linked to a club"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the first plan; the next ones count up")
    parser.add_argument("--rounds", type=int, default=200, metavar="N", help="how many plans (default 200)")
    parser.add_argument("--provider", default="", metavar="NAME", help="this one only, instead of all in turn")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="play this plan as it stands, and nothing else")
    parser.add_argument(
        "--lies", choices=("", "cancels"), default="", help="plant a fault: the provider only says it cancels"
    )
    parser.add_argument("--no-shrink", action="store_true", help="print a failing plan as it was drawn")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure")
    given = parser.parse_args(words)
    module, _ = _KINDS[given.kind]
    if given.provider and given.provider not in module.PROVIDERS:
        parser.error(f"--provider is one of {', '.join(module.PROVIDERS)}")
    if given.plan:
        plans = [read(given.plan.read_text(encoding="utf-8"))]
    else:
        names = [given.provider] if given.provider else module.PROVIDERS
        drawn = [module.draw(names[n % len(names)], given.seed + n // len(names)) for n in range(given.rounds)]
        plans = [replace(plan, lies=given.lies) for plan in drawn]
    shrink = not given.no_shrink and not given.plan
    say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731, T201
    found = asyncio.run(_run(given.kind, plans, say, shrink=shrink, keep=given.keep_going))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
