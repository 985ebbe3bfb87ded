"""Keys of a mapping's head: the file itself, settings, who we are, and what every call and error rule may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.mapping.keys import NAME, REASONS, TREE, Part, key
from gateway.mapping.schema_watch import BOOKINGS

LANGUAGE: Final = 1
"""The language version this engine speaks."""

_URL = "/api/v2/booking/{{ args.id }}"
_DAYS = {"date_from": "{{ window.first_date }}", "date_to": "{{ window.last_date }}"}
_SIGNED = {"X-Api-Key": "{{ settings.api_key }}"}
_LOGIN = {"post": "/login", "json": {"key": "{{ settings.api_key }}"}}
_TOKEN = {"headers": {"X-Token": "{{ token }}"}}
_SESSION = {"login": _LOGIN, "token": "result", "renew_when": [{"status": 401}], "send": _TOKEN}
_BOOK = {"service": "{{ args.service_id }}", "start": "{{ args.start }}"}
_ANSWERS = ["json", "text", "icalendar"]
_SETTING_TYPES = ["string", "integer", "boolean", "secret", "url", "path", "time_zone", "currency", "object", "list"]
_SUCCESS = "path that must be true of the body, or a condition as in errors:"
_CONDITION: dict[str, Any] = {
    "status": key(["integer", "list"], "the HTTP status, or several", example=404, schema={"type": "integer"}),
    "header": key(
        "dict", "header name: regular expression its value must match", example={"X-Limit": "^0$"}, **REASONS
    ),
    "when": key("string", "path on the body that must be true", takes="path", example="error.code == 'taken'"),
}

PARTS: Final[Mapping[str, Part]] = {
    "file": Part(
        "the mapping file itself",
        {
            "language": key("integer", "version of this language", required=True, example=LANGUAGE),
            "provider": key(
                "string",
                "the name connections use: a letter, then a-z, 0-9 and _",
                required=True,
                regex=r"[a-z][a-z0-9_]{0,62}",
                example="example",
            ),
            "title": key("string", "the provider's name for people", required=True, example="Example Booking"),
            "kind": key(
                "string",
                "who calls whom",
                allowed=["booking_system", "aggregator"],
                required=True,
                example="booking_system",
            ),
            "settings": key(
                "dict",
                "what a connection must give, by name",
                required=True,
                example={"currency": {"type": "currency", "required": True}},
            ),
            "auth": key(["dict", "string"], "how we prove who we are, or `none`", required=True, example="none"),
            "auths": key(
                "dict",
                "other schemes by name, for calls that say `auth: NAME`",
                example={"admin": {"headers": _SIGNED}},
            ),
            "http": key("dict", "what all calls share", required=True, example={"base": "{{ settings.base_url }}"}),
            "errors": key(
                "list", "what refusals mean; the first match wins", example=[{"status": 404, "is": "NOT_FOUND"}]
            ),
            "codecs": key("dict", "codecs by name", example={"local": {"datetime": "%Y-%m-%d %H:%M"}}),
            "records": key(
                "dict", "field tables by name", example={"person": {"of": "Attendee", "fields": {"name": "full_name"}}}
            ),
            "trees": key(
                "dict",
                "trees by name, written once and used as `{$tree: NAME}`",
                example={"person": {"name": "{{ args.customer.name }}"}},
            ),
            "operations": key(
                "dict",
                "canonical operations; each is one way, or a list of ways",
                required=True,
                example={"services.get": {"find": "services.list"}},
            ),
            "native": key(
                "dict",
                "everything else the vendor offers, by the vendor's names",
                example={"getNews": {"safe": True, "call": {"get": "/news"}}},
            ),
            "hooks": key(
                "dict",
                "what the provider sends to us: the name in the hook's address, and what its messages mean",
                keysrules=key(
                    "string", "a hook's name begins with a letter; a-z, 0-9 and - follow", regex=r"[a-z][a-z0-9-]{0,62}"
                ),
                example={"events": {"verify": "none", "dedupe": ["id"], "type": "changed", "row": "booking"}},
            ),
            "watch": key("dict", "how changes are found where the provider tells none", example={"bookings": BOOKINGS}),
            "unsupported": key(
                "dict",
                "canonical operations this provider cannot do: reason; `*` for all that are left, while it is made",
                example={"slots.push": "it takes no slots"},
                **REASONS,
            ),
        },
    ),
    "setting": Part(
        "one of `settings`",
        {
            "type": key("string", "what it is", required=True, allowed=_SETTING_TYPES, example="secret"),
            "required": key("boolean", "a connection must give it", example=True),
            "default": key([*TREE], "used when a connection does not give it", example="https://api.example"),
            "meaning": key("string", "one sentence for the person who fills it in", example="The key of the account."),
            "allowed": key("list", "the only values it may have", example=["save", "add"]),
        },
    ),
    "auth": Part(
        "`auth`, or one of `auths`",
        {
            "query": key(
                "dict", "query parameters of every call", takes="tree", example={"key": "{{ settings.api_key }}"}
            ),
            "headers": key("dict", "headers of every call", takes="tree", example=_SIGNED),
            "form": key(
                "dict",
                "form fields of every call that has a form",
                takes="tree",
                example={"token": "{{ settings.api_key }}"},
            ),
            "basic": key(
                "dict",
                "HTTP Basic (RFC 7617)",
                example={"user": "{{ settings.login }}", "password": "{{ settings.password }}"},
            ),
            "session": key("dict", "a login that gives a token", example=_SESSION),
        },
    ),
    "basic": Part(
        "`basic` of a scheme",
        {
            "user": key("string", "the user-id", takes="template", required=True, example="{{ settings.login }}"),
            "password": key(
                "string", "the password", takes="template", required=True, example="{{ settings.password }}"
            ),
        },
    ),
    "session": Part(
        "`session` of a scheme",
        {
            "login": key("dict", "the call that logs in", required=True, example=_LOGIN),
            "token": key(
                "string", "path to the token in the login's answer", takes="path", required=True, example="result"
            ),
            "expires": key(
                "string", "renewed so long after it was fetched, in s, m or h", regex=r"[1-9]\d*(s|m|h)", example="55m"
            ),
            "renew_when": key(
                "list",
                "conditions that mean the token is no longer accepted",
                required=True,
                minlength=1,
                example=[{"status": 401}],
            ),
            "send": key("dict", "where the token goes", required=True, example=_TOKEN),
        },
    ),
    "send": Part(
        "`send` of a session",
        {
            "headers": key("dict", "headers of every call", takes="tree", example={"X-Token": "{{ token }}"}),
            "query": key("dict", "query parameters of every call", takes="tree", example={"token": "{{ token }}"}),
        },
    ),
    "http": Part(
        "`http`",
        {
            "base": key(
                "string",
                "put before every relative URL",
                takes="template",
                required=True,
                example="{{ settings.base_url }}",
            ),
            "timeout": key(
                "string", "the whole exchange, in ms, s or m", regex=r"[1-9]\d*(ms|s|m)", default="10s", example="10s"
            ),
            "success": key(["string", "dict"], _SUCCESS, takes="path", example="success == `true`"),
            "answer": key("string", "how bodies are read", allowed=_ANSWERS, default="json", example="json"),
            "headers": key("dict", "headers of every call", takes="tree", example={"Accept": "application/json"}),
            "code": key("string", "path to the provider's own error code", takes="path", example="error.code"),
            "message": key("string", "path to the provider's own words", takes="path", example="error.message"),
            "rate": key(
                "dict",
                "class of calls: how many in how long, at most",
                example={"default": "5/s", "create": "10/m"},
                keysrules=key("string", "a class begins with a letter; a-z, 0-9 and _ follow", regex=NAME),
                valuesrules=key(
                    "string", "calls per second, minute, hour or day", regex=r"[1-9]\d{0,4}/[smhd]", example="10/m"
                ),
            ),
            "at_once": key("integer", "so many calls of a connection at the same time", min=1, max=64, example=4),
        },
    ),
    "call": Part(
        "`call`, and `login` of a session",
        {
            **{
                verb: key("string", f"HTTP {verb.upper()} of this URL", takes="template", example=_URL)
                for verb in ("get", "post", "put", "patch", "delete")
            },
            "query": key("dict", "query parameters", takes="tree", example=_DAYS),
            "headers": key("dict", "headers of this call", takes="tree", example={"Accept": "text/calendar"}),
            "json": key(TREE, "a JSON body", takes="tree", example=_BOOK),
            "form": key("dict", "a urlencoded body, PHP brackets for nested values", takes="tree", example=_BOOK),
            "jsonrpc": key("dict", "a JSON-RPC body", example={"method": "getToken", "params": ["{{ args.id }}"]}),
            "method": key("string", "the JSON-RPC method, posted to `http.base`", example="getEventList"),
            "params": key(["list", "dict"], "the JSON-RPC params", takes="tree", example=["{{ args.id | int }}"]),
            "auth": key("string", "one of `auths`, instead of the file's own scheme", example="admin"),
            "timeout": key("string", "the whole exchange, in ms, s or m", regex=r"[1-9]\d*(ms|s|m)", example="10s"),
            "class": key("string", "the class of rate it counts against, instead of the operation's", example="create"),
            "success": key(["string", "dict"], _SUCCESS, takes="path", example="result != `false`"),
            "complete": key(
                "string",
                "path that is true of an answer which holds all there is; of another, more pages would follow",
                takes="path",
                example="length(data) < `100` && next_page == `null`",
            ),
            "whole": key("boolean", "the value is {status, headers, body} instead of the body", example=True),
            "answer": key("string", "how the body is read", allowed=_ANSWERS, example="icalendar"),
        },
    ),
    "jsonrpc": Part(
        "`jsonrpc` of a call",
        {
            "method": key("string", "the JSON-RPC method", required=True, example="getToken"),
            "params": key(
                ["list", "dict"], "its params", takes="tree", required=True, example=["{{ settings.login }}"]
            ),
        },
    ),
    "condition": Part("one of `renew_when`", _CONDITION),
    "success": Part("`success` of a call or of `http`", _CONDITION),
    "rule": Part(
        "one of `errors`",
        {
            **_CONDITION,
            "is": key("string", "the canonical error code", required=True, example="BOOKING_CONFLICT"),
            "code": key("string", "path to the provider's own code", takes="path", example="error.code"),
            "message": key("string", "path to the provider's own words", takes="path", example="error.message"),
            "details": key(
                "dict",
                "details for the caller; templates see `body`, `status`, `headers` and `args`",
                takes="tree",
                example={"requested_time": "{{ args.start }}"},
            ),
        },
    ),
}
