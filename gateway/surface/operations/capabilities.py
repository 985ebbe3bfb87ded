"""What a connection can do, operation by operation, as its mapping says it. Derived, never kept."""

from __future__ import annotations

from gateway.engine.catalog import Connection
from gateway.mapping.compiler.operations.alternatives import way_of
from gateway.mapping.handling import lenient_arguments
from gateway.mapping.nodes.calls import CallStep, OperationPlan
from gateway.mapping.nodes.provider import FittedPlan
from gateway.model.model import Model, Operation
from gateway.values.messages import Json
from gateway.values.rates import LimitsPlan


def describe_connection(connection: Connection, model: Model, status: str) -> dict[str, Json]:
    """Give the canonical Connection."""
    return {
        "id": connection.name,
        "provider": connection.provider.name,
        "name": connection.name,
        "time_zone": connection.zone,
        "currency": connection.currency,
        "status": status,
        "capabilities": capabilities(connection.provider, model),
    }


def capabilities(provider: FittedPlan, model: Model) -> dict[str, Json]:
    """Give the capability of every operation of the contract, and of the provider's own under `native.` names."""
    told: dict[str, Json] = {}
    for name in dict.fromkeys((*model.operations, *provider.compiled.ways)):
        plan = way_of(provider, name)
        if plan is None:
            told[name] = {"support": "unsupported", "notes": provider.unsupported.get(name)}
        else:
            told[name] = _capability(plan, provider.limits, model.operations.get(name))
    return told


def _capability(plan: OperationPlan, of_provider: LimitsPlan, operation: Operation | None) -> dict[str, Json]:
    limits: dict[str, Json] = {}
    rates = {name: of_provider.rates[name].text for name in sorted(_classes(plan)) if name in of_provider.rates}
    if rates:
        limits["rates"] = rates
    if plan.cache is not None:
        limits["kept_seconds"] = int(plan.cache)
    if plan.window is not None and plan.window.max_days is not None:
        limits["max_window_days"] = plan.window.max_days
    if plan.window is not None and plan.window.default_days is not None:
        limits["default_window_days"] = plan.window.default_days
    if plan.unsupported:
        limits["unsupported_arguments"] = dict(plan.unsupported)
    lenient = lenient_arguments(plan, operation) if operation is not None else []
    if lenient:
        limits["lenient_arguments"] = lenient
    if plan.partial:
        limits["partial_arguments"] = dict(plan.partial)
    if plan.requires:
        limits["required_arguments"] = dict(plan.requires)
    told: dict[str, Json] = {"support": plan.support}
    if limits:
        told["limits"] = limits
    return told | ({"notes": plan.notes} if plan.notes else {})


def _classes(plan: OperationPlan) -> set[str]:
    """The rate classes that the operation's own calls count against."""
    steps = (step for variant in plan.variants for step in variant.steps)
    return {step.call.limit for step in steps if isinstance(step, CallStep)}
