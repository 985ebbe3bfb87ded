"""The command line: one module a verb, imported when it is asked for, so that no verb waits for another's imports."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from gateway import __version__

_VERBS = {
    "serve": "serve the REST surface",
    "check": "check mappings and configuration: every finding, with its place and the fix",
    "test": "run the golden examples of mappings",
    "explain": "show what an operation does, line by line, or explain a word of the language",
    "call": "make one call on a connection, traced on request",
    "login": "log in at a provider, for a connection that needs a person to agree",
    "replay": "send events of the past again, or read again what could not be read",
    "link": "show how marketplace links fare, compare both sides, or tell everything anew",
    "schema": "print the JSON Schema of mappings, examples or the configuration",
    "simulate": "play a provider from its mapping and examples",
    "openapi": "print the OpenAPI document",
    "demo": "play every provider and start the gateway in front of them",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Exit codes: 0 done, 1 findings or failures (all of them printed), 2 wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    wanted = next((word for word in given if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="gateway", description="One REST surface over every booking system.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, summary in _VERBS.items():
        if name != wanted:
            verbs.add_parser(name, help=summary)
            continue
        module = importlib.import_module(f"gateway.cli.{name}")
        verb = verbs.add_parser(
            name,
            help=summary,
            description=module.HELP,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(verb)
        verb.set_defaults(run=module.run)
    parsed = parser.parse_args(given)
    try:
        code: int = parsed.run(parsed)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return code
