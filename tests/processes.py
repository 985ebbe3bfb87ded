"""A real `gateway serve` as a process, and the subscriber it delivers to: for what must hold whatever is killed.

One connection to the provider of a mapping without signatures, on loopback. Only processes started here are ended.
"""

import asyncio
import json
import random
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway.events import heartbeat
from gateway.webhooks.outbound import sender

ROOT = Path(__file__).parents[1]
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw"
HOOK = "/hooks/club/events/the-token-of-the-hook"
START_SECONDS = 40.0
_SHORTER = """import sys
from gateway.events import heartbeat
from gateway.webhooks import outbound
outbound.LEASE_MARGIN, heartbeat.INTERVAL = float(sys.argv.pop(1)), float(sys.argv.pop(1))
from gateway.cli import main
sys.exit(main())"""


def steady_port():
    """Find a free port below those that systems give to clients: none of them can have it while a gateway is down."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")


def configuration(store, subscribers, deliveries):
    """Write the configuration of one connection; JSON is YAML."""
    settings = {"base_url": "http://127.0.0.1:9", "api_key": "key", "hook_token": HOOK.rpartition("/")[2]}
    zone = {"time_zone": "Europe/Berlin", "currency": "EUR"}
    return json.dumps(
        {
            "store": store,
            "mappings": [str(ROOT / "mappings" / "generic.yaml")],
            "callers": {"web": {"key": "the-key-of-a-caller-0123", "may": ["read"]}},
            "egress": {"allow": ["127.0.0.0/8"]},
            "connections": {"club": {"provider": "generic", "settings": settings | zone}},
            "webhooks": [{"url": url, "secret": SECRET} for url in subscribers],
            "deliveries": deliveries,
        }
    )


@dataclass
class Served:
    """A gateway that can be started, killed and started again on the same port.

    `margin`: a shorter rest of leases, and `beat` a shorter time between life signs, in seconds.
    """

    folder: Path
    margin: float | None = None
    beat: float | None = None
    port: int = field(default_factory=steady_port)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def start(self):
        """Start it; it is not ready yet."""
        way = ["-m", "gateway"]
        if self.margin is not None or self.beat is not None:
            margin = sender.LEASE_MARGIN if self.margin is None else self.margin
            way = ["-c", _SHORTER, str(margin), str(self.beat or heartbeat.INTERVAL)]
        words = ["serve", "--config", str(self.folder / "config.yaml"), "--port", str(self.port)]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *way, *words, cwd=self.folder, env={"PYTHONPATH": str(ROOT)}, stdout=log, stderr=log
            )

    async def ready(self, session):
        """Wait until it takes work."""
        async with asyncio.timeout(START_SECONDS):
            while not await self._answers(session):
                assert self.process.returncode is None, f"it ended by itself: {self.said()}"
                await asyncio.sleep(0.02)

    async def _answers(self, session):
        try:
            async with session.get(f"{self.url}/ready") as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def kill(self):
        """End it as a power cut does, for the process."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def stop(self):
        """End it as an operator does, and give the exit code."""
        self.process.terminate()
        async with asyncio.timeout(40):
            return await self.process.wait()

    def said(self):
        """Give the end of its log."""
        return (self.folder / "log.txt").read_text(encoding="utf-8")[-3000:]


@dataclass
class Subscriber:
    """Takes deliveries on 127.0.0.1, verifies each and notes it. `answer` gives the status, and the seconds to wait."""

    answer: object
    bodies: dict = field(default_factory=dict)
    """The body of each event id, as it came first; in the order in which they came."""
    at: dict = field(default_factory=dict)
    """When each came first, on the loop's clock."""
    accepted: set = field(default_factory=set)
    arrivals: int = 0
    unsigned: int = 0
    changed: int = 0

    async def take(self, request):
        body = await request.read()
        try:
            Webhook(SECRET).verify(body, dict(request.headers))
        except WebhookVerificationError:
            self.unsigned += 1
            return web.Response(status=400)
        key = request.headers["webhook-id"]
        self.arrivals += 1
        self.at.setdefault(key, asyncio.get_running_loop().time())
        self.changed += self.bodies.setdefault(key, body) != body
        status, seconds = self.answer()
        if seconds:
            await asyncio.sleep(seconds)
        if status == 200:
            self.accepted.add(key)
        return web.Response(status=status)

    async def open(self, stack):
        """Listen until the stack ends, and give the URL."""
        app = web.Application()
        app.router.add_post("/told", self.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/told"
