"""One operation being run: its windows, its variant, its steps, and what the result is.

Writes are remembered in the state of the call: a failure after a write is no plain failure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.engine.cache import Answer, Cache
from gateway.engine.compensation import look_with, mark, unknown
from gateway.engine.interpreter.scopes import laid_over, public
from gateway.engine.interpreter.steps import Steps, Tools
from gateway.engine.interpreter.windows import around, bounds_of, chunks, unite
from gateway.engine.state import CallState
from gateway.engine.way_out.exchange import Ask
from gateway.mapping.generated.running import build
from gateway.mapping.handling import handle
from gateway.mapping.nodes.calls import ASKED, FoundResult, OperationPlan, RawResult, RunPlan, StepResult, VariantPlan
from gateway.mapping.nodes.given import WindowPlan
from gateway.mapping.runtime.expressions import decides, read
from gateway.mapping.runtime.faults.told_outside import told_outside
from gateway.mapping.runtime.results import Result, choose, distinct, read_all, tell, unfinished
from gateway.mapping.runtime.steps import accept, assign, chosen_by
from gateway.model.filters import tests_of
from gateway.model.model import Model
from gateway.values.errors import GatewayError, NotMapped, OutcomeUnknown, Unsupported
from gateway.values.messages import Effect, Json, Reply
from gateway.values.truth import MISSING


class Operations:
    """The operations of one connection, as its plans have them. Made once; of each call, the state is handed in."""

    def __init__(self, model: Model, ask: Ask, cache: Cache, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds; the cache is kept by it."""
        self._model = model
        self._cache = cache
        self._clock = clock
        self._tools = Tools(model, ask, self._whole)

    async def answer(self, plan: OperationPlan, state: CallState) -> Reply:
        """Run the operation of a call and give the reply; undo what can be undone when a later step fails."""
        call, operation = state.call, self._model.operations.get(plan.name)
        arguments: Mapping[str, Json] = call.arguments
        lost: tuple[dict[str, Json], ...] = ()
        if operation is not None:
            arguments, lost = handle(plan, arguments, operation, state.connection.provider.title, call.handling)
        try:
            found = await self._operation(plan, arguments, state, partial=call.partial)
            if found.part and not state.is_parted:
                raise unfinished(found.part)
        except GatewayError as error:
            meant = await self._after_failure(error, plan.effect, state)
            if meant is None:
                raise
            raise meant from error
        said = state.oldest.said
        aged = found if said is None else replace(found, age=self._clock() - said)
        return _reply(plan, aged, lost)

    async def _after_failure(self, error: GatewayError, effect: Effect, state: CallState) -> GatewayError | None:
        """What a failure means once something was written, or may have been; None where it means what it says."""
        if isinstance(error, OutcomeUnknown) or not state.writes.any() or await state.writes.take_back():
            return None
        if effect is not Effect.UNSAFE:
            return mark(error, self._model.errors[error.code].status)
        look = look_with(self._model, state.connection, state.call.operation)
        return unknown(error, "The provider accepted a write, and what followed failed", look)

    async def _operation(
        self, plan: OperationPlan, arguments: Mapping[str, Json], state: CallState, *, partial: bool = False
    ) -> Result:
        """Run one operation, or give what is kept of it; with `partial`, rows that do not fit are left out.

        That is for a list that a caller asked for, and never for one that a step makes use of.
        """
        if plan.cache is None:
            return await self._perform(plan, arguments, state, partial=partial)
        apart = state.of_kept()

        async def ask() -> Answer:
            return Answer(await self._perform(plan, arguments, apart, partial=partial), apart.oldest.said)

        # What a write may change is asked for anew after each, whoever made it.
        writes = state.turn.written(state.connection.name) if self._model.is_written(plan.name) else 0
        about = [state.connection.digest, plan.name, dict(arguments), state.shows_raw, partial, writes]
        answer = await self._cache.answer(json.dumps(about, sort_keys=True), plan.cache, ask)
        state.oldest.note(answer.said)
        found: Result = answer.value
        return found

    async def _perform(
        self, plan: OperationPlan, arguments: Mapping[str, Json], state: CallState, *, partial: bool
    ) -> Result:
        """Run one operation."""
        connection, operation = state.connection, self._model.operations.get(plan.name)
        scope = state.names(accept(plan, arguments, operation, connection.provider.title, connection.scope))
        if operation is not None and operation.window is not None:
            scope[ASKED] = tuple(scope["args"].get(name) for name in operation.window)
        if plan.window is None:
            return await self._once(plan, scope, state, partial=partial)
        return await self._in_windows(plan, plan.window, scope, state, partial=partial)

    async def _in_windows(
        self, plan: OperationPlan, width: WindowPlan, scope: dict[str, Json], state: CallState, *, partial: bool
    ) -> Result:
        """Ask window by window; merge by id, and drop what lies outside the caller's own bounds."""
        operation = self._model.operations[plan.name]
        assert operation.window is not None  # noqa: S101 - the compiler saw to it
        bounds = bounds_of(scope["args"], operation.window)
        listed = Result([], [], single=False)
        for window in chunks(bounds, width, state.now, state.connection.zone):
            inner = {**scope, "window": window, ASKED: around(window)}
            found = await self._once(plan, inner, state, partial=partial)
            listed = await state.compute(unite, listed, found, operation.order[0], bounds)
        return listed

    async def _once(self, plan: OperationPlan, scope: dict[str, Json], state: CallState, *, partial: bool) -> Result:
        """Run the operation once, for one window if it has one."""
        variant = plan.variants[0] if _is_plain(plan) else await state.compute(_begin, plan, scope)
        operation = self._model.operations.get(plan.name)
        parts: list[str] | None = [] if operation is not None and operation.gives == "list" else None
        body = await Steps(self._tools, state, plan.name, variant, parts).all(scope)
        found = await self._find(plan, variant, scope, state, body, partial=partial)
        if parts:
            found = replace(found, part=parts[0])
        if variant.set is not None:
            over = laid_over(self._model.operations[plan.name], build(variant.set, scope), variant.origin)
            found = replace(found, rows=[{**row, **over} for row in found.rows])
        if found.single or operation is None:
            return found
        tests = tests_of(operation.filters, {**scope["args"], **chosen_by(variant, operation, scope)})
        return await state.compute(
            distinct, await state.compute(choose, found, tests) if tests else found, variant.origin
        )

    async def _find(
        self,
        plan: OperationPlan,
        variant: VariantPlan,
        scope: dict[str, Json],
        state: CallState,
        body: Json,
        *,
        partial: bool,
    ) -> Result:
        """Find the result of what was done and read it."""
        result = variant.result
        if isinstance(result, FoundResult):
            return await self._list(result.operation, scope["args"]["id"], plan, state)
        if isinstance(result, RunPlan):
            return await self._give(result, scope, plan.name, state, partial=partial)
        if isinstance(result, StepResult):
            return _of_step(scope[result.step])
        root = body if variant.sole else public(state.connection, scope)
        if plan.name.startswith("native."):
            at = result.at if isinstance(result, RawResult) else None
            value = await state.compute(read, at, root, variant.origin) if at is not None else root
            return Result([None if value is MISSING else value], [None], single=True)
        show = state.shows_raw
        found = await state.compute(
            lambda: read_all(variant.rows, root, scope, plan.not_found, show=show, partial=partial)
        )
        if self._model.operations[plan.name].gives == "list":
            return found
        return Result(found.rows, found.raw, single=True, left_out=found.left_out)

    async def _list(self, name: str, wanted: str, plan: OperationPlan, state: CallState) -> Result:
        """The one of a list with this id."""
        listed = await self._operation(state.connection.provider.operations[name], {}, state)
        for row, own in zip(listed.rows, listed.raw, strict=True):
            if row.get("id") == wanted:
                return Result([row], [own], single=True)
        if listed.part:
            raise unfinished(listed.part)
        raise NotMapped("", code=plan.not_found or "NOT_FOUND")

    async def _give(
        self, run: RunPlan, scope: Mapping[str, Json], outer: str, state: CallState, *, partial: bool
    ) -> Result:
        """Another operation's result, asked for now."""
        try:
            return await self._run(run, scope, state, partial=partial)
        except GatewayError as error:
            raise told_outside(error, run, scope, outer) from error.__cause__

    async def _whole(self, run: RunPlan, scope: Mapping[str, Json], state: CallState) -> Result:
        """Run another operation for a step, which needs all of what it gives."""
        found = await self._run(run, scope, state)
        if found.part:
            raise unfinished(found.part)
        return found

    async def _run(self, run: RunPlan, scope: Mapping[str, Json], state: CallState, *, partial: bool = False) -> Result:
        """Run another operation, which adds to the writes."""
        plan = state.connection.provider.operations[run.operation]
        outer = scope["args"]
        same = {"id": outer["id"]} if "id" in outer else {}
        arguments = build(run.arguments, scope) if run.arguments is not None else same
        inner = state.of_run(run.operation, arguments, same_thing=arguments.get("id") == outer.get("id"))
        return await self._operation(plan, arguments, inner, partial=partial)


def _is_plain(plan: OperationPlan) -> bool:
    """Tell whether an operation takes nothing and has one variant for every call."""
    return not plan.variables and plan.variants[0].when is None


def _begin(plan: OperationPlan, scope: dict[str, Json]) -> VariantPlan:
    """Take what the operation takes, and choose the variant that fits."""
    assign(plan.variables, scope)
    for variant in plan.variants:
        if variant.when is None or decides(variant.when, None, scope, variant.origin):
            return variant
    raise Unsupported(f"No variant of {plan.name} fits this call.", details={"capability": plan.name})


def _of_step(kept: Json) -> Result:
    """Give the result of what a step has run."""
    if isinstance(kept, list):
        return Result(kept, [None] * len(kept), single=False)
    return Result([], [], single=True) if kept is None else Result([kept], [None], single=True)


def _reply(plan: OperationPlan, found: Result, lost: tuple[dict[str, Json], ...]) -> Reply:
    """Give the reply of a result, and with it what was given and is not kept."""
    if found.single:
        raw = found.raw[0] if found.raw else None
        return Reply(found.data, support=plan.support, raw=raw, warnings=lost, age=found.age)
    warnings = (*lost, *tell(found.left_out, found.part))
    whole = not found.part
    return Reply(found.rows, support=plan.support, raw=found.raw, whole=whole, warnings=warnings, age=found.age)
