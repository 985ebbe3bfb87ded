"""Tokens that the gateway signs itself (RFC 7523): a JSON Web Token (RFC 7519) in its compact form (RFC 7515).

The only place of the engine that knows `cryptography`. No message repeats a key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.sessions import Assertion
from gateway.mapping.runtime.trees import evaluate
from gateway.values.errors import MappingFault
from gateway.values.secrets import Credential
from gateway.values.strictjson import encode_json

_HASHES: Final[Mapping[str, Callable[[], HashAlgorithm]]] = {"256": SHA256, "384": SHA384, "512": SHA512}
_EDGE: Final = "-----"
_COORDINATE: Final = 32
"""Bytes of each half of a signature on the curve P-256 (RFC 7518, section 3.4)."""


def signed_assertion(assertion: Assertion, scope: Scope, now: float, id_: str) -> Credential:
    """Sign what a mapping says of who asks. `now` is in seconds since 1970, `id_` becomes `jti`.

    Raises MappingFault where the key is none of its kind.
    """
    issued = int(now)
    claims = {**evaluate(assertion.claims, scope), "iat": issued, "exp": issued + int(assertion.lifetime), "jti": id_}
    header = {"alg": assertion.algorithm, "typ": "JWT", **evaluate(assertion.header, scope)}
    content = b".".join(_encode(encode_json(part)) for part in (header, claims))
    signature = _signature(assertion, str(evaluate(assertion.key, scope)), content)
    return Credential((content + b"." + _encode(signature)).decode())


def pem_of(text: str) -> bytes:
    r"""Give a key in PEM (RFC 7468) its lines again: a variable of the environment has `\n` instead, or spaces."""
    plain = text.replace("\\n", "\n").strip()
    if "\n" in plain or plain.count(_EDGE) != 4:  # noqa: PLR2004 - both ends of both lines
        return plain.encode()
    _, begin, body, end, _ = plain.split(_EDGE)
    lines = "\n".join(body.split())
    return f"{_EDGE}{begin}{_EDGE}\n{lines}\n{_EDGE}{end}{_EDGE}\n".encode()


def _signature(assertion: Assertion, key: str, content: bytes) -> bytes:
    kind, bits = assertion.algorithm[:2], assertion.algorithm[2:]
    if kind == "HS":
        return hmac.new(key.encode(), content, getattr(hashlib, f"sha{bits}")).digest()
    origin = assertion.origin
    try:
        private = load_pem_private_key(pem_of(key), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise MappingFault(f"{origin}: the key of the assertion is no private key in PEM", origin=origin) from None
    if kind == "RS" and isinstance(private, RSAPrivateKey):
        return private.sign(content, PKCS1v15(), _HASHES[bits]())
    if kind == "ES" and isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
        halves = decode_dss_signature(private.sign(content, ECDSA(SHA256())))
        return b"".join(half.to_bytes(_COORDINATE) for half in halves)
    raise MappingFault(f"{origin}: the key of the assertion is not one for {assertion.algorithm}", origin=origin)


def _encode(data: bytes) -> bytes:
    """Encode as RFC 7515, section 2, wants it: base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")
