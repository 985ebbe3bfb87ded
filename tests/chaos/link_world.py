"""What a plan of a link is played in: a marketplace and a club behind their fronts, and a gateway that can be killed.

Its clock is `at`, in milliseconds since 1970, and moves when the plan says so.
"""

import asyncio
import contextlib
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from gateway.transport.client import Client
from tests.applications import engine_of
from tests.chaos.clubs import CLUBS, Staff, held
from tests.chaos.front import WRITES, Front
from tests.chaos.link_serving import REFERENCE, referring
from tests.chaos.nursery import ROOT, Raised, nursery
from tests.chaos.world import START_SECONDS
from tests.links.clubs import MARKET, TOKEN, connection
from tests.links.linked import DAY, MONDAY
from tests.processes import steady_port

SLOTS = tuple((court, f"{DAY}T{hour:02}:00", f"{DAY}T{hour + 1:02}:00") for court, hour in ((1, 10), (1, 11), (2, 10)))
"""The slots that plans are about: court, begin and end."""
CALL_SECONDS = 20.0


@dataclass(eq=False, repr=False, kw_only=True)
class LinkWorld(Raised):
    """What `link_world` gives."""

    folder: object
    clubs: dict
    market: Front
    session: object
    client: object
    port: int
    name: str = ""
    refers: str = ""
    staff: object = None
    at: int = MONDAY
    url: str = ""
    starts: int = 0
    taken: dict = field(default_factory=dict)
    """The bookings of staff that stand, by slot."""

    @property
    def club(self):
        return self.clubs[self.name]

    @property
    def courts(self):
        """Give how many courts of the club are sold."""
        return len(CLUBS[self.name].courts)

    def slot(self, number):
        """Give a slot of a court that there is."""
        here = [one for one in SLOTS if one[0] <= self.courts]
        return here[number % len(here)]

    def held(self):
        return held(self.club.provider, self.club.play.state)

    def place(self, court):
        """Give what a court is called in what the club holds."""
        resource, service = CLUBS[self.name].courts[court - 1]
        words = {"generic": "", "teambooking": f"{service} {resource}"}
        return words.get(self.club.provider, resource)

    def told(self):
        """Give what the marketplace was told last of the slots, by number of court and begin."""
        rows = self.market.play.state["slots"].values()
        return {(int(one["facilityId"][1:]), one["startDateTime"]): one["isAvailable"] for one in rows}

    async def begin(self, provider, lies=""):
        """Make it new, about this club."""
        await self.kill(counted=False)
        self.name, _, self.refers = provider.partition("+")
        self.at, self.kills, self.taken = MONDAY, 0, {}
        kind = CLUBS[self.name]
        self.club.begin(kind.settings, lambda: self.at, lies=lies)
        self.market.begin(MARKET, lambda: self.at)
        joined = connection("club", kind.provider, self.club.open_url, kind.settings)
        self.staff = Staff("club", engine_of({"club": joined}, self.client.send, lambda: self.at), kind)
        self.starts += 1
        await self.start()

    async def start(self):
        self.pid = await self.parent.start(
            {
                "store": f"sqlite:///{self.folder}/links{self.starts}.db",
                "port": self.port,
                "at": self.at,
                "starts": self.kills,
                "club": self.name,
                "club_url": self.club.url,
                "market": self.refers,
                "market_url": self.market.url,
            }
        )
        async with asyncio.timeout(START_SECONDS):
            while (told := await self.does("nothing")) is None:  # noqa: ASYNC110 - another process is waited for
                await asyncio.sleep(0.01)
        self.url = told["url"]

    async def does(self, what, seconds=0):
        """Let time pass and have the gateway do something; None when it is dead or dies of it."""
        self.at += int(seconds * 1000)
        with contextlib.suppress(aiohttp.ClientError):
            async with self.session.post(
                f"http://127.0.0.1:{self.port}/", json={"do": what, "at": self.at}
            ) as response:
                return await response.json() if response.status == 200 else None
        return None

    async def sends(self, message):
        """Send what a marketplace sends; gives the status, 0 for no answer."""
        body = {key: value for key, value in message.items() if value is not None}
        headers = {"Content-Type": "application/json"}
        address = f"{self.url}/hooks/market/events/{TOKEN}"
        try:
            async with self.session.post(address, data=json.dumps(body), headers=headers) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    def message(self, event, slot, player, reference):
        """Write what a marketplace sends of a slot; the reference only where it has one."""
        court, start, end = slot
        body = {"event": event, "facilityId": f"c{court}", "startDateTime": start, "endDateTime": end}
        body |= {REFERENCE: reference} if self.refers else {}
        return body | ({"playerName1": player} if event == "booking" else {})


@asynccontextmanager
async def link_world(folder):
    """Give the LinkWorld while the context lasts."""
    async with AsyncExitStack() as stack:
        words = {"push": WRITES["anybuddy"]}
        clubs = {name: Front(kind.provider, "club", words=dict(kind.calls)) for name, kind in CLUBS.items()}
        market = Front("anybuddy", "market", words=words)
        for front in (*clubs.values(), market):
            await front.open(stack)
        path = folder / "referring.yaml"
        referring(ROOT / "mappings" / "anybuddy.yaml", path)
        parent = await stack.enter_async_context(nursery("tests.chaos.link_serving", path, folder / "links.log"))
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=timeout)
        await stack.enter_async_context(session)
        client = await stack.enter_async_context(Client(["127.0.0.0/8"]))
        yield LinkWorld(
            folder=folder,
            clubs=clubs,
            market=market,
            parent=parent,
            session=session,
            client=client,
            port=steady_port(),
        )
