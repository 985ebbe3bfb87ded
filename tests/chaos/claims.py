"""What must hold of calls, whatever went wrong on the way: checked after each step, and when everything has settled."""

import asyncio
import itertools
from datetime import datetime

from gateway.values.errors import GatewayError
from tests.chaos.world import at

REFUSED = GatewayError
IN_PROGRESS_SECONDS = 5.0
"""So long after a start may a key be held by a process that died."""
_NO_KEY = {400, 403, 422, 501}
"""What the gateway refuses by itself uses no key."""
_SHOWN = ("id", "status", "start", "end", "resource_id")


def _ours(rows):
    return [one for one in rows if not one.whose.startswith("staff") and one.whose.endswith("@example.com")]


def _live(rows):
    """Give what of ours stands, so that two of these can be compared."""
    return {(one.id, one.whose, one.name, one.place, one.start, one.end) for one in _ours(rows) if one.live}


def _is(row, booking):
    """Whether a booking of the club is the one that callers know by this id."""
    return booking.split("~")[0].split(":")[0] == row.id


def repeated(books, write, first, told):
    """What was answered for good is answered the same again."""
    if first is None or write.key is None or first.status in _NO_KEY:
        return
    same = told.status == first.status and told.code == first.code and told.replayed
    same = same and (not told.ok or told.body == first.body)
    books.claim(same, "repeat-differs", f"{write.name} was answered {first}, then {told}")


def answered(playing, write, told, before, after):
    """A refusal has done nothing, and a success has done what it says."""
    books, world = playing.books, playing.world
    if playing.moved_by_staff or told.replayed:
        return
    if told.status >= 400 and not told.doubtful:
        gone, come = _live(before) - _live(after), _live(after) - _live(before)
        seen = f"{write.name} {write.do} answered {told}; gone {sorted(map(str, gone))}, new {sorted(map(str, come))}"
        books.claim(not gone and not come, "refused-and-done", seen)
    if not told.ok:
        return
    live = [one for one in _ours(after) if one.live and _is(one, told.body["id"])]
    seen = f"{write.name} {write.do} answered {told}; the club has {[str(one.start) for one in live]}"
    if told.body["status"] == "cancelled" or write.do == "cancel":
        books.claim(not live, "cancelled-and-lives", seen)
        return
    books.claim(len(live) == 1, "told-and-not-there", seen)
    for one in live:
        if write.slot is not None:
            slot = world.slot(write.slot)
            right = one.start == datetime.fromisoformat(slot["start"])
            books.claim(right, "elsewhere", f"{seen}, wanted {slot['start']}")
        if write.do == "update":
            books.claim(one.name == write.body["customer"]["name"], "not-changed", f"{seen} for {one.name}")


async def shown(playing, write, told):
    """What is read after a write is what the write said."""
    read = await playing.world.call("GET", at(told.body["id"]), caller=write.caller)
    same = read.ok and all(read.body.get(name) == told.body.get(name) for name in _SHOWN)
    playing.books.claim(same, "shown-differs", f"{write.name} {write.do} said {told}, then it reads {read}")


async def settled(playing):
    """End every fault, ask what became of what is in doubt, and compare what was told with what is there."""
    playing.world.front.mend()
    for write in list(playing.writes.values()):
        if write.key is not None and not write.last.final:
            await _decided(playing, write)
    _compare(playing)
    await _remembered(playing)
    await _events(playing)
    await _offered(playing)


async def _decided(playing, write):
    """Ask for the outcome of a write, repeat it under its key, and see that both agree."""
    books, world = playing.books, playing.world
    operation = next((one.operation for one in reversed(write.answers) if one.operation), None)
    state, found = await _state(world, write, operation)
    before = _live(world.held())
    clock = asyncio.get_running_loop().time
    until = clock() + IN_PROGRESS_SECONDS
    while True:
        await playing.send(write)
        if write.last.code not in {"IDEMPOTENCY_IN_PROGRESS", "RATE_LIMITED"} or clock() > until:
            break
        await asyncio.sleep(0.1)
    told, seen = write.last, f"{write.name} {write.do}: {write.last}, and the operation is {state}"
    books.claim(told.code != "IDEMPOTENCY_IN_PROGRESS", "held-by-the-dead", seen)
    books.claim(told.final or told.doubtful, "no-end", seen)
    if operation is None:
        return
    ends = {"confirmed", "absent", "operator"} | (set() if world.patience else {"pending"})
    books.claim(state in ends, "operation-without-end", f"{seen}, {found}")
    if state == "confirmed":
        same = told.ok and (told.body or {}).get("id") == (found.body.get("data") or {}).get("id")
        books.claim(same, "repeat-and-operation-differ", seen)
        books.claim(_live(world.held()) == before, "done-twice", seen)
    if state == "absent":
        books.claim(not told.doubtful, "repeat-and-operation-differ", seen)
    state, _ = await _state(world, write, told.operation or operation)
    fits = {"confirmed"} if told.ok else {"absent"} if told.final else {"pending", "operator"}
    books.claim(state in fits | {None}, "repeat-and-operation-differ", f"{seen}, and then {state}")


async def _state(world, write, operation):
    """Give how the operation of a write stands, and the answer that tells it; None where it is not known."""
    clock = asyncio.get_running_loop().time
    until = clock() + world.patience
    while operation is not None:
        found = await world.call("GET", f"/operations/{operation}", caller=write.caller)
        state = found.body["state"] if found.ok else None
        if state != "pending" or clock() > until:
            return state, found
        await asyncio.sleep(found.again)  # each look is one of the calls that the club allows in an hour
    return None, None


def _compare(playing):
    """Compare what callers were told with what the club holds."""
    books, rows = playing.books, playing.world.held()
    live = [one for one in _ours(rows) if one.live]
    writes = list(playing.writes.values())
    for whose in {one.whose for one in writes}:
        mine = [one for one in writes if one.whose == whose]
        made = [one for one in mine if one.do == "create"]
        ended = [one for one in mine if one.do == "cancel" and one.maybe]
        staffed = [
            one
            for one in playing.staffed
            if any(told.ok and told.body["id"] == one for w in mine for told in w.answers)
        ]
        # A booking that is moved by making a new one may stand in both places, as long as nobody knows.
        moves = [one for one in mine if one.do == "reschedule" and one.maybe and not one.last.ok]
        most = sum(one.maybe for one in made) + len(moves)
        least = 0 if ended or staffed else _least(made)
        there = [one for one in live if one.whose == whose]
        seen = f"{len(there)} live of {whose}, where {least} to {most} are right: " + ", ".join(
            f"{one.name} {one.do} {one.last}" for one in mine
        )
        books.claim(len(there) <= most, "too-many", seen)
        books.claim(len(there) >= least, "lost", seen)
        allowed = {playing.world.slot(one.slot)["start"] for one in mine if one.slot is not None and one.maybe}
        starts = {datetime.fromisoformat(one) for one in allowed}
        books.claim(
            all(one.start in starts for one in there), "elsewhere", f"{[str(one.start) for one in there]}, {seen}"
        )
    for write in writes:
        for told in write.answers:
            if told.ok and told.body["status"] == "cancelled":
                back = [one for one in live if _is(one, told.body["id"])]
                books.claim(not back, "came-back", f"{write.name} was told {told}, and the club has it live")
    everything = [one for one in rows if one.live]
    for one, other in itertools.combinations(everything, 2):
        both = one.place == other.place and one.start < other.end and other.start < one.end
        staff = one.whose.startswith("staff") and other.whose.startswith("staff")
        books.claim(not both or staff, "booked-twice", f"{one} and {other}")


def _least(made):
    """Give how many bookings must stand of these creates of one customer.

    One that was in doubt may be told an equal booking of the same slot that was made before: no club tells them apart.
    """
    told = [one.last.body["id"] for one in made if one.last.ok]
    return len(set(told)) if any(answer.doubtful for one in made for answer in one.answers) else len(told)


async def _remembered(playing):
    """What is read in the end is what the club holds."""
    books, world = playing.books, playing.world
    rows = {one.id: one for one in world.held()}
    ids = {told.body["id"] for one in playing.writes.values() for told in one.answers if told.ok}
    for id_ in sorted(ids - playing.staffed):
        row = next((one for one in rows.values() if _is(one, id_)), None)
        told = await world.call("GET", at(id_))
        if row is None or not told.ok:
            books.claim(row is None or not row.live, "not-shown", f"{id_} lives and reads {told}")
            continue
        seen = f"{id_} reads {told}, and the club has it {'live' if row.live else 'cancelled'} at {row.start}"
        books.claim((told.body["status"] == "cancelled") != row.live, "shown-otherwise", seen)
        if row.live:
            books.claim(datetime.fromisoformat(told.body["start"]) == row.start, "shown-elsewhere", seen)


async def _events(playing):
    """Each transition is told once; what was answered is told."""
    books = playing.books
    rows = await playing.world.all("/changes", {"limit": "200"})
    if rows is None:
        books.claim(holds=False, name="no-events")
        return
    told = [(one["event"], one["data"]["id"]) for one in rows]
    for event in ("booking.created", "booking.cancelled"):
        ids = [id_ for name, id_ in told if name == event]
        books.claim(len(ids) == len(set(ids)), "told-twice", f"{event} {ids}")
    replaced = _replaced(playing)
    for write in playing.writes.values():
        event = {"create": "booking.created", "cancel": "booking.cancelled"}.get(write.do)
        for answer in write.answers if event else ():
            if answer.ok:
                moved = event == "booking.created" and answer.body["id"] in replaced  # it is told of its new id alone
                known = (event, answer.body["id"]) in told or moved
                books.claim(known, "not-told", f"{write.name} was answered {answer}, and there is no {event}")


def _replaced(playing):
    """Give the ids of bookings whose place another one took as they were moved: that one alone is told."""
    moves = (one for one in playing.writes.values() if one.do == "reschedule")
    return {move.about for move in moves for told in move.answers if told.ok and told.body["id"] != move.about}


async def _offered(playing):
    """What is offered can be booked, and what is free is offered."""
    books, world = playing.books, playing.world
    day = world.slots[0]["start"][:10]
    service = world.slots[0].get("service_id")
    query = {"from": f"{day}T00:00", "to": f"{day}T23:59"} | ({"service_id": service} if service else {})
    rows = await world.all("/slots", query | {"limit": "200"})
    if rows is None:
        books.claim(holds=False, name="no-slots")
        return
    offered = {one["id"] for one in rows if one["available"]}
    for slot in world.slots:
        first, last = (datetime.fromisoformat(slot[word]) for word in ("start", "end"))
        place = _place(world, slot)
        taken = [
            one for one in world.held() if one.live and one.place == place and one.start < last and first < one.end
        ]
        seen = f"{slot['start']} of {place}, which {[one.whose for one in taken]} have"
        books.claim((slot["id"] in offered) == (not taken), "offered-otherwise", seen)
    free = next((one for one in world.slots if one["id"] in offered), None)
    if free is not None:
        whose = {"name": "Last Guest", "email": "last@example.com"}
        whose |= {"phone": "+33698765432"} if "phone" in world.staff.kind.customer else {}
        told = await world.call("POST", "/bookings", {"slot_id": free["id"], "customer": whose}, key="last")
        later = told.code == "RATE_LIMITED"  # a plan may have used up what the club allows in a minute
        books.claim(told.status == 201 or later, "offered-and-refused", f"{free['start']}: {told}")


def _place(world, slot):
    if world.front.provider == "generic":
        return ""
    if world.front.provider == "teambooking":
        return f"{slot['service_id']} {slot['resource_id']}"
    return slot["resource_id"]
