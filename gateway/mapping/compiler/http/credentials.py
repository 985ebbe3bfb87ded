"""Where credentials go, compiled: the parts of a scheme, and of what a session sends."""

from __future__ import annotations

from typing import Final

from gateway.mapping.checks.header_names import check_headers
from gateway.mapping.compiler.context import Context
from gateway.mapping.compiler.http.bodies import check_names
from gateway.mapping.compiler.http.calls import Http
from gateway.mapping.compiler.trees import compile_object
from gateway.mapping.language.auth import Auth, Send
from gateway.mapping.nodes.provider import StaticAuth
from gateway.mapping.nodes.trees import Tree

BODIES: Final = {"form": "form", "json": "json", "params": "jsonrpc", "xml": "xml"}
"""Key of a scheme → the kind of body that it goes into."""


def compile_parts(
    context: Context, node: Auth | Send, names: frozenset[str], http: Http, basic: tuple[Tree, Tree] | None
) -> StaticAuth:
    """Compile what goes into requests, wherever it goes."""
    check_headers(context, node.headers, (*node.place, "headers"))
    _check_params(context, node)
    if node.xml is not None:
        check_names(context, node.xml, (*node.place, "xml"), http.reading)

    def tree(key: str) -> Tree | None:
        written = node[key]
        if written is None:
            return None
        return compile_object(context, written, (*node.place, key), names, secrets=True)

    return StaticAuth(
        context.origin(node.place),
        tree("headers"),
        tree("query"),
        tree("form"),
        basic,
        cookies=tree("cookies"),
        json=tree("json"),
        params=tree("params"),
        xml=tree("xml"),
        namespaces=http.reading.xml.namespaces,
    )


def _check_params(context: Context, node: Auth | Send) -> None:
    names = [name for name in node.params or {} if not name.startswith("$")]
    if len({name.isdigit() for name in names}) > 1:
        message = "params are given by position or by name: some of these are numbers and some are not"
        context.report((*node.place, "params"), "wrong-form", message)
