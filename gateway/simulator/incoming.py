"""A request as the simulated provider sees it: decoded, and recognised as one of the mapping's calls. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote

from gateway.dialects.multipart import read_multipart
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request. `query` and `form` are flat; `form_tree` is the form with PHP's brackets undone."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]
    form_tree: Mapping[str, Json]
    urlencoded: bool
    """Whether the body says that it is a form; one without fields is."""
    json: Json
    content: str = ""
    """The body as text, of any form."""
    kind: str = ""
    """The media type that the body declares, in lower case."""

    @property
    def rpc(self) -> str | None:
        """The JSON-RPC method, if the body is such a call."""
        body = self.json
        return body["method"] if isinstance(body, dict) and isinstance(body.get("method"), str) else None

    @property
    def batch(self) -> list[Incoming]:
        """The calls of a JSON-RPC batch one by one; none of what is no batch."""
        calls = [replace(self, json=one) for one in self.json] if isinstance(self.json, list) else []
        return calls if all(one.rpc for one in calls) else []

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies by name (RFC 6265, section 4.2)."""
        parts = (one.partition("=") for one in self.headers.get("cookie", "").split(";"))
        return {name.strip(): value.strip() for name, equals, value in parts if equals}

    @property
    def basic(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic (RFC 7617)."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:  # no base64, not ASCII, or not UTF-8 within
            return None
        return (user, password) if scheme.lower() == "basic" and colon else None

    def scope(self) -> dict[str, Json]:
        """What templates see as `request`, but for what the words of the mapping are needed for."""
        call = self.json if isinstance(self.json, dict) else {}
        return {
            "method": self.method,
            "path": list(self.path),
            "query": dict(self.query),
            "form": dict(self.form_tree),
            "json": self.json,
            "text": self.content,
            "headers": dict(self.headers),
            "params": call.get("params", []) if self.rpc else [],
            "id": call.get("id") if self.rpc else None,
        }


def decode_request(method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], body: bytes) -> Incoming:
    """Decode a request. A body that cannot be read is no body: the call is then refused for what it lacks."""
    lower = {name.lower(): value for name, value in headers.items()}
    kind = lower.get("content-type", "").partition(";")[0].strip().lower()
    urlencoded = kind == "application/x-www-form-urlencoded"
    fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True) if urlencoded else []
    if kind == "multipart/form-data":
        parts = read_multipart(body, lower["content-type"])
        fields = [(name, one) for name, one in parts.items() if isinstance(one, str)]
    data: Json = None
    if body and kind.endswith("json"):
        try:
            data = decode_json(body)
        except JsonRefused:
            data = None
    return Incoming(
        method=method.upper(),
        path=tuple(unquote(part) for part in raw_path.strip("/").split("/") if part),
        query=dict(parse_qsl(raw_query, keep_blank_values=True)),
        headers=lower,
        form=dict(fields),
        form_tree=nest_brackets(fields),
        urlencoded=urlencoded,
        json=data,
        content=body.decode(errors="replace"),
        kind=kind,
    )


def nest_brackets(fields: Iterable[tuple[str, str]]) -> dict[str, Json]:
    """Undo PHP's brackets: `a[b][0]=c` becomes `{a: {b: {"0": c}}}`; `a[]=c` counts from 0; the later of two wins."""
    tree: dict[str, Json] = {}
    for name, value in fields:
        head, bracket, _ = name.partition("[")
        steps = [head, *_BRACKETS.findall(name)] if bracket else [name]
        held = tree
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            key = step or str(len(held))
            if following is None:
                held[key] = value
            else:
                if not isinstance(held.get(key), dict):
                    held[key] = {}
                held = held[key]
    return tree


def matches(pattern: tuple[str | None, ...], path: tuple[str, ...]) -> bool:
    """Whether a path has the segments of a call; None stands for any."""
    return len(pattern) == len(path) and all(
        one is None or one == other for one, other in zip(pattern, path, strict=True)
    )
