"""Random sequences of calls by several callers, with faults, kills and staff: `make chaos-calls`.

`draw` makes a plan of a seed; `play` plays it against a real gateway and gives its Books: what was claimed and did not
hold. The claims stand in `claims.py`.
"""

import asyncio
import random
from dataclasses import dataclass, field

from tests.chaos import claims
from tests.chaos.clubs import customer
from tests.chaos.front import Moment, drawn_fault
from tests.chaos.plans import Books, Plan
from tests.chaos.world import Told, at

PROVIDERS = ("locaboo", "simplybook", "simplybook-public", "teambooking", "generic")
_CHANGES = ("cancel", "cancel", "reschedule", "reschedule", "update", "confirm")


def draw(provider, seed, most=14):
    """Draw a plan."""
    chance, names, steps = random.Random(f"{provider} {seed}"), [], []

    def call():
        creates = [name for name in names if name.startswith("b")]
        if not creates or chance.random() < 0.35:
            return _create(chance, names)
        do = chance.choice((*_CHANGES, "repeat", "repeat", "get", "list", "slots"))
        if do in {"list", "slots"}:
            return {"do": do}
        if do in {"get", "repeat"}:
            return {"do": do, "of": chance.choice(creates if do == "get" else names)}
        names.append(f"w{len(names) + 1}")
        step = {"do": do, "name": names[-1], "of": chance.choice(creates), "caller": chance.choice(("ada", "ben"))}
        step |= {"key": chance.random() < 0.8}
        return step | ({"slot": chance.randrange(4)} if do == "reschedule" else {})

    for _ in range(chance.randint(5, most)):
        lot = chance.random()
        if not steps or lot < 0.5:
            steps.append(call())
        elif lot < 0.62:
            steps.append({"do": "together", "steps": [call(), call()]})
        elif lot < 0.82:
            steps += [drawn_fault(chance), call()]
        elif lot < 0.9:
            act = chance.choice(("book", "book", "cancel"))
            step = {"do": chance.choice(("staff", "staff_at")), "act": act}
            step |= {"slot": chance.randrange(4)} if act == "book" else {"of": chance.choice(names)}
            steps += [step, call()]
        else:
            steps += chance.choice(
                ([{"do": "kill"}], [{"do": "kill_at", "when": chance.choice(("before", "after"))}, call()])
            )
    return Plan("calls", provider, seed, tuple(steps))


def _create(chance, names):
    names.append(f"b{len(names) + 1}")
    step = {"do": "create", "name": names[-1], "slot": chance.randrange(4), "by": chance.choice(("slot", "time"))}
    step |= {"caller": chance.choice(("ada", "ben")), "key": chance.random() < 0.85}
    earlier = [name for name in names[:-1] if name.startswith("b")]
    return step | ({"like": chance.choice(earlier)} if earlier and chance.random() < 0.15 else {})


@dataclass(eq=False, repr=False)
class Write:
    """One request that writes, whatever often it is sent. `whose`: the booking it is about, by e-mail address."""

    name: str
    do: str
    caller: str
    key: str | None
    method: str
    path: str
    body: dict | None
    whose: str
    slot: int | None = None
    about: str | None = None
    """The id of the booking that it changes."""
    alone: bool = True
    """Whether nothing else happened while it was under way."""
    answers: list = field(default_factory=list)

    @property
    def last(self):
        return self.answers[-1] if self.answers else Told(0)

    @property
    def maybe(self):
        """Whether it may have been done, as far as its answers tell."""
        return any(one.ok or one.doubtful for one in self.answers)


@dataclass(eq=False, repr=False)
class Playing:
    """A plan that is being played. `writes` by name; `creates` are those of them that make bookings."""

    world: object
    books: Books
    writes: dict = field(default_factory=dict)
    staffed: set = field(default_factory=set)
    """The ids of bookings that staff cancelled."""
    moved_by_staff: bool = False
    """Whether staff did something while the present step was under way."""
    members: int = 0

    def note(self, text):
        self.books.log.append(text)

    def booking(self, name):
        """Give the id under which the booking of a create is known by now; None when it is not."""
        found = None
        for write in self.writes.values():
            mine = write.name == name or (write.do == "reschedule" and write.about is not None and write.about == found)
            for told in write.answers if mine else ():
                if told.ok and isinstance(told.body, dict):
                    found = told.body["id"]
        return found

    async def step(self, step, *, alone=True):
        """Do one step. Whoever is called sees the answers in `writes`."""
        match step["do"]:
            case "together":
                await asyncio.gather(*(self.step(one, alone=False) for one in step["steps"]))
            case "fault":
                self.world.front.faults.append({name: step[name] for name in ("on", "what", "times")})
            case "kill":
                await self.world.kill()
            case "kill_at":
                self.world.front.moments.append(Moment(step["when"], self.world.kill, instead=True))
            case "staff":
                await self._staff(step)
            case "staff_at":
                self.world.front.moments.append(Moment("before", lambda: self._staff(step)))
            case "list" | "slots" | "get":
                await self._read(step)
            case do:
                write = self._again(step) if do == "repeat" else self._write(step)
                if write is not None:
                    self.writes[write.name] = write
                    await self.send(write, alone=alone)

    def _again(self, step):
        write = self.writes.get(step["of"])
        return None if write is None or write.key is None else write

    def _write(self, step):
        name, do = step["name"], step["do"]
        slot = self.world.slot(step["slot"]) if "slot" in step else None
        about = (step["caller"], f"{self.books.plan.seed}-{name}" if step["key"] else None)
        if do == "create":
            whose = step.get("like", name)
            body = {"customer": customer(self.world.staff.kind, whose)}
            if step["by"] == "slot":
                body |= {"slot_id": slot["id"]}
            else:
                body |= {one: slot[one] for one in ("start", "service_id", "resource_id") if slot.get(one) is not None}
            return Write(name, do, *about, "POST", "/bookings", body, body["customer"]["email"], step["slot"])
        id_, origin = self.booking(step["of"]), self.writes.get(step["of"])
        if id_ is None:
            return None
        whose = origin.whose
        if do == "update":
            body = {"customer": {"name": f"{name.title()} Renamed"}}
            return Write(name, do, *about, "PATCH", at(id_), body, whose, about=id_)
        body = {"start": slot["start"]} if do == "reschedule" else None
        if body is not None and slot.get("resource_id") is not None:
            body["resource_id"] = slot["resource_id"]
        return Write(name, do, *about, "POST", at(id_, do), body, whose, step.get("slot"), about=id_)

    async def send(self, write, *, alone=True):
        """Send a write, once more if it was sent before, and note what it was answered with."""
        world, before = self.world, self.world.held()
        self.moved_by_staff = False
        write.alone = write.alone and alone
        told = await world.call(write.method, write.path, write.body, caller=write.caller, key=write.key)
        first = next((one for one in write.answers if one.final), None)
        write.answers.append(told)
        self.note(f"{write.name} {write.do} of {write.whose}: {told}")
        claims.repeated(self.books, write, first, told)
        if alone:
            claims.answered(self, write, told, before, world.held())
            if told.ok and not told.replayed and not world.front.faults and not world.front.moments and world.pid:
                await claims.shown(self, write, told)

    async def _read(self, step):
        if step["do"] == "get":
            id_ = self.booking(step["of"])
            if id_ is None:
                return
            told = await self.world.call("GET", at(id_))
        else:
            start = self.world.slots[0]["start"][:10]
            query = {"from": f"{start}T00:00", "to": f"{start}T23:59"}
            service = self.world.slots[0].get("service_id") if step["do"] == "slots" else None
            path = "/bookings" if step["do"] == "list" else "/slots"
            told = await self.world.call("GET", path, query=query | ({"service_id": service} if service else {}))
        self.note(f"{step['do']}: {told}")

    async def _staff(self, step):
        self.moved_by_staff = True
        try:
            if step["act"] == "book":
                self.members += 1
                await self.world.staff.books(self.world.slot(step["slot"]), self.members)
            else:
                id_ = self.booking(step["of"])
                if id_ is None:
                    return
                self.staffed.add(id_)
                await self.world.staff.cancels(id_)
            self.note(f"staff: {step['act']}")
        except claims.REFUSED as error:
            self.note(f"staff: {step['act']} refused, {error.code}")


async def play(world, plan):
    """Play a plan, and give its Books."""
    books = Books(plan)
    await world.begin(plan.provider, plan.lies)
    playing = Playing(world, books)
    for step in plan.steps:
        await playing.step(step)
        await world.restarted()
    await claims.settled(playing)
    books.claim(not world.front.broken, "simulator-failed", world.front.broken)
    sent = sum(len(one.answers) for one in playing.writes.values())
    books.counts = {"writes": sent, "kills": world.kills, "requests": len(world.front.seen)}
    return books
