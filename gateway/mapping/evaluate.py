"""Paths and templates of a plan evaluated while a call runs: each failure names its line, and says whose it is. Pure.

What a path does not find its way through is the provider's answer, what a template fails on is the mapping. No message
holds a value.
"""

from __future__ import annotations

from gateway.errors import AnswerMismatch, CallInvalid, GatewayError, MappingFault
from gateway.mapping.codecs import CodecRefused
from gateway.mapping.expressions import ExpressionFailed, Path, Template
from gateway.mapping.plan import Scope, StepPlan, Take
from gateway.mapping.trees import truth
from gateway.messages import Json


def read(path: Path, data: Json, origin: str) -> Json:
    """Evaluate a path on a provider's data: the value or MISSING. Raises AnswerMismatch."""
    try:
        return path.read(data)
    except ExpressionFailed as failed:
        raise AnswerMismatch(f"{origin}: `{path.text}`: {failed}", origin=origin) from None


def rendered(template: Template, scope: Scope, origin: str) -> Json:
    """Evaluate a template; raises MappingFault."""
    try:
        return template.render(scope)
    except ExpressionFailed as failed:
        raise MappingFault(f"{origin}: `{template.text}`: {failed}", origin=origin) from None


def taken(take: Take, scope: Scope) -> Json:
    """A taken value, written by its codec. What the codec cannot write is the caller's to change: CallInvalid."""
    value = rendered(take.value, scope, take.origin)
    if take.encode is None or value is None:
        return value
    try:
        return take.encode(value, {**scope, "row": {}})
    except CodecRefused as refused:
        if take.refused is None:
            raise MappingFault(f"{take.origin}: cannot be written: not {refused}", origin=take.origin) from None
        detail = f"`{take.name}` is not {refused}" if take.refused in {"INVALID_TIME", "VALIDATION_ERROR"} else ""
        raise CallInvalid(detail, code=take.refused) from None
    except ExpressionFailed as failed:
        raise MappingFault(f"{take.origin}: {failed}", origin=take.origin) from None


def wanted(step: StepPlan, scope: Scope) -> bool:
    """Whether a step is to be done."""
    return step.when is None or truth(rendered(step.when, scope, step.origin), step.origin)


def refuse(step: StepPlan, scope: Scope) -> None:
    """End the operation with the first guard that holds: raises GatewayError with its code."""
    for guard in step.refuse:
        if truth(rendered(guard.when, scope, guard.origin), guard.origin):
            details = guard.details(scope) if guard.details is not None else None
            raise GatewayError(guard.message, code=guard.code, details=details, origin=guard.origin)
