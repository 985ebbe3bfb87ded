"""What a call means: the request that is sent for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from urllib.parse import quote_plus

from gateway.mapping.nodes.calls import CallPlan, Scope
from gateway.mapping.nodes.trees import Headers, Tree, Url
from gateway.mapping.runtime.trees import evaluate
from gateway.values.errors import CallInvalid, MappingFault
from gateway.values.http import VALUE, joined
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
    body, hidden = b"", frozenset[str]()
    if call.body is not None:
        value = evaluate(call.body, scope)
        body, kind = _body(call, value, scope)
        hidden = credentials(value)
        if all(name.lower() != "content-type" for name, _ in headers):  # what the mapping says of its body holds
            headers.append(("Content-Type", kind))
    return Request(
        method=call.method,
        url=url_of(call.url, scope),
        headers=tuple(headers),
        query=pairs(evaluate(call.query, scope), call.origin) if call.query else (),
        body=body,
        timeout=call.timeout,
        limit=call.limit,
        hidden=hidden,
        step=call.text,
        origin=call.origin,
    )


def _headers(call: CallPlan, scope: Scope) -> list[tuple[str, str]]:
    built = headers_of(call.headers, scope)
    found = joined((name, _text(value, call.origin, name)) for name, value in built.items())
    for name, value in found:
        if not VALUE.fullmatch(value):
            strange = {letter.casefold() for letter in value if not VALUE.fullmatch(letter)}
            field = _source(scope.get("args"), strange)
            if not field:
                detail = f"{call.origin}: the value of the header {name} holds a character that no header may hold"
                raise MappingFault(detail, origin=call.origin)
            problem = "must be one line of Latin-1 text: it goes to the provider in a header"
            raise CallInvalid(f"`{field}` {problem}.", details={"fields": [{"field": field, "problem": problem}]})
    return found


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
    if call.body_kind == "jsonrpc":
        value = {"jsonrpc": "2.0", "method": call.rpc, "params": value, "id": scope["serial"]}
    try:
        return encode_json(value), "application/json"
    except (TypeError, ValueError) as error:
        raise MappingFault(f"{call.origin}: the body cannot be written as JSON", origin=call.origin) from error


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
    """Give the URL of a call without its query. Raises what `evaluate` raises."""
    head = str(evaluate(url.base, scope))
    if url.lead is not None:
        head = f"{head.rstrip('/')}/{str(evaluate(url.lead, scope)).strip('/')}"
    return head.rstrip("/") + str(evaluate(url.path, scope))


def headers_of(headers: Tree | Headers | None, scope: Scope) -> dict[str, Json]:
    """Give the headers of a call by name, one of each whatever its case. Raises what `evaluate` raises."""
    if headers is None:
        return {}
    if isinstance(headers, Headers):
        shared, own = evaluate(headers.shared, scope), evaluate(headers.own, scope)
        return dict(joined(shared.items(), own.items()))
    found: dict[str, Json] = evaluate(headers, scope)
    return found
