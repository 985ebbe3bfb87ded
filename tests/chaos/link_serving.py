"""A gateway with a link, whose clock and turns are another process's: what the nursery makes copies of.

It is put together as `tests/links/linked.py` does. At its control address it is told what time it is and what to do.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web

from gateway.engine.catalog import bind, load_providers
from gateway.events.heartbeat import Heartbeat
from gateway.model.model import load
from gateway.telemetry import logs
from gateway.values.secrets import Redactor
from tests.chaos.clubs import CLUBS
from tests.links.clubs import MARKET, ZONE, connection
from tests.links.linked import House, _settings
from tests.shipped import FILES, plan_of

REFERENCE = "bookingNumber"
"""The field in which the marketplace of some plans tells an id of its own."""


def referring(mapping, path):
    """Write the mapping of a marketplace that tells an id of its own, made of the shipped one."""
    text = mapping.read_text(encoding="utf-8")
    for record in ("booking", "cancellation"):
        begin = text.index(f"\n  {record}: ")
        at = text.index("      resource_id: facilityId\n", begin)
        text = f"{text[:at]}      reference: {REFERENCE}\n{text[at:]}"
    path.write_text(text, encoding="utf-8")


def prepare(path):
    """Load everything, and give what serves it. `path`: the mapping of the marketplace that tells an id of its own."""
    plans = {name: plan_of(name) for name in FILES}  # before anything is forked
    found, findings = load_providers([Path(path)], load())
    if not found:
        raise SystemExit("\n".join(str(one) for one in findings))
    plans = {"": plans["anybuddy"], "reference": found["anybuddy"]}

    def live(order):
        logs.start_logging(sys.stderr, Redactor([]))
        asyncio.run(_serve(order, plans[order["market"]]))

    return live


async def _serve(order, plan):
    async with AsyncExitStack() as stack:
        kind = CLUBS[order["club"]]
        house = House(kind, stack, order["store"], at=order["at"])
        house.settings = _settings(kind, {}, None)
        house.process = f"gw_{order['starts']}"
        house.gateways = [None] * order["starts"]  # the ids that it makes differ from those of the one before it
        defaults = {one.name: one.default for one in plan.settings.values()}
        about = {"time_zone": ZONE, "currency": "EUR", "base_url": order["market_url"]}
        house.connections = {
            "club": connection("club", kind.provider, order["club_url"], kind.settings),
            "market": bind("market", plan, defaults | about | MARKET),
        }
        made = await house.gateway()
        await stack.enter_async_context(Heartbeat(made.database, house.now))  # it takes over what the one before held
        await _controlled(stack, house, made, order["port"])
        await asyncio.Event().wait()


async def _controlled(stack, house, made, port):
    async def control(request):
        asked = await request.json()
        house.at = asked["at"]
        told = {"url": made.url}
        match asked["do"]:
            case "step":
                await house.step(-1)
            case "turn":
                await made.watched()
                await house.step(-1)
            case "status":
                told |= await house.status(-1)
        return web.json_response(told)

    app = web.Application()
    app.router.add_post("/", control)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
