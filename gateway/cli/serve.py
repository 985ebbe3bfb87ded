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
from gateway.application import Ambient, Application, open_application, redactor_of
from gateway.cli import options
from gateway.config import Settings
from gateway.engine.catalog import Catalog
from gateway.store.migrations import StoreTooNewError
from gateway.surface.health import READINESS
from gateway.surface.http.server import listening
from gateway.telemetry import logs
from gateway.values.errors import StoreUnavailable

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


@asynccontextmanager
async def serving(
    settings: Settings, catalog: Catalog, host: str, port: int, stop: asyncio.Event
) -> AsyncIterator[tuple[str, Application]]:
    """Build the application, and serve while the context lasts; gives the URL and the application.

    `stop` is set when something of it breaks. Raises OSError, StoreUnavailable, StoreTooNewError.
    """
    ambient = Ambient()
    async with (
        open_application(settings, catalog, ambient, process=ambient.new_id("gw")) as application,
        application.work(stop.set),
    ):
        app = application.surface()
        async with listening(app, host, port) as url:
            gc.collect()
            gc.freeze()
            gc.set_threshold(_GC_THRESHOLD)
            logs.started(url=url, connections=catalog.connections, catalog=catalog.version)
            if application.database.in_memory:
                logs.store_in_memory()
            yield url, application
            app[READINESS].stop()
        logs.stopped()


async def _serve(settings: Settings, catalog: Catalog, host: str, port: int) -> None:
    stop = options.stop_event()
    async with serving(settings, catalog, host, port, stop):
        await stop.wait()
