"""Conditions, compiled: whatever decides, wherever it stands, is a template on names or a path on the data at hand.

Which data that is says the declaration of the key. What a condition gives that is neither true nor false, where that
can be seen, is a finding. `runtime/conditions.py` says what both mean.
"""

from __future__ import annotations

from collections.abc import Collection

from jinja2 import nodes

from gateway.documents.parts import Node
from gateway.documents.yaml import Place
from gateway.mapping.checks.kinds import kind_of
from gateway.mapping.compiler.context import Context
from gateway.mapping.expressions import Predicate, Template, is_template
from gateway.mapping.expressions.conditions import named, seen_of_path
from gateway.values.messages import Json
from gateway.values.truth import is_true

Names = Collection[str]


def condition_of(
    context: Context, node: Node, key: str, names: Names, *, may_be_null: bool = False
) -> Predicate | None:
    """Compile the condition under a key of a part; None where there is none, or with findings.

    Its templates see `names`; what a path in it is about says the declaration of the key. With `may_be_null` null says
    that it cannot be told.
    """
    text, place, on = node[key], (*node.place, key), data_of(node, key)
    if text is None:
        return None
    if not on or (isinstance(text, str) and is_template(text)):
        return deciding(context, text, place, names, may_be_null=may_be_null)
    path = context.path(text, place)
    _check_kind(context, seen_of_path(path.parsed) if path is not None else None, place, may_be_null=may_be_null)
    return path


def data_of(node: Node | type[Node], key: str) -> str:
    """Name the data at hand where the condition under a key decides; empty where there is none."""
    on: str = node.part.keys[key]["meta"].get("on", "")
    return on


def deciding(
    context: Context, text: Json, place: Place, names: Names, *, secrets: bool = False, may_be_null: bool = False
) -> Template | None:
    """Compile a condition where there are names alone; a text that is no template decides nothing."""
    if isinstance(text, str) and not is_template(text):
        message = (
            "one expression between `{{` and `}}` is needed: no data is at hand here that a path could be about, so"
            " write `{{ … }}` around one on names"
        )
        context.report(place, "not-a-template", message)
        return None
    template = context.expression(text, place, names, secrets=secrets)
    gives = template.gives if template is not None else None
    if gives is None and template is not None:
        gives = kind_of(template.holes[0].tree, context.known_here)
    _check_kind(context, gives, place, may_be_null=may_be_null)
    return template


def constant(predicate: Predicate) -> bool | None:
    """Whether a condition holds always or never, where it looks at nothing; None of any other."""
    if isinstance(predicate, Template):
        tree = predicate.holes[0].tree
        return tree.value if isinstance(tree, nodes.Const) and isinstance(tree.value, bool) else None
    return is_true(predicate.parsed["value"]) if predicate.parsed["type"] == "literal" else None


def _check_kind(context: Context, gives: str | None, place: Place, *, may_be_null: bool) -> None:
    """Report a condition that can be seen to give neither true nor false."""
    if gives not in (None, "boolean") and not (may_be_null and gives == "null"):
        message = f"the condition gives {named(gives)}, neither true nor false: compare it"
        context.report(place, "not-boolean", message)
