"""`/hooks/{connection}/{hook}[/{token}]`: where providers tell what happened, and marketplaces ask. No caller's key.

Raw bytes come in under a cap and are handed on as they are. An unknown connection, an unknown hook, a message without
proof, a wrong token and a bad signature are answered alike, whatever else is wrong with the request, and neither path
nor query is ever logged.

What a stranger can learn is whether a hook exists. A message whose body may still prove it is read before it is refused
(and may be told to come later), while one to no hook is refused at once, since nothing that nobody asked for shall hold
anything here; and a mapping may answer refusals in words of its own. Names of hooks are no secrets, their tokens are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.engine.catalog import Connection
from gateway.mapping.nodes.hooks import Hook, is_proved_by_fetch
from gateway.surface.http.anonymous_senders import BUSY_SECONDS, AnonymousSenders
from gateway.surface.http.error_responses import HttpRefused, failure_of, to_response
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.requests import READ_SECONDS, body_bytes, path_parts, query_pairs, refuse_large
from gateway.surface.operations.calls import Calls
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, SignatureInvalid, TooManyCalls
from gateway.values.messages import Received, Response
from gateway.webhooks.inbound.challenges import ChallengeAnswer
from gateway.webhooks.inbound.receiver import Delivery, Receiver
from gateway.webhooks.inbound.requests import Links, answer_request
from gateway.webhooks.inbound.session import DefaultAnswer, RefusedMessage, hook_of

MOST_OF_ONE = 32
"""Proved messages of one connection that are taken in at the same time."""
MOST = 256
"""Proved messages that are taken in at the same time."""
_UNSUPPORTED = 415
_AGAIN_SECONDS = "30"
"""When it shall ask, where nobody says it."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The handler of every hook. `public_url` is where the outside reaches the gateway, as configured.

    Whoever asks for something is answered by the `links`.
    """

    calls: Calls
    receiver: Receiver
    public_url: str
    links: Links | None = None
    under_way: Counter[str] = field(default_factory=Counter)
    strangers: AnonymousSenders = field(default_factory=AnonymousSenders)

    def handlers(self) -> dict[str, Handler]:
        """Give the handler by the operations that it is."""
        return {"hooks": self.take, "hooks.token": self.take}

    async def take(self, request: web.Request) -> web.Response:
        """Take in one message and answer as its mapping says. Raises GatewayError where the mapping says nothing.

        What stands before the body is looked at before the body is read: whoever names no hook, or proves there that
        nobody knows them, holds nothing. Everything else of a request is told only to whoever may still be known.
        """
        at = self.receiver.now()
        head = self._head(request)
        found = self._found(request)
        if found is None:
            self._tell(request)
            raise SignatureInvalid("")
        connection, plan = found
        visit = request[REQUEST_CONTEXT]
        visit.connection, visit.operation = connection.name, f"hooks.{plan.name}"
        url = self.public_url + request.rel_url.raw_path_qs
        deadline = visit.started + self.calls.settings.timeout
        delivery = Delivery(connection, plan, head, at, url, visit.request_id, deadline)
        try:
            proved = self.receiver.glance(delivery)
        except GatewayError as error:
            return self._refuse(request, delivery, error)
        return await (self._find(request, delivery) if proved else self._stranger(request, delivery))

    async def _find(self, request: web.Request, delivery: Delivery) -> web.Response:
        """Take in a message that is proved: it counts against its connection from here on."""
        with self._count(delivery.connection.name):
            body = await body_bytes(request, self._patience())
            return await self._take(request, delivery, body)

    async def _stranger(self, request: web.Request, delivery: Delivery) -> web.Response:
        """Take in a message that only its body, or what is fetched for it, can prove: its address has its own bound.

        A signature is looked at before anything is waited for, so that a forged one never counts for the connection.
        """
        with ExitStack() as held:
            place = held.enter_context(self.strangers.place(request.remote))
            body = await place.read(request, self._patience())
            if delivery.plan.verify and not is_proved_by_fetch(delivery.plan):
                held.close()
            with self._count(delivery.connection.name):
                return await self._take(request, delivery, body)

    async def _take(self, request: web.Request, delivery: Delivery, body: bytes) -> web.Response:
        whole = replace(delivery, received=replace(delivery.received, body=body))
        try:
            return await self._answer(whole)
        except GatewayError as error:
            return self._refuse(request, whole, error)

    def _patience(self) -> float:
        """How long a body may take, in seconds."""
        return min(READ_SECONDS, self.calls.settings.timeout)

    async def _answer(self, delivery: Delivery) -> web.Response:
        """Take in what is told, or have done what is asked, and give the answer of the mapping."""
        came, session = await self.receiver.receive(delivery), self.receiver.session(delivery)
        if isinstance(came, ChallengeAnswer):
            return web.Response(status=came.status, headers=dict(came.headers), body=came.body)
        if came is not None:
            return _response(await answer_request(session, came, self.links, delivery.request_id, delivery.deadline))
        return _response(session.taken())

    def _found(self, request: web.Request) -> tuple[Connection, Hook] | None:
        """The hook that a path names, if there is one."""
        parts = path_parts(request)
        connection = self.calls.engine.catalog.connections.get(parts["connection"])
        if connection is None:
            return None
        plan = hook_of(connection, parts["hook"], request.method)
        return None if isinstance(plan, RefusedMessage) else (connection, plan)

    def _tell(self, request: web.Request) -> None:
        """Tell the log of a path that names no hook; what is written there may be somebody's token."""
        name = path_parts(request)["connection"]
        known = name if name in self.calls.engine.catalog.connections else ""
        reason = "the path names no hook of a connection, or the method is another"
        logs.hook_refused(request=request[REQUEST_CONTEXT].request_id, connection=known, hook="", reason=reason)

    def _head(self, request: web.Request) -> Received:
        """What came before the body. What was compressed on the way cannot be verified, since it was signed as sent."""
        if any(coding.lower() != "identity" for coding in request.headers.getall("Content-Encoding", ())):
            raise HttpRefused(_UNSUPPORTED, "Send the body without Content-Encoding.")
        refuse_large(request)
        headers = tuple((name.lower(), value) for name, value in request.headers.items())
        token = path_parts(request).get("token")
        return Received(request.method, token, tuple(query_pairs(request)), headers, b"")

    def _refuse(self, request: web.Request, delivery: Delivery, error: GatewayError) -> web.Response:
        """What the mapping says to an error, or what a marketplace is told that shall ask again; raises all else."""
        told = self.receiver.session(delivery).reply(error)
        if not isinstance(told, DefaultAnswer):
            request[REQUEST_CONTEXT].code = error.code
            return _response(told)
        if not told.again:
            raise error
        failure = failure_of(error, self.calls.engine.model)
        headers = {"Retry-After": _AGAIN_SECONDS, **failure.headers}
        return to_response(request, replace(failure, status=told.status, headers=headers))

    @contextmanager
    def _count(self, name: str) -> Iterator[None]:
        """Count the messages under way; raises TooManyCalls rather than let a flood in."""
        if self.under_way[name] >= MOST_OF_ONE or self.under_way.total() >= MOST:
            raise TooManyCalls("Too many messages at the same time.", retry_after=BUSY_SECONDS)
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
