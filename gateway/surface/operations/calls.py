"""From a request to a run of the engine and back: what the handlers of canonical and native operations share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from gateway.computation.budget import spend
from gateway.computation.workers import Compute
from gateway.config import Settings
from gateway.engine.catalog import Connection
from gateway.engine.compensation import look_with
from gateway.engine.engine import Engine
from gateway.events.recorded_calls import RecordedCalls
from gateway.mapping.expressions.ids import uuid_of
from gateway.mapping.handling import handle
from gateway.model.model import GatewayOperation, Operation
from gateway.store.keys import KeyRecord
from gateway.surface.http import error_responses, responses
from gateway.surface.http.authentication import may, may_use
from gateway.surface.http.error_responses import failure_of
from gateway.surface.http.preferences import handling_of
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.requests import READ_SECONDS, json_body, path_parts, refuse_conditions
from gateway.surface.http.responses import Answer, answer_of, warnings_of
from gateway.surface.idempotency.idempotency import Ledger, hold_of
from gateway.surface.idempotency.reconciliation import (
    ABSENT,
    CONFIRMED,
    OPERATOR,
    PENDING,
    STATES,
    arguments_of,
    state_of,
)
from gateway.surface.idempotency.requests import fingerprint_of, key_of
from gateway.surface.idempotency.written import Outcome
from gateway.surface.operations.capabilities import describe_connection
from gateway.surface.operations.readings import Readings
from gateway.values.errors import GatewayError, NotMapped, OutcomeUnknown, ProviderUnauthorised, ProviderUnavailable
from gateway.values.messages import LENIENT, Call, Effect, Json, Reply
from gateway.values.secrets import Redactor

_USUAL = "active"
_STATUS = {
    ProviderUnauthorised.CODE: "auth_failed",
    ProviderUnavailable.CODE: "degraded",
    "PROVIDER_TIMEOUT": "degraded",
}


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """How the last call of each connection went, while its settings stay the same. Starts anew with the process."""

    _by_digest: dict[str, str] = field(default_factory=dict)

    def of(self, connection: Connection) -> str:
        """Give the `status` of a connection."""
        return self._by_digest.get(connection.digest, _USUAL)

    def note(self, connection: Connection, code: str | None) -> bool:
        """Remember how a call ended; gives whether the status is another than before, or the first of all.

        Errors that say nothing of the provider's health change nothing.
        """
        status = _USUAL if code is None else _STATUS.get(code)
        if status is None or self._by_digest.get(connection.digest) == status:
            return False
        self._by_digest[connection.digest] = status
        return True


@dataclass(frozen=True, slots=True)
class Calls:
    """The way in. One for an application; the catalog is the engine's current one at every request."""

    engine: Engine
    settings: Settings
    ledger: Ledger
    standings: ConnectionHealth
    recorded_calls: RecordedCalls
    """What completes calls, and tells what they did."""
    readings: Readings = field(default_factory=Readings)
    """Lists whose pages were not all given yet."""

    def connection(self, request: web.Request) -> Connection:
        """Give the connection that a request's path names. Raises NotMapped (CONNECTION_NOT_FOUND), CallerRefused."""
        name = path_parts(request)["connection"]
        found = self.engine.catalog.connections.get(name)
        if found is None:
            raise NotMapped("There is no connection of this name.", code="CONNECTION_NOT_FOUND")
        request[REQUEST_CONTEXT].connection = name
        may_use(request, name)
        return found

    def own(self, name: str) -> GatewayOperation:
        """Give one of the gateway's own operations."""
        return self.engine.model.gateway.operations[name]

    def enter(self, request: web.Request, operation: Operation) -> Connection:
        """Give the connection a request may use for this operation. Raises NotMapped, CallerRefused."""
        connection = self.connection(request)
        request[REQUEST_CONTEXT].operation = operation.name
        may(request, *operation.scopes)
        return connection

    async def body(self, request: web.Request) -> Json:
        """Read a request's body. Raises CallInvalid; 408, 413 and 415 among it."""
        return await json_body(request, min(READ_SECONDS, self.settings.timeout))

    async def run(
        self,
        request: web.Request,
        connection: Connection,
        operation: str,
        arguments: Mapping[str, Json],
        include: frozenset[str] = frozenset(),
        *,
        partial: bool = False,
        handling: str = "",
    ) -> Reply:
        """Run one call and note how the connection fared; the last two as in a Call. Raises GatewayError."""
        visit = request[REQUEST_CONTEXT]
        deadline = visit.started + self.settings.timeout
        caller = visit.caller.name if visit.caller is not None else ""
        about = (connection.name, operation, arguments, visit.request_id, deadline, include)
        key = key_of(request)
        own = uuid_of(caller, connection.name, key) if key is not None else ""
        call = Call(*about, caller=caller, idempotency_key=own, partial=partial, handling=handling)
        try:
            reply = await self.recorded_calls.run(call, visit.traced.trace if visit.traced is not None else None)
        except GatewayError as error:
            await self._note(connection, error.code)
            raise
        await self._note(connection, None)
        return reply

    def now(self) -> float:
        """Read the clock of requests, in seconds."""
        return asyncio.get_running_loop().time()

    def computing(self, request: web.Request, connection: Connection, operation: str) -> Compute:
        """Give where what becomes of a reply is computed: in the time of the request, beside the event loop if long."""
        visit = request[REQUEST_CONTEXT]
        deadline = visit.started + self.settings.timeout
        return self.engine.computing(Call(connection.name, operation, {}, visit.request_id, deadline))

    async def _note(self, connection: Connection, code: str | None) -> None:
        """Remember how a call ended, and tell a connection's new status."""
        if self.standings.note(connection, code):
            status = self.standings.of(connection)
            await self.recorded_calls.stands(describe_connection(connection, self.engine.model, status))

    async def respond(
        self, request: web.Request, connection: Connection | None, body: Json, perform: Callable[[], Awaitable[Answer]]
    ) -> web.Response:
        """Perform a request, of a connection or of none, and answer it; with an Idempotency-Key, once.

        Raises GatewayError.
        """
        refuse_conditions(request)
        asked = fingerprint_of(request, connection.name if connection is not None else "", body)
        if asked is None:
            return responses.to_response(await perform())

        async def outcome() -> Outcome:
            try:
                return await perform()
            except GatewayError as error:
                return failure_of(error, self.engine.model)

        see = None if connection is None else partial(self._look, request, connection)
        try:
            found, replayed = await self.ledger.once(asked, outcome, see)
        except OutcomeUnknown as unknown:  # of a request that has left no answer
            if connection is None:
                raise
            look = look_with(self.engine.model, connection, asked.operation)
            raise unknown.copy_with(details={**unknown.details, **look}) from unknown
        extra = {"Idempotent-Replayed": "true"} if replayed else {}
        if isinstance(found, Answer):
            return responses.to_response(found, extra)
        return error_responses.to_response(request, found, extra)

    async def _look(self, request: web.Request, connection: Connection, kept: KeyRecord) -> Answer | None:
        """Give the answer of a write in doubt that was done, None where it was not. Raises OutcomeUnknown."""
        model = self.engine.model
        left = kept.began_at + hold_of(self.settings.timeout) - self.ledger.now()
        try:
            found = await state_of(model, connection, kept, partial(self.run, request, connection), left)
        except GatewayError as error:
            told = f"The provider cannot be asked now what became of it. {error.detail}"
            raise OutcomeUnknown(told.strip(), details={"cause": error.code}, retry_after=error.retry_after) from error
        if found.state == ABSENT:
            return None
        again = self.engine.operation(connection, kept.asked.operation).effect is Effect.IDEMPOTENT
        if found.state == OPERATOR and again:
            return None  # whether it was done or not, doing it now is as good: no repeat does it twice
        if found.state != CONFIRMED:
            wait = left / 1000 if found.state == PENDING else None
            raise OutcomeUnknown(STATES[found.state], retry_after=wait)
        operation = model.operations[kept.asked.operation]
        data = found.more.get("data")
        if operation.gives == "one":
            await self.recorded_calls.found(connection, operation.name, data)
        if data is not None:  # as it was answered had the answer come; who wants nothing lost was refused before
            plan, lenient = self.engine.operation(connection, operation.name), handling_of(request) == LENIENT
            about = (arguments_of(operation, kept, connection), operation, connection.provider.title)
            _, lost = handle(plan, *about, LENIENT if lenient else "")
            data = data | warnings_of(Reply(None, warnings=lost))
        return answer_of(operation, data, request.rel_url.raw_path, {})


def mask(value: Json, redactor: Redactor) -> Json:
    """Give a provider's own data without the connection's secrets, wherever the provider repeats them."""
    spend()
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, dict):
        return {redactor.text(key): mask(inner, redactor) for key, inner in value.items()}
    if isinstance(value, list):
        return [mask(inner, redactor) for inner in value]
    return value
