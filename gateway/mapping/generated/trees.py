"""Trees, written out (`runtime/trees.py`, which stays the meaning). What is left out is MISSING."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.computation.budget import MOST_EVALUATION_STEPS
from gateway.mapping.expressions import Template
from gateway.mapping.expressions.sizes import check_size
from gateway.mapping.generated.codecs import CONNECTION
from gateway.mapping.generated.names import FIELDS, Names
from gateway.mapping.generated.source import FAILURES, STOP
from gateway.mapping.generated.templates import TemplateWriter, can_be_written
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
from gateway.mapping.runtime.trees import LEFT_OUT, evaluate
from gateway.values.errors import GatewayError
from gateway.values.messages import Json
from gateway.values.secrets import Credential
from gateway.values.truth import MISSING

MOST_ELEMENTS: Final = MOST_EVALUATION_STEPS // 200
"""Elements that loops written out go through in one run: the evaluator would take fewer steps than it may."""
_SCALAR: Final = (str, int, float, bool, type(None))


class TreeWriter:
    """Writes trees with these names; each gives the name of what it builds."""

    def __init__(self, names: Names, wrote: Callable[[WrittenRecord, str, Names], str] | None = None) -> None:
        self._names = names
        self._source = names.source
        self._wrote = wrote

    def of(self, tree: Tree) -> str:
        """Write a tree."""
        return _WRITERS[type(tree)](self, tree)

    def constant(self, tree: Constant) -> str:
        """Write a value as it is."""
        found = self._source.name("constant")
        self._source.add(f"{found} = {self._source.constant(tree.value)}")
        return found

    def text(self, tree: Text) -> str:
        """Write a template that must have all its values."""
        return self._credential(tree, self.template(tree.template))

    def template(self, template: Template) -> str:
        """Write a template: settled by the connection, written out, or one that the evaluator is asked for."""
        source, found = self._source, self._source.name("value")
        ask = source.bind("render", template.render)
        if all(use[0] in CONNECTION for use in template.uses) and not self._names.local.keys() & CONNECTION:
            source.inline += 1
            source.add(f"{found} = {source.cell('settled', template, lambda scope: settled_by(template, scope))}")
            with source.block(f"if {found} is STOP:"):
                source.add(f"{found} = {ask}(scope)")
            return found
        if can_be_written(template):
            source.inline += 1
            writer = TemplateWriter(self._names)
            return writer.needed(writer.written(template))
        source.asked += 1
        source.add(f"{found} = {ask}({self._names.scope(template.uses)})")
        return found

    def _credential(self, tree: Text, found: str) -> str:
        if not tree.credential:
            return found
        marked = self._source.name("credential")
        kind = self._source.bind("Credential", Credential)
        self._source.add(f"{marked} = {kind}({found}) if isinstance({found}, str) else {found}")
        return marked

    def optional(self, tree: Optional) -> str:
        """Write a template that is left out where a value is missing, or where it gives null."""
        source, template = self._source, tree.text.template
        found = source.name("optional")
        if not can_be_written(template):
            return self._ask(tree, template.uses)
        source.inline += 1
        with source.block("while True:"):
            writer = TemplateWriter(self._names, missing=(f"{found} = MISSING", "break"))
            source.add(f"{found} = {writer.written(template).name}")
            with source.block(f"if {found} is None:"):
                source.add(f"{found} = MISSING")
            source.add("break")
        if not tree.text.credential:
            return found
        kind = source.bind("Credential", Credential)
        with source.block(f"if isinstance({found}, str):"):
            source.add(f"{found} = {kind}({found})")
        return found

    def _ask(self, tree: Tree, uses: Any) -> str:
        """Write that the evaluator is asked for a tree."""
        source = self._source
        source.asked += 1
        found = source.name("built")
        source.add(f"{found} = {source.bind('build', _evaluate(tree))}({self._names.scope(uses)})")
        return found

    def list_of(self, tree: ListOf) -> str:
        """Write a list, without what is left out of it."""
        return self._collect("list", [(None, one) for one in tree.items])

    def object_of(self, tree: ObjectOf) -> str:
        """Write an object, without what is left out of it."""
        return self._collect("object", list(tree.members))

    def _collect(self, about: str, members: list[tuple[str | None, Tree]]) -> str:
        """Write a list or an object without what is left out of it."""
        source, found = self._source, self._source.name(about)
        values = [(key, self.of(one), may_be_left_out(one)) for key, one in members]
        always = not any(left_out for *_, left_out in values)
        if about == "list":
            source.add(f"{found} = [{', '.join(value for _, value, _ in values) if always else ''}]")
        else:
            pairs = (f"{source.constant(key)}: {value}" for key, value, _ in values)
            source.add(f"{found} = {{{', '.join(pairs) if always else ''}}}")
        for key, value, left_out in () if always else values:
            added = f"{found}.append({value})" if key is None else f"{found}[{source.constant(key)}] = {value}"
            if not left_out:
                source.add(added)
                continue
            with source.block(f"if {value} is not MISSING:"):
                source.add(added)
        return found

    def only_object(self, tree: OnlyObject) -> str:
        """Write what must be an object."""
        source, inner = self._source, self.of(tree.tree)
        found = source.name("object")
        source.add(f"{found} = {{}} if {inner} is MISSING else {inner}")
        source.stop_where(f"{found}.__class__ is not dict")
        return found

    def optional_tree(self, tree: OptionalTree) -> str:
        """Write a tree that is left out where it builds nothing."""
        source, inner = self._source, self.of(tree.tree)
        found = source.name("optional")
        source.add(f"{found} = MISSING if {inner} is None or {inner} == [] or {inner} == {{}} else {inner}")
        return found

    def chosen(self, tree: If) -> str:
        """Write one of two trees."""
        source, test = self._source, self.of(tree.test)
        found = source.name("chosen")
        for head, part in ((f"if {test} is True:", tree.then), (f"elif {test} is False:", tree.otherwise)):
            with source.block(head):
                source.add(f"{found} = {self.of(part) if part is not None else 'MISSING'}")
        with source.block("else:"):
            source.add("return STOP")
        return found

    def loop(self, tree: For) -> str:
        """Write a list of what each element gives, or with keys an object."""
        source, values = self._source, self.of(tree.elements)
        source.stop_where(f"{values}.__class__ is not list")
        source.count(values, MOST_ELEMENTS)
        made, keys, element = source.name("made"), source.name("keys"), source.name("element")
        source.add(f"{made} = []")
        source.add(f"{keys} = []")
        with source.block(f"for {element} in {values}:"):
            inner = TreeWriter(self._names.within(tree.name, element), self._wrote)
            given = inner.of(tree.give)
            with source.block(f"if {given} is not MISSING:"):
                source.add(f"{made}.append({given})")
                if tree.key is not None:
                    source.add(f"{keys}.append({element})")
        source.add(f"{source.bind('check_size', check_size)}({made})")
        return made if tree.key is None else self._key(tree, tree.key, made, keys)

    def _key(self, tree: For, key: Tree, made: str, kept: str) -> str:
        """Write an object of what was made, by the key of each element: of all of them after all was made."""
        source = self._source
        found, element, value = source.name("object"), source.name("element"), source.name("value")
        source.add(f"{found} = {{}}")
        with source.block(f"for {element}, {value} in zip({kept}, {made}):"):
            name = TreeWriter(self._names.within(tree.name, element), self._wrote).of(key)
            source.stop_where(f"{name}.__class__ is not str")
            source.add(f"{found}[{name}] = {value}")
        return found

    def json_text(self, tree: JsonText) -> str:
        """Write a tree as JSON."""
        source, inner = self._source, self.of(tree.tree)
        found = source.name("json")
        as_json = source.bind("as_json", _credential_json if tree.credential else _json)
        source.add(f"{found} = {inner} if {inner} is MISSING else {as_json}({inner})")
        return found

    def first(self, tree: First) -> str:
        """Write the first element of a list."""
        source, values = self._source, self.of(tree.tree)
        source.stop_where(f"{values}.__class__ is not list")
        found = source.name("first")
        source.add(f"{found} = {values}[0] if {values} else MISSING")
        return found

    def merged(self, tree: Merge) -> str:
        """Write the members of several objects."""
        source, found = self._source, self._source.name("merged")
        source.add(f"{found} = {{}}")
        for part in tree.parts:
            value = self.of(part)
            with source.block(f"if {value}.__class__ is dict:"):
                source.add(f"{found}.update({value})")
            with source.block(f"elif {value} is not None and {value} is not MISSING:"):
                source.add("return STOP")
        return found

    def fragment(self, tree: Fragment) -> str:
        """Write a tree that is used here."""
        return self.of(tree.tree)

    def record(self, tree: WrittenRecord) -> str:
        """Write an object of the provider."""
        if self._wrote is None:
            return self._ask(tree, {(name,) for name in (*self._names.local, FIELDS)})
        return self._wrote(tree, self.of(tree.value), self._names)


def may_be_left_out(tree: Tree) -> bool:
    """Whether a tree may build nothing."""
    match tree:
        case Optional() | OptionalTree() | First() | WrittenRecord():
            return True
        case If(then=then, otherwise=otherwise):
            return otherwise is None or may_be_left_out(then) or may_be_left_out(otherwise)
        case JsonText(tree=inner) | Fragment(tree=inner):
            return may_be_left_out(inner)
    return False


def settled_by(template: Template, scope: Scope) -> Json:
    """Give what a template of a connection's settings makes, where that is a plain value; else STOP."""
    try:
        value = template.render(scope)
    except (GatewayError, *FAILURES):
        return STOP
    return value if isinstance(value, _SCALAR) else STOP


def _evaluate(tree: Tree) -> Callable[[Scope], Json]:
    def build(scope: Scope) -> Json:
        value = evaluate(tree, scope)
        return MISSING if value is LEFT_OUT else value

    return build


def _json(value: Json) -> str:
    check_size(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _credential_json(value: Json) -> str:
    return Credential(_json(value))


_WRITERS: Final[Mapping[type, Callable[[TreeWriter, Any], str]]] = {
    Constant: TreeWriter.constant,
    Text: TreeWriter.text,
    ListOf: TreeWriter.list_of,
    ObjectOf: TreeWriter.object_of,
    OnlyObject: TreeWriter.only_object,
    Optional: TreeWriter.optional,
    OptionalTree: TreeWriter.optional_tree,
    If: TreeWriter.chosen,
    For: TreeWriter.loop,
    JsonText: TreeWriter.json_text,
    WrittenRecord: TreeWriter.record,
    First: TreeWriter.first,
    Merge: TreeWriter.merged,
    Fragment: TreeWriter.fragment,
}
"""Kind of node → what writes it."""
