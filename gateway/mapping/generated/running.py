"""What trees and templates give: by generated code where a scope has that of its connection, else by the evaluator."""

from __future__ import annotations

from typing import Any

from gateway.mapping.expressions import Template
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.nodes.calls import GENERATED, Scope
from gateway.mapping.nodes.trees import Tree
from gateway.mapping.runtime.trees import evaluate
from gateway.values.messages import Json


def build(tree: Tree, scope: Scope) -> Json:
    """Build what a tree says of the names in a scope, or LEFT_OUT; raises what `evaluate` raises."""
    generated: Any = scope.get(GENERATED)
    if generated is None or PROBE.get() is not None:
        return evaluate(tree, scope)
    return generated.build(tree, scope)


def render(template: Template, scope: Scope) -> Json:
    """Evaluate a template with the names in a scope; raises what `Template.render` raises."""
    generated: Any = scope.get(GENERATED)
    if generated is None or PROBE.get() is not None:
        return template.render(scope)
    return generated.render(template, scope)
