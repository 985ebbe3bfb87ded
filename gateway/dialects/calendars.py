"""One event as a calendar object (RFC 5545, and section 4.1 of RFC 4791): written anew, or changed within another one.

What is changed keeps every line that is not said anew: properties of other programmes, alarms, zones, exceptions of a
series. An instant is written in its zone where that can be told by the clock there, else in UTC: of an hour that comes
twice the clock tells only the first. Times that stand on nobody's clock are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from icalendar import Timezone

from gateway.dialects.refusal import NotWritable, plain
from gateway.values.messages import Json

_Day = TypeVar("_Day", bound=date)

TEXTS: Final[Mapping[str, str]] = {
    "summary": "SUMMARY",
    "description": "DESCRIPTION",
    "location": "LOCATION",
    "status": "STATUS",
    "transparency": "TRANSP",
}
_INSTANTS: Final[Mapping[str, str]] = {"created": "CREATED", "updated": "LAST-MODIFIED"}
_OWN: Final = frozenset({"COMMENT", "CONTACT", "CATEGORIES", "CLASS", "RELATED-TO"})
_PROPERTY: Final = re.compile(r"X-[A-Z0-9-]+")
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_LINE: Final = re.compile(r"([A-Za-z0-9-]+)([;:])")
_BREAKS: Final = re.compile("\r\n?|\x85|\u2028|\u2029")
_WORD: Final = re.compile(r"[A-Z-]+")
_PRODUCT: Final = "PRODID:-//booking-gateway//events//EN"
_OCTETS: Final = 75
_A_YEAR: Final = timedelta(days=366)
_LONGEST_ZONES: Final = date(2037, 12, 31)
"""Until when the rules of a zone are written at most: tables of zones end there."""


def write_event(event: Mapping[str, Json], now: str) -> bytes:
    """Write an event of `uid`, `start`, `end`, `zone`, `summary` and so on; `now` is an RFC 3339 instant.

    `into` is a calendar object with an event of this `uid`, of which what is said is changed and the rest stays; a
    null takes a property away. Raises NotWritable.
    """
    said = _Said(event, datetime.fromisoformat(now))
    lines = said.changed(plain(event["into"], "into")) if "into" in event else said.made()
    return b"".join(_fold(line) for line in lines)


class _Said:
    """What is said of an event, as lines by the name of their property."""

    def __init__(self, event: Mapping[str, Json], now: datetime) -> None:
        self.uid = plain(event.get("uid"), "uid")
        self.lines: dict[str, str] = {"DTSTAMP": f"DTSTAMP:{_utc(now)}"}
        self.gone: set[str] = set()
        self.zones: dict[str, tuple[date, date]] = {}
        self._zone = plain(event["zone"], "zone") if event.get("zone") is not None else None
        if "into" in event and "updated" not in event:
            self.lines["LAST-MODIFIED"] = f"LAST-MODIFIED:{_utc(now)}"
        for key, value in event.items():
            self._take(key, value)

    def _take(self, key: str, value: Json) -> None:
        if key in {"start", "end"}:
            self._time(f"DT{key.upper()}", key, value)
        elif key in _INSTANTS:
            self._put(_INSTANTS[key], None if value is None else _utc(_instant(plain(value, key), key)))
        elif key in TEXTS:
            self._put(TEXTS[key], None if value is None else _escape(_word(key, plain(value, key))))
        elif key == "url":
            self._put("URL", None if value is None else _one_line(plain(value, key), key))
        elif key == "sequence":
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise NotWritable("has a `sequence` that is no whole number from 0 on")
            self._put("SEQUENCE", str(value))
        elif key == "properties":
            self._properties(value)

    def _put(self, name: str, value: str | None) -> None:
        if value is None:
            self.gone.add(name)
        else:
            self.lines[name] = f"{name}:{value}"

    def _properties(self, values: Json) -> None:
        for name, value in (values or {}).items():
            upper = name.upper()
            if not _PROPERTY.fullmatch(upper) and upper not in _OWN:
                raise NotWritable(f"has the property `{name[:_OCTETS]}`; those with a name of their own begin with X-")
            self._put(upper, None if value is None else _escape(plain(value, name)))

    def _time(self, name: str, key: str, value: Json) -> None:
        if value is None and name == "DTEND":
            self.gone |= {"DTEND", "DURATION"}
            return
        if name == "DTEND":
            self.gone.add("DURATION")
        text = plain(value, key)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            day = _parse(date.fromisoformat, text, key)
            self.lines[name] = f"{name};VALUE=DATE:{day:%Y%m%d}"
            return
        at = _parse(datetime.fromisoformat, text, key)
        if self._zone is None and at.tzinfo is None:
            raise NotWritable(f"has in `{key}` a time without an offset, and no `zone`")
        if self._zone is None:
            self.lines[name] = f"{name}:{_utc(at)}"
            return
        zone = _zone(self._zone)
        local = at.astimezone(zone) if at.tzinfo is not None else at.replace(tzinfo=zone)
        if local.fold:
            self.lines[name] = f"{name}:{_utc(local)}"
            return
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise NotWritable(f"has in `{key}` a time that the clocks of its zone skip")
        self.lines[name] = f"{name};TZID={self._zone}:{local:%Y%m%dT%H%M%S}"
        first, last = self.zones.get(self._zone, (local.date(), local.date()))
        self.zones[self._zone] = (min(first, local.date()), max(last, local.date()))

    def made(self) -> Iterator[str]:
        """Give the lines of an object with this event alone."""
        if "DTSTART" not in self.lines:
            raise NotWritable("has no `start`")
        yield from ("BEGIN:VCALENDAR", "VERSION:2.0", _PRODUCT)
        yield from self._define(frozenset())
        yield from ("BEGIN:VEVENT", f"UID:{_escape(self.uid)}", *self.lines.values())
        if "SEQUENCE" not in self.lines:
            yield "SEQUENCE:0"
        yield from ("END:VEVENT", "END:VCALENDAR")

    def _define(self, known: frozenset[str]) -> Iterator[str]:
        """Give the lines of the zones that are named and not known yet (RFC 5545, section 3.6.5)."""
        for name, (first, last) in self.zones.items():
            if name not in known:
                yield from _zone_lines(name, first - _A_YEAR, min(last + _A_YEAR, _LONGEST_ZONES))

    def changed(self, text: str) -> Iterator[str]:
        """Give the lines of this object, with what is said of the event."""
        lines = [line for line in _FOLD.sub(b"", text.encode()).decode(errors="replace").splitlines() if line.strip()]
        begin, end = self._place(lines)
        defined = frozenset(line.partition(":")[2].strip() for line in lines if _name(line) == "TZID")
        zones = list(self._define(defined))
        first = next(at for at, line in enumerate(lines) if line.strip().upper() == "BEGIN:VEVENT")
        yield from lines[:first]
        yield from zones
        yield from lines[first : begin + 1]
        yield from self._event(lines[begin + 1 : end])
        yield from lines[end:]

    def _place(self, lines: list[str]) -> tuple[int, int]:
        """Find the event: not one that stands for a single occurrence."""
        begins = [at for at, line in enumerate(lines) if line.strip().upper() == "BEGIN:VEVENT"]
        for begin in begins:
            end = next((at for at in range(begin, len(lines)) if lines[at].strip().upper() == "END:VEVENT"), None)
            if end is None:
                break
            names = {_name(line): line for line in lines[begin:end]}
            uid = names.get("UID", ":").partition(":")[2].strip()
            if "RECURRENCE-ID" not in names and uid in {self.uid, _escape(self.uid)}:
                return begin, end
        raise NotWritable("is to be written into a calendar object that has no event of this `uid`")

    def _event(self, lines: list[str]) -> Iterator[str]:
        """Give the lines inside the event: those that are said anew, and of the others those that stay."""
        inner, outer = 0, list[str]()
        sequence = 0
        for line in lines:
            name = _name(line)
            inner += name == "BEGIN"
            if inner == 0 and name == "SEQUENCE":
                sequence = _number(line)
            if inner or (name not in self.lines and name not in self.gone):
                outer.append(line)
            inner -= name == "END"
        said = dict(self.lines)
        said.setdefault("SEQUENCE", f"SEQUENCE:{sequence + 1}")
        kept = [line for line in outer if not line.upper().startswith("SEQUENCE:")]
        yield from (*said.values(), *kept)


def _name(line: str) -> str:
    found = _LINE.match(line.strip())
    return found[1].upper() if found else ""


def _number(line: str) -> int:
    digits = line.partition(":")[2].strip()
    return int(digits) if re.fullmatch("[0-9]{1,9}", digits) else 0


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise NotWritable("names a `zone` that is not known here") from None


def _zone_lines(name: str, first: date, last: date) -> Iterable[str]:
    zone = Timezone.from_tzinfo(_zone(name), name, first, last)
    text: str = zone.to_ical().decode()
    return _FOLD.sub(b"", text.encode()).decode().splitlines()


def _parse(parse: Callable[[str], _Day], text: str, key: str) -> _Day:
    try:
        return parse(text)
    except ValueError:
        raise NotWritable(f"has in `{key}` no date and no time") from None


def _instant(text: str, key: str) -> datetime:
    at = _parse(datetime.fromisoformat, text, key)
    if at.tzinfo is None:
        raise NotWritable(f"has in `{key}` a time without an offset")
    return at


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _word(key: str, text: str) -> str:
    """A status and a transparency are words of RFC 5545 in capitals."""
    if key in {"status", "transparency"} and not _WORD.fullmatch(text):
        raise NotWritable(f"has a `{key}` that is no word in capitals, such as CONFIRMED or OPAQUE")
    return text


def _one_line(text: str, key: str) -> str:
    if not text.isprintable():
        raise NotWritable(
            f"has a `{key}` that is not one line", frozenset(one for one in text if not one.isprintable())
        )
    return text


def _escape(text: str) -> str:
    """TEXT with its escapes (section 3.3.11)."""
    text = _BREAKS.sub("\n", text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\n", "\\n")


def _fold(line: str) -> bytes:
    """A content line in pieces of 75 octets, no character cut (section 3.1)."""
    pieces, held = list[bytes](), b""
    for letter in line:
        octets = letter.encode()
        if len(held) + len(octets) > (_OCTETS if not pieces else _OCTETS - 1):
            pieces.append(held)
            held = b""
        held += octets
    return b"\r\n ".join([*pieces, held]) + b"\r\n"
