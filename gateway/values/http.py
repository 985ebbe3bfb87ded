"""Header fields as they may go out: which characters stand in them, and which fields no mapping writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeVar

_Value = TypeVar("_Value")

NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 §5.6.2."""
VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110 §5.5. What is not even Latin-1 would mean something else to every receiver."""
OWN: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""They frame the message or belong to one hop, so whoever sets them can make two requests of one. The client writes
those that are needed."""


def is_own(name: str, value: str) -> bool:
    """Whether a mapping may not send this field. An answer that nobody compresses (`identity`) may be asked for."""
    key = name.lower()
    return key in OWN and (key, value.strip().lower()) != ("accept-encoding", "identity")


def joined(*layers: Iterable[tuple[str, _Value]]) -> list[tuple[str, _Value]]:
    """Join the fields of several layers: of one name, however it is written, the last one goes out (RFC 9110 §5.1)."""
    found: dict[str, tuple[str, _Value]] = {}
    for layer in layers:
        for name, value in layer:
            found[name.lower()] = (name, value)
    return list(found.values())
