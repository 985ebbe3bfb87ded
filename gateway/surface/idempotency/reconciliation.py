"""What became of a write that is in doubt: the provider is read, and what the contract alone can decide is decided.

Nothing is ever sent from here. One booking of that start and that customer, none at all, or a booking that stands as
was asked: everything else is for a person to look at. A repeat of the write and the question by its id are answered by
this alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.engine.catalog import Connection
from gateway.engine.compensation import look_with
from gateway.events.listed import Run, is_listed, reading_of
from gateway.mapping.expressions.ids import uuid_of
from gateway.mapping.runtime.steps import accept
from gateway.model.filters import Test
from gateway.model.model import Model, Operation, arguments, from_body
from gateway.model.types.times import format_instant, moment
from gateway.store.keys import KeyRecord
from gateway.surface.http.responses import Answer
from gateway.surface.idempotency.written import decode, unknown
from gateway.values.errors import CallInvalid, GatewayError, Unsupported
from gateway.values.messages import Json, Reply

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
_WHO = ("customer_id", "email")
"""The filters of a list that tell whose something is."""
_NAME = "customer.name"
_PLACE = "resource_id"
_REFERENCE = "reference"
_START, _END = "start", "end"


@dataclass(frozen=True, slots=True)
class WriteState:
    """The state of a write, and what is known with it."""

    state: str
    more: Mapping[str, Json] = field(default_factory=dict)


async def state_of(model: Model, connection: Connection, kept: KeyRecord, run: Run, left: int) -> WriteState:
    """Tell what became of a write. Raises what the provider's own failure raises while it is read.

    `left` is for how many milliseconds the provider may still be at it: until then what is there is told, and what is
    not there decides nothing.
    """
    outcome = decode(kept.outcome) if kept.outcome is not None else None
    if isinstance(outcome, Answer):
        return WriteState(CONFIRMED, {"data": json.loads(outcome.body)} if outcome.body else {})
    if outcome is not None and not unknown(outcome):
        return WriteState(ABSENT, {"error": {"code": outcome.code, "message": outcome.message}})
    try:
        found = await _looked_up(model, connection, kept, run)
    except GatewayError:
        if left > 0:
            return WriteState(PENDING)
        raise
    return WriteState(PENDING) if left > 0 and found.state != CONFIRMED else found


async def _looked_up(model: Model, connection: Connection, kept: KeyRecord, run: Run) -> WriteState:
    """Read the provider, where the contract says how and what to compare."""
    operation = model.operations.get(kept.asked.operation)
    shows = look_with(model, connection, kept.asked.operation).get("reconcile_with")
    ended = operation is not None and _is_untold_end(model, connection, operation)
    if operation is None or not (ended or shows):
        return WriteState(OPERATOR)
    look = model.operations[shows if shows is not None else reading_of(model)]
    try:
        if ended:
            return await _over(model, connection, str(arguments_of(operation, kept, connection)["id"]), run)
        way = _way(model, operation, look, connection, kept)
        if way is None:
            return WriteState(OPERATOR)
        reply = await run(look.name, way.asks)
    except (Unsupported, CallInvalid):  # the provider cannot be asked like this
        return WriteState(OPERATOR)
    except GatewayError as error:
        if error.code != look.not_found:
            raise
        return WriteState(OPERATOR)
    return WriteState(OPERATOR) if reply.age is not None else way.decide(reply)


def arguments_of(operation: Operation, kept: KeyRecord, connection: Connection) -> dict[str, Json]:
    """Give the arguments of a write that is kept. Raises CallInvalid."""
    sent = json.loads(kept.asked.request)
    parts = {name: value for name, value in sent["path"].items() if name in operation.args}
    return arguments(operation, from_body(operation, sent["body"]) | parts, connection.zone)


@dataclass(frozen=True, slots=True)
class _Way:
    """What to ask, and what the answer means."""

    asks: Mapping[str, Json]
    decide: Callable[[Reply], WriteState]


def _way(model: Model, operation: Operation, look: Operation, connection: Connection, kept: KeyRecord) -> _Way | None:
    """Find how to decide what became of a write; None where the contract does not say. Raises CallInvalid."""
    given = arguments_of(operation, kept, connection)
    if look.gives == "list":
        plans, scope = connection.provider.operations, connection.scope
        given = accept(plans[operation.name], given, operation, connection.provider.title, scope)  # a slot taken apart
        untold = plans[look.name].unsupported.keys()
        own = uuid_of(kept.asked.owner, connection.name, kept.asked.key)
        return _list(model, look, given, frozenset(name for name in _WHO if name in untold), own)
    told = model.changes.status not in connection.provider.remembered
    return _stands(model, operation, given, told=told)


def _list(model: Model, look: Operation, given: Mapping[str, Json], untold: frozenset[str], own: str) -> _Way | None:
    """Look for what was made among all that begin at the same moment, by where it is and whose.

    `untold` are the filters of the list whose fields the provider does not tell, `own` is the `idempotency_key` of the
    write: what has it for its reference is what was made.
    """
    changes = model.changes
    first = changes.span[0]
    if look.window is None or first not in given:
        return None
    start = moment(given[first])
    from_, to = look.window
    places = [test for name, test in _tests(look, given).items() if name not in _WHO]

    def decide(reply: Reply) -> WriteState:
        there = [row for row in reply.data if row.get(first) is not None and moment(row[first]) == start]
        placed = [row for row in there if all(test(row) for test in places)]
        marked = [row for row in placed if row.get(_REFERENCE) == own]
        fitting = marked or [row for row in placed if _whose(look, given, row, untold)]
        if len(fitting) == 1 and fitting[0][changes.status] not in changes.final:
            return WriteState(CONFIRMED, {"data": fitting[0]})
        # A list that is pieced together may lag behind: nothing in it does not mean that nothing is there.
        anothers = all(_is_anothers(look, given, row, untold) for row in there)
        return WriteState(ABSENT if anothers and reply.support == "native" else OPERATOR)

    return _Way({from_: given[first], to: format_instant(start + _NARROW)}, decide)


def _tests(look: Operation, given: Mapping[str, Json]) -> dict[str, Test]:
    """Make the tests of what was given, each by the name of the filter that chooses by it."""
    tests: dict[str, Test] = {}
    for name, rule in look.filters.items():
        value = _member(given, rule.fields[0])
        if value is not None and rule.word in {"any_of", "same_text"}:
            tests[name] = rule.test([value] if look.args[name].type.item is not None else value)
    return tests


def _whose(look: Operation, given: Mapping[str, Json], row: Json, untold: frozenset[str]) -> bool | None:
    """Tell whether a booking is of the customer that was named; None where that cannot be told.

    By the id or e-mail address. Where the provider tells neither, by the name, of a booking that is in every way where
    the asked one would be: on its resource, from its start to its end.
    """
    for name, test in _tests(look, given).items():
        if name not in _WHO:
            continue
        if _member(row, look.filters[name].fields[0]) is not None:
            return test(row)
        if name not in untold:
            return None
    asked, told = _member(given, _NAME), _member(row, _NAME)
    if not isinstance(asked, str) or not isinstance(told, str):
        return None
    if asked.casefold().split() != told.casefold().split():
        return False
    return True if _exactly(given, row) else None


def _is_anothers(look: Operation, given: Mapping[str, Json], row: Json, untold: frozenset[str]) -> bool:
    """Tell whether a booking that begins then is plainly another one: elsewhere, and of somebody else."""
    asked, told = given.get(_PLACE), row.get(_PLACE)
    elsewhere = asked is not None and told is not None and asked != told
    return elsewhere and _whose(look, given, row, untold) is False


def _exactly(given: Mapping[str, Json], row: Mapping[str, Json]) -> bool:
    """Tell whether a booking has the resource and the end that were asked for, both of which were named."""
    asked, told, place = given.get(_END), row.get(_END), given.get(_PLACE)
    if asked is None and given.get("duration") is not None and given.get(_START) is not None:
        asked = format_instant(moment(given[_START]) + timedelta(minutes=given["duration"]))
    if asked is None or told is None or place is None:
        return False
    return place == row.get(_PLACE) and moment(asked) == moment(told)


def _member(value: Json, dotted: str) -> Json:
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


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

    def decide(reply: Reply) -> WriteState:
        row = reply.data
        if statuses:
            done = row.get(changes.status) in statuses
            return (
                WriteState(CONFIRMED, {"data": row})
                if done
                else WriteState(ABSENT if reply.support == "native" else OPERATOR)
            )
        same = all(_same(row.get(name), value, instant=name in changes.span) for name, value in moved.items())
        return WriteState(CONFIRMED, {"data": row}) if same else WriteState(OPERATOR)

    return _Way({"id": given["id"]}, decide)


def _is_untold_end(model: Model, connection: Connection, operation: Operation) -> bool:
    """Tell whether an operation ends what is there, at a provider that does not tell how that stands."""
    changes = model.changes
    ends = changes.operations.get(operation.name) == changes.becomes.get(changes.vanished)
    return ends and changes.status in connection.provider.remembered


async def _over(model: Model, connection: Connection, key: str, run: Run) -> WriteState:
    """Look whether what was to be ended has left the list, where the mapping says that what is over does."""
    found = await is_listed(model, connection, key, run)
    if found is None:
        return WriteState(OPERATOR)
    if found.listed:
        return WriteState(ABSENT)
    return WriteState(CONFIRMED, {"data": {**found.booking, model.changes.status: model.changes.vanished}})


def _same(told: Json, asked: Json, *, instant: bool) -> bool:
    if told is None:
        return False
    return moment(told) == moment(asked) if instant else bool(told == asked)
