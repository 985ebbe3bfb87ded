"""Which web pages may read our answers in a browser: the Fetch standard's CORS protocol, for origins that are listed.

Cookies play no part here, so credentials are never allowed; a page sends its key itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

EXPOSED = (
    "X-Request-Id",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Age",
    "ETag",
    "Location",
    "Link",
    "Idempotent-Replayed",
    "Gateway-Support",
    "Gateway-Trace-Id",
    "Preference-Applied",
)
"""Headers of answers that scripts may read."""
SENT = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Gateway-Admin",
    "Gateway-Trace",
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
    "X-Request-Id",
)
"""Headers that scripts may send."""
_REMEMBER = 600
"""Seconds a browser may go without asking again."""


class Cors:
    """The origins that are allowed, and the headers that say so."""

    __slots__ = ("_origins",)

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origins)

    def headers(self, request: web.BaseRequest) -> dict[str, str]:
        """Give the headers of an answer to a page; without origins there is nothing to say."""
        if not self._origins:
            return {}
        vary = {"Vary": "Origin"}
        origin = request.headers.get("Origin")
        if origin is None or origin not in self._origins:
            return vary
        return {
            **vary,
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": ", ".join(EXPOSED),
        }

    def preflight(self, request: web.Request, methods: Iterable[str]) -> dict[str, str]:
        """Give what is said before a page may send its request; nothing to other origins and to plain OPTIONS."""
        asked = request.headers.get("Access-Control-Request-Method")
        if asked is None or request.headers.get("Origin") not in self._origins:
            return {}
        return {
            "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
            "Access-Control-Allow-Headers": ", ".join(SENT),
            "Access-Control-Max-Age": str(_REMEMBER),
        }
