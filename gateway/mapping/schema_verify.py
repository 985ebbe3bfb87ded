"""Keys of `verify`: how a hook proves that a message comes from the provider. What they mean is in docs/verify.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.mapping.keys import NAME, REASONS, TREE, Part, key

HASHES: Final = ["sha1", "sha256", "sha512"]
"""Hash functions of HMAC, of a plain hash and of the digest of a body."""
ASYMMETRIC: Final = ["ed25519", "ecdsa-sha256", "ecdsa-sha512", "rsa-sha256", "rsa-sha512"]
"""Signatures checked with a public key: RFC 8032, FIPS 186-5 in DER, RFC 8017 PKCS #1 v1.5."""
SHARED: Final = ["HS256", "HS384", "HS512"]
"""Algorithms of a JWT that both sides share a secret for (RFC 7518 section 3.2)."""
JWT: Final = [*SHARED, "RS256", "RS512", "ES256", "EdDSA"]
"""Algorithms of a JWT (RFC 7518 section 3.1, RFC 8037)."""
ENCODINGS: Final = ["hex", "base64", "base64url"]
"""How bytes are written as text: hex in either case, base64 with padding and base64url without (RFC 4648)."""
SCHEMES: Final = ("hmac", "hash", "asymmetric", "token", "basic", "jwt")
"""Keys of which a block has exactly one."""

_SECRET = "{{ settings.hook_secret }}"  # noqa: S105 - a template, which holds no secret
_AS: dict[str, Any] = {"allowed": ENCODINGS, "default": "hex", "example": "base64"}
_DURATION: dict[str, Any] = {"regex": r"[1-9]\d*(s|m|h)", "example": "5m"}
_PLACE: dict[str, Any] = {
    "header": key("string", "the header it stands in", example="X-Signature"),
    "query": key("string", "the parameter of the query it stands in", example="token"),
    "path": key("string", "path to it in the JSON body, or in the element of `each`", takes="path", example="sig.hex"),
    "prefix": key("string", "what it begins with, and is taken off", minlength=1, example="sha256="),
}
_PICKED: dict[str, Any] = {
    **_PLACE,
    "split": key("string", "what stands between the entries of a list", minlength=1, example=","),
    "pair": key("string", "what stands between the name and the value of an entry", minlength=1, example="="),
    "pick": key("string", "the entries of this name are meant, others ignored", minlength=1, example="v1"),
}
_STANDARD: dict[str, Any] = {
    "header": "webhook-signature",
    "split": " ",
    "pair": ",",
    "pick": "v1",
    "as": "base64",
}

PARTS: Final[Mapping[str, Part]] = {
    "verify": Part(
        "`verify` of a hook, or one of several that must all hold",
        {
            "hmac": key("string", "an HMAC (RFC 2104) with this hash", allowed=HASHES, example="sha256"),
            "hash": key("string", "a plain hash of bytes that hold the secret", allowed=HASHES, example="sha256"),
            "asymmetric": key("string", "a signature checked with a public key", allowed=ASYMMETRIC, example="ed25519"),
            "token": key(
                ["string", "dict"],
                "a shared secret that is sent: `path` is the last part of the hook's URL, else where it stands",
                example={"header": "Authorization", "prefix": "Bearer "},
            ),
            "basic": key(
                "dict",
                "HTTP Basic (RFC 7617)",
                example={"user": "{{ settings.hook_user }}", "password": "{{ settings.hook_password }}"},
            ),
            "jwt": key("dict", "a signed JWT (RFC 7519), found by `signature`", example={"algorithms": ["HS256"]}),
            "keys": key(
                "list",
                "secrets or public keys, any of which may fit: the new one and the old; one that is null is left out",
                takes="template",
                minlength=1,
                maxlength=4,
                schema={"type": "string"},
                example=[_SECRET],
            ),
            "key": key("dict", "how the keys are written", example={"as": "base64", "strip_prefix": "whsec_"}),
            "signature": key("dict", "where the signature is", example=_STANDARD),
            "timestamp": key("dict", "where the time of signing is", example={"header": "webhook-timestamp"}),
            "signed": key(
                "list",
                "the bytes that are signed, piece by piece: words, literals and objects",
                minlength=1,
                example=[{"header": "webhook-id"}, ".", "timestamp", ".", "body"],
            ),
            "each": key(
                "string",
                "path to a list in the body each element of which is signed by itself; all must hold",
                takes="path",
                example="items[].item",
            ),
            "digest": key(
                "dict", "a digest of the body that is itself signed", example={"query": "bodySHA256", "as": "hex"}
            ),
            "challenge": key(
                ["dict", "list"],
                "messages that only ask who answers here, and what they are answered; the first that fits",
                example={"when": "type == `1`", "json": {"type": 1}},
            ),
            "needs": key(
                "dict",
                "setting: reason; a connection without it leaves this block out",
                example={"hook_secret": "The account signs only when it was given a secret."},
                keysrules={"type": "string", "regex": NAME},
                **REASONS,
            ),
            "method": key(
                ["string", "list"],
                "the HTTP methods of the messages that this block is for, where a hook has several; without it all",
                allowed=["get", "post", "put"],
                minlength=1,
                example="post",
            ),
        },
    ),
    "key": Part(
        "`key` of a `verify`",
        {
            "as": key(
                "string",
                "how a key is written; a PEM public key is utf8",
                allowed=["utf8", "base64", "hex"],
                default="utf8",
                example="base64",
            ),
            "strip_prefix": key("string", "what is taken off a key that begins with it", minlength=1, example="whsec_"),
        },
    ),
    "token": Part("`token` of a `verify` or of a challenge", dict(_PLACE)),
    "signature": Part(
        "`signature` of a `verify`",
        {
            **_PICKED,
            "as": key("string", "how its bytes are written", **_AS),
            "max": key("integer", "candidates looked at; more are refused", min=1, max=16, default=16, example=4),
        },
    ),
    "timestamp": Part(
        "`timestamp` of a `verify`",
        {
            **_PICKED,
            "unit": key(
                "string",
                "seconds or milliseconds since 1970, or an RFC 3339 time",
                allowed=["s", "ms", "iso"],
                default="s",
                example="ms",
            ),
            "tolerance": key("string", "how far from now it may be, past and future", default="5m", **_DURATION),
        },
    ),
    "digest": Part(
        "`digest` of a `verify`",
        {
            **_PLACE,
            "hash": key("string", "the hash function", allowed=HASHES, default="sha256", example="sha512"),
            "as": key("string", "how its bytes are written", **_AS),
        },
    ),
    "signed": Part(
        "one of `signed` that is an object",
        {
            "header": key("string", "a header's value", example="webhook-id"),
            "query": key("string", "the value of a parameter of the query", example="id"),
            "path": key("string", "path to a text or whole number", takes="path", example="signature.token"),
            "text": key("string", "this text, which could be taken for a word", minlength=1, example="body"),
            "join": key("string", "what stands between the values of `paths`", example=":"),
            "paths": key(
                "list",
                "paths to texts, numbers or true and false; of one that is missing or null nothing",
                takes="paths",
                minlength=1,
                schema={"type": "string"},
                example=["reference", "amount.value"],
            ),
            "body_hash": key("string", "the body's digest, by this hash", allowed=HASHES, example="sha256"),
            "as": key("string", "how the bytes of `body_hash` are written", allowed=ENCODINGS, example="hex"),
        },
    ),
    "jwt": Part(
        "`jwt` of a `verify`",
        {
            "algorithms": key(
                "list",
                "the algorithms taken, whatever the token says",
                required=True,
                minlength=1,
                allowed=JWT,
                example=["HS256"],
            ),
            "body_claim": key("string", "the claim that holds the body's SHA-256", example="request_body_sha256"),
            "as": key(
                "string", "how the digest is written there", allowed=ENCODINGS, default="base64", example="base64"
            ),
            "leeway": key("string", "how far our clocks may differ", default="60s", **_DURATION),
        },
    ),
    "challenge": Part(
        "`challenge` of a `verify`, or one of them",
        {
            "method": key("string", "it comes with this method alone", allowed=["GET", "POST"], example="GET"),
            "query": key(
                "dict",
                "parameters of the query that it has, with these values",
                valuesrules={"type": "string"},
                example={"hub.mode": "subscribe"},
            ),
            "when": key("string", "path on its JSON body that must be true", takes="path", example="type == `1`"),
            "unproved": key(
                "boolean", "it is answered without verifying it, since the provider does not sign it", example=True
            ),
            "token": key("dict", "where it has a token that must be one of `keys`", example={"query": "verify_token"}),
            "keys": key(
                "list",
                "what its token may be",
                takes="template",
                minlength=1,
                maxlength=4,
                schema={"type": "string"},
                example=["{{ settings.verify_token }}"],
            ),
            "value": key("dict", "the text that it wants back", example={"query": "hub.challenge"}),
            "header": key("string", "the value is answered in this header, without a body", example="X-Hook-Secret"),
            "json": key(
                [*TREE],
                "answered as JSON; templates see `value`, and `signature`, the HMAC of the value with the first key",
                takes="tree",
                example={"response_token": "sha256={{ signature }}"},
            ),
            "as": key("string", "how the bytes of `signature` are written", **_AS),
        },
    ),
}
