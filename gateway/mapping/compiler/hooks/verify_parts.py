"""The parts of `verify` compiled: where proofs stand in a message, what is signed, and what challenges are answered.

Nothing here reads a message or verifies anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.header_names import check_name, check_own, received
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.http.calls import seconds
from gateway.mapping.compiler.trees import compile_tree, text_of
from gateway.mapping.expressions import Path, Template
from gateway.mapping.language import verification as syntax
from gateway.mapping.nodes.trees import NULL, Tree
from gateway.mapping.nodes.verification import (
    ChallengePlan,
    DigestPlan,
    KeyPlan,
    Location,
    Piece,
    SignaturePlan,
    TimestampPlan,
)

_WHERE: Final = ("header", "query", "path")
_SETTINGS: Final = frozenset({"settings"})
_WORDS: Final[Mapping[str, str]] = {
    "body": "the body, byte by byte",
    "timestamp": "the time of signing, as it came",
    "url": "the hook's public URL as configured, with path and query as they came",
    "url_path": "the path of that URL",
    "query": "`?` and the query as it came, if there is one",
    "method": "the HTTP method in capitals",
    "secret": "the key",
    "form": "the fields of a form by name, each name and value once",
}
"""Pieces that a word stands for."""
_WORDLIKE: Final = re.compile("[a-z_]{2,}")
_CHOSEN: Final = ("header", "query_value", "path")
"""Pieces whose value the sender chooses."""


def compile_keys(context: Context, texts: Sequence[str], place: Place, *, public: bool = False) -> tuple[KeyPlan, ...]:
    """Compile `keys`, any of which may fit."""
    return tuple(compile_key(context, text, (*place, index), public=public) for index, text in enumerate(texts))


def compile_key(context: Context, text: str, place: Place, *, public: bool = False) -> KeyPlan:
    """Compile a secret, which one setting gives; one that is `public` may as well stand in the file."""
    template = context.template(text, place, _SETTINGS, secrets=True)
    if template is None:
        return KeyPlan(NULL, "")
    setting = next((use[1] for use in template.uses if len(use) > 1), "")
    declared = context.settings.get(setting)
    whole = isinstance(template, Template) and template.whole and len(template.uses) == 1
    if not public and (not whole or (declared is not None and declared.type != "secret")):
        message = "a key is one setting of type `secret`, such as `{{ settings.hook_secret }}`"
        context.report(place, "key-not-secret", message)
    return KeyPlan(text_of(template, context.origin(place)), setting)


_CHALLENGE: Final = frozenset({"settings", "body", "method", "query", "headers"})
"""Names that templates see which say whether a message is a challenge."""


def compile_path(context: Context, text: str, place: Place) -> Path | None:
    """Compile a path into a message; what it reads is proved, and not told of among the paths of answers."""
    return context.target(text, place)


def compile_location(context: Context, node: syntax.Location) -> Location:
    """Compile where a text stands: exactly one of header, query and path; `pair` and `pick` go together."""
    given = [name for name in _WHERE if name in node]
    if len(given) != 1:
        message = f"it stands in one of {', '.join(_WHERE)}{', not in several' if given else ''}"
        context.report(node.place, "wrong-form", message)
    if ("pair" in node) != ("pick" in node):
        context.report(node.place, "wrong-form", "`pair` and `pick` go together: entries are taken by their name")
    entry = node if isinstance(node, syntax.Entry) else None
    return Location(
        header=received(context, node.header, (*node.place, "header")) if node.header is not None else "",
        query=node.query or "",
        path=compile_path(context, node.path, (*node.place, "path")) if node.path is not None else None,
        prefix=node.prefix or "",
        split=(entry.split if entry is not None else None) or "",
        pair=(entry.pair if entry is not None else None) or "",
        pick=(entry.pick if entry is not None else None) or "",
    )


def compile_signature(context: Context, node: syntax.Signature) -> SignaturePlan:
    """Compile `signature`."""
    return SignaturePlan(compile_location(context, node), node.as_, node.max)


def compile_timestamp(context: Context, node: syntax.Timestamp) -> TimestampPlan:
    """Compile `timestamp`."""
    return TimestampPlan(compile_location(context, node), node.unit, seconds(node.tolerance))


def compile_digest(context: Context, node: syntax.Digest) -> DigestPlan:
    """Compile `digest`."""
    return DigestPlan(compile_location(context, node), node.hash, node.as_)


def compile_pieces(context: Context, nodes: Sequence[str | syntax.SignedPiece], place: Place) -> tuple[Piece, ...]:
    """Compile `signed`. A literal behind a value that the sender chooses becomes that value's `stop`."""
    pieces = [piece for index, node in enumerate(nodes) if (piece := _piece(context, node, (*place, index)))]
    behind = [*pieces[1:], Piece("text")]
    return tuple(
        Piece(one.kind, one.text, one.paths, one.encoding, after.text)
        if one.kind in _CHOSEN and after.kind == "text"
        else one
        for one, after in zip(pieces, behind, strict=True)
    )


def _piece(context: Context, node: str | syntax.SignedPiece, place: Place) -> Piece | None:
    if isinstance(node, str):
        if node in _WORDS or not _WORDLIKE.fullmatch(node):
            return Piece(node) if node in _WORDS else Piece("text", node)
        hint = suggestion(node, _WORDS)
        message = f"`{node}` is none of {', '.join(_WORDS)}{hint}; a literal of letters is written `{{text: {node}}}`"
        context.report(place, "not-allowed", message)
        return None
    if not node.sound:
        return None
    kinds = [name for name in ("header", "query", "path", "text", "join", "body_hash") if name in node]
    beside = {"join": {"paths"}, "body_hash": {"as"}}.get(kinds[0], set()) if len(kinds) == 1 else set()
    if len(kinds) != 1 or node.given - {kinds[0]} != beside:
        known = "header, query, path, text, join with paths, and body_hash with as"
        context.report(place, "wrong-form", f"a piece is one of {known}")
        return None
    kind = {"query": "query_value"}.get(kinds[0], kinds[0])
    written: str = getattr(node, kinds[0])
    text = received(context, written, (*place, "header")) if kind == "header" else written
    if kind == "path":
        path = compile_path(context, text, (*place, "path"))
        return Piece(kind, text, (path,)) if path is not None else None
    paths = [compile_path(context, one, (*place, "paths", index)) for index, one in enumerate(node.paths or ())]
    return Piece(kind, text, tuple(path for path in paths if path is not None), node.as_ or "")


def compile_challenges(
    context: Context, node: syntax.Challenge | list[syntax.Challenge], scheme: str
) -> tuple[ChallengePlan, ...]:
    """Compile `challenge`: one, or several in their order."""
    nodes = node if isinstance(node, list) else [node]
    return tuple(_challenge(context, one, scheme) for one in nodes if one.sound)


def _challenge(context: Context, node: syntax.Challenge, scheme: str) -> ChallengePlan:
    place = node.place
    if node.header is not None:
        check_name(context, node.header, (*place, "header"))
        check_own(context, node.header, "", (*place, "header"))
    for message in _misfits(node):
        context.report(place, "wrong-form", message)
    with context.collecting() as reads:
        json = _answer(context, node)
        signs = any(use[0] == "signature" for use in reads.names)
        reads.forget("signature", "value")
    if signs and (scheme != "hmac" or "value" not in node):
        context.report((*place, "json"), "wrong-form", "`signature` is an HMAC of the `value`, in a block with `hmac`")
    return ChallengePlan(
        method=node.method or "",
        query=node.query or {},
        when=condition_of(context, node, "when", _CHALLENGE),
        unproved=node.unproved or False,
        token=compile_location(context, node.token) if node.token is not None and node.token.sound else None,
        keys=compile_keys(context, node.keys or (), (*place, "keys")),
        value=compile_location(context, node.value) if node.value is not None and node.value.sound else None,
        header=node.header or "",
        json=json,
        signs=signs,
        encoding=node.as_,
        origin=context.origin(place),
    )


def _answer(context: Context, node: syntax.Challenge) -> Tree | None:
    if "json" not in node:
        return None
    names = {"signature", "value"} if "value" in node else {"signature"}
    return compile_tree(context, node.json, (*node.place, "json"), names)


def _misfits(node: syntax.Challenge) -> Iterator[str]:
    """What of a challenge contradicts itself."""
    if not node.given & {"method", "query", "when", "value"}:
        yield "a challenge is known by at least one of method, query, when and value"
    if ("token" in node) != ("keys" in node):
        yield "`token` and `keys` go together: where it is, and what it may be"
    if "token" in node and not node.unproved:
        yield "a `token` is for a challenge that is not signed: say `unproved: true`"
    if "header" in node and ("value" not in node or "json" in node):
        yield "`header` answers the `value`, without a body"
