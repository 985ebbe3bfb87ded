"""The gateway is killed again and again while it works: `make chaos`, or `python -m tests.chaos.webhooks --rounds 200`.

A provider posts what happens to its bookings and repeats whatever was not answered 2xx; a subscriber takes deliveries,
refuses some and keeps others waiting. In each round `gateway serve` is started and ended by SIGKILL, while it starts or
while it works; after the last one it may finish. Then the books must agree: nothing acknowledged is lost, nothing is
told that did not happen, every attempt of an event has the same body, the events of a booking come in their order, and
the store is whole. The kills are drawn from the seed; when exactly they strike depends on the machine.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from sqlalchemy import func, select

from gateway.store.database import Database
from gateway.store.tables import deliveries, events
from tests.databases import postgresql
from tests.processes import HOOK, Served, Subscriber, configuration

STORY = (("booking.created", 10), ("booking.rescheduled", 12), ("booking.rescheduled", 14), ("booking.cancelled", 14))
"""What happens to each booking: the event, and the hour at which the booking begins from then on."""
BOOKINGS = 5
"""New ones in each round."""
AT_ONCE = 24
TELLS_EVERY = 25
"""Rounds between two words on how far it is."""
LONGEST_UP = 1.5
STALLED_SECONDS = 90.0
"""So long without a further delivery, twice as long as a lease, and the end is taken as it is."""
DELIVERIES = {"schedule": ["1s"] * 19, "timeout": "1s"}


@dataclass
class Provider:
    """Posts the stories of bookings, the next message of a booking once the one before was acknowledged."""

    session: aiohttp.ClientSession
    url: str
    chance: random.Random
    sent: dict = field(default_factory=dict)
    """Every message that was ever posted, with whether it was acknowledged."""
    statuses: Counter = field(default_factory=Counter)
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def tell(self, booking):
        """Tell the story of one booking."""
        async with self.places:
            for event, hour in STORY:
                await asyncio.sleep(self.chance.random() * 0.3)
                start = f"2031-05-06T{hour:02}:00:00Z"
                key = booking, event, start
                customer = {"name": "Zoë Ω", "email": "zoe@example.com"}
                data = {"id": booking, "service": "s", "duration": 60, "scheduled_at": start, "customer": customer}
                body = json.dumps({"event": event, "data": data}).encode()
                twice = self.chance.random() < 0.1
                await asyncio.gather(*(self._until_taken(key, body) for _ in range(1 + twice)))

    async def _until_taken(self, key, body):
        self.sent.setdefault(key, False)
        while True:
            status = await self._posted(body)
            self.statuses[status] += 1
            if 200 <= status < 300:
                self.sent[key] = True
                return
            await asyncio.sleep(0.05 + self.chance.random() * 0.2)

    async def _posted(self, body):
        """Post once; 0 stands for no answer."""
        try:
            async with self.session.post(self.url + HOOK, data=body) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return 0


@dataclass
class Books:
    """What came of a run. Everything in `wrong` must be 0."""

    told: dict
    wrong: dict
    seconds: float

    def __str__(self):
        row = {**self.told, **self.wrong, "seconds": round(self.seconds)}
        widths = {name: max(len(name), len(str(value))) for name, value in row.items()}
        return "\n".join(
            "  ".join(str(cell).rjust(widths[name]) for name, cell in line.items())
            for line in ({name: name for name in row}, row)
        )


def moody(chance):
    """Make the answers of a subscriber: mostly at once, sometimes late, too late, or not taken."""

    def answer():
        mood = chance.random()
        if mood < 0.05:
            return 500, 0
        if mood < 0.06:
            return 200, 1.3  # longer than an attempt may take
        return 200, 0.2 * (mood < 0.1)

    return answer


async def rounds(gateway, provider, number, chance, session):
    """Start and kill so often; gives the stories that are being told, and how many kills struck a start."""
    stories, at_start = [], 0
    for turn in range(number):
        stories += [asyncio.create_task(provider.tell(f"bk_{turn}_{one}")) for one in range(BOOKINGS)]
        await gateway.start()
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() * 2)
            at_start += 1
        else:
            await gateway.ready(session)
            await asyncio.sleep(chance.random() * LONGEST_UP)
        await gateway.kill()
        if (turn + 1) % TELLS_EVERY == 0:
            done = sum(provider.sent.values())
            sys.stderr.write(f"{turn + 1} of {number} rounds, {done} messages acknowledged\n")
    return stories, at_start


async def drained(stories, store, subscriber):
    """Wait until every message is acknowledged and every event delivered, or until nothing moves any more."""
    clock = asyncio.get_running_loop().time
    arrivals, moved = -1, clock()
    while clock() - moved < STALLED_SECONDS:
        if all(story.done() for story in stories) and not await unsettled(store):
            return
        if arrivals != subscriber.arrivals:
            arrivals, moved = subscriber.arrivals, clock()
        await asyncio.sleep(0.5)


def compare(provider, subscriber):
    """Compare what was posted with what was delivered."""
    tellings, disorder, last = {}, 0, {}
    for key, body in subscriber.bodies.items():
        event = json.loads(body)
        subject = event["data"]["id"]
        message = subject, event["event"], event["data"]["scheduled_at"]
        tellings.setdefault(message, []).append(key)
        place = STORY.index((message[1], int(message[2][11:13]))) if message in provider.sent else -1
        disorder += place < last.get(subject, -1)
        last[subject] = max(place, last.get(subject, -1))
    taken = {message for message, keys in tellings.items() if subscriber.accepted.intersection(keys)}
    invented = sum(len(keys) - (message in provider.sent) for message, keys in tellings.items())
    lost = sum(done and message not in taken for message, done in provider.sent.items())
    return {"lost": lost, "invented": invented, "disorder": disorder}


async def unsettled(store):
    """Count what the store holds that it should not: deliveries that wait or failed, events of another number."""

    def look(connection):
        open_ = select(func.count()).where(deliveries.c.state != "delivered")
        made = connection.scalar(select(func.count()).select_from(events))
        due = connection.scalar(select(func.count()).select_from(deliveries))
        return connection.scalar(open_) + abs(made - due)

    async with Database(store, lambda: time.time_ns() // 1_000_000) as database:
        return await database.read(look)


def broken(store):
    """Ask SQLite whether its file is whole; gives the number of complaints."""
    if not store.startswith("sqlite"):
        return 0
    with contextlib.closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as file:
        return sum(line != ("ok",) for line in file.execute("PRAGMA integrity_check"))


async def run(store, number, seed, folder, margin=None):
    """Run so many rounds on an empty store and give the Books. `margin` shortens the leases, in seconds."""
    chance, begun = random.Random(seed), time.monotonic()
    subscriber = Subscriber(moody(random.Random(seed + 1)))
    async with contextlib.AsyncExitStack() as stack:
        url = await subscriber.open(stack)
        (folder / "config.yaml").write_text(configuration(store, [url], DELIVERIES), encoding="utf-8")
        connector = aiohttp.TCPConnector(force_close=True)
        session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=8))
        await stack.enter_async_context(session)
        gateway = Served(folder, margin)
        stack.push_async_callback(gateway.kill)
        provider = Provider(session, gateway.url, random.Random(seed + 2))
        stories, at_start = await rounds(gateway, provider, number, chance, session)
        for story in stories:
            stack.callback(story.cancel)
        await gateway.start()
        await gateway.ready(session)
        await drained(stories, store, subscriber)
        ended = await gateway.stop()
    told = {
        "store": store.partition(":")[0],
        "rounds": number,
        "killed at start": at_start,
        "messages": len(provider.sent),
        "posted": sum(provider.statuses.values()),
        "acknowledged": sum(provider.sent.values()),
        "delivered": len(subscriber.accepted),
        "duplicates": subscriber.arrivals - len(subscriber.bodies),
    }
    refused = sum(times for status, times in provider.statuses.items() if status and not 200 <= status < 300)
    wrong = {
        "unacknowledged": len(provider.sent) - told["acknowledged"],
        "refused": refused,
        **compare(provider, subscriber),
        "changed": subscriber.changed,
        "unsigned": subscriber.unsigned,
        "unsettled": await unsettled(store),
        "broken": broken(store),
        "exit": ended,
    }
    return Books(told, wrong, time.monotonic() - begun)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.webhooks", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200, metavar="N", help="kills")
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = f"sqlite:///{folder / 'gateway.db'}"
        if given.store == "postgresql":
            store = stack.enter_context(postgresql(folder / "postgresql"))()
        books = asyncio.run(run(store, given.rounds, given.seed, folder))
    sys.stdout.write(f"{books}\n")
    return 1 if any(books.wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
