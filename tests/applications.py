"""The application of the tests: the very same that `gateway serve` builds, before a clock that tests move by hand."""

import ipaddress
import json
import tempfile
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

from gateway import config
from gateway.application import Ambient, build, build_engine, open_application
from gateway.engine.catalog import Catalog

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
MARCH = 1_772_323_200_000
"""2026-03-01T00:00:00Z"""
NUMBERS = count(1)
"""Of all ids, so that no two applications on one store make the same."""


def configured(connections, **keys):
    """Give the settings of a configuration with these connections: their providers by name; the rest are its keys."""
    callers = {"web": {"key": "web-key-0123456789", "may": ["read"]}}
    accounts = {name: {"provider": provider} for name, provider in connections.items()}
    return _loaded(json.dumps({"callers": callers, "connections": accounts} | keys))  # JSON is YAML


@cache
def _loaded(text):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "gateway.yaml")
        path.write_text(text, encoding="utf-8")
        found, findings = config.load(path, {})
    assert [] == [one.message for one in findings]
    return found


def milliseconds(moment):
    """Give a moment, with its zone, as milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def ambient(now, **changed):
    """Give what an application takes from the world: this clock, numbered ids, no chance, and nothing is repeated.

    `now` gives milliseconds since 1970; the rest are fields of an Ambient.
    """
    numbers, draws = count(1), count(1)
    usual = {
        "new_id": lambda prefix: f"{prefix}_{next(NUMBERS):06}",
        "new_uuid": lambda: f"00000000-0000-4000-8000-{next(numbers):012x}",
        "chance": lambda: 0.5,
        "token_bytes": lambda size: bytes([next(draws) % 256]) * size,
        "retries": 0,
    }
    return Ambient(now=now, **usual | changed)


def engine_of(connections, send, now, **changed):
    """Build an engine on these connections by name, or on a catalog; `send` is its way to the providers.

    The rest is as in `ambient`.
    """
    catalog = connections if isinstance(connections, Catalog) else Catalog("v1", {}, connections)
    return build_engine(catalog, send, ambient(now, **changed))


def built(database, now, *, settings=None, send=None, **changed):
    """Build an application without connections on an open store; `send` is the way to who is told of events.

    The rest is as in `ambient`.
    """
    world = ambient(now, **changed)
    engine = build_engine(Catalog("v1", {}, {}), send, world)
    return build(settings or configured({"club": "example"}), engine, database, send, world)


@asynccontextmanager
async def opened(settings, connections, url, now, *, process="", send=None, **changed):
    """Open an application on this store, with these connections by name, that may call this machine.

    The rest is as in `open_application` and `ambient`.
    """
    settings = replace(settings, store=url, egress=LOOPBACK)
    catalog = Catalog("v1", {}, connections)
    world = ambient(now, **changed)
    async with open_application(settings, catalog, world, process=process, send=send) as application:
        yield application
