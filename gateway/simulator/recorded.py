"""Exchanges of the examples as answers of the simulated provider: which request is the recorded one, and ids. Pure."""

from __future__ import annotations

import json

from gateway.examples.comparison import body_differs
from gateway.examples.exchanges import Exchange
from gateway.simulator.incoming import Incoming
from gateway.values.messages import Json, Request
from gateway.values.strictjson import JsonRefused, decode_json


def same_body(exchange: Exchange, request: Incoming) -> bool:
    """Whether a recorded request has the body of this one; of a batch, as one of its calls."""
    recorded = exchange.body
    params = request.scope()["params"]
    if exchange.body_kind == "jsonrpc":
        return params in recorded["batch"] if "batch" in recorded else bool(params == recorded.get("params", []))
    if exchange.body_kind in {"xml", "multipart", "icalendar", "text"}:
        sent = Request(request.method, exchange.url, tuple(request.headers.items()), body=request.content.encode())
        return not body_differs(exchange, sent)
    return bool(recorded == {"json": request.json, "form": request.form}.get(exchange.body_kind))


def with_id(body: bytes, exchange: Exchange, request: Incoming) -> bytes:
    """A recorded JSON-RPC answer under the id of this request; what is no such answer stays as it is."""
    recorded, scope = decode(body), request.scope()
    if isinstance(recorded, list):  # of a batch: the answer to this one of its calls
        batch = exchange.body["batch"]
        at = batch.index(scope["params"]) if scope["params"] in batch else 0
        recorded = next((one for one in recorded if one.get("id") == at), None)
    return (
        json.dumps({**recorded, "id": scope["id"]}, ensure_ascii=False).encode() if isinstance(recorded, dict) else body
    )


def decode(body: bytes) -> Json:
    """Give what a JSON body holds; null of any other."""
    try:
        return decode_json(body)
    except JsonRefused:
        return None
