"""What a call is answered with, as a value that can be sent again: status, body and headers. Knows no error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from gateway.computation.budget import spend
from gateway.model.model import Operation
from gateway.values.messages import Json, Reply
from gateway.values.strictjson import encode_json

# RFC 9110 §8.8.3: what may stand between the quotes of an entity tag, less `%`, which marks what was escaped.
_TAG = "!#$&'()*+,/:;<=>?@[]^`{|}~"


_LEVELS = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """A success, complete but for the headers that every answer has."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: bytes | None = None
    """The body that a repeat is answered with, where that is another one: a secret is shown once."""


def to_bytes(data: Json) -> bytes:
    """Write JSON as it is sent: UTF-8, without blanks. Raises ValueError for what is not JSON."""
    return encode_json(data)


def to_bytes_in_pieces(data: Json, levels: int = _LEVELS) -> bytes:
    """Write JSON of any size as `to_bytes` does, the upper levels piece by piece: one piece holds every thread."""
    spend()
    if levels and isinstance(data, list):
        return b"[" + b",".join([to_bytes_in_pieces(one, levels - 1) for one in data]) + b"]"
    if levels and isinstance(data, dict):
        pieces = [to_bytes(key) + b":" + to_bytes_in_pieces(one, levels - 1) for key, one in data.items()]
        return b"{" + b",".join(pieces) + b"}"
    return to_bytes(data)


def headers_of(reply: Reply) -> dict[str, str]:
    """Give the headers that tell where an answer comes from; Age (RFC 9111 §5.1) only when it was kept."""
    age = {} if reply.age is None else {"Age": str(int(reply.age))}
    return {"Gateway-Support": reply.support} | age


def warnings_of(reply: Reply) -> dict[str, Json]:
    """Give what stands beside the data of an answer: `warnings`, where there are some."""
    return {"warnings": [dict(one) for one in reply.warnings]} if reply.warnings else {}


def entity_tag(version: str) -> str:
    """Give the entity tag of a version, whatever characters that has."""
    return f'"{quote(version, safe=_TAG)}"'


def answer_of(operation: Operation, row: Json, path: str, headers: Mapping[str, str]) -> Answer:
    """Give the success of an operation that gives one object, or none; `path` is that of the request."""
    if operation.gives == "none":
        return Answer(operation.status, headers=headers)
    more = dict(headers)
    if row.get("version") is not None:
        more["ETag"] = entity_tag(row["version"])
    if operation.status == HTTPStatus.CREATED and row.get("id") is not None:
        more["Location"] = f"{path}/{quote(row['id'], safe='')}"
    return Answer(operation.status, to_bytes(row), more)


def to_response(answer: Answer, extra: Mapping[str, str] | None = None) -> web.Response:
    """Answer a request with a success."""
    return web.Response(
        status=answer.status,
        body=answer.body or None,
        content_type="application/json" if answer.body else None,
        headers={**answer.headers, **(extra or {})},
    )
