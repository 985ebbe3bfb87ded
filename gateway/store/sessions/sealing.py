"""What is kept encrypted: AES-256-GCM (NIST SP 800-38D) with a key that HKDF (RFC 5869) makes of the `state_key`.

What is sealed is bound to where it is kept: in another row it does not open. It names its key, so that several may be
known while one takes the place of another. Nothing here reads a clock or the store.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.values.secrets import Secret

_FORM: Final = b"\x01"
"""The first byte: how the rest is laid out."""
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_HEAD: Final = 1 + _ID_BYTES + _NONCE_BYTES


class UnknownKeyError(Exception):
    """What is sealed does not open: it was sealed with a key that is not known here, or was changed, or moved."""


class Sealer:
    """Seals with the first of its keys, and opens what any of them sealed. No method shows a key."""

    __slots__ = ("_keys", "_newest", "_random")

    def __init__(self, keys: Sequence[Secret], random: Callable[[int], bytes]) -> None:
        """`keys` is never empty, the newest first; `random` gives so many bytes that nobody can guess."""
        made = [_key_of(one) for one in keys]
        self._keys = dict(reversed(made))
        self._newest = made[0][0]
        self._random = random

    def __repr__(self) -> str:
        return f"Sealer({len(self._keys)} keys)"

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt what is kept at a place."""
        nonce = self._random(_NONCE_BYTES)
        return _FORM + self._newest + nonce + self._keys[self._newest].encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what is kept at a place. Raises UnknownKeyError."""
        key = self._keys.get(sealed[1 : 1 + _ID_BYTES]) if sealed[:1] == _FORM else None
        if key is None:
            raise UnknownKeyError
        try:
            return key.decrypt(sealed[1 + _ID_BYTES : _HEAD], sealed[_HEAD:], place.encode())
        except InvalidTag:
            raise UnknownKeyError from None

    def is_newest(self, sealed: bytes) -> bool:
        """Tell whether the first of the keys sealed this."""
        return sealed[1 : 1 + _ID_BYTES] == self._newest


def name_of(salt: bytes, identity: bytes) -> str:
    """Name what has this identity, so that nobody who reads the name learns the identity (HMAC-SHA-256, in hex)."""
    return hmac.new(salt, identity, hashlib.sha256).hexdigest()


def _key_of(secret: Secret) -> tuple[bytes, AESGCM]:
    """Make the key of a secret, and the few bytes by which it is known; of them nobody learns the key."""
    made = HKDF(SHA256(), _ID_BYTES + _KEY_BYTES, salt=None, info=b"booking-gateway state 1").derive(
        secret.reveal().encode()
    )
    return made[:_ID_BYTES], AESGCM(made[_ID_BYTES:])
