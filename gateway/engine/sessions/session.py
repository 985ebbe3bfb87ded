"""One session at a provider, however many calls, connections and gateways have the same credentials.

In a process one renewal is under way at a time, and all who need a token wait for it. Of the processes on one store,
the one with the lease renews; the others wait for what it keeps. What was got is kept before it is used.

A gateway that dies between the use of a refresh token and the keeping of what it gave leaves the old one in the store.
Nobody can tell then whether the provider took it, so it is tried once more, by whoever gets the lease next: most
providers take it again for a while, and where they do not, another login follows where the mapping has one. Where a
person must log in, that is said, and the provider is left alone meanwhile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from gateway.engine.sessions.tokens import Tokens
from gateway.engine.sessions.vaults import Held, Vault
from gateway.store.sessions.tokens import Lease
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, ProviderUnauthorised, ProviderUnavailable, StoreUnavailable
from gateway.values.secrets import Secret

Renew: TypeAlias = Callable[[Tokens | None], Awaitable[Tokens]]
"""Gets new tokens, given those there were."""
FIRST_PAUSE: Final = 30.0
"""Seconds after a refusal in which nobody logs in; it doubles with each further one."""
LONGEST_PAUSE: Final = 900.0
_LOOK: Final = 0.1
"""Seconds between two looks for what another gateway is renewing."""
_SLACK: Final = 5.0
"""Seconds that a lease lasts beyond the call that renews: whoever is away for longer has died."""
_SAVES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds before each further try to keep what was renewed, while the store is out of reach."""


class Session:
    """What all who have the same credentials share. `clock` gives seconds since 1970."""

    def __init__(self, identity: bytes, vault: Vault, clock: Callable[[], float]) -> None:
        self.tokens: Tokens | None = None
        """What this process used last."""
        self._identity = identity
        self._vault = vault
        self._clock = clock
        self._underway: asyncio.Future[Tokens] | None = None
        self._saving: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"Session({'with' if self.tokens is not None else 'without'} a token)"

    async def fresh(self, renew: Renew, stale: str | None, seconds: float, connection: str) -> str:
        """Give a token other than `stale`, which was refused; renew it where there is none, or where it is over.

        A renewal takes so many seconds at most. `connection` is named in the log. Raises what `renew` raises,
        ProviderUnauthorised while the provider is left alone, ProviderUnavailable and StoreUnavailable.
        """
        if self.tokens is not None and self.tokens.serves(self._clock(), stale):
            return self.tokens.token
        if self._underway is None:
            self._underway = asyncio.ensure_future(self._renew(renew, stale, seconds, connection))
            self._underway.add_done_callback(self._finish)
        return (await asyncio.shield(self._underway)).token

    async def put(self, tokens: Tokens) -> None:
        """Take what a person has brought."""
        await self._vault.put(self._identity, tokens)
        self.tokens = tokens

    def _finish(self, renewal: asyncio.Future[Tokens]) -> None:
        self._underway = None
        if not renewal.cancelled() and renewal.exception() is None:
            self.tokens = renewal.result()

    async def _renew(self, renew: Renew, stale: str | None, seconds: float, connection: str) -> Tokens:
        """Take what is kept where that serves; else renew it, or wait for who does."""
        over = self._clock() + seconds
        while True:
            held = await self._vault.read(self._identity)
            now = self._clock()
            if held.tokens is not None and held.tokens.serves(now, stale):
                return held.tokens
            if held.row.refused_until / 1000 > now:
                raise _left_alone(held.row.reason or "", held.row.refused_until / 1000 - now)
            lease = await self._vault.claim(held, round((now + seconds + _SLACK) * 1000))
            if lease is not None:
                return await self._by(lease, held, renew, connection)
            if now >= over:
                told = "Another gateway is renewing the session, and has not done so in time."
                raise ProviderUnavailable(told, sent=False, timed_out=True)
            await asyncio.sleep(_LOOK)

    async def _by(self, lease: Lease, held: Held, renew: Renew, connection: str) -> Tokens:
        """Renew by right of a lease, which ends with that however it ends."""
        try:
            tokens = await renew(held.tokens)
        except GatewayError as error:
            if error.code != ProviderUnauthorised.CODE:
                await self._vault.release(lease)
                raise
            refusals = held.row.refusals + 1
            pause = min(FIRST_PAUSE * 2 ** min(refusals - 1, 10), LONGEST_PAUSE)
            reason = str(error.provider.get("code") or "")
            await self._vault.refuse(lease, refusals, round((self._clock() + pause) * 1000), reason)
            logs.login_refused(connection=connection, reason=error.explanation, seconds=pause)
            raise error.copy_with(retry_after=pause) from error
        except BaseException:
            await self._vault.release(lease)
            raise
        await self._keep(lease, tokens, connection)
        return tokens

    async def _keep(self, lease: Lease, tokens: Tokens, connection: str) -> None:
        """Keep what was got; while the store is out of reach it is used all the same, and kept as soon as it can be."""
        try:
            await self._vault.keep(lease, tokens)
        except StoreUnavailable as error:
            logs.tokens_not_kept(connection=connection, reason=str(error))
            self._saving = asyncio.ensure_future(self._save(lease, tokens))

    async def _save(self, lease: Lease, tokens: Tokens) -> None:
        for pause in _SAVES:
            await asyncio.sleep(pause)
            try:
                await self._vault.keep(lease, tokens)
            except StoreUnavailable:
                continue
            return


def _left_alone(reason: str, seconds: float) -> ProviderUnauthorised:
    """Say that the provider refused the credentials, and when it is asked again."""
    told = (
        "The provider refuses the connection's credentials, and is asked again"
        f" in {max(round(seconds), 1)} seconds: the operator must correct them, or log in."
    )
    return ProviderUnauthorised(told, retry_after=seconds, provider={"code": reason} if reason else {})


class Sessions:
    """The sessions of all connections: one for all that have the same credentials at a provider."""

    def __init__(self, vault: Vault, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._clock = clock
        self._all: dict[bytes, Session] = {}
        self._of: dict[str, dict[bytes, Session]] = {}

    def of(self, connection: str, identity: bytes) -> Session:
        """Give the session of this identity, which the connection uses from now on."""
        session = self._all.get(identity)
        if session is None:
            session = self._all[identity] = Session(identity, self._vault, self._clock)
        return self._of.setdefault(connection, {}).setdefault(identity, session)

    def all_of(self, connection: str) -> list[Session]:
        """Give the sessions that a connection has used."""
        return [*self._of.get(connection, {}).values()]

    def secrets(self, connection: str) -> list[Secret]:
        """Give what the sessions of a connection hold now that nobody may see."""
        held = (one.tokens for one in self.all_of(connection))
        return [secret for tokens in held if tokens is not None for secret in tokens.secrets()]


def identity_of(provider: str, scheme: str, settings: dict[str, object]) -> bytes:
    """Give what is the same for all who share a session: the provider, the scheme and the settings that tell apart.

    It holds secrets, and is kept nowhere.
    """
    return json.dumps([provider, scheme, settings], sort_keys=True, default=str).encode()
