"""What was exchanged with a provider, as examples write it: requests, answers, what it sends us. Reads no file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mapping.language.http import VERBS
from gateway.mapping.runtime.requests import encode_form, pairs
from gateway.values.messages import Json, Received


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request a provider was sent and what it answered."""

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    body_kind: str
    """`none`, `json`, `form` or `jsonrpc`."""
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes
    origin: str


def exchange(asked: Mapping[str, Json], answered: Mapping[str, Json], base: str, origin: str) -> Exchange | None:
    """Read one exchange; None where its request has not exactly one verb.

    `base` is where a JSON-RPC request without a URL is posted, `origin` the place that the pair is written at.
    """
    request, answer = dict(asked), _enveloped(dict(answered))
    if "jsonrpc" in request:
        request["jsonrpc"] = {"params": [], **request["jsonrpc"]}
        request = request if any(verb in request for verb in VERBS) else {**request, "post": base}
    verbs = [verb for verb in VERBS if verb in request]
    if len(verbs) != 1:
        return None
    kind = next((key for key in ("json", "form", "jsonrpc") if key in request), "none")
    body = request.get(kind)
    if kind == "form":
        body = dict(pairs(body or {}, origin))
    return Exchange(
        method=verbs[0].upper(),
        url=request[verbs[0]],
        query=dict(pairs(request.get("query", {}), origin)),
        headers={name.lower(): str(value) for name, value in request.get("headers", {}).items()},
        body=body,
        body_kind=kind,
        status=answer.get("status", 200),
        answer_headers={name.lower(): str(value) for name, value in answer.get("headers", {}).items()},
        answer=answer["text"].encode() if "text" in answer else written(answer.get("json")),
        origin=origin,
    )


def received_of(node: dict[str, Json], origin: str) -> Received:
    """Give what a provider sends us: a JSON, form or text body, or none."""
    if "form" in node:
        content = encode_form(pairs(node["form"], origin))
    else:
        body = json.dumps(node["json"], ensure_ascii=False) if "json" in node else node.get("text", "")
        content = body.encode()
    return Received(
        method=node.get("method", "post").upper(),
        token=node.get("token"),
        query=pairs(node.get("query", {}), origin),
        headers=tuple((name.lower(), str(value)) for name, value in node.get("headers", {}).items()),
        body=content,
    )


def written(value: Json) -> bytes:
    """Give the body of an answer; null is an empty one."""
    return b"" if value is None else json.dumps(value, ensure_ascii=False).encode()


def _enveloped(answer: dict[str, Json]) -> dict[str, Json]:
    """`result:` or `error:` in short for a JSON-RPC answer inside HTTP 200 (JSON-RPC 2.0, section 5)."""
    for key in ("result", "error"):
        if key in answer:
            return {"status": 200, "json": {"jsonrpc": "2.0", "id": 1, key: answer[key]}}
    return answer
