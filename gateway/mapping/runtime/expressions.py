"""What a path, a template and a condition mean where they stand: each failure names its line, and says whose it is.

A condition is true of the data at hand by JMESPath's rule where it is a path; a template says true or false.
"""

from __future__ import annotations

from gateway.mapping.expressions import ExpressionFailed, Path, Predicate, Template
from gateway.mapping.generated.paths import find
from gateway.mapping.generated.running import render
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.runtime.faults.blame import failure
from gateway.values.errors import AnswerMismatch
from gateway.values.messages import Json
from gateway.values.truth import MISSING, is_true, truth


def read(path: Path, data: Json, origin: str) -> Json:
    """Evaluate a path on a provider's data: the value or MISSING. Raises AnswerMismatch."""
    try:
        return find(path, data)
    except ExpressionFailed as failed:
        raise AnswerMismatch(f"{origin}: `{path.text}`: {failed}", origin=origin) from None


def rendered(template: Template, scope: Scope, origin: str) -> Json:
    """Evaluate a template; raises MappingFault, or CallInvalid where it fails on what the caller gave."""
    try:
        return render(template, scope)
    except ExpressionFailed as failed:
        raise failure(template, failed, scope, origin) from None


def decides(predicate: Predicate, data: Json, scope: Scope, origin: str) -> bool:
    """Whether a condition holds of the data at hand and the names in scope.

    Raises AnswerMismatch where a path does not fit the data; MappingFault where a template fails or gives neither true
    nor false, or CallInvalid where it fails on what the caller gave.
    """
    if isinstance(predicate, Path):
        return is_true(read(predicate, data, origin))
    return truth(rendered(predicate, scope, origin), origin)


def decides_of_answer(predicate: Predicate, data: Json, scope: Scope, origin: str) -> bool:
    """The same of what a provider sent: a template that fails does so on that. Raises AnswerMismatch, MappingFault."""
    try:
        return holds_of(predicate, data, scope, origin)
    except ExpressionFailed as failed:
        raise AnswerMismatch(f"{origin}: `{predicate.text}`: {failed}", origin=origin) from None


def holds_where_it_can(predicate: Predicate, data: Json, scope: Scope, origin: str) -> bool:
    """The same, where one that cannot be evaluated does not hold. Raises MappingFault for neither true nor false."""
    try:
        return holds_of(predicate, data, scope, origin)
    except ExpressionFailed:
        return False


def holds_of(predicate: Predicate, data: Json, scope: Scope, origin: str) -> bool:
    """The same; raises ExpressionFailed for what cannot be evaluated, MappingFault for neither true nor false."""
    if isinstance(predicate, Path):
        return is_true(find(predicate, data))
    return truth(render(predicate, scope), origin)


def told_by(predicate: Predicate, data: Json, scope: Scope, origin: str) -> bool | None:
    """The same, and None where it gives null: nothing is known then. Raises what `decides` raises."""
    if isinstance(predicate, Path):
        value = read(predicate, data, origin)
        return None if value is None or value is MISSING else is_true(value)
    value = rendered(predicate, scope, origin)
    return None if value is None else truth(value, origin)
