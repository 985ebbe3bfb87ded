"""A marketplace, a club and gateways between them, on real sockets: `async with linked(folder, "locaboo") as house`.

The marketplace asks over HTTP at the gateway's hooks and is told at its own address; the club is played by its shipped
examples. `house.at` is the clock of everything, in milliseconds since 1970. Staff of the club books past the gateway.
"""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web

from gateway.application import Application, open_engine
from gateway.engine.catalog import Catalog
from gateway.engine.engine import Engine
from gateway.events.polling import PollingSettings
from gateway.model.model import arguments, load
from gateway.store.links import ledger
from gateway.values.messages import Call
from tests.applications import LOOPBACK, ambient, configured, opened
from tests.databases import sqlite_store
from tests.links.clubs import KINDS, MARKET, TOKEN, ZONE, connection, staged
from tests.stored import events_of

MONDAY = int(datetime(2026, 3, 9, 9, tzinfo=ZoneInfo(ZONE)).timestamp() * 1000)
DAY = "2026-03-10"
"""The day that most is booked on."""
TEN = f"{DAY}T10:00"
_NAMES = {"reference": "bookingId", "email": "playerEmail", "phone": "playerPhone"}
"""What a marketplace sends besides that is played by another mapping (`clubs.referring`)."""
SECOND = 1000
MINUTE = 60 * SECOND
LINK = "courts"


@dataclass(repr=False, eq=False)
class Gateway:
    """One gateway, and where it is served."""

    application: Application
    url: str = ""
    runner: object = None

    @property
    def database(self):
        return self.application.database

    @property
    def engine(self):
        return self.application.engine

    @property
    def publisher(self):
        return self.application.publisher

    @property
    def links(self):
        return self.application.links

    async def watched(self):
        """Poll the club as the watch does."""
        return await self.application.polling.round(self.engine.connection("club"))


@dataclass(repr=False, eq=False)
class House:
    """What `linked` gives."""

    kind: object
    stack: AsyncExitStack
    url: str
    settings: object = None
    market: object = None
    club: object = None
    connections: dict = field(default_factory=dict)
    session: object = None
    staff: Engine = None
    at: int = MONDAY
    way_out: object = None
    """What sends instead of a client, if anything."""
    process: str = ""
    """The name under which gateways claim their work; without one nobody takes it over."""
    gateways: list = field(default_factory=list)

    def now(self):
        return self.at

    def later(self, seconds):
        self.at += int(seconds * SECOND)

    def change(self, **keys):
        """Have gateways that are started from now on know another link."""
        links = tuple(replace(one, **keys) for one in self.settings.links)
        self.settings = replace(self.settings, links=links)

    async def gateway(self):
        """Start a gateway, or another one on the same store."""
        label, numbers = len(self.gateways) + 1, count(1)
        application = await self.stack.enter_async_context(
            opened(
                self.settings,
                self.connections,
                self.url,
                self.now,
                process=self.process,
                send=self.way_out,
                polling=PollingSettings(timeout=10.0),
                new_id=lambda prefix: f"{prefix}_{next(numbers):06}{label}",  # another one after each start
            )
        )
        made = Gateway(application)
        made.runner = web.AppRunner(application.surface(), access_log=None, shutdown_timeout=0.1)
        await made.runner.setup()
        self.stack.push_async_callback(made.runner.cleanup)
        await web.TCPSite(made.runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{made.runner.addresses[0][1]}"
        self.gateways.append(made)
        return made

    async def kill(self, which=0):
        """End a gateway in the middle of its work; what it has written stays."""
        await self.gateways[which].runner.cleanup()

    # The marketplace asks.

    async def asks(self, method, *, which=0, token=TOKEN, body=None, raw=None, query=None):
        """Send what a marketplace sends; gives status, JSON or None, and headers."""
        url = f"{self.gateways[which].url}/hooks/market/events/{token}"
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data is not None else {}
        async with self.session.request(method, url, params=query, data=data, headers=sent) as response:
            text = await response.text()
            told = json.loads(text) if response.content_type == "application/json" and text else None
            return response.status, told, response.headers

    async def pull(self, days=1, center="WYZ", which=0):
        """Ask for the calendar; gives the status and the slots by `court start`."""
        query = {name: str(value) for name, value in (("date", days), ("center_id", center)) if value is not None}
        status, told, _ = await self.asks("GET", query=query, which=which)
        return status, None if status != 200 else {_place(one): one for one in told["slots"]}

    async def book(self, start=TEN, court="c1", **more):
        """Send a booking; gives the status."""
        return await self._about("booking", start, court, **more)

    async def cancel(self, start=TEN, court="c1", **more):
        """Send a cancellation; gives the status."""
        return await self._about("cancel", start, court, **more)

    async def _about(
        self, what, start, court, *, minutes=60, player="Jane Doe", slot_id=None, which=0, query=None, **more
    ):
        end = (datetime.fromisoformat(start) + timedelta(minutes=minutes)).isoformat(timespec="minutes")
        body = {"event": what, "facilityId": court, "startDateTime": start, "endDateTime": end}
        body |= {} if player is None else {"playerName1": player}
        body |= {} if slot_id is None else {"slotId": slot_id}
        body |= {_NAMES[name]: value for name, value in more.items()}
        return (await self.asks("POST", body=body, which=which, query=query))[0]

    def told(self, place=f"c1 {TEN}"):
        """What the marketplace was told last of a slot; None when nothing was pushed."""
        return self.everything().get(place, {}).get("isAvailable")

    def everything(self):
        """What the marketplace was told last of every slot, by `court start`."""
        return {_place(one): one for one in self.market.play.state["slots"].values()}

    # The gateway works.

    async def step(self, which=0, times=1):
        """Do once what the worker has to do."""
        for _ in range(times):
            await self.gateways[which].links.step(LINK)

    async def status(self, which=0):
        return await self.gateways[which].links.status(LINK)

    async def entries(self):
        """Give the states of the ledger's entries, the oldest first."""
        return [one.state for one in await self.rows()]

    async def rows(self):
        rows = await self.gateways[0].database.read(lambda store: ledger.list_(store, LINK, 100))
        return sorted(rows, key=lambda one: (one.created_at, one.id))

    async def channels(self):
        """Give what the bookings of the club's events are told to have come through."""
        return [one["data"].get("source") for one in await self._bodies()]

    async def events(self):
        """Give type and booking of the club's events, in order."""
        return [(one["event"], one["data"]["id"]) for one in await self._bodies()]

    async def _bodies(self):
        stored = await self.gateways[0].database.read(lambda store: events_of(store, "club"))
        return [json.loads(one.body) for one in stored]

    async def turned(self, seconds=0):
        """Let time pass, poll the club's bookings if that is how its changes are known, and have the worker work."""
        self.later(seconds)
        await self.gateways[0].watched()
        await self.step()

    # Staff of the club works past the gateway.

    async def works(self, operation, **given):
        """Run an operation of the club as its staff does."""
        checked = arguments(load().operations[operation], given, ZONE)
        deadline = asyncio.get_running_loop().time() + 10
        return (await self.staff.run(Call("club", operation, checked, "staff", deadline))).data

    async def takes(self, start=TEN, number=0, name="Ada Member"):
        """Book a court at the club itself; gives the booking."""
        resource, service = self.kind.courts[number]
        day = datetime.fromisoformat(start).date()
        window = {"from": f"{day}T00:00", "to": f"{day + timedelta(days=1)}T00:00"}
        window |= {} if service is None else {"service_id": service}
        begins = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
        customer = {"name": name, "email": "ada@club.example"}
        customer |= {"phone": "+33698765432"} if "phone" in self.kind.customer else {}
        for slot in await self.works("slots.list", **window):
            mine = slot.get("resource_id") in {None, resource} and slot["available"]
            if mine and datetime.fromisoformat(slot["start"]) == begins:
                return await self.works("bookings.create", slot_id=slot["id"], customer=customer)
        raise AssertionError(f"nothing is free at {start}")

    async def held(self, day=DAY):
        """Give what the club holds on a day: start and customer of every booking that stands, in order."""
        after = datetime.fromisoformat(day).date() + timedelta(days=1)
        listed = await self.works("bookings.list", **{"from": f"{day}T00:00", "to": f"{after}T00:00"})
        return sorted(
            datetime.fromisoformat(one["start"]).astimezone(ZoneInfo(ZONE)).isoformat()[11:16]
            for one in listed
            if one["status"] != "cancelled"
        )


def _place(slot):
    return f"{slot['facilityId']} {slot['startDateTime']}"


@asynccontextmanager
async def linked(
    folder, club, *, url=None, link=None, courts=None, settings=None, market=None, at=MONDAY, plan=None, club_plan=None
):
    """Run a marketplace, a club of this kind and a gateway while the context lasts.

    `link` are keys of the link with other values, `courts` its facilities, `settings` and `market` settings of the
    club's and the marketplace's connection, `plan` another mapping of the marketplace, `club_plan` one of the club.
    """
    kind = KINDS[club]
    async with AsyncExitStack() as stack:
        house = House(kind, stack, url or sqlite_store(folder / "gateway.db"), at=at)
        house.settings = _settings(kind, link or {}, courts)
        house.session = await stack.enter_async_context(aiohttp.ClientSession())
        house.club, joined = await stack.enter_async_context(
            staged("club", kind.provider, kind.settings | (settings or {}), house.now, kind)
        )
        house.market, peer = await stack.enter_async_context(
            staged("market", "anybuddy", MARKET | (market or {}), house.now)
        )
        if club_plan is not None:
            about = kind.settings | (settings or {})
            joined = connection("club", kind.provider, f"http://127.0.0.1:{house.club.port}", about, club_plan)
        if plan is not None:
            peer = connection("market", "anybuddy", f"http://127.0.0.1:{house.market.port}", MARKET, plan)
        house.connections = {"club": joined, "market": peer}
        house.staff = await stack.enter_async_context(
            open_engine(
                replace(house.settings, egress=LOOPBACK), Catalog("v", {}, house.connections), ambient(house.now)
            )
        )
        await house.gateway()
        yield house


def _settings(kind, link, courts):
    """Read the configuration as an operator would write it."""
    facilities = courts or [
        {"facility_id": f"c{number}", "name": f"Court {number}", "sport": "padel", "resource_id": resource}
        | ({} if service is None else {"service_id": service})
        for number, (resource, service) in enumerate(kind.courts, 1)
    ]
    whole = {
        "name": LINK,
        "peer": "market",
        "club": "club",
        "center_id": "WYZ",
        "horizon_days": 2,
        "facilities": facilities,
        "customer": kind.customer,
    }
    links = [{key: value for key, value in (whole | link).items() if value is not None}]
    found = configured(
        {"club": kind.provider, "market": "anybuddy"}, timeout="6s", polling={"interval": "1s"}, links=links
    )
    return replace(found, links=tuple(replace(one, debounce=0.0) for one in found.links))


def on(*clubs):
    """Run a test against each of these clubs: its argument `house` is the marketplace linked to one of them."""
    return pytest.mark.parametrize("house", clubs, indirect=True)


async def until(holds, seconds=10.0):
    """Wait until something holds; fails when it does not within so many seconds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for is the state of a simulator
            await asyncio.sleep(0.01)
