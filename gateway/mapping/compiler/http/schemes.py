"""How a provider is told who we are, compiled: parts of requests, a session (`sessions.py`, `oauth.py`), or both."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.documents.yaml import Place
from gateway.mapping.compiler.context import BASE, SENDING, Context
from gateway.mapping.compiler.http.calls import Http
from gateway.mapping.compiler.http.credentials import BODIES, compile_parts
from gateway.mapping.compiler.http.oauth import compile_oauth
from gateway.mapping.compiler.http.sessions import compile_session
from gateway.mapping.compiler.trees import compile_text
from gateway.mapping.language.auth import Auth, Basic, Send
from gateway.mapping.nodes.provider import AuthPlan, ChallengeAuth, NoAuth, SessionAuth
from gateway.mapping.nodes.trees import Tree
from gateway.values.messages import Json

_CALLED: Final = {"form": "a form", "json": "JSON", "params": "JSON-RPC", "xml": "XML"}


def compile_auth(context: Context, node: Json, place: Place, http: Http) -> AuthPlan:
    """Compile `auth:`; `none` is written out, so that a forgotten scheme is a finding."""
    if isinstance(node, str):
        if node != "none":
            context.report(place, "not-allowed", "`auth` is `none` or an object with one scheme")
        return NoAuth()
    auth: Auth = node
    if not auth.sound:
        return NoAuth()
    if not auth.given:
        context.report(place, "missing-key", "write `none` for a provider that asks for nothing")
    static = compile_parts(context, auth, BASE | SENDING, http, _compile_basic(context, auth.basic))
    _check_once(context, auth)
    if auth.session is not None and auth.oauth2 is not None:
        context.report(place, "two-schemes", "`session:` or `oauth2:`, not both: calls carry one token")
    if auth.session is not None:
        session = compile_session(context, auth.session, http)
    elif auth.oauth2 is not None:
        session = compile_oauth(context, auth.oauth2, http)
    else:
        return static
    beside = static if auth.given - {"session", "oauth2"} else None
    return replace(session, beside=beside) if isinstance(session, SessionAuth | ChallengeAuth) else session


def _check_once(context: Context, node: Auth) -> None:
    """Report what a scheme says twice: one header, query parameter or cookie of which only one can go out."""
    send = _send_of(node)
    told = {"authorization": "`basic:`"} if node.basic is not None else {}
    if node.oauth2 is not None and "send" not in node.oauth2 and node.basic is not None:
        _report_twice(context, (*node.place, "basic"), "Authorization", "`oauth2:`")
    for key in ("headers", "cookies", "query"):
        names = {name.lower() if key == "headers" else name for name in node[key] or {}}
        before = (told if key == "headers" else {}) | dict.fromkeys(names, f"`{key}:`")
        if key == "headers" and "authorization" in names and node.basic is not None:
            _report_twice(context, (*node.place, key), "Authorization", "`basic:`")
        if send is None:
            continue
        for name in send[key] or {}:
            if (folded := name.lower() if key == "headers" else name) in before:
                _report_twice(context, (*send.place, key, name), name, before[folded])


def _report_twice(context: Context, place: Place, name: str, where: str) -> None:
    context.report(place, "two-schemes", f"`{name}` is sent by {where} already, and only one goes out", key=True)


def _send_of(node: Auth) -> Send | None:
    """Give where the token of a session goes, as far as that is written and sound."""
    session = node.session if node.session is not None else node.oauth2
    send = session.send if session is not None and session.sound else None
    return send if send is not None and send.sound else None


def check_forms(context: Context, node: Auth, scheme: str) -> None:
    """Report parts of bodies of a scheme that none of its calls sends, and calls that go without any proof."""
    bodies = context.bodies.get(scheme, set())
    if scheme and not bodies:
        return
    for part in (node, _send_of(node)):
        if part is None:
            continue
        kinds = {BODIES[key] for key in part.given if key in BODIES}
        for key in sorted(part.given & BODIES.keys()):
            if BODIES[key] not in bodies:
                message = (
                    f"no call with this scheme sends {_CALLED[key]}, so these fields are never sent: use `headers:` "
                    "or `query:`"
                )
                context.report((*part.place, key), "credential-not-sent", message)
            elif not bodies <= kinds and part.given <= BODIES.keys():
                message = (
                    f"a call with this scheme that sends no {_CALLED[key].removeprefix('a ')} goes without it: give "
                    "it another scheme, or `headers:`"
                )
                context.report((*part.place, key), "credential-left-out", message)


def _compile_basic(context: Context, node: Basic | None) -> tuple[Tree, Tree] | None:
    if node is None or not node.sound:
        return None
    user, password = (
        compile_text(context, text, (*node.place, key), BASE | SENDING, secrets=True)
        for key, text in (("user", node.user), ("password", node.password))
    )
    return user, password
