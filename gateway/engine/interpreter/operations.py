"""One call being run: its windows, its variant, its steps, and what the result is.

The state here is one call's and dies with it. Writes are remembered: a failure after a write is no plain failure.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.computation.workers import Compute
from gateway.engine.cache import Answer, Cache
from gateway.engine.catalog import Connection
from gateway.engine.compensation import Writes, marked
from gateway.engine.interpreter.scopes import laid_over, public
from gateway.engine.interpreter.steps import Exchange, Steps, look_with, unknown
from gateway.engine.interpreter.windows import around, bounds_of, chunks, united
from gateway.engine.turns import Turn
from gateway.mapping.compiler.context import REMEMBERED
from gateway.mapping.expressions.ids import uuid_of
from gateway.mapping.handling import handled
from gateway.mapping.nodes.calls import ASKED, FoundResult, OperationPlan, RawResult, RunPlan, StepResult, VariantPlan
from gateway.mapping.runtime.expressions import decides, read
from gateway.mapping.runtime.faults.told_outside import told_outside
from gateway.mapping.runtime.results import LeftOut, ResultRows, chosen, distinct, read_all, told, unfinished
from gateway.mapping.runtime.steps import accepted, assign, chosen_by
from gateway.mapping.runtime.trees import evaluate
from gateway.model.filters import tests_of
from gateway.model.model import Model
from gateway.values.errors import (
    GatewayError,
    NotMapped,
    OutcomeUnknown,
    Unsupported,
)
from gateway.values.messages import Effect, Json, Reply
from gateway.values.truth import MISSING


@dataclass(slots=True)
class Run:
    """The run of one call on one connection. `now` is aware of its zone."""

    connection: Connection
    model: Model
    exchange: Exchange
    compute: Compute
    """Where what is pure is computed; each function handed to it may be run more than once."""
    cache: Cache
    now: datetime
    turn: Turn
    """What the call waits for before it writes; given back when the call is over."""
    name: str = ""
    """The operation that was asked for."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """The ids that are this operation's own; one that it runs has others, which these make."""
    runs: Counter[str] = field(default_factory=Counter)
    """How often it has run the same operation with the same arguments."""
    show: bool = False
    """Whether the provider's own objects are wanted beside the canonical ones."""
    remembered: Mapping[str, Json] = field(default_factory=dict)
    """What the gateway knows of the booking that is written, of what the provider cannot tell."""
    handling: str = ""
    """What the caller prefers to be done with arguments that cannot be kept, as in a Call."""
    partial: bool = False
    """Whether rows of the asked list that do not fit are left out; never of a list that a step makes use of."""
    parted: bool = False
    """Whether a part of the asked list is of use, where the provider tells no more of it."""
    writes: Writes = field(default_factory=Writes)
    """What this operation wrote, with those that it ran."""
    said: float | None = None
    """The clock's reading when the provider said the oldest part that was kept from an earlier call."""

    async def answer(self, plan: OperationPlan, arguments: Mapping[str, Json]) -> Reply:
        """Run the operation and give the reply; undo what can be undone when a later step fails."""
        self.name = plan.name
        operation = self.model.operations.get(plan.name)
        lost: tuple[dict[str, Json], ...] = ()
        if operation is not None:
            arguments, lost = handled(plan, arguments, operation, self.connection.provider.title, self.handling)
        try:
            found = await self.operation(plan, arguments, partial=self.partial)
            if found.part and not self.parted:
                raise unfinished(found.part)
        except GatewayError as error:
            meant = await self._after_failure(error, plan.effect)
            if meant is None:
                raise
            raise meant from error
        data = [canonical for canonical, _ in found.pairs]
        raw = [provider for _, provider in found.pairs]
        if found.single:
            one, own = (data[0], raw[0]) if data else (None, None)
            return Reply(one, support=plan.support, raw=own, warnings=lost)
        warnings = (*lost, *told(found.left_out, found.part))
        return Reply(data, support=plan.support, raw=raw, whole=not found.part, warnings=warnings)

    async def _after_failure(self, error: GatewayError, effect: Effect) -> GatewayError | None:
        """What a failure means once something was written, or may have been; None where it means what it says."""
        if isinstance(error, OutcomeUnknown) or not self.writes.any() or await self.writes.take_back():
            return None
        if effect is not Effect.UNSAFE:
            return marked(error, self.model.errors[error.code].status)
        look = look_with(self.model, self.connection, self.name)
        return unknown(error, "The provider accepted a write, and what followed failed", look)

    async def operation(
        self, plan: OperationPlan, arguments: Mapping[str, Json], *, partial: bool = False
    ) -> ResultRows:
        """Run one operation, or give what is kept of it."""
        if plan.cache is None:
            return await self.asked(plan, arguments, partial=partial)
        apart = replace(self, said=None, writes=Writes())  # others may wait for it, and it may outlive this call

        async def ask() -> Answer:
            return Answer(await apart.asked(plan, arguments, partial=partial), apart.said)

        # What a write may change is asked for anew after each, whoever made it.
        writes = self.turn.written(self.connection.name) if self.model.is_written(plan.name) else 0
        about = [self.connection.digest, plan.name, dict(arguments), self.show, partial, writes]
        key = json.dumps(about, sort_keys=True)
        answer = await self.cache.answer(key, plan.cache, ask)
        self._heard(answer.said)
        found: ResultRows = answer.value
        return found

    async def asked(self, plan: OperationPlan, arguments: Mapping[str, Json], *, partial: bool = False) -> ResultRows:
        """Run one operation."""
        model = self.model.operations.get(plan.name)
        args = accepted(plan, arguments, model, self.connection.provider.title, self.connection.scope)
        known = {name: self.remembered.get(name) for name in self.connection.provider.remembered}
        now = self.now.isoformat(timespec="seconds")
        scope = {**self.connection.scope, "args": args, "now": now, **self.ids, REMEMBERED: known}
        if model is not None and model.window is not None:
            scope[ASKED] = tuple(args.get(name) for name in model.window)
        if plan.window is None:
            return await self._windowed(plan, scope, partial=partial)
        return await self._in_windows(plan, scope, partial=partial)

    async def _in_windows(self, plan: OperationPlan, scope: dict[str, Json], *, partial: bool) -> ResultRows:
        """Ask window by window; merge by id, and drop what lies outside the caller's own bounds."""
        assert plan.window is not None  # noqa: S101 - the caller asked
        args = scope["args"]
        merged: dict[str, tuple[Json, Json]] = {}
        left_out: list[LeftOut] = []
        part = ""
        operation = self.model.operations[plan.name]
        assert operation.window is not None  # noqa: S101 - the compiler saw to it
        bounds = bounds_of(args, operation.window)
        windows = chunks(bounds, plan.window, self.now, self.connection.zone)
        for window in windows:
            found = await self._windowed(plan, {**scope, "window": window, ASKED: around(window)}, partial=partial)
            merged = await self.compute(united, merged, found.pairs, operation.order[0], bounds)
            left_out += found.left_out
            part = part or found.part
        return ResultRows(list(merged.values()), single=False, left_out=tuple(left_out), part=part)

    async def _windowed(self, plan: OperationPlan, scope: dict[str, Json], *, partial: bool) -> ResultRows:
        """Run the operation once, for one window if it has one."""
        variant = await self.compute(self._begun, plan, scope)
        doing = (self.connection, self.model, self.exchange, self.compute, self.turn)
        operation = self.model.operations.get(plan.name)
        parts: list[str] | None = [] if operation is not None and operation.gives == "list" else None
        body = await Steps(*doing, self.name, plan.name, self._whole, self.writes, parts).all(variant, scope)
        found = await self._result(plan, variant, scope, body, partial=partial)
        if parts:
            found = found._replace(part=parts[0])
        if variant.set is not None:
            over = laid_over(self.model.operations[plan.name], evaluate(variant.set, scope), variant.origin)
            found = found._replace(pairs=[({**canonical, **over}, raw) for canonical, raw in found.pairs])
        if found.single or operation is None:
            return found
        tests = tests_of(operation.filters, {**scope["args"], **chosen_by(variant, operation, scope)})
        pairs = await self.compute(chosen, found.pairs, tests)
        return found._replace(pairs=await self.compute(distinct, pairs, variant.origin))

    async def _result(
        self, plan: OperationPlan, variant: VariantPlan, scope: dict[str, Json], body: Json, *, partial: bool
    ) -> ResultRows:
        """Find the result of what was done and read it."""
        result = variant.result
        if isinstance(result, FoundResult):
            return await self._found(result.operation, scope["args"]["id"], plan)
        if isinstance(result, RunPlan | StepResult):
            return await self._given(result, scope, plan.name, partial=partial)
        root = body if variant.sole else public(self.connection, scope)
        if plan.name.startswith("native."):
            at = result.at if isinstance(result, RawResult) else None
            value = await self.compute(read, at, root, variant.origin) if at is not None else root
            return ResultRows([(None if value is MISSING else value, None)], single=True)
        found = await self.compute(
            lambda: read_all(variant.rows, root, scope, plan.not_found, show=self.show, partial=partial)
        )
        return found._replace(single=self.model.operations[plan.name].gives != "list")

    def _begun(self, plan: OperationPlan, scope: dict[str, Json]) -> VariantPlan:
        """Take what the operation takes, and choose the variant that fits."""
        assign(plan.variables, scope)
        for variant in plan.variants:
            if variant.when is None or decides(variant.when, None, scope, variant.origin):
                return variant
        raise Unsupported(f"No variant of {plan.name} fits this call.", details={"capability": plan.name})

    async def _found(self, name: str, wanted: str, plan: OperationPlan) -> ResultRows:
        """The one of a list with this id."""
        listed = await self.operation(self.connection.provider.operations[name], {})
        for pair in listed.pairs:
            if pair[0].get("id") == wanted:
                return ResultRows([pair], single=True)
        if listed.part:
            raise unfinished(listed.part)
        raise NotMapped("", code=plan.not_found or "NOT_FOUND")

    async def _given(
        self, gives: RunPlan | StepResult, scope: Mapping[str, Json], outer: str, *, partial: bool
    ) -> ResultRows:
        """Another operation's result: asked now, or kept by the step that ran it."""
        if isinstance(gives, RunPlan):
            try:
                return await self._run(gives, scope, self.writes, partial=partial)
            except GatewayError as error:
                raise told_outside(error, gives, scope, outer) from error.__cause__
        kept = scope[gives.step]
        if isinstance(kept, list):
            return ResultRows([(canonical, None) for canonical in kept], single=False)
        return ResultRows([] if kept is None else [(kept, None)], single=True)

    async def _whole(self, run: RunPlan, scope: Mapping[str, Json], writes: Writes) -> ResultRows:
        """Run another operation for a step, which needs all of what it gives."""
        found = await self._run(run, scope, writes)
        if found.part:
            raise unfinished(found.part)
        return found

    async def _run(
        self, run: RunPlan, scope: Mapping[str, Json], writes: Writes, *, partial: bool = False
    ) -> ResultRows:
        """Run another operation, which adds to the writes."""
        plan = self.connection.provider.operations[run.operation]
        same = {"id": scope["args"]["id"]} if "id" in scope["args"] else {}
        arguments = evaluate(run.arguments, scope) if run.arguments is not None else same
        # What is remembered is of one booking.
        known = self.remembered if arguments.get("id") == scope["args"].get("id") else {}
        ids = self._inner_ids(run.operation, arguments)
        inner = replace(self, writes=writes, remembered=known, said=None, ids=ids, runs=Counter())
        try:
            return await inner.operation(plan, arguments, partial=partial)
        finally:
            self._heard(inner.said)

    def _inner_ids(self, operation: str, arguments: Mapping[str, Json]) -> dict[str, str]:
        """The ids of an operation that is run: none twice, and the same again when the call is repeated."""
        told = json.dumps([operation, arguments], sort_keys=True)
        self.runs[told] += 1
        return {name: uuid_of(own, told, self.runs[told]) for name, own in self.ids.items()}

    def _heard(self, said: float | None) -> None:
        """Note when the provider said a part that was kept."""
        if said is not None:
            self.said = said if self.said is None else min(said, self.said)
