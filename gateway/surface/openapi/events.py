"""The OpenAPI of what listens to events: changes, stream and calendar feeds. Pure; derived from their operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gateway.model.model import Model, Operation
from gateway.surface.calendar import calendars, feeds
from gateway.surface.events import changes, stream
from gateway.surface.idempotency import outcomes
from gateway.surface.openapi.components import KEY_PARAMETER, ref
from gateway.surface.openapi.error_codes import ANY, WITHOUT_PROVIDER
from gateway.values.errors import CallInvalid, NotMapped, StoreUnavailable, TooManyCalls
from gateway.values.messages import Json

_CODES = WITHOUT_PROVIDER | {StoreUnavailable.CODE}
_UNSAID = ("Gateway-Support", "Age", "Idempotent-Replayed", "Location")
"""Headers that answers of providers have, and these have not."""


class Paths(Protocol):
    """The paths told so far, by their place and method."""

    told: dict[str, Json]

    def add(self, path: str, operation: Operation, codes: Iterable[str]) -> None:
        """Tell of an operation of the contract."""


def add_listeners(paths: Paths, model: Model, base: str, more: Iterable[str] = ()) -> None:
    """Tell of every way to hear of events below `base`; `more` are codes that its place adds."""
    codes = _CODES | set(more)
    for operation in (changes.listing(model), feeds.listing(model), feeds.creating(model), feeds.revoking(model)):
        own = {operation.not_found} if operation.not_found else set()
        _add(paths, base, operation, codes | own)
    told = _add(paths, base, outcomes.asking(model), ANY | codes | {NotMapped.CODE})
    told["responses"]["200"]["headers"]["Retry-After"] = ref("headers", "Retry-After")
    told = _add(paths, base, stream.streaming(model), codes | {TooManyCalls.CODE})
    told["parameters"].append(_LAST_SEEN)
    told["responses"]["200"] |= {
        "description": (
            "Events until the client leaves: `id` is where to go on, `event` the type, `data` the body as webhooks have"
            " it. A comment comes when nothing happens."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    own = {calendars.reading(model).not_found or CallInvalid.CODE}
    told = _add(paths, base, calendars.reading(model), (ANY | codes | own) - {"UNAUTHORIZED", "FORBIDDEN"})
    told["security"] = []
    told["parameters"].append(_TOKEN)
    told["responses"]["200"] |= {
        "description": "The bookings from 30 days ago to 365 days ahead, as iCalendar (RFC 5545).",
        "headers": {name: ref("headers", name) for name in ("X-Request-Id", "ETag", "Age")},
        "content": {"text/calendar": {"schema": {"type": "string"}}},
    }
    told["responses"]["304"] = {"description": "It is what `If-None-Match` or `If-Modified-Since` names."}


def _add(paths: Paths, base: str, operation: Operation, codes: Iterable[str]) -> dict[str, Json]:
    """Tell of an operation that no provider answers."""
    path = base + operation.path
    paths.add(path, operation, codes)
    told: dict[str, Json] = paths.told[path][operation.method.lower()]
    told["parameters"] = [one for one in told["parameters"] if one != ref("parameters", KEY_PARAMETER)]
    headers = told["responses"][str(operation.status)]["headers"]
    for name in _UNSAID:
        headers.pop(name, None)
    return told


_LAST_SEEN: Json = {
    "name": stream.LAST_SEEN,
    "in": "header",
    "required": False,
    "description": "The `id` of the last event seen: what happened since comes first.",
    "schema": {"type": "string"},
}
_TOKEN: Json = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "The feed's secret, which is all that is asked for.",
    "schema": {"type": "string"},
}
