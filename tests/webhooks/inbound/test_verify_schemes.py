"""Every way in which providers are known to prove who they are, signed here by other code than the verifier's."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.mapping.compiler.hooks.verify_keys import weak_keys
from tests.webhooks.inbound.proofs import BODY, KEYS, NOW, SECRET, TIMED, URL, accepted, compiled, plans, received, sign
from tests.webhooks.inbound.signers import ED25519, SIGNERS, public

CONTENT = b'{"id": 7, "who": "\xc3\xa9"}'
STAMP = str(NOW).encode()
MS = str(NOW * 1000 + 250).encode()
ISO = b"2023-11-14T22:13:20.125Z"

PLAIN = {
    "body, hex": (BODY, lambda: {"X-Signature": sign(CONTENT)}),
    "body, upper-case hex with a prefix": (
        BODY | {"signature": {"header": "X-Signature", "prefix": "sha256="}},
        lambda: {"X-Signature": "sha256=" + sign(CONTENT).upper()},
    ),
    "body, sha1": (BODY | {"hmac": "sha1"}, lambda: {"X-Signature": sign(CONTENT, algorithm="sha1")}),
    "body, base64 of sha512": (
        BODY | {"hmac": "sha512", "signature": {"header": "X-Signature", "as": "base64"}},
        lambda: {"X-Signature": sign(CONTENT, algorithm="sha512", encoding="base64")},
    ),
    "time and body, pairs with a version": (
        TIMED,
        lambda: {"X-Signature": f"t={NOW},v1={sign(STAMP + b'.' + CONTENT)},v0=abc"},
    ),
    "time and body, a blank after the comma": (
        TIMED,
        lambda: {"X-Signature": f"t={NOW}, v1={sign(STAMP + b'.' + CONTENT)}"},
    ),
    "time and body, semicolons": (
        TIMED
        | {"signature": {"header": "s", "split": ";", "pair": "=", "pick": "h1"}, "signed": ["timestamp", ":", "body"]}
        | {"timestamp": {"header": "s", "split": ";", "pair": "=", "pick": "ts", "tolerance": "5s"}},
        lambda: {"s": f"ts={NOW};h1={sign(b'old')};h1={sign(STAMP + b':' + CONTENT)}"},
    ),
    "version, time and body, two headers": (
        BODY | {"timestamp": {"header": "X-Time"}, "signed": ["v0:", "timestamp", ":", "body"]},
        lambda: {"X-Time": str(NOW), "X-Signature": sign(b"v0:" + STAMP + b":" + CONTENT)},
    ),
    "milliseconds, nothing between": (
        BODY | {"timestamp": {"header": "X-Time", "unit": "ms"}, "signed": ["timestamp", "body"]},
        lambda: {"X-Time": MS.decode(), "X-Signature": sign(MS + CONTENT)},
    ),
    "an RFC 3339 time": (
        BODY | {"timestamp": {"header": "X-Time", "unit": "iso"}, "signed": ["timestamp", "body"]},
        lambda: {"X-Time": ISO.decode(), "X-Signature": sign(ISO + CONTENT)},
    ),
    "method, address, body and time": (
        BODY | {"timestamp": {"header": "X-Time", "unit": "ms"}, "signed": ["method", "url", "body", "timestamp"]},
        lambda: {"X-Time": MS.decode(), "X-Signature": sign(b"POST" + URL.encode() + CONTENT + MS)},
    ),
    "path of the address and a digest of the body": (
        BODY | {"signed": ["url_path", {"text": "body"}, {"body_hash": "sha512", "as": "base64"}]},
        lambda: {"X-Signature": sign(b"/hooks/club/changedbody" + base64.b64encode(hashlib.sha512(CONTENT).digest()))},
    ),
    "a plain hash of secret and body": (
        {"hash": "sha256", "keys": KEYS, "signature": {"header": "X-Signature"}, "signed": ["secret", "body"]},
        lambda: {"X-Signature": hashlib.sha256(SECRET.encode() + CONTENT).hexdigest()},
    ),
    "a digest among signed headers": (
        BODY
        | {
            "digest": {"header": "X-Digest", "hash": "sha512"},
            "signed": [{"header": "X-Id"}, "|", {"header": "X-Digest"}],
        },
        lambda: {
            "X-Id": "7",
            "X-Digest": (told := hashlib.sha512(CONTENT).hexdigest()),
            "X-Signature": sign(b"7|" + told.encode()),
        },
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_signed(name):
    """A message signed in this way is accepted, and refused with another body, key or header."""
    block, headers = PLAIN[name]
    headers = headers()
    assert accepted(block, received(CONTENT, headers))
    assert not accepted(block, received(CONTENT + b" ", headers))
    assert not accepted(block, received(CONTENT, headers), secret="another secret")
    for left_out in headers:
        assert not accepted(block, received(CONTENT, {key: one for key, one in headers.items() if key != left_out}))
    if "timestamp" in block:
        assert not accepted(block, received(CONTENT, headers), now=NOW + 302)


def test_key_in_hex():
    """A key written in hex signs with the bytes it stands for."""
    key = bytes(range(32))
    message = received(CONTENT, {"X-Signature": sign(CONTENT, key=key)})
    assert accepted(BODY | {"key": {"as": "hex"}}, message, secret=key.hex())
    assert not accepted(BODY, message, secret=key.hex())


def test_form():
    """The fields of a form are signed by name, a field given twice with each value once."""
    body = b"b=2&a=x+y&b=1&b=2&empty="
    message = received(body, {"X-Signature": sign(f"{URL}ax yb1b2empty".encode(), algorithm="sha1", encoding="base64")})
    block = BODY | {"hmac": "sha1", "signature": {"header": "x-signature", "as": "base64"}, "signed": ["url", "form"]}
    assert accepted(block, message)
    assert not accepted(block, received(body + b"&c=3", dict(message.headers)))
    assert not accepted(block, received(b"a=%ff", dict(message.headers)))
    assert not accepted(block, received(b"&".join(b"a=1" for _ in range(2000)), dict(message.headers)))


def test_query_and_digest():
    """A signed address has its query, which may be signed by itself, and its digest of the body is checked."""
    told = hashlib.sha256(CONTENT).hexdigest()
    block = BODY | {"hmac": "sha1", "signed": ["url"], "digest": {"query": "bodySHA256"}}
    headers = {"X-Signature": sign(f"{URL}?bodySHA256={told}".encode(), algorithm="sha1")}
    query = [("bodySHA256", told)]
    apart = block | {"signed": [{"text": URL}, "query"]}
    assert accepted(apart, received(CONTENT, headers, query=query))
    assert not plans(block)[0].partial
    assert accepted(block, received(CONTENT, headers, query=query))
    assert not accepted(block, received(CONTENT + b" ", headers, query=query))
    assert not accepted(block, received(CONTENT, headers, query=query * 2))
    assert not accepted(block, received(CONTENT, headers))


def test_signature_in_the_body():
    """A signature over two fields of the body leaves the rest a hint, and the plan says so."""
    block = BODY | {
        "signature": {"path": "signature.signature"},
        "timestamp": {"path": "signature.timestamp"},
        "signed": ["timestamp", {"path": "signature.token"}],
    }
    proof = {"timestamp": NOW, "token": "t", "signature": sign(STAMP + b"t")}
    assert plans(block)[0].partial
    assert accepted(block, received(json.dumps({"signature": proof, "event": "any"}).encode()))
    assert not accepted(block, received(json.dumps({"signature": proof | {"token": "u"}}).encode()))
    assert not accepted(block, received(json.dumps({"signature": proof | {"timestamp": True}}).encode()))


def test_each():
    """Where each element is signed, all must be: one forged element refuses the message, and so do none at all."""
    block = BODY | {
        "each": "items[].item",
        "signature": {"path": "sig", "as": "base64"},
        "signed": [{"join": ":", "paths": ["ref", "gone", "amount.value", "live"]}],
    }

    def body(*refs, forged=None):
        signed = [(ref, sign(f"{ref}::130:true".encode(), encoding="base64")) for ref in refs]
        items = [{"ref": forged or ref, "amount": {"value": 130}, "live": True, "sig": sig} for ref, sig in signed]
        return received(json.dumps({"items": [{"item": item} for item in items]}).encode())

    assert plans(block)[0].partial
    assert accepted(block, body("a", "b"))
    assert not accepted(block, body("a", "b", forged="a"))
    assert not accepted(block, body())
    assert not accepted(block, body(*"a" * 1001))
    assert not accepted(block, received(b'{"items": "none"}'))


@pytest.mark.parametrize(
    "place", ["path", {"header": "X-Token"}, {"query": "token"}, {"header": "A", "prefix": "Bearer "}]
)
def test_token(place):
    """A shared secret in the address, a header or the query is compared whole."""
    block = {"token": place, "keys": KEYS}

    def message(token):
        headers = {"X-Token": token, "A": f"Bearer {token}"}
        return received(CONTENT, headers, query=[("token", token)], token=token)

    assert accepted(block, message(SECRET))
    for wrong in (SECRET[:-1], SECRET + "x", "", SECRET.upper(), "é", "\ud800"):
        assert not accepted(block, message(wrong))
    assert not accepted(block, received(CONTENT))


def test_basic():
    """HTTP Basic is accepted with a password that holds colons, and refused with anything else."""
    block = {"basic": {"user": "{{ settings.user }}", "password": "{{ settings.secret }}"}}

    def authorization(text, scheme="Basic"):
        return received(CONTENT, {"Authorization": f"{scheme} {base64.b64encode(text.encode()).decode()}"})

    account = {"user": "club", "secret": "pass:wörd"}
    assert accepted(block, authorization("club:pass:wörd"), **account)
    assert accepted(block, authorization("club:pass:wörd", "basic"), **account)
    for wrong in ("club:pass", "club", "other:pass:wörd", ":", "club:pass:wörd2"):
        assert not accepted(block, authorization(wrong), **account)
    assert not accepted(block, authorization("club:pass:wörd", "Bearer"), **account)
    assert not accepted(block, received(CONTENT, {"Authorization": "Basic !!!"}), **account)
    assert not accepted(block, received(CONTENT, {"Authorization": "Basic"}), **account)


def asymmetric(algorithm, **more):
    """Make a block for time and body."""
    return {
        "asymmetric": algorithm,
        "keys": KEYS,
        "signature": {"header": "x-signature", "as": "base64"},
        "timestamp": {"header": "x-time"},
        "signed": ["timestamp", "body"],
    } | more


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_asymmetric(algorithm):
    """A signature is checked with a public key in PEM or DER; another kind of key or other bytes are refused."""
    headers = {"X-Time": str(NOW), "X-Signature": base64.b64encode(SIGNERS[algorithm](STAMP + CONTENT)).decode()}
    message, pem = received(CONTENT, headers), public(algorithm).decode()
    der = {"secret": base64.b64encode(public(algorithm, Encoding.DER)).decode()}
    assert accepted(asymmetric(algorithm), message, secret=pem)
    assert accepted(asymmetric(algorithm, key={"as": "base64"}), message, **der)
    assert [] == weak_keys(plans(asymmetric(algorithm)), {"settings": {"secret": pem}})
    assert not accepted(asymmetric(algorithm), received(CONTENT + b" ", headers), secret=pem)
    for other in SIGNERS:
        if other != algorithm:
            assert not accepted(asymmetric(other), message, secret=pem)
    assert not accepted(asymmetric(algorithm), message, secret="no key at all")


def test_raw_ed25519():
    """The 32 bytes of an Ed25519 key in hex do as well, also written into the mapping, since they are no secret."""
    raw = ED25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    headers = {"X-Time": str(NOW), "X-Signature": ED25519.sign(STAMP + CONTENT).hex()}
    block = asymmetric("ed25519", key={"as": "hex"}, signature={"header": "x-signature"})
    assert accepted(block, received(CONTENT, headers), secret=raw)
    assert accepted(block | {"keys": [raw]}, received(CONTENT, headers))
    assert [] == weak_keys(plans(block | {"keys": [raw]}), {"settings": {}})


def test_small_keys():
    """Public keys that no longer prove anything are refused."""
    small = rsa.generate_private_key(65537, 1024)
    headers = {"X-Time": str(NOW)}
    content = small.sign(STAMP + CONTENT, padding.PKCS1v15(), SHA256())
    pem = small.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    headers["X-Signature"] = base64.b64encode(content).decode()
    assert not accepted(asymmetric("rsa-sha256"), received(CONTENT, headers), secret=pem)


def test_rotation():
    """While a secret is changed the old one and the new one are accepted, and one that is not given is none."""
    block = BODY | {"keys": ["{{ settings.secret }}", "{{ settings.old }}"]}
    by_new, by_old = (
        received(CONTENT, {"X-Signature": sign(CONTENT, key=key)}) for key in ("new secret", "old secret")
    )
    both = {"secret": "new secret", "old": "old secret"}
    assert [True, True] == [accepted(block, one, **both) for one in (by_new, by_old)]
    assert [True, False] == [accepted(block, one, secret="new secret", old=None) for one in (by_new, by_old)]


def test_lists():
    """Of several blocks all must hold."""
    block = [{"token": "path", "keys": ["{{ settings.old }}"]}, BODY]
    given = {"secret": SECRET, "old": "token token"}
    right = {"X-Signature": sign(CONTENT)}
    assert accepted(block, received(CONTENT, right, token="token token"), **given)
    assert not accepted(block, received(CONTENT, right, token="another"), **given)
    assert not accepted(block, received(CONTENT, token="token token"), **given)


def test_needs():
    """A block whose setting is not given is left out; where all are, nothing is accepted."""
    optional = BODY | {"needs": {"secret": "Only some accounts sign."}}
    block = [{"token": "path", "keys": ["{{ settings.old }}"]}, optional]
    message = received(CONTENT, token="token token")
    assert accepted(block, message, old="token token", secret=None)
    assert not accepted(block, message, old="token token", secret=SECRET)
    assert (None, ["verify-optional"]) == compiled(optional)


@pytest.mark.parametrize("method", ["post", ["put", "post"]])
def test_methods(method):
    """A block for some methods is left out for messages of others; where no other holds them, nothing is accepted."""
    signed = BODY | {"method": method}
    block = [{"token": "path", "keys": ["{{ settings.old }}"]}, signed]
    given = {"secret": SECRET, "old": "token token"}
    right = {"X-Signature": sign(CONTENT)}
    assert accepted(block, received(token="token token", method="GET"), **given)
    assert not accepted(block, received(CONTENT, token="token token"), **given)
    assert accepted(block, received(CONTENT, right, token="token token"), **given)
    assert not accepted(block, received(token="another", method="GET"), **given)
    assert (None, ["verify-optional"]) == compiled(signed)
