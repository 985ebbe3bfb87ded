"""Declared parts, and rules of cerberus, as JSON Schema (draft 2020-12): for editors, and to check files early.

A schema knows the shapes and the names of the contract. What a path, a template or a name of the file itself means is
found by `gateway check` alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, TypeAlias

from gateway.documents.parts import TREE, Child, Node, Part
from gateway.documents.schema_check import Rules
from gateway.values.messages import Json

Schema: TypeAlias = dict[str, Json]
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_KINDS: Final[Mapping[str, str]] = {
    "dict": "object",
    "list": "array",
    "string": "string",
    "integer": "integer",
    "float": "number",
    "boolean": "boolean",
}
_BOUNDS: Final[Mapping[str, Mapping[str, str]]] = {
    "integer": {"min": "minimum", "max": "maximum"},
    "number": {"min": "minimum", "max": "maximum"},
    "string": {"minlength": "minLength", "maxlength": "maxLength"},
    "array": {"minlength": "minItems", "maxlength": "maxItems"},
    "object": {"minlength": "minProperties", "maxlength": "maxProperties"},
}
"""Rule of cerberus → keyword of JSON Schema, by the type of the value."""


def schema_of_part(root: Part, title: str, known: Mapping[str, Collection[str]]) -> Schema:
    """Give the schema of files whose whole is one part. `known` has the names of the contract, by kind."""
    found: dict[str, Schema] = {}
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.name not in found:
            found[part.name] = _object(part.keys, part.children, known)
            waiting += [inner.part for child in part.children.values() for inner in child.parts]
    return {"$schema": _DIALECT, "title": title, "$ref": f"#/$defs/{root.name}", "$defs": dict(sorted(found.items()))}


def schema_of_rules(rules: Rules, title: str) -> Schema:
    """Give the schema of files that are held against rules of cerberus."""
    return {"$schema": _DIALECT, "title": title, **_object(rules, {}, {})}


def _object(rules: Rules, children: Mapping[str, Child], known: Mapping[str, Collection[str]]) -> Schema:
    required = [key for key, one in rules.items() if one.get("required")]
    made: Schema = {
        "type": "object",
        "properties": {key: _key(one, children.get(key), known) for key, one in rules.items()},
        "additionalProperties": False,
    }
    return made | ({"required": required} if required else {})


def _key(rules: Rules, child: Child | None, known: Mapping[str, Collection[str]]) -> Schema:
    about = rules.get("meta", {})
    kinds = rules["type"] if isinstance(rules["type"], list) else [rules["type"]]
    made: Schema = {}
    if set(TREE) > set(kinds) or child is not None or len(kinds) == 1:
        forms = [form for kind in kinds for form in _forms(_KINDS[kind], rules, child, known)]
        forms += [{"type": "null"}] if rules.get("nullable") else []
        made = forms[0] if len(forms) == 1 else {"anyOf": forms}
    made = {"description": about["meaning"]} | made if "meaning" in about else dict(made)
    if about.get("example") is not None:
        made["examples"] = [about["example"]]
    if "default" in rules:
        made["default"] = rules["default"]
    return made


def _forms(kind: str, rules: Rules, child: Child | None, known: Mapping[str, Collection[str]]) -> Iterator[Schema]:
    """Give what a value of one kind may be."""
    made: Schema = {"type": kind}
    made |= {word: rules[rule] for rule, word in _BOUNDS.get(kind, {}).items() if rule in rules}
    about = rules.get("meta", {})
    if kind == "string":
        made |= {"pattern": f"^(?:{rules['regex']})$"} if "regex" in rules else {}
        made |= {"enum": rules["allowed"]} if "allowed" in rules else {}
        yield from _name(made, about.get("names"), known)
    elif kind == "array":
        yield made | _elements(rules, child, known)
    elif kind == "object" and child is not None and child.one and not child.each:
        yield from (_reference(inner) for inner in child.parts)
    elif kind == "object":
        yield made | _members(rules, child, known)
    else:
        yield made | ({"enum": rules["allowed"]} if "allowed" in rules else {})


def _name(made: Schema, kind: str | None, known: Mapping[str, Collection[str]]) -> Iterator[Schema]:
    """Offer the names that there are; others may be those of the file itself, or of a contract that has grown."""
    if kind is not None and kind in known:
        yield {"enum": sorted(known[kind])}
    yield made


def _elements(rules: Rules, child: Child | None, known: Mapping[str, Collection[str]]) -> Schema:
    if child is not None and child.listed:
        parts = [form for inner in child.parts for form in _part(inner)]
        parts += [{"type": "string"}] if child.texts else []
        return {"items": parts[0] if len(parts) == 1 else {"anyOf": parts}}
    if "allowed" in rules:
        return {"items": {"enum": rules["allowed"]}}
    kind = rules.get("meta", {}).get("names")
    if kind is not None:
        return {"items": {"anyOf": list(_name({"type": "string"}, kind, known))}}
    return {"items": _rules(rules["schema"])} if "schema" in rules else {}


def _members(rules: Rules, child: Child | None, known: Mapping[str, Collection[str]]) -> Schema:
    """Give the members of an object by name, or those of an object whose keys are told."""
    if "schema" in rules:
        return _object(rules["schema"], {}, known)
    made: Schema = {}
    value: Any = _rules(rules["valuesrules"]) if "valuesrules" in rules else True
    if child is not None and child.each:
        forms = [form for inner in child.parts for form in _part(inner)]
        forms += [{"type": "array", "items": {"anyOf": [*forms]}}] if child.listed else []
        value = forms[0] if len(forms) == 1 else {"anyOf": forms}
    names = known.get(rules.get("meta", {}).get("keys"), ())
    if names:
        made["properties"] = dict.fromkeys(sorted(names), value)
    if "keysrules" in rules and "regex" in rules["keysrules"]:
        made["propertyNames"] = {"pattern": f"^(?:{rules['keysrules']['regex']})$"}
    return made | ({"additionalProperties": value} if value is not True else {})


def _part(inner: type[Node]) -> Iterator[Schema]:
    yield _reference(inner)
    if inner.part.short is not None:
        yield _key(inner.part.keys[inner.part.short], None, {})


def _reference(inner: type[Node]) -> Schema:
    return {"$ref": f"#/$defs/{inner.part.name}"}


def _rules(rules: Rules) -> Schema:
    """Give the schema of an element or a member that only has rules."""
    return _key(rules, None, {})
