"""What a call means: the request that is sent for it. Pure."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final
from urllib.parse import quote_plus

from gateway.dialects.multipart import write_multipart
from gateway.dialects.refusal import NotWritable, plain
from gateway.dialects.xml import write_xml
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.calls import EVENTS, CallPlan, Scope
from gateway.mapping.nodes.pages import ADDRESS
from gateway.mapping.nodes.trees import Headers, Tree, Url
from gateway.values.errors import CallInvalid, GatewayError, MappingFault
from gateway.values.http import VALUE, join_headers
from gateway.values.messages import Json, Request
from gateway.values.secrets import Credential
from gateway.values.strictjson import encode_json

_FORM = "application/x-www-form-urlencoded"


def to_request(call: CallPlan, scope: Scope) -> Request:
    """Build the request of a call.

    Raises MappingFault naming `file:line` when a template or value does not fit, and CallInvalid naming the field when
    what a caller sent cannot stand in a header.
    """
    headers = _headers(call, scope)
    body, hidden, content = b"", frozenset[str](), None
    if call.body is not None:
        value = build(call.body, scope)
        content = _rpc(call, value, scope["serial"]) if call.body_kind == "jsonrpc" else value
        body, kind = _body(call, content, scope)
        hidden = credentials(value)
        if all(name.lower() != "content-type" for name, _ in headers):  # what the mapping says of its body holds
            headers.append(("Content-Type", kind))
    url, query = scope.get(ADDRESS) or (url_of(call.url, scope), None)
    if query is None:
        query = pairs(build(call.query, scope), call.origin) if call.query else ()
    return Request(
        method=call.method,
        url=url,
        headers=tuple(headers),
        query=query,
        body=body,
        timeout=call.timeout,
        limit=call.limit,
        hidden=hidden,
        kind=call.body_kind,
        content=content,
        step=call.text,
        origin=call.origin,
    )


def _headers(call: CallPlan, scope: Scope) -> list[tuple[str, str]]:
    built = headers_of(call.headers, scope)
    found = join_headers((name, _text(value, call.origin, name)) for name, value in built.items())
    for name, value in found:
        if not VALUE.fullmatch(value):
            strange = frozenset(letter.casefold() for letter in value if not VALUE.fullmatch(letter))
            problem = "must be one line of Latin-1 text: it goes to the provider in a header"
            detail = f"{call.origin}: the value of the header {name} holds a character that no header may hold"
            raise _blame(scope, strange, problem, MappingFault(detail, origin=call.origin))
    return found


def _blame(scope: Scope, strange: AbstractSet[str], problem: str, fault: MappingFault) -> GatewayError:
    """Give what is told where a value cannot be sent: the caller's fault where one of its fields has a character."""
    field = _source(scope.get("args"), strange) if strange else ""
    if not field:
        return fault
    return CallInvalid(f"`{field}` {problem}.", details={"fields": [{"field": field, "problem": problem}]})


def _source(value: Json, strange: AbstractSet[str]) -> str:
    """Name the argument in which one of these characters came; empty where it is none."""
    if isinstance(value, str):
        return "." if any(letter.casefold() in strange for letter in value) else ""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inner:
        found = _source(held, strange)
        if found:
            return str(key) if found == "." else f"{key}.{found}"
    return ""


def _body(call: CallPlan, value: Json, scope: Scope) -> tuple[bytes, str]:
    if call.body_kind == "form":
        return encode_form(pairs(value, call.origin)), _FORM
    if call.body_kind in _WRITERS:
        try:
            return _WRITERS[call.body_kind](call, value, scope)
        except NotWritable as refused:
            fault = MappingFault(f"{call.origin}: the body {refused.reason}", origin=call.origin)
            raise _blame(scope, refused.strange, "holds a character that no text may hold", fault) from None
    try:
        return encode_json(value), "application/json"
    except (TypeError, ValueError) as error:
        raise MappingFault(f"{call.origin}: the body cannot be written as JSON", origin=call.origin) from error


def _rpc(call: CallPlan, params: Json, serial: Json) -> Json:
    """Put params into their envelope; each of a batch into one of its own, with its id (JSON-RPC 2.0, section 6)."""
    version = {"jsonrpc": "2.0"} if call.envelope.version == "2.0" else {}
    if not call.envelope.batch:
        return {**version, "method": call.rpc, "params": params, "id": serial}
    if not isinstance(params, list) or not params:
        raise MappingFault(f"{call.origin}: `batch` takes a list with the params of a call or more", origin=call.origin)
    return [{**version, "method": call.rpc, "params": one, "id": batch(serial, at)} for at, one in enumerate(params)]


def batch(serial: Json, at: int) -> str:
    """Give the id of one call of a batch."""
    return f"{serial}.{at}"


def _plain_text(_call: CallPlan, value: Json, _scope: Scope) -> tuple[bytes, str]:
    return plain(value, "text").encode(), "text/plain; charset=utf-8"


def _xml(call: CallPlan, value: Json, _scope: Scope) -> tuple[bytes, str]:
    return write_xml(value, call.reading.xml), "application/xml; charset=utf-8"


def _multipart(_call: CallPlan, value: Json, _scope: Scope) -> tuple[bytes, str]:
    return write_multipart(value)


def _calendar(_call: CallPlan, value: Json, scope: Scope) -> tuple[bytes, str]:
    """Write an event. What is slow to start is imported where a mapping is compiled that writes one."""
    return importlib.import_module(EVENTS).write_event(value, scope["now"]), "text/calendar; charset=utf-8"


_WRITERS: Final[Mapping[str, Callable[[CallPlan, Json, Scope], tuple[bytes, str]]]] = {
    "text": _plain_text,
    "xml": _xml,
    "multipart": _multipart,
    "icalendar": _calendar,
}
"""Kind of body → how it is written, and its Content-Type."""


def is_form(request: Request) -> bool:
    """Whether the body of a request is declared as a form."""
    declared = (value for name, value in request.headers if name.lower() == "content-type")
    return any(value.partition(";")[0].strip().lower() == _FORM for value in declared)


def credentials(value: Json) -> frozenset[str]:
    """Give the texts of a tree that prove who we are."""
    if isinstance(value, Credential):
        return frozenset([str(value)])
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return frozenset[str]().union(*map(credentials, inner))


def encode_form(fields: Iterable[tuple[str, str]]) -> bytes:
    """Encode fields as application/x-www-form-urlencoded (WHATWG URL, section 5.2)."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode()


def pairs(tree: Mapping[str, Json], origin: str) -> tuple[tuple[str, str], ...]:
    """Flatten a tree to named texts, nested values in PHP's brackets: `a[b][0]`."""
    found: list[tuple[str, str]] = []

    def walk(name: str, value: Json) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}[{key}]", inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(f"{name}[{index}]", inner)
        else:
            found.append((name, _text(value, origin, name)))

    for name, value in tree.items():
        walk(name, value)
    return tuple(found)


def _text(value: Json, origin: str, name: str) -> str:
    """Text and numbers only: how a provider spells true, false or nothing is the mapping's to say."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        plain = format(Decimal(repr(value)), "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise MappingFault(
        f"{origin}: `{name}` is neither text nor a number; write what the provider wants to read", origin=origin
    )


def url_of(url: Url, scope: Scope) -> str:
    """Give the URL of a call without its query. Raises what `build` raises."""
    head = str(build(url.base, scope))
    if url.lead is not None:
        head = f"{head.rstrip('/')}/{str(build(url.lead, scope)).strip('/')}"
    return head.rstrip("/") + str(build(url.path, scope))


def headers_of(headers: Tree | Headers | None, scope: Scope) -> dict[str, Json]:
    """Give the headers of a call by name, one of each whatever its case. Raises what `build` raises."""
    if headers is None:
        return {}
    if isinstance(headers, Headers):
        shared, own = build(headers.shared, scope), build(headers.own, scope)
        return dict(join_headers(shared.items(), own.items()))
    found: dict[str, Json] = build(headers, scope)
    return found
