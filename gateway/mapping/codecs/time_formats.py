"""Wall-clock times as texts of fixed width. A format is exact: nothing is skipped, padded or guessed.

Zones come from `model/times.py`; what a mapping may write is decided in `times.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from gateway.documents.yaml import Place
from gateway.mapping.codecs.kind import CodecInvalid, CodecRefused
from gateway.model.types import times
from gateway.values.messages import Json

_WIDTHS: Final[Mapping[str, int]] = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_DIRECTIVE: Final = re.compile(r"%(.?)", re.DOTALL)
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


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """Wall-clock times in one format, or in several texts, with the clock times that mean the end of the day."""

    formats: tuple[Format, ...]
    listed: bool
    ends: tuple[tuple[int, int, int], ...]
    skipped: str = REFUSED
    """What a time that the clocks skip is: refused, or the end of an interval."""

    @property
    def expected(self) -> str:
        """What a refused value should have been."""
        samples = " and ".join(one.write(SAMPLE) for one in self.formats)
        return f"a list of texts such as {samples}" if self.listed else f"a time such as {samples}"

    def decode(self, value: Json, zone: str) -> str:
        """Provider's text or texts → instant."""
        return _decoded(self, value, zone) if type(value) is str else self._decode(value, zone)

    def _decode(self, value: Json, zone: str) -> str:
        texts = value if self.listed else [value]
        if not isinstance(texts, list) or len(texts) != len(self.formats):
            raise CodecRefused(self.expected)
        fields: dict[str, int] = {}
        for one, text in zip(self.formats, texts, strict=True):
            read = one.read(text)
            if read is None:
                raise CodecRefused(self.expected)
            fields |= read
        clock = fields.get("H", 0), fields.get("M", 0), fields.get("S", 0)
        try:
            day = date(fields["Y"], fields["m"], fields["d"])
            if clock in self.ends:
                return times.start_of_day(day + timedelta(days=1), zone)
            if "H" not in fields:
                return times.start_of_day(day, zone)
            return _PLACED[self.skipped](datetime(day.year, day.month, day.day, *clock), zone)  # noqa: DTZ001 - local
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None
        except (ValueError, OverflowError):
            raise CodecRefused(self.expected) from None

    def encode(self, value: Json, zone: str) -> Json:
        """Instant → provider's text or texts."""
        if not isinstance(value, str):
            raise CodecRefused(times.INSTANT)
        if type(value) is str and not self.listed:  # a list could be changed by whoever is given it
            return _encoded(self, value, zone)
        return self._encode(value, zone)

    def _encode(self, value: str, zone: str) -> Json:
        try:
            instant = times.normal_instant(value)
            wall = times.last_showing(instant, zone) if self.skipped == END else times.wall_clock(instant, zone)
            day, clock = wall.date(), (wall.hour, wall.minute, wall.second)
            if self.ends and clock == (0, 0, 0):
                day, clock = day - timedelta(days=1), self.ends[0]
        except times.TimeRefused as refused:
            raise CodecRefused(str(refused)) from None
        except OverflowError:
            raise CodecRefused(times.INSTANT) from None
        fields = dict(zip("YmdHMS", (day.year, day.month, day.day, *clock), strict=True))
        texts = [one.write(fields) for one in self.formats]
        written = texts if self.listed else texts[0]
        if times.epoch(self.decode(written, zone)) != times.epoch(instant):
            raise CodecRefused("a time the format can say: no seconds it drops, no time the clocks show again")
        return written


# The rows of a list tell few moments many times: of one day, by every resource, and again within ids.
@lru_cache(_MOST_KNOWN, typed=True)
def _decoded(form: LocalTimes, text: str, zone: str) -> str:
    return form._decode(text, zone)  # noqa: SLF001 - the class's own memory


@lru_cache(_MOST_KNOWN, typed=True)
def _encoded(form: LocalTimes, instant: str, zone: str) -> Json:
    return form._encode(instant, zone)  # noqa: SLF001 - the class's own memory
