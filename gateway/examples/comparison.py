"""What was sent against what an example expects, body by body in its own form, and the differences in sentences."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl

from gateway.dialects.multipart import read_multipart
from gateway.dialects.refusal import NotWritable
from gateway.dialects.xml import outline, written_outline
from gateway.examples.exchanges import Exchange, write
from gateway.mapping.nodes.calls import CALENDARS
from gateway.values.messages import Json, Request
from gateway.values.strictjson import UTF_8, JsonRefused, Unreadable, decode_json

_OWN: Final = re.compile(rb"(?m)^X-[A-Za-z0-9-]+")
_LONG_AGO: Final = "1970-01-01T00:00:00+00:00"
"""The present of an event that is read: one that is sent does not repeat, so that it changes nothing."""


def with_ids(exchange: Exchange, request: Request) -> bytes:
    """Give the answer of an exchange: one of JSON-RPC carries the ids of its request, whatever the recording had.

    The answers of a batch have the numbers of their calls there, from 0 on.
    """
    if exchange.body_kind != "jsonrpc":
        return exchange.answer
    try:
        answer, sent = decode_json(exchange.answer), decode_json(request.body)
    except JsonRefused:
        return exchange.answer
    if isinstance(answer, list) and isinstance(sent, list):
        ids = {at: one["id"] for at, one in enumerate(sent)}
        return write([{**one, "id": ids.get(one["id"], one["id"])} for one in answer])
    return write({**answer, "id": sent["id"]}) if isinstance(answer, dict) and "id" in answer else exchange.answer


def request_differs(exchange: Exchange, request: Request) -> str:
    """How a request differs from what an exchange expects; empty when it does not."""
    if exchange.method != request.method or exchange.url.rstrip("/") != request.url.rstrip("/"):
        return f"expects {exchange.method} {exchange.url}"
    if (query := dict(request.query)) != exchange.query:
        return "query: " + "; ".join(differences(dict(exchange.query), query))
    headers = {name.lower(): value for name, value in request.headers}
    for name, value in exchange.headers.items():
        if headers.get(name) != value:
            return f"header {name} is not as expected"
    return body_differs(exchange, request)


def body_differs(exchange: Exchange, request: Request) -> str:
    """How the body of a request differs from what an exchange expects; empty when it does not."""
    try:
        sent = _SENT.get(exchange.body_kind, _json)(request) if request.body else None
    except (Unreadable, UnicodeDecodeError) as unreadable:
        return f"body: {unreadable}"
    found = differences(_expect(exchange), sent)
    return "body: " + "; ".join(found) if found else ""


def _expect(exchange: Exchange) -> Json:
    if exchange.body_kind != "xml":
        return exchange.body
    try:
        return written_outline(exchange.body)
    except NotWritable as refused:
        return f"what the example writes {refused.reason}"


def _json(request: Request) -> Json:
    return decode_json(request.body)


def _form(request: Request) -> Json:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def _rpc(request: Request) -> Json:
    body = decode_json(request.body)
    if isinstance(body, list):
        return {"method": body[0].get("method"), "batch": [one.get("params") for one in body]}
    return {"method": body.get("method"), "params": body.get("params")}


def _text(request: Request) -> Json:
    return request.body.decode()


def _xml(request: Request) -> Json:
    return outline(request.body)


def _multipart(request: Request) -> Json:
    declared = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    return read_multipart(request.body, declared)


def event_of(body: bytes) -> Json:
    """Give the one event of a calendar object as feeds give it, with its own properties; of several, all."""
    own = tuple(dict.fromkeys(name.decode().upper() for name in _OWN.findall(body)))
    read = importlib.import_module(CALENDARS).calendar_events
    events = [
        {key: value for key, value in one.items() if key != "key" and value != {}}
        for one in read(body, _LONG_AGO, (None, None), UTF_8, own)
    ]
    return events[0] if len(events) == 1 else events


_SENT: Final[Mapping[str, Callable[[Request], Json]]] = {
    "form": _form,
    "jsonrpc": _rpc,
    "text": _text,
    "xml": _xml,
    "multipart": _multipart,
    "icalendar": lambda request: event_of(request.body),
}
"""Key of a request in an example → what was sent, as the example writes it; any other is JSON."""


def differences(expected: Json, actual: Json, path: str = "") -> list[str]:
    """Every place in which two JSON values differ, one sentence each. 1 and true are different, 1 and 1.0 are not."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        for key in dict.fromkeys([*expected, *actual]):
            where = f"{path}.{key}" if path else str(key)
            if key not in actual:
                found.append(f"{where} is missing, expected {short(expected[key])}")
            elif key not in expected:
                found.append(f"{where} was not expected, got {short(actual[key])}")
            else:
                found += differences(expected[key], actual[key], where)
        return found
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        both = enumerate(zip(expected, actual, strict=True))
        return [line for i, (one, other) in both for line in differences(one, other, f"{path}[{i}]")]
    same_kind = isinstance(expected, bool) == isinstance(actual, bool)
    if same_kind and expected == actual:
        return []
    return [f"{path or 'the value'}: expected {short(expected)}, got {short(actual)}"]


def short(value: Json) -> str:
    """Give a value as JSON, in what fits a line or two."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - a line of a terminal or two
