"""The ledger's transitions: a table without dead ends, and one function that compares before it writes."""

import ast
import asyncio
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from gateway.store.database import Database
from gateway.store.links import ledger
from gateway.store.links.ledger import CANCELLED, CANCELLING, CONFIRMED, FAILED, LIVE, PENDING, UNKNOWN
from gateway.store.links.transitions import TRANSITIONS, Trigger, advance
from gateway.store.migrations import migrate
from tests.store.links.test_ledger import NOW, ONE, STATES

ENDED = frozenset(STATES) - LIVE
OPEN = (PENDING, UNKNOWN, CANCELLING)
TABLE = {(one.state, one.trigger): one for one in TRANSITIONS}
GATEWAY = Path(__file__).parents[3] / "gateway"


def after(states):
    """Give what can be reached from these states, themselves included."""
    found, more = set(), set(states)
    while more:
        found |= more
        more = {one.next for one in TRANSITIONS if one.state in found} - found
    return found


def test_what_happens_in_a_state_is_said_once():
    """No two rows are for the same state and trigger, and every trigger has a row."""
    assert len(TABLE) == len(TRANSITIONS)
    assert set(Trigger) == {trigger for _, trigger in TABLE}


@pytest.mark.parametrize("state", sorted(ENDED))
def test_nothing_leads_out_of_an_end(state):
    """What is cancelled or failed holds no time, and whatever happens then leaves it so."""
    assert after({state}) <= ENDED


def test_every_state_is_reached():
    """From the state in which an entry is begun there is a way to each of the others."""
    assert set(STATES) == after({PENDING})


@pytest.mark.parametrize("state", OPEN)
def test_what_is_open_has_a_way_to_end(state):
    """What waits for the club can be settled as booked, as cancelled and as the operator's."""
    assert {CONFIRMED, CANCELLED, FAILED} <= after({state})


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("trigger", [Trigger.LOOKED_IN_VAIN, Trigger.NEVER_MADE, Trigger.ABANDONED])
def test_what_is_open_can_be_looked_after(state, trigger):
    """Whatever the ledger gives as due can be waited for, found never to have been made, and given up."""
    assert (trigger is not Trigger.LOOKED_IN_VAIN) == (TABLE[state, trigger].next in ENDED)


@cache
def migrated():
    """Make a store of which nothing is kept: its tables take longer than all that is tried on them."""
    engine = create_engine("sqlite://")
    with engine.begin() as store:
        migrate(store, NOW)
    return engine


@given(steps=st.lists(st.tuples(st.sampled_from(Trigger), st.sampled_from((None, *STATES))), max_size=20))
@settings(max_examples=100)
def test_an_entry_goes_as_the_table_says(steps):
    """Whatever happens, an entry stands where the table says; what has no row there, or is stale, does nothing."""
    model = ONE
    with migrated().connect() as store:
        ledger.begin(store, ONE)
        for number, (trigger, was) in enumerate(steps, 1):
            row = TABLE.get((model.state, trigger)) if was in {None, model.state} else None
            given_ = {"tries": number, "due_at": NOW + number, "reason": f"{number}", "booking": f"b{number}"}
            done = advance(store, ONE.id, trigger, NOW + number, was, **given_)
            assert (row is None) == (done is None)
            if row is not None:
                kept = {name: getattr(model, name) for name in row.keeps}
                before, model = model, replace(model, **given_ | kept, state=row.next, updated_at=NOW + number)
                assert (row, before, model) == (done.transition, before, done.after)
            assert model == ledger.entry(store, ONE.id)
        store.rollback()


@pytest.fixture
async def replicas(store_url):
    async with Database(store_url, lambda: NOW) as first, Database(store_url, lambda: NOW) as second:
        await first.write(lambda store: ledger.begin(store, ONE))
        yield first, second


async def test_of_many_who_saw_the_same_state_one_advances(replicas):
    """Two replicas that saw a confirmed booking begin its cancellation once; the others change nothing and hear so."""
    await replicas[0].write(lambda store: advance(store, ONE.id, Trigger.CONFIRMED, NOW, booking="b1"))
    begun = [
        replicas[number % 2].write(
            lambda store, number=number: advance(
                store, ONE.id, Trigger.CANCELLATION_BEGUN, NOW + number, CONFIRMED, reason=f"{number}"
            )
        )
        for number in range(10)
    ]
    done = [one for one in await asyncio.gather(*begun) if one is not None]
    assert 1 == len(done)
    assert done[0].after == await replicas[1].read(lambda store: ledger.entry(store, ONE.id))
    assert (CANCELLING, done[0].after.reason) == (done[0].after.state, str(done[0].after.updated_at - NOW))


async def test_a_stale_state_changes_nothing(replicas):
    """Who looked before another one wrote is told so, and the entry stays as the other one left it."""
    first, second = replicas
    kept = await first.write(lambda store: advance(store, ONE.id, Trigger.ANSWER_LOST, NOW + 1, PENDING, reason="lost"))
    late = await second.write(lambda store: advance(store, ONE.id, Trigger.ABANDONED, NOW + 2, PENDING, reason="late"))
    assert late is None
    assert kept.after == await second.read(lambda store: ledger.entry(store, ONE.id))
    assert (ONE, UNKNOWN, "lost") == (kept.before, kept.after.state, kept.after.reason)


async def test_what_is_gone_does_not_advance(replicas):
    """Of an entry that the ledger does not have nothing is written, whatever happened."""
    done = [await replicas[0].write(lambda store, one=one: advance(store, "lnk_9", one, NOW)) for one in Trigger]
    assert {None} == set(done)


def test_only_the_table_changes_states():
    """No other module settles an entry: what it would write, log and wake stands in the table."""
    using = []
    for path in sorted(GATEWAY.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        calls = any(isinstance(one, ast.Attribute) and ast.unparse(one) == "ledger.settle" for one in nodes)
        froms = [one for one in nodes if isinstance(one, ast.ImportFrom) and one.module == "gateway.store.links.ledger"]
        if calls or any(name.name == "settle" for one in froms for name in one.names):
            using.append(path.relative_to(GATEWAY).as_posix())
    assert ["store/links/transitions.py"] == using
