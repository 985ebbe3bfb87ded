"""What people wrote, held against a description of its keys: cerberus' verdicts as placed Findings, in plain words.

Knows no key of any file. No message here holds a value: it may be a secret in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar

import cerberus

from gateway.documents.yaml import Document, Finding, Place, suggestion
from gateway.values.messages import Json

Rules = Mapping[str, Any]
"""Key: cerberus' rules for it, with `meta: {meaning, …}` for people."""

_WANTED = MappingProxyType(
    {"dict": "an object", "list": "a list", "string": "text", "integer": "a whole number", "boolean": "true or false"}
)
_FOUND = MappingProxyType(
    {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
)
_BOUNDS = MappingProxyType(
    {
        "min": "is too small: at least {}",
        "max": "is too large: at most {}",
        "minlength": "is too short: at least {}",
        "maxlength": "is too long: at most {}",
    }
)


class _Validator(cerberus.Validator):  # type: ignore[misc] # cerberus has no types
    """Cerberus, but true and false are no numbers, and an expression covers the whole text, its last line break too."""

    types_mapping: ClassVar[dict[str, cerberus.TypeDefinition]] = {
        **cerberus.Validator.types_mapping,
        "integer": cerberus.TypeDefinition("integer", (int,), (bool,)),
        "float": cerberus.TypeDefinition("float", (int, float), (bool,)),
    }

    def _validate_regex(self, pattern: str, field: str, value: Json) -> None:
        """{'type': 'string'}"""  # noqa: D400 - cerberus reads the rule's own schema here
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            self._error(field, cerberus.errors.REGEX_MISMATCH)


class Shape(dict[str, Any]):
    """Rules that are used again and again: their validator is made once, since cerberus checks a schema at length."""

    @cached_property
    def validator(self) -> _Validator:
        """The validator of these rules; it is used for one node at a time."""
        return _Validator({key: _without_meta(rules) for key, rules in self.items()})

    @cached_property
    def defaults(self) -> dict[str, Json]:
        """What keys that are not given stand for."""
        return {key: rules["default"] for key, rules in self.items() if "default" in rules}


def _without_meta(rules: Rules) -> dict[str, Any]:
    """Leave out what is for people: cerberus hashes all of a schema whenever it is used."""
    inner = {name: _without_meta(one) if isinstance(one, dict) else one for name, one in rules.items()}
    inner.pop("meta", None)
    return inner


def check(
    rules: Rules, node: Json, document: Document, place: Place, findings: list[Finding]
) -> dict[str, Json] | None:
    """Check the part of `document` at `place` against its rules.

    Appends a Finding for everything wrong. Returns the part with defaults put in, or None when it does not fit.
    """
    if not isinstance(node, dict):
        findings.append(document.finding(place, "wrong-type", f"this is {_find(node)}; an object is needed"))
        return None
    validator = rules.validator if isinstance(rules, Shape) else _Validator(rules)
    # A Shape is flat: its defaults are laid under the node here; cerberus' own way goes over the schema each time.
    if validator.validate(node, normalize=not isinstance(rules, Shape)):
        normalized: dict[str, Json] = rules.defaults | node if isinstance(rules, Shape) else validator.document
        return normalized
    for error in _leaves(validator._errors):  # noqa: SLF001 - cerberus' own records, with paths; its texts say less
        code, message, on_key = _explain(error, rules)
        findings.append(document.finding((*place, *error.document_path), code, message, key=on_key))
    return None


def _leaves(errors: Any) -> Iterator[cerberus.errors.ValidationError]:
    """Group errors hold the real ones as children; only leaves are worth telling."""
    for error in errors:
        if error.is_group_error:
            yield from _leaves(error.child_errors)
        else:
            yield error


def _explain(error: cerberus.errors.ValidationError, rules: Rules) -> tuple[str, str, bool]:
    """Say what is wrong: code, message, and whether the key is at fault rather than its value."""
    name = error.document_path[-1]
    if error.code == cerberus.errors.UNKNOWN_FIELD.code:
        known = _walk(rules, error.schema_path)
        return "unknown-key", f"`{name}` is not known here{suggestion(name, known)}", True
    subject = f"`{name}`" if isinstance(name, str) else f"element {name + 1}"
    if error.code == cerberus.errors.CUSTOM.code:  # from a rule's own `check_with`, which must not tell the value
        return "wrong-value", f"{subject} {error.info[0]}", False
    owner = _walk(rules, error.schema_path[:-1])
    meaning = owner.get("meta", {}).get("meaning", "")
    if error.code == cerberus.errors.REQUIRED_FIELD.code:
        return "missing-key", f"`{name}` is missing ({meaning})", True
    if "keysrules" in error.schema_path:
        return "bad-name", f"`{name}` cannot be a name here: {meaning}", True
    if error.rule == "type":
        wanted = error.constraint if isinstance(error.constraint, list) else [error.constraint]
        texts = dict.fromkeys(_WANTED.get(kind, "a number") for kind in wanted)
        return "wrong-type", f"{subject} is {_find(error.value)}; {' or '.join(texts)} is needed", False
    if error.rule == "nullable":
        return "wrong-type", f"{subject} is empty; give a value or leave it out", False
    if error.rule == "allowed":
        given = error.value if isinstance(error.value, list) else [error.value]
        strange = next(str(one) for one in given if one not in error.constraint)
        hint = suggestion(strange, error.constraint)
        return "not-allowed", f"{subject} must be one of {', '.join(map(str, error.constraint))}{hint}", False
    if error.rule in _BOUNDS:
        return "wrong-value", f"{subject} {_BOUNDS[error.rule].format(error.constraint)}", False
    example = owner.get("meta", {}).get("example")
    looks = f", such as `{example}`" if example is not None else ""
    return "wrong-value", f"{subject} does not fit: {meaning}{looks}", False


def _walk(rules: Rules, path: tuple[Any, ...]) -> Any:
    """Give the part of the rules an error's `schema_path` names."""
    for step in path:
        rules = rules[step]
    return rules


def _find(value: Json) -> str:
    return "empty" if value is None else _FOUND[type(value)]
