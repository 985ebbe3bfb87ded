"""The shipped providers as clubs and as the marketplace, played on real sockets, and what makes them fail.

What a club's calls are known by stands here as patterns over a request, so that a fault meets the call that is meant.
"""

import asyncio
import functools
import re
import socket
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from gateway.engine.catalog import bind, load_providers
from gateway.model.model import load
from gateway.simulator.play import Play
from gateway.simulator.server import build_simulator
from gateway.values.secrets import Secret
from tests.shipped import plan_of, scripted

ROOT = Path(__file__).parents[2]
ZONE = "Europe/Paris"
ALL_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
COURT = {
    "id": "court",
    "name": "Court",
    "duration": 60,
    "price": {"amount": 24, "currency": "EUR", "type": "flat"},
    "availability": {"days": ALL_DAYS, "hours": {"start": "08:00", "end": "22:00"}, "timezone": ZONE},
}


@dataclass(frozen=True)
class Kind:
    """A provider as a club: its settings, what is sold of it, whom it wants to know, and its calls as patterns.

    `courts` are the resource and service of each court that is sold, `tells` whether a booking that is cancelled at
    the club is known by what it says when it is read.
    """

    provider: str
    settings: dict
    courts: tuple
    customer: dict
    calls: dict


NAMED = {"name": "{player}", "email": "market+{key}@club.example"}
CALLABLE = NAMED | {"phone": "+33612345678"}
KINDS = {
    "locaboo": Kind(
        "locaboo",
        {"api_secret_key": Secret("locaboo-s3cret-key")},
        (("49", None), ("50", None)),
        NAMED,
        {
            "create": r"^GET \S*booking_save\?(?!\S*booking_id=)",
            "cancel": r"^GET \S*booking_save\?\S*booking_status=Cancel",
            "get": r"^GET \S*/booking/",
            "slots": r"^GET \S*/availability",
            "list": r"^GET \S*/booking_list",
        },
    ),
    "simplybook": Kind(
        "simplybook",
        {
            "company_login": "myclub",
            "api_key": Secret("simplybook-ap1-key"),
            "secret_key": Secret("simplybook-s3cret-key"),
            "user_login": "jane",
            "user_password": Secret("pa55word-of-jane"),
        },
        (("1", "1"), ("2", "1")),
        CALLABLE,
        {
            "create": r'"method": ?"book"',
            "cancel": r'"method": ?"cancelBooking"',
            "get": r'"method": ?"getBookingDetails"',
            "slots": r'"method": ?"getStartTimeMatrix"',
            "list": r'"method": ?"getBookings"',
        },
    ),
    "teambooking": Kind(
        "teambooking",
        {"auth_token": Secret("teambooking-t0ken")},
        (("4", "lesson"), ("5", "lesson")),
        CALLABLE,
        {
            "create": r"operation=do_reservation",
            "cancel": r"operation=cancel_reservation",
            "get": r"operation=get_reservation(?!s)",
            "slots": r"operation=get_slots",
            "list": r"operation=get_reservations",
        },
    ),
    "generic": Kind(
        "generic",
        {
            "api_key": Secret("generic-ap1-key"),
            "ical_token": Secret("generic-feed-t0ken"),
            "services": [COURT],
        },
        (("court", "court"),),
        NAMED,
        {
            "create": r"^POST /bookings\n",
            "cancel": r"^POST /bookings/\S+/cancel",
            "get": r"^GET /calendar/feed",
            "slots": r"^GET /calendar/feed",
            "list": r"^GET /calendar/feed",
        },
    ),
}
TOKEN = "market-hook-t0ken-0001"
MARKET = {
    "id": "user",
    "password": Secret("market-passw0rd"),
    "center_id": "WYZ",
    "hook_token": Secret(TOKEN),
}


@dataclass
class Fault:
    """What the next calls that fit a pattern suffer; `arrived` and `go` are of one that is held back."""

    pattern: str
    times: int
    status: int | None = None
    text: str = ""
    drop: bool = False
    after: bool = False
    held: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(repr=False, eq=False)
class Stage:
    """One provider on a socket. `seen` are all requests as `METHOD path body`."""

    kind: Kind | None
    port: int
    play: Play
    faults: list = field(default_factory=list)
    seen: list = field(default_factory=list)

    def fault(self, call, times=1, **what):
        """Have the next calls answered `status` and `text`, hung up on (`drop`), or `held`; `after` they were done."""
        made = Fault(self._pattern(call), times, **what)
        self.faults.append(made)
        return made

    def mend(self):
        """End every fault."""
        for one in self.faults:
            one.go.set()
        self.faults.clear()

    def asked(self, call):
        """Count the calls of a sort that were received."""
        return sum(1 for one in self.seen if re.search(self._pattern(call), one))

    def _pattern(self, call):
        """Give what calls of a sort are known by; a pattern itself where the club has no such word."""
        return call if self.kind is None else self.kind.calls.get(call, call)

    @web.middleware
    async def suffer(self, request, handler):
        """Do to a call what was ordered."""
        told = f"{request.method} {request.path_qs}\n{(await request.read()).decode()}"
        self.seen.append(told)
        found = next((one for one in self.faults if re.search(one.pattern, told)), None)
        if found is None:
            return await handler(request)
        found.times -= 1
        if found.times <= 0:
            self.faults.remove(found)
        if found.held:
            found.arrived.set()
            await found.go.wait()
        if found.status is not None:
            if found.after:
                await handler(request)
            written = "application/json" if found.text.startswith("[") else "text/plain"
            return web.Response(status=found.status, text=found.text, content_type=written)
        answer = await handler(request) if not found.drop else None
        if (found.drop or found.after) and request.transport is not None:
            request.transport.close()
        return answer if answer is not None else web.Response()


def changed(provider, *changes):
    """Compile a shipped mapping with other texts: each change is the old one, how often it is there, the new one."""
    text = (ROOT / "mappings" / f"{provider}.yaml").read_text("utf-8")
    for old, times, new in changes:
        assert times == text.count(old)
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{provider}.yaml").write_text(text, "utf-8")
        found, findings = load_providers([Path(folder)], load())
    assert [] == [str(one) for one in findings if one.level == "error"]
    return found[provider]


@functools.cache
def referring():
    """Compile the marketplace's mapping as that of one which sends an id of its own, and more of who plays."""
    slot, player = "      slot_id: slotId\n", "      customer.name: playerName1\n"
    more = f"{player}      customer.email: playerEmail\n      customer.phone: playerPhone\n"
    return changed("anybuddy", (slot, 2, f"{slot}      reference: bookingId\n"), (player, 1, more))


@functools.cache
def keyed():
    """Compile the generic club's mapping as that of one which is given a key with every booking that it shall make."""
    when = '            scheduled_at: "{{ utc(args.start) }}"\n'
    return changed("generic", (when, 1, f'{when}            key: "{{{{ idempotency_key }}}}"\n'))


@functools.cache
def remembering():
    """Compile a club's mapping as if it kept its slots for ten minutes."""
    slots = "  slots.list:\n"
    return changed("locaboo", (slots, 1, f"{slots}    cache: 10m\n"))


def connection(name, provider, base_url, settings, plan=None):
    """Bind a connection with these settings and the mapping's defaults; `plan` is another mapping than the shipped."""
    plan = plan or plan_of(provider)
    defaults = {one.name: one.default for one in plan.settings.values()}
    about = {"time_zone": ZONE, "currency": "EUR", "base_url": base_url}
    return bind(name, plan, defaults | about | settings)


@asynccontextmanager
async def staged(name, provider, settings, now, kind=None):
    """Play a provider while the context lasts; gives the stage and the connection to it. `now` is in milliseconds."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        joined = connection(name, provider, f"http://127.0.0.1:{port}", settings)
        examples, script = scripted(provider)
        play = Play(joined, examples, script, lambda: datetime.fromtimestamp(now() / 1000, UTC))
        stage = Stage(kind, port, play)
        app = build_simulator(play)
        app.middlewares.append(stage.suffer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.SockSite(runner, one).start()
            yield stage, joined
        finally:
            stage.mend()
            await runner.cleanup()
