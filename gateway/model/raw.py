"""A query or a body → raw arguments: texts typed by declaration, everything in its place. Judges no value.

What is judged, and named when it is wrong, is where an argument stands and how often.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from gateway.model.contract import Operation
from gateway.model.types.types import Type
from gateway.values.errors import CallInvalid
from gateway.values.messages import Json

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_SHOWN = 5


class Problem(NamedTuple):
    """What is wrong with one argument; `problem` completes a sentence that begins with the field."""

    field: str
    problem: str
    code: str = CallInvalid.CODE


def from_query(operation: Operation, pairs: Sequence[tuple[str, str]]) -> dict[str, Json]:
    """Turn the pairs of a query into raw arguments: numbers, true and false by declared type, lists by repetition.

    What cannot be turned stays text, and `arguments` says what is wrong with it beside everything else. Raises
    CallInvalid for an argument that is repeated and no list, or belongs in the path or body.
    """
    if not pairs:
        return {}
    known = {**operation.args, **operation.common}
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    raw: dict[str, Json] = {}
    problems = []
    for name, values in given.items():
        argument = known.get(name)
        if argument is None:
            raw[name] = values[0]
        elif argument.where != "query":
            problems.append(Problem(name, f"belongs in the {argument.where}"))
        elif argument.type.item is not None:
            item = argument.type.item
            raw[name] = [_type(item, value) for value in values]
        elif len(values) > 1:
            problems.append(Problem(name, "is given more than once"))
        else:
            raw[name] = _type(argument.type, values[0])
    if problems:
        raise invalid(problems)
    return raw


def from_body(operation: Operation, body: Json) -> dict[str, Json]:
    """Turn a decoded JSON body into raw arguments.

    Raises CallInvalid when it is no object, or holds an argument that belongs in the path or query.
    """
    if not isinstance(body, dict):
        raise CallInvalid("The body must be a JSON object", details={"fields": []})
    if not body:
        return {}
    problems = [
        Problem(name, f"belongs in the {argument.where}")
        for name, argument in {**operation.args, **operation.common}.items()
        if name in body and argument.where != "body"
    ]
    if problems:
        raise invalid(problems)
    return dict(body)


def invalid(problems: Sequence[Problem]) -> CallInvalid:
    """Make the one error of all problems. A wrong time is a matter of its own only when nothing else is wrong."""
    told = "; ".join(f"`{place}` {problem}" for place, problem, _ in problems[:_SHOWN])
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    codes = {code for _, _, code in problems}
    fields = [{"field": place, "problem": problem} for place, problem, _ in problems]
    code = codes.pop() if len(codes) == 1 else CallInvalid.CODE
    return CallInvalid(told + more, code=code, details={"fields": fields})


def _type(type_: Type, text: str) -> Json:
    """Read a query's text by the declared type where the text leaves no doubt."""
    if type_.kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if type_.kind == "number" and _DECIMAL.fullmatch(text):
        return float(text)
    if type_.kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text
