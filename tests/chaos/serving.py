"""The gateway as `gateway serve` runs it, one store and port for each start: what the nursery makes copies of."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from gateway.cli import options, serve
from gateway.values.secrets import Secret
from tests.chaos.nursery import ROOT

CALLERS = {"ada": "the-key-of-ada-0123456789", "ben": "the-key-of-ben-0123456789"}
TIMEOUT = 3.0
"""Seconds that a call may take."""


def configured(folder, fronts, kinds, zone):
    """Write the configuration in which every one of these clubs is a connection; gives its path."""
    connections = {}
    for name, front in fronts.items():
        kind = kinds[name]
        told = {key: one.reveal() if isinstance(one, Secret) else one for key, one in kind.settings.items()}
        about = {"base_url": front.url, "time_zone": zone, "currency": "EUR"}
        connections[name] = {"provider": kind.provider, "settings": about | told}
    whole = {
        "store": "sqlite:///unused.db",
        "mappings": [str(ROOT / "mappings")],
        "timeout": f"{TIMEOUT:g}s",
        "callers": {name: {"key": key, "may": ["read", "write"]} for name, key in CALLERS.items()},
        "egress": {"allow": ["127.0.0.0/8"]},
        "connections": connections,
    }
    path = Path(folder, "calls.yaml")
    path.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML
    return path


def prepare(path):
    """Load everything, and give what serves it."""
    loaded = options.load(Path(path), {})
    if loaded is None:
        raise SystemExit("the configuration of the test is wrong")
    settings, catalog = loaded

    def live(order):
        serve.start_logging(settings, catalog, sys.stderr)
        asyncio.run(_serve(replace(settings, store=order["store"]), catalog, order["port"]))

    return live


async def _serve(settings, catalog, port):
    forever = asyncio.Event()
    async with serve.serving(settings, catalog, "127.0.0.1", port, forever):
        await forever.wait()
