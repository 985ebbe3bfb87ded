"""Keys of `verify` as bytes, and what is wrong with them. Pure; no message here holds a key.

A weak key is found when a connection is bound, not when a message comes: `weak_keys`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.mapping.nodes.verification import KeyPlan, VerifyPlan
from gateway.mapping.runtime.trees import evaluate
from gateway.values.messages import Json

_SHORTEST: Final = 8
"""Bytes. One signed message lets anyone search its secret in peace, and fewer bytes fall in hours. More would refuse
secrets that vendors themselves hand out."""
_SHORTEST_JWT: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
"""Bytes, RFC 7518 section 3.2: a key is at least as long as the hash."""
_PEM: Final = re.compile(
    r"\s*-----BEGIN PUBLIC KEY-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----\s*", re.ASCII
)
_RAW_ED25519: Final = 32
_OIDS: Final = {
    "ed25519": b"\x06\x03\x2b\x65\x70",
    "ecdsa": b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
    "rsa": b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
}
"""How the kinds of public keys are named inside a SubjectPublicKeyInfo (RFC 8410, RFC 5480, RFC 4055)."""
_KINDS: Final = {"EdDSA": "ed25519", "ES256": "ecdsa", "RS256": "rsa", "RS512": "rsa"}


class KeyUnusable(Exception):
    """A key is not written as it must be; the text completes "the key …" and holds nothing of it."""


def key_kind(algorithm: str) -> str:
    """The kind of public key an algorithm takes (`ed25519`, `ecdsa`, `rsa`), empty for a shared secret."""
    return _KINDS.get(algorithm, algorithm.partition("-")[0] if algorithm.partition("-")[0] in _OIDS else "")


def decode(plan: VerifyPlan, written: str) -> bytes:
    """A key as bytes: the secret, or a public key as DER or the 32 bytes of Ed25519. Raises KeyUnusable."""
    text = written.removeprefix(plan.key_prefix)
    pem = _PEM.fullmatch(text)
    if plan.key_encoding == "base64" or pem:
        text = "".join(pem[1].split()) if pem else text
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise KeyUnusable("is not base64") from None
    if plan.key_encoding == "hex":
        if len(text) % 2 or not re.fullmatch("[0-9A-Fa-f]*", text):
            raise KeyUnusable("is not hex")
        return bytes.fromhex(text)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise KeyUnusable("is not UTF-8 text") from None


def keys_of(plan: VerifyPlan, scope: Mapping[str, Json]) -> Iterator[bytes]:
    """The keys that can be used, as bytes; one that is empty, not given or not readable is none."""
    for written in _write(plan.keys, scope):
        try:
            found = decode(plan, written)
        except KeyUnusable:
            continue
        if found:
            yield found


def tokens_of(keys: Sequence[KeyPlan], scope: Mapping[str, Json]) -> Iterator[bytes]:
    """The tokens there are, in UTF-8."""
    return (written.encode("utf-8", "surrogatepass") for written in _write(keys, scope))


def _write(keys: Sequence[KeyPlan], scope: Mapping[str, Json]) -> Iterator[str]:
    for key in keys:
        written = evaluate(key.value, scope)
        if isinstance(written, str) and written:
            yield written


def weak_keys(plans: Sequence[VerifyPlan], scope: Mapping[str, Json]) -> list[tuple[str, str]]:
    """What is wrong with the keys of a connection: setting (empty: the mapping itself) and message.

    `scope` is `{"settings": …}` with secrets revealed. Of optional keys that are not given at least one must be there.
    """
    found: list[tuple[str, str]] = []
    for plan in plans:
        if not plan.applies(scope):
            continue
        found += _weak(plan, plan.keys, scope)
        for challenge in plan.challenges:
            found += _weak(plan, challenge.keys, scope, token=True)
    return found


def _weak(
    plan: VerifyPlan, keys: Sequence[KeyPlan], scope: Mapping[str, Json], *, token: bool = False
) -> Iterator[tuple[str, str]]:
    given = [(key.setting, evaluate(key.value, scope)) for key in keys]
    if keys and all(written is None for _, written in given):
        yield keys[0].setting, f"{plan.origin}: none of the keys is given, so that no message could be verified"
    for setting, written in given:
        problem = _problem(plan, written, token=token) if written is not None else None
        if problem is not None:
            yield setting, f"{plan.origin}: the key {problem}"


def _problem(plan: VerifyPlan, written: Json, *, token: bool) -> str | None:
    if not isinstance(written, str):
        return "is not text"
    try:
        key = written.encode("utf-8", "replace") if token else decode(plan, written)
    except KeyUnusable as unusable:
        return str(unusable)
    algorithms = () if token else plan.jwt.algorithms if plan.jwt is not None else (plan.algorithm,)
    kinds = {kind for kind in map(key_kind, algorithms) if kind}
    if kinds:
        raw = "ed25519" in kinds and len(key) == _RAW_ED25519
        fits = raw or (key[:1] == b"\x30" and any(_OIDS[kind] in key for kind in kinds))
        return None if fits else f"is no public key of {' or '.join(sorted(kinds))}: PEM, or its bytes as `key.as` says"
    shortest = max((_SHORTEST_JWT.get(algorithm, _SHORTEST) for algorithm in algorithms), default=_SHORTEST)
    return None if len(key) >= shortest else f"is shorter than {shortest} bytes"
