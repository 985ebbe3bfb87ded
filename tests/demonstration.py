"""The demo of the example configuration on free ports: every provider played, and the gateway in front of them."""

import asyncio
import re
import socket
from contextlib import asynccontextmanager
from pathlib import Path

from gateway import config
from gateway.cli import demo, serve
from tests.shipped import joined

ROOT = Path(__file__).parents[1]
ENVIRONMENT = demo.Environment({})
KEY = ENVIRONMENT["GATEWAY_WEB_KEY"]
"""The key of the caller that may do everything."""


def free_port():
    """Find a port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@asynccontextmanager
async def demonstrated(folder, **changed):
    """Run it while the context lasts; gives its URL and the names of the connections that the caller may use.

    `folder` is where the configuration is written. `changed` are top-level keys of it with another value.
    """
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    clubs = "connections: [club-a, club-b, club-c, club-d"
    assert f"{clubs}]" in text
    text = text.replace(f"{clubs}]", f"{clubs}, market]")  # so that somebody may tell the market what is free
    for number in range(9101, 9106):
        text = text.replace(str(number), str(free_port()))
    kept = {"mappings": f'["{ROOT / "mappings"}"]', "store": f'"sqlite:///{folder / "gateway.db"}"'}
    for key, value in (kept | changed).items():
        text, times = re.subn(rf"(?m)^{key}: .*$", f"{key}: {value}", text)
        assert times == 1, key
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    settings, findings = config.load(path, ENVIRONMENT)
    assert [] == findings
    loaded, findings = joined(settings)
    assert [] == findings
    plays = demo.prepare(loaded)
    assert plays is not None
    async with (
        demo.performing(plays),
        serve.serving(settings, loaded, "127.0.0.1", 0, asyncio.Event()) as (url, _),
    ):
        yield url, tuple(name for name in loaded.connections if name in settings.callers["web"].connections)
