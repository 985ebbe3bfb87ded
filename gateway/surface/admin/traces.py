"""Traces of calls for the operator: made on request, kept in memory for a while, and given under `/admin/traces`.

A trace holds what callers and providers said, and personal data among it: it is shown to the operator alone, and
written nowhere. Who calls can have one made only with the admin token beside the caller's key.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.engine.tracing import TracedExchange
from gateway.surface.http.authentication import BESIDE, needs_admin
from gateway.surface.http.request_context import REQUEST_CONTEXT, RequestContext, Traceable
from gateway.surface.http.requests import path_parts
from gateway.surface.http.responses import Answer, to_bytes, to_response
from gateway.values.errors import CallInvalid, NotMapped
from gateway.values.messages import Json, Request, Response

ASKED = "Gateway-Trace"
"""The header of a request that asks for a trace: `1`."""
GIVEN = "Gateway-Trace-Id"
"""The header of the answer that names it."""
MOST_OF_A_BODY = 65_536
"""Bytes of a body that are kept."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of all traces together; beyond them the oldest leave, however few there are."""


@dataclass(frozen=True, slots=True)
class _TraceEntry:
    """A trace as the list tells it, and the whole of it as it is answered."""

    summary: dict[str, Json]
    whole: bytes


class Traces:
    """The newest traces, at most so many."""

    def __init__(self, most: int, *, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, _TraceEntry] = OrderedDict()
        self._bytes = 0

    def __repr__(self) -> str:
        return f"Traces({len(self._kept)} kept, {self._bytes} bytes)"

    def handlers(self) -> dict[str, Handler]:
        """Give the handlers by operation."""
        return {"admin.traces.list": self.list, "admin.traces.get": self.get}

    async def list(self, request: web.Request) -> web.Response:
        """Answer `GET /admin/traces`: what is kept, the newest first."""
        request[REQUEST_CONTEXT].operation = "admin.traces.list"
        return _answer(to_bytes({"data": [one.summary for one in reversed(self._kept.values())]}))

    async def get(self, request: web.Request) -> web.Response:
        """Answer `GET /admin/traces/{id}`. Raises NotMapped."""
        request[REQUEST_CONTEXT].operation = "admin.traces.get"
        found = self._kept.get(path_parts(request)["id"])
        if found is None:
            raise NotMapped("There is no trace of this id, or it is no longer kept.")
        return _answer(found.whole)

    async def finish(self, request: web.Request, response: web.StreamResponse) -> None:
        """Keep the trace that the request asked for, and name it in the answer: a signal of the application.

        It is sent for every answer, also for an error that the boundary tells.
        """
        visit = request.get(REQUEST_CONTEXT)
        if visit is not None and visit.traced is not None:
            self.keep(visit, visit.traced, asyncio.get_running_loop().time() - visit.started)
            response.headers[GIVEN] = visit.traced.id

    def keep(self, visit: RequestContext, traced: Traceable, seconds: float) -> None:
        """Take up the trace of a request that took so long; the oldest leave until there is room."""
        summary = {
            "id": traced.id,
            "at": traced.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "connection": visit.connection,
            "operation": visit.operation,
            "outcome": visit.code or "ok",
            "seconds": round(seconds, 4),
        }
        trace = traced.trace
        about = {"error": trace.error or None, "origin": trace.origin or None}
        exchanges = [_exchange(one) for one in trace.exchanges]
        whole = to_bytes({**summary, "request_id": visit.request_id, **about, "exchanges": exchanges})
        self._kept[traced.id] = _TraceEntry(summary, whole)
        self._bytes += len(whole)
        while len(self._kept) > self._most or (self._bytes > self._most_bytes and len(self._kept) > 1):
            self._bytes -= len(self._kept.popitem(last=False)[1].whole)


def begin(request: web.Request, *, allowed: bool) -> None:
    """Have a trace made of this request if it asks for one.

    Raises CallerRefused (FORBIDDEN) where it is not `allowed`, for want of the admin token; CallInvalid for another
    value than `1`.
    """
    asked = request.headers.getall(ASKED, [])
    if not asked:
        return
    if not allowed:
        raise needs_admin(f"`{ASKED}` is the operator's: send `{BESIDE}: Bearer TOKEN` beside your key, with the token")
    if asked != ["1"]:
        problem = "is `1` or left out"
        raise CallInvalid(f"`{ASKED}` {problem}.", details={"fields": [{"field": ASKED, "problem": problem}]})
    request[REQUEST_CONTEXT].traced = Traceable(uuid4().hex, datetime.now(UTC))


def _answer(body: bytes) -> web.Response:
    return to_response(Answer(HTTPStatus.OK, body))


def _exchange(one: TracedExchange) -> dict[str, Json]:
    """One exchange as JSON; fields and headers as pairs, for names may come more than once."""
    rule = one.rule
    return {
        "step": one.step,
        "origin": one.origin,
        "purpose": one.purpose,
        "attempt": one.attempt,
        "request": _request(one.request),
        "response": _response(one.response) if one.response is not None else None,
        "verdict": one.verdict,
        "code": one.code or None,
        "rule": {"origin": rule.origin, "text": rule.text, "code": rule.code} if rule is not None else None,
        "error": one.error or None,
        "waited": round(one.waited, 4),
        "seconds": round(one.seconds, 4),
    }


def _request(request: Request) -> dict[str, Json]:
    return {
        "method": request.method,
        "url": request.url,
        "query": request.query,
        "headers": request.headers,
        "body": _body(request.body),
    }


def _response(response: Response) -> dict[str, Json]:
    return {"status": response.status, "headers": [*response.headers.items()], "body": _body(response.body)}


def _body(body: bytes) -> str:
    """A body as text; of a long one the beginning, and a word that there was more."""
    if len(body) <= MOST_OF_A_BODY:
        return body.decode(errors="replace")
    return f"{body[:MOST_OF_A_BODY].decode(errors='ignore')}… (cut: {MOST_OF_A_BODY} of {len(body)} bytes)"
