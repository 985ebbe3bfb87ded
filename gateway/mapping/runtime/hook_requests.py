"""A received request + a hook that asks → the canonical request it makes, and what it is answered. Pure.

Who sent it is proved before. What cannot be read is the sender's to mend: an error names the field, never its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from gateway.mapping.generated.binding import reader
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.hooks import RequestHook, RequestPlan
from gateway.mapping.runtime.expressions import decides, read
from gateway.mapping.runtime.hook_messages import body_of, names_of, response_of
from gateway.model.model import whole
from gateway.values.errors import AnswerMismatch, CallInvalid, GatewayError, MappingFault
from gateway.values.messages import Json, MarketplaceRequest, Received, Response
from gateway.values.truth import MISSING

_OF_MESSAGES = re.compile(r"\b(?:body|query|headers|row)(?:\.\w+)+")
"""Names of what a message holds, in the words of a template."""


def to_asked(plan: RequestHook, received: Received, scope: Scope) -> tuple[RequestPlan, MarketplaceRequest]:
    """Give the first ask that fits a message, and the canonical request that the message makes by it.

    `scope` is the connection's: settings, connection and now. Times without an offset that no codec has placed are of
    the connection's zone. Raises CallInvalid (VALIDATION_ERROR) where no ask fits or one that fits cannot be read; its
    `origin` says where the mapping asks for what there is not.
    """
    try:
        names = {**names_of(received, scope), "method": received.method, "body": body_of(plan, received)}
        for ask in plan.requests:
            if ask.when is None or decides(ask.when, names["body"], names, ask.origin):
                return ask, MarketplaceRequest(ask.request, _data(ask, names))
    except (AnswerMismatch, MappingFault) as failed:
        _refuse(failed, failed.origin)
    raise CallInvalid("The message asks for nothing that can be asked here.", origin=plan.origin)


def to_answer(ask: RequestPlan, asked: MarketplaceRequest, given: Mapping[str, Json], scope: Scope) -> Response:
    """Build the answer to what was asked of what it is given. Raises MappingFault where a template of it fails."""
    return response_of(ask.reply, {**scope, **given, "request": dict(asked.data)})


def _data(ask: RequestPlan, names: Mapping[str, Json]) -> dict[str, Json]:
    """Read the request: what the record makes of its row, and what is laid over it."""
    found: dict[str, Json] = {}
    if ask.reads is not None and ask.at is not None:
        row = read(ask.at, names["body"], ask.origin)
        if row is MISSING or row is None:
            raise AnswerMismatch(f"{ask.origin}: `{ask.at.text}` is missing in the message", origin=ask.origin)
        found = reader(ask.reads, names)(row, names)
    if ask.laid is not None:
        found |= build(ask.laid, names)
    try:
        return whole(ask.shape.type, found, names["connection"]["time_zone"])
    except CallInvalid as invalid:
        _refuse(invalid, ask.origin)


def _refuse(error: GatewayError, origin: str | None) -> NoReturn:
    """Say what the sender is to change, without the line of the mapping, and whatever is wrong in the same code."""
    reason = error.detail.removeprefix(f"{origin}: ")
    if isinstance(error, MappingFault):  # it quotes the mapping, which the sender does not know; the log has it whole
        named = ", ".join(f"`{name}`" for name in dict.fromkeys(_OF_MESSAGES.findall(reason)))
        reason = f"{named or 'something that is needed'} is missing in it or does not fit"
    detail = f"The message cannot be read: {reason}"
    raise CallInvalid(detail, details=error.details, origin=origin) from error
