"""What a club really holds, read from the simulator's own state, and what its staff do past the gateway.

Every booking that we ask for has an e-mail address of its own, by which it is known whatever the club calls it.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.application import wall_clock
from gateway.engine.engine import Engine
from gateway.model.model import arguments, load
from gateway.values.messages import Call
from tests.applications import engine_of
from tests.links.clubs import KINDS, ZONE, connection

_PUBLIC = {name: value for name, value in KINDS["simplybook"].settings.items() if not name.startswith("user_")}
CLUBS = KINDS | {"simplybook-public": replace(KINDS["simplybook"], settings=_PUBLIC)}
"""The four providers; one of them has two ways in."""


@dataclass(frozen=True)
class Held:
    """A booking as the club has it. `whose` is the e-mail address."""

    id: str
    whose: str
    name: str
    place: str
    start: datetime
    end: datetime
    live: bool


def held(provider, state):
    """Give every booking that the club ever had."""
    return list(_READ[provider](state))


def _local(text):
    day, _, clock = text.partition(" ")
    late = clock[:5] in {"23:59", "24:00"}
    moment = datetime.fromisoformat(day if late else text).replace(tzinfo=ZoneInfo(ZONE))
    return (moment + timedelta(days=late)).astimezone(UTC)


def _locaboo(state):
    for key, one in state["bookings"].items():
        (span,) = one["instances"]
        who = state["customers"][one["customer_id"]]
        times = _local(span["from"]), _local(span["to"])
        name = f"{who['first_name']} {who['last_name']}".strip()
        yield Held(key, who["email"], name, str(span["resource_id"]), *times, one["status"] != "Cancel")


def _simplybook(state):
    for key, one in state["bookings"].items():
        who = state["clients"].get(one["client_id"], {})
        email, name = one["client_email"], who.get("name", one["client_name"])
        times = _local(one["start_date_time"]), _local(one["end_date_time"])
        yield Held(key, email, name, one["unit_id"], *times, key not in state["cancelled"])


def _teambooking(state):
    for key, one in state["reservations"].items():
        shown = one["shown"]
        if shown["datetime"]["start"] is None:
            continue
        fields = {field["name"]: field["value"] for field in shown["formFields"]}
        times = (datetime.fromtimestamp(shown["datetime"][word], UTC) for word in ("start", "end"))
        name = f"{fields.get('first_name', '')} {fields.get('second_name', '')}".strip()
        place, live = f"{shown['service']['id']} {shown['coworkerID']}", shown["status"] != "cancelled"
        yield Held(key, fields.get("email", ""), name, place, *times, live)


def _generic(state):
    for key, one in state["bookings"].items():
        start = datetime.fromisoformat(one["scheduled_at"]).astimezone(UTC)
        end = start + timedelta(minutes=one["duration"])
        who = one["customer"]
        yield Held(key, who.get("email", ""), who["name"], "", start, end, one["status"] != "CANCELLED")


_READ = {"locaboo": _locaboo, "simplybook": _simplybook, "teambooking": _teambooking, "generic": _generic}


@dataclass(eq=False, repr=False)
class Staff:
    """Who works at the club itself, past the gateway and past every fault."""

    name: str
    engine: Engine
    kind: object

    async def runs(self, operation, **given):
        """Run an operation as the club's own program would."""
        checked = arguments(load().operations[operation], given, ZONE)
        deadline = asyncio.get_running_loop().time() + 10
        return (await self.engine.run(Call(self.name, operation, checked, "staff", deadline))).data

    async def slots(self, days_ahead=3):
        """Give a few slots of one day: three in a row on the first court, the first of them on the second too."""
        found = []
        day = (datetime.now(ZoneInfo(ZONE)) + timedelta(days=days_ahead)).date()
        for number, (resource, service) in enumerate(self.kind.courts[:2]):
            window = {"from": f"{day}T10:00", "to": f"{day}T15:00"}
            window |= {} if service is None else {"service_id": service}
            listed = await self.runs("slots.list", **window)
            mine = [one for one in listed if one.get("resource_id") in {None, resource} and one["available"]]
            mine.sort(key=lambda one: one["start"])
            found += mine[: 3 if number == 0 else 1]
        return found

    async def books(self, slot, number):
        """Book a slot for a member."""
        return await self.runs("bookings.create", slot_id=slot["id"], customer=customer(self.kind, f"staff{number}"))

    async def cancels(self, booking):
        """Cancel a booking by the id that callers know."""
        return await self.runs("bookings.cancel", id=booking)


def staff_of(name, front, client):
    """Give the staff of a club, who know nothing yet."""
    kind = CLUBS[name]
    joined = connection(name, kind.provider, front.open_url, kind.settings)
    return Staff(name, engine_of({name: joined}, client.send, wall_clock), kind)


def customer(kind, whose):
    """Give somebody who books, as this club wants to know them."""
    who = {"name": f"{whose.title()} Test", "email": f"{whose}@example.com"}
    return who | ({"phone": "+33698765432"} if "phone" in kind.customer else {})
