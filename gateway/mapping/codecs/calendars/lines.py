"""iCalendar streams as components and their properties (RFC 5545, sections 3.1 and 3.6), whatever these mean.

Folded lines are joined as bytes, before anything is decoded, since a fold may stand inside a character. Of a line only
its name is looked at first: what is of no use here may be written as it likes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from gateway.computation.threads import checkpoint
from gateway.values.strictjson import UTF_8, Unreadable, as_utf8, decode_text

MOST_COMPONENTS: Final = 100_000

_T = TypeVar("_T")

_NO_FEED: Final = "is no iCalendar feed (RFC 5545)"
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER: Final = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:,]*)((?:,(?:"[^"]*"|[^";:,]*))*)')
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_KEPT: Final = {
    "VEVENT": frozenset(
        {
            *("UID", "SUMMARY", "DESCRIPTION", "LOCATION", "URL", "STATUS", "TRANSP"),
            *("SEQUENCE", "CREATED", "LAST-MODIFIED", "DTSTART", "DTEND", "DURATION"),
            *("RECURRENCE-ID", "RRULE", "RDATE", "EXDATE", "EXRULE"),
        }
    ),
    "VFREEBUSY": frozenset(("UID", "FREEBUSY")),
    "VTIMEZONE": frozenset(("TZID",)),
    "STANDARD": frozenset(("DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE")),
}
_KEPT["DAYLIGHT"] = _KEPT["STANDARD"]
"""Properties that are looked at, by component; others are skipped, as are other components with all that they hold."""
_WITHIN: Final = {
    "VEVENT": "VCALENDAR",
    "VFREEBUSY": "VCALENDAR",
    "VTIMEZONE": "VCALENDAR",
    "STANDARD": "VTIMEZONE",
    "DAYLIGHT": "VTIMEZONE",
}
_TAKEN: Final = frozenset(("VEVENT", "VFREEBUSY"))
"""What says that time is taken: none may be overlooked."""


class CalendarRefused(Unreadable):
    """The bytes are no calendar this gateway can read."""


@dataclass(frozen=True, slots=True)
class Property:
    """One content line. Names of parameters are in upper case; of several values of one, the first is kept."""

    value: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The value of a TEXT without its escapes (section 3.3.11)."""
        return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)


@dataclass(slots=True)
class Component:
    """A component, its properties by name in upper case, and the components in it that are looked at."""

    name: str
    number: int
    """Which one of the stream it is, from 1."""
    properties: dict[str, list[Property | None]] = field(default_factory=dict)
    """None stands for a line that has the name and cannot be read."""
    parts: list[Component] = field(default_factory=list)


def components(body: bytes, charset: str, more: frozenset[str] = frozenset()) -> list[Component]:
    """Read the events, busy times and zones of a stream of VCALENDARs. Raises CalendarRefused, Unreadable.

    Of events these properties are kept besides.
    """
    stream = _Stream(more)
    for line in _lines(body, charset):
        name, value = _marker(line)
        if name == "BEGIN":
            stream.begin(value)
        elif name == "END":
            stream.end(value)
        else:
            stream.keep(line)
    if stream.open or not stream.calendars:
        raise CalendarRefused("breaks off inside its VCALENDAR" if stream.calendars else _NO_FEED)
    return stream.found


@dataclass(slots=True)
class _Stream:
    """What is read of a stream so far, and what is open."""

    more: frozenset[str] = frozenset()
    found: list[Component] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    kept: list[Component] = field(default_factory=list)
    """Those of the open components that are looked at: all but the VCALENDAR, or the outermost of these."""
    calendars: int = 0

    @property
    def looking(self) -> bool:
        """Whether the innermost open component is looked at."""
        return len(self.kept) == len(self.open) - 1

    def begin(self, name: str) -> None:
        """Open a component."""
        if not self.open and name != "VCALENDAR":
            raise CalendarRefused(_NO_FEED)
        self.calendars += not self.open
        if name in _WITHIN and self.open[-1:] == [_WITHIN[name]] and self.looking:
            one = Component(name, len(self.found) + 1)
            (self.kept[-1].parts if self.kept else self.found).append(one)
            self.kept.append(one)
            if len(self.found) > MOST_COMPONENTS:
                raise CalendarRefused(f"has more than {MOST_COMPONENTS:,} events")
        elif name in _TAKEN:
            raise CalendarRefused("has an event inside of another component, which is not ended before it")
        self.open.append(name)

    def end(self, name: str) -> None:
        """Close a component. What is skipped may have been left open in it, what is looked at may not."""
        if name not in self.open:
            raise CalendarRefused("ends a component that it did not begin")
        closed = ""
        while closed != name:
            looking = self.looking and bool(self.kept)
            closed = self.open.pop()
            if looking:
                self.kept.pop()
                if closed != name:
                    raise CalendarRefused(f"breaks off inside a {closed}")

    def _is_kept(self, name: str) -> bool:
        within = self.kept[-1].name
        return name in _KEPT[within] or (within == "VEVENT" and name in self.more)

    def keep(self, line: str) -> None:
        """Keep a line of the innermost component, if it is one to look at."""
        if not self.open:
            raise CalendarRefused(_NO_FEED)
        found = _NAME.match(line)
        name = found[0].upper() if found else ""
        if found is None or not self.kept or not self.looking or not self._is_kept(name):
            return
        parameters: dict[str, str] = {}
        end = found.end()
        while one := _PARAMETER.match(line, end):
            parameters.setdefault(one[1].upper(), one[2].strip('"'))
            end = one.end()
        held = self.kept[-1].properties.setdefault(name, [])
        held.append(Property(line[end + 1 :], parameters) if line[end : end + 1] == ":" else None)


def _lines(body: bytes, charset: str) -> Iterator[str]:
    if charset.startswith("utf-16"):  # its line breaks are no single bytes, and no fold can stand inside a character
        body, charset = _decode(as_utf8, body, charset), UTF_8
    for line in _unfold(body.removeprefix(b"\xef\xbb\xbf")):
        if line.strip():
            yield _decode(decode_text, line, charset)


def _unfold(body: bytes) -> Iterator[bytes]:
    """Give the lines, folded ones joined: one at a time, for nothing may hold the interpreter while a whole is read."""
    held: list[bytes] = []
    begin, number = 0, 0
    while begin < len(body):
        found = body.find(b"\n", begin)
        end = len(body) if found < 0 else found
        line = body[begin:end].removesuffix(b"\r") if found >= 0 else body[begin:end]
        if line[:1] in {b" ", b"\t"} and number:
            held.append(line[1:])
        else:
            yield b"".join(held)
            held = [line]
        begin, number = end + 1, number + 1
        if number % 256 == 0:
            checkpoint()
    yield b"".join(held)


def _decode(decode: Callable[[bytes, str], _T], body: bytes, charset: str) -> _T:
    try:
        return decode(body, charset)
    except Unreadable as refused:
        raise CalendarRefused(refused.reason) from None


def _marker(line: str) -> tuple[str, str]:
    """BEGIN or END and what of; else nothing."""
    name, colon, value = line.partition(":")
    name = name.strip().upper()
    return (name, value.strip().upper()) if colon and name in {"BEGIN", "END"} else ("", "")
