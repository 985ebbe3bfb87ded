"""`gateway demo`: every provider of the configuration played on this machine, and the gateway in front of them."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway import config
from gateway.cli import options, serve, simulate
from gateway.cli.demo_market import to_sell, token_of
from gateway.config import Caller, Settings
from gateway.engine.catalog import Catalog, Connection
from gateway.engine.engine import Engine
from gateway.examples.files import load_examples
from gateway.links.checks import MARKETPLACE
from gateway.model.model import arguments
from gateway.simulator.play import Play
from gateway.simulator.server import playing
from gateway.values.errors import GatewayError
from gateway.values.messages import Call, Json

HELP = "Play every provider of config.example.yaml on this machine, start the gateway in front, and print what to try."
EXAMPLES = """examples:
  gateway demo                         config.example.yaml, until Ctrl-C
  gateway demo --config my.yaml        your own connections, their providers played on the ports of their base_url"""

_EXAMPLE = Path("config.example.yaml")
_HERE = ("127.0.0.1", "localhost")


_PATIENCE = 20.0
"""Seconds a provider has to show its free slots."""
_CUSTOMER = {"name": "Jane Doe", "email": "jane@example.com", "phone": "+441632960001"}


class Environment(Mapping[str, str]):
    """The environment, with a value made up for every variable that is not set: of use on this machine only."""

    def __init__(self, real: Mapping[str, str]) -> None:
        self._real = real

    def __getitem__(self, name: str) -> str:
        if name in self._real:
            return self._real[name]
        if name.endswith("_FILE") or f"{name}_FILE" in self._real:
            raise KeyError(name)
        return f"demo-{name.lower().replace('_', '-')}-0001"

    def __iter__(self) -> Iterator[str]:
        return iter(self._real)

    def __len__(self) -> int:
        return len(self._real)


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    parser.add_argument(
        "--config", type=Path, default=_EXAMPLE, metavar="FILE", help=f"configuration (default {_EXAMPLE})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo until interrupted."""
    loaded = options.load(arguments.config, Environment(config.environment()))
    if loaded is None:
        return 1
    settings, catalog = loaded
    serve.start_logging(settings, catalog, sys.stdout, level=logging.WARNING)  # more once the text is printed
    plays = prepare(catalog)
    if plays is None:
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="booking-gateway-") as folder:  # a demo begins anew each time
            asyncio.run(_demo(replace(settings, store=f"sqlite:///{folder}/gateway.db"), catalog, plays))
    except OSError as error:
        print(
            f"a port of the demo is taken ({error.strerror}): stop what listens there, or change {arguments.config}",
            file=sys.stderr,
        )
        return 1
    return 0


def prepare(catalog: Catalog) -> Mapping[str, Play] | None:
    """Make the plays of all connections, by name; None with what stands in the way printed to standard error."""
    plays = {}
    for connection in catalog.connections.values():
        if _port(connection) is None:
            print(
                f"{connection.name}: `base_url` must be http://127.0.0.1:PORT in a demo; it leads to a real provider",
                file=sys.stderr,
            )
            return None
        play = simulate.prepare(connection.provider.compiled, connection)
        if play is None:
            return None
        plays[connection.name] = play
    return plays


@asynccontextmanager
async def performing(plays: Mapping[str, Play]) -> AsyncIterator[Mapping[str, int]]:
    """Play them while the context lasts, each on the port of its connection, and give the ports; raises OSError."""
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(playing(play, _port(play.connection) or 0))
            for name, play in plays.items()
        }


def _port(connection: Connection) -> int | None:
    """The port of this machine on which the provider is to be played; None where the connection leads elsewhere."""
    address = urlsplit(connection.public.get("base_url") or "")
    return address.port if address.hostname in _HERE and address.scheme == "http" else None


async def _demo(settings: Settings, catalog: Catalog, plays: Mapping[str, Play]) -> None:
    stop = options.stop_event()
    serving = serve.serving(settings, catalog, settings.listen.host, settings.listen.port, stop)
    async with performing(plays) as ports:
        for name, port in ports.items():
            print(f"{name}: {plays[name].connection.provider.title}, simulated on http://127.0.0.1:{port}")
        async with serving as (url, application):
            await _show(settings, catalog, application.engine, url)
            serve.start_logging(settings, catalog, sys.stdout)
            await stop.wait()


async def _show(settings: Settings, catalog: Catalog, engine: Engine, url: str) -> None:
    """Print where everything is and what to try."""
    print(f"the gateway: {url}   (Ctrl-C stops everything)\n")
    for connection in catalog.connections.values():
        shown = to_sell if connection.provider.kind == MARKETPLACE else _to_try
        print(await shown(settings, engine, connection, url))
    print(f"the whole surface:  curl -s {url}/openapi.json", flush=True)


async def _to_try(settings: Settings, engine: Engine, connection: Connection, url: str) -> str:
    """The `curl` lines of one connection, with a slot that is really free."""
    keys = (caller.key.reveal() for caller in settings.callers.values() if _may_all(caller, connection))
    begin = f"curl -s -H 'Authorization: Bearer {next(keys, 'KEY')}'"
    base = f"{url}/v1/{connection.name}"
    today = datetime.now(ZoneInfo(connection.zone)).date()
    day, after = today + timedelta(days=1), today + timedelta(days=2)
    window = {"from": f"{day}T00:00", "to": f"{after}T00:00"}
    slot = await _free_slot(engine, connection, window)
    operations = connection.provider.operations
    create = operations.get("bookings.create")
    customer = {
        name: text for name, text in _CUSTOMER.items() if create and f"customer.{name}" not in create.unsupported
    }
    body = shlex.quote(json.dumps({"slot_id": slot, "customer": customer}))
    resources = f"\n  {begin} {base}/resources" if "resources.list" in operations else ""
    return f"""{connection.name} ({connection.provider.title}):
  {begin} {base}/services{resources}
  {begin} '{base}/slots?from={window["from"]}&to={window["to"]}&limit=5'
  {begin} -H 'Content-Type: application/json' {base}/bookings -d {body}
  then, with the id it gives:
  {begin} {base}/bookings/ID
  {begin} -X POST {base}/bookings/ID/cancel
  what happened, and then as it happens:
  {begin} {base}/changes
  {begin} -N {base}/events/stream
{"".join(_messages(connection, url))}"""


def _messages(connection: Connection, url: str) -> Iterator[str]:
    """The `curl` line that plays the provider's own message, for each hook that a token in its URL proves."""
    examples, _ = load_examples(connection.provider.compiled)
    for name, hook in connection.provider.hooks.items():
        token = token_of(connection, hook)
        shown = [one for one in examples.hooks if one.hook == name and one.fails is None] if examples else []
        if token is None or not shown:
            continue
        body = shlex.quote(shown[0].received.body.decode())
        told = f"-H 'Content-Type: application/json' {url}/hooks/{connection.name}/{name}/{token} -d {body}"
        yield f"  as the provider sends it:\n  curl -si {told}\n"


def _may_all(caller: Caller, connection: Connection) -> bool:
    return {"read", "write"} <= caller.may and (caller.connections is None or connection.name in caller.connections)


async def _free_slot(engine: Engine, connection: Connection, window: Mapping[str, str]) -> Json:
    """The id of the first slot of the window that can be booked, or what stands in the way."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    try:
        wanted = arguments(engine.model.operations["slots.list"], window, connection.zone)
        reply = await engine.run(Call(connection.name, "slots.list", wanted, "demo", deadline))
    except GatewayError as error:
        return f"(no slot: {error.code} {error.detail})"
    free = sorted((slot["start"], slot["id"]) for slot in reply.data if slot["available"])
    return free[0][1] if free else "(no slot is free tomorrow)"
