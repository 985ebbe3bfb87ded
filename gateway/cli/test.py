"""`gateway test`: the golden examples, run through the engine both ways, and the round trips of what they read."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterable

from gateway.cli import options
from gateway.documents.finding_kinds import ERROR
from gateway.examples.files import Examples, load_examples
from gateway.examples.playback import Outcome, run_example, run_hook
from gateway.examples.round_trips import Readings, round_trips
from gateway.mapping.expressions.probes import probed
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.model.model import load as load_model
from gateway.telemetry import logs
from gateway.values.secrets import Redactor

HELP = "Run the golden examples of mappings, write back what they read, and show every difference, field by field."
EXAMPLES = """examples:
  gateway test                   all providers
  gateway test PROVIDER        one provider
  gateway test -k cancel -v      examples whose name or operation holds "cancel", each named"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("providers", nargs="*", metavar="PROVIDER", help="only these")
    parser.add_argument("-k", dest="only", default="", metavar="TEXT", help="only examples whose name holds this")
    parser.add_argument("-v", "--verbose", action="store_true", help="name the examples that hold, too")
    options.add_mappings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the examples; 1 when any fails or none was found."""
    providers = options.load_mappings(arguments.mappings)
    if providers is None:
        return 1
    logs.start_logging(sys.stderr, Redactor(()), level=logging.CRITICAL)  # the differences tell it all
    held = failed = 0
    for name in arguments.providers or sorted(providers):
        if options.provider(providers, name) is None:
            return 2
        right, wrong = _test(providers[name], arguments)
        held, failed = held + right, failed + wrong
    if held + failed == 0:
        print("no example was run", file=sys.stderr)
    return 0 if held and not failed else 1


def _test(plan: ProviderPlan, arguments: argparse.Namespace) -> tuple[int, int]:
    """Run one provider's examples and hold what they read against the laws: how much holds, how much does not."""
    readings = Readings()
    examples, findings = load_examples(plan)
    options.tell([finding for finding in findings if finding.level == ERROR or examples is None])
    if examples is None:
        return 0, 1
    with probed(readings):
        outcomes = asyncio.run(_all(examples, arguments.only))
    wrong = [outcome for outcome in outcomes if outcome.differences]
    for outcome in outcomes if arguments.verbose else wrong:
        _print(plan.name, outcome)
    print(f"{plan.name}: {len(outcomes) - len(wrong)} of {len(outcomes)} examples pass")
    fields, broken = round_trips(readings.found, plan.records)
    for one in broken:
        print(f"{one.origin}: {plan.name} {one.field} does not come back as it was")
        _lines(one.told)
    if fields:
        print(f"{plan.name}: {fields - len(broken)} of {fields} fields round-trip")
    return len(outcomes) - len(wrong), len(wrong) + len(broken)


async def _all(examples: Examples, only: str) -> list[Outcome]:
    wanted = [one for one in examples.examples if only in one.name or only in one.operation]
    hooks = [one for one in examples.hooks if only in one.name or only in one.operation]
    outcomes = [await run_example(examples, one, load_model()) for one in wanted]
    return [*outcomes, *[await run_hook(examples, one, load_model()) for one in hooks]]


def _print(provider: str, outcome: Outcome) -> None:
    example = outcome.example
    verdict = "differs" if outcome.differences else "holds"
    print(f"{example.origin}: {provider} {example.operation} {verdict}: {example.name}")
    _lines(outcome.differences)


def _lines(told: Iterable[str]) -> None:
    for line in told:
        print("    " + line.replace("\n", "\n    "))
