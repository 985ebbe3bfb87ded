"""The functions of paths as jmespath calls them: its own, and those that are declared in `functions/`.

jmespath looks at `type(x).__name__`, so everything given back is a plain dict, list, text or number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from jmespath.functions import Functions

from gateway.mapping.expressions.functions import PATH_FUNCTIONS
from gateway.mapping.expressions.functions.kind import ExpressionFailed
from gateway.values.messages import Json
from gateway.values.truth import MISSING


@dataclass(frozen=True, slots=True)
class Call:
    """How a function of paths may be called: how many arguments there are, and which are expressions or patterns."""

    least: int
    most: int | None
    expressions: tuple[bool, ...]
    patterns: frozenset[int] = frozenset()


def _own() -> dict[str, Call]:
    """Read the signatures of JMESPath's own functions."""
    found = {}
    for name, spec in Functions.FUNCTION_TABLE.items():
        takes = spec["signature"]
        many = bool(takes) and takes[-1].get("variadic", False)
        expressions = tuple("expref" in parameter["types"] for parameter in takes)
        found[name] = Call(len(takes), None if many else len(takes), expressions)
    return found


CALLS: Final[Mapping[str, Call]] = _own() | {
    name: Call(
        one.least,
        one.most,
        tuple(parameter.kind == "expression" for parameter in one.parameters),
        frozenset(at for at, parameter in enumerate(one.parameters) if parameter.kind == "pattern"),
    )
    for name, one in PATH_FUNCTIONS.items()
}
"""Every function that a path may call; one of ours takes the place of JMESPath's own of the same name."""


class PathFunctions(Functions):
    """jmespath's own functions and ours."""

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Json:
        """Call one; what it does not find is null. Raises ExpressionFailed, and JMESPathError for jmespath's own."""
        own = PATH_FUNCTIONS.get(function_name)
        if own is None:
            return _finite(super().call_function(function_name, resolved_args))
        found = own(
            *(_callable(argument) if hasattr(argument, "expression") else argument for argument in resolved_args)
        )
        return None if found is MISSING else _finite(found)


def _finite(found: Json) -> Json:
    """Refuse a number without end, which JSON cannot write: a sum of numbers near the largest double is one."""
    if isinstance(found, float) and not isfinite(found):
        raise ExpressionFailed("gives a number without end")
    return found


def _callable(expression: Any) -> Callable[[Json], Json]:
    """Make an expression such as `&id` a Python function of an element."""
    return lambda element: expression.visit(expression.expression, element)
