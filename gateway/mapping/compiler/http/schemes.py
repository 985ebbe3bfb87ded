"""How a provider is told who we are, compiled: static parts, HTTP Basic, or a session. Nothing here sends anything."""

from __future__ import annotations

from collections.abc import Callable

from gateway.documents.yaml import Place
from gateway.mapping.checks.header_names import check_headers
from gateway.mapping.compiler.context import BASE, SENDING, Context
from gateway.mapping.compiler.http.calls import Http, compile_call, compile_when, seconds
from gateway.mapping.compiler.trees import compile_object, compile_text
from gateway.mapping.language.auth import Auth, Basic, Session
from gateway.mapping.nodes.provider import AuthPlan, NoAuth, SessionAuth, StaticAuth
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
    if auth.session is not None:
        if len(auth.given) > 1:
            context.report(place, "two-schemes", "a session stands alone: what it sends goes under `send:`")
        return _compile_session(context, auth.session, http)
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


def _compile_session(context: Context, node: Session, http: Http) -> AuthPlan:
    place, origin = node.place, context.origin(node.place)
    if not node.sound or not node.send.sound:
        return NoAuth()
    send, login = node.send, node.login
    if not send.given:
        context.report(send.place, "missing-key", "say under `headers:` or `query:` where the token goes")
    if "auth" in login:
        message = "a login is sent without a scheme: write what proves who we are into its headers, query or body"
        context.report((*login.place, "auth"), "credential-not-sent", message)
    tree = _trees(context, send.place, BASE | SENDING | {"token"})
    check_headers(context, send.headers, (*send.place, "headers"))
    sends = StaticAuth(origin, tree("headers", send.headers), tree("query", send.query))
    call = compile_call(context, login, BASE | {"serial"}, http, secrets=True)
    token = context.path(node.token, (*place, "token"))
    renew_when = tuple(compile_when(context, one, BASE) for one in node.renew_when if one.sound)
    if call is None or token is None:
        return NoAuth()
    return SessionAuth(
        login=call,
        token=token,
        expires=seconds(node.expires) if node.expires is not None else None,
        renew_when=renew_when,
        sends=sends,
        origin=origin,
    )
