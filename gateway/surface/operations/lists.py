"""A list as it is answered: sorted, written and cut beside the event loop, and kept for the pages that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from gateway.computation.budget import spend
from gateway.engine.catalog import Connection
from gateway.surface.http.authentication import caller_of
from gateway.surface.http.preferences import applied_header
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.responses import headers_of, to_bytes, warnings_of
from gateway.surface.operations.calls import Calls, mask
from gateway.surface.operations.pagination import PageRequest, about, order_entries
from gateway.surface.operations.readings import Owner, Reading
from gateway.values.messages import Json, Reply
from gateway.values.secrets import Redactor
from gateway.values.strictjson import decode_json

PROVIDER_DATA = "provider_data"
"""What callers include, and where it stands, to see the provider's own objects."""
_SLOW = 8
"""Steps that masking and writing a row count for."""
_LARGE = 500
"""Rows that are known to take longer than the event loop should wait."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page, ready to be sent, and its value of `page`."""

    body: bytes
    about: Mapping[str, Json]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _WrittenList:
    """All that became of a reply: every row where pages follow, else those of the page, which begins at `first`."""

    rows: list[bytes]
    total: int
    first: int


@dataclass(frozen=True, slots=True)
class Listing:
    """One request for a page of a list."""

    calls: Calls
    request: web.Request
    connection: Connection
    page: PageRequest
    include: frozenset[str]
    handling: str
    writes: int
    """The engine's number of writes when the request came."""

    def kept(self) -> Page | None:
        """Give the page of the reading that its cursor leads to; None when that has gone, or there was none."""
        page, now = self.page, self.calls.now()
        reading = self.calls.readings.find(self._owner(), page.token, now) if page.token else None
        if reading is None or not page.first < len(reading.rows):
            return None
        age = {"Age": str(int(max(0.0, now - reading.read_at)))}
        return _page(page, reading, page.first, dict(reading.headers) | age, page.token)

    async def fresh(self, reply: Reply) -> Page:
        """Cut the page from a reply, and keep the whole list where more pages follow. Raises GatewayError."""
        page = self.page
        hide = self.calls.engine.redactor(self.connection) if PROVIDER_DATA in self.include else None
        compute = self.calls.computing(self.request, self.connection, self.request[REQUEST_CONTEXT].operation)
        written = await compute(_write, page, reply, hide, large=len(reply.data) > _LARGE)
        now, headers = self.calls.now(), headers_of(reply) | applied_header(self.handling)
        reading = Reading(written.rows, to_bytes(warnings_of(reply))[1:-1], headers, now - (reply.age or 0.0))
        if written.first + page.limit >= written.total:  # the last page: only its rows were written
            value = about(page, written.total, written.first, [])
            return Page(_body(written.rows, value, reading.told), value, headers)
        token = self.calls.readings.keep(self._owner(), reading, now)
        return _page(page, reading, written.first, headers, token)

    def _owner(self) -> Owner:
        """Say to whom a reading belongs: nobody else could have another answer."""
        caller = caller_of(self.request).name
        connection = f"{self.connection.name}/{self.connection.digest}/{self.writes}"
        return caller, connection, self.page.query, ",".join([self.handling, *sorted(self.include)])


def _write(page: PageRequest, reply: Reply, hide: Redactor | None) -> _WrittenList:
    entries, first = order_entries(page, reply.data, reply.raw)
    last = first + page.limit >= len(entries)
    rows = []
    for entry, own in entries[first:] if last else entries:
        spend(_SLOW)
        rows.append(to_bytes(entry if own is None or hide is None else entry | {PROVIDER_DATA: mask(own, hide)}))
    return _WrittenList(rows, len(entries), first)


def _page(page: PageRequest, reading: Reading, first: int, headers: Mapping[str, str], token: str) -> Page:
    rows = reading.rows[first : first + page.limit]
    value = about(page, len(reading.rows), first, [(decode_json(rows[-1]), None)], token)
    return Page(_body(rows, value, reading.told), value, headers)


def _body(rows: Sequence[bytes], value: Mapping[str, Json], told: bytes) -> bytes:
    more = b"," + told if told else b""
    return b'{"data":[' + b",".join(rows) + b'],"page":' + to_bytes(value) + more + b"}"
