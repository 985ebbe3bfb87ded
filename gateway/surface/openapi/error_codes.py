"""Which error codes an operation can be answered with: what any can, and what the mapping's own rules add. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.mapping.compiler.operations.alternatives import runs_in
from gateway.mapping.nodes.calls import OperationPlan, RefuseStep
from gateway.mapping.nodes.provider import FittedPlan
from gateway.model.model import Model, Operation
from gateway.surface.idempotency.requests import METHODS
from gateway.values.errors import (
    AnswerMismatch,
    CallerRefused,
    CallInvalid,
    GatewayError,
    MappingFault,
    OutcomeUnknown,
    ProviderUnauthorised,
    ProviderUnavailable,
)
from gateway.values.messages import Effect

WITHOUT_CALLER = frozenset({CallInvalid.CODE, GatewayError.CODE})
"""What the gateway answers by itself, whatever is asked and by whom."""
WITHOUT_PROVIDER = WITHOUT_CALLER | {CallerRefused.CODE, "FORBIDDEN"}
"""What the gateway answers a caller by itself, whatever is asked."""
ANY = WITHOUT_PROVIDER | {
    "CONNECTION_NOT_FOUND",
    "RATE_LIMITED",
    "PROVIDER_TIMEOUT",
    AnswerMismatch.CODE,
    MappingFault.CODE,
    ProviderUnauthorised.CODE,
    ProviderUnavailable.CODE,
}
"""What any call of a provider can end with, whatever its mapping says."""
REPEATED = frozenset({"IDEMPOTENCY_IN_PROGRESS", "IDEMPOTENCY_KEY_REUSED"})

_TIMES = "instant"


def on_any_connection(model: Model, operation: Operation) -> frozenset[str]:
    """Give the codes of an operation where nothing is known of the mapping, whose rules may use any of the contract."""
    never = set() if operation.method in METHODS else set(REPEATED)
    if operation.effect is Effect.SAFE:
        never.add(OutcomeUnknown.CODE)
    return frozenset(model.errors) - never


def on_connection(operation: Operation, plan: OperationPlan, provider: FittedPlan) -> frozenset[str]:
    """Give the codes of an operation as this provider's mapping has it."""
    return by_itself(operation) | frozenset(_own(operation.method, plan, provider))


def by_itself(operation: Operation) -> frozenset[str]:
    """Give the codes of an operation whatever a mapping says: its rules and guards add their own."""
    found = set(_always(operation.method, operation.effect))
    if any(argument.type.kind == _TIMES for argument in operation.args.values()):
        found.add("INVALID_TIME")
    if operation.window is not None:
        found.add("WINDOW_TOO_LARGE")
    if operation.not_found is not None:
        found.add(operation.not_found)
    return frozenset(found)


def of_native(method: str, plan: OperationPlan, provider: FittedPlan) -> frozenset[str]:
    """Give the codes of a provider's own operation."""
    return frozenset(_own(method, plan, provider))


def _own(method: str, plan: OperationPlan, provider: FittedPlan) -> Iterator[str]:
    yield from _always(method, plan.effect)
    yield from (rule.code for rule in provider.rules)
    yield from _rule(plan, provider, {plan.name})


def _always(method: str, effect: Effect) -> Iterator[str]:
    yield from ANY
    if effect is not Effect.SAFE:
        yield OutcomeUnknown.CODE
    if method in METHODS:
        yield from REPEATED


def _rule(plan: OperationPlan, provider: FittedPlan, seen: set[str]) -> Iterator[str]:
    """Give the codes of an operation's own rules and guards, and those of the operations it runs."""
    if plan.args_from:
        yield "SLOT_NOT_FOUND"
    for variant in plan.variants:
        yield from (rule.code for rule in variant.rules)
        yield from (guard.code for step in variant.steps if isinstance(step, RefuseStep) for guard in step.guards)
        for name in runs_in(variant):
            if name not in seen:
                seen.add(name)
                yield from _rule(provider.operations[name], provider, seen)
