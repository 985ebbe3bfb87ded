"""What must hold of a link when everything has settled: both sides agree, and nobody lost a booking."""

import asyncio
import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.links.clubs import ZONE

ENDS = frozenset({"confirmed", "cancelled", "failed"})
LONG = (20, 40, 130, 610, 610, 3600)
"""Seconds between the turns in which everything must come to an end, at most."""
REREAD = 130
"""Seconds after which a link reads its club anew."""
TRIES = 5
"""How often a marketplace repeats a cancellation that was not taken."""
PAUSE_SECONDS = 1.1
"""As long as the pause that a fault asks for, which is real time."""


async def settled(playing):
    """End every fault, have the gateway come to an end with everything, and compare."""
    world, books = playing.world, playing.books
    world.club.mend()
    world.market.mend()
    if any(step.get("what") == "429" for step in books.plan.steps):
        await asyncio.sleep(PAUSE_SECONDS)
    if world.kills:
        await world.does("turn", 2)
        await world.does("step", 2)
        held = [one for one in await _entries(world) if one["state"] == "pending"]
        books.claim(not held, "held-by-the-dead", held)
    for made in playing.sent.values():
        for _ in range(TRIES if made.cancels else 0):
            if 200 <= made.cancels[-1][2] < 500:
                break
            await world.does("turn", 30)
            await playing.send(made, "cancel")
    for seconds in LONG:
        await world.does("turn", seconds)
        status = await world.does("status")
        if all(one["state"] in ENDS for one in status["ledger"]["entries"]) and not status["outbox"]["waiting"]:
            break
    await world.does("turn", REREAD)
    await world.does("turn", 2)
    await _ended(playing)
    _agree(playing)
    await _told(playing)


async def _entries(world):
    return (await world.does("status"))["ledger"]["entries"]


async def _ended(playing):
    """Every entry of the ledger has ended, or is the operator's with a reason."""
    status = await playing.world.does("status")
    playing.attention = status["attention"]
    for text in status["attention"]:
        playing.note(f"attention: {text}")
    for one in status["ledger"]["entries"]:
        ended = one["state"] in ENDS
        playing.books.claim(ended, "no-end", f"{one['state']} {one['facility_id']} {one['start']}: {one['reason']}")
        playing.note(f"ledger: {one['state']} {one['facility_id']} {one['start']} {one['player']}: {one['reason']}")


def _moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))


def _there(world, slot):
    """Give the live bookings of the marketplace in a slot."""
    court, start, _ = slot
    place, begins = world.place(court), _moment(start)
    rows = [one for one in world.held() if one.live and one.place == place and one.start == begins]
    return [one for one in rows if not one.whose.startswith("staff")]


def _agree(playing):
    """Compare what the marketplace was answered with what the club holds."""
    books, world = playing.books, playing.world
    rows = [one for one in world.held() if one.live]
    for one, other in itertools.combinations(rows, 2):
        both = one.place == other.place and one.start < other.end and other.start < one.end
        books.claim(not both, "booked-twice", f"{one} and {other}")
    members = {one.start.astimezone(ZoneInfo(ZONE)).isoformat()[:16] for one in rows if one.whose.startswith("staff")}
    for _, start, _ in world.taken:
        books.claim(start in members, "member-lost", f"the booking of a member at {start} is gone")
    for slot in {one.slot for one in playing.sent.values()}:
        mine = [one for one in playing.sent.values() if one.slot == slot]
        for row in _there(world, slot):
            _right(playing, slot, mine, row)
    for made in playing.sent.values():
        if not _cancelled(playing, made, possibly=True) and made.books[-1][2] == 200:
            live = [one for one in _there(world, made.slot) if one.name == made.player]
            books.claim(live, "lost", f"{made.name} of {made.player} was confirmed and is not at the club")


def _right(playing, slot, mine, row):
    """Claim that a live booking was confirmed to somebody and cancelled by nobody, or is looked at by the operator."""
    books = playing.books
    seen = f"the club has {row.name} at {slot}; " + ", ".join(
        f"{one.name} of {one.player} booked {[a[2] for a in one.books]} cancelled {[a[2] for a in one.cancels]}"
        for one in mine
    )
    confirmed = [one for one in mine if one.player == row.name and any(status == 200 for _, _, status in one.books)]
    told = any(f"c{slot[0]} at {slot[1]}" in one for one in playing.attention)  # the operator looks at it
    books.claim(confirmed or told, "lives-unconfirmed", seen)
    if confirmed:
        standing = [one for one in confirmed if not _cancelled(playing, one, possibly=False)]
        # Another one of the same player may be what lives, where the club does not tell whose its bookings are.
        doubtful = [one for one in mine if one.player == row.name and one not in confirmed] if told else []
        books.claim(standing or doubtful, "lives-cancelled", seen)


def _cancelled(playing, made, *, possibly):
    """Whether a booking was cancelled, or possibly was: by its reference, else by who cancelled the slot after it."""
    here = [one for one in playing.sent.values() if one.slot == made.slot]
    mine = [made] if playing.world.refers else here
    last = max((ended for _, ended, status in made.books if status == 200), default=0)
    first = min((began for began, _, status in made.books), default=0)
    for one in mine:
        for began, ended, status in one.cancels:
            if possibly and (playing.world.refers or ended > first):
                return True
            if not possibly and status == 200 and (playing.world.refers or began > last):
                return True
    return False


async def _told(playing):
    """What the marketplace was told last is how the club stands."""
    books, world = playing.books, playing.world
    told = world.told()
    rows = [one for one in world.held() if one.live]
    for number in range(3):
        court, start, end = world.slot(number)
        begins, ends, place = _moment(start), _moment(end), world.place(court)
        free = not any(one.place == place and one.start < ends and begins < one.end for one in rows)
        seen = f"court {court} {start} is told as {told.get((court, start))}"
        books.claim(told.get((court, start)) is free, "told-otherwise", seen)
