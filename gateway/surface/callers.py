"""Who calls, and what they may: keys compared in constant time, scopes, and the connections of each caller.

Nothing here says whether a connection exists: an unknown name is told to everybody with a valid key.
"""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from gateway.config import ADMIN, Caller, Settings
from gateway.surface.visit import VISIT
from gateway.values.errors import CallerRefused


class Callers:
    """The callers of the configuration and the operator, found by their keys.

    Keeps digests: comparing all takes equally long. The operator is a caller named `admin` who may do everything.
    """

    __slots__ = ("_known",)

    def __init__(self, settings: Settings) -> None:
        callers = [*settings.callers.values()]
        if settings.admin_token is not None:
            callers.append(Caller(ADMIN, settings.admin_token, frozenset({"read", "write", ADMIN}), None))
        self._known = [(_digest(caller.key.reveal()), caller) for caller in callers]

    def identify(self, request: web.Request) -> Caller:
        """Give the caller whose key stands in `Authorization: Bearer KEY` (RFC 6750 §2.1); raises CallerRefused."""
        fields = request.headers.getall("Authorization", [])
        scheme, _, key = fields[0].partition(" ") if len(fields) == 1 else ("", "", "")
        if scheme.lower() != "bearer" or not key.strip():
            raise CallerRefused("Send your API key as `Authorization: Bearer KEY`.")
        offered = _digest(key.strip())
        found = None
        for digest, caller in self._known:  # all of them, whichever fits: the time tells nothing
            if hmac.compare_digest(offered, digest):
                found = caller
        if found is None:
            raise CallerRefused("")
        return found


def caller_of(request: web.Request) -> Caller:
    """Give the caller that a request was let in for; raises CallerRefused where nobody asked for a key."""
    caller = request[VISIT].caller
    if caller is None:
        raise CallerRefused("")
    return caller


def may(request: web.Request, scope: str) -> None:
    """Let the caller `read` or `write`; raises CallerRefused (FORBIDDEN)."""
    if scope not in caller_of(request).may:
        raise CallerRefused(f"This key may not {scope}.", code="FORBIDDEN", details={"needs": scope})


def admin_only(request: web.Request, what: str = "This path is the operator's") -> None:
    """Let nobody pass but the operator; raises CallerRefused (FORBIDDEN), which says `what` needs the token."""
    if ADMIN not in caller_of(request).may:
        told = f"{what}: send the token that the gateway's configuration has under `admin.token`."
        raise CallerRefused(told, code="FORBIDDEN", details={"needs": ADMIN})


def may_use(request: web.Request, connection: str) -> None:
    """Let the caller use a connection; raises CallerRefused (FORBIDDEN)."""
    allowed = caller_of(request).connections
    if allowed is not None and connection not in allowed:
        raise CallerRefused(f"This key may not use the connection `{connection}`.", code="FORBIDDEN")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
