"""A request with an Idempotency-Key (IETF draft-07): the key, and what tells the request from others."""

from __future__ import annotations

import hashlib
import json
import re

from aiohttp import web

from gateway.store.keys import IdempotentRequest
from gateway.surface.http.authentication import caller_of
from gateway.surface.http.request_context import REQUEST_CONTEXT
from gateway.surface.http.requests import path_parts
from gateway.values.errors import CallInvalid
from gateway.values.messages import Json

METHODS = frozenset({"POST", "PATCH", "PUT"})
"""Methods whose requests may carry a key; the others can be repeated as they are."""
MAX_KEY = 255
"""Characters of a key."""

# RFC 9651 §3.3.3, a String in quotes as the draft has it, or the same without quotes as most clients send it.
_KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"|([!#-~][!-~]*)')


def fingerprint_of(request: web.Request, connection: str, body: Json) -> IdempotentRequest | None:
    """Describe a request that carries a key, as the caller sent it; None where there is no key or it does not matter.

    Raises CallInvalid for a key that is given twice, is empty, too long or not visible ASCII.
    """
    key = key_of(request)
    if key is None:
        return None
    sent = json.dumps({"path": path_parts(request), "body": body}, separators=(",", ":")).encode()
    owner, operation = caller_of(request).name, request[REQUEST_CONTEXT].operation
    return IdempotentRequest(owner, connection, key, fingerprint(request, body), operation, sent)


def key_of(request: web.Request) -> str | None:
    """Give the key a request carries, without the quotes; None where there is none or it does not matter.

    Raises CallInvalid for one that is given twice, is empty, too long or not visible ASCII.
    """
    fields = request.headers.getall("Idempotency-Key", [])
    if not fields or request.method not in METHODS:
        return None
    found = _KEY.fullmatch(fields[0])
    key = "" if found is None else re.sub(r"\\(.)", r"\1", found[1]) if found[1] else found[2]
    if len(fields) > 1 or not key or len(key) > MAX_KEY:
        problem = f"must be one value of 1 to {MAX_KEY} visible ASCII characters"
        raise CallInvalid(
            f"`Idempotency-Key` {problem}.", details={"fields": [{"field": "Idempotency-Key", "problem": problem}]}
        )
    return key


def fingerprint(request: web.Request, body: Json) -> str:
    """Tell a request from others: method, path with query, and body whatever its blanks and the order of its keys."""
    text = json.dumps([request.method, request.rel_url.raw_path_qs, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
