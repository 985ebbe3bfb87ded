"""Every key of a mapping file: type, default, meaning, example. The one description of the language's grammar.

Shapes are checked one level at a time: `compile` walks the file and has each part it meets checked, so that a finding
names exactly the key that is wrong. What a key *means* beyond its type is checked where it is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.messages import Json
from gateway.shape import Rules, Shape

LANGUAGE = 1
"""The language version this engine speaks."""


def key(
    kind: str | list[str], meaning: str, *, takes: str = "literal", example: Json = None, **rules: Json
) -> dict[str, Any]:
    """Describe one key: its type, what it means, which language it takes, an example, and cerberus rules."""
    return {"type": kind, **rules, "meta": {"meaning": meaning, "takes": takes, "example": example}}


_TREE = ["dict", "list", "string", "integer", "float", "boolean"]
_SCALAR = ["string", "integer", "float", "boolean"]
_TEXTS: dict[str, Any] = {"valuesrules": {"type": "string", "empty": False}}
_NAME = r"[a-z][a-z0-9_]*"
_RESULT: dict[str, Any] = {
    "at": key("string", "path to the one object of the answer", takes="path", example="result"),
    "rows": key(["string", "list"], "path to the rows, or named levels", takes="path", example="values(result)"),
    "row": key("string", "the record that reads each row", example="service"),
    "union": key("list", "several sources of rows, one after the other", example=[{"rows": "data", "row": "service"}]),
    "gives": key("dict", "the result is another operation's", example={"run": "bookings.get"}),
    "set": key(
        "dict", "fields of the result that are known better here", takes="tree", example={"status": "cancelled"}
    ),
    "find": key("string", "run this list and pick the one with the id", example="services.list"),
}
_BODY: dict[str, Any] = {
    "call": key("dict", "one call", example={"get": "/api/services"}),
    "steps": key("list", "several calls, each under a name", minlength=1),
    "errors": key("list", "error rules tried before the file's"),
    **_RESULT,
}
_EXTRAS: dict[str, Any] = {
    "support": key("string", "how well this is done", allowed=["native", "emulated", "degraded"]),
    "notes": key("string", "a sentence for the capability document"),
    "needs": key("dict", "settings without which a connection does not have it: reason", **_TEXTS),
    "take": key("dict", "names for values used below", takes="template"),
    "choose": key("list", "variants; the first whose `when` holds", minlength=2),
    "class": key("string", "the class of rate that its calls count against", example="create"),
    "cache": key(
        "string", "how long an answer is kept, of an operation that reads", regex=r"[1-9]\d*(s|m|h)", example="60s"
    ),
}
_CONDITION: dict[str, Any] = {
    "status": key(["integer", "list"], "the HTTP status, or several", example=404, schema={"type": "integer"}),
    "header": key("dict", "header name: regular expression its value must match", example={"X-Limit": "^0$"}, **_TEXTS),
    "when": key("string", "path on the body that must be true", takes="path", example="error"),
}
_CALL: dict[str, Any] = {
    **{
        verb: key("string", f"HTTP {verb.upper()} of this URL", takes="template", example="/api/services")
        for verb in ("get", "post", "put", "patch", "delete")
    },
    "query": key("dict", "query parameters", takes="tree"),
    "headers": key("dict", "headers of this call", takes="tree"),
    "json": key(_TREE, "a JSON body", takes="tree"),
    "form": key("dict", "a urlencoded body, PHP brackets for nested values", takes="tree"),
    "jsonrpc": key("dict", "a JSON-RPC body: method and params", takes="tree"),
    "method": key("string", "the JSON-RPC method, posted to http.base", example="getEventList"),
    "params": key(["list", "dict"], "the JSON-RPC params", takes="tree"),
    "auth": key("string", "one of `auths`, instead of the file's own scheme", example="admin"),
    "timeout": key("string", "the whole exchange", regex=r"[1-9]\d*(ms|s|m)", example="10s"),
    "class": key("string", "the class of rate it counts against, instead of the operation's", example="create"),
    "success": key("string", "path that must be true of the body", takes="path"),
    "answer": key("string", "how the body is read", allowed=["json", "text", "icalendar"]),
}

_RULES: Mapping[str, Rules] = {
    "file": {
        "language": key("integer", "version of this language", required=True, example=LANGUAGE),
        "provider": key("string", "the name connections use", required=True, regex=r"[a-z][a-z0-9_]{0,62}"),
        "title": key("string", "the provider's name for people", required=True),
        "kind": key("string", "who calls whom", allowed=["booking_system", "aggregator"], required=True),
        "settings": key("dict", "what a connection must give", required=True),
        "auth": key(["dict", "string"], "how we prove who we are", required=True),
        "auths": key("dict", "other schemes by name, for calls that say `auth: NAME`"),
        "http": key("dict", "what all calls share", required=True),
        "errors": key("list", "what refusals mean, first match wins"),
        "codecs": key("dict", "named codecs"),
        "records": key("dict", "field tables"),
        "operations": key("dict", "canonical operations", required=True),
        "native": key("dict", "everything else the vendor offers"),
        "unsupported": key("dict", "canonical operations this provider cannot do, with the reason", **_TEXTS),
    },
    "setting": {
        "type": key(
            "string",
            "what it is",
            required=True,
            allowed=[
                "string",
                "integer",
                "boolean",
                "secret",
                "url",
                "path",
                "time_zone",
                "currency",
                "object",
                "list",
            ],
        ),
        "required": key("boolean", "a connection must give it"),
        "default": key([*_TREE], "used when a connection does not give it"),
        "meaning": key("string", "one sentence for the person who fills it in"),
        "allowed": key("list", "the only values it may have"),
    },
    "auth": {
        "query": key("dict", "query parameters of every call", takes="tree"),
        "headers": key("dict", "headers of every call", takes="tree"),
        "form": key("dict", "form fields of every call that has a form", takes="tree"),
        "basic": key("dict", "HTTP Basic: user and password (RFC 7617)", takes="template"),
        "session": key("dict", "a login that gives a token"),
    },
    "basic": {
        "user": key("string", "the user-id", takes="template", required=True),
        "password": key("string", "the password", takes="template", required=True),
    },
    "session": {
        "login": key("dict", "the call that logs in", required=True),
        "token": key("string", "path to the token in the login's answer", takes="path", required=True),
        "expires": key("string", "renewed this long after it was fetched", regex=r"[1-9]\d*(s|m|h)", example="55m"),
        "renew_when": key("list", "conditions that mean the token is no longer accepted", required=True, minlength=1),
        "send": key("dict", "where the token goes: headers or query", takes="tree", required=True),
    },
    "send": {
        "headers": key("dict", "headers of every call", takes="tree"),
        "query": key("dict", "query parameters of every call", takes="tree"),
    },
    "http": {
        "base": key("string", "put before every relative URL", takes="template", required=True),
        "timeout": key("string", "the whole exchange", regex=r"[1-9]\d*(ms|s|m)", default="10s"),
        "success": key("string", "path that must be true of the body", takes="path"),
        "answer": key("string", "how bodies are read", allowed=["json", "text", "icalendar"], default="json"),
        "headers": key("dict", "headers of every call", takes="tree"),
        "code": key("string", "path to the provider's own error code", takes="path"),
        "message": key("string", "path to the provider's own error message", takes="path"),
        "rate": key(
            "dict",
            "class of calls: how many in how long, at most",
            example={"default": "5/s", "create": "10/m"},
            keysrules=key("string", "a class begins with a letter; a-z, 0-9 and _ follow", regex=_NAME),
            valuesrules=key(
                "string", "calls per second, minute, hour or day", regex=r"[1-9]\d{0,4}/[smhd]", example="10/m"
            ),
        ),
        "at_once": key("integer", "so many calls of a connection at the same time", min=1, max=64),
    },
    "call": _CALL,
    "jsonrpc": {
        "method": key("string", "the JSON-RPC method", required=True),
        "params": key(["list", "dict"], "its params", takes="tree", required=True),
    },
    "condition": _CONDITION,
    "rule": {
        **_CONDITION,
        "is": key("string", "the canonical error code", required=True, example="BOOKING_CONFLICT"),
        "code": key("string", "path to the provider's own code", takes="path"),
        "message": key("string", "path to the provider's own words", takes="path"),
        "details": key("dict", "details for the caller; templates see `body` and `args`", takes="tree"),
    },
    "record": {
        "of": key("string", "the canonical resource", required=True, example="Service"),
        "nothing": key("string", "what the provider wants where the canonical value is null; else null is not written"),
        "private": key("list", "provider fields that provider_data never shows", schema={"type": "string"}),
        "fields": key("dict", "canonical field: where the provider keeps it", required=True),
    },
    "field": {
        "at": key(["string", "list"], "path in the row, or several", takes="path"),
        "as": key(["string", "dict"], "the codec that reads and writes it"),
        "value": key([*_SCALAR, "list", "dict"], "a constant", nullable=True),
        "make": key(_TREE, "computed from row, fields, settings, args and steps", takes="tree"),
        "from": key("list", "built from these canonical fields of the record", schema={"type": "string"}),
        "record": key("string", "the record of an embedded object"),
        "rows": key(
            ["string", "list"], "path to the rows of a list of embedded objects, or named levels", takes="path"
        ),
        "when": key("string", "path that must be true, else the field is left out", takes="path"),
        "default": key(_TREE, "used when the provider has none", nullable=True),
        "mode": key("string", "the direction it is used in", allowed=["read", "write", "both"]),
    },
    "operation": {
        **_BODY,
        **_EXTRAS,
        "unsupported": key("dict", "arguments this provider cannot honour: reason", **_TEXTS),
        "loses": key("dict", "arguments that are taken without their full effect: reason"),
        "requires": key("dict", "optional arguments this provider needs: reason", **_TEXTS),
        "args_from": key("dict", "argument: the join codec that takes it apart into other arguments"),
        "window": key("dict", "local days asked from the provider"),
    },
    "native": {
        "safe": key("boolean", "it changes nothing; it is then a GET for callers", default=False),
        "args": key("dict", "its arguments"),
        "notes": _EXTRAS["notes"],
        "needs": _EXTRAS["needs"],
        "take": _EXTRAS["take"],
        "class": _EXTRAS["class"],
        "cache": _EXTRAS["cache"],
        "call": _BODY["call"],
        "steps": _BODY["steps"],
        "errors": _BODY["errors"],
        "at": _RESULT["at"],
    },
    "argument": {
        "type": key(
            "string",
            "what it is",
            required=True,
            allowed=["string", "integer", "number", "boolean", "date", "object", "list", "id"],
        ),
        "required": key("boolean", "it must be given"),
        "default": key(_TREE, "used when it is not given"),
        "allowed": key("list", "the only values it may have"),
        "meaning": key("string", "one sentence"),
    },
    "variant": {"when": key("string", "template giving a boolean", takes="template"), **_BODY},
    "step": {
        "name": key("string", "the name its value is known by", regex=_NAME),
        "call": _BODY["call"],
        "run": key("string", "another canonical operation", example="bookings.get"),
        "with": key("dict", "its arguments", takes="tree"),
        "refuse": key("list", "guards; the first that holds ends the operation"),
        "take": key("dict", "more names for values, computed here", takes="template"),
        "make": key(_TREE, "the value itself, built here", takes="tree"),
        "when": key("string", "template; false: the step is skipped, its value null", takes="template"),
        "for_each": key("dict", "one call for each element of a list"),
        "keep": key("string", "path on the body: what is captured", takes="path"),
        "accept": key("list", "error codes that do not end the operation", schema={"type": "string"}),
        "safe": key("boolean", "a reading step of a writing operation"),
        "stays": key("boolean", "what it made may stay when a later step fails; it is never sent twice"),
        "undo": key("dict", "done when a later step fails"),
    },
    "for_each": {
        "in": key(["string", "list"], "template giving the list, or named levels", takes="template", required=True),
        "as": key("string", "the name of each element of one list", regex=_NAME),
        "at_once": key("integer", "so many calls at the same time", min=1, max=16, default=4),
    },
    "undo": {
        "call": _BODY["call"],
        "run": key("string", "another canonical operation"),
        "with": key("dict", "its arguments", takes="tree"),
    },
    "refusal": {
        "when": key("string", "template giving a boolean", takes="template", required=True),
        "is": key("string", "the canonical error code", required=True),
        "message": key("string", "one sentence for the caller", required=True),
        "details": key("dict", "details for the caller", takes="tree"),
    },
    "gives": {
        "run": key("string", "the operation whose result it is"),
        "with": key("dict", "its arguments; without it, the same id", takes="tree"),
        "step": key("string", "the step that ran the operation whose result it is"),
    },
    "source": {"rows": _RESULT["rows"], "at": _RESULT["at"], "row": {**_RESULT["row"], "required": True}},
    "level": {
        "name": key("string", "the name the record's paths use", regex=_NAME, required=True),
        "at": key("string", "path on the level before", takes="path", required=True),
        "when": key("string", "template; false: the element is left out", takes="template"),
    },
    "window": {
        "max_days": key("integer", "most days in one provider call; longer windows are split", min=1),
        "default_days": key("integer", "days from today when the caller gives no window", min=1),
    },
    "take": {
        "from": key("string", "the value", takes="template", required=True),
        "as": key(["string", "dict"], "the codec that writes it", required=True),
    },
}
SHAPES: Mapping[str, Shape] = {name: Shape(rules) for name, rules in _RULES.items()}
