"""The outcome of a request as bytes that are kept, and what it means for a repeat."""

from __future__ import annotations

import json
from dataclasses import fields
from http import HTTPStatus
from typing import TypeAlias

from gateway.engine.compensation import MAY_BE_DONE
from gateway.surface.http.error_responses import Failure
from gateway.surface.http.responses import Answer
from gateway.values.errors import OutcomeUnknown

Outcome: TypeAlias = Answer | Failure


def final(outcome: Outcome) -> bool:
    """Tell whether a repeat is answered the same."""
    if unknown(outcome):
        return True
    if isinstance(outcome, Failure) and outcome.details.get(MAY_BE_DONE):
        return False  # the operation may be repeated, and a repeat tells how it stands
    return outcome.status < HTTPStatus.INTERNAL_SERVER_ERROR and outcome.status != HTTPStatus.TOO_MANY_REQUESTS


def unknown(outcome: Outcome) -> bool:
    """Tell whether nobody knows what a request did."""
    return isinstance(outcome, Failure) and outcome.code == OutcomeUnknown.CODE


def encode(outcome: Outcome) -> bytes:
    """Write an outcome so that `decode` gives it back: a line of JSON, and the body of a success behind it.

    Of a success that shows a secret, what may be kept of it.
    """
    if isinstance(outcome, Answer):
        told = {"status": outcome.status, "headers": dict(outcome.headers)}
        body = outcome.body if outcome.kept is None else outcome.kept
        return json.dumps({"answer": told}).encode() + b"\n" + body
    told = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
    return json.dumps({"failure": told}, default=dict).encode()


def decode(data: bytes) -> Outcome:
    """Give the outcome that `encode` wrote."""
    line, _, body = data.partition(b"\n")
    told = json.loads(line)
    return Answer(body=body, **told["answer"]) if "answer" in told else Failure(**told["failure"])
