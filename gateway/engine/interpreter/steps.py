"""The steps of one operation being done: its calls sent, its other operations run, what was written remembered.

A write whose answer was lost is looked at where the mapping says how; what a failure means for the whole call is not
decided here.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gateway.engine.compensation import Undo, is_over, is_unexplained, look_with, may_be_done, unknown
from gateway.engine.interpreter.pages import ask_all
from gateway.engine.interpreter.scopes import elements
from gateway.engine.state import CallState
from gateway.engine.turns import EXCLUSIVE
from gateway.engine.way_out.exchange import Ask, ProviderCall
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.calls import (
    AskingStep,
    CallPlan,
    CallStep,
    ComputeStep,
    ExclusiveStep,
    RecoverPlan,
    RefuseStep,
    RunPlan,
    RunStep,
    VariantPlan,
    VarsStep,
)
from gateway.mapping.runtime.expressions import decides_of_answer, read, told_by
from gateway.mapping.runtime.faults.told_outside import told_outside
from gateway.mapping.runtime.results import Result, unfinished
from gateway.mapping.runtime.steps import alone, assign, is_wanted, refuse
from gateway.model.model import Model
from gateway.values.errors import GatewayError, OutcomeUnknown, ProviderRejected
from gateway.values.messages import Effect, Json
from gateway.values.truth import MISSING

RunOther: TypeAlias = Callable[[RunPlan, Mapping[str, Json], CallState], Awaitable[Result]]
"""Runs another operation, whose writes are added to those of the state."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the steps of one connection are done with, whichever call they are of."""

    model: Model
    ask: Ask
    run: RunOther


@dataclass(slots=True)
class Steps:
    """Does the steps of one operation, that a call asks for or another operation runs."""

    tools: Tools
    state: CallState
    operation: str
    variant: VariantPlan
    parts: list[str] | None = None
    """Of a list: the lines of the calls that told a part of theirs. None: such an answer fails."""

    async def all(self, scope: dict[str, Json]) -> Json:
        """Run the steps in order, capturing each value in the scope; gives the last value."""
        value: Json = None
        for step in self.variant.steps:
            listed = isinstance(step, CallStep | RunStep) and step.fan_out is not None  # then each element has its own
            if step.when is not None and not listed and not await self.state.compute(is_wanted, step, scope):
                value = None
                scope.update(dict.fromkeys(step.names))
                continue
            match step:
                case RefuseStep():
                    await self._guard(step, scope)
                case ExclusiveStep():
                    name = self.state.connection.name
                    await self.state.turn.take((name, EXCLUSIVE, one) for one in alone(step, scope))
                case VarsStep():
                    await self.state.compute(assign, step.variables, scope)
                case ComputeStep():
                    value = scope[step.name] = await self.state.compute(build, step.value, scope)
                case CallStep() | RunStep():
                    done = self._fan_out if step.fan_out is not None else self._step
                    value = scope[step.name] = await done(step, scope)
        return value

    async def _guard(self, step: RefuseStep, scope: Mapping[str, Json]) -> None:
        """End the operation where a guard holds: after a write as the step says, with all taken back or nothing."""
        try:
            await self.state.compute(refuse, step, scope)
        except GatewayError as error:
            if step.takes_back is False:
                self.state.writes.keep()
            elif step.takes_back and self.state.writes.any() and not await self.state.writes.take_back():
                raise unknown(error, "The provider did not take back what it had accepted", self._look()) from error
            raise

    async def _fan_out(self, step: AskingStep, scope: dict[str, Json]) -> Json:
        """One call for each element that is wanted, so many at once; the first failure cancels the rest."""
        wanted_ones = await self.state.compute(
            lambda: [one for one in elements(step, self.state.connection, scope) if is_wanted(step, {**scope, **one})]
        )
        turn = asyncio.Semaphore(step.fan_out.concurrency if step.fan_out else 1)

        async def one(names: dict[str, Json]) -> Json:
            async with turn:
                return {**names, "body": await self._step(step, {**scope, **names})}

        tasks = [asyncio.ensure_future(one(names)) for names in wanted_ones]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _step(self, step: AskingStep, scope: Mapping[str, Json]) -> Json:
        """One call, or one run of another operation; accepted errors give null."""
        apart = self._apart()  # what this step writes is known apart, also among others at once
        try:
            return await apart.performed(step, scope)
        except GatewayError as error:
            if error.code in step.ignore_errors:
                return None
            if step.effect is Effect.SAFE and _decides(step, self.variant):
                self.state.writes.keep()
            if isinstance(step, CallStep):
                raise
            raise told_outside(error, step.run, scope, self.operation) from error.__cause__
        finally:
            if step.keep_on_failure:
                apart.state.writes.forget()
            self.state.writes.add(apart.state.writes)

    async def performed(self, step: AskingStep, scope: Mapping[str, Json]) -> Json:
        """Do a step, look what became of it where it failed, and remember how it is taken back."""
        try:
            value = await self._send(step, scope)
        except GatewayError as error:
            clear = not self.state.writes.any() and not is_unexplained(error)
            if step.recover is None or clear or error.code in step.ignore_errors:
                raise
            value = await self._looked_at(step.recover, error, scope)
        if step.undo is not None:
            self.state.writes.undone_by(self._undo(step.undo, {**scope, step.name: value}))
        return value

    async def _send(self, step: AskingStep, scope: Mapping[str, Json]) -> Json:
        """Send a step's call, or run its operation, and give what is kept of the answer."""
        if isinstance(step, RunStep):
            body = await self.asked(step.run, scope)
        else:
            body = await self.call(step.call, step.effect, scope, keep_on_failure=step.keep_on_failure)
        keep = step.keep
        kept = await self.state.compute(read, keep, body, step.origin) if keep is not None else body
        return None if kept is MISSING else kept

    async def _looked_at(self, recover: RecoverPlan, error: GatewayError, scope: Mapping[str, Json]) -> Json:
        """See whether a step that failed was done all the same: its value then, else the failure, in doubt or not."""
        try:
            value = await self._look_up(recover, scope)
            done = told_by(recover.done, value, {**scope, "body": value}, recover.origin)
        except GatewayError:
            value = done = None
        if done is None:
            raise error  # as much in doubt as it was
        if done:
            self.state.writes.seen(done=True)
            if not self.state.writes.any():
                self.state.writes.note()
            return value
        if not is_over(error):
            raise error
        self.state.writes.seen(done=False)
        if isinstance(error, OutcomeUnknown) and isinstance(error.__cause__, GatewayError):
            raise error.__cause__.copy_with() from error  # as it was before it put the outcome in doubt
        raise error

    async def _look_up(self, recover: RecoverPlan, scope: Mapping[str, Json]) -> Json:
        """What a look finds."""
        if isinstance(recover.look, RunPlan):
            body = await self.asked(recover.look, scope)
        else:
            body = await self._ask(recover.look, scope, Effect.SAFE)
            if not await self._is_complete(recover.look, body, scope):
                raise unfinished(recover.look.origin)
        keep = recover.keep
        kept = await self.state.compute(read, keep, body, recover.origin) if keep is not None else body
        return None if kept is MISSING else kept

    async def call(
        self,
        call: CallPlan,
        effect: Effect,
        scope: Mapping[str, Json],
        *,
        keep_on_failure: bool = False,
    ) -> Json:
        """Send one call. Of a write it is noted whether it was done, of a list whether the answer is all of it."""
        body = await self._exchange(call, effect, scope, writes=effect is not Effect.SAFE and not keep_on_failure)
        if call.complete is not None and not await self._is_complete(call, body, scope):
            if self.parts is None:
                raise unfinished(call.origin)
            self.parts.append(call.origin)
        return body

    async def _exchange(self, call: CallPlan, effect: Effect, scope: Mapping[str, Json], *, writes: bool) -> Json:
        """Make the exchange of a call, and note of a write whether it was done, where that is known."""
        try:
            body = await self._ask(call, scope, effect)
        except asyncio.CancelledError:
            if writes:
                self.state.writes.note(done=False)  # it may have arrived
            raise
        except ProviderRejected as error:
            if error.code == "NOT_FOUND" and self.variant.not_found is not None:
                raise error.copy_with(code=self.variant.not_found) from error
            raise
        except GatewayError as error:
            if not writes or not may_be_done(error):
                raise
            self.state.writes.note(done=False)
            if effect is not Effect.UNSAFE:
                raise
            detail = f"The write was sent and its answer lost: look before you repeat. {error.detail}"
            raise OutcomeUnknown(detail, details=self._look()) from error
        finally:
            if effect is not Effect.SAFE:
                self.state.turn.writes(self.state.connection.name)  # what this call itself kept before is old, too
        if writes:
            self.state.writes.note()
        return body

    async def _is_complete(self, call: CallPlan, body: Json, scope: Mapping[str, Json]) -> bool:
        """Tell whether an answer holds all there is, as far as the mapping says how that is seen."""
        told = call.complete
        return told is None or await self.state.compute(
            lambda: decides_of_answer(told, body, {**scope, "body": body}, call.origin)
        )

    def _undo(self, undo: CallPlan | RunPlan, scope: Mapping[str, Json]) -> Undo:
        async def take_back() -> None:
            apart = self._apart()
            if isinstance(undo, RunPlan):
                await apart.asked(undo, scope)
            else:
                await apart.call(undo, Effect.IDEMPOTENT, scope)

        return take_back

    async def asked(self, run: RunPlan, scope: Mapping[str, Json]) -> Json:
        """Run another operation: its canonical data."""
        found = await self.tools.run(run, scope, self.state)
        return found.data

    async def _ask(self, call: CallPlan, scope: Mapping[str, Json], effect: Effect) -> Json:
        """Send a call, and give the body of a success; of one that follows pages, that of all of them."""
        asked = ProviderCall(call, scope, self.variant.rules, effect, self.state)
        return await (self.tools.ask(asked) if call.pages is None else ask_all(asked, call.pages, self.tools.ask))

    def _look(self) -> dict[str, str]:
        """Tell, as details of an unknown outcome, which operation shows whether a write was done."""
        return look_with(self.tools.model, self.state.connection, self.state.call.operation)

    def _apart(self) -> Steps:
        """Give the same for one step."""
        return Steps(self.tools, self.state.of_step(), self.operation, self.variant, self.parts)


def _decides(step: AskingStep, variant: VariantPlan) -> bool:
    """Whether what a step sees decides if earlier writes are taken back: while nobody has seen it, nothing is."""
    later = itertools.dropwhile(lambda one: one is not step, variant.steps)
    return any(isinstance(one, RefuseStep) and one.takes_back for one in later)
