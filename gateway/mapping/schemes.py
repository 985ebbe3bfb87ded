"""How a provider is told who we are, compiled: static parts, HTTP Basic, or a session. Nothing here sends anything."""

from __future__ import annotations

from collections.abc import Callable

from gateway.document import Place
from gateway.mapping.calls import Http, compile_call, compile_condition, seconds
from gateway.mapping.context import BASE, SENDING, Context
from gateway.mapping.header_names import check_headers
from gateway.mapping.nodes.trees import Tree
from gateway.mapping.plan import AuthPlan, Condition
from gateway.mapping.trees import compile_object, compile_text
from gateway.values.messages import Json


def compile_auth(context: Context, node: Json, place: Place, http: Http) -> AuthPlan:
    """Compile `auth:`; `none` is written out, so that a forgotten scheme is a finding."""
    origin = context.origin(place)
    if isinstance(node, str):
        if node != "none":
            context.report(place, "not-allowed", "`auth` is `none` or an object with one scheme")
        return AuthPlan("none", origin=origin)
    shape = context.check("auth", node, place)
    if shape is None:
        return AuthPlan("none", origin=origin)
    if not shape:
        context.report(place, "missing-key", "write `none` for a provider that asks for nothing")
    if "session" in shape:
        if len(shape) > 1:
            context.report(place, "two-schemes", "a session stands alone: what it sends goes under `send:`")
        return _compile_session(context, shape["session"], (*place, "session"), http)

    tree = _trees(context, shape, place, BASE | SENDING)
    check_headers(context, shape.get("headers"), (*place, "headers"))
    return AuthPlan(
        "static",
        headers=tree("headers"),
        query=tree("query"),
        form=tree("form"),
        basic=_compile_basic(context, shape["basic"], (*place, "basic")) if "basic" in shape else None,
        origin=origin,
    )


def check_forms(context: Context, node: Json, place: Place, scheme: str) -> None:
    """Report form fields of a scheme that none of its calls sends, and calls that go without any proof."""
    bodies = context.bodies.get(scheme, set())
    if not isinstance(node, dict) or "form" not in node or (scheme and not bodies):
        return
    if "form" not in bodies:
        message = "no call with this scheme sends a form, so these fields are never sent: use `headers:` or `query:`"
        context.report((*place, "form"), "credential-not-sent", message)
    elif bodies != {"form"} and len(node) == 1:
        message = "a call with this scheme that sends no form goes without it: give it another scheme, or `headers:`"
        context.report((*place, "form"), "credential-left-out", message)


def _trees(
    context: Context, shape: dict[str, Json], place: Place, names: frozenset[str]
) -> Callable[[str], Tree | None]:
    def tree(key: str) -> Tree | None:
        return compile_object(context, shape[key], (*place, key), names, secrets=True) if key in shape else None

    return tree


def _compile_basic(context: Context, node: Json, place: Place) -> tuple[Tree, Tree] | None:
    shape = context.check("basic", node, place)
    if shape is None:
        return None
    user, password = (
        compile_text(context, shape[key], (*place, key), BASE | SENDING, secrets=True) for key in ("user", "password")
    )
    return user, password


def _compile_session(context: Context, node: Json, place: Place, http: Http) -> AuthPlan:
    origin = context.origin(place)
    shape = context.check("session", node, place)
    send = context.check("send", shape["send"], (*place, "send")) if shape else None
    if shape is None or send is None:
        return AuthPlan("none", origin=origin)
    if not send:
        context.report((*place, "send"), "missing-key", "say under `headers:` or `query:` where the token goes")
    if "auth" in shape["login"]:
        message = "a login is sent without a scheme: write what proves who we are into its headers, query or body"
        context.report((*place, "login", "auth"), "credential-not-sent", message)
    tree = _trees(context, send, (*place, "send"), BASE | SENDING | {"token"})
    check_headers(context, send.get("headers"), (*place, "send", "headers"))
    conditions: list[Condition] = []
    for index, rule in enumerate(shape["renew_when"]):
        where = (*place, "renew_when", index)
        checked = context.check("condition", rule, where)
        if checked is not None:
            conditions.append(compile_condition(context, checked, where))
    return AuthPlan(
        "session",
        headers=tree("headers"),
        query=tree("query"),
        login=compile_call(context, shape["login"], (*place, "login"), BASE | {"serial"}, http, secrets=True),
        token=context.path(shape["token"], (*place, "token")),
        expires=seconds(shape["expires"]) if "expires" in shape else None,
        renew_when=tuple(conditions),
        origin=origin,
    )
