"""What becomes of arguments that a provider cannot keep: warned of, or refused, as the caller prefers. Pure.

`partial:` of a mapping warns and `unsupported:` refuses. A caller who prefers `strict` is refused for both; for one who
prefers `lenient`, what only describes is left out with a warning (RFC 7240 §4.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.mapping.nodes.calls import OperationPlan
from gateway.model.model import Operation
from gateway.values.errors import Unsupported
from gateway.values.messages import LENIENT, STRICT, Json

NOT_KEPT: Final = "NOT_KEPT"
"""The code of the warning that an argument was taken without its full effect."""


def handle(
    plan: OperationPlan, given: Mapping[str, Json], operation: Operation, title: str, handling: str
) -> tuple[dict[str, Json], tuple[dict[str, Json], ...]]:
    """Give the arguments for the mapping, and a `Warning` of the contract for each that is not kept.

    `title` is the provider's, for messages. Raises Unsupported for what the caller does not want to lose, and for a
    change of which nothing would be left.
    """
    if not plan.partial and handling != LENIENT:
        return dict(given), ()
    args, lost = dict(given), dict[str, str]()
    for name, reason in plan.partial.items():
        if is_given(operation, args, name):
            if handling == STRICT:
                raise refusal(plan, name, reason, title)
            lost[name] = reason
    lenient = lenient_arguments(plan, operation) if handling == LENIENT else []
    lost |= {name: plan.unsupported[name] for name in lenient if is_given(operation, args, name)}
    kept = args
    for name in lost:
        kept = _without(kept, name.split("."))
    if lost and operation.patch and all(operation.args[name].where == "path" for name in kept):
        raise refusal(plan, *next(iter(lost.items())), title)
    for name in lost.keys() & plan.unsupported.keys():
        args = _without(args, name.split("."))
    return args, tuple(_warning(name, reason, title) for name, reason in lost.items())


def lenient_arguments(plan: OperationPlan, operation: Operation) -> list[str]:
    """Give the arguments for which `Prefer: handling=lenient` makes of a refusal a warning."""
    return [name for name in plan.unsupported if operation.describes(name)]


def is_given(operation: Operation | None, args: Mapping[str, Json], dotted: str) -> bool:
    """Tell whether a caller gave an argument, or a member of one: not null, and not what holds when it is left out."""
    value = member(args, dotted)
    declared = operation.args.get(dotted) if operation is not None else None
    return value is not None and (declared is None or value != declared.default)


def member(value: Json, dotted: str) -> Json:
    """Give an argument, or a member of one: `customer.phone`; of a list the first there is; None for none."""
    first, _, rest = dotted.partition(".")
    if isinstance(value, list):
        return next((found for one in value if (found := member(one, dotted)) is not None), None)
    found = value.get(first) if isinstance(value, Mapping) else None
    return member(found, rest) if rest else found


def refusal(plan: OperationPlan, name: str, reason: str, title: str) -> Unsupported:
    """Give the error that says that an argument cannot be honoured."""
    detail = f"{title} cannot honour `{name}` in {plan.name}: {reason}"
    return Unsupported(detail, details={"capability": f"{plan.name}.{name}", "reason": reason})


def _without(value: Json, steps: list[str]) -> Json:
    """Copy a value without what stands at the end of these steps, and without objects that this leaves empty."""
    if isinstance(value, list):
        return [_without(one, steps) for one in value]
    if not isinstance(value, Mapping) or steps[0] not in value:
        return value
    first, *rest = steps
    inner = _without(value[first], rest) if rest else None
    copy = {**value, first: inner}
    if not rest or inner == {}:
        del copy[first]
    return copy


def _warning(name: str, reason: str, title: str) -> dict[str, Json]:
    message = f"{title} does not keep `{name}` in full: {reason}"
    return {"code": NOT_KEPT, "message": message, "field": name, "reason": reason}
