"""How a hook proves that a message comes from the provider. What the words mean is in docs/verify.md."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from gateway.documents.parts import (
    NAME,
    Duration,
    ErrorCode,
    Node,
    OnMessage,
    PathText,
    Reasons,
    Takes,
    Tree,
    key,
    part,
    share,
)
from gateway.mapping.language.auth import Basic
from gateway.values.messages import Json

Hash: TypeAlias = Literal["sha1", "sha256", "sha512"]
"""Hash functions of HMAC, of a plain hash and of the digest of a body."""
Asymmetric: TypeAlias = Literal["ed25519", "ecdsa-sha256", "ecdsa-sha512", "rsa-sha256", "rsa-sha512"]
"""Signatures checked with a public key: RFC 8032, FIPS 186-5 in DER, RFC 8017 PKCS #1 v1.5."""
SharedAlgorithm: TypeAlias = Literal["HS256", "HS384", "HS512"]
SHARED: Final[tuple[str, ...]] = get_args(SharedAlgorithm)
"""Algorithms of a JWT that both sides share a secret for (RFC 7518 section 3.2)."""
JwtAlgorithm: TypeAlias = Literal["HS256", "HS384", "HS512", "RS256", "RS512", "ES256", "EdDSA"]
"""Algorithms of a JWT (RFC 7518 section 3.1, RFC 8037)."""
Encoding: TypeAlias = Literal["hex", "base64", "base64url"]
"""How bytes are written as text: hex in either case, base64 with padding and base64url without (RFC 4648)."""
Method: TypeAlias = Literal["get", "post", "put"]
"""Methods that a provider's message may be sent with."""
SCHEMES: Final = ("hmac", "hash", "asymmetric", "token", "basic", "jwt")
"""Keys of which a block has exactly one."""
LOOKING: Final = frozenset({"equals", "fetch"})
"""Keys of a block that look at the message, and not at how it was sent."""
Keys: TypeAlias = Annotated[list[str], Takes("template")]
PathTexts: TypeAlias = Annotated[list[str], Takes("paths")]

_SECRET = "{{ settings.hook_secret }}"  # noqa: S105 - a template, which holds no secret
_STANDARD: dict[str, Any] = {
    "header": "webhook-signature",
    "split": " ",
    "pair": ",",
    "pick": "v1",
    "as": "base64",
}


@part("token", "`token` of a `verify` or of a challenge")
class Location(Node):
    """Where something stands in a message."""

    header: str | None = key("the header it stands in", example="X-Signature")
    query: str | None = key("the parameter of the query it stands in", example="token")
    path: PathText | None = key("path to it in the JSON body, or in the element of `each`", example="sig.hex")
    prefix: str | None = key("what it begins with, and is taken off", minlength=1, example="sha256=")


@share
class Entry(Location):
    """Where something stands in a message, as one entry of a list."""

    split: str | None = key("what stands between the entries of a list", minlength=1, example=",")
    pair: str | None = key("what stands between the name and the value of an entry", minlength=1, example="=")
    pick: str | None = key("the entries of this name are meant, others ignored", minlength=1, example="v1")


@part("key", "`key` of a `verify`")
class KeyForm(Node):
    """How keys are written."""

    as_: Literal["utf8", "base64", "hex"] = key(
        "how a key is written; a PEM public key is utf8", default="utf8", example="base64"
    )
    strip_prefix: str | None = key("what is taken off a key that begins with it", minlength=1, example="whsec_")


@part("signature", "`signature` of a `verify`")
class Signature(Entry):
    """Where the signature is."""

    as_: Encoding = key("how its bytes are written", default="hex", example="base64")
    max: int = key("candidates looked at; more are refused", min=1, max=16, default=16, example=4)


@part("timestamp", "`timestamp` of a `verify`")
class Timestamp(Entry):
    """Where the time of signing is."""

    unit: Literal["s", "ms", "iso"] = key(
        "seconds or milliseconds since 1970, or an RFC 3339 time", default="s", example="ms"
    )
    tolerance: Duration = key("how far from now it may be, past and future", default="5m", example="5m")


@part("digest", "`digest` of a `verify`")
class Digest(Location):
    """A digest of the body that is itself signed."""

    hash: Hash = key("the hash function", default="sha256", example="sha512")
    as_: Encoding = key("how its bytes are written", default="hex", example="base64")


@part("signed", "one of `signed` that is an object")
class SignedPiece(Node):
    """A piece of the bytes that are signed."""

    header: str | None = key("a header's value", example="webhook-id")
    query: str | None = key("the value of a parameter of the query", example="id")
    path: PathText | None = key("path to a text or whole number", example="signature.token")
    text: str | None = key("this text, which could be taken for a word", minlength=1, example="body")
    join: str | None = key("what stands between the values of `paths`", example=":")
    paths: PathTexts | None = key(
        "paths to texts, numbers or true and false; of one that is missing or null nothing",
        minlength=1,
        example=["reference", "amount.value"],
    )
    body_hash: Hash | None = key("the body's digest, by this hash", example="sha256")
    as_: Encoding | None = key("how the bytes of `body_hash` are written", example="hex")


@part("jwt", "`jwt` of a `verify`")
class Jwt(Node):
    """A signed JWT."""

    algorithms: list[JwtAlgorithm] = key(
        "the algorithms taken, whatever the token says", minlength=1, example=["HS256"]
    )
    body_claim: str | None = key("the claim that holds the body's SHA-256", example="request_body_sha256")
    as_: Encoding = key("how the digest is written there", default="base64", example="base64")
    leeway: Duration = key("how far our clocks may differ", default="60s", example="5m")


@part("challenge", "`challenge` of a `verify`, or one of them")
class Challenge(Node):
    """A message that only asks who answers here, and what it is answered."""

    method: Literal["GET", "POST"] | None = key("it comes with this method alone", example="GET")
    query: dict[str, str] | None = key(
        "parameters of the query that it has, with these values",
        valuesrules={"type": "string"},
        example={"hub.mode": "subscribe"},
    )
    when: OnMessage | None = key(
        "what holds of its JSON body; a template sees `body`, `method`, `query`, `headers` and `settings`",
        example="type == `1`",
    )
    unproved: bool | None = key(
        "it is answered without verifying it, since the provider does not sign it", example=True
    )
    token: Location | None = key("where it has a token that must be one of `keys`", example={"query": "verify_token"})
    keys: Keys | None = key("what its token may be", minlength=1, maxlength=4, example=["{{ settings.verify_token }}"])
    value: Location | None = key("the text that it wants back", example={"query": "hub.challenge"})
    header: str | None = key("the value is answered in this header, without a body", example="X-Hook-Secret")
    json: Tree | None = key(
        "answered as JSON; templates see `value`, and `signature`, the HMAC of the value with the first key",
        example={"response_token": "sha256={{ signature }}"},
    )
    as_: Encoding = key("how the bytes of `signature` are written", default="hex", example="base64")


@part("hook_forged", "one of `forged`, where the code alone does not say it", short="is")
class ForgeryRule(Node):
    """An error of the fetch that means a forged message."""

    is_: ErrorCode = key("the error code", example="PROVIDER_AUTH_FAILED")
    code: str | None = key("the provider's own code", required=True, example="-32085")


@part("hook_proof", "`verify.fetch` of a hook: the fetch shows whether the message is true")
class Proof(Node):
    """How the fetch proves a message."""

    forged: list[ForgeryRule] = key(
        "errors of the fetch that mean a forged message; after any other it is to be sent again",
        minlength=1,
        schema={"type": ["string", "dict"]},
        example=["BOOKING_NOT_FOUND"],
    )


@part("verify", "`verify` of a hook, or one of several that must all hold")
class Verify(Node):
    """One block of what proves the sender."""

    equals: dict[str, Json] | None = key(
        "paths on the body, and what must stand there", example={"company": "{{ settings.company }}"}
    )
    fetch: Proof | None = key("the fetch shows whether the message is true", example={"forged": ["BOOKING_NOT_FOUND"]})
    hmac: Hash | None = key("an HMAC (RFC 2104) with this hash", example="sha256")
    hash: Hash | None = key("a plain hash of bytes that hold the secret", example="sha256")
    asymmetric: Asymmetric | None = key("a signature checked with a public key", example="ed25519")
    token: str | Location | None = key(
        "a shared secret that is sent: `path` is the last part of the hook's URL, else where it stands",
        example={"header": "Authorization", "prefix": "Bearer "},
    )
    basic: Basic | None = key(
        "HTTP Basic (RFC 7617)",
        example={"user": "{{ settings.hook_user }}", "password": "{{ settings.hook_password }}"},
    )
    jwt: Jwt | None = key("a signed JWT (RFC 7519), found by `signature`", example={"algorithms": ["HS256"]})
    keys: Keys | None = key(
        "secrets or public keys, any of which may fit: the new one and the old; one that is null is left out",
        minlength=1,
        maxlength=4,
        example=[_SECRET],
    )
    key_: KeyForm | None = key("how the keys are written", example={"as": "base64", "strip_prefix": "whsec_"})
    signature: Signature | None = key("where the signature is", example=_STANDARD)
    timestamp: Timestamp | None = key("where the time of signing is", example={"header": "webhook-timestamp"})
    signed: list[str | SignedPiece] | None = key(
        "the bytes that are signed, piece by piece: words, literals and objects",
        minlength=1,
        example=[{"header": "webhook-id"}, ".", "timestamp", ".", "body"],
    )
    each: PathText | None = key(
        "path to a list in the body each element of which is signed by itself; all must hold",
        example="items[].item",
    )
    digest: Digest | None = key(
        "a digest of the body that is itself signed", example={"query": "bodySHA256", "as": "hex"}
    )
    challenge: Challenge | list[Challenge] | None = key(
        "messages that only ask who answers here, and what they are answered; the first that fits",
        example={"when": "type == `1`", "json": {"type": 1}},
    )
    needs: Reasons | None = key(
        "setting: reason; a connection without it leaves this block out",
        example={"hook_secret": "The account signs only when it was given a secret."},
        keysrules={"type": "string", "regex": NAME},
    )
    method: Method | list[Method] | None = key(
        "the HTTP methods of the messages that this block is for, where a hook has several; without it all",
        minlength=1,
        example="post",
    )

    def algorithm(self, scheme: str) -> str:
        """The algorithm that stands under a scheme; empty where more than that does."""
        value: Json = getattr(self, scheme)
        return value if isinstance(value, str) else ""
