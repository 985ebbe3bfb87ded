"""How requests prove who we are: static parts, HTTP Basic, or a session fetched once and renewed when refused.

A login goes over the bare way, never through the wrapped one, so that it cannot wait for itself.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from gateway.engine.catalog import Connection
from gateway.engine.way_out.exchange import Dispatch, Exchange
from gateway.mapping.nodes.calls import ErrorRule, Scope
from gateway.mapping.nodes.provider import AuthPlan, NoAuth, SessionAuth, StaticAuth
from gateway.mapping.nodes.trees import Tree
from gateway.mapping.runtime.answers import decoded, holds, said, to_body
from gateway.mapping.runtime.expressions import read
from gateway.mapping.runtime.requests import credentials, encode_form, is_form, pairs, to_request
from gateway.mapping.runtime.trees import evaluate
from gateway.values.errors import (
    AnswerMismatch,
    ProviderRedirected,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)
from gateway.values.http import joined
from gateway.values.messages import Json, Request, Response
from gateway.values.secrets import Credential, Secret
from gateway.values.strictjson import JsonRefused, decode_json

_LARGEST_REFUSAL = 65_536
"""Bytes. A refusal is a short answer; longer ones are not decoded a second time only to look for one."""


@dataclass(slots=True)
class Session:
    """The token of one connection. However many calls find it missing or refused, one login is under way at a time."""

    clock: Callable[[], float]
    token: str | None = field(default=None, repr=False)
    fetched: float = 0.0
    _underway: asyncio.Future[str] | None = field(default=None, repr=False)

    async def fresh(self, login: Callable[[], asyncio.Future[str]], expires: float | None, stale: str | None) -> str:
        """Return a token other than `stale`; log in when there is none, or when it is older than `expires` seconds."""
        aged = expires is not None and self.clock() - self.fetched > expires
        if self.token is not None and self.token != stale and not aged:
            return self.token
        if self._underway is None:
            self._underway = login()
            self._underway.add_done_callback(self._done)
        return await asyncio.shield(self._underway)

    def _done(self, login: asyncio.Future[str]) -> None:
        self._underway = None
        if not login.cancelled() and login.exception() is None:  # noqa: LOG004 - a future's, not a logger's
            self.token, self.fetched = login.result(), self.clock()


class Sessions:
    """The sessions of all connections. A connection whose settings changed begins new ones."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._by_name: dict[str, dict[tuple[str, str], Session]] = {}

    def of(self, connection: Connection, scheme: str = "") -> Session:
        """Give the session of a connection by one of its schemes, the empty name for the file's own."""
        of_name = self._by_name.setdefault(connection.name, {})
        return of_name.setdefault((connection.digest, scheme), Session(self._clock))

    def tokens(self, name: str) -> list[Secret]:
        """Give the tokens that the sessions of a connection hold now."""
        return [Secret(one.token) for one in self._by_name.get(name, {}).values() if one.token]


def signed(
    send: Dispatch, auth: AuthPlan, scope: Callable[[], Scope], session: Session, rules: Iterable[ErrorRule]
) -> Dispatch:
    """Wrap `send` with the scheme of `auth`.

    `scope` gives the connection's settings with secrets revealed, and the time as it is when it is asked for: a
    request is signed when it goes, not when it begins to wait.
    """
    if isinstance(auth, NoAuth):
        return send
    if isinstance(auth, SessionAuth):
        return _with_session(send, auth, scope, session, tuple(rules))

    async def sending(exchange: Exchange) -> Response:
        return await send(exchange.making(lambda: _added(auth, exchange.make(), scope())))

    return sending


def _added(auth: StaticAuth, request: Request, scope: Scope) -> Request:
    """Give the request with the scheme's headers, query and form fields."""
    headers = joined(request.headers, pairs(_built(auth.headers, scope), auth.origin))
    if auth.basic is not None:
        parts = dict(zip(("user", "password"), (evaluate(part, scope) for part in auth.basic), strict=True))
        user = ":".join(text for _, text in pairs(parts, auth.origin))
        basic = Credential(f"Basic {base64.b64encode(user.encode()).decode()}")
        headers = joined(headers, [("Authorization", basic)])
    body, hidden = request.body, request.hidden
    if auth.form is not None and is_form(request):
        fields = evaluate(auth.form, scope)
        body = b"&".join(part for part in (body, encode_form(pairs(fields, auth.origin))) if part)
        hidden |= credentials(fields)
    query = request.query + pairs(_built(auth.query, scope), auth.origin)
    return replace(request, headers=tuple(headers), query=query, body=body, hidden=hidden)


def _built(tree: Tree | None, scope: Scope) -> dict[str, Json]:
    return evaluate(tree, scope) if tree is not None else {}


def _with_session(
    send: Dispatch, auth: SessionAuth, scope: Callable[[], Scope], session: Session, rules: tuple[ErrorRule, ...]
) -> Dispatch:
    async def attempt(exchange: Exchange, stale: str | None) -> tuple[Response, str]:
        def begin() -> asyncio.Future[str]:
            return asyncio.ensure_future(_before_the_call(send, auth, scope, rules, exchange))

        token = await session.fresh(begin, auth.expires, stale)
        made = exchange.making(lambda: _added(auth.sends, exchange.make(), {**scope(), "token": token}))
        return await send(made), token

    async def sending(exchange: Exchange) -> Response:
        response, token = await attempt(exchange, None)
        if not _refused(auth, response, scope()):
            return response
        response, token = await attempt(exchange, token)
        if _refused(auth, response, scope()):
            raise ProviderUnauthorised(
                "The provider refused a session that was fetched a moment ago; check the connection's credentials.",
                origin=auth.origin,
                provider=said(auth.login.said, decoded(auth.login, response, scope())[0]),
            )
        return response

    return sending


async def _before_the_call(
    send: Dispatch, auth: SessionAuth, scope: Callable[[], Scope], rules: tuple[ErrorRule, ...], waiting: Exchange
) -> str:
    """Log in for an exchange that waits.

    When that fails the exchange itself was not sent, so nothing of it is in doubt.
    """
    login = waiting.making(lambda: to_login(auth, scope()), auth.login.limit)
    try:
        return to_token(auth, await send(login), scope(), rules)
    except ProviderUnavailable as error:
        late = error.code == "PROVIDER_TIMEOUT"
        raise ProviderUnavailable(
            error.detail, sent=False, timed_out=late, retry_after=error.retry_after, status=error.status
        ) from error
    except (AnswerMismatch, ProviderRedirected) as error:
        raise ProviderRejected(error.detail, origin=error.origin) from error


def to_login(auth: SessionAuth, scope: Scope) -> Request:
    """Build the request of a login."""
    return to_request(auth.login, {**scope, "serial": 1})


def to_token(auth: SessionAuth, response: Response, scope: Scope, rules: Iterable[ErrorRule]) -> str:
    """Read the token in the answer to a login; raises what the error rules make of a refusal."""
    body = to_body(auth.login, response, rules, {**scope, "serial": 1})
    token = read(auth.token, body, auth.origin)
    if not isinstance(token, str) or not token:
        raise AnswerMismatch(
            f"{auth.origin}: the login's answer holds no token where `token:` says", origin=auth.origin
        )
    return token


def _refused(auth: SessionAuth, response: Response, scope: Scope) -> bool:
    body: Json = None
    if len(response.body) <= _LARGEST_REFUSAL:
        try:
            body = decode_json(response.body)
        except JsonRefused:
            body = None
    return any(holds(condition, response, body, scope) for condition in auth.renew_when)
