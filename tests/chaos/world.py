"""What a plan of calls is played in: every club behind its front, a nursery of gateways, and those who call them.

The world lasts for many plans. `begin` makes it new for the next one: an empty store, clubs in which nothing happened.
"""

import asyncio
import contextlib
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp

from gateway.transport.client import Client
from tests.chaos.clubs import CLUBS, held, staff_of
from tests.chaos.front import Front
from tests.chaos.nursery import Raised, nursery
from tests.chaos.serving import CALLERS, TIMEOUT, configured
from tests.links.clubs import ZONE
from tests.processes import steady_port

START_SECONDS = 40.0


@dataclass(frozen=True)
class Told:
    """An answer of the gateway. Status 0: there was none."""

    status: int
    body: object = None
    replayed: bool = False
    again: float | None = None
    """In how many seconds the gateway wants to be asked again, where it says so."""

    @property
    def ok(self):
        return 200 <= self.status < 300

    @property
    def code(self):
        return self.body["error"]["code"] if self.status >= 400 else None

    @property
    def operation(self):
        """Give the id under which a write can be asked for."""
        return self.body["error"].get("details", {}).get("operation") if self.status >= 400 else None

    @property
    def doubtful(self):
        """Whether it leaves open what was done: there was no answer, or it says so."""
        if self.status == 0 or self.code == "OUTCOME_UNKNOWN":
            return True
        return self.status >= 400 and "may have been done" in json.dumps(self.body).lower()

    @property
    def final(self):
        """Whether a repeat is answered the same."""
        if 400 <= self.status < 500:
            return self.code not in {"RATE_LIMITED", "IDEMPOTENCY_IN_PROGRESS"} and not self.doubtful
        return self.ok or self.code == "UNSUPPORTED_OPERATION"

    def __str__(self):
        if self.ok:
            about = self.body if isinstance(self.body, dict) else {}
            words = " ".join(str(about[name]) for name in ("id", "status", "start") if name in about)
            return f"{self.status} {words}{' replayed' if self.replayed else ''}".strip()
        return f"{self.status} {self.code}" if self.status else "no answer"


@dataclass(eq=False, repr=False, kw_only=True)
class World(Raised):
    """What `world` gives. `staff` and `slots` are of the club that the plan is about."""

    folder: object
    fronts: dict
    session: object
    client: object
    port: int
    patience: float
    """Seconds for which an operation may be pending."""
    name: str = ""
    staff: object = None
    slots: list = field(default_factory=list)
    starts: int = 0

    @property
    def front(self):
        return self.fronts[self.name]

    def slot(self, number):
        """Give one of the slots that the plan is about, whatever number it has."""
        return self.slots[number % len(self.slots)]

    def held(self):
        """Give what the club holds."""
        return held(self.front.provider, self.front.play.state)

    async def begin(self, name, lies=""):
        """Make it new, about this club."""
        await self.kill(counted=False)
        self.name, self.kills = name, 0
        self.front.begin(CLUBS[name].settings, lies=lies)
        self.staff = staff_of(name, self.front, self.client)
        self.slots = await self.staff.slots()
        self.starts += 1
        await self.start()

    async def start(self):
        store = f"sqlite:///{self.folder}/calls{self.starts}.db"
        self.pid = await self.parent.start({"store": store, "port": self.port})
        async with asyncio.timeout(START_SECONDS):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with self.session.get(f"{self._url}/ready") as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.01)

    @property
    def _url(self):
        return f"http://127.0.0.1:{self.port}"

    async def call(self, method, path, body=None, *, caller="ada", key=None, query=None):
        """Call the gateway about the club."""
        headers = {"Authorization": f"Bearer {CALLERS[caller]}"} | ({"Idempotency-Key": key} if key else {})
        url = f"{self._url}/v1/{self.name}{path}"
        try:
            async with self.session.request(method, url, json=body, headers=headers, params=query) as response:
                told = await response.json() if response.content_type == "application/json" else None
                again = response.headers.get("Retry-After")
                again = None if again is None else float(again)
                return Told(response.status, told, "Idempotent-Replayed" in response.headers, again)
        except (aiohttp.ClientError, TimeoutError):
            return Told(0)

    async def all(self, path, query):
        """Read every page of a list; None where one of them was refused."""
        rows, cursor = [], None
        while True:
            told = await self.call("GET", path, query=query | ({"cursor": cursor} if cursor else {}))
            if not told.ok:
                return None
            rows += told.body["data"]
            cursor = told.body.get("next_cursor")
            if not cursor:
                return rows


def at(booking, word=""):
    """Give the path of a booking, or of what is done to it."""
    return f"/bookings/{quote(booking, safe='')}{word and '/'}{word}"


@asynccontextmanager
async def world(folder, *, patience=0.0):
    """Give the World while the context lasts."""
    async with AsyncExitStack() as stack:
        fronts = {name: Front(kind.provider, name) for name, kind in CLUBS.items()}
        for front in fronts.values():
            await front.open(stack)
        path = configured(folder, fronts, CLUBS, ZONE)
        parent = await stack.enter_async_context(nursery("tests.chaos.serving", path, folder / "calls.log"))
        connector = aiohttp.TCPConnector(force_close=True)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT * 4)
        session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        await stack.enter_async_context(session)
        client = await stack.enter_async_context(Client(["127.0.0.0/8"]))
        yield World(
            folder=folder,
            fronts=fronts,
            parent=parent,
            session=session,
            client=client,
            port=steady_port(),
            patience=patience,
        )
