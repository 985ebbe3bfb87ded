"""Where what sessions live by is kept: in this process, or encrypted in the store, for all gateways that work on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from gateway.engine.sessions.tokens import Tokens
from gateway.store.database import Database, Transaction
from gateway.store.sessions import tokens as rows
from gateway.store.sessions.sealing import Sealer, UnknownKeyError, name_of
from gateway.store.sessions.tokens import Kept, Lease
from gateway.values.errors import StoreUnavailable

_SALT_BYTES = 32


def _reseal(name: str, old: bytes, new: bytes, store: Transaction) -> None:
    rows.reseal(store, name, old, new)


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a session: its row, and what that holds. Moments of the row are milliseconds since 1970."""

    row: Kept
    tokens: Tokens | None


class Vault(Protocol):
    """Keeps what sessions live by, under the identity that all who share one have. Raises StoreUnavailable."""

    async def read(self, identity: bytes) -> Held:
        """Give what is known of a session."""

    async def claim(self, held: Held, until: int) -> Lease | None:
        """Take the right to renew what was read, up to a moment; None while another has it, or has renewed it."""

    async def keep(self, lease: Lease, tokens: Tokens) -> bool:
        """Keep what a renewal got; False when another has kept something since."""

    async def refuse(self, lease: Lease, refusals: int, until: int, reason: str) -> None:
        """Keep that the provider refused, so many times in a row; it is not asked again before `until`."""

    async def release(self, lease: Lease) -> None:
        """Give the right back."""

    async def put(self, identity: bytes, tokens: Tokens) -> None:
        """Keep what a person has brought."""


@dataclass(slots=True)
class MemoryVault:
    """What one process knows, and forgets in the end. There nobody else renews, so every claim is granted."""

    _held: dict[str, Held] = field(default_factory=dict, repr=False)

    async def read(self, identity: bytes) -> Held:
        """Give what is known of a session."""
        name = hashlib.sha256(identity).hexdigest()
        return self._held.get(name) or Held(Kept(name), None)

    async def claim(self, held: Held, until: int) -> Lease | None:  # noqa: ARG002 - it is never away for longer
        """Take the right to renew what was read."""
        return Lease(held.row.name, held.row.version, 0)

    async def keep(self, lease: Lease, tokens: Tokens) -> bool:
        """Keep what a renewal got."""
        self._held[lease.name] = Held(Kept(lease.name, version=lease.version + 1), tokens)
        return True

    async def refuse(self, lease: Lease, refusals: int, until: int, reason: str) -> None:
        """Keep that the provider refused."""
        held = self._held.get(lease.name) or Held(Kept(lease.name), None)
        row = replace(held.row, refusals=refusals, refused_until=until, reason=reason)
        self._held[lease.name] = replace(held, row=row)

    async def release(self, lease: Lease) -> None:
        """Give the right back."""

    async def put(self, identity: bytes, tokens: Tokens) -> None:
        """Keep what a person has brought."""
        held = await self.read(identity)
        self._held[held.row.name] = Held(Kept(held.row.name, version=held.row.version + 1), tokens)


@dataclass(slots=True)
class StoreVault:
    """What is kept in the store. `now` gives milliseconds since 1970, `random` bytes that nobody can guess."""

    database: Database
    sealer: Sealer
    now: Callable[[], int]
    random: Callable[[int], bytes]
    _salt: bytes | None = field(default=None, repr=False)

    async def open(self) -> None:
        """Begin: whatever an older key sealed is sealed with the newest. Raises StoreUnavailable for a key unknown."""
        sealed = await self.database.read(rows.all_sealed)
        for name, old in sealed.items():
            plain = self._open(old, name)
            if not self.sealer.is_newest(old):
                await self.database.write(partial(_reseal, name, old, self.sealer.seal(plain, name)))
        await self._name(b"")

    async def read(self, identity: bytes) -> Held:
        """Give what is known of a session."""
        name = await self._name(identity)
        row = await self.database.read(lambda store: rows.kept(store, name))
        return Held(row, Tokens.from_bytes(self._open(row.sealed, name)) if row.sealed is not None else None)

    async def claim(self, held: Held, until: int) -> Lease | None:
        """Take the right to renew what was read, up to a moment; None while another has it, or has renewed it."""
        now, holder = self.now(), self.database.process
        return await self.database.write(lambda store: rows.claim(store, held.row, now, until, holder))

    async def keep(self, lease: Lease, tokens: Tokens) -> bool:
        """Keep what a renewal got; False when another has kept something since."""
        sealed, now = self.sealer.seal(tokens.to_bytes(), lease.name), self.now()
        return await self.database.write(lambda store: rows.keep(store, lease, sealed, now))

    async def refuse(self, lease: Lease, refusals: int, until: int, reason: str) -> None:
        """Keep that the provider refused."""
        await self.database.write(lambda store: rows.refuse(store, lease, refusals, until, reason))

    async def release(self, lease: Lease) -> None:
        """Give the right back."""
        await self.database.write(lambda store: rows.release(store, lease))

    async def put(self, identity: bytes, tokens: Tokens) -> None:
        """Keep what a person has brought."""
        name = await self._name(identity)
        sealed, now = self.sealer.seal(tokens.to_bytes(), name), self.now()
        await self.database.write(lambda store: rows.put(store, name, sealed, now))

    async def _name(self, identity: bytes) -> str:
        """Name a session. The key of names is made once for a store."""
        if self._salt is None:
            mine = self.sealer.seal(self.random(_SALT_BYTES), rows.SALT)
            sealed = await self.database.write(lambda store: rows.salt(store, mine))
            self._salt = self._open(sealed, rows.SALT)
        return name_of(self._salt, identity)

    def _open(self, sealed: bytes, name: str) -> bytes:
        try:
            return self.sealer.open(sealed, name)
        except UnknownKeyError:
            told = (
                "The store has sessions that none of the keys under `state_key` opens: give the one they were kept with"
                " as the last of a list, or forget them with `gateway login --forget`."
            )
            raise StoreUnavailable(told) from None
