"""A GatewayError as callers see it: status, code and body by the contract. Only here a failure gets its status.

Nothing here may show a mapping's text beyond `file:line`, or let a provider's 401 or 403 pass for the caller's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import PurePath

from aiohttp import web

from gateway.model.model import Model
from gateway.model.telling import code_of
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.responses import to_bytes
from gateway.values.errors import (
    AnswerMismatch,
    CallInvalid,
    GatewayError,
    MappingFault,
)
from gateway.values.messages import Json

PROBLEM = "application/problem+json"
_TYPE = "urn:booking-gateway:error:"
_PLACED = (AnswerMismatch, MappingFault)
_AGAIN_SECONDS = 10.0
"""When a caller of what is not available may come again, where nobody knows it better (RFC 9110, section 15.6.4)."""
_CHALLENGE = 'Bearer realm="booking-gateway"'


class HttpRefused(CallInvalid):
    """HTTP itself refuses the request, with a status that the contract gives no code of its own: 405, 408, 413, 415."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Failure:
    """An error ready to be told, by any number of answers: it holds no exception and no request id."""

    code: str
    status: int
    title: str
    message: str
    retryable: bool
    details: Mapping[str, Json] = field(default_factory=dict)
    provider: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def error(self, request_id: str) -> dict[str, Json]:
        """Give the value of `error` in the body."""
        told: dict[str, Json] = {
            "code": self.code,
            "message": self.message,
            "status": self.status,
            "details": dict(self.details),
        }
        if self.provider:
            told["provider"] = dict(self.provider)
        return told | {"retryable": self.retryable, "request_id": request_id}

    def problem(self, request_id: str) -> dict[str, Json]:
        """Give the same as problem details, RFC 9457."""
        named = {"type": _TYPE + self.code, "title": self.title, "status": self.status, "detail": self.message}
        rest = self.error(request_id)
        return named | {key: value for key, value in rest.items() if key not in {"message", "status"}}


def failure_of(error: GatewayError, model: Model) -> Failure:
    """Say what a caller is told about an error. A code the contract does not know is a defect and raises KeyError."""
    told = code_of(error, model)
    details = dict(error.details)
    if isinstance(error, _PLACED) and error.origin:
        details["origin"] = PurePath(error.origin).name  # where the operator keeps it is nobody's business
    headers = dict(error.headers) if isinstance(error, HttpRefused) else {}
    again = error.retry_after
    if again is None and told.status == HTTPStatus.SERVICE_UNAVAILABLE:
        again = _AGAIN_SECONDS
    if again is not None:
        headers["Retry-After"] = str(max(0, math.ceil(again)))
    if told.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _CHALLENGE
    return Failure(
        code=told.code,
        status=error.status if isinstance(error, HttpRefused) else told.status,
        title=told.title,
        # The text of a fault quotes the mapping; where it stands is in the details.
        message=told.title if isinstance(error, MappingFault) else error.detail or told.title,
        retryable=told.retryable,
        details=details,
        provider=error.provider,
        headers=headers,
    )


def to_response(request: web.BaseRequest, failure: Failure, extra: Mapping[str, str] | None = None) -> web.Response:
    """Answer a request with a failure, in the media type that it asks for."""
    visit = request[REQUEST_CONTEXT]
    visit.code = failure.code
    as_problem = wants_problem(request.headers.get("Accept", ""))
    body = failure.problem(visit.request_id) if as_problem else {"error": failure.error(visit.request_id)}
    return web.Response(
        status=failure.status,
        body=to_bytes(body),
        content_type=PROBLEM if as_problem else "application/json",
        headers={**failure.headers, **(extra or {})},
    )


def wants_problem(accept: str) -> bool:
    """Tell whether an Accept field (RFC 9110 §12.5.1) names problem details, and not with `q=0`."""
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media == PROBLEM:
            return not any(one.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for one in parameters)
    return False
