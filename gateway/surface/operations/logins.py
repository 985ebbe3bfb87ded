"""`/oauth/callback`: where the browser of a person comes back to who has logged in at a provider. Nobody's key.

What comes proves itself by the state of a login that was begun at the command line. It is told in plain text and never
shown again; the code and the state stand in no log.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.engine.engine import Engine
from gateway.engine.sessions.agreement import Agreement
from gateway.engine.sessions.logins import Logins, PendingLogin
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, NotMapped
from gateway.values.messages import Call

_NAME = "oauth.callback"
_LONGEST = 4096
"""Characters of a code or a state; longer ones are none."""
_OVER = "This login has ended already, took too long, or was never begun here. Begin it again: gateway login CONNECTION"


@dataclass(frozen=True, slots=True)
class LoginCallback:
    """The handler. Without `logins` there is no `state_key`, and nobody can have begun one."""

    engine: Engine
    logins: Logins | None
    timeout: float
    """Seconds that the exchange of a code may take."""

    def handlers(self) -> dict[str, Handler]:
        """Give the handler by the operation that it is."""
        return {_NAME: self.take}

    async def take(self, request: web.Request) -> web.Response:
        """End a login: its code is exchanged for tokens, which are kept. Raises StoreUnavailable."""
        state, code = (request.query.get(name, "") for name in ("state", "code"))
        known = self.logins is not None and 0 < len(state) <= _LONGEST and len(code) <= _LONGEST
        pending = await self.logins.take(state) if self.logins is not None and known else None
        agreement = self._agreement(pending) if pending is not None else None
        if pending is None or agreement is None:
            return _tell(HTTPStatus.NOT_FOUND, _OVER)
        visit = request[REQUEST_CONTEXT]
        visit.connection, visit.operation = pending.connection, _NAME
        if not code:
            logs.login_ended(connection=pending.connection, reason="the provider sent no code")
            return _tell(HTTPStatus.BAD_REQUEST, "The provider did not agree. Begin again: gateway login CONNECTION")
        deadline = visit.started + self.timeout
        call = Call(pending.connection, _NAME, {}, visit.request_id, deadline=deadline)
        try:
            await agreement.complete(call, code, pending.redirect_uri, pending.verifier)
        except GatewayError as error:
            connection = self.engine.connection(pending.connection)
            reason = self.engine.redactor(connection).text(error.explanation)
            logs.login_ended(connection=pending.connection, reason=reason)
            return _tell(HTTPStatus.BAD_GATEWAY, f"The login failed ({error.code}): the gateway's log says why.")
        logs.login_ended(connection=pending.connection)
        return _tell(HTTPStatus.OK, f"The connection {pending.connection} is logged in. You may close this window.")

    def _agreement(self, pending: PendingLogin) -> Agreement | None:
        """Find how the connection is logged in; None where it is gone, or has another scheme now."""
        try:
            return self.engine.agreements(pending.connection).get(pending.scheme)
        except NotMapped:
            return None


def _tell(status: HTTPStatus, text: str) -> web.Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
    return web.Response(status=status, text=text + "\n", content_type="text/plain", headers=headers)
