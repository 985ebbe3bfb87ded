"""Trees: YAML whose texts are templates, read into nodes. `runtime/trees.py` says what these mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeAlias

from gateway.documents.parts import NAME
from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.given import GivenArguments
from gateway.mapping.checks.kinds import element_of
from gateway.mapping.checks.usage import Reads
from gateway.mapping.compiler.conditions import deciding
from gateway.mapping.compiler.context import RESERVED, Context
from gateway.mapping.expressions import Literal, Template
from gateway.mapping.nodes.trees import (
    NULL,
    Constant,
    First,
    For,
    Fragment,
    If,
    JsonText,
    ListOf,
    MadeOf,
    Merge,
    ObjectOf,
    OnlyObject,
    Optional,
    OptionalTree,
    Text,
    Tree,
    WrittenRecord,
)
from gateway.values.messages import Json

_CHAIN = re.compile(r"\{\{\s*[a-z_][a-z0-9_.]*\s*\}\}", re.IGNORECASE)
"""A template that is a name and its keys, and nothing else."""
_Parts: TypeAlias = dict[str, Json]
_Word: TypeAlias = Callable[[Context, _Parts, Place, "Names", bool], Tree]
Names: TypeAlias = Collection[str]


def compile_tree(context: Context, node: Json, place: Place, names: Names, *, secrets: bool = False) -> Tree:
    """Compile a tree; with findings, what is returned stands for null and its plan is thrown away."""
    if isinstance(node, str):
        return compile_text(context, node, place, names, secrets=secrets)
    if isinstance(node, list):
        inner = (compile_tree(context, item, (*place, i), names, secrets=secrets) for i, item in enumerate(node))
        return ListOf(tuple(inner))
    if not isinstance(node, dict):
        return Constant(node)
    if any(key.startswith("$") for key in node):
        return _word(context, node, place, names, secrets)
    return ObjectOf(
        tuple((key, compile_tree(context, one, (*place, key), names, secrets=secrets)) for key, one in node.items())
    )


def compile_text(context: Context, text: str, place: Place, names: Names, *, secrets: bool = False) -> Tree:
    """Compile one template."""
    template = context.template(text, place, names, secrets=secrets)
    if template is None:
        return NULL
    return _text(context, template, context.origin(place), secrets=secrets)


def compile_object(context: Context, node: Json, place: Place, names: Names, *, secrets: bool = False) -> Tree:
    """Compile a tree that builds an object: what is left out is an empty one, anything else the mapping's fault."""
    return compile_sourced_object(context, node, place, names, secrets=secrets)[0]


def compile_sourced_object(
    context: Context, node: Json, place: Place, names: Names, *, secrets: bool = False
) -> tuple[Tree, MadeOf]:
    """Compile a tree that builds an object, and tell what its parts are made of."""
    tree, made_of = compile_sourced(context, node, place, names, secrets=secrets)
    return tree if isinstance(tree, ObjectOf) else OnlyObject(tree, context.origin(place)), made_of


def compile_sourced(
    context: Context, node: Json, place: Place, names: Names, *, secrets: bool = False
) -> tuple[Tree, MadeOf]:
    """Compile a tree, and tell what its parts are made of."""
    if isinstance(node, dict) and not any(key.startswith("$") for key in node):
        parts = {
            key: compile_sourced(context, item, (*place, key), names, secrets=secrets) for key, item in node.items()
        }
        members = {key: made_of for key, (_, made_of) in parts.items()}
        return ObjectOf(tuple((key, tree) for key, (tree, _) in parts.items())), MadeOf(members=members)
    if isinstance(node, dict) and isinstance(layers := node.get("$merge"), list) and len(node) == 1:
        where = (*place, "$merge")
        found = [compile_sourced(context, one, (*where, i), names, secrets=secrets) for i, one in enumerate(layers)]
        merged = Merge(tuple(tree for tree, _ in found), context.origin(place))
        return merged, MadeOf(layers=tuple(made_of for _, made_of in found))
    with context.collecting() as reads:
        tree = compile_tree(context, node, place, names, secrets=secrets)
    text = node["$optional"] if isinstance(node, dict) and "$optional" in node else node
    owed = context.given.owed if context.given is not None else {}
    template = context.known(text) if isinstance(text, str) else None
    return tree, MadeOf(frozenset(reads.names), owed, template)


def text_of(template: Template | Literal | None, origin: str) -> Tree:
    """Give the node of a template; one that is wrong stands for null."""
    if template is None:
        return NULL
    return Constant(template.text) if isinstance(template, Literal) else Text(template, False, origin)


def _text(context: Context, template: Template | Literal, origin: str, *, secrets: bool) -> Tree:
    """Give the node of a template, marked where it is made of a secret or a token."""
    if isinstance(template, Literal):
        return Constant(template.text)
    return Text(template, secrets and context.proves(template), origin)


_WORDS: dict[str, tuple[frozenset[str], _Word]] = {}
"""First key of a word → the keys it may have besides, and its compiler."""


def _word(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    name = next(iter(node))
    known = _WORDS.get(name)
    if known is None:
        hint = suggestion(name, _WORDS)
        context.report(
            (*place, name), "unknown-word", f"`{name}` is not a word of trees, or must stand first{hint}", key=True
        )
        return NULL
    allowed, word = known
    for key in node:
        if key != name and key not in allowed:
            message = f"`{key}` does not go with `{name}`{suggestion(key, allowed)}"
            context.report((*place, key), "unknown-key", message, key=True)
    return word(context, node, place, names, secrets)


def _part(context: Context, node: _Parts, key: str, place: Place, names: Names, secrets: bool) -> Tree:
    if key not in node:
        context.report(place, "missing-key", f"`{next(iter(node))}` needs `{key}`")
        return NULL
    return compile_tree(context, node[key], (*place, key), names, secrets=secrets)


def _optional(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    text = node["$optional"]
    if not isinstance(text, str):
        return OptionalTree(compile_tree(context, text, (*place, "$optional"), names, secrets=secrets))
    template = context.template(text, (*place, "$optional"), names, secrets=secrets, optional=True)
    if template is None:
        return NULL
    tree = _text(context, template, context.origin(place), secrets=secrets)
    return Optional(tree) if isinstance(tree, Text) else tree


def _if(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    test, condition = _test(context, node, place, names, secrets)
    with context.where(condition):
        then = _part(context, node, "$then", place, names, secrets)
    if "$else" not in node:
        return If(test, then, None, context.origin(place))
    with context.where(condition, holds=False):
        otherwise = _part(context, node, "$else", place, names, secrets)
    return If(test, then, otherwise, context.origin(place))


def _test(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> tuple[Tree, Template | None]:
    text = node.get("$if")
    if not isinstance(text, str):
        return _part(context, node, "$if", place, names, secrets), None
    template = deciding(context, text, (*place, "$if"), names, secrets=secrets)
    return text_of(template, context.origin(place)), template


def _for(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    name = node["$for"]
    if not isinstance(name, str) or re.fullmatch(NAME, name) is None:
        message = "`$for` gives the name of each element: a letter, then a-z, 0-9 and _"
        context.report((*place, "$for"), "wrong-form", message)
        return NULL
    if name in RESERVED:
        context.report((*place, "$for"), "reserved-name", f"`{name}` is reserved: give the element another name")
    with context.collecting() as listed:
        elements = _part(context, node, "$in", place, names, secrets)
    inside, before = frozenset(names) | {name}, len(context.findings)
    with context.collecting() as reads, context.knowing(_naming(context, node, name, listed)):
        give = _part(context, node, "$give", place, inside, secrets)
        key = _part(context, node, "$key", place, inside, secrets) if "$key" in node else None
        reads.forget(name)
    if name in RESERVED:  # which of its two meanings is meant inside is open: the name alone is told of
        del context.findings[before:]
    return For(name, elements, give, key, context.origin(place))


def _naming(context: Context, node: _Parts, name: str, listed: Reads) -> GivenArguments | None:
    """What is known inside `$for`, where each element of a list has a name."""
    given, text = context.given, node.get("$in")
    if given is None:
        return None
    template = context.known(text) if isinstance(text, str) else None
    element = element_of(template.holes[0].tree, given) if template is not None and template.whole else None
    return given.naming(name, element, given.owing(listed.names))


def _json(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    return JsonText(_part(context, node, "$json", place, names, secrets), secrets, context.origin(place))


def _record(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    name = node["$record"]
    with context.collecting() as reads:
        value, made_of = _record_of(context, node, place, names, secrets)
        of = node.get("$of")
        text = str(of.get("$optional") if isinstance(of, dict) else of)
        source = reads.whole.pop() if len(reads.whole) == 1 and _CHAIN.fullmatch(text) else None
    record = context.records.get(name) if isinstance(name, str) else None
    if record is None:
        hint = suggestion(str(name), context.records)
        context.report((*place, "$record"), "unknown-record", f"there is no record `{name}`{hint}")
        return NULL
    context.used_records.add(name)
    if source is not None:  # of the object, what the record writes is used, and no more
        written = [(*source, *line.name.split(".")) for line in record.fields if line.mode != "read"]
        context.reads.add(Reads(set(written), set(written)))
    context.written_records.add(name)
    return WrittenRecord(record, value, made_of)


def _record_of(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> tuple[Tree, MadeOf]:
    """What a record writes, and whose that is."""
    if "$of" not in node:
        return _part(context, node, "$of", place, names, secrets), MadeOf()
    return compile_sourced(context, node["$of"], (*place, "$of"), names, secrets=secrets)


def _first(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    return First(_part(context, node, "$first", place, names, secrets), context.origin(place))


def _merge(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    parts = node["$merge"]
    if not isinstance(parts, list):
        context.report((*place, "$merge"), "wrong-type", "`$merge` takes a list of objects")
        return NULL
    trees = (compile_tree(context, part, (*place, "$merge", i), names, secrets=secrets) for i, part in enumerate(parts))
    return Merge(tuple(trees), context.origin(place))


def _name(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Tree:
    name = node["$fragment"]
    where = (*place, "$fragment")
    if not isinstance(name, str) or name not in context.fragments:
        hint = suggestion(str(name), context.fragments)
        context.report(where, "unknown-fragment", f"there is no fragment `{name}` under `fragments:`{hint}")
        return NULL
    context.used_fragments.add(name)
    if name in context.open_fragments:
        context.report(where, "tree-cycle", f"the tree `{name}` holds itself")
        return NULL
    with context.inside(name, place):
        return Fragment(
            name, compile_tree(context, context.fragments[name], ("fragments", name), names, secrets=secrets)
        )


_WORDS |= {
    "$optional": (frozenset(), _optional),
    "$if": (frozenset({"$then", "$else"}), _if),
    "$for": (frozenset({"$in", "$give", "$key"}), _for),
    "$json": (frozenset(), _json),
    "$record": (frozenset({"$of"}), _record),
    "$first": (frozenset(), _first),
    "$merge": (frozenset(), _merge),
    "$fragment": (frozenset(), _name),
}
