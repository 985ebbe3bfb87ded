"""How requests prove who we are: static parts, HTTP Basic, or a session that is renewed when it is over or refused.

A renewal goes over the bare way, never through the wrapped one, so that it cannot wait for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gateway.engine.sessions.renewal import Obtaining, renewed
from gateway.engine.sessions.session import Session
from gateway.engine.sessions.tokens import Tokens
from gateway.engine.way_out.credentials import add, token_in
from gateway.engine.way_out.exchange import Dispatch, Exchange
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.provider import ChallengeAuth, NoAuth, SessionAuth, StaticAuth
from gateway.mapping.runtime.answers import decode, holds, say
from gateway.values.errors import ProviderUnauthorised
from gateway.values.messages import Json, Request, Response
from gateway.values.strictjson import JsonRefused, decode_json

_LARGEST_REFUSAL = 65_536
"""Bytes. A refusal is a short answer; longer ones are not decoded a second time only to look for one."""


@dataclass(frozen=True, slots=True)
class InSession:
    """A connection's part in a session: how it gets tokens, and the clock of its deadlines, in monotonic seconds."""

    session: Session
    obtaining: Obtaining
    clock: Callable[[], float]


def sign(send: Dispatch, auth: NoAuth | StaticAuth, scope: Callable[[], Scope]) -> Dispatch:
    """Wrap `send` with a scheme that has no session.

    `scope` gives the connection's settings with secrets revealed, and the time as it is when it is asked for: a
    request is signed when it goes, not when it begins to wait.
    """
    if isinstance(auth, NoAuth):
        return send

    async def sending(exchange: Exchange) -> Response:
        return await send(exchange.making(lambda: add(auth, exchange.make(), scope())))

    return sending


def in_session(send: Dispatch, part: InSession) -> Dispatch:
    """Wrap `send` so that what goes carries the token of a session; a refused one is renewed once."""
    auth, scope = part.obtaining.auth, part.obtaining.scope

    async def attempt(exchange: Exchange, stale: str | None) -> tuple[Response, str]:
        renew = partial(renewed, part.obtaining, send, exchange)
        left = exchange.deadline - part.clock()
        token = await part.session.fresh(renew, stale, left, exchange.call.connection)
        made = exchange.making(lambda: _with_token(auth, exchange.make(), scope(), token))
        return await send(made), token

    async def sending(exchange: Exchange) -> Response:
        response, token = await attempt(exchange, None)
        if not _is_refused(auth, response, scope()):
            return response
        response, token = await attempt(exchange, token)
        if _is_refused(auth, response, scope()):
            raise ProviderUnauthorised(
                "The provider refused a session that was fetched a moment ago; check the connection's credentials.",
                origin=auth.origin,
                provider=say(auth.login.said, decode(auth.login, response, scope())[0]),
            )
        return response

    return sending


def challenge(send: Dispatch, auth: ChallengeAuth, scope: Callable[[], Scope], session: Session) -> Dispatch:
    """Wrap `send` so that what is refused for want of a token is sent once more with the one that the refusal gives."""

    async def attempt(exchange: Exchange) -> Response:
        token = session.tokens.token if session.tokens is not None else None
        return await send(exchange.making(lambda: _with_token(auth, exchange.make(), scope(), token)))

    async def sending(exchange: Exchange) -> Response:
        response = await attempt(exchange)
        if not _is_refused(auth, response, scope()):
            return response
        token = token_in(auth.token, response)
        if token:
            session.tokens = Tokens(token)
            response = await attempt(exchange)
        if not token or _is_refused(auth, response, scope()):
            told = "The provider refused a token that it had just given" if token else "The provider gave no token"
            raise ProviderUnauthorised(f"{told}; check the connection's credentials.", origin=auth.origin)
        return response

    return sending


def _with_token(auth: SessionAuth | ChallengeAuth, request: Request, scope: Scope, token: str | None) -> Request:
    """Give a request with what is sent beside a token and, where there is one, the token."""
    if auth.beside is not None:
        request = add(auth.beside, request, scope)
    return request if token is None else add(auth.sends, request, {**scope, "token": token})


def _is_refused(auth: SessionAuth | ChallengeAuth, response: Response, scope: Scope) -> bool:
    body: Json = None
    if len(response.body) <= _LARGEST_REFUSAL:
        try:
            body = decode_json(response.body)
        except JsonRefused:
            body = None
    return any(holds(condition, response, body, scope) for condition in auth.renew_when)
