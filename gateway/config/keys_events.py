"""Keys of the configuration file that are about events: where they are kept, who is told, who is polled."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from gateway.config.described import key
from gateway.documents.schema_check import Rules

_DURATION = r"[1-9][0-9]{0,4}(s|m|h|d)"
_POSTGRESQL = re.compile(
    r"postgresql://([^\s/]*@)?([^\s/:@]+|\[[0-9A-Fa-f:]+\])?(:[0-9]{1,5})?/[^\s/?]+(\?(?P<more>\S*))?"
)
_OF_POSTGRESQL = {"host", "ssl"}
"""What may stand behind the `?`: the folder of a socket, and how sure of the server one must be."""
_MOST_ATTEMPTS = 20
_SHORTEST_KEY, _LONGEST_KEY = 24, 64


IN_MEMORY = "sqlite://"
"""A store that is lost at the end. Nobody has it without asking: a key that is forgotten is a booking made twice."""


def _store(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    if text == IN_MEMORY:
        return
    path = text.removeprefix("sqlite:///")
    server = _POSTGRESQL.fullmatch(text)
    if path in {text, ""} and server is None:
        server_url = "postgresql://USER:PASSWORD@HOST/DATABASE"
        refuse(field, f"is neither `sqlite:///PATH` nor `{server_url}` nor `{IN_MEMORY}` (in memory)")
    elif server is None and (path.startswith(":") or "?" in path):
        refuse(
            field,
            "must name a file, as in `sqlite:///gateway.db`, without `:memory:` and `?`; in memory is `sqlite://`",
        )
    elif server is not None and not {name for name, _ in parse_qsl(server["more"] or "")} <= _OF_POSTGRESQL:
        refuse(field, "may end in `?ssl=` and disable, allow, prefer, require, verify-ca or verify-full, no more")


def _url(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
        fits = fits and not parts.fragment and text.isprintable() and " " not in text and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        refuse(field, "is no http or https address without user, password and fragment")


def _origin(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    _url(field, text, refuse)
    if text.endswith("/") or "?" in text:
        refuse(field, "ends in a slash or has a query; write it as in `https://gateway.example`")


def _signing_key(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    if text.startswith("${"):  # a variable without a value is told elsewhere
        return
    try:
        raw = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not text.startswith("whsec_") or not _SHORTEST_KEY <= len(raw) <= _LONGEST_KEY:
        made = "python3 -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
        refuse(field, f"is not `whsec_` and 24 to 64 bytes in base64; make one: {made}")


def _schedule(meaning: str, **rules: object) -> Rules:
    each = key("string", "a time: s, m, h or d", example="5m", regex=_DURATION)
    return key("list", meaning, example=["5s", "5m"], maxlength=_MOST_ATTEMPTS, schema=each, **rules)


EVENT_KEYS: Rules = {
    "store": key(
        "string",
        "where events, deliveries, Idempotency-Keys and what is known of bookings are kept; `sqlite://` is in memory",
        default="sqlite:///gateway.db",
        example="${GATEWAY_STORE}",
        check_with=_store,
    ),
    "public_url": key(
        "string",
        "where providers and calendars reach the gateway: part of what some of them sign, and of the links it gives",
        example="https://gateway.example",
        check_with=_origin,
    ),
    "webhooks": key(
        "list",
        "consumers that are told of events",
        default=[],
        schema=key(
            "dict",
            "one consumer",
            schema={
                "url": key(
                    "string",
                    "where events are posted",
                    example="https://shop.example/hooks",
                    required=True,
                    check_with=_url,
                ),
                "events": key(
                    "list",
                    "which events; `*` for all",
                    default=["*"],
                    minlength=1,
                    schema=key("string", "an event of the contract", example="booking.created"),
                ),
                "secret": key(
                    "string",
                    "signs them: `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks has it",
                    example="${SHOP_HOOK_SECRET}",
                    required=True,
                    check_with=_signing_key,
                ),
                "connections": key(
                    "list",
                    "whose events; without the list, all",
                    minlength=1,
                    schema=key("string", "the name of a connection", example="club-a"),
                ),
                "format": key("string", "how events look", allowed=["native", "cloudevents"], default="native"),
                "schedule": _schedule("its own times between attempts"),
            },
        ),
    ),
    "events": key(
        "dict",
        "what is told",
        default={},
        schema={
            "emit_confirmed_on_create": key(
                "boolean", "whether a booking that is made confirmed is told as created and as confirmed", default=False
            ),
        },
    ),
    "deliveries": key(
        "dict",
        "how events are sent to consumers",
        default={},
        schema={
            "schedule": _schedule("times between one attempt and the next", default=["5s", "5m"]),
            "timeout": key("string", "one attempt", default="15s", example="15s", regex=r"[1-9][0-9]?s"),
            "concurrency": key("integer", "attempts under way at one endpoint", default=4, min=1, max=1024),
            "per_second": key(
                "integer", "attempts that begin at one endpoint in a second", default=100, min=1, max=100_000
            ),
            "http": key("boolean", "whether callers may subscribe addresses without TLS", default=False),
        },
    ),
    "polling": key(
        "dict",
        "poll the providers that send no events; without this key nothing is polled",
        schema={
            "interval": key("string", "not more often than this", default="60s", example="60s", regex=_DURATION),
            "window_days": key("integer", "at most so many days ahead, where a mapping lists more", min=1, max=366),
        },
    ),
    "retention": key(
        "dict",
        "how long events and what was received are kept; what is not delivered yet is never dropped",
        default={},
        schema={
            "days": key("integer", "so many days", default=30, min=7, max=3650),
            "rows": key("integer", "so many events at most", default=1_000_000, min=1000),
        },
    ),
}
"""These keys, for cerberus and for the reference."""
