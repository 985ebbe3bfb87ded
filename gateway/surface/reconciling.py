"""What became of a write that is in doubt: the provider is read, and what the contract alone can decide is decided.

Nothing is ever sent from here. One booking of that start and that customer, none at all, or a booking that stands as
was asked: everything else is for a person to look at. A repeat of the write and the question by its id are answered by
this alike.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from gateway.catalog import Connection
from gateway.errors import CallInvalid, GatewayError, Unsupported
from gateway.messages import Json, Reply
from gateway.model.filters import Test
from gateway.model.model import Model, Operation, arguments, from_body
from gateway.model.times import format_instant, moment
from gateway.steps import look_with
from gateway.store.keys import Kept
from gateway.surface.answers import Answer
from gateway.surface.written import decode, unknown

PENDING = "pending"
CONFIRMED = "confirmed"
ABSENT = "absent"
OPERATOR = "operator"
STATES = {
    PENDING: "It is under way, or the provider may still be at it: ask again.",
    CONFIRMED: "It was done, and `data` is what is there now.",
    ABSENT: "It was not done: nothing of it is there.",
    OPERATOR: "Nobody can tell from here. Look at the provider for what `request` asked for, before you repeat it.",
}
"""What each state means."""
_NARROW = timedelta(minutes=1)

Run: TypeAlias = Callable[[str, Mapping[str, Json]], Awaitable[Reply]]
"""Runs a reading operation of the connection with canonical arguments. Raises GatewayError."""


@dataclass(frozen=True, slots=True)
class Found:
    """The state of a write, and what is known with it."""

    state: str
    more: Mapping[str, Json] = field(default_factory=dict)


async def state_of(model: Model, connection: Connection, kept: Kept, run: Run, left: int) -> Found:
    """Tell what became of a write. Raises what the provider's own failure raises while it is read.

    `left` is for how many milliseconds the provider may still be at it: until then what is there is told, and what is
    not there decides nothing.
    """
    outcome = decode(kept.outcome) if kept.outcome is not None else None
    if isinstance(outcome, Answer):
        return Found(CONFIRMED, {"data": json.loads(outcome.body)} if outcome.body else {})
    if outcome is not None and not unknown(outcome):
        return Found(ABSENT, {"error": {"code": outcome.code, "message": outcome.message}})
    try:
        found = await _looked_up(model, connection, kept, run)
    except GatewayError:
        if left > 0:
            return Found(PENDING)
        raise
    return Found(PENDING) if left > 0 and found.state != CONFIRMED else found


async def _looked_up(model: Model, connection: Connection, kept: Kept, run: Run) -> Found:
    """Read the provider, where the contract says how and what to compare."""
    shows = look_with(model, connection, kept.asked.operation).get("reconcile_with")
    if shows is None:
        return Found(OPERATOR)
    try:
        way = _way(model, model.operations[kept.asked.operation], model.operations[shows], connection, kept)
        if way is None:
            return Found(OPERATOR)
        reply = await run(shows, way.asks)
    except (Unsupported, CallInvalid):  # the provider cannot be asked like this
        return Found(OPERATOR)
    except GatewayError as error:
        if error.code != model.operations[shows].not_found:
            raise
        return Found(OPERATOR)
    return Found(OPERATOR) if reply.age is not None else way.decide(reply)


@dataclass(frozen=True, slots=True)
class _Way:
    """What to ask, and what the answer means."""

    asks: Mapping[str, Json]
    decide: Callable[[Reply], Found]


def _way(model: Model, operation: Operation, look: Operation, connection: Connection, kept: Kept) -> _Way | None:
    """Find how to decide what became of a write; None where the contract does not say. Raises CallInvalid."""
    sent = json.loads(kept.asked.request)
    parts = {name: value for name, value in sent["path"].items() if name in operation.args}
    given = arguments(operation, from_body(operation, sent["body"]) | parts, connection.zone)
    if look.gives == "list":
        return _listed(model, look, given)
    told = model.changes.status not in connection.provider.remembered
    return _stands(model, operation, given, told=told)


def _listed(model: Model, look: Operation, given: Mapping[str, Json]) -> _Way | None:
    """Look for what was made among all that begin at the same moment: by whose it is, as the list is chosen by."""
    changes = model.changes
    first = changes.span[0]
    tests = _identity(look, given)
    if look.window is None or first not in given or not tests:
        return None
    start = moment(given[first])
    from_, to = look.window

    def decide(reply: Reply) -> Found:
        there = [row for row in reply.data if row.get(first) is not None and moment(row[first]) == start]
        fitting = [row for row in there if all(test(row) for test in tests)]
        if len(fitting) == 1 and fitting[0][changes.status] not in changes.final:
            return Found(CONFIRMED, {"data": fitting[0]})
        # A list that is pieced together may lag behind: nothing in it does not mean that nothing is there.
        return Found(ABSENT if not there and reply.support == "native" else OPERATOR)

    return _Way({from_: given[first], to: format_instant(start + _NARROW)}, decide)


def _identity(look: Operation, given: Mapping[str, Json]) -> list[Test]:
    """Make the tests of what was given; none, unless one of them tells whose it is (`customer.email`)."""
    tests: list[Test] = []
    whose = False
    for name, rule in look.filters.items():
        value: Json = given
        for part in rule.fields[0].split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None and rule.word in {"any_of", "same_text"}:
            tests.append(rule.test([value] if look.args[name].type.item is not None else value))
            whose = whose or "." in rule.fields[0]
    return tests if whose else []


def _stands(model: Model, operation: Operation, given: Mapping[str, Json], *, told: bool) -> _Way | None:
    """Look whether the thing stands as the write would have had it: its status, or when and where it is.

    Without `told` the provider does not say how it stands.
    """
    changes = model.changes
    event = changes.operations.get(operation.name)
    statuses = {status for status, becomes in changes.becomes.items() if becomes == event}
    moved = {name: given[name] for name in sorted(changes.moved[0]) if name in given}
    if "id" not in given or not (moved or (statuses and told)):
        return None

    def decide(reply: Reply) -> Found:
        row = reply.data
        if statuses:
            done = row.get(changes.status) in statuses
            return Found(CONFIRMED, {"data": row}) if done else Found(ABSENT if reply.support == "native" else OPERATOR)
        same = all(_same(row.get(name), value, instant=name in changes.span) for name, value in moved.items())
        return Found(CONFIRMED, {"data": row}) if same else Found(OPERATOR)

    return _Way({"id": given["id"]}, decide)


def _same(told: Json, asked: Json, *, instant: bool) -> bool:
    if told is None:
        return False
    return moment(told) == moment(asked) if instant else bool(told == asked)
