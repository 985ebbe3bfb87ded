"""What `gateway explain` says of a session."""

from __future__ import annotations

from gateway.mapping.expressions import Path
from gateway.mapping.nodes.provider import AuthPlan, ChallengeAuth, SessionAuth, StaticAuth
from gateway.mapping.nodes.sessions import Agreed, FromCookie, FromHeader, Given


def told_session(auth: AuthPlan) -> str:
    """Say how a session begins, is renewed and ends, and who shares it, behind its name; nothing of another scheme."""
    if isinstance(auth, ChallengeAuth):
        return f", begun by a refusal, token in the {_place(auth.token)}{_beside(auth.beside)}"
    if not isinstance(auth, SessionAuth):
        return ""
    match auth.begins:
        case Agreed(page=page):
            began = f", begun by a person at {page.text.removeprefix('GET ')}, tokens by {auth.login.text}"
        case Given():
            began = f", begun with the refresh token of a setting, tokens by {auth.login.text}"
        case _:
            began = f", login by {auth.login.text}"
    renewed = auth.refresh is not None and auth.refresh.call is not auth.login
    by = f", renewed by {auth.refresh.call.text}" if auth.refresh is not None and renewed else ""
    shared = f", one for all with the same {', '.join(auth.shared_by)}" if auth.shared_by else ""
    where = f", token in the {_place(auth.token)}" if not isinstance(auth.token, Path) else ""
    return f"{began}{by}{shared}{where}{_beside(auth.beside)}"


def _place(token: FromHeader | FromCookie) -> str:
    return f"cookie {token.name}" if isinstance(token, FromCookie) else f"header {token.name}"


def _beside(beside: StaticAuth | None) -> str:
    return ", with what is sent beside it" if beside is not None else ""
