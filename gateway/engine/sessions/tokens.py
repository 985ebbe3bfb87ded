"""What a session lives by: a token, when it is over, and what renews it. Read from answers, written to be kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.engine.way_out.credentials import token_in
from gateway.mapping.expressions import Path
from gateway.mapping.nodes.calls import CallPlan, ErrorRule, Scope
from gateway.mapping.nodes.provider import SessionAuth
from gateway.mapping.nodes.sessions import After, AsTold, Unit
from gateway.mapping.runtime.answers import to_body
from gateway.mapping.runtime.expressions import read
from gateway.values.errors import AnswerMismatch
from gateway.values.messages import Json, Response
from gateway.values.secrets import Secret
from gateway.values.truth import MISSING


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token and what belongs to it. `until` is in seconds since 1970: from then on it is renewed before it is used.

    `refresh` is what renews it; None where only another login does.
    """

    token: str = field(repr=False)
    until: float | None = None
    refresh: str | None = field(default=None, repr=False)

    def serves(self, now: float, stale: str | None) -> bool:
        """Tell whether it can be used now by somebody to whom `stale` was refused."""
        return self.token != stale and (self.until is None or now <= self.until)

    def secrets(self) -> Iterator[Secret]:
        """Give what of it nobody may see."""
        yield from (Secret(one) for one in (self.token, self.refresh) if one)

    def to_bytes(self) -> bytes:
        """Write it, to be encrypted and kept."""
        return json.dumps([self.token, self.until, self.refresh]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Tokens:
        """Read what `to_bytes` wrote."""
        return cls(*json.loads(data))


def read_tokens(
    auth: SessionAuth,
    call: CallPlan,
    response: Response,
    rules: Iterable[ErrorRule],
    scope: Scope,
    *,
    before: str | None,
    now: float,
) -> Tokens:
    """Read what a call of a session got; raises what the rules make of a refusal, and AnswerMismatch.

    `before` is what renewed it so far, which stays where the answer has nothing new (RFC 6749, section 6). `now` is in
    seconds since 1970.
    """
    body = to_body(call, response, (*auth.rules, *rules), scope)
    token: Json = (
        read(auth.token, body, auth.origin) if isinstance(auth.token, Path) else token_in(auth.token, response)
    )
    if not isinstance(token, str) or not token:
        raise AnswerMismatch(
            f"{auth.origin}: the login's answer holds no token where `token:` says", origin=auth.origin
        )
    refresh = read(auth.refresh.token, body, auth.origin) if auth.refresh is not None else None
    if refresh in (None, MISSING, ""):
        refresh = before
    elif not isinstance(refresh, str):
        raise AnswerMismatch(f"{auth.origin}: what renews the session is no text", origin=auth.origin)
    return Tokens(token, _until(auth, body, now), refresh)


def _until(auth: SessionAuth, body: Json, now: float) -> float | None:
    """Say when a token is to be renewed, in seconds since 1970; None of one whose end nobody has told."""
    match auth.expiry:
        case After(seconds=seconds):
            return now + seconds
        case AsTold(at=path, unit=unit, margin=margin):
            told = read(path, body, auth.origin)
            if told in (None, MISSING):
                return None
            life = _end(told, unit, now, auth.origin) - now
            return now + max(life - margin, life / 2)
    return None


def _end(told: Json, unit: Unit, now: float, origin: str) -> float:
    """Read when a token is over, in seconds since 1970."""
    try:
        if unit == "iso8601" and isinstance(told, str):
            at = datetime.fromisoformat(told)
            return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
        if unit != "iso8601" and isinstance(told, str | int | float) and not isinstance(told, bool):
            number = float(told)
            return {"seconds": now + number, "epoch": number, "epoch_ms": number / 1000}[unit]
    except (ValueError, OverflowError):
        pass
    raise AnswerMismatch(f"{origin}: the login's answer does not say in `{unit}` when the token is over", origin=origin)
