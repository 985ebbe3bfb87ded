"""A JWT is worth what the mapping allows, never what it says of itself. The tokens are made by hand."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.webhooks.inbound.proofs import KEYS, NOW, accepted, compiled, received
from tests.webhooks.inbound.signers import ECDSA, SIGNERS, public

CONTENT = b'{"id": 7, "who": "\xc3\xa9"}'
LONG = "a secret that is as long as the hash"


def part(value):
    """Write a part of a JWT."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def token(claims, signer=None, **head):
    """Make a JWT with a digest of the body."""
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    told = {"exp": NOW + 60, "request_body_sha256": digest} | claims
    text = f"{part({'alg': 'HS256', 'typ': 'JWT'} | head)}.{part(told)}"
    signature = signer(text.encode()) if signer else hmac.digest(LONG.encode(), text.encode(), "sha256")
    return f"{text}.{part(signature)}"


def jwt(*algorithms, **more):
    """Make a block for a JWT in a header."""
    about = {"algorithms": list(algorithms), "body_claim": "request_body_sha256"} | more
    return {"jwt": about, "keys": KEYS, "signature": {"header": "x-jwt"}}


def test_jwt():
    """A JWT is accepted before it ends, with the allowed algorithm and the digest of this very body."""

    def holds(text, body=CONTENT, **more):
        return accepted(jwt("HS256"), received(body, {"X-Jwt": text}), secret=LONG, **more)

    assert holds(token({}))
    assert holds(token({"nbf": NOW + 30}))
    assert not holds(token({}), CONTENT + b" ")
    assert not holds(token({}), now=NOW + 121)
    for claims in ({"exp": None}, {"exp": True}, {"exp": NOW - 61}, {"nbf": NOW + 61}, {"nbf": "soon"}):
        assert not holds(token(claims))
    assert not holds(token({"request_body_sha256": None}))
    for head in ({"alg": "none"}, {"alg": "HS512"}, {"alg": "RS256"}, {"alg": None}, {"crit": ["b64"]}):
        assert not holds(token({}, **head))
    for text in ("", "a.b", "..", token({}) + ".", token({})[:-1], token({}) + "=", "é.é.é", token({}, lambda _: b"")):
        assert not holds(text)
    assert not holds(f"{part([])}.{part({})}.{part(b'x')}")
    assert not holds(f"{part(b'{')}.{part({})}.{part(b'x')}")


def joined(content):
    """Sign with ECDSA as JWTs have it: the two numbers one after the other."""
    first, second = decode_dss_signature(ECDSA.sign(content, ec.ECDSA(SHA256())))
    return first.to_bytes(32) + second.to_bytes(32)


@pytest.mark.parametrize(
    ("algorithm", "signer", "key"),
    [
        ("ES256", joined, "ecdsa"),
        ("RS256", SIGNERS["rsa-sha256"], "rsa"),
        ("RS512", SIGNERS["rsa-sha512"], "rsa"),
        ("EdDSA", SIGNERS["ed25519"], "ed25519"),
    ],
)
def test_jwt_with_a_public_key(algorithm, signer, key):
    """A JWT signed with a private key is accepted, and its public key is never taken for a shared secret (A6)."""
    pem = public(key).decode()
    assert accepted(jwt(algorithm), received(CONTENT, {"X-Jwt": token({}, signer, alg=algorithm)}), secret=pem)
    assert not accepted(jwt(algorithm), received(CONTENT, {"X-Jwt": token({}, alg=algorithm)}), secret=pem)
    confused = token({}, lambda content: hmac.digest(pem.encode(), content, "sha256"))
    assert not accepted(jwt(algorithm), received(CONTENT, {"X-Jwt": confused}), secret=pem)
    assert (None, ["algorithms-mixed"]) == compiled(jwt(algorithm, "HS256"))
