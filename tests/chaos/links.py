"""A marketplace that books and cancels at a club, with faults, kills and staff: `make chaos-links`.

A plan of `locaboo+reference` has a marketplace that tells an id of its own with every booking; without it a booking is
known by slot and player.
"""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.values.errors import GatewayError
from tests.chaos import link_claims
from tests.chaos.clubs import CLUBS, customer
from tests.chaos.front import Moment, drawn_fault
from tests.chaos.plans import Books, Plan
from tests.links.clubs import ZONE

PROVIDERS = tuple(f"{name}{more}" for name in CLUBS for more in ("", "+reference"))
_PLAYERS = ("Jane Doe", "Ben Roe", "Zoe Poe")


def draw(provider, seed, most=12):
    """Draw a plan."""
    chance, names, steps = random.Random(f"{provider} {seed}"), [], []

    def message():
        if not names or chance.random() < 0.4:
            names.append(f"m{len(names) + 1}")
            return {"do": "book", "name": names[-1], "slot": chance.randrange(3), "player": chance.randrange(3)}
        return {"do": chance.choice(("cancel", "cancel", "again")), "of": chance.choice(names)}

    for _ in range(chance.randint(4, most)):
        lot = chance.random()
        if not steps or lot < 0.4:
            steps.append(message())
        elif lot < 0.5:
            steps.append({"do": "together", "steps": [message(), message()]})
        elif lot < 0.7:
            side = chance.choice(("club", "club", "market"))
            sorts = ("create", "cancel", "get", "list", "write", "any") if side == "club" else ("push", "any")
            steps += [drawn_fault(chance, sorts=sorts) | {"at": side}, message()]
        elif lot < 0.78:
            act = chance.choice(("book", "free"))
            steps.append({"do": chance.choice(("staff", "staff_at")), "act": act, "slot": chance.randrange(3)})
        elif lot < 0.9:
            steps.append({"do": "turn", "seconds": chance.choice((1, 20, 130))})
        else:
            when = chance.choice(("before", "after"))
            steps += chance.choice(([{"do": "kill"}], [{"do": "kill_at", "when": when}, message()]))
    return Plan("links", provider, seed, tuple(steps))


@dataclass(eq=False, repr=False)
class Sent:
    """A booking of the marketplace. `books` and `cancels` are the answers to its messages, in order of all messages."""

    name: str
    slot: tuple
    player: str
    books: list = field(default_factory=list)
    cancels: list = field(default_factory=list)


@dataclass(eq=False, repr=False)
class Playing:
    """A plan that is being played."""

    world: object
    books: Books
    sent: dict = field(default_factory=dict)
    order: int = 0
    attention: list = field(default_factory=list)
    """What the gateway tells its operator in the end."""

    def note(self, text):
        self.books.log.append(text)

    async def step(self, step):
        """Do one step."""
        world = self.world
        match step["do"]:
            case "together":
                await asyncio.gather(*(self.step(one) for one in step["steps"]))
            case "fault":
                side = world.club if step["at"] == "club" else world.market
                side.faults.append({name: step[name] for name in ("on", "what", "times")})
            case "kill":
                await world.kill()
            case "kill_at":
                world.club.moments.append(Moment(step["when"], world.kill, instead=True))
            case "staff":
                await self._staff(step)
            case "staff_at":
                world.club.moments.append(Moment("before", lambda: self._staff(step)))
            case "turn":
                await world.does("turn", step["seconds"])
            case "book":
                made = Sent(step["name"], world.slot(step["slot"]), _PLAYERS[step["player"]])
                self.sent[made.name] = made
                await self.send(made, "booking")
            case word:
                made = self.sent.get(step["of"])
                if made is not None:
                    await self.send(made, "booking" if word == "again" else "cancel")

    async def send(self, made, event):
        """Send a message of the marketplace, and note the answer."""
        world, answers = self.world, made.books if event == "booking" else made.cancels
        self.order += 1
        began = self.order
        status = await world.sends(world.message(event, made.slot, made.player, f"ref-{made.name}"))
        self.order += 1
        answers.append((began, self.order, status))
        self.note(f"{made.name} {event} of {made.player} on court {made.slot[0]} {made.slot[1]}: {status}")

    async def _staff(self, step):
        world, slot = self.world, self.world.slot(step["slot"])
        try:
            if step["act"] == "book":
                world.taken[slot] = await _booked(world, slot)
            elif slot in world.taken:
                await world.staff.cancels(world.taken.pop(slot)["id"])
            self.note(f"staff: {step['act']} {slot}")
        except (GatewayError, LookupError) as error:
            self.note(f"staff: {step['act']} {slot} refused, {error}")


async def _booked(world, slot):
    """Book a slot for a member of the club."""
    court, start, _ = slot
    resource, service = CLUBS[world.name].courts[court - 1]
    window = {"from": f"{start[:10]}T00:00", "to": f"{start[:10]}T23:59"}
    window |= {} if service is None else {"service_id": service}
    begins = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(ZONE))
    for one in await world.staff.runs("slots.list", **window):
        mine = one.get("resource_id") in {None, resource} and one["available"]
        if mine and datetime.fromisoformat(one["start"]) == begins:
            who = customer(CLUBS[world.name], f"staff{len(world.taken)}-{court}-{start[11:13]}")
            return await world.staff.runs("bookings.create", slot_id=one["id"], customer=who)
    raise LookupError("it is not free")


async def play(world, plan):
    """Play a plan, and give its Books."""
    books = Books(plan)
    await world.begin(plan.provider, plan.lies)
    playing = Playing(world, books)
    await world.does("turn")
    for step in plan.steps:
        await playing.step(step)
        await world.restarted()
    await link_claims.settled(playing)
    books.claim(not world.club.broken + world.market.broken, "simulator-failed", world.club.broken)
    messages = sum(len(one.books) + len(one.cancels) for one in playing.sent.values())
    seen = len(world.club.seen) + len(world.market.seen)
    books.counts = {"messages": messages, "kills": world.kills, "requests": seen}
    return books
