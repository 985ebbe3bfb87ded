"""Codecs of instants, dates, clock times and durations. A format is exact: fixed digits, nothing skipped or guessed.

Local times are placed in a zone: what the clocks skip is refused, what they show twice is the first. A writer refuses
an instant that its format cannot hold, so that what was written is read back as the same instant.
"""

from __future__ import annotations

from datetime import date
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
from gateway.mapping.codecs.time_formats import END, REFUSED, SAMPLE, Format, LocalTimes, compile_format
from gateway.model.types import times
from gateway.values.messages import Json

_DATE: Final = frozenset("Ymd")
_LAST_HOUR: Final = 23
_LAST_MINUTE: Final = 59
_HUNDRED_HOURS: Final = 100 * 60
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

_END_OF_DAY: Final = Option(
    "end_of_day",
    "clock times that mean the next midnight; it is written as the first",
    "[]",
    takes="list",
    form='a list of clock times such as ["23:59"]',
)


def _exactly(spec: Specification, needed: str, also: str = "") -> Format:
    """Compile the main value as one format with these fields; raises CodecInvalid."""
    what = f"a format with {' '.join('%' + name for name in needed)}"
    found = compile_format(spec.main_text(what), spec.place())
    if not set(needed) <= set(found.fields) <= set(needed + also):
        raise CodecInvalid(f"`{spec.name}` takes {what}", spec.place())
    return found


def _datetime(spec: Specification) -> Codec:
    listed = isinstance(spec.main, list)
    texts: list[Json] = (
        spec.main if listed else [spec.main_text("a format such as `%Y-%m-%d %H:%M`, or a list of them")]
    )
    formats = tuple(
        compile_format(text, (*spec.place(), index) if listed else spec.place()) for index, text in enumerate(texts)
    )
    fields = [name for one in formats for name in one.fields]
    if len(set(fields)) != len(fields) or not set(fields) >= _DATE:
        raise CodecInvalid("the formats need %Y, %m and %d, each once", spec.place())
    if ("M" in fields and "H" not in fields) or ("S" in fields and "M" not in fields):
        raise CodecInvalid("a clock time needs %H before %M before %S", spec.place())
    ends = _ends(spec)
    if ends and "M" not in fields:
        raise CodecInvalid("`end_of_day` needs a format with %H and %M", spec.place("end_of_day"))
    skipped = spec.options.get("skipped", REFUSED)
    if skipped not in (REFUSED, END):
        raise CodecInvalid(f"`skipped` is {REFUSED} or {END}", spec.place("skipped"))
    local = LocalTimes(formats, listed, ends, skipped)
    zone = spec.template(_ZONE)
    return Codec(
        "datetime",
        ISO if skipped == REFUSED and not ends else LOSSY,
        "instant",
        lambda value, scope: local.decode(value, zone(scope)),
        lambda value, scope: local.encode(value, zone(scope)),
    )


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
    local = LocalTimes((compile_format(text, spec.place()),), listed=False, ends=())
    zone, offset = spec.template(_ZONE), spec.template(_OFFSET)

    def decode(value: Json, scope: Scope) -> Json:
        try:
            return times.parse_instant(_text(value, times.INSTANT), zone(scope))
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None

    def encode(value: Json, scope: Scope) -> Json:
        if not offset(scope):
            return local.encode(value, zone(scope))
        try:
            return times.to_zone(times.normal_instant(_text(value, times.INSTANT)), zone(scope))
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None

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


def _date(spec: Specification) -> Codec:
    one = _exactly(spec, "Ymd")
    expected = f"a date such as {one.write(SAMPLE)}"

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
    one = _exactly(spec, "HM", "S")
    expected = f"a clock time such as {one.write(SAMPLE)}"

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
    one = _exactly(spec, "HM")
    expected = f"hours and minutes such as {one.write(SAMPLE)}"

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


KINDS: Final[tuple[CodecKind, ...]] = (
    CodecKind(
        name="datetime",
        main="a format with %Y %m %d, mostly %H %M, perhaps %S; a list of formats reads a list of texts",
        options=(
            _ZONE,
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
        reads="text, or list of texts",
        gives="instant",
        meaning="local time ↔ instant; lossy with `end_of_day` or `skipped`",
        samples=(({"datetime": "%Y-%m-%d %H:%M"}, "2026-07-19 08:30", "2026-07-19T08:30:00+02:00"),),
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
        options=(_ZONE, _OFFSET),
        law=LOSSY,
        reads="text, with or without seconds and offset",
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
    CodecKind(
        name="date",
        main="a format with %Y %m %d",
        options=(),
        law=ISO,
        reads="text",
        gives="date",
        meaning="date ↔ `YYYY-MM-DD`",
        samples=(({"date": "%d.%m.%Y"}, "19.03.2026", "2026-03-19"),),
        build=_date,
    ),
    CodecKind(
        name="clock",
        main="a format with %H %M, perhaps %S, which must be 00",
        options=(),
        law=ISO,
        reads="text",
        gives="clock",
        meaning="clock time ↔ `HH:MM`",
        samples=(({"clock": "%H:%M:%S"}, "08:30:00", "08:30"),),
        build=_clock,
    ),
    CodecKind(
        name="clock_minutes",
        main="a format with %H %M",
        options=(),
        law=ISO,
        reads="text",
        gives="integer",
        meaning="duration as hours and minutes ↔ minutes, below 100 hours",
        samples=(({"clock_minutes": "%H:%M"}, "02:00", 120),),
        build=_clock_minutes,
    ),
)
