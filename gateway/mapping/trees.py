"""Trees: YAML whose texts are templates, compiled to one function from the scope to what is sent.

Nothing here knows HTTP. A tree never guesses a type: what a template gives is what is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import TypeAlias

from gateway.document import Place, suggestion
from gateway.effort import budgeted
from gateway.mapping.blame import failure
from gateway.mapping.context import Context
from gateway.mapping.expressions import ExpressionFailed, Literal, Template, ValueMissing
from gateway.mapping.expressions.sizes import check_size
from gateway.mapping.given import Given
from gateway.mapping.kinds import element_of
from gateway.mapping.plan import LEFT_OUT, Build, Scope
from gateway.mapping.reads import Reads
from gateway.mapping.sources import Source
from gateway.mapping.tree_parts import list_of, looped, merged, object_of
from gateway.mapping.unwritable import Unwritable, refused_by
from gateway.values.errors import MappingFault
from gateway.values.messages import Json
from gateway.values.secrets import Credential
from gateway.values.truth import truth

_CHAIN = re.compile(r"\{\{\s*[a-z_][a-z0-9_.]*\s*\}\}", re.IGNORECASE)
"""A template that is a name and its keys, and nothing else."""
_Parts: TypeAlias = dict[str, Json]
_Word: TypeAlias = Callable[[Context, _Parts, Place, "Names", bool], Build]
Names: TypeAlias = Collection[str]


def compile_tree(context: Context, node: Json, place: Place, names: Names, *, secrets: bool = False) -> Build:
    """Compile a tree; with findings, what is returned only builds null and its plan is thrown away."""
    if isinstance(node, str):
        return compile_text(context, node, place, names, secrets=secrets)
    if isinstance(node, list):
        return list_of(
            [compile_tree(context, item, (*place, i), names, secrets=secrets) for i, item in enumerate(node)]
        )
    if not isinstance(node, dict):
        return lambda _scope: node
    words = [key for key in node if key.startswith("$")]
    if not words:
        return object_of(
            {key: compile_tree(context, item, (*place, key), names, secrets=secrets) for key, item in node.items()}
        )
    return _word(context, node, place, names, secrets)


def compile_text(context: Context, text: str, place: Place, names: Names, *, secrets: bool = False) -> Build:
    """Compile one template to a function that says where it stands when it fails."""
    template = context.template(text, place, names, secrets=secrets)
    if template is None:
        return lambda _scope: None
    build = evaluated(template, context.origin(place))
    return _marked(context, template, build) if secrets else build


def compile_object(context: Context, node: Json, place: Place, names: Names, *, secrets: bool = False) -> Build:
    """Compile a tree that builds an object: what is left out is an empty one, anything else the mapping's fault."""
    return compile_sourced_object(context, node, place, names, secrets=secrets)[0]


def compile_sourced_object(
    context: Context, node: Json, place: Place, names: Names, *, secrets: bool = False
) -> tuple[Build, Source]:
    """Compile a tree that builds an object, and tell what its parts are made of."""
    build, source = compile_sourced(context, node, place, names, secrets=secrets)
    origin = context.origin(place)

    def checked(scope: Scope) -> Json:
        value = build(scope)
        if value is LEFT_OUT:
            return {}
        if not isinstance(value, dict):
            raise MappingFault(f"{origin}: this must build an object", origin=origin)
        return value

    return checked, source


def compile_sourced(
    context: Context, node: Json, place: Place, names: Names, *, secrets: bool = False
) -> tuple[Build, Source]:
    """Compile a tree, and tell what its parts are made of."""
    if isinstance(node, dict) and not any(key.startswith("$") for key in node):
        parts = {
            key: compile_sourced(context, item, (*place, key), names, secrets=secrets) for key, item in node.items()
        }
        members = {key: source for key, (_, source) in parts.items()}
        return object_of({key: build for key, (build, _) in parts.items()}), Source(members=members)
    if isinstance(node, dict) and isinstance(layers := node.get("$merge"), list) and len(node) == 1:
        where = (*place, "$merge")
        found = [compile_sourced(context, one, (*where, i), names, secrets=secrets) for i, one in enumerate(layers)]
        return merged([build for build, _ in found], context.origin(place)), Source(layers=tuple(s for _, s in found))
    with context.collecting() as reads:
        build = compile_tree(context, node, place, names, secrets=secrets)
    text = node["$optional"] if isinstance(node, dict) and "$optional" in node else node
    owed = context.given.owed if context.given is not None else {}
    template = context.known(text) if isinstance(text, str) else None
    return build, Source(frozenset(reads.names), owed, template)


def evaluated(template: Template | Literal, origin: str) -> Build:
    """A template whose failures name its place in the file."""
    if isinstance(template, Literal):
        text = template.text
        return lambda _scope: text

    def build(scope: Scope) -> Json:
        try:
            return template.render(scope)
        except ExpressionFailed as failed:
            raise failure(template, failed, scope, origin) from None

    return build


def _marked(context: Context, template: Template | Literal, build: Build) -> Build:
    """Mark the text that a template makes of a secret or a token, so that no trace shows it."""
    if isinstance(template, Literal) or not context.proves(template):
        return build
    return lambda scope: Credential(value) if isinstance(value := build(scope), str) else value


_WORDS: dict[str, tuple[frozenset[str], _Word]] = {}
"""First key of a word → the keys it may have besides, and its compiler."""


def _word(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
    name = next(iter(node))
    known = _WORDS.get(name)
    if known is None:
        hint = suggestion(name, _WORDS)
        context.report(
            (*place, name), "unknown-word", f"`{name}` is not a word of trees, or must stand first{hint}", key=True
        )
        return lambda _scope: None
    allowed, word = known
    for key in node:
        if key != name and key not in allowed:
            message = f"`{key}` does not go with `{name}`{suggestion(key, allowed)}"
            context.report((*place, key), "unknown-key", message, key=True)
    return word(context, node, place, names, secrets)


def _part(context: Context, node: _Parts, key: str, place: Place, names: Names, secrets: bool) -> Build:
    if key not in node:
        context.report(place, "missing-key", f"`{next(iter(node))}` needs `{key}`")
        return lambda _scope: None
    return compile_tree(context, node[key], (*place, key), names, secrets=secrets)


def _optional(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
    text = node["$optional"]
    if not isinstance(text, str):
        inner = compile_tree(context, text, (*place, "$optional"), names, secrets=secrets)
        return lambda scope: LEFT_OUT if (value := inner(scope)) in (None, [], {}) else value
    template = context.template(text, (*place, "$optional"), names, secrets=secrets, optional=True)
    if template is None:
        return lambda _scope: None
    origin = context.origin(place)

    def build(scope: Scope) -> Json:
        try:
            value = template.render(scope)
        except ValueMissing:
            return LEFT_OUT
        except ExpressionFailed as failed:
            raise failure(template, failed, scope, origin) from None
        return LEFT_OUT if value is None else value

    return _marked(context, template, build) if secrets else build


def _if(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
    test, condition = _test(context, node, place, names, secrets)
    with context.where(condition):
        then = _part(context, node, "$then", place, names, secrets)
    other: Build = lambda _scope: LEFT_OUT  # noqa: E731 - it may be replaced
    if "$else" in node:
        with context.where(condition, holds=False):
            other = _part(context, node, "$else", place, names, secrets)
    origin = context.origin(place)
    return lambda scope: then(scope) if truth(test(scope), origin) else other(scope)


def _test(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> tuple[Build, Template | None]:
    text = node.get("$if")
    if not isinstance(text, str):
        return _part(context, node, "$if", place, names, secrets), None
    template = context.deciding(text, (*place, "$if"), names, secrets=secrets)
    return (evaluated(template, context.origin(place)) if template is not None else lambda _scope: False), template


def _for(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
    name = node["$for"]
    if not isinstance(name, str) or not name.isidentifier():
        context.report((*place, "$for"), "wrong-form", "`$for` gives the name of each element")
        return lambda _scope: None
    with context.collecting() as listed:
        elements = _part(context, node, "$in", place, names, secrets)
    inside = frozenset(names) | {name}
    with context.collecting() as reads, context.knowing(_naming(context, node, name, listed)):
        give = _part(context, node, "$give", place, inside, secrets)
        key = _part(context, node, "$key", place, inside, secrets) if "$key" in node else None
        reads.forget(name)
    return looped(name, elements, give, key, context.origin(place))


def _naming(context: Context, node: _Parts, name: str, listed: Reads) -> Given | None:
    """What is known inside `$for`, where each element of a list has a name."""
    given, text = context.given, node.get("$in")
    if given is None:
        return None
    template = context.known(text) if isinstance(text, str) else None
    element = element_of(template.holes[0].tree, given) if template is not None and template.whole else None
    return given.naming(name, element, given.owing(listed.names))


def _json(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
    inner = _part(context, node, "$json", place, names, secrets)
    origin = context.origin(place)

    def build(scope: Scope) -> Json:
        value = inner(scope)
        if value is LEFT_OUT:
            return value
        budgeted(lambda: check_size(value), origin, "$json")
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return Credential(text) if secrets else text

    return build


def _record(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
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
        return lambda _scope: None
    context.used_records.add(name)
    if source is not None:  # of the object, what the record writes is used, and no more
        written = [(*source, *line.name.split(".")) for line in record.fields if line.mode != "read"]
        context.reads.add(Reads(set(written), set(written)))
    context.written_records.add(name)
    write = record.write

    def build(scope: Scope) -> Json:
        given = value(scope)
        if given is LEFT_OUT or given is None:
            return LEFT_OUT
        try:
            return write(given, scope)
        except Unwritable as fault:
            raise refused_by(fault, made_of.behind(fault.path, scope)) from None

    return build


def _record_of(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> tuple[Build, Source]:
    """What a record writes, and whose that is."""
    if "$of" not in node:
        return _part(context, node, "$of", place, names, secrets), Source()
    return compile_sourced(context, node["$of"], (*place, "$of"), names, secrets=secrets)


def _first(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
    inner = _part(context, node, "$first", place, names, secrets)
    origin = context.origin(place)

    def build(scope: Scope) -> Json:
        values = inner(scope)
        if not isinstance(values, list):
            raise MappingFault(f"{origin}: `$first` takes a list", origin=origin)
        return values[0] if values else LEFT_OUT

    return build


def _merge(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
    parts = node["$merge"]
    if not isinstance(parts, list):
        context.report((*place, "$merge"), "wrong-type", "`$merge` takes a list of objects")
        return lambda _scope: None
    where = (*place, "$merge")
    builds = [compile_tree(context, part, (*where, i), names, secrets=secrets) for i, part in enumerate(parts)]
    return merged(builds, context.origin(place))


def _named(context: Context, node: _Parts, place: Place, names: Names, secrets: bool) -> Build:
    name = node["$tree"]
    where = (*place, "$tree")
    if not isinstance(name, str) or name not in context.trees:
        hint = suggestion(str(name), context.trees)
        context.report(where, "unknown-tree", f"there is no tree `{name}` under `trees:`{hint}")
        return lambda _scope: None
    context.used_trees.add(name)
    if name in context.open_trees:
        context.report(where, "tree-cycle", f"the tree `{name}` holds itself")
        return lambda _scope: None
    with context.inside(name, place):
        return compile_tree(context, context.trees[name], ("trees", name), names, secrets=secrets)


_WORDS |= {
    "$optional": (frozenset(), _optional),
    "$if": (frozenset({"$then", "$else"}), _if),
    "$for": (frozenset({"$in", "$give", "$key"}), _for),
    "$json": (frozenset(), _json),
    "$record": (frozenset({"$of"}), _record),
    "$first": (frozenset(), _first),
    "$merge": (frozenset(), _merge),
    "$tree": (frozenset(), _named),
}
