"""Who calls, and what they may: keys compared in constant time, scopes, and the connections of each caller.

Each kind of key has doors of its own, which the operations declare as their access: a caller's key opens what is
callers', the admin token what is the operator's, and neither the other's.
Nothing here says whether a connection exists: an unknown name is told to everybody with a valid key.
"""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from gateway.config import ADMIN, Caller, Settings
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.values.errors import CallerRefused

BESIDE = "Gateway-Admin"
"""The header of a request on `/v1` in which the admin token stands beside the caller's key: `Bearer TOKEN`."""
_NO_CALLER = (
    "This is the admin token: it opens `/admin` and is no caller's key. Send the key of one of the `callers` of the"
    f" gateway's configuration here; for a trace the admin token stands beside it, as `{BESIDE}: Bearer TOKEN`."
)


class Callers:
    """The callers of the configuration and the operator, found by their keys.

    Keeps digests: comparing all takes equally long. The operator is named `admin`, and may do nothing that callers do.
    """

    __slots__ = ("_known",)

    def __init__(self, settings: Settings) -> None:
        holders = [*settings.callers.values()]
        if settings.admin_token is not None:
            holders.append(Caller(ADMIN, settings.admin_token, frozenset({ADMIN}), None))
        self._known = [(_digest(holder.key.reveal()), holder) for holder in holders]

    def identify(self, request: web.Request, what: str = "your API key") -> Caller:
        """Give whose key stands in `Authorization: Bearer KEY` (RFC 6750 §2.1), the operator among them.

        Raises CallerRefused, which says `what` is to be sent where nothing was.
        """
        key = _bearer(request, "Authorization")
        if key is None:
            raise CallerRefused(f"Send {what} as `Authorization: Bearer KEY`.")
        found = self._holder(key)
        if found is None:
            raise CallerRefused("")
        return found

    def vouched(self, request: web.Request) -> bool:
        """Tell whether the admin token stands beside the caller's key."""
        token = _bearer(request, BESIDE)
        found = self._holder(token) if token is not None else None
        return found is not None and ADMIN in found.may

    def _holder(self, key: str) -> Caller | None:
        offered, found = _digest(key), None
        for digest, holder in self._known:  # all of them, whichever fits: the time tells nothing
            if hmac.compare_digest(offered, digest):
                found = holder
        return found


def caller_of(request: web.Request) -> Caller:
    """Give the caller that a request was let in for; raises CallerRefused where nobody asked for a key."""
    caller = request[REQUEST_CONTEXT].caller
    if caller is None:
        raise CallerRefused("")
    return caller


def may(request: web.Request, *scopes: str) -> None:
    """Let the caller `read`, `write` or both; raises CallerRefused (FORBIDDEN)."""
    for scope in scopes:
        if scope not in caller_of(request).may:
            raise CallerRefused(f"This key may not {scope}.", code="FORBIDDEN", details={"needs": scope})


def callers_only(request: web.Request) -> None:
    """Let nobody pass but callers; raises CallerRefused (UNAUTHORIZED), which tells whose key belongs here.

    It is not FORBIDDEN: nothing that the operator might do would let this token in.
    """
    if ADMIN in caller_of(request).may:
        raise CallerRefused(_NO_CALLER)


def admin_only(request: web.Request) -> None:
    """Let nobody pass but the operator; raises CallerRefused (FORBIDDEN), which names the token that is needed."""
    if ADMIN not in caller_of(request).may:
        raise needs_admin("This path is the operator's: send, instead of a caller's key, the token")


def needs_admin(told: str) -> CallerRefused:
    """Make the refusal (FORBIDDEN) of what needs the admin token; `told` is a sentence up to where it is found."""
    detail = f"{told} that the gateway's configuration has under `admin.token`."
    return CallerRefused(detail, code="FORBIDDEN", details={"needs": ADMIN})


def may_use(request: web.Request, connection: str) -> None:
    """Let the caller use a connection; raises CallerRefused (FORBIDDEN)."""
    allowed = caller_of(request).connections
    if allowed is not None and connection not in allowed:
        raise CallerRefused(f"This key may not use the connection `{connection}`.", code="FORBIDDEN")


def _bearer(request: web.Request, name: str) -> str | None:
    """Give the key of a header `NAME: Bearer KEY`; None where there is none, more than one, or another scheme."""
    if name not in request.headers:
        return None
    fields = request.headers.getall(name)
    scheme, _, key = fields[0].partition(" ") if len(fields) == 1 else ("", "", "")
    return (key.strip() or None) if scheme.lower() == "bearer" else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
