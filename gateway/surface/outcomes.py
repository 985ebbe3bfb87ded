"""What became of a write whose outcome was unknown: asked for by its id, and looked up at the provider.

Every time it is asked the provider is read anew, and nothing is ever sent again from here. Only what the contract alone
can decide is decided: one booking of that start and that customer, none at all, or a booking that stands as was asked.
Everything else is for a person to look at, and the answer says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web

from gateway.catalog import Connection
from gateway.config import ADMIN
from gateway.errors import CallInvalid, GatewayError, NotMapped, Unsupported
from gateway.messages import Effect, Json, Reply
from gateway.model.filters import Test
from gateway.model.model import Argument, Model, Operation, arguments, from_body
from gateway.model.times import format_instant, from_epoch, moment
from gateway.model.types import scalar
from gateway.run import look_with
from gateway.store import keys
from gateway.store.database import Database
from gateway.store.keys import Kept
from gateway.surface.answers import Answer, to_bytes, to_response
from gateway.surface.callers import caller_of
from gateway.surface.calls import Calls
from gateway.surface.idempotency import decode, hold_of, unknown
from gateway.surface.requests import path_parts, query_pairs

PATH = "/operations/{id}"
"""Below `/v1/{connection}`."""
NAME = "operations.get"
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
_SCOPE = "write"
_NARROW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Found:
    """The state of a write, and what is known with it."""

    state: str
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The handler of `/v1/{connection}/operations/{id}`. `now` gives milliseconds since 1970."""

    calls: Calls
    database: Database
    now: Callable[[], int]

    def routes(self, base: str) -> list[web.RouteDef]:
        """Give the routes below `base`, the pattern of `/v1/{connection}`."""
        return [web.get(base + PATH.replace("}", ":[^/]+}"), self.get)]

    async def get(self, request: web.Request) -> web.Response:
        """Answer with the state of a write that the caller made, or for the operator that anybody made.

        Raises NotMapped for one that is not known, or no longer; CallInvalid, CallerRefused, StoreUnavailable, and what
        the provider's own failure raises while it is read.
        """
        connection = self.calls.enter(request, NAME, _SCOPE)
        for name, _ in query_pairs(request):
            problem = {"field": name, "problem": "is not known here"}
            raise CallInvalid(f"`{name}` is not known here", details={"fields": [problem]})
        caller, id_ = caller_of(request), path_parts(request)["id"]
        owner = None if ADMIN in caller.may else caller.name
        kept = await self.database.read(lambda store: keys.of(store, connection.name, owner, id_))
        if kept is None:
            raise NotMapped("There is no write of this id, or it is no longer kept.")
        found = await self._state(request, connection, kept)
        told = {
            "id": kept.id,
            "operation": kept.asked.operation,
            "state": found.state,
            "detail": STATES[found.state],
            "began_at": from_epoch(kept.began_at // 1000, connection.zone),
            **look_with(self.calls.engine.model, connection, kept.asked.operation),
            **({"request": json.loads(kept.asked.request)} if kept.asked.request else {}),
            **found.more,
        }
        return to_response(Answer(HTTPStatus.OK, to_bytes(told)))

    async def _state(self, request: web.Request, connection: Connection, kept: Kept) -> Found:
        outcome = decode(kept.outcome) if kept.outcome is not None else None
        if isinstance(outcome, Answer):
            return Found(CONFIRMED, {"data": json.loads(outcome.body)} if outcome.body else {})
        if outcome is not None and not unknown(outcome):
            return Found(ABSENT, {"error": {"code": outcome.code, "message": outcome.message}})
        if kept.began_at + hold_of(self.calls.settings.timeout) > self.now():
            return Found(PENDING)
        return await self._looked_up(request, connection, kept)

    async def _looked_up(self, request: web.Request, connection: Connection, kept: Kept) -> Found:
        """Read the provider, where the contract says how and what to compare."""
        model = self.calls.engine.model
        shows = look_with(model, connection, kept.asked.operation).get("reconcile_with")
        if shows is None:
            return Found(OPERATOR)
        try:
            way = _way(model, model.operations[kept.asked.operation], model.operations[shows], connection, kept)
            if way is None:
                return Found(OPERATOR)
            reply = await self.calls.run(request, connection, shows, way.asks)
        except (Unsupported, CallInvalid):  # the provider cannot be asked like this
            return Found(OPERATOR)
        except GatewayError as error:
            if error.code != model.operations[shows].not_found:
                raise
            return Found(OPERATOR)
        return Found(OPERATOR) if reply.age is not None else way.decide(reply)


def asking(model: Model) -> Operation:
    """Describe the question."""
    key = Argument("id", scalar("id"), required=True, meaning="`details.operation` of the error.", where="path")
    return Operation(
        name=NAME,
        summary="Ask what became of a write",
        effect=Effect.SAFE,
        scope=_SCOPE,
        method="GET",
        path=PATH,
        gives="one",
        resource=model.resources["WriteOutcome"],
        status=HTTPStatus.OK,
        args={"id": key},
        not_found=NotMapped.code,
    )


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
