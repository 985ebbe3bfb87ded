"""One request of a caller as the log and the error body know it. Nothing here decides anything."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from gateway.config import Caller


@dataclass(slots=True)
class Visit:
    """What is known of a request so far. `started` is a reading of the event loop's clock, in seconds."""

    request_id: str
    started: float
    caller: Caller | None = None
    connection: str = ""
    """Only a name that exists: what a caller writes into a path is not for the log."""
    operation: str = ""
    code: str | None = None
    """The error code it was answered with."""


VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)
"""Where a request carries its Visit, from the boundary on."""
