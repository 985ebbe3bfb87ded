"""JSON Web Tokens (RFC 7519, in the compact form of RFC 7515), checked by what the mapping allows.

What a token says of itself is never followed: no key is fetched that it names, and its algorithm must be an allowed
one. Only VerificationFailed is raised.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from gateway.mapping.nodes.verification import JwtPlan
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json
from gateway.webhooks.inbound import asymmetric
from gateway.webhooks.inbound.parsing import VerificationFailed, raw, unwritten

_HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_PARTS: Final = 3
_LONGEST: Final = 16_384
"""Characters: more than any header may hold."""


def check_token(plan: JwtPlan, token: str, keys: Sequence[bytes], body: bytes, now: float) -> None:
    """Check signature, times and the body's digest; `now` in seconds since 1970. Raises VerificationFailed."""
    parts = token.split(".") if len(token) <= _LONGEST else []
    content = [unwritten(part, "base64url") for part in parts]
    if len(parts) != _PARTS or content[0] is None or content[1] is None or content[2] is None:
        raise VerificationFailed("the JWT is not three parts in base64url")
    head, claims = _object(content[0]), _object(content[1])
    algorithm = head.get("alg")
    if not isinstance(algorithm, str) or algorithm not in plan.algorithms:
        raise VerificationFailed("the JWT is of another algorithm than is allowed")
    if "crit" in head:
        raise VerificationFailed("the JWT asks for an extension (`crit`) that is not known")
    signed = raw(f"{parts[0]}.{parts[1]}")
    if not any(_holds(algorithm, key, content[2], signed) for key in keys):
        raise VerificationFailed("the JWT is signed with none of the keys")
    _check_times(claims, now, plan.leeway)
    if plan.body_claim:
        told = claims.get(plan.body_claim)
        digest = unwritten(told, plan.encoding) if isinstance(told, str) else None
        if digest is None or not hmac.compare_digest(digest, hashlib.sha256(body).digest()):
            raise VerificationFailed("the JWT is not for this body")


def _object(content: bytes) -> dict[str, Json]:
    try:
        found = decode_json(content)
    except JsonRefused:
        raise VerificationFailed("a part of the JWT is not JSON") from None
    if not isinstance(found, dict):
        raise VerificationFailed("a part of the JWT is no object")
    return found


def _holds(algorithm: str, key: bytes, signature: bytes, signed: bytes) -> bool:
    if algorithm in _HASHES:
        return hmac.compare_digest(hmac.digest(key, signed, _HASHES[algorithm]), signature)
    return asymmetric.holds(algorithm, key, signature, signed)


def _check_times(claims: dict[str, Json], now: float, leeway: float) -> None:
    """A token must say when it ends (RFC 7519 section 4.1.4), or a captured one would hold for ever."""
    if now >= _seconds(claims, "exp") + leeway:
        raise VerificationFailed("the JWT has ended")
    if "nbf" in claims and now < _seconds(claims, "nbf") - leeway:
        raise VerificationFailed("the JWT is not valid yet")


def _seconds(claims: dict[str, Json], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise VerificationFailed(f"the JWT's `{name}` is no time")
    return float(value)
