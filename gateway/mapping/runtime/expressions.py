"""What a path and a template mean where they stand: each failure names its line, and says whose it is."""

from __future__ import annotations

from gateway.mapping.expressions import ExpressionFailed, Path, Template
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.runtime.faults.blame import failure
from gateway.values.errors import AnswerMismatch
from gateway.values.messages import Json


def read(path: Path, data: Json, origin: str) -> Json:
    """Evaluate a path on a provider's data: the value or MISSING. Raises AnswerMismatch."""
    try:
        return path.read(data)
    except ExpressionFailed as failed:
        raise AnswerMismatch(f"{origin}: `{path.text}`: {failed}", origin=origin) from None


def rendered(template: Template, scope: Scope, origin: str) -> Json:
    """Evaluate a template; raises MappingFault, or CallInvalid where it fails on what the caller gave."""
    try:
        return template.render(scope)
    except ExpressionFailed as failed:
        raise failure(template, failed, scope, origin) from None
