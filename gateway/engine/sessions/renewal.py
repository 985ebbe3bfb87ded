"""How a session gets tokens: by what renews them, by a login, or by what a person has agreed to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.engine.sessions.assertions import signed_assertion
from gateway.engine.sessions.tokens import Tokens, read_tokens
from gateway.engine.way_out.credentials import add
from gateway.engine.way_out.exchange import Dispatch, Exchange
from gateway.mapping.nodes.calls import CallPlan, ErrorRule, Scope
from gateway.mapping.nodes.provider import SessionAuth
from gateway.mapping.nodes.sessions import Agreed, Assertion, Given
from gateway.mapping.runtime.requests import to_request, url_of
from gateway.mapping.runtime.trees import evaluate
from gateway.values.errors import (
    AnswerMismatch,
    GatewayError,
    ProviderRedirected,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)
from gateway.values.messages import Request, Response
from gateway.values.secrets import Credential

Sign: TypeAlias = Callable[[Assertion, Scope, float, str], str]


@dataclass(frozen=True, slots=True)
class Obtaining:
    """How a connection gets tokens by one of its schemes."""

    auth: SessionAuth
    scope: Callable[[], Scope]
    """What its templates see, as it is when it is asked for."""
    rules: tuple[ErrorRule, ...]
    now: Callable[[], float]
    """Seconds since 1970."""
    fresh: Callable[[], str]
    """Gives an id that nobody has had."""
    sign: Sign = signed_assertion

    def request(self, call: CallPlan, given: Scope) -> Request:
        """Build a request of the session itself, with what it is given."""
        auth, scope = self.auth, {**self.scope(), "serial": 1, **given}
        if auth.assertion is not None:
            told = {**scope, "token_url": url_of(call.url, scope)}
            scope["assertion"] = self.sign(auth.assertion, told, self.now(), self.fresh())
        request = to_request(call, scope)
        if auth.beside is not None:
            request = add(auth.beside.without_bodies, request, scope)
        return add(auth.client, request, scope) if auth.client is not None else request

    def read(self, call: CallPlan, response: Response, before: str | None) -> Tokens:
        """Read the answer; `before` is what renewed the session so far."""
        scope = {**self.scope(), "serial": 1}
        return read_tokens(self.auth, call, response, self.rules, scope, before=before, now=self.now())

    def first(self) -> str | None:
        """Give the refresh token that a setting has, where the session begins with one."""
        begins = self.auth.begins
        return str(evaluate(begins.token, self.scope())) if isinstance(begins, Given) else None


async def renewed(obtaining: Obtaining, send: Dispatch, waiting: Exchange, held: Tokens | None) -> Tokens:
    """Get new tokens for an exchange that waits; when that fails it was not sent, so nothing of it is in doubt."""
    try:
        return await _renew(obtaining, send, waiting, held)
    except ProviderUnavailable as error:
        late = error.code == "PROVIDER_TIMEOUT"
        raise ProviderUnavailable(
            error.detail, sent=False, timed_out=late, retry_after=error.retry_after, status=error.status
        ) from error
    except (AnswerMismatch, ProviderRedirected) as error:
        raise ProviderRejected(error.detail, origin=error.origin) from error


async def _renew(obtaining: Obtaining, send: Dispatch, waiting: Exchange, held: Tokens | None) -> Tokens:
    """Try what may renew the session, one after the other, as long as each is refused."""
    auth, refusal = obtaining.auth, None
    known = (held.refresh if held is not None else None, obtaining.first())
    call = auth.refresh.call if auth.refresh is not None else auth.login
    for refresh in dict.fromkeys(one for one in known if one):
        try:
            return await obtain(obtaining, send, waiting, call, {"refresh_token": Credential(refresh)})
        except GatewayError as error:
            if error.code != ProviderUnauthorised.CODE:
                raise
            refusal = error
    if not auth.begins.kept:
        return await obtain(obtaining, send, waiting, auth.login, {})
    told = "Nobody has logged in yet" if refusal is None else "The provider takes the session no more"
    name = waiting.call.connection
    must = f"run `gateway login {name}`" if isinstance(auth.begins, Agreed) else "give it a new refresh token"
    said = refusal.provider if refusal is not None else {}
    raise ProviderUnauthorised(f"{told}: {must}.", origin=auth.origin, provider=said) from refusal


async def obtain(obtaining: Obtaining, send: Dispatch, waiting: Exchange, call: CallPlan, given: Scope) -> Tokens:
    """Make one call of the session, and read what it got."""
    before = given.get("refresh_token")
    response = await send(waiting.making(lambda: obtaining.request(call, given), call.limit))
    return obtaining.read(call, response, str(before) if before is not None else None)
