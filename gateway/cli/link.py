"""`gateway link`: how marketplace links fare, where they are out of step, and doing it all anew.

It opens the store itself and asks no gateway. What must be sent to a marketplace, a running gateway sends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from functools import partial

from gateway import config
from gateway.application import Application, open_application
from gateway.cli import options
from gateway.cli.link_tables import diff_lines, list_lines, status_lines
from gateway.cli.serve import start_logging
from gateway.config import LinkSettings, Settings
from gateway.engine.catalog import Catalog
from gateway.store.links import links as steps
from gateway.store.links import offers
from gateway.store.links.links import LinkState
from gateway.store.migrations import StoreTooNewError
from gateway.values.errors import GatewayError, StoreUnavailable
from gateway.values.messages import Json

HELP = """Show how marketplace links fare (list, status), compare what a marketplace was told with what the club says
now (diff), or have the club read and the marketplace told anew (resync), which the running gateway does."""
EXAMPLES = """examples:
  gateway link list                            every link of the configuration, a line each
  gateway link status club-a-market            pulls, pushes, bookings, and what somebody must look at
  gateway link diff club-a-market --json       asks the club now; nothing is changed
  gateway link resync club-a-market            and watches until all of it is told

exit codes: 0 in step, or done; 1 something is different, failed or must be looked at, or findings in the configuration;
2 wrong usage"""

STILL_SECONDS = 30.0
"""How long nothing may move before it is said that no gateway seems to be running."""
_LOOK_SECONDS = 0.2
_ALL = "list"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the verb."""
    options.add_config(parser)
    parser.add_argument("what", choices=("status", "diff", "resync", _ALL))
    parser.add_argument("name", metavar="NAME", nargs="?", help="the link's name in the configuration")
    parser.add_argument("--json", action="store_true", help="print what the operator's HTTP side answers")
    parser.add_argument("--no-wait", action="store_true", help="with resync: begin it and leave")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and print what there is to say."""
    what, name = arguments.what, arguments.name
    wrong = {
        "needs the NAME of a link; `gateway link list` shows them": what != _ALL and name is None,
        "takes no NAME": what == _ALL and name is not None,
        "takes no --no-wait, which is for resync": what != "resync" and arguments.no_wait,
    }
    for problem in (problem for problem, holds in wrong.items() if holds):
        print(f"gateway link {what} {problem}", file=sys.stderr)
        return 2
    loaded = options.load(arguments.config, config.environment())
    if loaded is None:
        return 1
    settings, catalog = loaded
    start_logging(settings, catalog, sys.stderr, level=logging.CRITICAL)  # what is printed tells it all
    link = next((one for one in settings.links if one.name == name), None)
    if link is None and what != _ALL:
        known = ", ".join(one.name for one in settings.links) or "none"
        print(f"there is no link `{name}`; the configuration has {known}", file=sys.stderr)
        return 2
    if settings.links and not options.reaches_store(settings):
        return 1
    try:
        return asyncio.run(_run(settings, catalog, link, arguments))
    except (StoreUnavailable, StoreTooNewError) as error:
        print(f"`store` cannot be opened: {error}", file=sys.stderr)
    except GatewayError as error:
        print(f"{name}: {error.detail}", file=sys.stderr)
    return 1


async def _run(settings: Settings, catalog: Catalog, link: LinkSettings | None, arguments: argparse.Namespace) -> int:
    async with open_application(settings, catalog) as application:
        links = application.links
        if links is None or link is None:
            return _list([] if links is None else await links.statuses(), as_json=arguments.json)
        zone = link.time_zone or catalog.connections[link.peer].zone
        if arguments.what == "diff":
            deadline = asyncio.get_running_loop().time() + settings.timeout
            diff = await links.diff(link.name, deadline)
            _print(diff, diff_lines(diff, zone), as_json=arguments.json)
            return 0 if diff["in_step"] else 1
        moved = True
        if arguments.what == "resync":
            began = application.ambient.now()
            await links.resync(link.name)
            moved = arguments.no_wait or await _is_watched(application, link.name, began)
        status = await links.status(link.name)
        _print(status, status_lines(status, zone), as_json=arguments.json)
        return 1 if status["attention"] or not moved else 0


def _list(statuses: list[dict[str, Json]], *, as_json: bool) -> int:
    _print(statuses, list_lines(statuses), as_json=as_json)
    return 1 if any(one["attention"] for one in statuses) else 0


async def _is_watched(application: Application, name: str, began: int) -> bool:
    """Print to standard error how far a resync is, until it is done or nothing has moved for long; gives whether done.

    It is done when the club was read since `began`, in milliseconds since 1970, and nothing waits to be told.
    """
    database, clock, now = application.database, application.ambient.clock, application.ambient.now
    told, moved = "", clock()
    while True:
        state = await database.read(partial(steps.state, name=name))
        waiting, _ = await database.read(partial(offers.depth, link=name, now=now()))
        done = state is not None and (state.read_at or 0) >= began and waiting == 0
        line = _progress(state, waiting, began)
        if line != told:
            told, moved = line, clock()
            print(f"{name}: {line}", file=sys.stderr, flush=True)
        if done:
            return True
        if clock() - moved > STILL_SECONDS:
            told = "nothing moves; is a gateway running on this store? It goes on from here when one is."
            print(f"{name}: {told}", file=sys.stderr)
            return False
        await asyncio.sleep(_LOOK_SECONDS)


def _progress(state: LinkState | None, waiting: int, began: int) -> str:
    """Say how far a resync is, and what hinders it."""
    if state is None or (state.read_at or 0) < began:
        hindered = None if state is None else state.read_reason
        return "the club is to be read" + (f"; the last try failed: {hindered}" if hindered else "")
    hindered = state.push_reason if waiting else None
    return f"{waiting} slots to tell" + (f"; the last try failed: {hindered}" if hindered else "")


def _print(told: Json, lines: list[str], *, as_json: bool) -> None:
    print(json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n".join(lines))
