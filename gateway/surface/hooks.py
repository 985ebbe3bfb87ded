"""`/hooks/{connection}/{hook}[/{token}]`: where providers send what happened. No key of a caller is asked for here.

Raw bytes come in under a cap and are handed on as they are. A stranger learns nothing: an unknown hook, a wrong token
and a bad signature are answered alike, and neither path nor query is ever logged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from gateway.catalog import Connection
from gateway.errors import GatewayError, SignatureInvalid, TooManyCalls
from gateway.mapping.hooks_translate import to_reply
from gateway.mapping.plan import Scope
from gateway.mapping.plan_hooks import HookPlan
from gateway.messages import Received, Response
from gateway.surface.calls import Calls
from gateway.surface.failures import HttpRefused
from gateway.surface.requests import READ_SECONDS, body_bytes, path_parts, query_pairs
from gateway.surface.visit import VISIT
from gateway.webhooks.inbound import Delivery, Inbound, moment

PATH = "/hooks/{connection:[^/]+}/{hook:[^/]+}"
MOST_OF_ONE = 32
"""Messages of one connection that are taken in at the same time, and of all that name no hook together."""
MOST = 256
"""Messages that are taken in at the same time."""
_BUSY_SECONDS = 1.0
_UNSUPPORTED = 415


@dataclass(frozen=True, slots=True)
class Hooks:
    """The handler of every hook. `public_url` is where the outside reaches the gateway, as configured."""

    calls: Calls
    inbound: Inbound
    public_url: str
    under_way: Counter[str] = field(default_factory=Counter)

    async def take(self, request: web.Request) -> web.Response:
        """Take in one message and answer as its mapping says. Raises GatewayError where the mapping says nothing.

        What is wrong with a request as such is told before it is looked at whether there is such a hook.
        """
        at = self.inbound.now()
        found = self._found(request)
        with self._counted(found[0].name if found is not None else ""):
            received = await self._received(request)
            if found is None:
                raise SignatureInvalid("")
            connection, plan = found
            visit = request[VISIT]
            visit.connection, visit.operation = connection.name, f"hooks.{plan.name}"
            scope = {**connection.scope, "now": moment(at)}
            url = self.public_url + request.rel_url.raw_path_qs if self.public_url else ""
            deadline = visit.started + self.calls.settings.timeout
            try:
                answer = await self.inbound.receive(
                    Delivery(connection, plan, received, at, url, visit.request_id, deadline)
                )
            except GatewayError as error:
                told = self._said_of(plan, error, scope)
                if told is None:
                    raise
                visit.code = error.code
                return _response(told)
        if answer is not None:
            return web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)
        taken = to_reply(plan, None, scope)
        return web.Response(status=204) if taken is None else _response(taken)

    def _found(self, request: web.Request) -> tuple[Connection, HookPlan] | None:
        """The hook that a path names, if there is one."""
        parts = path_parts(request)
        connection = self.calls.engine.catalog.connections.get(parts["connection"])
        plan = connection.provider.hooks.get(parts["hook"]) if connection is not None else None
        if connection is None or plan is None or request.method not in plan.methods:
            return None
        return connection, plan

    async def _received(self, request: web.Request) -> Received:
        """The message as it came. What was compressed on the way cannot be verified, since it was signed as sent."""
        if any(coding.lower() != "identity" for coding in request.headers.getall("Content-Encoding", ())):
            raise HttpRefused(_UNSUPPORTED, "Send the body without Content-Encoding.")
        body = await body_bytes(request, min(READ_SECONDS, self.calls.settings.timeout))
        headers = tuple((name.lower(), value) for name, value in request.headers.items())
        token = path_parts(request).get("token")
        return Received(request.method, token, tuple(query_pairs(request)), headers, body)

    def _said_of(self, plan: HookPlan, error: GatewayError, scope: Scope) -> Response | None:
        """What the mapping answers to an error. Its `default` is not asked of what shall come again: that would end."""
        if error.code not in plan.replies and self.calls.engine.model.errors[error.code].retryable:
            return None
        return to_reply(plan, error.code, scope)

    @contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        """Count the messages under way; raises TooManyCalls rather than let a flood in."""
        if self.under_way[name] >= MOST_OF_ONE or self.under_way.total() >= MOST:
            raise TooManyCalls("Too many messages at the same time.", retry_after=_BUSY_SECONDS)
        self.under_way[name] += 1
        try:
            yield
        finally:
            self.under_way[name] -= 1


def _response(told: Response) -> web.Response:
    headers = {name: value for name, value in told.headers.items() if name != "content-type"}
    content = told.headers.get("content-type", "").partition(";")[0] or None
    charset = "utf-8" if "charset=utf-8" in told.headers.get("content-type", "") else None
    return web.Response(status=told.status, headers=headers, body=told.body, content_type=content, charset=charset)
