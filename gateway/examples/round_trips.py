"""The round trips of records, on the rows that golden examples pass: what is read is written, and read again.

Of every field that is read and written two laws must hold, as `docs/language.md` states them. Nothing is sent, nothing
guessed, and nothing is said of null, which a provider may write in several ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.examples.comparison import differences
from gateway.mapping.codecs.kind import ISO
from gateway.mapping.expressions.probes import Probe
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.trees import FieldPlan, RecordPlan
from gateway.mapping.runtime.records import read_record
from gateway.mapping.runtime.writing import write_record
from gateway.values.errors import GatewayError
from gateway.values.messages import Json
from gateway.values.truth import MISSING


@dataclass(frozen=True, slots=True)
class Reading:
    """One row that a record read, or wrote, and the names its templates saw."""

    record: RecordPlan
    row: Json
    scope: Scope


@dataclass(slots=True)
class Readings(Probe):
    """Every row that records read without failing, and what they wrote as far as it can be read."""

    found: list[Reading] = field(default_factory=list)

    def read(self, record: object, row: Json, scope: Scope) -> None:
        """Keep a row that was read."""
        if isinstance(record, RecordPlan):
            self.found.append(Reading(record, row, scope))

    def wrote(self, record: object, written: Json, scope: Scope) -> None:
        """Read what was written, which keeps it: what is sent may be less than what an answer holds."""
        if isinstance(record, RecordPlan):
            with suppress(GatewayError):
                read_record(record, written, scope)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A field that does not come back. `origin` is its `file:line`, `told` says what differs, a line each."""

    origin: str
    field: str
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Canonical fields written over a row (`written` is the provider's object), read from it, and written once more."""

    written: dict[str, Json]
    read: dict[str, Json]
    again: dict[str, Json]


def round_trips(readings: Iterable[Reading], records: Mapping[str, RecordPlan]) -> tuple[int, tuple[Mismatch, ...]]:
    """Hold every row against the laws: how many fields were tried, and those that do not come back, each once.

    `records` are those of the plan, for what the rows' records embed.
    """
    tried: set[str] = set()
    broken: dict[str, Mismatch] = {}
    for reading in readings:
        record = reading.record
        told = writable(read_record(record, reading.row, reading.scope), record, records)
        for plan in record.fields:
            value = member(told, plan.name)
            name = f"{record.name}.{plan.name}"
            if value is MISSING or name in broken:
                continue
            tried.add(name)
            found = tuple(_differences(reading, plan, value, records))
            if found:
                broken[name] = Mismatch(plan.origin, name, found)
    return len(tried), tuple(broken.values())


def writable(told: Json, record: RecordPlan, records: Mapping[str, RecordPlan]) -> dict[str, Json]:
    """Give of a canonical object what its record reads and writes, without values its codecs have no word for."""
    found: dict[str, Json] = {}
    for plan in record.fields:
        value = member(told, plan.name)
        elements = value if isinstance(value, list) else [value]
        if plan.mode != "both" or value is MISSING or any(one in plan.unwritable for one in elements):
            continue
        if plan.embeds and isinstance(value, dict):
            value = writable(value, records[plan.embeds], records)
        found = _laid(found, plan.name.split("."), value)
    return found


def trip(reading: Reading, given: Mapping[str, Json], records: Mapping[str, RecordPlan]) -> RoundTrip:
    """Send a canonical object, or some fields of one, there and back; raises what writing and reading raise."""
    record, scope = reading.record, reading.scope
    written = write_record(record, given, scope)
    row = reading.row
    for place in (place for plan in record.fields for place in plan.targets):
        value = _at(written, place)
        if value is not MISSING:
            row = _laid(row, place, value)
    told = writable(read_record(record, row, scope), record, records)
    read: dict[str, Json] = {}
    for name in (plan.name for plan in record.fields):
        if member(given, name) is not MISSING and member(told, name) is not MISSING:
            read = _laid(read, name.split("."), member(told, name))
    return RoundTrip(written, read, write_record(record, read, scope))


def member(told: Json, dotted: str) -> Json:
    """Find a field of a canonical object by its dotted name, or MISSING."""
    return _at(told, dotted.split("."))


def _differences(reading: Reading, plan: FieldPlan, value: Json, records: Mapping[str, RecordPlan]) -> Iterator[str]:
    """What becomes otherwise when one field of a row is written back."""
    given = _laid({}, plan.name.split("."), value)
    try:
        found = trip(reading, given, records)
    except GatewayError as failed:
        yield failed.detail
        return
    if plan.law == ISO and value is not None and not plan.embeds:  # an embedded record's rows are readings of their own
        for place in plan.targets:
            yield from differences(_at(reading.row, place), _at(found.written, place), ".".join(place))
    if found.written:  # null, where the provider has no word for it, is not
        yield from differences(given, found.read)
        yield from differences(found.written, found.again)


def _at(value: Json, steps: Sequence[str]) -> Json:
    for step in steps:
        if not isinstance(value, dict) or step not in value:
            return MISSING
        value = value[step]
    return value


def _laid(held: Json, steps: Sequence[str], value: Json) -> Json:
    """A copy in which the value stands where the steps lead; what is no object on the way gives way to one."""
    if not steps:
        return value
    held = held if isinstance(held, dict) else {}
    return {**held, steps[0]: _laid(held.get(steps[0]), steps[1:], value)}
