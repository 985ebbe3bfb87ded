"""Messages that only ask who answers here, and what they are answered.

What is sent back is bounded, plain text or JSON that no browser takes for a page, and never a signature of something
that could be a message. Only VerificationFailed is raised.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.mapping.compiler.hooks.verify_keys import keys_of, tokens_of
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.verification import ChallengePlan, VerifyPlan
from gateway.values.errors import MappingFault
from gateway.values.messages import Json
from gateway.webhooks.inbound.parsing import Reading, VerificationFailed, raw, write

_ECHOED: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,1024}")
"""What is sent back: a line of text."""
_HEADER: Final = re.compile(r"[\x21-\x7e]{1,1024}")
_SIGNED: Final = re.compile(r"[A-Za-z0-9_+/=-]{1,256}")
"""What is signed for whoever asks: neither braces nor separators, so that it cannot be the signed bytes of a message.
Otherwise the challenge would sign any forgery."""
_NOSNIFF: Final = ("X-Content-Type-Options", "nosniff")


@dataclass(frozen=True, slots=True)
class ChallengeAnswer:
    """What a challenge is answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answer(plan: VerifyPlan, reading: Reading, scope: Mapping[str, Json], *, unproved: bool) -> ChallengeAnswer | None:
    """The answer to the first challenge that this message is; None when it is none.

    With `unproved` only those that are answered without verifying the message, else only the others. Raises
    VerificationFailed for a challenge whose token or value is not as it must be.
    """
    for challenge in plan.challenges:
        if challenge.unproved == unproved and _is_meant(challenge, reading, scope):
            _check_token(challenge, reading, scope)
            return _answer(plan, challenge, reading, scope)
    return None


def may_follow(plan: VerifyPlan, reading: Reading) -> bool:
    """Whether a message whose body is not read yet may be a challenge that is answered without being verified."""
    return any(challenge.unproved and _heads(challenge, reading) for challenge in plan.challenges)


def _heads(challenge: ChallengePlan, reading: Reading) -> bool:
    """Whether all that stands before the body of a challenge stands before the body of this message."""
    received = reading.received
    if challenge.method and received.method.upper() != challenge.method:
        return False
    if any((name, value) not in received.query for name, value in challenge.query.items()):
        return False
    place = challenge.value
    if place is None or place.path is not None:
        return True
    return any(name == place.header for name, _ in received.headers) or any(
        name == place.query for name, _ in received.query
    )


def _is_meant(challenge: ChallengePlan, reading: Reading, scope: Mapping[str, Json]) -> bool:
    if not _heads(challenge, reading):
        return False
    try:
        if challenge.when is not None and not reading.holds(challenge.when, scope):
            return False
        return challenge.value is None or bool(reading.single(challenge.value))
    except VerificationFailed:  # no JSON, or without the value: an ordinary message
        return False


def _check_token(challenge: ChallengePlan, reading: Reading, scope: Mapping[str, Json]) -> None:
    if challenge.token is None:
        return
    given = raw(reading.single(challenge.token))
    if not any(hmac.compare_digest(token, given) for token in tokens_of(challenge.keys, scope)):
        raise VerificationFailed("the token of the challenge is another")


def _answer(plan: VerifyPlan, challenge: ChallengePlan, reading: Reading, scope: Mapping[str, Json]) -> ChallengeAnswer:
    value = reading.single(challenge.value) if challenge.value is not None else ""
    if challenge.header:
        if not _HEADER.fullmatch(value):
            raise VerificationFailed("the value of the challenge cannot stand in a header")
        return ChallengeAnswer(200, ((challenge.header, value), _NOSNIFF), b"")
    if challenge.value is not None and not _ECHOED.fullmatch(value):
        raise VerificationFailed("the value of the challenge is too long, or no line of text")
    if challenge.json is None:
        return ChallengeAnswer(200, (("Content-Type", "text/plain; charset=utf-8"), _NOSNIFF), value.encode())
    names = {"value": value}
    if challenge.signs:
        names["signature"] = _signature(plan, challenge, value, scope)
    body = json.dumps(build(challenge.json, names), ensure_ascii=True).encode()
    return ChallengeAnswer(200, (("Content-Type", "application/json"), _NOSNIFF), body)


def _signature(plan: VerifyPlan, challenge: ChallengePlan, value: str, scope: Mapping[str, Json]) -> str:
    if not _SIGNED.fullmatch(value):
        raise VerificationFailed("the value of the challenge could be a message, which is not signed for anyone")
    key = next(keys_of(plan, scope), None)
    if key is None:
        raise MappingFault("there is no key to answer the challenge with", origin=challenge.origin)
    return write(hmac.digest(key, value.encode(), plan.algorithm), challenge.encoding)
