"""What the sender of a message is answered, compiled. Nothing here reads a message."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.compiler.context import BASE, Context
from gateway.mapping.compiler.trees import Names, compile_tree
from gateway.mapping.language.hooks import Reply
from gateway.mapping.nodes.hooks import DEFAULT, ReplyPlan
from gateway.mapping.nodes.trees import Constant


def compile_replies(context: Context, nodes: Mapping[str, Reply], place: Place) -> dict[str, ReplyPlan]:
    """Compile `replies`: what is answered to errors, each by its code, or by `default`."""
    replies = {}
    for code, node in nodes.items():
        where = (*place, code)
        if code not in context.model.errors and code != DEFAULT:
            hint = suggestion(code, [*context.model.errors, DEFAULT])
            message = f"`{code}` is not an error code of the contract{hint}"
            context.report(where, "unknown-error-code", message, key=True)
        reply = compile_reply(context, node, BASE)
        if reply is not None:
            replies[code] = reply
    return replies


def compile_reply(context: Context, node: Reply, names: Names) -> ReplyPlan | None:
    """Compile one answer to a message, whose JSON may use these names."""
    if not node.sound:
        return None
    origin = context.origin(node.place)
    if node.text is not None:
        return ReplyPlan(node.status, "text", Constant(node.text), origin)
    kind = "json" if "json" in node else "none"
    body = compile_tree(context, node.json, (*node.place, "json"), names) if kind == "json" else None
    return ReplyPlan(node.status, kind, body, origin)
