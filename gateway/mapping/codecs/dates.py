"""Codecs of dates, clock times and durations. A form is exact: fixed digits or whole numbers, nothing guessed."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import Final

from gateway.mapping.codecs.kind import (
    ISO,
    LOSSY,
    Codec,
    CodecInvalid,
    CodecKind,
    CodecRefused,
    Option,
    Scope,
    Specification,
)
from gateway.mapping.codecs.time_formats import Form, Format, compile_form
from gateway.model.types import times
from gateway.values.messages import Json

_LAST_HOUR: Final = 23
_LAST_MINUTE: Final = 59
_HUNDRED_HOURS: Final = 100 * 60
_AMOUNT: Final = r"([0-9]{1,9}(?:[.,][0-9]{1,9})?)"
_ISO_DURATION: Final = re.compile(
    rf"P(?=[0-9T])(?:{_AMOUNT}W)?(?:{_AMOUNT}D)?(?:T(?=[0-9])(?:{_AMOUNT}H)?(?:{_AMOUNT}M)?(?:{_AMOUNT}S)?)?"
)
"""A duration of ISO 8601 without years and months, whose length is no matter of seconds."""
_SECONDS: Final = (7 * 86_400, 86_400, 3_600, 60, 1)
"""Seconds of a week, a day, an hour, a minute and a second."""
_UNITS: Final = {"minutes": 60, "seconds": 1}
_MOST_SECONDS: Final = 10**12
_DAYS: Final = Option(
    "days",
    "true: days and weeks are read as 24 hours and seven times that; a day of the clocks may have 23 or 25",
    "false",
    takes="boolean",
    form="true or false",
)


def _text(value: Json, expected: str) -> str:
    if not isinstance(value, str):
        raise CodecRefused(expected)
    return value


def _exactly(spec: Specification, needed: str, parts: str, also: str = "") -> Form:
    """Compile the main value as one form with these fields; raises CodecInvalid."""
    what = f"a format with {' '.join('%' + name for name in needed)}, or {{parts: [{parts}]}}"
    form = compile_form(spec.main, spec.place())
    if form is None or not set(needed) <= set(form.fields) <= set(needed + also):
        raise CodecInvalid(f"`{spec.name}` takes {what}", spec.place() if spec.main is not None else ())
    return form


def _expect(form: Form, what: str) -> str:
    return f"{what} such as {form.expected}" if isinstance(form, Format) else form.expected


def _date(spec: Specification) -> Codec:
    one = _exactly(spec, "Ymd", "year, month, day")
    expected = _expect(one, "a date")

    def decode(value: Json, _scope: Scope) -> Json:
        fields = one.read(value)
        if fields is None:
            raise CodecRefused(expected)
        try:
            return date(fields["Y"], fields["m"], fields["d"]).isoformat()
        except ValueError:
            raise CodecRefused(expected) from None

    def encode(value: Json, _scope: Scope) -> Json:
        try:
            day = times.parse_date(_text(value, times.DATE))
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None
        return one.write({"Y": day.year, "m": day.month, "d": day.day})

    return Codec("date", ISO, "date", decode, encode)


def _clock(spec: Specification) -> Codec:
    one = _exactly(spec, "HM", "hour, minute", "S")
    expected = _expect(one, "a clock time")

    def decode(value: Json, _scope: Scope) -> Json:
        fields = one.read(value)
        if fields is None or fields["H"] > _LAST_HOUR or fields["M"] > _LAST_MINUTE or fields.get("S", 0):
            raise CodecRefused(expected)
        return f"{fields['H']:02d}:{fields['M']:02d}"

    def encode(value: Json, _scope: Scope) -> Json:
        try:
            wall = times.parse_clock(_text(value, times.CLOCK))
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None
        return one.write({"H": wall.hour, "M": wall.minute, "S": 0})

    return Codec("clock", ISO, "clock", decode, encode)


def _clock_minutes(spec: Specification) -> Codec:
    one = _exactly(spec, "HM", "hour, minute")
    expected = _expect(one, "hours and minutes")

    def decode(value: Json, _scope: Scope) -> Json:
        fields = one.read(value)
        if fields is None or fields["M"] > _LAST_MINUTE:
            raise CodecRefused(expected)
        return fields["H"] * 60 + fields["M"]

    def encode(value: Json, _scope: Scope) -> Json:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _HUNDRED_HOURS:
            raise CodecRefused("a whole number of minutes below 100 hours")
        return one.write({"H": value // 60, "M": value % 60})

    return Codec("clock_minutes", ISO, "integer", decode, encode)


def _iso8601_duration(spec: Specification) -> Codec:
    unit = _UNITS.get(spec.main_text("`minutes` or `seconds`"))
    if unit is None:
        raise CodecInvalid(f"`{spec.name}` takes `minutes` or `seconds`", spec.place())
    with_days = spec.options.get("days", False)
    expected = f"a duration such as PT1H30M, in whole {spec.main}{'' if with_days else ', without days'}"

    def decode(value: Json, _scope: Scope) -> Json:
        found = _ISO_DURATION.fullmatch(_text(value, expected))
        amounts = [] if found is None else [one and one.replace(",", ".") for one in found.groups()]
        given = [one for one in amounts if one is not None]
        if not given or any("." in one for one in given[:-1]) or (not with_days and any(amounts[:2])):
            raise CodecRefused(expected)
        seconds = sum(Fraction(one) * each for one, each in zip(amounts, _SECONDS, strict=True) if one is not None)
        if seconds % unit:
            raise CodecRefused(expected)
        return int(seconds // unit)

    def encode(value: Json, _scope: Scope) -> Json:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value * unit < _MOST_SECONDS:
            raise CodecRefused(f"a whole number of {spec.main}, not below zero")
        hours, rest = divmod(value * unit, 3_600)
        amounts = ((hours, "H"), (rest // 60, "M"), (rest % 60, "S"))
        return "PT" + ("".join(f"{amount}{mark}" for amount, mark in amounts if amount) or "0S")

    return Codec("iso8601_duration", LOSSY, "integer", decode, encode)


KINDS: Final[tuple[CodecKind, ...]] = (
    CodecKind(
        name="date",
        main="a format with %Y %m %d, or `{parts: [year, month, day]}`, as of `datetime`",
        options=(),
        law=ISO,
        reads="text or numbers",
        gives="date",
        meaning="date ↔ `YYYY-MM-DD`",
        samples=(
            ({"date": "%d.%m.%Y"}, "19.03.2026", "2026-03-19"),
            ({"date": {"parts": {"year": "y", "month": "m", "day": "d"}}}, {"y": 2026, "m": 3, "d": 19}, "2026-03-19"),
        ),
        build=_date,
    ),
    CodecKind(
        name="clock",
        main="a format with %H %M, perhaps %S, which must be 00, or `{parts: [hour, minute]}`",
        options=(),
        law=ISO,
        reads="text or numbers",
        gives="clock",
        meaning="clock time ↔ `HH:MM`",
        samples=(({"clock": "%H:%M:%S"}, "08:30:00", "08:30"),),
        build=_clock,
    ),
    CodecKind(
        name="clock_minutes",
        main="a format with %H %M, or `{parts: [hour, minute]}`",
        options=(),
        law=ISO,
        reads="text or numbers",
        gives="integer",
        meaning="duration as hours and minutes ↔ minutes, below 100 hours",
        samples=(({"clock_minutes": "%H:%M"}, "02:00", 120),),
        build=_clock_minutes,
    ),
    CodecKind(
        name="iso8601_duration",
        main="`minutes` or `seconds`, which it is read in",
        options=(_DAYS,),
        law=LOSSY,
        reads="text",
        gives="integer",
        meaning="duration of ISO 8601 ↔ minutes or seconds; written in hours, minutes and seconds",
        samples=(
            ({"iso8601_duration": "minutes"}, "PT1H30M", 90),
            ({"iso8601_duration": "minutes", "days": True}, "P1DT0.5H", 1470),
        ),
        build=_iso8601_duration,
    ),
)
