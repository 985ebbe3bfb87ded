"""A store, endpoints that are real servers, and a dispatcher between them in a time that tests move by hand."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count

from sqlalchemy import update

from gateway.store.database import Database
from gateway.store.deliveries.history import Filter, attempts_of, list_
from gateway.store.deliveries.subscriptions import Subscription, add, one
from gateway.store.events.events import EVENTS, NewEvent, append
from gateway.store.tables import deliveries, subscriptions
from gateway.transport.client import Client
from gateway.values.secrets import Secret
from gateway.webhooks.outbound.sender import Pace
from gateway.webhooks.outbound.signing import new_secret
from tests.applications import built, configured
from tests.webhooks.outbound.receivers import Receiver, answer

NOW = 1_800_000_000_000
SECRET = new_secret(bytes(range(24)))
OURS = Secret("the-gateways-own-secret")
PACE = Pace(timeout=5.0, look=0.02, grace=2.0)
NUMBERS = count(1)


def settings_of(pace):
    """Give the settings of a gateway that sends at this pace, and whose own secret is `OURS`."""
    found = replace(configured({"club": "example"}), admin_token=OURS)
    keys = {"timeout": pace.timeout, "concurrency": pace.per_endpoint, "per_second": pace.per_second}
    return replace(found, deliveries=replace(found.deliveries, **keys))


async def until(condition, seconds=10):
    """Wait until this holds, of a function or a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.005)


@dataclass(repr=False)  # a task's result is printed whenever its loop ends
class House:
    """All that there is. `time` is milliseconds since 1970 and moves only when a test moves it."""

    url: str
    stack: AsyncExitStack
    time: int = NOW
    database: Database = None
    client: Client = None
    ran: list = field(default_factory=list)

    async def receiver(self, *answers):
        """Start an endpoint that gives these answers in turn, and the last one for ever."""
        made = Receiver(list(answers) or [answer()])
        await made.open()
        self.stack.push_async_callback(made.close)
        return made

    async def subscribe(self, url, key="wh_1", **more):
        made = Subscription(key, "config", url, ("*",), None, "native", SECRET, NOW)
        await self.database.write(lambda connection: add(connection, replace(made, **more), 99))

    async def subscribed(self, *answers, key="wh_1", **more):
        """Start an endpoint that is subscribed to everything."""
        made = await self.receiver(*answers)
        await self.subscribe(made.url, key, **more)
        return made

    async def happen(self, *subjects):
        """Publish an event for each subject and wake the dispatcher, as the publisher does."""
        told = [self._event(subject) for subject in subjects]
        await self.database.write(
            lambda connection: append(connection, told, lambda prefix: f"{prefix}_{next(NUMBERS)}"), tells=EVENTS
        )
        return [event.id for event in told]

    def _event(self, subject):
        key = f"evt_{next(NUMBERS)}"
        about = {"id": key, "event": "booking.created", "created_at": "2027-01-15T08:00:00Z", "connection": "club"}

        def body(sequence):
            whole = about | {"provider": "example", "origin": "poll", "sequence": sequence, "data": {"id": subject}}
            return json.dumps(whole, ensure_ascii=False).encode()

        return NewEvent(key, "club", "example", "booking.created", "poll", subject, self.time, body)

    def start(self, pace=PACE, database=None, **changed):
        """Start a dispatcher; it is stopped with the house unless the test does so. The rest is as in `ambient`."""
        made = built(
            database or self.database,
            lambda: self.time,
            settings=settings_of(pace),
            send=self.client.send,
            clock=lambda: self.time / 1000,
            sending=pace,
            **changed,
        ).dispatcher
        task = asyncio.create_task(made.run())
        self.ran.append((made, task))
        return made, task

    async def close(self):
        for _, task in self.ran:
            task.cancel()
        for result in await asyncio.gather(*(task for _, task in self.ran), return_exceptions=True):
            assert result is None or isinstance(result, asyncio.CancelledError), result

    async def deliveries(self, **wanted):
        """Give the deliveries in the order of their events."""
        return (await self.database.read(lambda connection: list_(connection, Filter(**wanted), None, 999)))[::-1]

    async def states(self):
        return [one.state for one in await self.deliveries()]

    async def attempts(self):
        """Give all attempts, in the order of their events."""
        found = []
        for delivery in await self.deliveries():
            found += await self.database.read(lambda connection, key=delivery.id: attempts_of(connection, key))
        return found

    async def tried(self, number):
        """Wait until so many attempts are written down, and give them."""

        async def enough():
            return len(await self.attempts()) >= number

        await until(enough)
        return await self.attempts()

    async def endpoint(self, key="wh_1"):
        return await self.database.read(lambda connection: one(connection, key))

    async def change(self, key="wh_1", **values):
        mine = update(subscriptions).where(subscriptions.c.id == key).values(**values)
        await self.database.write(lambda connection: connection.execute(mine) and None)

    async def change_deliveries(self, **values):
        await self.database.write(lambda connection: connection.execute(update(deliveries).values(**values)) and None)

    async def settle(self):
        """Let the dispatcher look into the store a few times."""
        await asyncio.sleep(0.1)


@asynccontextmanager
async def opened(url):
    """Give a house on this store with no endpoint and no dispatcher yet; all that a test starts ends with it."""
    async with AsyncExitStack() as stack:
        made = House(url, stack)
        made.database = await stack.enter_async_context(Database(url, lambda: made.time))
        made.client = await stack.enter_async_context(Client(["127.0.0.1/32"]))
        yield made
        await made.close()
