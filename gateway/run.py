"""One call being run: its windows, its variant, its steps, and what the result is.

The state here is one call's and dies with it. Writes are remembered: a failure after a write is no plain failure.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from gateway.cache import Answer, Cache
from gateway.catalog import Connection
from gateway.compensation import Undo, Writes
from gateway.errors import (
    AnswerMismatch,
    GatewayError,
    NotMapped,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnavailable,
    Unsupported,
)
from gateway.mapping.context import REMEMBERED
from gateway.mapping.evaluate import accepted, alone, chosen_by, read, refuse, rendered, take_all, wanted
from gateway.mapping.expressions import MISSING
from gateway.mapping.plan import CallPlan, ErrorRule, GivesPlan, OperationPlan, RunPlan, StepPlan, VariantPlan
from gateway.mapping.results import Found, LeftOut, chosen, read_all, told
from gateway.mapping.truth import truth
from gateway.messages import Effect, Json, Reply
from gateway.model.filters import tests_of
from gateway.model.model import Model
from gateway.scopes import elements, laid_over, public
from gateway.turns import Turn
from gateway.windows import bounds_of, chunks, united
from gateway.workers import Compute

Exchange: TypeAlias = Callable[[CallPlan, Mapping[str, Json], tuple[ErrorRule, ...], Effect], Awaitable[Json]]
"""Sends one call and gives the decoded body of a success, or raises what the rules make of the answer.

The effect says whether it may be sent again when there is none.
"""


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
    show: bool = False
    """Whether the provider's own objects are wanted beside the canonical ones."""
    remembered: Mapping[str, Json] = field(default_factory=dict)
    """What the gateway knows of the booking that is written, of what the provider cannot tell."""
    partial: bool = False
    """Whether rows of the asked list that do not fit are left out; never of a list that a step makes use of."""
    writes: Writes = field(default_factory=Writes)
    """What this operation wrote, with those that it ran."""
    said: float | None = None
    """The clock's reading when the provider said the oldest part that was kept from an earlier call."""

    async def answer(self, plan: OperationPlan, arguments: Mapping[str, Json]) -> Reply:
        """Run the operation and give the reply; undo what can be undone when a later step fails."""
        self.name = plan.name
        try:
            found = await self.operation(plan, arguments, partial=self.partial)
        except GatewayError as error:
            raise await self._after_failure(error) from error
        data = [canonical for canonical, _ in found.pairs]
        raw = [provider for _, provider in found.pairs]
        if found.single:
            return Reply(data[0] if data else None, support=plan.support, raw=raw[0] if raw else None)
        return Reply(data, support=plan.support, raw=raw, warnings=told(found.left_out))

    async def _after_failure(self, error: GatewayError) -> GatewayError:
        """What a failure means once something was written."""
        if isinstance(error, OutcomeUnknown) or not self.writes.any() or await self.writes.take_back():
            return error
        return self._unknown(error, "The provider accepted a write, and what followed failed")

    def _unknown(self, error: GatewayError, what: str) -> OutcomeUnknown:
        detail = f"{what}: look before you repeat. {error.detail}".strip()
        return OutcomeUnknown(detail, details={"cause": error.code, **self._look_with()}, origin=error.origin)

    def _look_with(self) -> dict[str, str]:
        return look_with(self.model, self.connection, self.name)

    async def operation(self, plan: OperationPlan, arguments: Mapping[str, Json], *, partial: bool = False) -> Found:
        """Run one operation, or give what is kept of it."""
        if plan.cache is None:
            return await self.asked(plan, arguments, partial=partial)
        apart = replace(self, said=None, writes=Writes())  # others may wait for it, and it may outlive this call

        async def ask() -> Answer:
            return Answer(await apart.asked(plan, arguments, partial=partial), apart.said)

        key = json.dumps([self.connection.digest, plan.name, dict(arguments), self.show, partial], sort_keys=True)
        answer = await self.cache.answer(key, plan.cache, ask)
        self._heard(answer.said)
        found: Found = answer.value
        return found

    async def asked(self, plan: OperationPlan, arguments: Mapping[str, Json], *, partial: bool = False) -> Found:
        """Run one operation."""
        model = self.model.operations.get(plan.name)
        args = accepted(plan, arguments, model, self.connection.provider.title, self.connection.scope)
        known = {name: self.remembered.get(name) for name in self.connection.provider.remembered}
        now = self.now.isoformat(timespec="seconds")
        scope = {**self.connection.scope, "args": args, "now": now, REMEMBERED: known}
        if plan.window is None:
            return await self._windowed(plan, scope, partial=partial)
        return await self._in_windows(plan, scope, partial=partial)

    async def _in_windows(self, plan: OperationPlan, scope: dict[str, Json], *, partial: bool) -> Found:
        """Ask window by window; merge by id, and drop what lies outside the caller's own bounds."""
        assert plan.window is not None  # noqa: S101 - the caller asked
        args = scope["args"]
        merged: dict[str, tuple[Json, Json]] = {}
        left_out: list[LeftOut] = []
        operation = self.model.operations[plan.name]
        assert operation.window is not None  # noqa: S101 - the compiler saw to it
        bounds = bounds_of(args, operation.window)
        windows = chunks(bounds, plan.window, self.now, self.connection.zone)
        for window in windows:
            found = await self._windowed(plan, {**scope, "window": window}, partial=partial)
            merged = await self.compute(united, merged, found.pairs, operation.order[0], bounds)
            left_out += found.left_out
        return Found(list(merged.values()), single=False, left_out=tuple(left_out))

    async def _windowed(self, plan: OperationPlan, scope: dict[str, Json], *, partial: bool) -> Found:
        """Run the operation once, for one window if it has one."""
        variant = await self.compute(self._begun, plan, scope)
        body = await self._steps(variant, scope)
        found = await self._result(plan, variant, scope, body, partial=partial)
        if variant.set is not None:
            over = laid_over(self.model.operations[plan.name], variant.set(scope), variant.origin)
            found = found._replace(pairs=[({**canonical, **over}, raw) for canonical, raw in found.pairs])
        operation = self.model.operations.get(plan.name)
        if found.single or operation is None:
            return found
        tests = tests_of(operation.filters, {**scope["args"], **chosen_by(variant, operation, scope)})
        return found._replace(pairs=await self.compute(chosen, found.pairs, tests))

    async def _result(
        self, plan: OperationPlan, variant: VariantPlan, scope: dict[str, Json], body: Json, *, partial: bool
    ) -> Found:
        """Find the result of what was done and read it."""
        if variant.find is not None:
            return await self._found(variant.find, scope["args"]["id"], plan)
        if variant.gives is not None:
            return await self._given(variant.gives, scope, partial=partial)
        root = body if variant.sole else public(self.connection, scope)
        if plan.name.startswith("native."):
            at = variant.at
            value = await self.compute(read, at, root, variant.origin) if at is not None else root
            return Found([(None if value is MISSING else value, None)], single=True)
        found = await self.compute(
            lambda: read_all(variant.rows, root, scope, plan.not_found, show=self.show, partial=partial)
        )
        return found._replace(single=self.model.operations[plan.name].gives != "list")

    def _begun(self, plan: OperationPlan, scope: dict[str, Json]) -> VariantPlan:
        """Take what the operation takes, and choose the variant that fits."""
        take_all(plan.takes, scope)
        for variant in plan.variants:
            if variant.when is None or truth(rendered(variant.when, scope, variant.origin), variant.origin):
                return variant
        raise Unsupported(f"No variant of {plan.name} fits this call.", details={"capability": plan.name})

    async def _found(self, name: str, wanted: str, plan: OperationPlan) -> Found:
        """The one of a list with this id."""
        listed = await self.operation(self.connection.provider.operations[name], {})
        for pair in listed.pairs:
            if pair[0].get("id") == wanted:
                return Found([pair], single=True)
        raise NotMapped("", code=plan.not_found or "NOT_FOUND")

    async def _given(self, gives: GivesPlan, scope: Mapping[str, Json], *, partial: bool) -> Found:
        """Another operation's result: asked now, or kept by the step that ran it."""
        if gives.run is not None:
            return await self._run(gives.run, scope, partial=partial)
        kept = scope[gives.step or ""]
        if isinstance(kept, list):
            return Found([(canonical, None) for canonical in kept], single=False)
        return Found([] if kept is None else [(kept, None)], single=True)

    async def _run(
        self, run: RunPlan, scope: Mapping[str, Json], *, undos: bool = True, partial: bool = False
    ) -> Found:
        """Run another operation; what it wrote is this one's too, with its `undos` or without them."""
        plan = self.connection.provider.operations[run.operation]
        same = {"id": scope["args"]["id"]} if "id" in scope["args"] else {}
        arguments = run.arguments(scope) if run.arguments is not None else same
        # What is remembered is of one booking.
        known = self.remembered if arguments.get("id") == scope["args"].get("id") else {}
        inner = replace(self, writes=Writes(), remembered=known, said=None)
        done = False
        try:
            result = await inner.operation(plan, arguments, partial=partial)
            done = True
        finally:
            self.writes.join(inner.writes, undos=undos or not done)
            self._heard(inner.said)
        return result

    def _heard(self, said: float | None) -> None:
        """Note when the provider said a part that was kept."""
        if said is not None:
            self.said = said if self.said is None else min(said, self.said)

    async def _steps(self, variant: VariantPlan, scope: dict[str, Json]) -> Json:
        """Run the steps in order, capturing each value in the scope; gives the last value."""
        value: Json = None
        for step in variant.steps:
            if step.fan_out is None and not await self.compute(wanted, step, scope):
                value = None
                scope.update(dict.fromkeys(take.name for take in step.takes))
            elif step.refuse:
                await self._guard(step, scope)
                continue
            elif step.exclusive is not None:
                await self.turn.take((self.connection.name, "exclusive", one) for one in alone(step, scope))
                continue
            elif step.make is not None:
                value = await self.compute(step.make, scope)
            elif step.takes:
                await self.compute(take_all, step.takes, scope)
                continue
            elif step.fan_out is not None:
                value = await self._fan_out(step, variant, scope)
            else:
                value = await self._step(step, variant, scope)
            if step.name:
                scope[step.name] = value
        return value

    async def _guard(self, step: StepPlan, scope: Mapping[str, Json]) -> None:
        """End the operation where a guard holds: after a write as the step says, with all taken back or nothing."""
        try:
            await self.compute(refuse, step, scope)
        except GatewayError as error:
            if step.takes_back is False:
                self.writes.keep()
            elif step.takes_back and self.writes.any() and not await self.writes.take_back():
                raise self._unknown(error, "The provider did not take back what it had accepted") from error
            raise

    async def _fan_out(self, step: StepPlan, variant: VariantPlan, scope: dict[str, Json]) -> Json:
        """One call for each element that is wanted, so many at once; the first failure cancels the rest."""
        wanted_ones = await self.compute(
            lambda: [one for one in elements(step, self.connection, scope) if wanted(step, {**scope, **one})]
        )
        turn = asyncio.Semaphore(step.fan_out.at_once if step.fan_out else 1)

        async def one(names: dict[str, Json]) -> Json:
            async with turn:
                return {**names, "body": await self._step(step, variant, {**scope, **names})}

        tasks = [asyncio.ensure_future(one(names)) for names in wanted_ones]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _step(self, step: StepPlan, variant: VariantPlan, scope: Mapping[str, Json]) -> Json:
        """One call, or one run of another operation; accepted errors give null."""
        try:
            if step.run is not None:
                # The step's own undo takes back all that it ran.
                found = await self._run(step.run, scope, undos=step.undo is None)
                data = [canonical for canonical, _ in found.pairs]
                body = (data[0] if data else None) if found.single else data
            else:
                body = await self._call(step.call, step.effect, variant, scope)
        except GatewayError as error:
            if error.code in step.accept:
                return None
            raise
        keep = step.keep
        kept = await self.compute(read, keep, body, step.origin) if keep is not None else body
        value = None if kept is MISSING else kept
        self._remember_undo(step, variant, {**scope, step.name: value})
        return value

    async def _call(
        self, call: CallPlan | None, effect: Effect, variant: VariantPlan, scope: Mapping[str, Json]
    ) -> Json:
        if call is None:
            raise AssertionError("a step without a call does not compile")
        try:
            body = await self.exchange(call, scope, variant.rules, effect)
        except asyncio.CancelledError:
            self.writes.accepted = self.writes.accepted or effect is Effect.UNSAFE  # it may have arrived
            raise
        except (ProviderUnavailable, AnswerMismatch) as error:
            if effect is Effect.UNSAFE and (isinstance(error, AnswerMismatch) or error.sent):
                detail = f"The write was sent and its answer lost: look before you repeat. {error.detail}"
                raise OutcomeUnknown(detail, details=self._look_with()) from error
            raise
        except ProviderRejected as error:
            if error.code == "NOT_FOUND" and variant.not_found is not None:
                error.code = variant.not_found
            raise
        if effect is Effect.UNSAFE:
            self.writes.accepted = True
        return body

    def _remember_undo(self, step: StepPlan, variant: VariantPlan, scope: Mapping[str, Json]) -> None:
        undo = step.undo
        if undo is None:
            return

        async def take_back() -> None:
            if isinstance(undo, RunPlan):
                await self._run(undo, scope)
            else:
                await self._call(undo, Effect.IDEMPOTENT, variant, scope)

        self.writes.undos.append(Undo(take_back, step.origin))


def look_with(model: Model, connection: Connection, name: str) -> dict[str, str]:
    """Tell, as details of an unknown outcome, which operation of the connection shows whether a write was done."""
    operation = model.operations.get(name)
    shows = operation.reconcile if operation is not None else None
    return {"reconcile_with": shows} if shows and shows in connection.provider.operations else {}
