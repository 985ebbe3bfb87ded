"""The forms that a simulated provider expects of what it is sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

from gateway.simulator.incoming import Incoming
from gateway.simulator.script import FORMATS, KINDS
from gateway.values.messages import Json

_REAL: Mapping[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "instant": datetime.fromisoformat,
    "moment": datetime.fromisoformat,
}
"""Formats that more than an expression decides: 2026-02-30 is no date."""


def unexpected_fields(expects: Mapping[str, str], request: Incoming) -> Iterator[str]:
    """Give the names of the fields whose format is not the expected one."""
    body = request.json if isinstance(request.json, dict) and not request.rpc else {}
    fields = {**request.query, **request.form, **body}
    params = request.scope()["params"]
    for name, form in expects.items():
        wanted, optional = form.rstrip("?"), form.endswith("?")
        if name.isdigit() and isinstance(params, list):
            values = [params[int(name)] if int(name) < len(params) else None]
        else:
            values = list(_name(fields, name))
        for value in values:
            missing = value is None or value == ""
            if (missing and not optional) or (not missing and not has_form(value, wanted)):
                yield name


def _name(fields: Mapping[str, Json], name: str) -> Iterator[Json]:
    """Give what is meant by `name`: one field, or with `list[].name` a member of every element of one."""
    listed, brackets, member = name.partition("[].")
    if not brackets:
        yield fields.get(name)
        return
    elements = fields.get(listed)
    for element in elements if isinstance(elements, list) else []:
        yield element.get(member) if isinstance(element, dict) else None


def has_form(value: Json, form: str) -> bool:
    """Tell whether a value has a form: one of the kinds of JSON, or a format of texts."""
    if form in KINDS:
        return isinstance(value, KINDS[form]) and not (form == "number" and isinstance(value, bool))
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not re.fullmatch(FORMATS[form], text, re.ASCII):
        return False
    try:
        _REAL.get(form, str)(text)
    except ValueError:
        return False
    return True
