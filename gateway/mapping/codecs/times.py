"""Codecs of instants. A format is exact: fixed digits, nothing skipped or guessed. Dates and durations: `dates.py`.

Local times are placed in a zone: what the clocks skip is refused, what they show twice is the first. A writer refuses
an instant that its format cannot hold, so that what was written is read back as the same instant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

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
from gateway.mapping.codecs.time_formats import (
    END,
    REFUSED,
    Format,
    Formats,
    LocalTimes,
    Numbers,
    compile_form,
    compile_format,
)
from gateway.model.types import times
from gateway.values.messages import Json

_DATE: Final = frozenset("Ymd")
_SHORT_OFFSET: Final = re.compile(r"([0-9-]{10}T[0-9:.]{5,})([+-][0-9]{2})([0-9]{2})?")
"""A time whose offset has no colon, or no minutes."""
_ZONE: Final = Option(
    "zone", "template giving the IANA zone", "{{ settings.time_zone }}", takes="time_zone", template=True
)
_OFFSET: Final = Option(
    "offset",
    "template: whether it is written in full, with seconds and offset",
    "{{ false }}",
    takes="boolean",
    template=True,
)

_COLON: Final = Option(
    "colon", "false: the offset is written without its colon, `+0100`", "true", takes="boolean", form="true or false"
)
_CLOCK_ZONE: Final = Option(
    "clock_zone",
    "template giving the zone of the time of day, where that is not told by the clocks that show its date",
    "that of `zone`",
    takes="time_zone",
    template=True,
)
_END_OF_DAY: Final = Option(
    "end_of_day",
    "clock times that mean the next midnight; it is written as the first",
    "[]",
    takes="list",
    form='a list of clock times such as ["23:59"]',
)
_FORMS: Final = "a format such as `%Y-%m-%d %H:%M`, a list of them, or {parts: [year, month, day]}"
_NEEDED: Final = {
    Format: "the formats need %Y, %m and %d",
    Formats: "the formats need %Y, %m and %d",
    Numbers: "the parts need year, month and day",
}
"""What makes a date of a time, by its form."""


@dataclass(frozen=True, slots=True)
class LocalForm:
    """What a codec of local times is made of."""

    times: LocalTimes
    zone: Callable[[Scope], str]


def _datetime(spec: Specification) -> Codec:
    form = compile_form(spec.main, spec.place(), several=True)
    if form is None:
        spec.main_text(_FORMS)
        raise CodecInvalid(f"`{spec.name}` takes {_FORMS}", spec.place())
    if len(set(form.fields)) != len(form.fields) or not set(form.fields) >= _DATE:
        raise CodecInvalid(f"{_NEEDED[type(form)]}, each once", spec.place())
    if ("M" in form.fields and "H" not in form.fields) or ("S" in form.fields and "M" not in form.fields):
        raise CodecInvalid("a clock time needs %H before %M before %S", spec.place())
    ends = _ends(spec)
    if ends and "M" not in form.fields:
        raise CodecInvalid("`end_of_day` needs a format with %H and %M", spec.place("end_of_day"))
    skipped = spec.options.get("skipped", REFUSED)
    if skipped not in (REFUSED, END):
        raise CodecInvalid(f"`skipped` is {REFUSED} or {END}", spec.place("skipped"))
    beside = "clock_zone" in spec.options
    if beside and ("H" not in form.fields or ends or skipped == END):
        message = "`clock_zone` needs a clock time, and goes with neither `end_of_day` nor `skipped`"
        raise CodecInvalid(message, spec.place("clock_zone"))
    local = LocalTimes(form, ends, skipped)
    zone = spec.template(_ZONE)
    clock_zone = spec.template(_CLOCK_ZONE) if beside else None

    def decode(value: Json, scope: Scope) -> Json:
        found = zone(scope)
        return local.decode(value, found, found if clock_zone is None else clock_zone(scope))

    def encode(value: Json, scope: Scope) -> Json:
        found = zone(scope)
        return local.encode(value, found, found if clock_zone is None else clock_zone(scope))

    law = ISO if skipped == REFUSED and not ends else LOSSY
    return Codec("datetime", law, "instant", decode, encode, form=None if beside else LocalForm(local, zone))


def _ends(spec: Specification) -> tuple[tuple[int, int, int], ...]:
    """Read `end_of_day`: clock times `HH:MM` or `HH:MM:SS`; 24:00 is one."""
    given: Any = spec.options.get("end_of_day", [])
    place = spec.place("end_of_day")
    ends = []
    for index, text in enumerate(given):
        read = compile_format("%H:%M:%S", place).read(text) or compile_format("%H:%M", place).read(text)
        if read is None:
            raise CodecInvalid("a clock time such as `23:59`, in quotes", (*place, index))
        ends.append((read["H"], read["M"], read.get("S", 0)))
    return tuple(ends)


def _rfc3339(spec: Specification) -> Codec:
    zone = spec.template(_ZONE)

    def turn(value: Json, scope: Scope) -> Json:
        if not isinstance(value, str):
            raise CodecRefused(times.INSTANT)
        try:
            return times.to_zone(times.normal_instant(value), zone(scope))
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None

    return Codec("rfc3339", LOSSY, "instant", turn, turn)


def _iso8601(spec: Specification) -> Codec:
    texts = {"minutes": "%Y-%m-%dT%H:%M", "seconds": "%Y-%m-%dT%H:%M:%S"}
    text = texts.get(spec.main_text("`minutes` or `seconds`"))
    if text is None:
        raise CodecInvalid("`iso8601` takes `minutes` or `seconds`", spec.place())
    if "colon" in spec.options and "offset" not in spec.options:
        raise CodecInvalid("`colon` is one of the offset: say with `offset` that it is written", spec.place("colon"))
    local = LocalTimes(compile_format(text, spec.place()), ends=())
    zone, offset, colon = spec.template(_ZONE), spec.template(_OFFSET), spec.options.get("colon", True)

    def decode(value: Json, scope: Scope) -> Json:
        found = _SHORT_OFFSET.fullmatch(written := _text(value, times.INSTANT))
        try:
            return times.parse_instant(f"{found[1]}{found[2]}:{found[3] or '00'}" if found else written, zone(scope))
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None

    def encode(value: Json, scope: Scope) -> Json:
        if not offset(scope):
            return local.encode(value, zone(scope), zone(scope))
        try:
            instant = times.to_zone(times.normal_instant(_text(value, times.INSTANT)), zone(scope))
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None
        return instant if colon else instant[:-3] + instant[-2:]

    return Codec("iso8601", LOSSY, "instant", decode, encode)


def _unix(spec: Specification) -> Codec:
    unit = {"seconds": 1, "milliseconds": 1000}.get(spec.main_text("`seconds` or `milliseconds`"))
    if unit is None:
        raise CodecInvalid("`unix` takes `seconds` or `milliseconds`", spec.place())
    zone = spec.template(_ZONE)

    def decode(value: Json, scope: Scope) -> Json:
        if not isinstance(value, int) or isinstance(value, bool):
            raise CodecRefused(f"a whole number of {spec.main} since 1970")
        try:
            return times.from_epoch(value // unit, zone(scope))
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None

    def encode(value: Json, _scope: Scope) -> Json:
        try:
            return times.epoch(times.normal_instant(_text(value, times.INSTANT))) * unit
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None

    return Codec("unix", ISO if unit == 1 else LOSSY, "instant", decode, encode)


def _text(value: Json, expected: str) -> str:
    if not isinstance(value, str):
        raise CodecRefused(expected)
    return value


KINDS: Final[tuple[CodecKind, ...]] = (
    CodecKind(
        name="datetime",
        main="a format with %Y %m %d, mostly %H %M, perhaps %S; a list of formats reads a list of texts, "
        "`{parts: [year, month, day, hour, minute]}` a list of numbers, `{parts: {year: key, …}}` an object of them",
        options=(
            _ZONE,
            _CLOCK_ZONE,
            _END_OF_DAY,
            Option(
                "skipped",
                "what a time is that the clocks skip: `refused`, or the `end` of an interval: it is read with the "
                "offset before, and what ends as they are put forward is written 02:00, not 03:00",
                REFUSED,
                takes="text",
                form=f"{REFUSED} or {END}",
            ),
        ),
        law=ISO,
        reads="text, list of texts or numbers, or object of numbers",
        gives="instant",
        meaning="local time ↔ instant; lossy with `end_of_day` or `skipped`",
        samples=(
            ({"datetime": "%Y-%m-%d %H:%M"}, "2026-07-19 08:30", "2026-07-19T08:30:00+02:00"),
            ({"datetime": {"parts": ["year", "month", "day"]}}, [2026, 7, 19], "2026-07-19T00:00:00+02:00"),
            (
                {"datetime": ["%Y-%m-%d", "%H:%M"], "clock_zone": "UTC"},
                ["2026-07-20", "22:30"],
                "2026-07-20T00:30:00+02:00",
            ),
        ),
        build=_datetime,
    ),
    CodecKind(
        name="rfc3339",
        main="",
        options=(_ZONE,),
        within=True,
        law=LOSSY,
        reads="text with an offset",
        gives="instant",
        meaning="RFC 3339 time ↔ instant in the zone; a fraction of a second is dropped",
        samples=(("rfc3339", "2026-07-19T06:30:00Z", "2026-07-19T08:30:00+02:00"),),
        build=_rfc3339,
    ),
    CodecKind(
        name="iso8601",
        main="`minutes` or `seconds`, to which a time without an offset is written",
        options=(_ZONE, _OFFSET, _COLON),
        law=LOSSY,
        reads="text, with or without seconds and offset, that without its colon or minutes too; `-00:00` is UTC",
        gives="instant",
        meaning="ISO 8601 time ↔ instant in the zone; without an offset it is local to the zone, and written so",
        samples=(
            ({"iso8601": "minutes"}, "2026-07-19T08:30", "2026-07-19T08:30:00+02:00"),
            ({"iso8601": "minutes"}, "2026-07-19T06:30:00Z", "2026-07-19T08:30:00+02:00"),
        ),
        build=_iso8601,
    ),
    CodecKind(
        name="unix",
        main="`seconds` or `milliseconds`",
        options=(_ZONE,),
        law=ISO,
        reads="number",
        gives="instant",
        meaning="time since 1970-01-01T00:00:00Z ↔ instant in the zone; milliseconds are lossy",
        samples=(({"unix": "seconds", "zone": "Europe/Rome"}, 1504792800, "2017-09-07T16:00:00+02:00"),),
        build=_unix,
    ),
)
