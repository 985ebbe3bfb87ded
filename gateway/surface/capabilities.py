"""What a connection can do, operation by operation, as its mapping says it. Derived, never kept."""

from __future__ import annotations

from gateway.mapping.plan import OperationPlan, ProviderPlan
from gateway.messages import Json
from gateway.model.model import Model


def capabilities(provider: ProviderPlan, model: Model) -> dict[str, Json]:
    """Give the capability of every operation of the contract, and of the provider's own under `native.` names."""
    told: dict[str, Json] = {}
    for name in model.operations:
        plan = provider.operations.get(name)
        if plan is None:
            told[name] = {"support": "unsupported", "notes": provider.unsupported.get(name)}
        else:
            told[name] = _capability(plan)
    return told | {plan.name: _capability(plan) for plan in provider.native.values()}


def _capability(plan: OperationPlan) -> dict[str, Json]:
    limits: dict[str, Json] = {}
    if plan.window is not None and plan.window.max_days is not None:
        limits["max_window_days"] = plan.window.max_days
    if plan.window is not None and plan.window.default_days is not None:
        limits["default_window_days"] = plan.window.default_days
    if plan.unsupported:
        limits["unsupported_arguments"] = dict(plan.unsupported)
    if plan.requires:
        limits["required_arguments"] = dict(plan.requires)
    told: dict[str, Json] = {"support": plan.support}
    if limits:
        told["limits"] = limits
    return told | ({"notes": plan.notes} if plan.notes else {})
