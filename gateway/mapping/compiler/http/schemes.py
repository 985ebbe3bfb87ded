"""How a provider is told who we are, compiled: static parts, HTTP Basic, or a session (`sessions.py`, `oauth.py`)."""

from __future__ import annotations

from collections.abc import Callable

from gateway.documents.yaml import Place
from gateway.mapping.checks.header_names import check_headers
from gateway.mapping.compiler.context import BASE, SENDING, Context
from gateway.mapping.compiler.http.calls import Http
from gateway.mapping.compiler.http.oauth import compile_oauth
from gateway.mapping.compiler.http.sessions import compile_session
from gateway.mapping.compiler.trees import compile_object, compile_text
from gateway.mapping.language.auth import Auth, Basic
from gateway.mapping.nodes.provider import AuthPlan, NoAuth, StaticAuth
from gateway.mapping.nodes.trees import Tree
from gateway.values.messages import Json


def compile_auth(context: Context, node: Json, place: Place, http: Http) -> AuthPlan:
    """Compile `auth:`; `none` is written out, so that a forgotten scheme is a finding."""
    origin = context.origin(place)
    if isinstance(node, str):
        if node != "none":
            context.report(place, "not-allowed", "`auth` is `none` or an object with one scheme")
        return NoAuth()
    auth = node
    if not auth.sound:
        return NoAuth()
    if not auth.given:
        context.report(place, "missing-key", "write `none` for a provider that asks for nothing")
    if (auth.session is not None or auth.oauth2 is not None) and len(auth.given) > 1:
        context.report(place, "two-schemes", "a session stands alone: what it sends goes under `send:`")
    if auth.session is not None:
        return compile_session(context, auth.session, http)
    if auth.oauth2 is not None:
        return compile_oauth(context, auth.oauth2, http)
    tree = _trees(context, place, BASE | SENDING)
    check_headers(context, auth.headers, (*place, "headers"))
    return StaticAuth(
        headers=tree("headers", auth.headers),
        query=tree("query", auth.query),
        form=tree("form", auth.form),
        basic=_compile_basic(context, auth.basic) if auth.basic is not None and auth.basic.sound else None,
        origin=origin,
    )


def check_forms(context: Context, node: Auth, scheme: str) -> None:
    """Report form fields of a scheme that none of its calls sends, and calls that go without any proof."""
    bodies = context.bodies.get(scheme, set())
    if "form" not in node or (scheme and not bodies):
        return
    if "form" not in bodies:
        message = "no call with this scheme sends a form, so these fields are never sent: use `headers:` or `query:`"
        context.report((*node.place, "form"), "credential-not-sent", message)
    elif bodies != {"form"} and len(node.given) == 1:
        message = "a call with this scheme that sends no form goes without it: give it another scheme, or `headers:`"
        context.report((*node.place, "form"), "credential-left-out", message)


def _trees(context: Context, place: Place, names: frozenset[str]) -> Callable[[str, Json], Tree | None]:
    def tree(key: str, node: Json) -> Tree | None:
        return compile_object(context, node, (*place, key), names, secrets=True) if node is not None else None

    return tree


def _compile_basic(context: Context, node: Basic) -> tuple[Tree, Tree]:
    user, password = (
        compile_text(context, text, (*node.place, key), BASE | SENDING, secrets=True)
        for key, text in (("user", node.user), ("password", node.password))
    )
    return user, password
