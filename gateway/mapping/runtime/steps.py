"""What the steps of an operation mean while a call runs: values taken, guards, and arguments as the mapping wants them.

Each failure names its line, and says whose it is. No message holds a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.mapping.codecs import CodecRefused, CodecUnsupported
from gateway.mapping.expressions import ExpressionFailed
from gateway.mapping.generated.running import build
from gateway.mapping.handling import is_given, member, refusal
from gateway.mapping.nodes.calls import ExclusiveStep, OperationPlan, RefuseStep, Scope, Step, Variable, VariantPlan
from gateway.mapping.runtime.expressions import decides, rendered
from gateway.mapping.runtime.faults.blame import given_by_caller, unfit
from gateway.mapping.runtime.faults.unwritable import not_kept
from gateway.model.model import Operation
from gateway.model.types.types import TypeRefused
from gateway.values.errors import (
    CallInvalid,
    GatewayError,
    MappingFault,
    NotMapped,
    StepRefused,
)
from gateway.values.messages import Json


def value_of(variable: Variable, scope: Scope) -> Json:
    """A variable, written by its codec. What the codec cannot write is the caller's to change: CallInvalid."""
    value = rendered(variable.value, scope, variable.origin)
    if variable.codec is None or variable.codec.encode is None or value is None:
        return value
    try:
        return variable.codec.encode(value, {**scope, "row": {}})
    except CodecUnsupported as lost:
        raise not_kept(next(iter(given_by_caller(variable.value, scope)), variable.name), lost.reason) from None
    except CodecRefused as refused:
        raise _unwritable(variable, refused, scope) from None
    except ExpressionFailed as failed:
        raise MappingFault(f"{variable.origin}: {failed}", origin=variable.origin) from None


def _unwritable(variable: Variable, refused: CodecRefused, scope: Scope) -> GatewayError:
    """Give the error of a value that the codec cannot write, under the names that the caller knows."""
    fields = given_by_caller(variable.value, scope)
    if variable.refused in {None, "INVALID_TIME", "VALIDATION_ERROR"} and fields:
        return unfit(fields, f"is not {refused}", code=variable.refused, origin=variable.origin)
    if variable.refused is None:
        return MappingFault(f"{variable.origin}: cannot be written: not {refused}", origin=variable.origin)
    return CallInvalid("", code=variable.refused, origin=variable.origin)


def assign(variables: Iterable[Variable], scope: dict[str, Json]) -> None:
    """Compute variables one after the other; each is in the scope of those after it."""
    for variable in variables:
        scope[variable.name] = value_of(variable, scope)


def is_wanted(step: Step, scope: Scope) -> bool:
    """Whether a step is to be done."""
    return step.when is None or decides(step.when, None, scope, step.origin)


def refuse(step: RefuseStep, scope: Scope) -> None:
    """End the operation with the first guard that holds: raises StepRefused with its code."""
    for guard in step.guards:
        if decides(guard.when, None, scope, guard.origin):
            details = build(guard.details, scope) if guard.details is not None else None
            raise StepRefused(guard.message, code=guard.code, details=details, origin=guard.origin)


def alone(step: ExclusiveStep, scope: Scope) -> list[str]:
    """What a write is exclusive over, each as text. Raises MappingFault where it names nothing."""
    value = rendered(step.over, scope, step.origin)
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(one, str | int) and one != "" for one in names):
        message = f"{step.origin}: `exclusive` must give a text or a list of texts, none of them empty"
        raise MappingFault(message, origin=step.origin)
    return [str(one) for one in names]


def accept(
    plan: OperationPlan, given: Mapping[str, Json], operation: Operation | None, title: str, scope: Scope
) -> dict[str, Json]:
    """Arguments as the mapping wants them, the composite ones taken apart. `title` is the provider's, for messages.

    Raises Unsupported for what this provider cannot honour, CallInvalid for what it needs and was not given, and
    NotMapped for an id that does not come apart. A native operation has no `operation`.
    """
    args = dict(given)
    for name, reason in plan.unsupported.items():
        if is_given(operation, args, name):
            raise refusal(plan, name, reason, title)
    for name in plan.args_from:
        if args.get(name) is not None:
            _take_apart(plan, name, args, scope)
    missing = [name for name in plan.requires if member(args, name) is None]
    if missing:
        problems = [{"field": name, "problem": f"is needed here: {plan.requires[name]}"} for name in missing]
        names = ", ".join(f"`{name}`" for name in missing)
        raise CallInvalid(f"{title} needs {names} in {plan.name}.", details={"fields": problems})
    return args


def _take_apart(plan: OperationPlan, name: str, args: dict[str, Json], scope: Scope) -> None:
    encode = plan.args_from[name].encode
    if encode is None:
        return  # no codec that only reads is let in
    try:
        parts = encode(args[name], {**scope, "row": {}})
    except CodecRefused:
        raise NotMapped("", code=plan.not_found) from None
    except ExpressionFailed as failed:
        raise MappingFault(f"{plan.origin}: `args_from`: {failed}", origin=plan.origin) from None
    for part, value in parts.items():
        if args.get(part) is not None and args[part] != value:
            problem = {"field": part, "problem": f"contradicts `{name}`"}
            raise CallInvalid(f"`{part}` contradicts `{name}`.", details={"fields": [problem]})
        args[part] = value


def chosen_by(variant: VariantPlan, operation: Operation, scope: Scope) -> dict[str, Json]:
    """Give what `filters:` says that arguments stand for where the gateway chooses rows; null chooses none.

    Raises MappingFault where it is no value of the argument.
    """
    found: dict[str, Json] = {}
    filters = build(variant.filters, scope) if variant.filters is not None else {}
    for name, value in filters.items():
        try:
            found[name] = None if value is None else operation.args[name].type.accept(value)
        except TypeRefused as refused:
            message = f"{variant.origin}: `filters:` of {name} is not {refused}"
            raise MappingFault(message, origin=variant.origin) from None
    return found
