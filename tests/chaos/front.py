"""A provider played on a real socket behind what goes wrong on the way: faults, people who are quicker, and kills.

A fault is `{"on": "write" | "look" | "any" or a word of the front, "what": one of FAULTS, "times": 1}` and meets the
next requests of that sort. A moment is something that happens when the next write arrives, before or after its work.
"""

import asyncio
import contextlib
import copy
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from gateway.simulator.incoming import decode_request
from gateway.simulator.play import Play
from tests.links.clubs import connection, scripted

DONE = ("lost", "500_done", "302_done", "cut", "html_done", "drip", "slow")
"""The work is done, and the answer is lost, an error, a redirect, cut off, a page, in drops, or late."""
NOT_DONE = ("reset", "500", "503", "429", "html")
"""Nothing is done: the connection is reset, or the answer is an error, a pause of a second, or a page with 200."""
FAULTS = DONE + NOT_DONE
PAGE = "<!doctype html><title>Just a moment</title><p>Checking your browser"
WRITES = {
    "locaboo": r"^\S+ \S*/(booking_save|booking_add|customer_add|customer_edit)",
    "simplybook": r'"method": ?"(book|(edit|cancel|confirm|pluginApprove)Book\w+|addClient|set\w+)"',
    "teambooking": r"operation=(do|edit|cancel|delete)_reservation",
    "generic": r"^POST /bookings",
    "anybuddy": r"^(POST|PUT|PATCH|DELETE) (?!\S*(login|token|auth))",
}
"""What a provider's writes are known by, in `METHOD path` and the body in the next line."""
CANCELS = {
    "locaboo": r"booking_status=Cancel",
    "simplybook": r'"method": ?"(cancelBooking|pluginApproveBookingCancel)"',
    "teambooking": r"operation=cancel_reservation",
    "generic": r"^POST /bookings/\S+/cancel",
}


def drawn_fault(chance, *, sorts=("write", "write", "write", "look", "any")):
    """Draw one fault."""
    return {"do": "fault", "on": chance.choice(sorts), "what": chance.choice(FAULTS), "times": chance.choice((1, 1, 2))}


@dataclass
class Moment:
    """What happens when the next write arrives: `act` is awaited before or after the work; `instead`: there is none."""

    when: str
    act: object
    instead: bool = False


@dataclass(repr=False, eq=False)
class Front:
    """One provider. `url` leads through the faults, `open_url` past them. `seen` are all requests that came."""

    provider: str
    name: str
    url: str = ""
    open_url: str = ""
    play: Play = None
    faults: list = field(default_factory=list)
    moments: list = field(default_factory=list)
    seen: list = field(default_factory=list)
    broken: list = field(default_factory=list)
    """Where the simulator itself failed."""
    lies: str = ""
    words: dict = field(default_factory=dict)
    """Sorts of requests beyond `write`, `look` and `any`, as patterns by name."""

    async def open(self, stack):
        """Listen until the stack ends, at two addresses."""
        for attribute, handler in (("url", self._through), ("open_url", self._past)):
            app = web.Application(client_max_size=10_000_000)
            app.router.add_route("*", "/{path:.*}", handler)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            setattr(self, attribute, f"http://127.0.0.1:{runner.addresses[0][1]}")

    def begin(self, settings, now=None, lies=""):
        """Play a provider in which nothing has happened yet; `now` gives milliseconds, the real time without it."""
        examples, script = scripted(self.provider)
        joined = connection(self.name, self.provider, self.url, settings)
        clock = (lambda: datetime.fromtimestamp(now() / 1000, UTC)) if now else (lambda: datetime.now(UTC))
        self.play = Play(joined, examples, script, clock)
        self.lies = lies
        self.mend()
        self.seen.clear()
        self.broken.clear()

    def mend(self):
        """End every fault and forget what was to happen."""
        self.faults.clear()
        self.moments.clear()

    def writes(self, told):
        return re.search(WRITES[self.provider], told) is not None

    def _meets(self, on, told):
        if on == "any":
            return True
        if on in self.words:
            return re.search(self.words[on], told) is not None
        return self.writes(told) == (on == "write")

    async def _past(self, request):
        return _response(self._worked(request, await request.read()))

    async def _through(self, request):
        body = await request.read()
        told = f"{request.method} {request.path_qs}\n{body.decode(errors='replace')}"
        self.seen.append(told)
        moment = self.moments.pop(0) if self.moments and self.writes(told) else None
        if moment is not None and moment.when == "before":
            await moment.act()
            if moment.instead:
                return _hung_up(request)
        fault = next((one for one in self.faults if self._meets(one["on"], told)), None)
        if fault is None:
            played = self._worked(request, body, told)
            what = ""
        else:
            fault["times"] -= 1
            if fault["times"] <= 0:
                self.faults.remove(fault)
            what = fault["what"]
            played = self._worked(request, body, told) if what in DONE else None
        if moment is not None and moment.when == "after":
            await moment.act()
        with contextlib.suppress(ConnectionError):
            return await _answered(request, played, what)
        return _hung_up(request)

    def _worked(self, request, body, told=""):
        path, _, query = request.raw_path.partition("?")
        lied = self.lies == "cancels" and told and re.search(CANCELS.get(self.provider, r"$^"), told)
        before = copy.deepcopy(self.play.state) if lied else None
        try:
            played = self.play.answer(decode_request(request.method, path, query, request.headers, body))
        except Exception as failed:
            self.broken.append(repr(failed))
            raise
        if before is not None:
            self.play.state = before
        return played


def _response(played):
    return web.Response(status=played.status, body=played.body, headers=dict(played.headers))


def _hung_up(request):
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _answered(request, played, what):
    """Answer as the fault has it."""
    match what:
        case "lost" | "reset":
            return _hung_up(request)
        case "500_done" | "500":
            return web.Response(status=500, text="Internal Server Error")
        case "503":
            return web.Response(status=503, text="Service Unavailable")
        case "302_done":
            return web.Response(status=302, headers={"Location": "/done"})
        case "html_done" | "html":
            return web.Response(text=PAGE, content_type="text/html")
        case "429":
            return web.Response(status=429, headers={"Retry-After": "1"}, text="slow down")
        case "slow":
            await asyncio.sleep(0.3)
        case "drip" | "cut":
            return await _in_drops(request, played, cut=what == "cut")
    return _response(played)


async def _in_drops(request, played, *, cut):
    headers = {**played.headers, "Content-Length": str(len(played.body))}
    answer = web.StreamResponse(status=played.status, headers=headers)
    await answer.prepare(request)
    size = max(1, len(played.body) // 8)
    for at in range(0, len(played.body), size):
        if cut and at:
            return _hung_up(request)
        await answer.write(played.body[at : at + size])
        await asyncio.sleep(0.005)
    await answer.write_eof()
    return answer
