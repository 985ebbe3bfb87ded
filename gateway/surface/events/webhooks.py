"""`/v1/webhooks`: callers subscribe to events, see how their endpoints fare, and get secrets, each of them once.

A caller meets its own subscriptions alone; the operator's side of them is in `admin/`. Nobody can subscribe what it
may not read. What an endpoint answered is shown to nobody here, nor why it could not be reached: that would tell about
networks that callers cannot see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.model.model import GatewayOperation, Operation
from gateway.store.deliveries import subscriptions
from gateway.store.deliveries.deliveries import Attempt
from gateway.store.deliveries.history import DeliverySummary, Filter, attempts_of, delivery, list_
from gateway.store.deliveries.probes import TEST, probe
from gateway.store.deliveries.subscriptions import ACTIVE, OVERLAP, Backlog, Subscription, owner_of
from gateway.store.events.events import DELIVERIES
from gateway.surface.dependencies import Dependencies
from gateway.surface.http.authentication import caller_of, may_use
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.cursors import cut_page, place_of
from gateway.surface.operations.operations import next_link, read_apart
from gateway.surface.operations.pagination import cut, read_page_request
from gateway.values.errors import CallInvalid, GatewayError, NotMapped, TooManyCalls
from gateway.values.messages import Json
from gateway.values.secrets import Secret
from gateway.webhooks.outbound.signing import new_secret
from gateway.webhooks.outbound.subscriptions import MOST, test_event, unfit

UNKNOWN = "There is no subscription of this id."
PAUSED = "its owner paused it"
"""The reason of a subscription that its owner made inactive."""
WITHHELD = "The secret was shown once, in the first answer to this Idempotency-Key. `rotate` makes another one."
_MOST_TESTS = 5
_TEST_SECONDS = 5.0
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The handlers of `/v1/webhooks`."""

    calls: Calls
    dependencies: Dependencies

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        changing = (self.create, self.update, self.delete, self.test, self.rotate, self.enable)
        return {f"webhooks.{one.__name__}": one for one in (self.list, self.get, self.deliveries, *changing)}

    async def list(self, request: web.Request) -> web.Response:
        """Answer with the caller's subscriptions. Raises GatewayError, as all of these do."""
        operation, given, cursor, _ = await self._read(request, "webhooks.list")
        page = read_page_request(operation, given, cursor, caller_of(request).name)
        owner = owner_of(caller_of(request).name)
        found = await self.dependencies.database.read(lambda opened: subscriptions.of_owners(opened, [owner]))
        keys = [one.id for one in found]
        backlogs = await self.dependencies.database.read(lambda opened: subscriptions.backlogs(opened, keys))
        told = [show(one, backlogs.get(one.id)) for one in found]
        data, _, about = cut(page, told, told)
        return to_response(Answer(operation.status, to_bytes({"data": data, "page": about}), next_link(request, about)))

    async def create(self, request: web.Request) -> web.Response:
        """Subscribe, and show the secret, once."""
        operation, given, _, sent = await self._read(request, "webhooks.create")
        caller = caller_of(request)
        self._check(request, given)
        mine = None if caller.connections is None else sorted(caller.connections)

        async def perform() -> Answer:
            made = Subscription(
                id=self.dependencies.fresh("wh"),
                owner=owner_of(caller.name),
                url=given["url"],
                events=tuple(dict.fromkeys(given["events"])),
                connections=_tuple(given.get("connections", mine)),
                format=given["format"],
                secret=new_secret(self.dependencies.token_bytes(_SECRET_BYTES)),
                created_at=self.dependencies.now(),
            )
            if not await self.dependencies.database.write(lambda opened: subscriptions.add(opened, made, MOST)):
                raise GatewayError(
                    f"There are {MOST} subscriptions of yours: delete some first.", code="LIMIT_EXCEEDED"
                )
            return _showing(
                operation,
                show(made),
                made.secret,
                {"Location": self.calls.own("webhooks.get").path.replace("{id}", made.id)},
            )

        return await self.calls.respond(request, None, sent, perform)

    async def get(self, request: web.Request) -> web.Response:
        """Answer with one subscription and how its endpoint fares."""
        operation, given, *_ = await self._read(request, "webhooks.get")
        return to_response(await self._answer(operation, await self._own(request, given["id"])))

    async def update(self, request: web.Request) -> web.Response:
        """Change a subscription. What was not sent yet goes by the new values."""
        operation, given, _, body = await self._read(request, "webhooks.update")
        key = given.pop("id")
        active = given.pop("active", None)
        self._check(request, given)
        caller = caller_of(request)
        if "connections" in given and given["connections"] is None and caller.connections is not None:
            given["connections"] = sorted(caller.connections)

        async def perform() -> Answer:
            found = await self._own(request, key)
            if active:
                self._may_hear(request, found, given)

            await self.dependencies.database.write(lambda opened: _change(opened, key, given, active), tells=DELIVERIES)
            return await self._answer(operation, await self._own(request, key))

        return await self.calls.respond(request, None, body, perform)

    async def delete(self, request: web.Request) -> web.Response:
        """Remove a subscription; what waits for it is cancelled."""
        operation, given, _, body = await self._read(request, "webhooks.delete")

        async def perform() -> Answer:
            found = await self._own(request, given["id"])
            now = self.dependencies.now()
            await self.dependencies.database.write(
                lambda opened: subscriptions.remove(opened, found.id, "its owner removed it", now)
            )
            return Answer(operation.status)

        return await self.calls.respond(request, None, body, perform)

    async def rotate(self, request: web.Request) -> web.Response:
        """Make a new secret and show it, once; the former one signs beside it for a day."""
        operation, given, _, body = await self._read(request, "webhooks.rotate")

        async def perform() -> Answer:
            found = await self._own(request, given["id"])
            until = self.dependencies.now() + OVERLAP
            secret = new_secret(self.dependencies.token_bytes(_SECRET_BYTES))
            await self.dependencies.database.write(lambda opened: subscriptions.rotate(opened, found.id, secret, until))
            return _showing(operation, await describe_subscription(self.dependencies, found), secret)

        return await self.calls.respond(request, None, body, perform)

    async def enable(self, request: web.Request) -> web.Response:
        """Send again, what waited as well."""
        operation, given, _, body = await self._read(request, "webhooks.enable")

        async def perform() -> Answer:
            found = await self._own(request, given["id"])
            self._may_hear(request, found, {})
            await self.dependencies.database.write(
                lambda opened: subscriptions.enable(opened, found.id), tells=DELIVERIES
            )
            return await self._answer(operation, await self._own(request, found.id))

        return await self.calls.respond(request, None, body, perform)

    async def test(self, request: web.Request) -> web.Response:
        """Send a test event to this endpoint alone, and give its delivery, which is under way."""
        operation, given, _, body = await self._read(request, "webhooks.test")

        async def perform() -> Answer:
            found = await self._own(request, given["id"])
            return Answer(operation.status, to_bytes(await send_test(self.calls, self.dependencies, found)))

        return await self.calls.respond(request, None, body, perform)

    async def deliveries(self, request: web.Request) -> web.Response:
        """Answer with what was sent to an endpoint, the newest events first, with every attempt."""
        operation, given, cursor, _ = await self._read(request, "webhooks.deliveries")
        found = await self._own(request, given["id"])
        state = given.get("state")
        limit: int = given.get("limit") or operation.common["limit"].default
        bound = f"deliveries {found.id} {state}"
        place, which = place_of(cursor, bound), Filter(state=state, subscription=found.id)
        database = self.dependencies.database
        rows = await database.read(lambda opened: list_(opened, which, place, limit + 1))
        page, about = cut_page(rows, limit, bound, lambda row: (row.sequence, row.id))
        tried = await database.read(lambda opened: [attempts_of(opened, row.id) for row in page])
        data = [shown_delivery(row, attempts) for row, attempts in zip(page, tried, strict=True)]
        return to_response(Answer(operation.status, to_bytes({"data": data, "page": about}), next_link(request, about)))

    async def _read(
        self, request: web.Request, name: str
    ) -> tuple[GatewayOperation, dict[str, Json], str | None, Json]:
        """Let the caller in, and give the operation, its canonical arguments, the cursor and the body as it came."""
        operation = self.calls.own(name)
        return operation, *await read_apart(self.calls, operation, request)

    async def _own(self, request: web.Request, key: str) -> Subscription:
        """Give a subscription of the caller; raises NotMapped."""
        owner = owner_of(caller_of(request).name)
        found = await self.dependencies.database.read(lambda opened: subscriptions.one(opened, key, [owner]))
        if found is None:
            raise NotMapped(UNKNOWN)
        return found

    def _check(self, request: web.Request, given: Mapping[str, Json]) -> None:
        """Check address and connections. Raises CallInvalid, and CallerRefused for a connection of others."""
        settings = self.calls.settings
        problems: dict[str, str] = {}
        if "url" in given:
            problem = unfit(given["url"], settings.egress, http=settings.deliveries.http)
            problems |= {"url": problem} if problem is not None else {}
        for index, name in enumerate(given.get("connections") or ()):
            if name not in self.calls.engine.catalog.connections:
                problems[f"connections.{index}"] = "is no connection"
            else:
                may_use(request, name)
        if problems:
            told = "; ".join(f"`{place}` {problem}" for place, problem in problems.items())
            fields = [{"field": place, "problem": problem} for place, problem in problems.items()]
            raise CallInvalid(f"{told}.", details={"fields": fields})

    def _may_hear(self, request: web.Request, found: Subscription, changes: Mapping[str, Json]) -> None:
        """Let a caller have nothing sent again that it may not read any more; raises CallerRefused."""
        for name in changes.get("connections", found.connections) or ():
            may_use(request, name)

    async def _answer(self, operation: Operation, found: Subscription) -> Answer:
        return Answer(operation.status, to_bytes(await describe_subscription(self.dependencies, found)))


def _showing(
    operation: Operation, told: Mapping[str, Json], secret: Secret, headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer with a secret, once: a repeat is told that it was shown, and nothing that is kept holds it."""
    body = to_bytes({**told, "secret": secret.reveal()})
    return Answer(operation.status, body, headers or {}, kept=to_bytes({**told, "secret_withheld": WITHHELD}))


def _change(opened: Any, key: str, changes: Mapping[str, Json], active: bool | None) -> None:
    """Change a subscription in one transaction; `active` None leaves it as active as it is."""
    subscriptions.change(opened, key, changes)
    if active is False:
        subscriptions.disable(opened, key, PAUSED)
    elif active:
        subscriptions.enable(opened, key)


def webhooks(calls: Calls, dependencies: Dependencies) -> Webhooks:
    """Make the handlers."""
    return Webhooks(calls, dependencies)


async def describe_subscription(dependencies: Dependencies, found: Subscription) -> dict[str, Json]:
    """Write a subscription and how its endpoint fares, as the contract has it. Raises StoreUnavailable."""
    backlogs = await dependencies.database.read(lambda opened: subscriptions.backlogs(opened, [found.id]))
    return show(found, backlogs.get(found.id))


async def send_test(calls: Calls, dependencies: Dependencies, found: Subscription) -> dict[str, Json]:
    """Have a test event sent to this endpoint alone, and write its delivery, which is under way.

    Raises GatewayError (INVALID_STATE) for a subscription that is not active, TooManyCalls, NotMapped,
    StoreUnavailable.
    """
    if found.state != ACTIVE:
        raise GatewayError("The subscription is not active: enable it first.", code="INVALID_STATE")
    key = dependencies.fresh("dlv")
    event = test_event(dependencies.fresh("evt"), found.id, calls.engine.model.changes, dependencies.now())
    made = await dependencies.database.write(
        lambda opened: probe(opened, event, found.id, key, _MOST_TESTS), tells=DELIVERIES
    )
    if not made:
        raise TooManyCalls(f"There are {_MOST_TESTS} tests under way.", retry_after=_TEST_SECONDS)
    row = await dependencies.database.read(lambda opened: delivery(opened, key))
    if row is None:
        raise NotMapped("The subscription was removed.")
    return shown_delivery(row, [])


def instant_of(moment: int) -> str:
    """Write a moment of the store, in milliseconds since 1970, as the contract has instants; in UTC."""
    return datetime.fromtimestamp(moment // 1000, UTC).isoformat()


def show(one: Subscription, backlog: Backlog | None = None) -> dict[str, Json]:
    """Write a subscription as the contract has it, without its secret."""
    waiting = backlog or Backlog()
    told = {
        "id": one.id,
        "url": one.url,
        "events": list(one.events),
        "connections": None if one.connections is None else list(one.connections),
        "active": one.state == ACTIVE,
        "format": one.format,
        "created_at": instant_of(one.created_at),
        "pending": waiting.pending,
        "dead": waiting.dead,
    }
    moments = {
        "failing_since": one.failing_since,
        "last_success_at": one.last_success_at,
        "oldest_pending_at": waiting.oldest_at,
    }
    told |= {name: instant_of(moment) for name, moment in moments.items() if moment is not None}
    return told | ({"reason": one.reason} if one.reason is not None else {})


def shown_delivery(row: DeliverySummary, attempts: list[Attempt]) -> dict[str, Json]:
    """Write a delivery for the owner of its endpoint."""
    told: dict[str, Json] = {"id": row.id, "event": row.event, "type": row.type}
    if row.connection:
        told["connection"] = row.connection
    told["trigger"] = TEST if row.job == TEST else "replay" if row.job else "event"
    told |= {"state": row.state, "created_at": instant_of(row.created_at)}
    if row.state == "pending":
        told["next_attempt_at"] = instant_of(row.due_at)
    if row.finished_at is not None:
        told["finished_at"] = instant_of(row.finished_at)
    return told | {"attempts": [_attempt(one) for one in attempts]}


def _attempt(one: Attempt) -> dict[str, Json]:
    delivered = one.outcome == "delivered"
    outcome = "delivered" if delivered else "no_answer" if one.status is None else "refused"
    told = {"number": one.number, "at": instant_of(one.at), "outcome": outcome}
    return told if one.status is None else told | {"status": one.status}


def _tuple(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(dict.fromkeys(names))
