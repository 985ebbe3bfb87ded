"""Signatures checked with a public key. The only place that knows `cryptography`; two outcomes, whatever comes in."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

_RAW_ED25519: Final = 32
_SMALLEST_RSA: Final = 2048
"""Bits, NIST SP 800-131A: smaller moduli no longer prove anything."""
_SMALLEST_CURVE: Final = 256
"""Bits of the curve."""

PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey
_Check: TypeAlias = Callable[[PublicKey, bytes, bytes], None]


def holds(algorithm: str, key: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether a signature is of these bytes by the holder of this key.

    `key` is a SubjectPublicKeyInfo in DER, or the 32 bytes of Ed25519. False for a key of another kind than the
    algorithm takes, so that no sender can choose how a key is used.
    """
    public = _load(key)
    if public is None:
        return False
    try:
        _CHECKS[algorithm](public, signature, signed)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


@lru_cache(maxsize=64)
def _load(key: bytes) -> PublicKey | None:
    try:
        found = Ed25519PublicKey.from_public_bytes(key) if len(key) == _RAW_ED25519 else load_der_public_key(key)
    except (UnsupportedAlgorithm, ValueError):
        return None
    if isinstance(found, RSAPublicKey):
        return found if found.key_size >= _SMALLEST_RSA else None
    if isinstance(found, EllipticCurvePublicKey):
        return found if found.curve.key_size >= _SMALLEST_CURVE else None
    return found if isinstance(found, Ed25519PublicKey) else None


def _ed25519(key: PublicKey, signature: bytes, signed: bytes) -> None:
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidSignature
    key.verify(signature, signed)


def _ecdsa(algorithm: HashAlgorithm, *, joined: int = 0) -> _Check:
    """ECDSA in DER, or with `joined` bytes each as the two numbers one after the other (RFC 7518 section 3.4)."""

    def check(key: PublicKey, signature: bytes, signed: bytes) -> None:
        if not isinstance(key, EllipticCurvePublicKey):
            raise InvalidSignature
        if joined:
            if len(signature) != 2 * joined or key.curve.key_size != 8 * joined:
                raise InvalidSignature
            first, second = (int.from_bytes(half) for half in (signature[:joined], signature[joined:]))
            signature = encode_dss_signature(first, second)
        key.verify(signature, signed, ECDSA(algorithm))

    return check


def _rsa(algorithm: HashAlgorithm) -> _Check:
    def check(key: PublicKey, signature: bytes, signed: bytes) -> None:
        if not isinstance(key, RSAPublicKey):
            raise InvalidSignature
        key.verify(signature, signed, PKCS1v15(), algorithm)

    return check


_CHECKS: Final[dict[str, _Check]] = {
    "ed25519": _ed25519,
    "EdDSA": _ed25519,
    "ecdsa-sha256": _ecdsa(SHA256()),
    "ecdsa-sha512": _ecdsa(SHA512()),
    "ES256": _ecdsa(SHA256(), joined=32),
    "rsa-sha256": _rsa(SHA256()),
    "RS256": _rsa(SHA256()),
    "rsa-sha512": _rsa(SHA512()),
    "RS512": _rsa(SHA512()),
}
