"""The functions JMESPath lacks: objects by key, and PHP's empty object, which arrives as `[]`. They only read.

jmespath looks at `type(x).__name__`, so everything given back is a plain dict, list, text or number.
"""

from __future__ import annotations

import re
from typing import Any, Final

from jmespath.exceptions import JMESPathTypeError
from jmespath.functions import Functions, signature

from gateway.effort import BudgetSpent
from gateway.mapping.expressions.functions.kind import MAX_TEXT
from gateway.mapping.expressions.functions.lists import distinct, same
from gateway.values.messages import Json

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,20})?")
_OBJECT: Final[Any] = {"types": ["object", "array"]}


class PathFunctions(Functions):
    """jmespath's own functions and ours. `@signature` gives the arity that is checked at load."""

    @signature(_OBJECT)
    def _func_items(self, value: Json) -> Json:
        """Give the pairs of an object as `[{key, value}]`, in order."""
        return [{"key": key, "value": held} for key, held in _object("items", value).items()]

    @signature(_OBJECT)
    def _func_keys(self, value: Json) -> Json:
        """Give the keys of an object."""
        return list(_object("keys", value))

    @signature(_OBJECT)
    def _func_values(self, value: Json) -> Json:
        """Give the values of an object; a list is its own values, for providers that send either."""
        return list(value) if isinstance(value, list) else list(value.values())

    @signature({"types": ["array"]})
    def _func_from_items(self, pairs: Json) -> Json:
        """Make an object of `[{key, value}]`; of equal keys the last counts."""
        if not all(isinstance(pair, dict) and isinstance(pair.get("key"), str) and "value" in pair for pair in pairs):
            raise _refused("from_items", pairs, "a list of {key, value}")
        return {pair["key"]: pair["value"] for pair in pairs}

    @signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_index_by(self, elements: Json, key: Any) -> Json:
        """Make an object of a list, each element under the text or whole number `key` gives; the last counts."""
        return {_key("index_by", key.visit(key.expression, element)): element for element in elements}

    @signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_group_by(self, elements: Json, key: Any) -> Json:
        """Make an object of lists: the elements for which `key` gives the same text or whole number."""
        groups: dict[str, list[Json]] = {}
        for element in elements:
            groups.setdefault(_key("group_by", key.visit(key.expression, element)), []).append(element)
        return groups

    @signature({"types": ["array"]}, {"types": ["string"]}, {"types": []})
    def _func_find_by(self, elements: Json, key: str, value: Json) -> Json:
        """Give the first object of a list whose `key` is `value`, else null."""
        for element in elements:
            if isinstance(element, dict) and key in element and same(element[key], value):
                return element
        return None

    @signature({"types": ["array"]}, {"types": ["array"]})
    def _func_zip(self, first: Json, second: Json) -> Json:
        """Give the pairs of two lists of the same length."""
        if len(first) != len(second):
            raise _refused("zip", second, "a list as long as the first")
        return [[one, other] for one, other in zip(first, second, strict=True)]

    @signature({"types": ["array"]})
    def _func_unique(self, elements: Json) -> Json:
        """Give the elements without repetitions, in order of their first appearance."""
        return distinct(elements)

    @signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject: Json, search: Json) -> Json:
        """Tell whether a list has the element, or a text the text; jmespath's own fails on `contains('a', `1`)`."""
        if isinstance(subject, str):
            return isinstance(search, str) and search in subject
        return any(same(element, search) for element in subject)

    @signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, texts: Json) -> Json:
        """Give the texts of a list as one, with the separator between them; at most MAX_TEXT characters."""
        if len(separator) * len(texts) + sum(map(len, texts)) > MAX_TEXT:
            raise BudgetSpent(f"makes a text of more than {MAX_TEXT:,} characters")
        return separator.join(texts)

    @signature({"types": ["string"]})
    def _func_lower(self, text: str) -> str:
        """Give a text in lower case."""
        return text.lower()

    @signature({"types": []})
    def _func_to_number(self, value: Json) -> Json:
        """Read a plain decimal number, else null; jmespath's own also takes `1_000`, `nan` and ` 1`."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return None
        return float(found[0]) if found[1] else int(found[0])


def _object(name: str, value: Json) -> dict[str, Json]:
    """Take PHP's `[]` for an empty object."""
    if isinstance(value, dict):
        return value
    if value:
        raise _refused(name, value, "object, or an empty array")
    return {}


def _key(name: str, value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _refused(name, value, "a key that is a text or a whole number")


def _refused(name: str, value: Json, expected: str) -> JMESPathTypeError:
    kinds = {"dict": "object", "list": "array", "str": "string", "NoneType": "null", "bool": "boolean"}
    kind = kinds.get(type(value).__name__, "number")
    return JMESPathTypeError(name, None, kind, [expected])
