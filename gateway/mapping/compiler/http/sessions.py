"""Sessions, compiled: a login that gives a token, when that is renewed, and where it goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.header_names import check_name
from gateway.mapping.compiler.context import BASE, SENDING, Context
from gateway.mapping.compiler.http.calls import Http, compile_call, compile_when, seconds
from gateway.mapping.compiler.http.credentials import compile_parts
from gateway.mapping.expressions import Path, Template
from gateway.mapping.language.auth import Expires, Refresh, Send, Session, Token
from gateway.mapping.language.errors import Condition as ConditionPart
from gateway.mapping.nodes.calls import CallPlan, Condition
from gateway.mapping.nodes.provider import AuthPlan, ChallengeAuth, NoAuth, SessionAuth, StaticAuth
from gateway.mapping.nodes.sessions import After, AsTold, Expiry, FromCookie, FromHeader, Refreshing, TokenSource
from gateway.mapping.nodes.walk import nodes_in

NEVER = "never"
"""What `renew_when:` says of a provider that never refuses a token."""


def compile_session(context: Context, node: Session, http: Http) -> AuthPlan:
    """Compile `session:`; with findings, what is returned stands for no scheme and its plan is thrown away."""
    place, origin = node.place, context.origin(node.place)
    if not node.sound or not node.send.sound:
        return NoAuth()
    if node.login is None:
        return _compile_challenge(context, node, http)
    if "auth" in node.login:
        message = "a login is sent without a scheme: write what proves who we are into its headers, query or body"
        context.report((*node.login.place, "auth"), "credential-not-sent", message)
    sends = compile_send(context, node.send, http)
    call = compile_call(context, node.login, BASE | {"serial"}, http, secrets=True)
    token = _token(context, node.token, (*place, "token"))
    expiry = _expiry(context, node.expires, (*place, "expires"))
    refresh = _refresh(context, node.refresh, http) if node.refresh is not None else None
    renew_when = compile_renewal(context, node.renew_when, (*place, "renew_when"))
    if call is None or token is None:
        return NoAuth()
    if not isinstance(token, Path) and node.login.answer is None and not isinstance(expiry, AsTold) and not refresh:
        call = replace(call, answer="text")  # nothing of its body is read, and it may have none
    calls = (call, *((refresh.call,) if refresh is not None else ()))
    return SessionAuth(
        login=call,
        token=token,
        expiry=expiry,
        renew_when=renew_when,
        sends=sends,
        shared_by=compile_sharing(context, node.share_by, (*place, "share_by"), calls),
        origin=origin,
        refresh=refresh,
    )


def compile_send(context: Context, node: Send, http: Http) -> StaticAuth:
    """Compile where the token of a session goes."""
    if not node.given:
        context.report(node.place, "missing-key", "say under `headers:` or `query:` where the token goes")
    return compile_parts(context, node, BASE | SENDING | {"token"}, http, None)


def _compile_challenge(context: Context, node: Session, http: Http) -> AuthPlan:
    """Compile a session that the first refusal begins."""
    for key in sorted(node.given & {"expires", "refresh", "share_by"}):
        context.report((*node.place, key), "unknown-key", f"`{key}` is of a session with a `login`", key=True)
    token = _token(context, node.token, (*node.place, "token"))
    if isinstance(token, Path):
        message = "without a `login` the token comes with a refusal: name the `header` or `cookie` that holds it"
        context.report((*node.place, "token"), "wrong-form", message)
    renew_when = compile_renewal(context, node.renew_when, (*node.place, "renew_when"))
    if not renew_when:
        context.report((*node.place, "renew_when"), "wrong-form", "without a `login` say by what a refusal is known")
    sends = compile_send(context, node.send, http)
    if token is None or isinstance(token, Path):
        return NoAuth()
    return ChallengeAuth(token, renew_when, sends, context.origin(node.place))


def compile_renewal(context: Context, node: list[ConditionPart] | str, place: Place) -> tuple[Condition, ...]:
    """Compile `renew_when:`, conditions or the word that there are none."""
    if isinstance(node, str):
        if node != NEVER:
            context.report(place, "not-allowed", "`renew_when` is a list of conditions, or `never`")
        return ()
    return tuple(compile_when(context, one, BASE) for one in node if one.sound)


def compile_sharing(
    context: Context, written: list[str] | None, place: Place, calls: Iterable[object]
) -> tuple[str, ...]:
    """Name the settings by which sessions are told apart: those that are written, or all that these nodes read."""
    if written is None:
        return settings_read(calls, context.settings)
    names = [one.removeprefix("settings.") for one in written]
    for index, name in enumerate(names):
        if name not in context.settings:
            hint = suggestion(name, context.settings)
            context.report((*place, index), "unknown-setting", f"`settings.{name}` is not declared{hint}")
    return tuple(sorted(set(names)))


def settings_read(roots: Iterable[object], all_: Iterable[str]) -> tuple[str, ...]:
    """Name the settings that templates of these nodes read, in the order of the alphabet."""
    uses = [use for node in nodes_in(tuple(roots)) if isinstance(node, Template) for use in node.uses]
    read = [use for use in uses if use[0] == "settings"]
    return tuple(sorted(set(all_) if any(len(use) == 1 for use in read) else {use[1] for use in read}))


def _token(context: Context, node: str | Token, place: Place) -> TokenSource | None:
    if not isinstance(node, Token):
        return context.path(node, place)
    if not node.sound:
        return None
    if node.header is None:
        return FromCookie(node.cookie or "")
    check_name(context, node.header, (*place, "header"))
    return FromHeader(node.header.lower())


def _expiry(context: Context, node: str | Expires | None, place: Place) -> Expiry | None:
    if node is None:
        return None
    if not isinstance(node, Expires):
        return After(seconds(node))
    path = context.path(node.at, (*place, "at")) if node.sound else None
    return AsTold(path, node.unit, seconds(node.margin)) if path is not None else None


def _refresh(context: Context, node: Refresh, http: Http) -> Refreshing | None:
    if not node.sound:
        return None
    call: CallPlan | None = compile_call(context, node.call, BASE | {"serial", "refresh_token"}, http, secrets=True)
    token = context.path(node.token, (*node.place, "token"))
    return Refreshing(call, token) if call is not None and token is not None else None
