"""What a caller sent, read without trusting it: path, query and body, each decoded once and within limits.

Everything refused here is refused before anybody is asked. Nothing here knows what the values mean.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from gateway.surface.http.error_responses import HttpRefused
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.values.errors import CallInvalid
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json

READ_SECONDS = 15.0
"""How long a body may take to arrive, where a call may take longer: slower senders only hold a connection open."""

UNKNOWN_CODING = "Send the body without Content-Encoding, or compressed with gzip."
_CODINGS = frozenset({"identity", "gzip", "x-gzip", "deflate"})
_UNESCAPED = re.compile("%(?![0-9A-Fa-f]{2})|[^!-~]")
_USUAL = re.compile("[0-9A-Za-z_-]+")
_UTF_8 = frozenset({"utf-8", "utf8"})
_CONDITIONS = ("If-Match", "If-Unmodified-Since")
_ESCAPE = "holds a `%` without two hexadecimal digits behind it, or a character that must be written so"
_JSON = re.compile(r"application/(?:[a-z0-9.!#$&^_-]+\+)?json")


def path_parts(request: web.Request) -> Mapping[str, str]:
    """Give the values that stand in the path, decoded once, so that `%2F` stays inside a value. Raises CallInvalid."""
    context = request[REQUEST_CONTEXT]
    if context.path_parts is None:
        resource = request.match_info.route.resource
        segments = request.rel_url.raw_path.split("/")
        named = _name(resource.canonical) if resource is not None else ()
        context.path_parts = {name: _decode(segments[at], name) for at, name in named if at < len(segments)}
    return context.path_parts


@lru_cache(maxsize=512)  # of routes, which do not change
def _name(canonical: str) -> tuple[tuple[int, str], ...]:
    """Give the places of the values in a path such as `/v1/{connection}/bookings`, with their names."""
    return tuple((at, name[1:-1]) for at, name in enumerate(canonical.split("/")) if name.startswith("{"))


def _decode(text: str, name: str) -> str:
    if _USUAL.fullmatch(text):
        return text
    try:
        value = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _wrong(name, "is not UTF-8") from None
    if _UNESCAPED.search(text):
        raise _wrong(name, _ESCAPE)
    if value in {".", ".."}:  # another path to whoever resolves it, RFC 3986 §5.2.4
        raise _wrong(name, "must be an id, not dots or blanks")
    return value


def query_pairs(request: web.Request) -> list[tuple[str, str]]:
    """Give the pairs of the query in order, empty values too. Raises CallInvalid for what is not UTF-8."""
    text = request.rel_url.raw_query_string
    if not text:
        return []
    if _UNESCAPED.search(text):
        raise _wrong("query", _ESCAPE)
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise _wrong("query", "is not UTF-8") from None


async def json_body(request: web.Request, seconds: float) -> Json:
    """Read the body as strict JSON; an empty one counts as `{}`.

    Raises HttpRefused 413 beyond the size that is configured, 408 when it takes longer than `seconds`, 415 when it is
    not declared as JSON, and CallInvalid when it cannot be read as that.
    """
    body = await body_bytes(request, seconds)
    if not body:
        return {}
    if any(coding.strip().lower() not in _CODINGS for coding in request.headers.getall("Content-Encoding", ())):
        raise HttpRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, UNKNOWN_CODING)
    if not _JSON.fullmatch(request.content_type.lower()) or (request.charset or "utf-8").lower() not in _UTF_8:
        raise HttpRefused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON in UTF-8, declared as `Content-Type: application/json`."
        )
    try:
        return decode_json(body)
    except JsonRefused as refused:
        raise CallInvalid(f"The body {refused.reason}.", details={"fields": []}) from None


def refuse_conditions(request: web.Request) -> None:
    """Raise CallInvalid for a write on a condition (RFC 9110 §13.1): no provider can check and write in one step."""
    for name in _CONDITIONS:
        if name in request.headers and request.method not in {"GET", "HEAD"}:
            raise _wrong(name, "is not supported: the write would not depend on it")


def refuse_large(request: web.Request) -> None:
    """Raise HttpRefused 413 for a body that says itself that it is too large."""
    if request.content_length is not None and request.content_length > request.client_max_size:
        raise _too_large(request)


async def body_bytes(request: web.Request, seconds: float) -> bytes:
    """Read the body as it came. Raises HttpRefused 413 and 408, and CallInvalid for one that broke off."""
    refuse_large(request)
    if not request.body_exists:  # of most requests: nothing is waited for
        return b""
    try:
        async with asyncio.timeout(seconds):
            return await request.read()
    except TimeoutError:
        detail = f"The body did not arrive within {seconds:g} seconds."
        raise HttpRefused(HTTPStatus.REQUEST_TIMEOUT, detail) from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(request) from None
    except (web.RequestPayloadError, ConnectionError):
        detail = "The body broke off, or is not what Content-Encoding or Transfer-Encoding says."
        raise CallInvalid(detail, details={"fields": []}) from None


def _too_large(request: web.Request) -> HttpRefused:
    detail = f"The body is larger than {request.client_max_size} bytes."
    return HttpRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def _wrong(field: str, problem: str) -> CallInvalid:
    return CallInvalid(f"`{field}` {problem}", details={"fields": [{"field": field, "problem": problem}]})
