"""Every key of the configuration file: its type, what it means, its default and an example. Nothing here reads one."""

from __future__ import annotations

import importlib.util
import ipaddress
import re
from collections.abc import Callable

from gateway.config.described import key
from gateway.config.keys_events import EVENT_KEYS
from gateway.config.keys_links import LINK_KEYS
from gateway.documents.schema_check import Rules

ADMIN = "admin"
"""The operator's name in the log, and what only the operator may do; no caller of the configuration has either."""
# Visible ASCII, because it travels in an Authorization header; long enough not to be guessed.
_KEY = r"[!-~]{16,256}"
_STATE = r"[!-~]{32,256}"
_STATE_KEY = "32 to 256 visible ASCII characters"
_KEY_MEANING = "16 to 256 visible ASCII characters"
_REDIS = re.compile(r"rediss?://([^\s/@]*@)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}(/[0-9]{1,3})?")


def _network(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        refuse(field, "is no network in CIDR notation without host bits, such as `10.1.0.0/16`")


def _store(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    if text != "memory://" and not _REDIS.fullmatch(text):
        refuse(field, "is neither `memory://` nor a Redis URL such as `redis://:${PASSWORD}@redis.internal:6379/0`")
    elif text != "memory://" and importlib.util.find_spec("redis") is None:
        refuse(field, "needs the Redis client, which is not installed: pip install 'booking-gateway[redis]'")


SCHEMA: Rules = {
    "listen": key(
        "dict",
        "where callers reach the gateway",
        default={},
        schema={
            "host": key("string", "address of one interface, or 0.0.0.0 for all", default="127.0.0.1", minlength=1),
            "port": key("integer", "TCP port; 0 takes a free one", default=8080, min=0, max=65535),
        },
    ),
    "mappings": key(
        "list",
        "folders and files of provider mappings, relative to this file",
        default=["mappings"],
        minlength=1,
        schema=key("string", "a folder or file", example="mappings", minlength=1),
    ),
    "timeout": key(
        "string", "how long a call may take in all, in seconds", example="25s", default="25s", regex=r"[1-9][0-9]{0,2}s"
    ),
    "max_body": key(
        "string",
        "size up to which a caller's body is read",
        example="1MiB",
        default="1MiB",
        regex=r"[1-9][0-9]{0,2}(KiB|MiB)",
    ),
    "limits_store": key("string", "where calls to providers are counted", default="memory://", check_with=_store),
    "admin": key(
        "dict",
        "the operator's side; without it there is none",
        schema={
            "token": key("string", _KEY_MEANING, example="${GATEWAY_ADMIN_TOKEN}", required=True, regex=_KEY),
            "traces": key("integer", "how many traces of calls are kept in memory", default=100, min=1, max=1000),
        },
    ),
    "state_key": key(
        ["string", "list"],
        f"what encrypts the sessions that the store keeps, or several, the newest first; {_STATE_KEY}",
        example="${GATEWAY_STATE_KEY}",
        regex=_STATE,
        minlength=1,
        maxlength=256,
        schema=key("string", _STATE_KEY, example="${GATEWAY_STATE_KEY}", regex=_STATE),
    ),
    "callers": key(
        "dict",
        "who may call the gateway, by name",
        required=True,
        minlength=1,
        keysrules=key(
            "string",
            "1 to 63 of a-z, 0-9, `_` and `-`, the first no sign; admin is taken",
            regex=r"[a-z0-9][a-z0-9_-]{0,62}",
            forbidden=[ADMIN],
        ),
        valuesrules=key(
            "dict",
            "one caller",
            schema={
                "key": key("string", _KEY_MEANING, example="${GATEWAY_WEB_KEY}", required=True, regex=_KEY),
                "may": key("list", "what it may do", required=True, minlength=1, allowed=["read", "write"]),
                "connections": key(
                    "list",
                    "the connections it may use; without the list, all",
                    minlength=1,
                    schema=key("string", "the name of a connection", example="club-a"),
                ),
            },
        ),
    ),
    "cors": key(
        "dict",
        "web pages that may call the gateway from a browser",
        default={},
        schema={
            "origins": key(
                "list",
                "their origins",
                default=[],
                schema=key(
                    "string",
                    "scheme, host and port as a browser sends them, nothing more",
                    example="https://booking.example",
                    regex=r"https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?",
                ),
            )
        },
    ),
    "egress": key(
        "dict",
        "what the gateway itself may call",
        default={},
        schema={
            "allow": key(
                "list",
                "private networks that providers may be in; all others are refused",
                default=[],
                schema=key("string", "a network in CIDR notation", example="10.1.0.0/16", check_with=_network),
            )
        },
    ),
    "connections": key(
        "dict",
        "accounts at providers, by the name that stands in URLs",
        required=True,
        minlength=1,
        keysrules=key(
            "string",
            "1 to 63 of a-z, 0-9 and `-`, the first no sign; connections, webhooks and operations are taken",
            regex=r"[a-z0-9][a-z0-9-]{0,62}",
            forbidden=["connections", "webhooks", "operations"],
        ),
        valuesrules=key(
            "dict",
            "one connection",
            schema={
                "provider": key("string", "the provider's name in its mapping", required=True, minlength=1),
                "settings": key("dict", "what the provider's mapping asks for", default={}),
            },
        ),
    ),
    **LINK_KEYS,
    **EVENT_KEYS,
}
"""Every key of the configuration file, for cerberus and for the reference."""
