"""Logins that a person begins at the command line and ends in a browser: each can be ended once, and not for long.

What must come back is told to nobody but the provider. The store has only its hash, and the rest encrypted.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.engine.sessions.agreement import VERIFIER_BYTES, Agreement
from gateway.store.database import Database
from gateway.store.sessions import tokens as rows
from gateway.store.sessions.sealing import Sealer, UnknownKeyError

MINUTES: Final = 10
"""How long a person has."""
CALLBACK: Final = "/oauth/callback"
_STATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """What was begun: for which connection and scheme, and what its code is exchanged with."""

    connection: str
    scheme: str
    redirect_uri: str
    verifier: str

    def __repr__(self) -> str:
        return f"PendingLogin({self.connection})"


@dataclass(frozen=True, slots=True, repr=False)
class Logins:
    """The logins that are under way. `now` gives milliseconds since 1970, `random` bytes that nobody can guess."""

    database: Database
    sealer: Sealer
    now: Callable[[], int]
    random: Callable[[int], bytes]
    public_url: str
    """Where the outside reaches the gateway: the redirect URI is exactly this and the path of the callback."""

    async def begin(self, agreement: Agreement, connection: str, scheme: str) -> str:
        """Begin a login, and give the address that a person opens. Raises StoreUnavailable."""
        state, verifier = self._draw(_STATE_BYTES), self._draw(VERIFIER_BYTES)
        pending = PendingLogin(connection, scheme, f"{self.public_url}{CALLBACK}", verifier)
        name, now = _name(state), self.now()
        sealed = self.sealer.seal(json.dumps([connection, scheme, pending.redirect_uri, verifier]).encode(), name)
        until = now + MINUTES * 60_000
        await self.database.write(lambda store: rows.begin_login(store, name, sealed, until, now))
        return agreement.address(pending.redirect_uri, state, verifier)

    async def take(self, state: str) -> PendingLogin | None:
        """Give what was begun with this state, once; None of what is over or never was. Raises StoreUnavailable."""
        name = _name(state)
        if not await self.database.read(lambda store: rows.is_begun(store, name)):
            return None  # whoever guesses has nothing written
        sealed = await self.database.write(lambda store: rows.take_login(store, name, self.now()))
        try:
            return PendingLogin(*json.loads(self.sealer.open(sealed, name))) if sealed is not None else None
        except UnknownKeyError:
            return None

    def _draw(self, size: int) -> str:
        return base64.urlsafe_b64encode(self.random(size)).rstrip(b"=").decode()


def _name(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()
