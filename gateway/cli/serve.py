"""`gateway serve`: the gateway itself, until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO

from gateway import config
from gateway.cli import options
from gateway.cli.backstage import backstage
from gateway.config import Settings
from gateway.engine.catalog import Catalog
from gateway.engine.engine import Engine
from gateway.store.migrations import StoreTooNewError
from gateway.surface.app import build_app
from gateway.surface.health import READINESS
from gateway.surface.http.server import listening
from gateway.telemetry import logs
from gateway.values.errors import StoreUnavailable
from gateway.values.secrets import Redactor, Secret

HELP = "Serve the REST surface. Logs are JSON lines on standard output."
EXAMPLES = """examples:
  gateway serve --config config.yaml
  gateway serve --config config.yaml --host 0.0.0.0 --port 8080

exit codes: 0 stopped on request, 1 findings in configuration or mappings (all are printed), 2 wrong usage"""

_GC_THRESHOLD = 50_000
"""Allocations between collections. What is loaded at the start stays: it is frozen out of every later collection."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    options.add_config(parser)
    parser.add_argument("--host", help="instead of listen.host")
    parser.add_argument("--port", type=options.port, help="instead of listen.port; 0 takes a free one")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="only 1 in this release")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    if arguments.workers != 1:
        message = (
            "one worker only: to use more processors, start several gateways on one PostgreSQL store and one Redis"
        )
        print(f"gateway serve: --workers {arguments.workers}: {message}", file=sys.stderr)
        return 2
    loaded = options.load(arguments.config, config.environment())
    if loaded is None:
        return 1
    settings, catalog = loaded
    host = arguments.host or settings.listen.host
    port = settings.listen.port if arguments.port is None else arguments.port
    start_logging(settings, catalog, sys.stdout)
    try:
        asyncio.run(_serve(settings, catalog, host, port))
    except OSError as error:
        print(f"cannot listen on {host} port {port}: {error.strerror}", file=sys.stderr)
        return 1
    except (StoreUnavailable, StoreTooNewError) as error:
        print(f"`store` cannot be opened: {error}", file=sys.stderr)
        return 1
    return 0


def start_logging(settings: Settings, catalog: Catalog, stream: TextIO, *, level: int = logging.INFO) -> None:
    """Log to `stream` from this level on, every known secret masked."""
    logs.start_logging(stream, redactor_of(settings, catalog), level=level)


def redactor_of(settings: Settings, catalog: Catalog) -> Redactor:
    """Make what masks every secret that the configuration has."""
    secrets = [*settings.secrets()]
    for connection in catalog.connections.values():
        secrets += [value for value in connection.scope["settings"].values() if isinstance(value, Secret)]
    return Redactor(secrets)


@asynccontextmanager
async def serving(
    settings: Settings, catalog: Catalog, host: str, port: int, stop: asyncio.Event
) -> AsyncIterator[tuple[str, Engine]]:
    """Build engine and application, and serve while the context lasts; gives the URL and the engine.

    `stop` is set when something of it breaks. Raises OSError, StoreUnavailable, StoreTooNewError.
    """
    async with (
        options.engine_of(settings, catalog) as engine,
        backstage(settings, engine, redactor_of(settings, catalog), stop.set) as dependencies,
    ):
        app = build_app(engine, settings, dependencies=dependencies)
        async with listening(app, host, port) as url:
            gc.collect()
            gc.freeze()
            gc.set_threshold(_GC_THRESHOLD)
            logs.started(url=url, connections=catalog.connections, catalog=catalog.version)
            yield url, engine
            app[READINESS].stop()
        logs.stopped()


async def _serve(settings: Settings, catalog: Catalog, host: str, port: int) -> None:
    stop = options.asked_to_stop()
    async with serving(settings, catalog, host, port, stop):
        await stop.wait()
