"""The operator's side of events: deliveries with their attempts, dead letters, replays and all subscriptions.

Every operation is declared as the operator's: nobody else passes. What providers sent is shown on
request alone, and each time the log says so.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.model.model import Operation
from gateway.store.deliveries import replays, subscriptions
from gateway.store.deliveries.deliveries import Attempt
from gateway.store.deliveries.history import DeliverySummary, Filter, attempts_of, list_
from gateway.store.deliveries.replays import Job, ReplaySelection
from gateway.store.deliveries.subscriptions import CONFIG, Subscription
from gateway.store.events.events import DELIVERIES, Receipt
from gateway.store.events.receipts import in_state
from gateway.surface.dependencies import Dependencies
from gateway.surface.events.webhooks import UNKNOWN, describe_subscription, instant_of, send_test, show
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.surface.operations.calls import Calls
from gateway.surface.operations.cursors import cut_page, place_of
from gateway.surface.operations.operations import next_link, read_apart
from gateway.surface.operations.pagination import cut, read_page_request
from gateway.telemetry import logs
from gateway.values.errors import CallInvalid, GatewayError, NotMapped
from gateway.values.messages import Json
from gateway.webhooks.outbound.replay import Replays


@dataclass(frozen=True, slots=True)
class Admin:
    """The handlers of the operator's side of events."""

    calls: Calls
    dependencies: Dependencies
    replays: Replays

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {
            "admin.deliveries.list": self.deliveries,
            "admin.dead_letters.list": self.letters,
            "admin.dead_letters.replay": self.reread,
            "admin.replay": self.replay,
            "admin.jobs.list": self.jobs,
            "admin.jobs.get": self.job,
            "admin.jobs.cancel": self.cancel,
            "admin.subscriptions.list": self.subscriptions,
            "admin.subscriptions.get": self.subscription,
            "admin.subscriptions.test": self.test,
            "admin.subscriptions.enable": self.enable,
        }

    async def deliveries(self, request: web.Request) -> web.Response:
        """Answer with deliveries, those of the newest events first. Raises GatewayError, as all of these do."""
        operation, given, cursor, _ = await self._read(request, "admin.deliveries.list")
        which = Filter(**{name: given.get(name) for name in ("state", "subscription", "connection", "event")})
        limit, bound = _limit(operation, given), f"admin.deliveries {which}"
        place, database = place_of(cursor, bound), self.dependencies.database
        rows = await database.read(lambda opened: list_(opened, which, place, limit + 1))
        page, about = cut_page(rows, limit, bound, lambda row: (row.sequence, row.id))
        data = [_delivery(row) for row in page]
        if "attempts" in given.get("include", ()):
            tried = await database.read(lambda opened: [attempts_of(opened, row.id) for row in page])
            for told, attempts in zip(data, tried, strict=True):
                told["tries"] = [_attempt(one) for one in attempts]
        return _list(request, operation, data, about)

    async def letters(self, request: web.Request) -> web.Response:
        """Answer with the dead letters: messages that were verified and do not fit the mapping, the newest first."""
        operation, given, cursor, _ = await self._read(request, "admin.dead_letters.list")
        limit, bound = _limit(operation, given), "admin.dead_letters"
        place = place_of(cursor, bound)
        rows = await self.dependencies.database.read(lambda opened: in_state(opened, "dead", place, limit + 1))
        page, about = cut_page(rows, limit, bound, lambda row: (row.received_at, row.id))
        whole = "payload" in given.get("include", ())
        for row in page if whole else ():
            logs.admin_read_payload(request=request[REQUEST_CONTEXT].request_id, receipt=row.id)
        return _list(request, operation, [_letter(row, whole=whole) for row in page], about)

    async def reread(self, request: web.Request) -> web.Response:
        """Read a dead letter again, with the mapping of now, and say whether its events are stored."""
        operation, given, _, body = await self._read(request, "admin.dead_letters.replay")
        visit = request[REQUEST_CONTEXT]

        async def perform() -> Answer:
            settled = await self.dependencies.receiver.replay(given["id"], visit.started + self.calls.settings.timeout)
            logs.admin_reread(request=visit.request_id, receipt=given["id"], settled=settled)
            return Answer(operation.status, to_bytes({"id": given["id"], "replayed": settled}))

        return await self.calls.respond(request, None, body, perform)

    async def replay(self, request: web.Request) -> web.Response:
        """Begin to send events again, and give the job that does it."""
        operation, given, _, body = await self._read(request, "admin.replay")
        name = given.get("connection")
        if name is not None and name not in self.calls.engine.catalog.connections:
            fields = [{"field": "connection", "problem": "is no connection"}]
            raise CallInvalid("`connection` is no connection.", details={"fields": fields})
        asked = ReplaySelection(
            event=given.get("event"),
            since=_milliseconds(given.get("from")),
            until=_milliseconds(given.get("to")),
            first=given.get("sequence_from"),
            last=given.get("sequence_to"),
            dead=given.get("state") == "dead",
            subscription=given.get("subscription"),
            connection=name,
        )

        async def perform() -> Answer:
            job = await self.replays.begin(asked)
            logs.admin_replayed(request=request[REQUEST_CONTEXT].request_id, job=job.id, what=given, total=job.total)
            headers = {"Location": self.calls.own("admin.jobs.get").path.replace("{id}", job.id)}
            return Answer(operation.status, to_bytes({"job": _job(job)}), headers)

        return await self.calls.respond(request, None, body, perform)

    async def jobs(self, request: web.Request) -> web.Response:
        """Answer with the replays, the newest first."""
        operation, given, cursor, _ = await self._read(request, "admin.jobs.list")
        limit, bound = _limit(operation, given), "admin.jobs"
        place = place_of(cursor, bound)
        rows = await self.dependencies.database.read(lambda opened: replays.newest(opened, place, limit + 1))
        page, about = cut_page(rows, limit, bound, lambda row: (row.created_at, row.id))
        return _list(request, operation, [_job(row) for row in page], about)

    async def job(self, request: web.Request) -> web.Response:
        """Answer with one replay and how far it is."""
        operation, given, *_ = await self._read(request, "admin.jobs.get")
        found = await self.dependencies.database.read(lambda opened: replays.job(opened, given["id"]))
        if found is None:
            raise NotMapped("There is no job of this id, or it is no longer kept.")
        return to_response(Answer(operation.status, to_bytes(_job(found))))

    async def cancel(self, request: web.Request) -> web.Response:
        """End a replay: what it has not sent yet is not sent."""
        operation, given, _, body = await self._read(request, "admin.jobs.cancel")

        async def perform() -> Answer:
            found = await self.replays.cancel(given["id"])
            logs.admin_cancelled(request=request[REQUEST_CONTEXT].request_id, job=found.id)
            return Answer(operation.status, to_bytes(_job(found)))

        return await self.calls.respond(request, None, body, perform)

    async def subscriptions(self, request: web.Request) -> web.Response:
        """Answer with everybody's subscriptions, and how their endpoints fare."""
        operation, given, cursor, _ = await self._read(request, "admin.subscriptions.list")
        page = read_page_request(operation, given, cursor, "")
        found = await self.dependencies.database.read(subscriptions.every)
        keys = [one.id for one in found]
        backlogs = await self.dependencies.database.read(lambda opened: subscriptions.backlogs(opened, keys))
        told = [show(one, backlogs.get(one.id)) | _whose(one) for one in found]
        data, _, about = cut(page, told, told)
        return _list(request, operation, data, about)

    async def subscription(self, request: web.Request) -> web.Response:
        """Answer with one subscription, whosever it is, and how its endpoint fares."""
        operation, given, *_ = await self._read(request, "admin.subscriptions.get")
        return to_response(await self._tell(operation, await self._subscription(given["id"])))

    async def test(self, request: web.Request) -> web.Response:
        """Send a test event to a consumer of the configuration, and give its delivery, which is under way."""
        operation, given, _, body = await self._read(request, "admin.subscriptions.test")

        async def perform() -> Answer:
            found = await self._configured(given["id"])
            return Answer(operation.status, to_bytes(await send_test(self.calls, self.dependencies, found)))

        return await self.calls.respond(request, None, body, perform)

    async def enable(self, request: web.Request) -> web.Response:
        """Send to a consumer of the configuration again, what waited as well."""
        operation, given, _, body = await self._read(request, "admin.subscriptions.enable")

        async def perform() -> Answer:
            key = (await self._configured(given["id"])).id
            await self.dependencies.database.write(lambda opened: subscriptions.enable(opened, key), tells=DELIVERIES)
            logs.admin_enabled(request=request[REQUEST_CONTEXT].request_id, subscription=key)
            return await self._tell(operation, await self._subscription(key))

        return await self.calls.respond(request, None, body, perform)

    async def _subscription(self, key: str) -> Subscription:
        found = await self.dependencies.database.read(lambda opened: subscriptions.one(opened, key))
        if found is None:
            raise NotMapped(UNKNOWN)
        return found

    async def _configured(self, key: str) -> Subscription:
        """Give a subscription that is the operator's own; raises NotMapped, and INVALID_STATE for a caller's."""
        found = await self._subscription(key)
        if found.owner != CONFIG:
            told = "This subscription is a caller's, who tests and enables it with its own key on `/v1/webhooks`."
            raise GatewayError(told, code="INVALID_STATE")
        return found

    async def _tell(self, operation: Operation, found: Subscription) -> Answer:
        return Answer(operation.status, to_bytes(await describe_subscription(self.dependencies, found) | _whose(found)))

    async def _read(self, request: web.Request, name: str) -> tuple[Operation, dict[str, Json], str | None, Json]:
        """Give the operation, its canonical arguments, the cursor and the body as it came."""
        operation = self.calls.own(name)
        return operation, *await read_apart(self.calls, operation, request)


def admin(calls: Calls, dependencies: Dependencies) -> Admin:
    """Make the handlers."""
    jobs = Replays(dependencies.database, dependencies.now, dependencies.fresh)
    return Admin(calls, dependencies, jobs)


def _limit(operation: Operation, given: Mapping[str, Json]) -> int:
    limit: int = given.get("limit") or operation.common["limit"].default
    return limit


def _list(
    request: web.Request, operation: Operation, data: list[dict[str, Json]], about: Mapping[str, Json]
) -> web.Response:
    body = to_bytes({"data": data, "page": about})
    return to_response(Answer(operation.status, body, next_link(request, about)))


def _whose(found: Subscription) -> dict[str, Json]:
    return {"owner": found.owner, "state": found.state}


def _delivery(row: DeliverySummary) -> dict[str, Json]:
    told = {name: getattr(row, name) for name in DeliverySummary.__slots__}
    moments = {name: row_moment for name in ("due_at", "created_at", "finished_at") if (row_moment := told.pop(name))}
    return told | {name: instant_of(moment) for name, moment in moments.items()}


def _attempt(one: Attempt) -> dict[str, Json]:
    return {
        "number": one.number,
        "at": instant_of(one.at),
        "milliseconds": one.milliseconds,
        "outcome": one.outcome,
        "status": one.status,
        "excerpt": one.excerpt.decode(errors="replace"),
    }


def _letter(row: Receipt, *, whole: bool) -> dict[str, Json]:
    told: dict[str, Json] = {
        "id": row.id,
        "connection": row.connection,
        "hook": row.hook,
        "received_at": instant_of(row.received_at),
        "reason": row.reason,
        "origin": row.origin,
    }
    return told | {"payload": _payload(row.request)} if whole else told


def _payload(request: bytes) -> dict[str, Json]:
    """Show a message as it is kept: a line of JSON about it, then the body as it came."""
    head, _, body = request.partition(b"\n")
    try:
        return {"head": head.decode(), "body": body.decode()}
    except UnicodeDecodeError:
        return {"head": head.decode(errors="replace"), "body_base64": base64.b64encode(body).decode()}


def _job(job: Job) -> dict[str, Json]:
    asked = job.wanted
    what: dict[str, Json] = {
        "event": asked.event,
        "from": None if asked.since is None else instant_of(asked.since),
        "to": None if asked.until is None else instant_of(asked.until),
        "sequence_from": asked.first,
        "sequence_to": asked.last,
        "state": "dead" if asked.dead else None,
        "subscription": asked.subscription,
        "connection": asked.connection,
    }
    told: dict[str, Json] = {
        "id": job.id,
        "state": job.state,
        "what": {name: value for name, value in what.items() if value is not None},
        "total": job.total,
        **{state: job.counts.get(state, 0) for state in ("delivered", "pending", "dead", "cancelled")},
        "created_at": instant_of(job.created_at),
    }
    return told if job.finished_at is None else told | {"finished_at": instant_of(job.finished_at)}


def _milliseconds(moment: Json) -> int | None:
    return None if moment is None else int(datetime.fromisoformat(moment).timestamp() * 1000)
