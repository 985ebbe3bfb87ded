"""A provider's message: verified, read, proved where it must be, and kept with its events before it is answered.

Two ends only: accepted, and then everything it means is stored; or refused, and then it has changed nothing. What is
verified and cannot be read is accepted as well, as a dead letter: the provider cannot mend our mapping.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from gateway.engine.catalog import Connection
from gateway.engine.engine import Engine
from gateway.events.publisher import EVENTS, Publisher, PublishResult, observe
from gateway.mapping.checks.lapsing import lapsing
from gateway.mapping.nodes.hooks import IGNORE, EventHook, Hook
from gateway.store.database import Transaction
from gateway.store.events.events import Receipt, publishing
from gateway.store.events.receipts import explain, of_state, settle
from gateway.telemetry import logs
from gateway.values.errors import (
    NotMapped,
)
from gateway.values.messages import Call, Json, Observation, Received
from gateway.values.secrets import Redactor
from gateway.webhooks.inbound.challenges import ChallengeAnswer
from gateway.webhooks.inbound.session import (
    Fetch,
    HookMessages,
    Question,
    ReadMessage,
    RefusedMessage,
    Session,
    whole_name,
)

WEBHOOK = "provider_webhook"
"""The origin of events that a provider told us."""
DEAD = "dead"
"""The state of a message that was verified and cannot be read."""
_KEPT_HEADERS = frozenset({"content-type", "user-agent", "date"})
"""Of a message's headers only these are kept beside what the mapping reads: the others may prove who sent it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request of a provider to one hook, and what is known of it here: when it came, the hook's public URL.

    `at` is in milliseconds since 1970, `deadline` a reading of the event loop's clock, in seconds.
    """

    connection: Connection
    plan: Hook
    received: Received
    at: int
    url: str
    request_id: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Receiver:
    """Receives. `now` gives milliseconds since 1970, `fresh` a new id with this prefix."""

    engine: Engine
    publisher: Publisher
    now: Callable[[], int]
    fresh: Callable[[str], str]

    async def receive(self, delivery: Delivery) -> ChallengeAnswer | Question | None:
        """Take in a message. Once this gives None, everything it means is stored.

        A challenge is answered instead, and of what asks for something nothing is stored: whoever receives it has it
        done. Raises SignatureInvalid (nothing of it is stored), also for what nobody proved and cannot be read,
        CallInvalid for what asks and cannot be read, and StoreUnavailable, or ProviderUnavailable when its object
        cannot be fetched: it shall come again.
        """
        came = await self.session(delivery).take(self._fetch(delivery))
        if isinstance(came, RefusedMessage):
            self._refuse(delivery, came)
        if isinstance(came, ChallengeAnswer | Question):
            return came
        await self._keep(delivery, came)
        return None

    def session(self, delivery: Delivery) -> Session:
        """Give the session of a message, which decides all that can be decided without a store."""
        about = (delivery.plan, delivery.connection, delivery.received, delivery.at, delivery.url)
        return Session(*about, self.engine.model)

    def glance(self, delivery: Delivery) -> bool:
        """Tell whether a message is proved by what came before its body, which is not read yet.

        Raises SignatureInvalid for what no body could prove. A message that is not proved by this is still to be
        received: False says only that nobody knows yet who sends it.
        """
        seen = self.session(delivery).glance()
        if isinstance(seen, RefusedMessage):
            self._refuse(delivery, seen)
        return seen

    async def replay(self, receipt: str, deadline: float) -> bool:
        """Read a dead letter again, with the mapping of now; tells whether its events are stored now.

        One that still does not fit gets the reason of now, whose line is one of the mapping of now.

        `deadline` is a reading of the event loop's clock, in seconds, for what must be fetched. What it says is as old
        as it is: where more has been learned since, that stays. Raises NotMapped when there is no such dead letter or
        its hook is gone, and StoreUnavailable and ProviderUnavailable as `receive` does.
        """
        found = await self.publisher.database.read(lambda connection: of_state(connection, "dead", receipt))
        if found is None:
            raise NotMapped("Dead letter not found.")
        connection = self.engine.connection(found.connection)
        plan = connection.provider.hooks.get(found.hook)
        if not isinstance(plan, EventHook):
            raise NotMapped(f"The connection `{found.connection}` has no hook `{found.hook}` any more.")
        delivery = Delivery(connection, plan, _unpack(found.request), found.received_at, "", receipt, deadline)
        told = await self.session(delivery).messages(plan, self._fetch(delivery))
        if isinstance(told, RefusedMessage) and not told.waits:  # what proved it no longer does; the log says what
            self._tell(delivery, told)
            return False
        if isinstance(told, RefusedMessage):
            self._refuse(delivery, told)
        whole = found.dedupe == _hash(whole_name(delivery.received))
        mine = [one for one in told.messages if whole or _hash(one.key) == found.dedupe]
        failure = next((one.failure for one in mine if one.failure is not None), None)
        if failure is not None:
            reason = connection.redactor.text(failure.detail)
            await self.publisher.database.write(lambda opened: explain(opened, receipt, reason, failure.origin))
        if failure is not None or not (mine or whole):
            return False
        await self._settle(delivery, plan, found, mine)
        return True

    def _fetch(self, delivery: Delivery) -> Fetch:
        """Give what fetches the object of a message: a call of the connection like any other."""

        async def fetch(operation: str, arguments: Mapping[str, Json]) -> Json:
            about = (delivery.connection.name, operation, arguments, delivery.request_id, delivery.deadline)
            return (await self.engine.run(Call(*about))).data

        return fetch

    async def _keep(self, delivery: Delivery, told: HookMessages) -> None:
        """Store the messages of a request with their events, each of them once and all of them or none."""
        plan, read = told.hook, told.messages
        receipts = [self._receipt(delivery, plan, one) for one in read]

        def work(connection: Transaction) -> list[PublishResult]:
            return [
                self.publisher.work(connection, self._observations(delivery, one), receipt, compare=plan.compares)
                for one, receipt in zip(read, receipts, strict=True)
            ]

        alone = [publishing(delivery.connection.name)]
        published = await self.publisher.database.write(work, tells=EVENTS, alone=alone)
        about = {"request": delivery.request_id, "connection": delivery.connection.name, "hook": delivery.plan.name}
        for receipt, kept in zip(receipts, published, strict=True):
            state = receipt.state if kept.new else "repeated"
            logs.hook_received(**about, state=state, receipt=receipt.id, events=len(kept.sequences))
            if receipt.state == DEAD and kept.new:
                origin, reason = receipt.origin or "", receipt.reason or ""
                logs.hook_dead(**about, receipt=receipt.id, origin=origin, reason=reason)

    def _receipt(self, delivery: Delivery, plan: EventHook, one: ReadMessage) -> Receipt:
        connection, received, failure = delivery.connection, delivery.received, one.failure
        return Receipt(
            id=self.fresh("rcp"),
            connection=connection.name,
            hook=delivery.plan.name,
            dedupe=_hash(one.name),
            digest=hashlib.sha256(received.body).hexdigest(),
            received_at=delivery.at,
            request=_pack(received, connection.redactor, plan),
            state=_state(one),
            reason=connection.redactor.text(failure.detail) if failure is not None else None,
            origin=failure.origin if failure is not None else None,
        )

    async def _settle(self, delivery: Delivery, plan: EventHook, letter: Receipt, read: Sequence[ReadMessage]) -> None:
        """Store the events of a dead letter that can be read now, but for what came again in the meantime."""
        receipts = [self._receipt(delivery, plan, one) for one in read]
        state = "mapped" if any(_state(one) == "mapped" for one in read) else "ignored"

        def work(connection: Transaction) -> None:
            if not settle(connection, letter.id, state):
                return
            for one, receipt in zip(read, receipts, strict=True):
                seen = self._observations(delivery, one)
                self.publisher.work(connection, seen, receipt, as_of=self._as_of(delivery, one))

        await self.publisher.database.write(work, tells=EVENTS, alone=[publishing(delivery.connection.name)])

    def _as_of(self, delivery: Delivery, one: ReadMessage) -> int | None:
        """When a message spoke of the present; None where it still does.

        A word for where a booking stands has its place among the others whenever it comes, and what is fetched is new.
        """
        changes = self.publisher.model.changes
        if one.message is None or one.message.fetch is not None:
            return None
        stands = one.message.type == changes.first or one.message.type in changes.becomes.values()
        return None if stands else delivery.at

    def _observations(self, delivery: Delivery, one: ReadMessage) -> list[Observation]:
        """What a message says of its booking: nothing where it is ignored or cannot be read."""
        if one.data is None or one.message is None or _state(one) != "mapped":
            return []
        connection = delivery.connection
        about = (connection.name, connection.provider.name, WEBHOOK, one.message.type, one.data)
        fetch = one.message.fetch
        ends = lapsing(connection.provider.operations, fetch[0]) if fetch is not None else frozenset[str]()
        return [observe(*about, stand_ins=frozenset(connection.provider.remembered), lapsing=ends)]

    def _refuse(self, delivery: Delivery, refused: RefusedMessage) -> NoReturn:
        """Refuse a message: the log knows why, its sender does not."""
        self._tell(delivery, refused)
        raise refused.error

    def _tell(self, delivery: Delivery, refused: RefusedMessage) -> None:
        about = {"request": delivery.request_id, "connection": delivery.connection.name, "hook": delivery.plan.name}
        told = logs.hook_waits if refused.waits else logs.hook_refused
        told(**about, reason=delivery.connection.redactor.text(refused.reason))


def _state(one: ReadMessage) -> str:
    """What becomes of a message in the store."""
    if one.failure is not None:
        return DEAD
    return "ignored" if one.message is not None and one.message.type == IGNORE else "mapped"


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _pack(received: Received, redactor: Redactor, plan: EventHook) -> bytes:
    """Write a message as it is kept: what the mapping may read, without what proves its sender; the body as it came."""
    names = {part.header for part in plan.dedupe}
    kept = [(name, redactor.text(value)) for name, value in received.headers if name in names or not _proves(name)]
    query = [(name, redactor.text(value)) for name, value in received.query]
    head = {"method": received.method, "query": query, "headers": kept}
    return json.dumps(head).encode() + b"\n" + received.body


def _unpack(request: bytes) -> Received:
    head, _, body = request.partition(b"\n")
    told = json.loads(head)
    query, headers = (tuple((name, value) for name, value in told[part]) for part in ("query", "headers"))
    return Received(told["method"], None, query, headers, body)


def _proves(name: str) -> bool:
    """Whether a header may hold a proof of its sender, which is of no use later and a danger in a store."""
    if name in _KEPT_HEADERS:
        return False
    return any(word in name for word in ("auth", "token", "signature", "secret", "key", "cookie", "hmac", "password"))
