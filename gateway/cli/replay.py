"""`gateway replay`: send events of the past again, or read again what could not be read, and watch until it is done."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

from gateway import config
from gateway.application import Application, open_application
from gateway.cli import options
from gateway.cli.serve import start_logging
from gateway.config import Settings
from gateway.engine.catalog import Catalog
from gateway.store.database import Database
from gateway.store.deliveries import replays
from gateway.store.deliveries.replays import RUNNING, Job, ReplaySelection
from gateway.store.events.events import Receipt
from gateway.store.events.receipts import in_state, of_state
from gateway.store.migrations import StoreTooNewError
from gateway.values.errors import GatewayError, NotMapped, StoreUnavailable
from gateway.webhooks.outbound.replay import Replays

HELP = """Send events again to those who subscribed, with the same ids and bodies. It is written into the store, and the
running gateway sends it. Or, with --dead-letters, read messages of providers again that did not fit their mapping."""
EXAMPLES = """examples:
  gateway replay --event evt_018c…                        one event, to everybody who subscribed it
  gateway replay --from 2026-03-19T08:00:00Z --connection club-a
  gateway replay --dead --subscription wh_018c…           what this endpoint did not take
  gateway replay --dead-letters                           after a mapping was mended

exit codes: 0 all is delivered or read, 1 some is not, or findings in the configuration, 2 wrong usage"""

STILL_SECONDS = 30.0
"""How long nothing may move before it is said that no gateway seems to be running."""
_LOOK_SECONDS = 0.2
_PAGE = 100


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    options.add_config(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--event", metavar="ID", help="this event")
    what.add_argument("--from", dest="since", type=_moment, metavar="TIME", help="the events told since; UTC if unsaid")
    what.add_argument("--dead", action="store_true", help="what was given up and not delivered since")
    what.add_argument("--dead-letters", action="store_true", help="messages of providers that could not be read")
    parser.add_argument("--to", dest="until", type=_moment, metavar="TIME", help="with --from: the events told before")
    parser.add_argument("--subscription", metavar="ID", help="only to this subscription")
    parser.add_argument("--connection", metavar="NAME", help="only of this connection")
    parser.add_argument("--no-wait", action="store_true", help="begin it and leave")


def run(arguments: argparse.Namespace) -> int:
    """Replay, and tell how it went."""
    if arguments.until is not None and arguments.since is None:
        print("gateway replay: --to needs --from", file=sys.stderr)
        return 2
    if arguments.until is not None and arguments.until <= arguments.since:
        print("gateway replay: --to must be later than --from", file=sys.stderr)
        return 2
    if arguments.dead_letters and arguments.subscription is not None:
        print("gateway replay: --dead-letters are not yet anybody's events: leave --subscription out", file=sys.stderr)
        return 2
    loaded = options.load(arguments.config, config.environment())
    if loaded is None:
        return 1
    settings, catalog = loaded
    if not options.reaches_store(settings):
        return 1
    start_logging(settings, catalog, sys.stderr, level=logging.CRITICAL)  # what is printed tells it all
    if arguments.connection is not None and arguments.connection not in catalog.connections:
        known = ", ".join(sorted(catalog.connections))
        print(f"there is no connection `{arguments.connection}`; the configuration has {known}", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_replay(settings, catalog, arguments))
    except (StoreUnavailable, StoreTooNewError) as error:
        print(f"`store` cannot be opened: {error}", file=sys.stderr)
        return 1


async def _replay(settings: Settings, catalog: Catalog, arguments: argparse.Namespace) -> int:
    async with open_application(settings, catalog) as application:
        if arguments.dead_letters:
            return await _read_again(application, arguments.connection)
        return await _send_again(application, _read_wanted(arguments), wait=not arguments.no_wait)


async def _send_again(application: Application, wanted: ReplaySelection, *, wait: bool) -> int:
    """Begin a replay and tell of it until it has ended."""
    try:
        job = await application.replays.begin(wanted)
    except GatewayError as refused:
        if isinstance(refused, StoreUnavailable):
            raise
        print(refused.detail, file=sys.stderr)
        return 2 if isinstance(refused, NotMapped) else 1
    print(f"{job.id}: {job.total} {'delivery' if job.total == 1 else 'deliveries'} to make")
    return await _watch(application.database, application.replays, job) if wait else 0


async def _watch(database: Database, work: Replays, job: Job) -> int:
    """Carry a replay on, as the gateway does, and print how far it is whenever that changes."""
    clock = asyncio.get_running_loop().time
    told, moved = "", clock()
    while True:
        await work.step()
        found = await database.read(partial(replays.job, key=job.id))
        job = job if found is None else found
        line = f"{job.id}: " + ", ".join(f"{count} {state}" for state, count in sorted(job.counts.items()))
        if line != told and job.counts:
            told, moved = line, clock()
            print(line, flush=True)
        if job.state != RUNNING:
            print(f"{job.id}: {job.state}, {job.counts.get('delivered', 0)} of {job.total} delivered")
            return 0 if job.counts.get("delivered", 0) == sum(job.counts.values()) else 1
        if clock() - moved > STILL_SECONDS:
            print(f"{job.id}: nothing moves; is a gateway running on this store? The replay goes on.", file=sys.stderr)
            return 1
        await asyncio.sleep(_LOOK_SECONDS)


async def _read_again(application: Application, name: str | None) -> int:
    """Read every dead letter again, of one connection or all, the newest first, and say what became of each.

    Each may take as long as a call, for what must be fetched.
    """
    database, clock = application.database, application.ambient.clock
    read = left = 0
    async for letter in _letters(database):
        if name not in {None, letter.connection}:
            continue
        try:
            settled = await application.receiver.replay(letter.id, clock() + application.settings.timeout)
            why = "" if settled else await _reason(database, letter.id)
        except GatewayError as error:
            if isinstance(error, StoreUnavailable):
                raise
            settled, why = False, error.detail
        read, left = read + settled, left + (not settled)
        print(f"{letter.id} {letter.connection}/{letter.hook}: {'stored' if settled else why}")
    print(f"{read} of {read + left} dead letters stored")
    return 1 if left else 0


async def _reason(database: Database, letter: str) -> str:
    """Give why a dead letter cannot be read, as the last try found."""
    found = await database.read(partial(of_state, state="dead", key=letter))
    return f"it still cannot be read: {found.reason}" if found is not None else "it still cannot be read"


async def _letters(database: Database) -> AsyncIterator[Receipt]:
    """Give every dead letter there is."""
    place: tuple[int, str] | None = None
    while rows := await database.read(partial(in_state, state="dead", before=place, most=_PAGE)):
        for row in rows:
            yield row
        place = rows[-1].received_at, rows[-1].id


def _read_wanted(arguments: argparse.Namespace) -> ReplaySelection:
    return ReplaySelection(
        event=arguments.event,
        since=arguments.since,
        until=arguments.until,
        dead=arguments.dead,
        subscription=arguments.subscription,
        connection=arguments.connection,
    )


def _moment(text: str) -> int:
    """Read a moment for argparse, in milliseconds since 1970."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = "a time is written as in 2026-03-19T08:00:00Z"
        raise argparse.ArgumentTypeError(message) from None
    return int((found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp() * 1000)
