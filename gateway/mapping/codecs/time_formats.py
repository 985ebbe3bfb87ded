"""Wall-clock times as texts of fixed width, or as numbers. A form is exact: nothing is skipped, padded or guessed.

Zones come from `model/types/times.py`; what a mapping may write is decided in `times.py` and `dates.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, TypeAlias

from gateway.documents.yaml import Place
from gateway.mapping.codecs.kind import CodecInvalid, CodecRefused
from gateway.model.types import times
from gateway.values.messages import Json

_WIDTHS: Final[Mapping[str, int]] = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_DIRECTIVE: Final = re.compile(r"%(.?)", re.DOTALL)
_PARTS: Final[Mapping[str, str]] = {
    "year": "Y",
    "month": "m",
    "day": "d",
    "hour": "H",
    "minute": "M",
    "second": "S",
}
"""What a part of a time is called in a mapping, and as a field of formats."""
_AROUND: Final = range(-2, 3)
"""Days between the dates that two zones may have at once: from -12:00 to +14:00 there are two."""
REFUSED: Final = "refused"
END: Final = "end"
_PLACED: Final[Mapping[str, Callable[[datetime, str], str]]] = {
    REFUSED: times.local_to_instant,
    END: times.local_or_later,
}
SAMPLE: Final[Mapping[str, int]] = {"Y": 2026, "m": 3, "d": 19, "H": 8, "M": 30, "S": 0}
"""The time messages show as an example."""
_MOST_KNOWN: Final = 4096
"""So many texts and moments are remembered as they were read and written, with their format and zone."""


@dataclass(frozen=True, slots=True)
class Format:
    """One strftime format of fixed width: %Y %m %d %H %M %S and %%."""

    text: str
    pattern: re.Pattern[str]
    fields: tuple[str, ...]

    @property
    def expected(self) -> str:
        """What a refused value should have been, as it goes on after `a time such as`."""
        return self.write(SAMPLE)

    def read(self, value: Json) -> dict[str, int] | None:
        """Give the numbers of a text, or None when it is not written so."""
        found = self.pattern.fullmatch(value) if isinstance(value, str) else None
        return None if found is None else {name: int(digits) for name, digits in found.groupdict().items()}

    def write(self, fields: Mapping[str, int]) -> str:
        """Write the numbers."""

        def digits(found: re.Match[str]) -> str:
            name = found[1]
            return "%" if name == "%" else f"{fields[name]:0{_WIDTHS[name]}d}"

        return _DIRECTIVE.sub(digits, self.text)


@dataclass(frozen=True, slots=True)
class Formats:
    """Several texts in a list, each of its own format."""

    formats: tuple[Format, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of all of them."""
        return tuple(name for one in self.formats for name in one.fields)

    @property
    def expected(self) -> str:
        """What a refused value should have been."""
        return "a list of texts such as " + " and ".join(one.expected for one in self.formats)

    def read(self, value: Json) -> dict[str, int] | None:
        """Give the numbers of all texts, or None when they are not written so."""
        if not isinstance(value, list) or len(value) != len(self.formats):
            return None
        found: dict[str, int] = {}
        for one, text in zip(self.formats, value, strict=True):
            read = one.read(text)
            if read is None:
                return None
            found |= read
        return found

    def write(self, fields: Mapping[str, int]) -> list[Json]:
        """Write the texts."""
        return [one.write(fields) for one in self.formats]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A time in whole numbers: the elements of a list, or the values of an object under these `keys`."""

    fields: tuple[str, ...]
    keys: tuple[str, ...] | None

    @property
    def expected(self) -> str:
        """What a refused value should have been."""
        names = {field: name for name, field in _PARTS.items()}
        told = self.keys or [names[field] for field in self.fields]
        return f"{'an object' if self.keys else 'a list'} of whole numbers: {', '.join(told)}"

    def read(self, value: Json) -> dict[str, int] | None:
        """Give the numbers by field, or None where the value holds others, or other things."""
        if self.keys is not None:
            if not isinstance(value, dict) or value.keys() != set(self.keys):
                return None
            value = [value[key] for key in self.keys]
        if not isinstance(value, list) or len(value) != len(self.fields):
            return None
        found = dict(zip(self.fields, value, strict=True))
        whole = all(isinstance(one, int) and not isinstance(one, bool) for one in value)
        return found if whole and all(0 <= found[name] < 10 ** _WIDTHS[name] for name in found) else None

    def write(self, fields: Mapping[str, int]) -> Json:
        """Write the numbers."""
        numbers = [fields[name] for name in self.fields]
        return numbers if self.keys is None else dict(zip(self.keys, numbers, strict=True))


Form: TypeAlias = Format | Formats | Numbers


def compile_form(main: Json, place: Place, *, several: bool = False) -> Form | None:
    """Compile a format, `{parts: …}` or, where there may be several, a list of formats; raises CodecInvalid.

    None where the value is something else.
    """
    if isinstance(main, dict):
        return _numbers(main, place)
    if several and isinstance(main, list):
        return Formats(tuple(compile_format(text, (*place, index)) for index, text in enumerate(main)))
    return compile_format(main, place) if isinstance(main, str) and main else None


def _numbers(main: dict[str, Json], place: Place) -> Numbers:
    parts = main.get("parts")
    if main.keys() != {"parts"} or not parts or not isinstance(parts, list | dict):
        raise CodecInvalid("numbers are {parts: [year, month, day, …]}, or {parts: {year: key, …}} of an object", place)
    place = (*place, "parts")
    for at, name in enumerate(parts):
        if name not in _PARTS:
            told = f"a part is one of {', '.join(_PARTS)}"
            raise CodecInvalid(told, (*place, at if isinstance(parts, list) else name))
    if len(set(parts)) != len(parts):
        raise CodecInvalid("each part stands once", place)
    fields = tuple(_PARTS[name] for name in parts)
    if isinstance(parts, list):
        return Numbers(fields, None)
    keys = list(parts.values())
    if not all(isinstance(key, str) and key for key in keys) or len(set(keys)) != len(keys):
        raise CodecInvalid("each part has a key of its own", place)
    return Numbers(fields, tuple(map(str, keys)))


def compile_format(text: Json, place: Place) -> Format:
    """Compile a format; raises CodecInvalid."""
    if not isinstance(text, str):
        raise CodecInvalid("a format is text such as `%Y-%m-%d`", place)
    fields: list[str] = []
    pattern = ""
    position = 0
    for found in _DIRECTIVE.finditer(text):
        pattern += re.escape(text[position : found.start()])
        position = found.end()
        name = found[1]
        if name == "%":
            pattern += "%"
            continue
        if name not in _WIDTHS:
            raise CodecInvalid(f"`%{name}` is not taken; there are %Y %m %d %H %M %S and %%", place)
        if name in fields:
            raise CodecInvalid(f"`%{name}` stands twice", place)
        fields.append(name)
        pattern += f"(?P<{name}>[0-9]{{{_WIDTHS[name]}}})"
    return Format(text, re.compile(pattern + re.escape(text[position:])), tuple(fields))


def _place(day: date, clock: time, zone: str, clock_zone: str, skipped: str) -> str:
    """Give the instant, in `zone`, at which it is that day there and that time of day by the clocks of `clock_zone`.

    It is the first where there are two; raises TimeRefused where there is none.
    """
    if clock_zone == zone:
        return _PLACED[skipped](datetime.combine(day, clock), zone)
    for distance in _AROUND:
        beside = datetime.combine(day + timedelta(days=distance), clock)
        for instant in times.showings(beside, clock_zone):
            if times.wall_clock(instant, zone).date() == day:
                return times.to_zone(instant, zone)
    raise times.GapTime


def _show(instant: str, zone: str, clock_zone: str, skipped: str) -> tuple[date, tuple[int, int, int]]:
    """Give the date in `zone` and the time of day by the clocks of `clock_zone`."""
    wall = times.last_showing(instant, zone) if skipped == END else times.wall_clock(instant, zone)
    clock = wall if clock_zone == zone else times.wall_clock(instant, clock_zone)
    return wall.date(), (clock.hour, clock.minute, clock.second)


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """Wall-clock times in one form, with the clock times that mean the end of the day.

    Dates are those of a zone, and times of day too, unless the clocks are those of another one.
    """

    form: Form
    ends: tuple[tuple[int, int, int], ...]
    skipped: str = REFUSED
    """What a time that the clocks skip is: refused, or the end of an interval."""

    @property
    def expected(self) -> str:
        """What a refused value should have been."""
        told = self.form.expected
        return f"a time such as {told}" if isinstance(self.form, Format) else told

    def decode(self, value: Json, zone: str, clock_zone: str) -> str:
        """Provider's text, texts or numbers → instant."""
        return _decoded(self, value, zone, clock_zone) if type(value) is str else self._decode(value, zone, clock_zone)

    def _decode(self, value: Json, zone: str, clock_zone: str) -> str:
        fields = self.form.read(value)
        if fields is None:
            raise CodecRefused(self.expected)
        clock = fields.get("H", 0), fields.get("M", 0), fields.get("S", 0)
        try:
            day = date(fields["Y"], fields["m"], fields["d"])
            if clock in self.ends:
                return times.start_of_day(day + timedelta(days=1), zone)
            if "H" not in fields:
                return times.start_of_day(day, zone)
            return _place(day, time(*clock), zone, clock_zone, self.skipped)
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None
        except (ValueError, OverflowError):
            raise CodecRefused(self.expected) from None

    def encode(self, value: Json, zone: str, clock_zone: str) -> Json:
        """Instant → provider's text, texts or numbers."""
        if not isinstance(value, str):
            raise CodecRefused(times.INSTANT)
        if type(value) is str and isinstance(self.form, Format):  # what is no text could be changed by whoever gets it
            return _encoded(self, value, zone, clock_zone)
        return self._encode(value, zone, clock_zone)

    def _encode(self, value: str, zone: str, clock_zone: str) -> Json:
        try:
            instant = times.normal_instant(value)
            day, clock = _show(instant, zone, clock_zone, self.skipped)
            if self.ends and clock == (0, 0, 0):
                day, clock = day - timedelta(days=1), self.ends[0]
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None
        except OverflowError:
            raise CodecRefused(times.INSTANT) from None
        written = self.form.write(dict(zip("YmdHMS", (day.year, day.month, day.day, *clock), strict=True)))
        if times.epoch(self.decode(written, zone, clock_zone)) != times.epoch(instant):
            raise CodecRefused("a time the format can say: no seconds it drops, no time the clocks show again")
        return written


# The rows of a list tell few moments many times: of one day, by every resource, and again within ids.
@lru_cache(_MOST_KNOWN, typed=True)
def _decoded(form: LocalTimes, text: str, zone: str, clock_zone: str) -> str:
    return form._decode(text, zone, clock_zone)  # noqa: SLF001 - the class's own memory


@lru_cache(_MOST_KNOWN, typed=True)
def _encoded(form: LocalTimes, instant: str, zone: str, clock_zone: str) -> Json:
    return form._encode(instant, zone, clock_zone)  # noqa: SLF001 - the class's own memory
