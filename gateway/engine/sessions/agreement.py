"""What a person agrees to in a browser (RFC 6749, section 4.1): the address they open, and the code that comes back."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from gateway.engine.sessions.renewal import Obtaining, obtain
from gateway.engine.sessions.session import Session
from gateway.engine.way_out.exchange import Dispatch, Exchange
from gateway.mapping.nodes.sessions import Agreed
from gateway.mapping.runtime.requests import pairs, url_of
from gateway.mapping.runtime.trees import evaluate
from gateway.values.errors import GatewayError, ProviderUnauthorised
from gateway.values.messages import Call, Request
from gateway.values.secrets import Credential

VERIFIER_BYTES: Final = 32
"""Of chance in a code verifier (RFC 7636, section 4.1)."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a person opens a session of a connection."""

    agreed: Agreed
    obtaining: Obtaining
    session: Session
    send: Dispatch

    def address(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Give the address that the person opens; the provider learns of the verifier only a hash (S256)."""
        scope, agreed = self.obtaining.scope(), self.agreed
        asked = pairs(evaluate(agreed.query, scope), self.obtaining.auth.origin)
        own = {
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        query = {**dict(asked), **own}
        return f"{url_of(agreed.page.url, scope)}?{urlencode(query, quote_via=quote)}"

    async def complete(self, call: Call, code: str, redirect_uri: str, verifier: str) -> None:
        """Take the code that came back, and keep what the provider gives for it.

        Raises what the rules make of a refusal, StoreUnavailable where it cannot be kept, and ProviderUnauthorised
        where nothing came that could renew the session.
        """
        given = {"code": Credential(code), "redirect_uri": redirect_uri, "code_verifier": Credential(verifier)}
        waiting = Exchange(_nothing, self.agreed.exchange.limit, call)
        tokens = await obtain(self.obtaining, self.send, waiting, self.agreed.exchange, given)
        await self.session.put(tokens)
        if tokens.refresh is None and tokens.until is not None:
            told = "The provider gave no refresh token, so the session ends with its first token: ask it for one."
            raise ProviderUnauthorised(told, origin=self.obtaining.auth.origin)


def challenge_of(verifier: str) -> str:
    """Hash a code verifier (RFC 7636, section 4.2, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def _nothing() -> Request:
    raise GatewayError("No request stands behind a login.")
