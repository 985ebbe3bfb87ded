"""Raw arguments → the canonical arguments of an operation, or CallInvalid naming everything that is wrong.

Callers are held to more than providers: texts have a length and no control characters, ids cannot climb a path, times
without an offset are placed in a zone. Nothing here knows how a call came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.documents.yaml import suggestion
from gateway.model.contract import Operation
from gateway.model.raw import Problem, invalid
from gateway.model.types.times import GapTime, TimeRefused, moment, parse_instant, zone_names
from gateway.model.types.types import Field, Rules, Type, TypeRefused, climbs
from gateway.values.messages import Json

MAX_LINE = 500
"""Longest one-line text a caller may send, in characters."""
MAX_TEXT = 10_000
"""Longest text with line breaks."""
MAX_EMAIL = 254
"""RFC 5321 §4.5.3.1.3 less the angle brackets."""

_BREAKS_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_SHOWN_NAME = 100
_MAX_PROBLEMS = 50
_YEARS = range(1970, 2200)


@dataclass(slots=True)
class _Reading:
    """One reading of a call: the zone of times without an offset, and what was wrong so far."""

    zone: str
    patch: bool
    problems: list[Problem] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether enough was noted: a body of nothing but mistakes must not cost more than it is worth."""
        return len(self.problems) >= _MAX_PROBLEMS

    def wrong(self, place: str, problem: str, code: str = "VALIDATION_ERROR") -> None:
        """Note a problem; it completes a sentence that begins with the place."""
        if not self.full:
            self.problems.append(Problem(place, problem, code))

    def end(self) -> None:
        """Raise what was noted, if anything was."""
        if self.problems:
            raise invalid(self.problems)


def arguments(operation: Operation, raw: Mapping[str, Json], zone: str) -> dict[str, Json]:
    """Check what a caller gave and make it canonical; `raw` is path, query and body in one.

    Instants come out as RFC 3339 with seconds and offset in the `time_zone` argument's zone, else in `zone`. Defaults
    are put in, but not those of the common arguments. Raises CallInvalid (INVALID_TIME when only times are wrong)
    with every problem, or the first fifty, under `details.fields`.
    """
    asked = raw.get("time_zone")
    known = {**operation.args, **operation.common}
    zoned = "time_zone" in known and isinstance(asked, str) and asked in zone_names()
    reading = _Reading(str(asked) if zoned else zone, operation.patch)
    found = _fields(known, raw, operation.refused, "", reading)
    _rules(operation.rules, found, "", reading)
    if operation.window is not None:
        _interval(operation.window, found, "", reading)
    if operation.patch and not reading.problems and all(known[name].where == "path" for name in found):
        reading.wrong("body", "must name something to change")
    reading.end()
    return _defaults(operation) | found


def whole(type_: Type, raw: Mapping[str, Json], zone: str) -> dict[str, Json]:
    """Check an object that somebody sent as the arguments of a call are checked, and make it canonical; nulls go.

    Raises CallInvalid as `arguments` does.
    """
    reading = _Reading(zone, patch=False)
    found = _fields(type_.fields, raw, {}, "", reading)
    _rules(type_.rules, found, "", reading)
    reading.end()
    return found


def _defaults(operation: Operation) -> dict[str, Json]:
    """Give the defaults, each made anew: nobody can change the contract's own."""
    defaults = {name: argument for name, argument in operation.args.items() if argument.default is not None}
    return {name: argument.type.accept(argument.default) for name, argument in defaults.items()}


def _fields(
    fields: Mapping[str, Field], raw: Mapping[str, Json], refused: Mapping[str, str], place: str, reading: _Reading
) -> dict[str, Json]:
    """Read the fields of an object, or the arguments of a call."""
    for name in raw:
        if name not in fields and not reading.full:
            problem = refused.get(name) or f"is not known here{suggestion(name, fields)}"
            reading.wrong(f"{place}{_show(name)}", problem)
    found: dict[str, Json] = {}
    for name, one in fields.items():
        noted = len(reading.problems)
        value = _give(one.type, raw.get(name), place + name, reading)
        cleared = reading.patch and name in raw and len(reading.problems) == noted
        if value is not None or (cleared and one.nullable):
            found[name] = value
        elif cleared and not one.required:
            reading.wrong(place + name, "cannot be cleared")
        elif one.required and len(reading.problems) == noted:
            reading.wrong(place + name, "is required")
    return found


def _rules(rules: Rules, found: Mapping[str, Json], place: str, reading: _Reading) -> None:
    """Check what must hold between fields. What was given wrongly counts as given: it has its own problem already."""
    wrong = {name.removeprefix(place).partition(".")[0] for name, *_ in reading.problems if name.startswith(place)}
    given = wrong | found.keys()
    for group in rules.one_of:
        if given.isdisjoint(group):
            others = ", ".join(f"`{name}`" for name in group[1:])
            reading.wrong(place + group[0], f"is required, or instead of it {others}")
    for group in rules.not_both:
        twice = [name for name in group if name in given]
        if len(twice) > 1:
            reading.wrong(place + twice[-1], f"cannot be given beside `{twice[0]}`")
    for interval in rules.intervals:
        _interval(interval, found, place, reading)


def _interval(interval: tuple[str, str], found: Mapping[str, Json], place: str, reading: _Reading) -> None:
    start, end = (found.get(name) for name in interval)
    if start is not None and end is not None and moment(end) <= moment(start):
        reading.wrong(place + interval[1], f"must be later than `{interval[0]}`", "INVALID_TIME")


def _give(type_: Type, value: Json, place: str, reading: _Reading) -> Json:
    """Read one value; None when it is null, blank or wrong (then a problem is noted)."""
    if value is None:
        return None
    reader = _READERS.get(type_.kind, _accept)
    return reader(type_, value, place, reading)


def _accept(type_: Type, value: Json, place: str, reading: _Reading) -> Json:
    try:
        return type_.accept(value)
    except TypeRefused as refused:
        reading.wrong(place, f"must be {refused}")
        return None


def _object(type_: Type, value: Json, place: str, reading: _Reading) -> Json:
    if not isinstance(value, dict) or not type_.fields:
        return _accept(type_, value, place, reading)
    found = _fields(type_.fields, value, {}, f"{place}.", reading)
    _rules(type_.rules, found, f"{place}.", reading)
    return found


def _list(type_: Type, value: Json, place: str, reading: _Reading) -> Json:
    if not isinstance(value, list) or type_.item is None:
        return _accept(type_, value, place, reading)
    low, high = type_.minimum or 0, type_.maximum
    if len(value) < low or (high is not None and len(value) > high):
        most = "" if high is None else f" and at most {high}"
        reading.wrong(place, f"must have at least {low} element{'s' if low > 1 else ''}{most}")
        return None
    found = []
    for index, element in enumerate(value):
        noted = len(reading.problems)
        one = _give(type_.item, element, f"{place}.{index}", reading)
        if one is None and len(reading.problems) == noted:
            reading.wrong(f"{place}.{index}", "cannot be empty")
        found.append(one)
    return found


def _map(type_: Type, value: Json, place: str, reading: _Reading) -> Json:
    if not isinstance(value, dict) or type_.item is None:
        return _accept(type_, value, place, reading)
    found: dict[str, Json] = {}
    for key, element in value.items():
        if not key.strip() or len(key) > MAX_LINE or _BREAKS_LINE.search(key):
            reading.wrong(place, f"must have keys of 1 to {MAX_LINE} characters in one line")
            continue
        noted = len(reading.problems)
        one = _give(type_.item, element, f"{place}.{_show(key)}", reading)
        if one is not None or (reading.patch and len(reading.problems) == noted):
            found[key] = one
    return found


def _text(type_: Type, value: Json, place: str, reading: _Reading) -> Json:
    longest = type_.maximum or (MAX_TEXT if type_.multiline else MAX_LINE)
    unfit = _UNFIT if type_.multiline else _BREAKS_LINE
    if type_.multiline and isinstance(value, str):  # browsers write CRLF into forms (HTML, "multipart form data")
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if not isinstance(value, str):
        reading.wrong(place, "must be a text")
    elif len(value) > longest:
        reading.wrong(place, f"must have at most {longest} characters")
    elif unfit.search(value):
        breaks = "" if type_.multiline else "line breaks or other "
        reading.wrong(place, f"must not hold {breaks}control characters")
    elif type_.kind == "email" and value.strip() and (len(value) > MAX_EMAIL or not _EMAIL.fullmatch(value)):
        reading.wrong(place, "must be an e-mail address")
    else:
        return _accept(type_, value, place, reading) if value.strip() else None
    return None


def _id(type_: Type, value: Json, place: str, reading: _Reading) -> Json:
    accepted = _accept(type_, value, place, reading)
    if accepted is not None and (not accepted.strip() or climbs(accepted)):
        reading.wrong(place, "must be an id, not dots or blanks")
        return None
    return accepted


def _instant(_type: Type, value: Json, place: str, reading: _Reading) -> Json:
    if value == "":
        return None
    if not isinstance(value, str):
        reading.wrong(place, "must be a time such as 2026-03-19T08:30:00+01:00")
        return None
    try:
        instant = parse_instant(value, reading.zone)
    except GapTime:
        reading.wrong(place, "does not exist: the clocks of the time zone skip it", "INVALID_TIME")
    except TimeRefused as refused:
        plus = "; in a query `+` is written `%2B`" if " " in value else ""
        reading.wrong(place, f"must be {refused}{plus}")
    else:
        # Far from the ends of the calendar, so that whoever adds days or minutes to it stays inside.
        if moment(instant).year in _YEARS:
            return instant
        reading.wrong(place, f"must lie between {_YEARS.start} and {_YEARS.stop - 1}", "INVALID_TIME")
    return None


def _show(name: str) -> str:
    """Give a caller's own name back, cut and without what a log or a JSON writer could stumble over."""
    return "".join(char if char.isprintable() else "?" for char in name[:_SHOWN_NAME])


_READERS: Mapping[str, Callable[[Type, Json, str, _Reading], Json]] = {
    "object": _object,
    "list": _list,
    "map": _map,
    "text": _text,
    "email": _text,
    "id": _id,
    "instant": _instant,
}
