"""Functions that sign. They alone are shown secrets; what they give is no secret.

The pieces are joined without anything between them, whole numbers in decimal, and read as UTF-8.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from gateway.mapping.expressions.functions.kind import function
from gateway.values.secrets import Secret


def _bytes(piece: str | int | Secret) -> bytes:
    return (piece.reveal() if isinstance(piece, Secret) else str(piece)).encode()


def _join(pieces: tuple[str | int | Secret, ...]) -> bytes:
    return b"".join(_bytes(piece) for piece in pieces)


@function("pieces: piece…", "text", "md5('a', 'b')", "187ef4436122d1cc2f40dc2b92f0eba0", signs=True)
def md5(*pieces: str | int | Secret) -> str:
    """MD5 of the pieces, in lower-case hex (RFC 1321)."""
    return hashlib.md5(_join(pieces), usedforsecurity=False).hexdigest()


@function("pieces: piece…", "text", "sha1('a', 'b')", "da23614e02469a0d7c7bd1bdab5c9c474b1904dc", signs=True)
def sha1(*pieces: str | int | Secret) -> str:
    """SHA-1 of the pieces, in lower-case hex (RFC 3174)."""
    return hashlib.sha1(_join(pieces), usedforsecurity=False).hexdigest()


@function(
    "pieces: piece…",
    "text",
    "sha256('a', 'b')",
    "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603",
    signs=True,
)
def sha256(*pieces: str | int | Secret) -> str:
    """SHA-256 of the pieces, in lower-case hex (FIPS 180-4)."""
    return hashlib.sha256(_join(pieces)).hexdigest()


@function(
    "key: piece, pieces: piece…",
    "text",
    "hmac_sha256('Jefe', 'what do ya want ', 'for nothing?')",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    signs=True,
)
def hmac_sha256(key: str | int | Secret, *pieces: str | int | Secret) -> str:
    """HMAC-SHA-256 of the pieces under the key, in lower-case hex (RFC 2104)."""
    return hmac.new(_bytes(key), _join(pieces), hashlib.sha256).hexdigest()


@function(
    "key: piece, pieces: piece…",
    "text",
    "hmac_sha256_base64('Jefe', 'what do ya want for nothing?')",
    "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
    signs=True,
)
def hmac_sha256_base64(key: str | int | Secret, *pieces: str | int | Secret) -> str:
    """HMAC-SHA-256 of the pieces under the key, in base64 with padding (RFC 2104, RFC 4648 section 4)."""
    return base64.b64encode(hmac.new(_bytes(key), _join(pieces), hashlib.sha256).digest()).decode()
