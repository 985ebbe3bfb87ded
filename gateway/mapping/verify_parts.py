"""The parts of `verify` compiled: where proofs stand in a message, what is signed, and what challenges are answered.

Nothing here reads a message or verifies anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gateway.document import Place, suggestion
from gateway.mapping.calls import seconds
from gateway.mapping.context import Context
from gateway.mapping.expressions import Path, Template
from gateway.mapping.header_names import check_name, check_own, received
from gateway.mapping.plan import Build
from gateway.mapping.plan_verify import (
    ChallengePlan,
    DigestPlan,
    KeyPlan,
    Location,
    Piece,
    SignaturePlan,
    TimestampPlan,
)
from gateway.mapping.trees import compile_tree, evaluated
from gateway.values.messages import Json

_WHERE: Final = ("header", "query", "path")
_SETTINGS: Final = frozenset({"settings"})
_WORDS: Final[Mapping[str, str]] = {
    "body": "the body, byte by byte",
    "timestamp": "the time of signing, as it came",
    "url": "the hook's public URL, as configured",
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
        return KeyPlan(lambda _scope: None, "")
    setting = next((use[1] for use in template.uses if len(use) > 1), "")
    declared = context.settings.get(setting)
    whole = isinstance(template, Template) and template.whole and len(template.uses) == 1
    if not public and (not whole or (declared is not None and declared.type != "secret")):
        message = "a key is one setting of type `secret`, such as `{{ settings.hook_secret }}`"
        context.report(place, "key-not-secret", message)
    return KeyPlan(evaluated(template, context.origin(place)), setting)


def compile_path(context: Context, text: str, place: Place) -> Path | None:
    """Compile a path into a message; what it reads is proved, and not told of among the paths of answers."""
    return context.target(text, place)


def compile_location(context: Context, shape: Mapping[str, Json], place: Place) -> Location:
    """Compile where a text stands: exactly one of header, query and path; `pair` and `pick` go together."""
    given = [name for name in _WHERE if name in shape]
    if len(given) != 1:
        message = f"it stands in one of {', '.join(_WHERE)}{', not in several' if given else ''}"
        context.report(place, "wrong-form", message)
    if ("pair" in shape) != ("pick" in shape):
        context.report(place, "wrong-form", "`pair` and `pick` go together: entries are taken by their name")
    return Location(
        header=received(context, shape["header"], (*place, "header")) if "header" in shape else "",
        query=shape.get("query", ""),
        path=compile_path(context, shape["path"], (*place, "path")) if "path" in shape else None,
        **{name: shape.get(name, "") for name in ("prefix", "split", "pair", "pick")},
    )


def compile_signature(context: Context, node: Json, place: Place) -> SignaturePlan | None:
    """Compile `signature`."""
    shape = context.check("signature", node, place)
    if shape is None:
        return None
    return SignaturePlan(compile_location(context, shape, place), shape["as"], shape["max"])


def compile_timestamp(context: Context, node: Json, place: Place) -> TimestampPlan | None:
    """Compile `timestamp`."""
    shape = context.check("timestamp", node, place)
    if shape is None:
        return None
    return TimestampPlan(compile_location(context, shape, place), shape["unit"], seconds(shape["tolerance"]))


def compile_digest(context: Context, node: Json, place: Place) -> DigestPlan | None:
    """Compile `digest`."""
    shape = context.check("digest", node, place)
    if shape is None:
        return None
    return DigestPlan(compile_location(context, shape, place), shape["hash"], shape["as"])


def compile_pieces(context: Context, nodes: Sequence[Json], place: Place) -> tuple[Piece, ...]:
    """Compile `signed`. A literal behind a value that the sender chooses becomes that value's `stop`."""
    pieces = [piece for index, node in enumerate(nodes) if (piece := _piece(context, node, (*place, index)))]
    behind = [*pieces[1:], Piece("text")]
    return tuple(
        Piece(one.kind, one.text, one.paths, one.encoding, after.text)
        if one.kind in _CHOSEN and after.kind == "text"
        else one
        for one, after in zip(pieces, behind, strict=True)
    )


def _piece(context: Context, node: Json, place: Place) -> Piece | None:
    if isinstance(node, str):
        if node in _WORDS or not _WORDLIKE.fullmatch(node):
            return Piece(node) if node in _WORDS else Piece("text", node)
        hint = suggestion(node, _WORDS)
        message = f"`{node}` is none of {', '.join(_WORDS)}{hint}; a literal of letters is written `{{text: {node}}}`"
        context.report(place, "not-allowed", message)
        return None
    shape = context.check("signed", node, place)
    if shape is None:
        return None
    kinds = [name for name in ("header", "query", "path", "text", "join", "body_hash") if name in shape]
    beside = {"join": {"paths"}, "body_hash": {"as"}}.get(kinds[0], set()) if len(kinds) == 1 else set()
    if len(kinds) != 1 or set(shape) - {kinds[0]} != beside:
        known = "header, query, path, text, join with paths, and body_hash with as"
        context.report(place, "wrong-form", f"a piece is one of {known}")
        return None
    kind = {"query": "query_value"}.get(kinds[0], kinds[0])
    text = received(context, shape["header"], (*place, "header")) if kind == "header" else shape[kinds[0]]
    if kind == "path":
        path = compile_path(context, text, (*place, "path"))
        return Piece(kind, text, (path,)) if path is not None else None
    paths = [compile_path(context, one, (*place, "paths", index)) for index, one in enumerate(shape.get("paths", ()))]
    return Piece(kind, text, tuple(path for path in paths if path is not None), shape.get("as", ""))


def compile_challenges(context: Context, node: Json, place: Place, scheme: str) -> tuple[ChallengePlan, ...]:
    """Compile `challenge`: one, or several in their order."""
    if not isinstance(node, list):
        found = [_challenge(context, node, place, scheme)]
    else:
        found = [_challenge(context, one, (*place, index), scheme) for index, one in enumerate(node)]
    return tuple(challenge for challenge in found if challenge is not None)


def _challenge(context: Context, node: Json, place: Place, scheme: str) -> ChallengePlan | None:
    shape = context.check("challenge", node, place)
    if shape is None:
        return None
    if "header" in shape:
        check_name(context, shape["header"], (*place, "header"))
        check_own(context, shape["header"], "", (*place, "header"))
    for message in _misfits(shape):
        context.report(place, "wrong-form", message)
    with context.collecting() as reads:
        json = _answer(context, shape, place)
        signs = any(use[0] == "signature" for use in reads.names)
        reads.forget("signature", "value")
    if signs and (scheme != "hmac" or "value" not in shape):
        context.report((*place, "json"), "wrong-form", "`signature` is an HMAC of the `value`, in a block with `hmac`")
    located = {
        name: compile_location(context, inner, (*place, name))
        for name in ("token", "value")
        if name in shape and (inner := context.check("token", shape[name], (*place, name))) is not None
    }
    return ChallengePlan(
        method=shape.get("method", ""),
        query=shape.get("query", {}),
        when=compile_path(context, shape["when"], (*place, "when")) if "when" in shape else None,
        unproved=shape.get("unproved", False),
        token=located.get("token"),
        keys=compile_keys(context, shape.get("keys", ()), (*place, "keys")),
        value=located.get("value"),
        header=shape.get("header", ""),
        json=json,
        signs=signs,
        encoding=shape["as"],
        origin=context.origin(place),
    )


def _answer(context: Context, shape: Mapping[str, Json], place: Place) -> Build | None:
    if "json" not in shape:
        return None
    names = {"signature", "value"} if "value" in shape else {"signature"}
    return compile_tree(context, shape["json"], (*place, "json"), names)


def _misfits(shape: Mapping[str, Json]) -> Iterator[str]:
    """What of a challenge contradicts itself."""
    if not shape.keys() & {"method", "query", "when", "value"}:
        yield "a challenge is known by at least one of method, query, when and value"
    if ("token" in shape) != ("keys" in shape):
        yield "`token` and `keys` go together: where it is, and what it may be"
    if "token" in shape and not shape.get("unproved"):
        yield "a `token` is for a challenge that is not signed: say `unproved: true`"
    if "header" in shape and ("value" not in shape or "json" in shape):
        yield "`header` answers the `value`, without a body"
