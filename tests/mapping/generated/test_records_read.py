"""Records that are read by generated code: the same object, or the same error, as the evaluator gives."""

import asyncio
import random
from functools import cache

import pytest

from gateway.examples.playback import run_example, run_hook
from gateway.examples.round_trips import Reading
from gateway.mapping.expressions.probes import Probe, probed
from gateway.mapping.generated.binding import reader
from gateway.mapping.nodes.calls import GENERATED
from gateway.mapping.runtime.records import read_record
from gateway.model.model import load
from tests import shipped
from tests.mapping.generated.mutations import outcome, replaced

ROWS = 12
"""Rows of each record that are changed, of the hundreds that are alike."""
CHANGES = 150
"""Changes of each of them."""


class Rows(Probe):
    """Keeps every row that a record reads, with the names around it."""

    def __init__(self):
        self.found = []

    def read(self, record, row, scope):
        """Keep a row."""
        self.found.append(Reading(record, row, scope))


@cache
def readings(provider):
    """Play the examples of a shipped mapping, and give all rows of each record by its name."""
    examples, _ = shipped.played(provider)
    rows = Rows()

    async def play():
        for one in examples.examples:
            await run_example(examples, one, load())
        for one in examples.hooks:
            await run_hook(examples, one, load())

    with probed(rows):
        asyncio.run(play())
    found = {}
    for reading in rows.found:
        found.setdefault(reading.record.name, []).append(reading)
    return found


def differs(reading, row, scope):
    """Tell in which the two executions differ, None where they do not."""
    code = outcome(lambda: reader(reading.record, scope)(row, scope))
    evaluated = outcome(lambda: read_record(reading.record, row, scope))
    return None if code == evaluated else (reading.record.name, row, code, evaluated)


@pytest.mark.parametrize("provider", shipped.FILES)
def test_rows_of_examples(provider):
    """Every row of every golden example is read as the evaluator reads it, and hardly any makes the code stop."""
    found = [one for some in readings(provider).values() for one in some]
    assert [] == [told for one in found if (told := differs(one, one.row, one.scope)) is not None]
    generated = {id(one.scope[GENERATED]): one.scope[GENERATED] for one in found}.values()
    runs, stops = (sum(sum(getattr(one, name).values()) for one in generated) for name in ("runs", "stops"))
    assert runs == len(found)
    assert stops <= runs * 0.02, [one.stops for one in generated]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("provider", shipped.FILES)
def test_rows_that_are_wrong(provider):
    """Whatever is changed in a row, or in the names around it, both give the same object or the same error."""
    rng = random.Random(provider)
    wrong = []
    for name, some in readings(provider).items():
        for one in some[:: -(-len(some) // ROWS)]:
            for _ in range(CHANGES):
                row, scope = one.row, one.scope
                if rng.random() < 0.15:
                    roots = [root for root in scope if root not in {"settings", "connection", GENERATED}]
                    root = rng.choice(roots)
                    scope = {**scope, root: replaced(scope[root], rng)}
                else:
                    row = replaced(row, rng)
                told = differs(one, row, scope)
                if told is not None:
                    wrong.append((name, *told))
    assert [] == wrong[:3], len(wrong)
