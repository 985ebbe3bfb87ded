"""Writes that a caller may repeat: the answer to an Idempotency-Key is kept and given again (IETF draft-07).

Kept in this process only, for a day and up to a number of keys and bytes, the oldest leaving first: a restart forgets
them all. An answer that says nothing happened for now (429, 5xx) is not kept, so that the repeat is a new try; an
unknown outcome is kept, because a new try could book twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from aiohttp import web

from gateway.errors import CallInvalid, GatewayError, OutcomeUnknown
from gateway.messages import Json
from gateway.surface.answers import Answer
from gateway.surface.failures import Failure

METHODS = frozenset({"POST", "PATCH", "PUT"})
"""Methods whose requests may carry a key; the others can be repeated as they are."""
KEEP_SECONDS = 86_400.0
MAX_KEYS = 10_000
MAX_BYTES = 64 * 1024 * 1024
MAX_KEY = 255
"""Characters of a key."""

_RETRY_SECONDS = 1.0
# RFC 9651 §3.3.3, a String in quotes as the draft has it, or the same without quotes as most clients send it.
_KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"|([!#-~][!-~]*)')

Outcome: TypeAlias = Answer | Failure
Owned: TypeAlias = tuple[str, str, str]
"""Caller, connection and key: nobody can meet another one's keys."""


@dataclass(slots=True)
class _Entry:
    """What is known under a key. Without an outcome the first request is still under way."""

    fingerprint: str
    since: float
    outcome: Outcome | None = None
    size: int = 0


class Ledger:
    """The answers that are kept. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        keep: float = KEEP_SECONDS,
        most: int = MAX_KEYS,
        most_bytes: int = MAX_BYTES,
    ) -> None:
        self._clock = clock
        self._keep = keep
        self._most = most
        self._most_bytes = most_bytes
        self._entries: dict[Owned, _Entry] = {}
        self._bytes = 0

    def __repr__(self) -> str:
        return f"Ledger({len(self._entries)} keys, {self._bytes} bytes)"

    async def once(
        self, owned: Owned, fingerprint: str, perform: Callable[[], Awaitable[Outcome]]
    ) -> tuple[Outcome, bool]:
        """Perform the request, or give what it was answered with before, and True.

        Raises GatewayError IDEMPOTENCY_KEY_REUSED when the key came with another request, IDEMPOTENCY_IN_PROGRESS while
        the first has no answer.
        """
        entry = self._entries.get(owned)
        if entry is not None and (entry.outcome is None or not self._aged(entry)):
            if entry.fingerprint != fingerprint:
                raise GatewayError("", code="IDEMPOTENCY_KEY_REUSED")
            if entry.outcome is None:
                raise GatewayError("", code="IDEMPOTENCY_IN_PROGRESS", retry_after=_RETRY_SECONDS)
            return entry.outcome, True
        self._make_room()
        entry = self._entries[owned] = _Entry(fingerprint, self._clock())
        try:
            outcome = await perform()
            if _final(outcome):
                entry.outcome, entry.size = outcome, _size(outcome)
                self._bytes += entry.size
        finally:
            if entry.outcome is None:
                del self._entries[owned]
        return outcome, False

    def _aged(self, entry: _Entry) -> bool:
        return self._clock() - entry.since > self._keep

    def _make_room(self) -> None:
        """Drop what is too old, then the oldest until one more fits; what is under way stays."""
        count, size, gone = len(self._entries), self._bytes, []
        for owned, entry in self._entries.items():  # the oldest first
            if not self._aged(entry) and count < self._most and size <= self._most_bytes:
                break
            if entry.outcome is not None:
                gone.append(owned)
                count, size = count - 1, size - entry.size
        for owned in gone:
            del self._entries[owned]
        self._bytes = size


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


def _final(outcome: Outcome) -> bool:
    """Tell whether a repeat is answered the same."""
    if isinstance(outcome, Failure) and outcome.code == OutcomeUnknown.code:
        return True
    return outcome.status < HTTPStatus.INTERNAL_SERVER_ERROR and outcome.status != HTTPStatus.TOO_MANY_REQUESTS


def _size(outcome: Outcome) -> int:
    return len(outcome.body) if isinstance(outcome, Answer) else len(repr(outcome))
