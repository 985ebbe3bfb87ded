"""Writes that a caller may repeat: the answer to an Idempotency-Key is kept and given again (IETF draft-07).

A key is taken before anything is sent. What came to no end, because the process died or could not write it down, is an
unknown outcome: it is never sent again, for that could book twice. An answer that says nothing happened for now (429,
5xx) is not kept, so that the repeat is a new try; an unknown outcome is.

Without a store the keys live in the process, and a restart forgets them; with one, it and every replica know them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from http import HTTPStatus
from typing import TypeAlias

from aiohttp import web

from gateway import observe
from gateway.errors import CallInvalid, GatewayError, OutcomeUnknown, StoreUnavailable
from gateway.messages import Json
from gateway.store import keys
from gateway.store.database import Database
from gateway.store.keys import Asked, Kept
from gateway.surface.answers import Answer
from gateway.surface.callers import caller_of
from gateway.surface.failures import Failure
from gateway.surface.requests import path_parts
from gateway.surface.visit import VISIT

METHODS = frozenset({"POST", "PATCH", "PUT"})
"""Methods whose requests may carry a key; the others can be repeated as they are."""
KEEP_SECONDS = 86_400.0
MAX_KEYS = 10_000
MAX_BYTES = 64 * 1024 * 1024
"""What is kept in a process without a store."""
MAX_ROWS = 1_000_000
"""Keys that are kept in a store: about 12 a second through a whole day."""
MARGIN_SECONDS = 10.0
"""How long after the end of its time a request may still write down its outcome before it counts as dead."""
MAX_KEY = 255
"""Characters of a key."""

_RETRY_SECONDS = 1.0
_PRUNE_EVERY = 200
_PRUNE_BATCH = 500
"""More go at once than have come in between, so that the number of keys falls."""
_LOST = "The request came to no end that is known: look before you repeat it."
# RFC 9651 §3.3.3, a String in quotes as the draft has it, or the same without quotes as most clients send it.
_KEY = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"|([!#-~][!-~]*)')

Outcome: TypeAlias = Answer | Failure


class Once(ABC):
    """Whatever keeps the answers: under one key a request is performed once.

    `now` gives milliseconds, `fresh` a new id. What has no outcome after `hold` milliseconds will never have one; after
    `keep` milliseconds a key is forgotten.
    """

    def __init__(self, now: Callable[[], int], fresh: Callable[[str], str], *, hold: int, keep: int) -> None:
        self._now = now
        self._fresh = fresh
        self._hold = hold
        self._keep = keep

    async def once(self, asked: Asked, perform: Callable[[], Awaitable[Outcome]]) -> tuple[Outcome, bool]:
        """Perform the request, or give what it was answered with before, and True.

        Raises GatewayError IDEMPOTENCY_KEY_REUSED when the key came with another request, IDEMPOTENCY_IN_PROGRESS while
        the first has no answer, OutcomeUnknown when it will never have one, and StoreUnavailable when the key cannot be
        taken now; in all these cases nothing is sent.
        """
        now = self._now()
        new = Kept(self._fresh("op"), asked, began_at=now, until=now + self._hold)
        old = await self._take(new, now - self._keep)
        if old is not None:
            return _again(old, asked, now), True
        outcome = None
        try:
            outcome = _named(await perform(), new.id)
        finally:  # also when it was cut off: something may have been sent
            await self._settle(new, outcome)
        return outcome, False

    @abstractmethod
    async def _take(self, new: Kept, forget: int) -> Kept | None:
        """Take the key; or give what stands under it, unless that began before `forget` and is not under way."""

    @abstractmethod
    async def _settle(self, begun: Kept, outcome: Outcome | None) -> None:
        """Keep the outcome, or forget the key when the outcome is not final; None leaves it in doubt."""


class Ledger(Once):
    """The answers kept in this process, of too many the oldest leaving first. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        keep: float = KEEP_SECONDS,
        most: int = MAX_KEYS,
        most_bytes: int = MAX_BYTES,
    ) -> None:
        milliseconds = round(keep * 1000)
        # No id: what is kept here cannot be asked for later. Nobody but this process can end what is under way.
        super().__init__(lambda: int(clock() * 1000), lambda _: "", hold=milliseconds, keep=milliseconds)
        self._most = most
        self._most_bytes = most_bytes
        self._kept: dict[tuple[str, str, str], Kept] = {}
        self._bytes = 0

    def __repr__(self) -> str:
        return f"Ledger({len(self._kept)} keys, {self._bytes} bytes)"

    async def _take(self, new: Kept, forget: int) -> Kept | None:
        old = self._kept.get(_owned(new))
        if old is not None and (old.began_at >= forget or old.under_way(new.began_at)):
            return old
        self._make_room(new.began_at, forget)
        self._kept[_owned(new)] = new
        return None

    async def _settle(self, begun: Kept, outcome: Outcome | None) -> None:
        if outcome is None:
            self._kept[_owned(begun)] = replace(begun, until=0)
        elif final(outcome):
            data = encode(outcome)
            self._kept[_owned(begun)] = replace(begun, outcome=data)
            self._bytes += len(data)
        else:
            del self._kept[_owned(begun)]

    def _make_room(self, now: int, forget: int) -> None:
        """Drop what is too old, then the oldest until one more fits; what is under way stays."""
        count, size, gone = len(self._kept), self._bytes, []
        for owned, kept in self._kept.items():  # the oldest first
            if kept.began_at >= forget and count < self._most and size <= self._most_bytes:
                break
            if not kept.under_way(now):
                gone.append(owned)
                count, size = count - 1, size - len(kept.outcome or b"")
        for owned in gone:
            del self._kept[owned]
        self._bytes = size


class StoredLedger(Once):
    """The answers kept in the store, where a restart and other replicas find them.

    `now` gives milliseconds since 1970 and `fresh` a new id. `timeout` is how many seconds a call may take: what has no
    outcome by then, and a margin, died with its process.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], int],
        fresh: Callable[[str], str],
        timeout: float,
        keep: float = KEEP_SECONDS,
        most: int = MAX_ROWS,
    ) -> None:
        super().__init__(now, fresh, hold=hold_of(timeout), keep=round(keep * 1000))
        self._database = database
        self._most = most
        self._taken = itertools.count()

    def __repr__(self) -> str:
        return f"StoredLedger({self._database!r})"

    async def _take(self, new: Kept, forget: int) -> Kept | None:
        if next(self._taken) % _PRUNE_EVERY == 0:
            await self._database.write(lambda store: keys.prune(store, new.began_at, forget, self._most, _PRUNE_BATCH))
        return await self._database.write(lambda store: keys.begin(store, new, forget))

    async def _settle(self, begun: Kept, outcome: Outcome | None) -> None:
        try:
            if outcome is None:
                await self._database.write(lambda store: keys.doubt(store, begun.id))
            elif final(outcome):
                data, settled = encode(outcome), not unknown(outcome)
                await self._database.write(lambda store: keys.finish(store, begun.id, data, settled=settled))
            else:
                await self._database.write(lambda store: keys.drop(store, begun.id))
        except StoreUnavailable:  # the caller is answered all the same; a repeat is told that nobody knows
            asked = begun.asked
            observe.outcome_not_kept(connection=asked.connection, operation=asked.operation, try_id=begun.id)


def hold_of(timeout: float) -> int:
    """Give the milliseconds after which a request that may take `timeout` seconds has ended, or died."""
    return round((timeout + MARGIN_SECONDS) * 1000)


def asked_of(request: web.Request, connection: str, body: Json) -> Asked | None:
    """Describe a request that carries a key, as the caller sent it; None where there is no key or it does not matter.

    Raises CallInvalid for a key that is given twice, is empty, too long or not visible ASCII.
    """
    key = key_of(request)
    if key is None:
        return None
    sent = json.dumps({"path": path_parts(request), "body": body}, separators=(",", ":")).encode()
    owner, operation = caller_of(request).name, request[VISIT].operation
    return Asked(owner, connection, key, fingerprint(request, body), operation, sent)


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


def final(outcome: Outcome) -> bool:
    """Tell whether a repeat is answered the same."""
    if unknown(outcome):
        return True
    return outcome.status < HTTPStatus.INTERNAL_SERVER_ERROR and outcome.status != HTTPStatus.TOO_MANY_REQUESTS


def unknown(outcome: Outcome) -> bool:
    """Tell whether nobody knows what a request did."""
    return isinstance(outcome, Failure) and outcome.code == OutcomeUnknown.code


def encode(outcome: Outcome) -> bytes:
    """Write an outcome so that `decode` gives it back: a line of JSON, and the body of a success behind it."""
    if isinstance(outcome, Answer):
        told, body = {"status": outcome.status, "headers": dict(outcome.headers)}, outcome.body
        return json.dumps({"answer": told}).encode() + b"\n" + body
    told = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
    return json.dumps({"failure": told}, default=dict).encode()


def decode(data: bytes) -> Outcome:
    """Give the outcome that `encode` wrote."""
    line, _, body = data.partition(b"\n")
    told = json.loads(line)
    return Answer(body=body, **told["answer"]) if "answer" in told else Failure(**told["failure"])


def _again(old: Kept, asked: Asked, now: int) -> Outcome:
    """Give what a repeat is answered with."""
    if old.asked.fingerprint != asked.fingerprint:
        raise GatewayError("", code="IDEMPOTENCY_KEY_REUSED")
    if old.outcome is not None:
        return decode(old.outcome)
    if old.under_way(now):
        raise GatewayError("", code="IDEMPOTENCY_IN_PROGRESS", retry_after=_RETRY_SECONDS)
    raise OutcomeUnknown(_LOST, details={"operation": old.id} if old.id else {})


def _named(outcome: Outcome, id_: str) -> Outcome:
    """Tell with an unknown outcome by which id it can be asked for."""
    if isinstance(outcome, Failure) and unknown(outcome) and id_:
        return replace(outcome, details={**outcome.details, "operation": id_})
    return outcome


def _owned(kept: Kept) -> tuple[str, str, str]:
    return kept.asked.owner, kept.asked.connection, kept.asked.key
