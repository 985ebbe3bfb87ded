"""`gateway simulate`: play one provider on a port."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.cli import options
from gateway.documents.finding_kinds import ERROR
from gateway.engine.catalog import Connection
from gateway.examples.files import Examples, load_examples
from gateway.mapping.nodes.provider import ProviderPlan
from gateway.model.model import load as load_model
from gateway.simulator.play import Play
from gateway.simulator.script import compile_script
from gateway.simulator.server import playing

HELP = "Play a provider from its mapping and examples: credentials checked, state kept, faults on request."
EXAMPLES = """examples:
  gateway simulate PROVIDER --port 9102
  curl localhost:9102/_simulator                                      what it holds
  curl localhost:9102/_simulator -d '{"status": 503, "times": 2}'     the next two calls fail
  curl localhost:9102/_simulator -d '{"delay": 3}'                    the next call waits three seconds
  curl localhost:9102/_simulator -d '{"drop": true}'                  the next call is hung up on
  curl localhost:9102/_simulator -d '{"after": true}'                 the next call is done and its answer lost
  curl localhost:9102/_simulator -d '{"expire": true}'                all tokens are refused from now on"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument("provider", metavar="PROVIDER")
    parser.add_argument("--port", type=options.port, required=True, help="on 127.0.0.1; 0 takes a free one")
    options.add_mappings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Play until interrupted."""
    providers = options.load_mappings(arguments.mappings)
    plan = options.provider(providers, arguments.provider) if providers is not None else None
    if plan is None:
        return 1 if providers is None else 2
    play = prepare(plan, None)
    if play is None:
        return 1
    try:
        asyncio.run(_serve(play, arguments.port))
    except OSError as error:
        print(f"cannot listen on port {arguments.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def prepare(plan: ProviderPlan, connection: Connection | None) -> Play | None:
    """Make the play of a provider, with a connection's settings or its examples'; None with findings printed."""
    examples, findings = load_examples(plan)
    options.tell([finding for finding in findings if finding.level == ERROR])
    if examples is None:
        print(f"{plan.name} has no examples to be played from", file=sys.stderr)
        return None
    return compile_mapping(plan, examples, connection or examples.played)


def compile_mapping(plan: ProviderPlan, examples: Examples, connection: Connection) -> Play | None:
    """Make the play from examples that are read already."""
    script = None
    if examples.simulator is not None:
        script, findings = compile_script(examples.document, examples.simulator, plan, load_model())
        options.tell([finding for finding in findings if finding.level == ERROR])
        if script is None:
            return None
    zone = ZoneInfo(connection.zone)
    return Play(connection, examples, script, lambda: datetime.now(zone))


async def _serve(play: Play, wanted: int) -> None:
    stop = options.stop_event()
    async with playing(play, wanted, lambda line: print(line, file=sys.stderr, flush=True)) as port:
        title = play.connection.provider.title
        print(f"{title} is played on http://127.0.0.1:{port} with the settings of its examples:")
        for name, value in play.connection.revealed["settings"].items():
            path = urlsplit(play.addresses[name]).path.rstrip("/") if name in play.addresses else ""
            print(f"  {name}: {f'http://127.0.0.1:{port}{path}' if name in play.addresses else value}")
        sys.stdout.flush()
        await stop.wait()
