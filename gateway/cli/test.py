"""`gateway test`: the golden examples, run through the engine both ways."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys

from gateway import observe
from gateway.cli import options
from gateway.examples import Examples, load_examples
from gateway.model.model import load as load_model
from gateway.playback import Outcome, run_example

HELP = "Run the golden examples of mappings and show every difference, field by field."
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
    observe.start_logging(sys.stderr, observe.Redactor(()), level=logging.CRITICAL)  # the differences tell it all
    held = failed = 0
    for name in arguments.providers or sorted(providers):
        plan = options.provider(providers, name)
        if plan is None:
            return 2
        examples, findings = load_examples(plan)
        options.tell([finding for finding in findings if finding.level == "error" or examples is None])
        if examples is None:
            failed += 1
            continue
        outcomes = asyncio.run(_all(examples, arguments.only))
        wrong = [outcome for outcome in outcomes if outcome.differences]
        for outcome in outcomes if arguments.verbose else wrong:
            _print(name, outcome)
        held, failed = held + len(outcomes) - len(wrong), failed + len(wrong)
        print(f"{name}: {len(outcomes) - len(wrong)} of {len(outcomes)} examples hold")
    if held + failed == 0:
        print("no example was run", file=sys.stderr)
    return 0 if held and not failed else 1


async def _all(examples: Examples, only: str) -> list[Outcome]:
    wanted = [one for one in examples.examples if only in one.name or only in one.operation]
    return [await run_example(examples, one, load_model()) for one in wanted]


def _print(provider: str, outcome: Outcome) -> None:
    example = outcome.example
    verdict = "differs" if outcome.differences else "holds"
    print(f"{example.origin}: {provider} {example.operation} {verdict}: {example.name}")
    for line in outcome.differences:
        print("    " + line.replace("\n", "\n    "))
