"""What trees mean: a node and the scope in, what is sent out. Nothing here knows HTTP.

A tree never guesses a type: what a template gives is what is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.computation.budget import budgeted, spend
from gateway.mapping.expressions import ExpressionFailed, ValueMissing
from gateway.mapping.expressions.sizes import check_size
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.trees import (
    Constant,
    First,
    For,
    Fragment,
    If,
    JsonText,
    ListOf,
    Merge,
    ObjectOf,
    OnlyObject,
    Optional,
    OptionalTree,
    Text,
    Tree,
    WrittenRecord,
)
from gateway.mapping.runtime.faults.blame import failure
from gateway.mapping.runtime.faults.sources import behind
from gateway.mapping.runtime.faults.unwritable import Unwritable, refused_by
from gateway.mapping.runtime.writing import write_record
from gateway.values.errors import MappingFault
from gateway.values.messages import Json
from gateway.values.secrets import Credential
from gateway.values.truth import truth


class LeftOut:
    """The type of `LEFT_OUT`, a value that is not sent at all."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "LEFT_OUT"


LEFT_OUT: Final = LeftOut()


def evaluate(tree: Tree, scope: Scope) -> Json:
    """Build what a tree says of the names in a scope, or LEFT_OUT.

    Raises MappingFault naming `file:line`, CallInvalid where a template fails on what the caller gave, and OverBudget.
    """
    return MEANING[type(tree)](tree, scope)


def _constant(tree: Constant, _scope: Scope) -> Json:
    return tree.value


def _text(tree: Text, scope: Scope) -> Json:
    try:
        value = tree.template.render(scope)
    except ExpressionFailed as failed:
        raise failure(tree.template, failed, scope, tree.origin) from None
    return Credential(value) if tree.credential and isinstance(value, str) else value


def _list(tree: ListOf, scope: Scope) -> Json:
    return [value for item in tree.items if (value := MEANING[type(item)](item, scope)) is not LEFT_OUT]


def _object(tree: ObjectOf, scope: Scope) -> Json:
    return {
        key: value for key, member in tree.members if (value := MEANING[type(member)](member, scope)) is not LEFT_OUT
    }


def _only_object(tree: OnlyObject, scope: Scope) -> Json:
    value = evaluate(tree.tree, scope)
    if value is LEFT_OUT:
        return {}
    if not isinstance(value, dict):
        raise MappingFault(f"{tree.origin}: this must build an object", origin=tree.origin)
    return value


def _optional(tree: Optional, scope: Scope) -> Json:
    text = tree.text
    try:
        value = text.template.render(scope)
    except ValueMissing:
        return LEFT_OUT
    except ExpressionFailed as failed:
        raise failure(text.template, failed, scope, text.origin) from None
    if value is None:
        return LEFT_OUT
    return Credential(value) if text.credential and isinstance(value, str) else value


def _optional_tree(tree: OptionalTree, scope: Scope) -> Json:
    value = evaluate(tree.tree, scope)
    return LEFT_OUT if value in (None, [], {}) else value


def _if(tree: If, scope: Scope) -> Json:
    if truth(evaluate(tree.test, scope), tree.origin):
        return evaluate(tree.then, scope)
    return evaluate(tree.otherwise, scope) if tree.otherwise is not None else LEFT_OUT


def _for(tree: For, scope: Scope) -> Json:
    values = evaluate(tree.elements, scope)
    if not isinstance(values, list):
        raise MappingFault(f"{tree.origin}: `$in` must give a list", origin=tree.origin)
    return budgeted(lambda: _loop(tree, scope, values), tree.origin, "$for")


def _loop(tree: For, scope: Scope, values: list[Json]) -> Json:
    spend(len(values))
    made: list[Json] = []
    kept: list[Scope] = []  # for the keys alone, since a long list makes as many
    for element in values:
        inner = {**scope, tree.name: element}
        if (given := evaluate(tree.give, inner)) is not LEFT_OUT:
            made.append(given)
            if tree.key is not None:
                kept.append(inner)
    check_size(made)
    if tree.key is None:
        return made
    keys = [evaluate(tree.key, inner) for inner in kept]
    if not all(isinstance(one, str) for one in keys):
        raise MappingFault(f"{tree.origin}: `$key` must give text", origin=tree.origin)
    return dict(zip(keys, made, strict=True))


def _json(tree: JsonText, scope: Scope) -> Json:
    value = evaluate(tree.tree, scope)
    if value is LEFT_OUT:
        return value
    budgeted(lambda: check_size(value), tree.origin, "$json")
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Credential(text) if tree.credential else text


def _write(tree: WrittenRecord, scope: Scope) -> Json:
    value = evaluate(tree.value, scope)
    if value is LEFT_OUT or value is None:
        return LEFT_OUT
    try:
        return write_record(tree.record, value, scope)
    except Unwritable as fault:
        raise refused_by(fault, behind(tree.made_of, fault.path, scope)) from None


def _first(tree: First, scope: Scope) -> Json:
    values = evaluate(tree.tree, scope)
    if not isinstance(values, list):
        raise MappingFault(f"{tree.origin}: `$first` takes a list", origin=tree.origin)
    return values[0] if values else LEFT_OUT


def _merge(tree: Merge, scope: Scope) -> Json:
    merged: dict[str, Json] = {}
    for part in tree.parts:
        value = evaluate(part, scope)
        if value is LEFT_OUT or value is None:
            continue
        if not isinstance(value, dict):
            raise MappingFault(f"{tree.origin}: every part of `$merge` must be an object", origin=tree.origin)
        spend()
        merged |= value
    return merged


def _fragment(tree: Fragment, scope: Scope) -> Json:
    return evaluate(tree.tree, scope)


MEANING: Final[Mapping[type, Callable[[Any, Scope], Json]]] = {
    Constant: _constant,
    Text: _text,
    ListOf: _list,
    ObjectOf: _object,
    OnlyObject: _only_object,
    Optional: _optional,
    OptionalTree: _optional_tree,
    If: _if,
    For: _for,
    JsonText: _json,
    WrittenRecord: _write,
    First: _first,
    Merge: _merge,
    Fragment: _fragment,
}
"""Kind of node → what it means."""
