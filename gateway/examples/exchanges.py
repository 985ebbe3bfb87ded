"""What was exchanged with a provider, as examples write it: requests, answers, what it sends us. Reads no file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.dialects.xml import XmlForm, write_xml
from gateway.mapping.language.http import BODIES, VERBS
from gateway.mapping.nodes.calls import CallPlan, parts_of
from gateway.mapping.nodes.provider import ProviderPlan
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
    """`none`, or the key that says it."""
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes
    origin: str


def exchange(
    asked: Mapping[str, Json], answered: Mapping[str, Json], base: str, origin: str, namespaces: Mapping[str, str]
) -> Exchange | None:
    """Read one exchange; None where its request has not exactly one verb. Raises NotWritable of an answer in XML.

    `base` is where a JSON-RPC request without a URL is posted, `origin` the place that the pair is written at, and
    `namespaces` are those of the mapping.
    """
    request, answer = dict(asked), _wrap(dict(answered))
    if "jsonrpc" in request:
        one = request["jsonrpc"]
        request["jsonrpc"] = one if "batch" in one else {"params": [], **one}
        request = request if any(verb in request for verb in (*VERBS, "url")) else {**request, "post": base}
    if "method_name" in request and "url" in request:
        request[str(request["method_name"])] = request.pop("url")
    verbs = [verb for verb in (*VERBS, request.get("method_name")) if verb in request]
    if len(verbs) != 1:
        return None
    kind = next((key for key in BODIES if key in request), "none")
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
        answer_headers={
            **kind_of(answer),
            **{one.lower(): str(text) for one, text in answer.get("headers", {}).items()},
        },
        answer=_body(answer, namespaces),
        origin=origin,
    )


def kind_of(answer: Mapping[str, Json]) -> dict[str, str]:
    """Give the Content-Type that an answer in XML has unless it says another."""
    return {"content-type": "application/xml; charset=utf-8"} if "xml" in answer else {}


def _body(answer: Mapping[str, Json], namespaces: Mapping[str, str]) -> bytes:
    if "xml" in answer:
        return write_xml(answer["xml"], XmlForm(namespaces))
    return answer["text"].encode() if "text" in answer else write(answer.get("json"))


def namespaces_of(plan: ProviderPlan) -> Mapping[str, str]:
    """Give the namespaces that a mapping declares: all its calls have them."""
    steps = (step for ways in plan.ways.values() for way in ways for one in way.variants for step in one.steps)
    calls = (part for step in steps for part in parts_of(step) if isinstance(part, CallPlan))
    return next((call.reading.xml.namespaces for call in calls), {})


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


def write(value: Json) -> bytes:
    """Give the body of an answer; null is an empty one."""
    return b"" if value is None else json.dumps(value, ensure_ascii=False).encode()


def _wrap(answer: dict[str, Json]) -> dict[str, Json]:
    """`result:`, `error:` or, for several, `batch:` in short for what JSON-RPC 2.0 answers inside HTTP 200."""
    for key in ("result", "error"):
        if key in answer:
            return {"status": 200, "json": {"jsonrpc": "2.0", "id": 1, key: answer[key]}}
    if "batch" in answer:
        listed = [{"jsonrpc": "2.0", "id": at, **one} for at, one in enumerate(answer["batch"])]
        return {"status": 200, "json": listed}
    return answer
