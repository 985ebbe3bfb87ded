"""`verify` of a hook → what a message must prove, or all that is wrong with it. The only constructor of VerifyPlan.

Nothing here sees a message: `gateway/webhooks/inbound/verify.py` runs the plans. A hook whose proof is a fetch is not
compiled here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.documents.yaml import Place
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.hooks.verify_keys import weak_keys
from gateway.mapping.compiler.hooks.verify_parts import (
    compile_challenges,
    compile_digest,
    compile_key,
    compile_keys,
    compile_location,
    compile_path,
    compile_pieces,
    compile_signature,
    compile_timestamp,
)
from gateway.mapping.compiler.http.calls import seconds
from gateway.mapping.compiler.operations.alternatives import compile_needs
from gateway.mapping.compiler.trees import compile_text
from gateway.mapping.language.auth import Basic
from gateway.mapping.language.verification import LOOKING, SCHEMES, SHARED, Jwt, Verify
from gateway.mapping.nodes.verification import JwtPlan, KeyPlan, Location, Piece, VerifyPlan
from gateway.values.messages import Json

__all__ = ["VerifyPlan", "compile_block", "compile_verify", "weak_keys"]

_LAST_PART: Final = "path"
"""A token that is the last part of the hook's URL."""
_SETTINGS: Final = frozenset({"settings"})
_SIGNED: Final = frozenset({"keys", "key", "signature", "timestamp", "signed", "each", "digest"})
_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    "hmac": _SIGNED,
    "hash": _SIGNED,
    "asymmetric": _SIGNED,
    "token": frozenset({"keys"}),
    "basic": frozenset(),
    "jwt": frozenset({"keys", "key", "signature"}),
}
"""Scheme → keys that may stand beside it, besides `challenge`, `needs` and `method`."""
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("hmac", "hash", "asymmetric"), ("keys", "signature", "signed")),
    "token": ("keys",),
    "basic": (),
    "jwt": ("keys", "signature"),
}
_COVERING: Final = frozenset({"body", "form", "body_hash"})
"""Pieces with which the whole body is signed."""


def compile_verify(context: Context, node: Json, place: Place) -> tuple[VerifyPlan, ...] | None:
    """Compile `verify`: a block, or several that must all hold. `none` gives no plan and a warning.

    None, with findings, when it is wrong.
    """
    if node == "none":
        context.report(place, "open-hook", "messages are taken from anyone who knows the address")
        return ()
    if isinstance(node, str) or node == []:
        context.report(place, "not-allowed", "`verify` is `none`, an object, or a list of objects that must all hold")
        return None
    before = len(context.findings)
    written = list(enumerate(node)) if isinstance(node, list) else [(None, node)]
    blocks = [context.read(Verify, one, place if index is None else (*place, index)) for index, one in written]
    plans = [compile_block(context, block) for block in blocks]
    found = tuple(plan for plan in plans if plan is not None)
    if len(context.findings) > before or not all(block.all_sound for block in blocks):
        return None
    if not any(plan.always for plan in found):
        message = "some connections or messages would prove nothing: one block must have no `needs:` and no `method:`"
        context.report(place, "verify-optional", message)
        return None
    return found


def compile_block(context: Context, node: Verify) -> VerifyPlan | None:
    """Compile one block by itself; whoever does so sees to it that something is verified whatever is not given."""
    if not node.sound:
        return None
    place = node.place
    schemes = [name for name in SCHEMES if name in node]
    if len(schemes) != 1:
        told = f", not {' and '.join(schemes)}" if schemes else ""
        context.report(place, "not-one-scheme", f"a block has exactly one of {', '.join(SCHEMES)}{told}")
        return None
    scheme = schemes[0]
    for name in sorted(node.given - _BESIDE[scheme] - {scheme, "challenge", "needs", "method"} - LOOKING):
        context.report((*place, name), "unknown-key", f"`{name}` does not go with `{scheme}`", key=True)
    missing = [name for name in _NEEDED[scheme] if name not in node]
    if missing:
        context.report(place, "missing-key", f"`{scheme}` needs {' and '.join(f'`{name}`' for name in missing)}")
        return None
    plan = _plan(context, node, scheme)
    if plan is not None:
        _check(context, plan, place)
    return plan


def _plan(context: Context, node: Verify, scheme: str) -> VerifyPlan | None:
    before, place = len(context.findings), node.place
    jwt = _jwt(context, node.jwt) if node.jwt is not None and node.jwt.sound else None
    public = scheme == "asymmetric" or (jwt is not None and not set(jwt.algorithms) & set(SHARED))
    user, keys = _basic(context, node.basic) if node.basic is not None and node.basic.sound else (None, ())
    if node.keys is not None:
        keys = compile_keys(context, node.keys, (*place, "keys"), public=public)
    signed = compile_pieces(context, node.signed, (*place, "signed")) if node.signed else ()
    plan = VerifyPlan(
        scheme=scheme,
        algorithm=node.algorithm(scheme),
        keys=keys,
        key_encoding=node.key_.as_ if node.key_ is not None else "utf8",
        key_prefix=(node.key_.strip_prefix if node.key_ is not None else None) or "",
        user=user,
        token=_token(context, node),
        signature=compile_signature(context, node.signature) if node.signature and node.signature.sound else None,
        timestamp=compile_timestamp(context, node.timestamp) if node.timestamp and node.timestamp.sound else None,
        signed=signed,
        each=compile_path(context, node.each, (*place, "each")) if node.each is not None else None,
        digest=compile_digest(context, node.digest) if node.digest and node.digest.sound else None,
        jwt=jwt,
        challenges=compile_challenges(context, node.challenge, scheme) if node.challenge is not None else (),
        needs=compile_needs(context, node.needs, place),
        methods=frozenset(method.upper() for method in _list(node.method or [])),
        partial=_partial(scheme, signed, jwt, each="each" in node, digest="digest" in node),
        origin=context.origin(place),
    )
    return plan if node.all_sound and len(context.findings) == before else None


def _list(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _partial(scheme: str, signed: tuple[Piece, ...], jwt: JwtPlan | None, *, each: bool, digest: bool) -> bool:
    if scheme == "jwt":
        return jwt is None or not jwt.body_claim
    if scheme in {"token", "basic"}:
        return False
    return not digest and (each or not any(piece.kind in _COVERING for piece in signed))


def _token(context: Context, node: Verify) -> Location | None:
    """Where a token stands; None for the last part of the hook's URL."""
    token = node.token
    if isinstance(token, str) and token != _LAST_PART:
        message = "`token` is `path`, or an object that says where it stands"
        context.report((*node.place, "token"), "not-allowed", message)
    if token is None or isinstance(token, str):
        return None
    return compile_location(context, token) if token.sound else None


def _basic(context: Context, node: Basic) -> tuple[Any, tuple[KeyPlan, ...]]:
    user = compile_text(context, node.user, (*node.place, "user"), _SETTINGS, secrets=True)
    return user, (compile_key(context, node.password, (*node.place, "password")),)


def _jwt(context: Context, node: Jwt) -> JwtPlan:
    algorithms = tuple(node.algorithms)
    shared = set(algorithms) & set(SHARED)
    if shared and shared != set(algorithms):
        message = "secrets and public keys are not mixed: a public key could be taken for a secret everyone knows"
        context.report((*node.place, "algorithms"), "algorithms-mixed", message)
    return JwtPlan(algorithms, node.body_claim or "", node.as_, seconds(node.leeway))


def _check(context: Context, plan: VerifyPlan, place: Place) -> None:
    """Find what proves nothing: times, digests and secrets that are not signed, and a signature over itself."""
    kinds = {piece.kind for piece in plan.signed}
    if plan.timestamp is None and "timestamp" in kinds:
        context.report(place, "missing-key", "`signed` names the timestamp: say under `timestamp:` where it stands")
    if plan.timestamp is not None and "timestamp" not in kinds and not _is_covered(plan, plan.timestamp.location):
        message = "the timestamp is not among the signed bytes, so that anyone could renew an old message"
        context.report((*place, "timestamp"), "timestamp-unsigned", message)
    if plan.digest is not None and not _is_covered(plan, plan.digest.location):
        message = "the digest is not among the signed bytes, so that anyone could replace it with the body"
        context.report((*place, "digest"), "digest-unsigned", message)
    if plan.scheme == "hash" and "secret" not in kinds:
        message = "anyone can compute a plain hash: `secret` must be among the signed bytes"
        context.report((*place, "signed"), "secret-unsigned", message)
    if plan.scheme == "asymmetric" and "secret" in kinds:
        context.report((*place, "signed"), "wrong-form", "a public key is no secret: it is not signed")
    if plan.signature is not None and plan.signature.location.path is not None and kinds & _COVERING:
        message = "the signature stands inside the body, which is signed as a whole"
        context.report((*place, "signature"), "signs-itself", message)


def _is_covered(plan: VerifyPlan, location: Location) -> bool:
    """Whether what stands at this location is among the signed bytes."""
    for piece in plan.signed:
        named = (piece.kind == "header" and piece.text == location.header) or (
            piece.kind == "query_value" and piece.text == location.query
        )
        paths = {path.text for path in piece.paths}
        if named or (location.path is not None and (piece.kind in _COVERING or location.path.text in paths)):
            return True
        if location.query and piece.kind in {"query", "url"}:  # a URL has its query
            return True
    return False
