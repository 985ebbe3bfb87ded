"""A provider's own operations over HTTP, as its mapping declares them: arguments in, the provider's own fields out."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.engine.catalog import Connection
from gateway.mapping.compiler.operations.native import native_arguments, native_from_query
from gateway.mapping.nodes.calls import OperationPlan
from gateway.surface.http.authentication import may
from gateway.surface.http.error_responses import HttpRefused
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.requests import path_parts, query_pairs
from gateway.surface.http.responses import Answer, headers_of, to_bytes_in_pieces
from gateway.surface.operations.calls import Calls, mask
from gateway.values.errors import CallInvalid, MappingFault, OverBudget
from gateway.values.messages import Effect, Json
from gateway.values.secrets import Redactor


@dataclass(frozen=True, slots=True)
class Native:
    """The handlers of `/v1/{connection}/native/{operation}`."""

    calls: Calls

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {"native": self.post, "native.get": self.get}

    async def post(self, request: web.Request) -> web.Response:
        """Run an operation with the arguments in the body. Raises GatewayError."""
        connection, plan = self._find(request)
        body = await self.calls.body(request)
        if not isinstance(body, dict):
            raise CallInvalid("The body must be a JSON object", details={"fields": []})
        problems = [{"field": name, "problem": "belongs in the body"} for name, _ in query_pairs(request)]
        if problems:
            raise CallInvalid(f"`{problems[0]['field']}` belongs in the body", details={"fields": problems})
        return await self._answer(request, connection, plan, body)

    async def get(self, request: web.Request) -> web.Response:
        """Run an operation that changes nothing with the arguments in the query. Raises GatewayError."""
        connection, plan = self._find(request)
        if plan.effect is not Effect.SAFE:
            raise HttpRefused(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "This operation may change something: use POST.",
                headers={"Allow": "OPTIONS, POST"},
            )
        return await self._answer(request, connection, plan, native_from_query(plan, query_pairs(request)))

    def _find(self, request: web.Request) -> tuple[Connection, OperationPlan]:
        connection = self.calls.connection(request)
        plan = self.calls.engine.operation(connection, f"native.{path_parts(request)['operation']}")
        request[REQUEST_CONTEXT].operation = plan.name
        may(request, scope_of(plan))
        return connection, plan

    async def _answer(
        self, request: web.Request, connection: Connection, plan: OperationPlan, given: dict[str, Json]
    ) -> web.Response:
        args = native_arguments(plan, given)

        async def perform() -> Answer:
            try:
                reply = await self.calls.run(request, connection, plan.name, args)
            except OverBudget:
                raise  # which no other arguments mend
            except MappingFault as fault:  # the arguments go out as they came: what cannot be written is the caller's
                detail = "The arguments hold something that cannot be sent to the provider."
                raise CallInvalid(detail, details={"fields": []}) from fault
            compute = self.calls.computing(request, connection, plan.name)
            body = await compute(_write, reply.data, self.calls.engine.redactor(connection))
            return Answer(HTTPStatus.OK, body, headers_of(reply))

        return await self.calls.respond(request, connection, given, perform)


def _write(data: Json, hide: Redactor) -> bytes:
    """Write what the provider answered, secrets masked."""
    return b'{"data":' + to_bytes_in_pieces(mask(data, hide)) + b"}"


def scope_of(plan: OperationPlan) -> str:
    """Say what a caller must be allowed to run a native operation."""
    return "read" if plan.effect is Effect.SAFE else "write"
