"""Header fields: their characters, which of them no mapping writes, how long one says to wait, what one links to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from gateway.values.messages import Response

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
_VALUE_OF: Final = rf"""(?:[ \t]*+=[ \t]*+(?:({NAME.pattern}+)|"((?:[^"\\]|\\.)*+)"))?+"""
_PARAMETER: Final = re.compile(rf"[ \t]*+;[ \t]*+(?:({NAME.pattern}+){_VALUE_OF})?+")
_TARGET: Final = re.compile(r"[ \t,]*+<([^<>]*+)>")
_END: Final = re.compile(r"[ \t]*+(?:,|$)")
_MAX_RETRY_AFTER: Final = 86_400.0
"""Seconds. Whoever asks for a longer wait is asked again in a day."""


def is_own(name: str, value: str) -> bool:
    """Whether a mapping may not send this field. An answer that nobody compresses (`identity`) may be asked for."""
    key = name.lower()
    return key in OWN and (key, value.strip().lower()) != ("accept-encoding", "identity")


def join_headers(*layers: Iterable[tuple[str, _Value]]) -> list[tuple[str, _Value]]:
    """Join the fields of several layers: of one name, however it is written, the last one goes out (RFC 9110 §5.1)."""
    found: dict[str, tuple[str, _Value]] = {}
    for layer in layers:
        for name, value in layer:
            found[name.lower()] = (name, value)
    return list(found.values())


def retry_after(response: Response) -> float | None:
    """Retry-After in seconds (RFC 9110, section 10.2.3); None when absent, past or unreadable."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _MAX_RETRY_AFTER) or None
    date = response.headers.get("date", "")
    try:
        wait = (parsedate_to_datetime(text) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError, OverflowError):  # days, years and offsets of any length are read as whole numbers
        return None
    return min(wait, _MAX_RETRY_AFTER) if wait > 0 else None


def cookie_of(response: Response, name: str) -> str:
    """Value of a cookie that an answer sets (RFC 6265, section 4.1); of several the last. Empty where there is none."""
    found = ""
    for line in response.headers.get("set-cookie", "").split("\n"):
        key, _, value = line.partition(";")[0].partition("=")
        if key.strip() == name:
            found = value.strip().strip('"')
    return found


def link(header: str, relation: str) -> str | None:
    """Give the target of the first link of a relation in a Link header (RFC 8288, section 3); None where there is none.

    Relations are compared without regard to case, and only the first `rel` of a link counts. A link with an `anchor` is
    about something else than the answer, and is passed over. Raises ValueError where the header is not one.
    """
    at = 0
    while header[at:].strip(" \t,"):
        target = _TARGET.match(header, at)
        if target is None:
            raise ValueError("no Link header")
        at, given = target.end(), dict[str, str]()
        while found := _PARAMETER.match(header, at):
            at, (name, bare, quoted) = found.end(), found.groups(default="")
            given.setdefault(name.lower(), bare or re.sub(r"\\(.)", r"\1", quoted))
        end = _END.match(header, at)
        if end is None:
            raise ValueError("no Link header")
        at = end.end()
        if "anchor" not in given and relation.lower() in given.get("rel", "").lower().split():
            return target[1]
    return None
