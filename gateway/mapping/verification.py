"""`verify` of a hook → what a message must prove, or all that is wrong with it. The only constructor of VerifyPlan.

Nothing here sees a message: `gateway/webhooks/verify.py` runs the plans. A hook whose proof is a fetch is not compiled
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.document import Place
from gateway.mapping.calls import seconds
from gateway.mapping.context import Context
from gateway.mapping.language.verification import SCHEMES, SHARED
from gateway.mapping.plan_verify import JwtPlan, KeyPlan, Location, Piece, VerifyPlan
from gateway.mapping.trees import compile_text
from gateway.mapping.verify_keys import weak_keys
from gateway.mapping.verify_parts import (
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
from gateway.mapping.ways import compile_needs
from gateway.values.messages import Json

__all__ = ["VerifyPlan", "compile_block", "compile_verify", "weak_keys"]

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
    if isinstance(node, list):
        plans = [compile_block(context, one, (*place, index)) for index, one in enumerate(node)]
    else:
        plans = [compile_block(context, node, place)]
    found = tuple(plan for plan in plans if plan is not None)
    if len(context.findings) > before:
        return None
    if not any(plan.always for plan in found):
        message = "some connections or messages would prove nothing: one block must have no `needs:` and no `method:`"
        context.report(place, "verify-optional", message)
        return None
    return found


def compile_block(context: Context, node: Json, place: Place) -> VerifyPlan | None:
    """Compile one block by itself; whoever does so sees to it that something is verified whatever is not given."""
    shape = context.check("verify", node, place)
    if shape is None:
        return None
    schemes = [name for name in SCHEMES if name in shape]
    if len(schemes) != 1:
        told = f", not {' and '.join(schemes)}" if schemes else ""
        context.report(place, "not-one-scheme", f"a block has exactly one of {', '.join(SCHEMES)}{told}")
        return None
    scheme = schemes[0]
    for name in sorted(shape.keys() - _BESIDE[scheme] - {scheme, "challenge", "needs", "method"}):
        context.report((*place, name), "unknown-key", f"`{name}` does not go with `{scheme}`", key=True)
    missing = [name for name in _NEEDED[scheme] if name not in shape]
    if missing:
        context.report(place, "missing-key", f"`{scheme}` needs {' and '.join(f'`{name}`' for name in missing)}")
        return None
    plan = _plan(context, shape, place, scheme)
    if plan is not None:
        _check(context, plan, place)
    return plan


def _plan(context: Context, shape: dict[str, Json], place: Place, scheme: str) -> VerifyPlan | None:
    before = len(context.findings)

    def part(name: str, compile_one: Callable[[Context, Json, Place], Any]) -> Any:
        return compile_one(context, shape[name], (*place, name)) if name in shape else None

    jwt = part("jwt", _jwt)
    public = scheme == "asymmetric" or (jwt is not None and not set(jwt.algorithms) & set(SHARED))
    form = part("key", _key_form) or {}
    user, keys = part("basic", _basic) or (None, ())
    if "keys" in shape:
        keys = compile_keys(context, shape["keys"], (*place, "keys"), public=public)
    signed = part("signed", compile_pieces) or ()
    digest = part("digest", compile_digest)
    plan = VerifyPlan(
        scheme=scheme,
        algorithm=shape[scheme] if isinstance(shape[scheme], str) else "",
        keys=keys,
        key_encoding=form.get("as", "utf8"),
        key_prefix=form.get("strip_prefix", ""),
        user=user,
        token=part("token", _token),
        signature=part("signature", compile_signature),
        timestamp=part("timestamp", compile_timestamp),
        signed=signed,
        each=part("each", compile_path),
        digest=digest,
        jwt=jwt,
        challenges=compile_challenges(context, shape["challenge"], (*place, "challenge"), scheme)
        if "challenge" in shape
        else (),
        needs=compile_needs(context, shape, place),
        methods=frozenset(method.upper() for method in _listed(shape.get("method", []))),
        partial=_partial(scheme, signed, jwt, each="each" in shape, digest=digest is not None),
        origin=context.origin(place),
    )
    return plan if len(context.findings) == before else None


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _partial(scheme: str, signed: tuple[Piece, ...], jwt: JwtPlan | None, *, each: bool, digest: bool) -> bool:
    if scheme == "jwt":
        return jwt is None or not jwt.body_claim
    if scheme in {"token", "basic"}:
        return False
    return not digest and (each or not any(piece.kind in _COVERING for piece in signed))


def _key_form(context: Context, node: Json, place: Place) -> dict[str, Json] | None:
    return context.check("key", node, place)


def _token(context: Context, node: Json, place: Place) -> Location | None:
    """Where a token stands; None for the last part of the hook's URL."""
    if node == "path":
        return None
    if isinstance(node, str):
        context.report(place, "not-allowed", "`token` is `path`, or an object that says where it stands")
        return None
    shape = context.check("token", node, place)
    return compile_location(context, shape, place) if shape is not None else None


def _basic(context: Context, node: Json, place: Place) -> tuple[Any, tuple[KeyPlan, ...]] | None:
    shape = context.check("basic", node, place)
    if shape is None:
        return None
    user = compile_text(context, shape["user"], (*place, "user"), _SETTINGS, secrets=True)
    return user, (compile_key(context, shape["password"], (*place, "password")),)


def _jwt(context: Context, node: Json, place: Place) -> JwtPlan | None:
    shape = context.check("jwt", node, place)
    if shape is None:
        return None
    algorithms = tuple(shape["algorithms"])
    shared = set(algorithms) & set(SHARED)
    if shared and shared != set(algorithms):
        message = "secrets and public keys are not mixed: a public key could be taken for a secret everyone knows"
        context.report((*place, "algorithms"), "algorithms-mixed", message)
    return JwtPlan(algorithms, shape.get("body_claim", ""), shape["as"], seconds(shape["leeway"]))


def _check(context: Context, plan: VerifyPlan, place: Place) -> None:
    """Find what proves nothing: times, digests and secrets that are not signed, and a signature over itself."""
    kinds = {piece.kind for piece in plan.signed}
    if plan.timestamp is None and "timestamp" in kinds:
        context.report(place, "missing-key", "`signed` names the timestamp: say under `timestamp:` where it stands")
    if plan.timestamp is not None and "timestamp" not in kinds and not _covered(plan, plan.timestamp.location):
        message = "the timestamp is not among the signed bytes, so that anyone could renew an old message"
        context.report((*place, "timestamp"), "timestamp-unsigned", message)
    if plan.digest is not None and not _covered(plan, plan.digest.location):
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


def _covered(plan: VerifyPlan, location: Location) -> bool:
    """Whether what stands at this location is among the signed bytes."""
    for piece in plan.signed:
        named = (piece.kind == "header" and piece.text == location.header) or (
            piece.kind == "query_value" and piece.text == location.query
        )
        paths = {path.text for path in piece.paths}
        if named or (location.path is not None and (piece.kind in _COVERING or location.path.text in paths)):
            return True
        if location.query and piece.kind == "query":
            return True
    return False
