"""iCalendar feeds (RFC 5545) read into plain objects.

Times keep what the feed says: `Z` and TZID become instants with an offset, floating times and dates stay as they are
written, since only the mapping knows whose wall they are on; X-WR-TIMEZONE, which no RFC knows, moves nothing. Of what
repeats those occurrences are given that touch the span that is asked for, and what that may cost is bounded; of all
other events, every one. `calendar_lines`, `calendar_times`, `calendar_zones`, `calendar_events`, `calendar_series` and
`recurrence` hold the parts.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Final

from gateway.computation.threads import checkpoint
from gateway.mapping.codecs.calendars.events import Event, read_busy, read_event
from gateway.mapping.codecs.calendars.lines import CalendarRefused, Component, components
from gateway.mapping.codecs.calendars.recurrence import Budget, RuleRefused, parse_rule
from gateway.mapping.codecs.calendars.series import Span, happenings, until_of
from gateway.mapping.codecs.calendars.times import Moment, ValueRefused, moment_of, moments_of, wall, write
from gateway.mapping.codecs.calendars.zones import FeedZone, Observance, named_zone
from gateway.values.errors import GatewayError
from gateway.values.messages import Json
from gateway.values.strictjson import UTF_8

MOST_DAYS: Final = 5 * 366
"""Days of what repeats that can be asked for at a time."""
_YEAR: Final = timedelta(days=366)
_MOST_OFFSET: Final = timedelta(hours=24)

__all__ = ["CalendarRefused", "calendar_events"]


def calendar_events(
    body: bytes,
    now: str,
    asked: tuple[str | None, str | None] = (None, None),
    charset: str = UTF_8,
    properties: tuple[str, ...] = (),
) -> list[Json]:
    """Read the events of a feed, repeating ones expanded, as objects of `uid`, `key`, `start`, `end` and so on.

    `key` tells events apart: the UID, and where several events of the feed have it the start besides. An occurrence of
    an event that repeats has `recurrence`, the start it had at first, which no other event has. A missing DTEND is made
    from DURATION or, for a date, the next day (RFC 5545, section 3.6.1). `now` is an RFC 3339 instant, `asked` are two
    instants, the second not included: without them what repeats is given from one year ago to two years ahead. Of other
    `properties`, named in capitals, an event has the texts under this name.

    Raises CalendarRefused, naming the event, and Unreadable; WINDOW_TOO_LARGE when more than MOST_DAYS of what repeats
    are asked for.
    """
    budget = Budget()
    found = components(body, charset, frozenset(properties))
    zone_of = _zones((one for one in found if one.name == "VTIMEZONE"), budget)
    events: list[Event] = []
    busy: list[Event] = []
    for one in _take(found):
        if one.name == "VEVENT":
            events.append(read_event(one, zone_of, properties))
        elif one.name == "VFREEBUSY":
            busy += read_busy(one, zone_of)
    repeating = [event for event in events if _repeats(event) or event.original is not None]
    once = [event for event in events if not _repeats(event) and event.original is None]
    given = [{**event.object(event.start, event.end), "key": key} for key, event in _key(once)]
    given += [{**event.object(event.start, event.end), "key": key} for key, event in _key(busy, "busy")]
    if repeating:
        given += _occurrences(repeating, _span(asked, datetime.fromisoformat(now)), budget)
    return given


def _take(found: list[Component]) -> Iterator[Component]:
    """Give each and let go of it: to let go of all of a large feed at once holds the interpreter."""
    found.reverse()
    while found:
        checkpoint()
        yield found.pop()


def _repeats(event: Event) -> bool:
    return event.original is None and _is_repeated(event)


def _is_repeated(event: Event) -> bool:
    return bool(event.rules or event.dates)


def _span(asked: tuple[str | None, str | None], now: datetime) -> Span:
    """The span of what repeats: what is asked for; what is not said, a year before and two years after the present."""
    begin, end = (datetime.fromisoformat(text) if text is not None else None for text in asked)
    try:
        first = begin if begin is not None else min(now, end or now) - _YEAR
        last = end if end is not None else max(now, begin or now) + 2 * _YEAR
    except OverflowError:
        raise CalendarRefused("has events that repeat, which cannot be counted at the end of the calendar") from None
    if last - first > timedelta(days=MOST_DAYS):
        raise GatewayError(
            f"The feed has events that repeat, of which at most {MOST_DAYS} days can be asked for at a time.",
            code="WINDOW_TOO_LARGE",
            details={"max_days": MOST_DAYS},
        )
    return first, last


def _key(events: list[Event], prefix: str = "event") -> Iterator[tuple[str, Event]]:
    """Give each event a key of its own, the same at every reading; an event that says all the same twice is one.

    It is the UID. Events that share one have the start besides, and those that share this too, a number in the order
    of what they say. What has no UID has the prefix and its start.
    """
    shared = Counter(event.uid for event in events)
    groups: dict[str, list[tuple[str, Event]]] = defaultdict(list)
    for event in events:
        alone = event.uid is not None and shared[event.uid] == 1
        key = event.uid if alone and event.uid is not None else f"{event.uid or prefix}~{write(event.start)}"
        said = [write(event.end), event.told, [write(at) for at, _ in event.dates], [*map(repr, event.rules)]]
        groups[key].append((json.dumps(said, sort_keys=True), event))
    for key, group in groups.items():
        different = dict(sorted(group, key=lambda one: one[0]))
        for number, event in enumerate(different.values(), 1):
            yield (key if number == 1 else f"{key}~{number}"), event


def _occurrences(events: list[Event], span: Span, budget: Budget) -> list[Json]:
    """Give what the series have in the span; a change whose series the feed does not tell stands for itself."""
    changes: dict[str | None, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda one: one.sequence):
        if event.original is not None:
            changes[event.uid].append(event)
    series: dict[str | None, list[tuple[str, Event]]] = defaultdict(list)
    for key, event in _key([one for one in events if one.original is None]):
        series[event.uid].append((key, event))
    given: list[Json] = []
    for uid, group in series.items():
        own = _apart([event for _, event in group], changes.pop(uid, []))
        for (key, event), mine in zip(group, own, strict=True):
            given += _give(key, event, mine, span, budget)
    for uid, orphans in changes.items():
        latest = {_original(one): one for one in orphans}
        if (more := next((one for one in latest.values() if one.onwards or _is_repeated(one)), None)) is not None:
            reason = "stands for occurrences of a series (RECURRENCE-ID) that the feed does not hold"
            raise CalendarRefused(f"has an event that cannot be read: {more.name} {reason}")
        for original, event in latest.items():
            given.append({**event.object(event.start, event.end), "key": uid or "event", "recurrence": write(original)})
    return given


def _original(event: Event) -> Moment:
    return event.original if event.original is not None else event.start


def _give(key: str, event: Event, changes: list[Event], span: Span, budget: Budget) -> Iterator[Json]:
    try:
        for one in happenings(event, changes, span, budget):
            yield {**one.told, "key": key, "recurrence": write(one.original)}
    except (RuleRefused, ValueRefused) as refused:
        said = str(refused) if isinstance(refused, RuleRefused) else f"has {refused}"
        raise CalendarRefused(f"has an event that cannot be read: {event.name} {said}") from None


def _apart(series: list[Event], changes: list[Event]) -> list[list[Event]]:
    """Which of the series that share a UID each change belongs to: the last that has begun by then, else the first."""
    if len(series) == 1:
        return [changes]
    found: list[list[Event]] = [[] for _ in series]
    order = sorted(range(len(series)), key=lambda at: wall(series[at].start))
    for change in changes:
        at = wall(_original(change))
        begun = [index for index in order if wall(series[index].start).date() <= at.date()]
        fits = [index for index in begun if wall(series[index].start).time() == at.time()]
        found[(fits or begun or order)[-1 if fits or begun else 0]].append(change)
    return found


def _zones(definitions: Iterable[Component], budget: Budget) -> Callable[[str], tzinfo]:
    """Give the zones that times of this feed may name. A definition that cannot be read defines nothing."""
    defined: dict[str, tzinfo] = {}
    for one in definitions:
        names = [line.value.strip() for line in one.properties.get("TZID", []) if line is not None]
        try:
            observances = tuple(_observance(part) for part in one.parts)
        except (ValueRefused, RuleRefused, OverflowError):
            continue
        if observances and names:
            defined.setdefault(names[0], FeedZone(observances, budget))
    known: dict[str, tzinfo] = {}

    def zone_of(name: str) -> tzinfo:
        if name not in known:
            zone = named_zone(name, defined)
            if zone is None:
                shown = "".join(char for char in name if char.isprintable())[:80]
                raise ValueRefused(f"a TZID that is no time zone known here and not defined in the feed: `{shown}`")
            known[name] = zone
        return known[name]

    return zone_of


def _observance(part: Component) -> Observance:
    lines = {name: [line for line in held if line is not None] for name, held in part.properties.items()}
    if not all(lines.get(name) for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")):
        raise ValueRefused("no beginning or no offset")
    start = moment_of(lines["DTSTART"][0], _no_zone)
    rules = [parse_rule(line.value) for line in lines.get("RRULE", [])]
    dates = [wall(at) for line in lines.get("RDATE", []) for at, _ in moments_of(line, _no_zone)]
    before, after = (_offset(lines[name][0].value) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
    ends = []
    for rule in rules:
        end = until_of(rule, start)
        ends.append(end + before if end is not None and rule.until.endswith("Z") else end)
    return Observance(wall(start), before, after, tuple(zip(rules, ends, strict=True)), tuple(dates))


def _no_zone(_name: str) -> tzinfo:
    raise ValueRefused("a zone within a zone")


def _offset(text: str) -> timedelta:
    """UTC-OFFSET (section 3.3.14)."""
    digits = text.strip().lstrip("+-")
    if len(digits) not in {4, 6} or not digits.isascii() or not digits.isdigit():
        raise ValueRefused("an offset that cannot be read")
    distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:] or 0))
    if distance >= _MOST_OFFSET:
        raise ValueRefused("an offset of a day or more")
    return -distance if text.strip().startswith("-") else distance
