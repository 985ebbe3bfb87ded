"""One request of a caller as the log and the error body know it. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from gateway.config import Caller
from gateway.engine.tracing import Trace


@dataclass(frozen=True, slots=True)
class Traceable:
    """The trace that the operator asked for: its id, when the request came (UTC), and what the engine fills."""

    id: str
    at: datetime
    trace: Trace = field(default_factory=Trace)


@dataclass(slots=True)
class RequestContext:
    """What is known of a request so far. `started` is a reading of the event loop's clock, in seconds."""

    request_id: str
    started: float
    caller: Caller | None = None
    connection: str = ""
    """Only a name that exists: what a caller writes into a path is not for the log."""
    operation: str = ""
    code: str | None = None
    """The error code it was answered with."""
    traced: Traceable | None = None
    path_parts: Mapping[str, str] | None = None
    """The values that stand in its path, once they were asked for."""


REQUEST_CONTEXT: web.RequestKey[RequestContext] = web.RequestKey("visit", RequestContext)
"""Where a request carries its Visit, from the boundary on."""
