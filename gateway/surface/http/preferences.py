"""What a caller prefers (RFC 7240): of all preferences, how what cannot be done in full is handled."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from gateway.values.messages import LENIENT, STRICT

_PREFER: Final = "Prefer"
_APPLIED: Final = "Preference-Applied"
# RFC 7240 §2: preferences stand between commas, and a comma may stand in a quoted text.
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')


def handling_of(request: web.Request) -> str:
    """Give `strict` or `lenient` (RFC 7240 §4.4), or an empty text for neither.

    Of a preference that is given twice the first counts (§2); what is not known, or cannot be read, is ignored.
    """
    if _PREFER not in request.headers:
        return ""
    for text in _PREFERENCE.findall(",".join(request.headers.getall(_PREFER, []))):
        name, _, value = text.partition(";")[0].partition("=")
        if name.strip().lower() == "handling":
            wanted = value.strip().strip('"').lower()
            return wanted if wanted in {STRICT, LENIENT} else ""
    return ""


def applied_header(handling: str) -> dict[str, str]:
    """Give the header that says which preference was honoured (RFC 7240 §3)."""
    return {_APPLIED: f"handling={handling}"} if handling else {}
