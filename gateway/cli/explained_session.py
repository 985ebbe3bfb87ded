"""What `gateway explain` says of a session."""

from __future__ import annotations

from gateway.mapping.nodes.provider import SessionAuth
from gateway.mapping.nodes.sessions import Agreed, Given


def told_session(auth: SessionAuth) -> str:
    """Say how a session begins, is renewed and ends, and who shares it, behind its name."""
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
    return f"{began}{by}{shared}"
