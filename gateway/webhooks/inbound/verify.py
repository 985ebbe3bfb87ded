"""Whether a message comes from the provider: raw bytes and what `verify` asks for → accepted or refused. Pure.

There are two outcomes and no third: whatever a message holds, nothing is raised. The reason of a refusal is for our
own log; the sender is told the same whatever failed. Nothing is decoded that a check does not need.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.mapping.compiler.hooks.verify_keys import keys_of
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.verification import DigestPlan, SignaturePlan, TimestampPlan, VerifyPlan
from gateway.model.types.times import TimeRefused, moment, normal_instant
from gateway.values.errors import MappingFault
from gateway.values.messages import Json, Received
from gateway.webhooks.inbound import asymmetric, challenges
from gateway.webhooks.inbound.challenges import ChallengeAnswer
from gateway.webhooks.inbound.jwt import check_token
from gateway.webhooks.inbound.parsing import Reading, VerificationFailed, raw, unwritten

__all__ = ["ChallengeAnswer", "HeaderProof", "Verdict", "glance", "verify"]

_TIMES: Final = {"s": re.compile("[1-9][0-9]{8,12}"), "ms": re.compile("[1-9][0-9]{11,15}")}
"""Python's own conversions also take blanks, underscores, signs and the digits of every script."""
_ITEMS: Final = 1_000
"""Elements of `each`; more are refused."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message is accepted. An accepted one with an `answer` is a challenge: answer it, and no more.

    `reason` says for our log why it was refused; it holds neither a secret nor what would have been right.
    """

    accepted: bool
    answer: ChallengeAnswer | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HeaderProof:
    """What a message proves before its body is read: everything (`proved`), or that it will be refused (`reason`)."""

    proved: bool = False
    reason: str = ""
    """For our own log, as that of a Verdict; empty where the body may still prove it."""


def glance(plans: Sequence[VerifyPlan], head: Received, scope: Mapping[str, Json], now: float, url: str) -> HeaderProof:
    """Look at a message whose body is not read yet. What is refused here, `verify` would refuse whatever the body is.

    The arguments are those of `verify`; of `head` the body is empty.
    """
    reading = Reading(head, url)
    applied = [plan for plan in plans if plan.applies(scope, head.method)]
    if plans and not applied:
        return HeaderProof(reason="no setting is given with which it could be verified")
    if any(challenges.may_follow(plan, reading) for plan in applied):
        return HeaderProof()
    try:
        proved = [_check_head(plan, reading, scope, now) for plan in applied]
    except VerificationFailed as unproved:
        return HeaderProof(reason=str(unproved))
    except MappingFault as fault:
        return HeaderProof(reason=fault.detail)
    return HeaderProof(proved=bool(proved) and all(proved))


def _check_head(plan: VerifyPlan, reading: Reading, scope: Mapping[str, Json], now: float) -> bool:
    """Check what of one plan stands before the body, and tell whether that is all of it; raises VerificationFailed."""
    if plan.scheme == "basic" or (plan.scheme == "token" and (plan.token is None or plan.token.path is None)):
        _check(plan, reading, scope, now)
        return True
    if plan.signature is None or plan.signature.location.path is not None:
        return False
    if plan.jwt is not None:
        if not plan.jwt.body_claim:
            _check(plan, reading, scope, now)
            return True
        reading.single(plan.signature.location)
        return False
    _candidates(plan.signature, reading, None)
    if plan.timestamp is not None and plan.timestamp.location.path is None:
        _timestamp(plan.timestamp, reading, now, None)
    return False


def verify(
    plans: Sequence[VerifyPlan],
    received: Received,
    scope: Mapping[str, Json],
    now: float,
    url: str,
    *,
    recorded: bool = False,
) -> Verdict:
    """Verify one message against all of the plans of its hook; without any (`verify: none`) it is accepted.

    `scope` is `{"settings": …}` with secrets revealed, `now` seconds since 1970, `url` the hook's public URL as it is
    configured, never as the message says. A plan whose needs the settings do not meet, or that is for
    messages of another method, is left out, but where all are left out nothing is accepted. Of a `recorded` message a
    proof that it does not carry at all is taken as right; one that it carries must hold.
    """
    reading = Reading(received, url)
    applied = [plan for plan in plans if plan.applies(scope, received.method)]
    if plans and not applied:
        return Verdict(accepted=False, reason="no setting is given with which it could be verified")
    try:
        answer = _challenge(applied, reading, scope, unproved=True)
        if answer is not None:
            return Verdict(accepted=True, answer=answer)
        for plan in applied:
            if not recorded or _carries(plan, reading):
                _check(plan, reading, scope, now)
        return Verdict(accepted=True, answer=_challenge(applied, reading, scope, unproved=False))
    except VerificationFailed as unproved:
        return Verdict(accepted=False, reason=str(unproved))
    except MappingFault as fault:
        return Verdict(accepted=False, reason=fault.detail)


def _carries(plan: VerifyPlan, reading: Reading) -> bool:
    """Whether anything stands where a message has its token, credentials or signature, be it right or wrong."""
    if plan.scheme == "basic":
        return any(name == "authorization" for name, _ in reading.received.headers)
    place = plan.token if plan.signature is None else plan.signature.location
    if place is None:
        return reading.received.token is not None
    if place.path is None:
        received = reading.received
        return any(name == place.header for name, _ in received.headers) or any(
            name == place.query for name, _ in received.query if not place.header
        )
    try:
        items = _items(plan, reading) if plan.signature is not None else [reading.json()]
        return any(reading.value(place.path, item) is not None for item in items)
    except VerificationFailed:  # no JSON: it carries nothing, and whoever reads it says so
        return False


def _challenge(
    plans: Sequence[VerifyPlan], reading: Reading, scope: Mapping[str, Json], *, unproved: bool
) -> ChallengeAnswer | None:
    answers = (challenges.answer(plan, reading, scope, unproved=unproved) for plan in plans)
    return next((answer for answer in answers if answer is not None), None)


def _check(plan: VerifyPlan, reading: Reading, scope: Mapping[str, Json], now: float) -> None:
    """Check one plan; raises VerificationFailed."""
    keys = list(keys_of(plan, scope))
    if not keys:
        raise VerificationFailed("there is no key that could be used")
    match plan.scheme:
        case "token":
            _check_shared(plan, reading, keys)
        case "basic":
            _check_basic(plan, reading, keys, scope)
        case "jwt" if plan.jwt is not None and plan.signature is not None:
            token = reading.single(plan.signature.location)
            check_token(plan.jwt, token, keys, reading.received.body, now)
        case _:
            for item in _items(plan, reading):
                _check_signed(plan, reading, keys, now, item)


def _check_shared(plan: VerifyPlan, reading: Reading, keys: Sequence[bytes]) -> None:
    given = reading.single(plan.token) if plan.token is not None else reading.received.token
    if not given or not _among(keys, raw(given)):
        raise VerificationFailed("the token is missing or another")


def _check_basic(plan: VerifyPlan, reading: Reading, keys: Sequence[bytes], scope: Mapping[str, Json]) -> None:
    """HTTP Basic, RFC 7617: the first colon ends the user-id, a password may hold others."""
    scheme, _, credentials = reading.header("authorization").partition(" ")
    try:
        given = base64.b64decode(credentials.strip(" "), validate=True)
    except (binascii.Error, ValueError):
        raise VerificationFailed("the credentials are not base64") from None
    user, colon, password = given.partition(b":")
    wanted = build(plan.user, scope) if plan.user is not None else None
    if not isinstance(wanted, str) or scheme.lower() != "basic" or not colon:
        raise VerificationFailed("the credentials are not of HTTP Basic")
    fits = hmac.compare_digest(raw(wanted), user), _among(keys, password)
    if not all(fits):
        raise VerificationFailed("the user or the password is another")


def _items(plan: VerifyPlan, reading: Reading) -> Sequence[Json]:
    """What is signed by itself: the elements of `each`, or the message as a whole."""
    if plan.each is None:
        return [reading.json()] if _reads_body(plan) else [None]
    found = reading.value(plan.each)
    if not isinstance(found, list) or not 0 < len(found) <= _ITEMS:
        raise VerificationFailed("there is nothing that is signed, or too much")
    return found


def _reads_body(plan: VerifyPlan) -> bool:
    """Whether a path of the plan reads the body as JSON."""
    located = (plan.signature, plan.timestamp, plan.digest)
    return any(piece.paths for piece in plan.signed) or any(
        one.location.path is not None for one in located if one is not None
    )


def _check_signed(plan: VerifyPlan, reading: Reading, keys: Sequence[bytes], now: float, item: Json) -> None:
    if plan.signature is None:
        raise AssertionError("a signed message without a signature does not compile")
    candidates = _candidates(plan.signature, reading, item)
    timestamp = _timestamp(plan.timestamp, reading, now, item) if plan.timestamp is not None else ""
    if plan.digest is not None:
        _check_digest(plan.digest, reading, item)
    for key in keys:
        signed = reading.signed(plan.signed, timestamp, key, item)
        if any(_holds(plan, key, signed, candidate) for candidate in candidates):
            return
    raise VerificationFailed("no signature is of these bytes with any of the keys")


def _holds(plan: VerifyPlan, key: bytes, signed: bytes, candidate: bytes) -> bool:
    if plan.scheme == "asymmetric":
        return asymmetric.holds(plan.algorithm, key, candidate, signed)
    if plan.scheme == "hash":
        return hmac.compare_digest(hashlib.new(plan.algorithm, signed).digest(), candidate)
    return hmac.compare_digest(hmac.digest(key, signed, plan.algorithm), candidate)


def _candidates(plan: SignaturePlan, reading: Reading, item: Json) -> list[bytes]:
    entries = reading.entries(plan.location, item)
    if len(entries) > plan.most:
        raise VerificationFailed(f"there are more than {plan.most} signatures")
    found = [content for entry in entries if (content := unwritten(entry, plan.encoding))]
    if not found:
        raise VerificationFailed("there is no signature that can be read")
    return found


def _timestamp(plan: TimestampPlan, reading: Reading, now: float, item: Json) -> str:
    """The time of signing as it came, once it is known to be near enough."""
    text = reading.single(plan.location, item)
    if plan.unit == "iso":
        try:
            seconds = moment(normal_instant(text)).timestamp()
        except (TimeRefused, OverflowError):
            raise VerificationFailed("the timestamp is no RFC 3339 time with an offset") from None
    elif _TIMES[plan.unit].fullmatch(text):
        seconds = int(text) / (1000 if plan.unit == "ms" else 1)
    else:
        raise VerificationFailed("the timestamp is no plain number of its unit")
    if not abs(now - seconds) <= plan.tolerance:
        raise VerificationFailed("the timestamp is too far from now")
    return text


def _check_digest(plan: DigestPlan, reading: Reading, item: Json) -> None:
    told = unwritten(reading.single(plan.location, item), plan.encoding)
    if told is None or not hmac.compare_digest(told, hashlib.new(plan.hash, reading.received.body).digest()):
        raise VerificationFailed("the digest is not of this body")


def _among(keys: Sequence[bytes], given: bytes) -> bool:
    """Whether it is one of the keys, compared in a time that does not tell how much agrees."""
    return any(hmac.compare_digest(key, given) for key in keys)
