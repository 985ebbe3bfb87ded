"""What failed inside an operation that another one runs, as the caller of the outer one is told it. Pure.

The caller never sent the arguments of the inner one. Where such an argument is made of what the caller gave, the error
names that; where it is not, it is the mapping's fault that it was handed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.mapping.nodes.calls import RunPlan, Scope
from gateway.mapping.runtime.faults.sources import behind
from gateway.values.errors import CallInvalid, GatewayError, MappingFault, ProviderRejected, StepRefused, Unsupported
from gateway.values.messages import Json

_FIELDS: Final = "fields"
_QUOTED: Final = re.compile(r"`([a-z_][a-z0-9_.]*)`")
"""A name in a sentence of ours."""


def told_outside(error: GatewayError, run: RunPlan, scope: Scope, outer: str) -> GatewayError:
    """Give what an error of the operation that is run means to the caller of the operation `outer`."""
    fields = error.details.get(_FIELDS)
    if isinstance(error, Unsupported):
        return _unsupported(error, run, scope, outer)
    if not isinstance(error, CallInvalid | ProviderRejected | StepRefused) or not isinstance(fields, list):
        return error
    told = [_name(one, name, run, scope) for one in fields for name in _names(one, run, scope)]
    if not isinstance(error, CallInvalid):  # in words of the provider or of the mapping, which stay
        rest = {key: value for key, value in error.details.items() if key != _FIELDS}
        return error.copy_with(details=rest | ({_FIELDS: told} if told else {}))
    if not told:
        return MappingFault(f"{run.origin}: {run.operation} cannot use it: {error.detail}", origin=run.origin)
    detail = " ".join(f"`{one['field']}` {one['problem']}." for one in told)
    return CallInvalid(detail, code=error.code, details={**error.details, _FIELDS: told}, origin=error.origin)


def _names(field: Json, run: RunPlan, scope: Scope) -> tuple[str, ...]:
    name = field.get("field") if isinstance(field, Mapping) else None
    return behind(run.made_of, name.split("."), scope) if isinstance(name, str) else ()


def _name(field: Mapping[str, Json], name: str, run: RunPlan, scope: Scope) -> dict[str, Json]:
    told = {**field, "field": name}
    if isinstance(field.get("problem"), str):
        told["problem"] = _rename(field["problem"], run, scope)
    return told


def _rename(problem: str, run: RunPlan, scope: Scope) -> str:
    """Write a sentence with the caller's names for arguments."""

    def outside(found: re.Match[str]) -> str:
        return next((f"`{name}`" for name in behind(run.made_of, found[1].split("."), scope)), found[0])

    return _QUOTED.sub(outside, problem)


def _unsupported(error: Unsupported, run: RunPlan, scope: Scope, outer: str) -> GatewayError:
    """What is missing is an argument of the inner operation: the caller knows it by its own."""
    capability = str(error.details.get("capability", ""))
    argument = capability.removeprefix(f"{run.operation}.")
    names = behind(run.made_of, argument.split("."), scope)
    if not names or argument == run.operation:
        return error
    told = f"{outer}.{names[0]}" if argument != capability else names[0]
    detail = error.detail.replace(f"`{argument}`", f"`{names[0]}`").replace(f" in {run.operation}:", f" in {outer}:")
    return Unsupported(detail, details={**error.details, "capability": told}, origin=error.origin)
