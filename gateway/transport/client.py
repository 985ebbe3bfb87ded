"""The way out: one Request becomes one HTTP exchange. Nothing here retries, signs, follows redirects or maps.

aiohttp's own second attempt (it sends GET, PUT and DELETE once more when the server disconnects) is off, for a PUT may
book. Every failure of aiohttp becomes an error of ours in one place, `_failure`, and says whether any byte of the
request may have reached the provider.
"""

from __future__ import annotations

import asyncio
import io
import math
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from gateway import __version__
from gateway.telemetry import logs
from gateway.transport import outgoing
from gateway.transport.encodings import CodingBroken, Decoder
from gateway.transport.networks import AddressRefused, Network, is_permitted, networks
from gateway.values.errors import AnswerMismatch, ProviderUnavailable
from gateway.values.messages import Request, Response

# Room for one lost DNS packet (resolvers ask again after 5 s) or two lost SYNs (sent again after 1 s and 3 s).
CONNECT_SECONDS = 8.0

# Shorter than the 5 s after which Apache and Node.js hang up: a write sent down a connection that is just being closed
# has an unknown outcome.
KEEP_ALIVE_SECONDS = 4.0

# Per host and not over all of them, so that one slow provider cannot take the connections of the others.
CONNECTIONS_PER_HOST = 64

# Bytes and number of the headers of an answer. aiohttp's own 8,190 and 128 are less than some servers send: a long
# Content-Security-Policy, a cookie for each of their services.
LONGEST_FIELD = 65_536
MOST_FIELDS = 500

# What went wrong, the first that fits: before, and after, bytes of the request can have reached the provider.
_BEFORE: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "The provider's host name could not be resolved."),
    (aiohttp.ClientSSLError, "No trusted TLS connection to the provider could be made."),
    (TimeoutError, "The provider did not take the connection in time."),
    (Exception, "The provider could not be connected to."),
)
_AFTER: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (TimeoutError, "The provider did not answer in full in time."),
    ((aiohttp.ClientPayloadError, CodingBroken), "The provider's answer broke off or could not be decompressed."),
    (aiohttp.ClientResponseError, "The provider's answer is not valid HTTP."),
    (Exception, "The connection to the provider broke before its answer was complete."),
)


@dataclass(slots=True)
class _Progress:
    """How far an exchange has come. `since` is the loop's clock at its start, then when the connection was ready."""

    since: float
    sent: bool = False
    """Whether there was a connection that bytes of the request can have been written to."""


class Client:
    """A `Send` over one pool of connections: `async with Client(allow) as client: await client.send(request)`.

    `allow` lists the private networks that may be called, `10.1.0.0/16` or a single address; ValueError when one is
    none. `resolver` looks host names up, by default as the system does. Cookies are not kept, and neither netrc nor
    the proxy variables of the environment are read.
    """

    def __init__(self, allow: Sequence[str], *, resolver: AbstractResolver | None = None) -> None:
        self._allow: tuple[Network, ...] = networks(allow)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = _Connector(
            resolver=self._resolver,
            socket_factory=self._socket,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            limit=0,
            limit_per_host=CONNECTIONS_PER_HOST,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"booking-gateway/{__version__}"},
            skip_auto_headers=("Content-Type",),  # the body's type is the mapping's to say, not aiohttp's to guess
            trust_env=False,
            auto_decompress=False,  # which takes half of a gzip body for a whole one
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
            max_headers=MOST_FIELDS,
        )
        self._session._retry_connection = False  # noqa: SLF001  # no public switch; a test counts what a server sees
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, request: Request) -> Response:
        """Make the exchange and read the whole answer, whatever its status; a redirect is an answer like any other.

        With `request.enough` the status and headers are the answer: of the body no more than that is read, and one
        that breaks off or takes too long is given as far as it came.

        Raises ProviderUnavailable when no whole answer comes (`sent` is False only when no byte of the request can
        have reached the provider), AnswerMismatch when the answer is larger than `request.max_bytes` once
        decompressed, MappingFault when the URL or a header may not be sent.
        """
        if self._session is None:
            raise RuntimeError("the client is not open")
        url = outgoing.target(request)
        outgoing.check_headers(request)
        if request.timeout <= 0:  # to aiohttp, zero means no limit
            raise ProviderUnavailable("No time was left to ask the provider.", sent=False, timed_out=True)
        progress = _Progress(_clock())
        _PROGRESS.set(progress)
        exchange = self._session.request(
            request.method,
            url,
            headers=request.headers,
            data=io.BytesIO(request.body) if request.body else None,
            allow_redirects=False,
            timeout=_timeouts(request.timeout),
        )
        with _map(progress):
            async with exchange as answer:
                body = await (
                    _body(answer, request.max_bytes)
                    if request.enough is None
                    else _beginning(answer, request.enough, url.host)
                )
                return Response(answer.status, _date(_first_of_each(answer.headers)), body, _clock() - progress.since)

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for an address that may be called; aiohttp then connects it to that address and no other.

        Raises AddressRefused. Literal addresses, resolved names and names that change their mind all pass here.
        """
        family, kind, protocol, _, address = info
        if not is_permitted(address[0], self._allow):
            raise AddressRefused
        return socket.socket(family, kind, protocol)


def _clock() -> float:
    return asyncio.get_running_loop().time()


@lru_cache(maxsize=64)  # nearly every exchange has the time that its mapping says
def _timeouts(seconds: float) -> aiohttp.ClientTimeout:
    """Return the bounds of one exchange: of all of it, to the moment and not to the second, and of connecting."""
    connect = min(seconds, CONNECT_SECONDS)
    return aiohttp.ClientTimeout(total=seconds, connect=connect, sock_connect=connect, ceil_threshold=math.inf)


_PROGRESS: ContextVar[_Progress] = ContextVar("_PROGRESS")
"""Of the exchange that this task makes now."""


class _Connector(aiohttp.TCPConnector):
    """Notes when a connection is ready: TLS is agreed on, or an idle connection is taken up again.

    aiohttp's own hooks say the same, and cost every exchange a dozen calls more.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        """Give a connection for a request."""
        found = await super().connect(req, traces, timeout)
        progress = _PROGRESS.get()
        progress.since, progress.sent = _clock(), True
        return found


async def _body(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Read the body, decompressed piece by piece; hang up and raise AnswerMismatch beyond `most` bytes."""
    body, content, decoder = bytearray(), answer.content, _decoder(answer)
    while data := await content.readany():
        for piece in decoder.feed(data) if decoder is not None else (data,):
            body += piece
            if len(body) > most:
                answer.close()
                raise AnswerMismatch(f"The provider's answer is larger than {most} bytes.")
    if decoder is not None:
        decoder.end()
    return bytes(body)


def _decoder(answer: aiohttp.ClientResponse) -> Decoder | None:
    """Return what decompresses the body; None where no header says that it is."""
    coding = answer.headers.getall("Content-Encoding", ())
    return Decoder(", ".join(coding)) if coding else None


async def _beginning(answer: aiohttp.ClientResponse, enough: int, host: str | None) -> bytes:
    """Read the first `enough` bytes and hang up. A body that breaks off does not take back the status before it."""
    body, decoder = bytearray(), _decoder(answer)
    try:
        async for data in answer.content.iter_any():
            for piece in decoder.feed(data) if decoder is not None else (data,):
                body += piece
                if len(body) >= enough:
                    break
            if len(body) >= enough:
                break
        else:
            if decoder is not None:
                decoder.end()
    except (aiohttp.ClientError, CodingBroken, OSError):  # TimeoutError is an OSError
        logs.answer_incomplete(host=host or "", status=answer.status)
    answer.close()  # does nothing to an answer that was read to its end: its connection is in use again, or waits
    return bytes(body[:enough])


_JOINTS = {"set-cookie": "\n", "link": ", "}
"""Header fields of which each counts, and what stands between them."""


def _first_of_each(fields: Mapping[str, str]) -> dict[str, str]:
    """Return header fields by lower-case name; what is no UTF-8 becomes U+FFFD.

    Of a repeated one the first counts, but of cookies each on a line, and of links one list (RFC 8288, section 3).
    """
    found: dict[str, str] = {}
    for name, value in fields.items():
        text = value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        key = name.lower()
        joint = _JOINTS.get(key)
        if joint is not None and key in found:
            found[key] += joint + text
        found.setdefault(key, text)
    return found


def _date(fields: dict[str, str]) -> dict[str, str]:
    """Give an answer without a readable Date the time at which it came (RFC 9110 §6.6.1): Retry-After refers to it."""
    if not _is_date(fields.get("date", "")):
        fields["date"] = _write(int(datetime.now(UTC).timestamp()))
    return fields


@lru_cache(maxsize=4)
def _write(second: int) -> str:
    """Write a second since 1970 as an HTTP date."""
    return format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)


@lru_cache(maxsize=256)  # within a second, all answers say the same
def _is_date(text: str) -> bool:
    try:
        parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return False
    return True


@contextmanager
def _map(progress: _Progress) -> Iterator[None]:
    """Turn failures of aiohttp and the system into ours, cut off from the cause: its text holds the URL and query."""
    try:
        yield
    except (aiohttp.ClientError, CodingBroken, OSError) as failure:  # TimeoutError is an OSError
        raise _failure(failure, progress) from None


def _failure(failure: Exception, progress: _Progress) -> ProviderUnavailable:
    """Return what to tell. Running out of time before there is a connection counts as unreachable, not as timed out."""
    if isinstance(failure, aiohttp.ClientConnectorError) and isinstance(failure.os_error, AddressRefused):
        detail = "The provider's address is in a private network that the configuration does not allow (egress.allow)."
        return ProviderUnavailable(detail, sent=False)
    detail = next(text for kind, text in (_AFTER if progress.sent else _BEFORE) if isinstance(failure, kind))
    timed_out = progress.sent and isinstance(failure, TimeoutError)
    return ProviderUnavailable(detail, sent=progress.sent, timed_out=timed_out)
