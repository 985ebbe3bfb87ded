"""The laws of whole records: what a shipped mapping writes for a canonical object nobody thought of, it reads again.

Each object is written over a row that a golden example holds, in several time zones. How it was on the provider's side
is held by `gateway test`, on the rows of the examples themselves.
"""

import asyncio
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.yaml import read
from gateway.examples.files import load_examples
from gateway.examples.playback import run_example
from gateway.examples.round_trips import Reading, Readings, member, trip
from gateway.mapping.compile import compile_provider
from gateway.mapping.expressions.probes import probed
from gateway.mapping.runtime.writing import write_record
from gateway.model.model import load
from gateway.model.types import times
from gateway.values.errors import MappingFault, Unsupported
from gateway.values.truth import MISSING
from tests.mapping.runtime.canonical import CHANGES, fields, nested

MAPPINGS = sorted((Path(__file__).parents[3] / "mappings").glob("*.yaml"))
EACH = pytest.mark.parametrize("file", MAPPINGS, ids=lambda path: path.stem)
ROWS = 6
"""So many rows of a record are tried, since hundreds are alike."""


@cache
def played(file):
    """Compile a mapping and play its examples under a probe: the plan, and rows of each record by its name."""
    readings = Readings()
    plan, _ = compile_provider(read(file)[0], load())
    examples, _ = load_examples(plan)

    async def play():
        for example in examples.examples:
            await run_example(examples, example, load())

    with probed(readings):
        asyncio.run(play())
    found = {}
    for reading in readings.found:
        if isinstance(reading.row, dict):
            found.setdefault(reading.record.name, []).append(reading)
    return plan, {name: some[:: -(-len(some) // ROWS)] for name, some in found.items()}


def in_zone(reading, zone):
    """Give the same row, read for a connection in another zone."""
    own = {**reading.scope["settings"], "time_zone": zone}
    scope = {**reading.scope, "settings": own}
    row = {**reading.row, "settings": own} if "settings" in reading.row else reading.row
    return Reading(reading.record, row, scope)


def sayable(record, told, scope):
    """Leave out what is rightly refused: the contract's values that the mapping says are lost, and times no clock says.

    Times without an offset can say of the hour that comes twice only the first, and none that stands for midnight.
    """
    found = {}
    for plan in record.fields:
        value = member(told, plan.name)
        if value is MISSING:
            continue
        try:
            written = write_record(record, nested({plan.name: value}), scope)
        except Unsupported:
            continue
        except MappingFault:
            assert plan.codec in {"datetime", "iso8601"}
            assert (plan.codec, plan.law) == ("datetime", "lossy") or comes_again(value, scope)
            continue
        if written:
            found[plan.name] = value
    return nested(found)


def comes_again(instant, scope):
    """Tell whether the clocks have shown the same time before."""
    zone = scope["settings"]["time_zone"]
    return times.local_to_instant(times.wall_clock(instant, zone), zone) != instant


def held(record, rows, records):
    """Hold a record against the laws, over these rows."""

    @given(st.data())
    @settings(max_examples=30)
    def comes_back(data):
        zone = data.draw(st.sampled_from(sorted(CHANGES)))
        reading = in_zone(rows[data.draw(st.integers(0, len(rows) - 1))], zone)
        told = sayable(record, data.draw(fields(record, records, zone)), reading.scope)
        found = trip(reading, told, records)
        exact = [plan.name for plan in record.fields if plan.law == "iso" and not plan.embeds]
        names = [name for name in exact if member(told, name) is not MISSING]
        assert [(name, member(told, name)) for name in names] == [(name, member(found.read, name)) for name in names]
        assert found.written == found.again

    comes_back()


@EACH
def test_what_is_written_is_read(file):
    """Of every field that is read and written, what is exact is read as it was written, and all is written the same."""
    plan, rows = played(file)
    known = [plan.records[name] for name in rows]  # of the others no example shows a row to write over
    records = [record for record in known if any(one.mode == "both" for one in record.fields)]
    assert records
    for record in records:
        held(record, rows[record.name], plan.records)


def told_apart(record, exact, records):
    """Hold the fields that a record only writes against each other."""
    scope = {"settings": {"time_zone": "Europe/Berlin", "currency": "EUR"}}
    canonical = fields(record, records, "Europe/Berlin", "write")

    @given(canonical, canonical)
    @settings(max_examples=60)
    def differ(first, second):
        for name in exact:
            pair = [member(told, name) for told in (first, second)]
            if MISSING not in pair and pair[0] != pair[1]:
                one, other = (write_record(record, nested({name: value}), scope) for value in pair)
                assert one != other

    differ()


@EACH
def test_what_is_only_written(file):
    """A field that is only written takes every value of the contract, and different ones are written differently."""
    plan, _ = played(file)
    for record in plan.records.values():
        exact = [one.name for one in record.fields if (one.mode, one.law) == ("write", "iso")]
        if exact:
            told_apart(record, exact, plan.records)


@EACH
def test_every_word(file):
    """Of a field with few values each has its own word and is read back, or is refused for a reason that is told."""
    plan, rows = played(file)
    for record in plan.records.values():
        for line in (one for one in record.fields if one.mode != "read" and one.codec == "enum"):
            type_ = record.resource.field(line.name).type
            allowed = (True, False) if type_.kind == "boolean" else type_.allowed
            words = []
            for value in (one for one in allowed if one not in line.unwritable):
                told = nested({line.name: value})
                try:
                    words.append(json.dumps(write_record(record, told, {"settings": {}})))
                except Unsupported:  # which tells the mapping's reason
                    continue
                if line.mode == "both" and record.name in rows:
                    assert value == member(trip(rows[record.name][0], told, plan.records).read, line.name)
            assert words
            assert len(words) == len(set(words))
