"""Arguments of native operations: checked as the mapping declares them, since the contract does not know them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from gateway.documents.yaml import suggestion
from gateway.mapping.nodes.calls import OperationPlan
from gateway.mapping.nodes.given import NativeArgument
from gateway.model.types.types import TypeRefused, climbs, scalar
from gateway.values.errors import CallInvalid
from gateway.values.messages import Json
from gateway.values.strictjson import JsonRefused, decode_json

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def native_arguments(plan: OperationPlan, raw: Mapping[str, Json]) -> dict[str, Json]:
    """Check a caller's arguments and put the defaults in. Raises CallInvalid naming every field that is wrong."""
    problems = [
        {"field": name, "problem": f"is not known here{suggestion(name, plan.arguments)}"}
        for name in raw
        if name not in plan.arguments
    ]
    found: dict[str, Json] = {}
    for name, argument in plan.arguments.items():
        value = raw.get(name)
        if value is None:
            if argument.required:
                problems.append({"field": name, "problem": "is required"})
            elif argument.default is not None:
                found[name] = argument.default
            continue
        problem = _problem(argument, value)
        if problem:
            problems.append({"field": name, "problem": problem})
        found[name] = str(value) if argument.type == "id" else value
    if problems:
        raise _invalid(problems)
    return found


def native_from_query(plan: OperationPlan, pairs: Sequence[tuple[str, str]]) -> dict[str, Json]:
    """Read a native operation's arguments from a query string, by their declared types; a repeated list is a list."""
    found: dict[str, Json] = {}
    problems = []
    for name, text in pairs:
        argument = plan.arguments.get(name)
        kind = argument.type if argument is not None else "string"
        try:
            value = _FROM_TEXT.get(kind, str)(text)
        except ValueError:
            problems.append({"field": name, "problem": f"is not {_EXPECTED[kind]}"})
            continue
        if kind == "list":
            found.setdefault(name, []).append(value)
        elif name in found:
            problems.append({"field": name, "problem": "is given twice"})
        else:
            found[name] = value
    if problems:
        raise _invalid(problems)
    return found


def _invalid(problems: list[dict[str, str]]) -> CallInvalid:
    first = problems[0]
    return CallInvalid(f"`{first['field']}` {first['problem']}.", details={"fields": problems})


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(text)
    return text == "true"


def _as(kind: str) -> Callable[[str], Json]:
    """Read a number as JSON writes it: Python's own `int` also takes blanks, `_` and the digits of other scripts."""

    def read(text: str) -> Json:
        value = decode_json(text.encode())
        if not _FITS[kind](value):
            raise JsonRefused("is no such number")
        return value

    return read


def _object(text: str) -> Json:
    raise ValueError(text)


_FROM_TEXT: dict[str, Callable[[str], Json]] = {
    "integer": _as("integer"),
    "number": _as("number"),
    "boolean": _boolean,
    "object": _object,
}
_EXPECTED = {
    "string": "text without control characters",
    "id": "an id",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-03-19",
    "object": "an object (send it as JSON)",
    "list": "a list",
}


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and not _CONTROL.search(value)


def _is_date(value: Json) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_id(value: Json) -> bool:
    try:
        accepted = scalar("id").accept(value)
    except TypeRefused:
        return False
    return accepted is not None and not climbs(str(accepted))


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_FITS: dict[str, Callable[[Json], bool]] = {
    "string": _is_text,
    "id": _is_id,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "date": _is_date,
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
}


def _problem(argument: NativeArgument, value: Json) -> str:
    if not _FITS[argument.type](value):
        return f"is not {_EXPECTED[argument.type]}"
    if argument.allowed and value not in argument.allowed:
        return f"is not one of {', '.join(map(str, argument.allowed))}"
    return ""
