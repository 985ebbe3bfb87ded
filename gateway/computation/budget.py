"""How much one call may compute: steps and rows, counted while the computation goes on. Pure; it starts nothing.

Whoever computes in a loop says so with `spend`, wherever it stands: one for each element, more for what takes longer.
Outside a measured computation and a budget this does nothing. A computation must be pure, for it may be ended at any
step and begun again elsewhere; `workers.py` decides where it runs.

A call has a bound, since callers ask for too much; each evaluation of a mapping has a budget, since a mapping may ask
for too much, wherever it is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, TypeVar

from gateway.computation.threads import checked, checkpoint
from gateway.values.errors import AnswerMismatch, GatewayError, OverBudget, ProviderUnavailable
from gateway.values.messages import Json

MOST_ROWS: Final = 100_000
"""Rows that one list may have."""
MOST_STEPS: Final = 50_000_000
"""Steps that one call may take: far above what any time allows in which a caller waits."""
MOST_EVALUATION_STEPS: Final = 2_000_000
"""Steps that one evaluation of a mapping may take: a path, a walk over rows, a `$for` with all that is in it."""
AT_ONCE_STEPS: Final = 5_000
"""Steps that a computation may take on the event loop; a longer one begins anew in a thread."""
AT_ONCE_SECONDS: Final = 0.01
"""Seconds that it may take there."""
_LONG_SECONDS: Final = 4.0
"""What took longer than this to compute in vain is not worth another try."""
_LOOK: Final = 16
"""Steps between two looks at the clock."""

_T = TypeVar("_T")


class HandOver(Exception):
    """A computation is too long for the event loop."""


class BudgetSpent(Exception):
    """An evaluation computes or makes too much; the message says of what. Whoever knows its place makes OverBudget."""


class Effort:
    """What one call has computed so far. `clock` gives seconds, `deadline` is a reading of it.

    `windowed` says that the caller can ask for a shorter window. May be used in several threads.
    """

    __slots__ = ("clock", "deadline", "steps", "windowed")

    def __init__(self, clock: Callable[[], float], deadline: float, *, windowed: bool = False) -> None:
        self.clock = clock
        self.deadline = deadline
        self.windowed = windowed
        self.steps = 0

    @property
    def left(self) -> float:
        """Seconds that the call still has."""
        return max(0.0, self.deadline - self.clock())

    def large(self, what: str, most: int) -> GatewayError:
        """Give the error of a call that would take more than `most` of `what` (`rows`)."""
        if self.windowed:
            return GatewayError(
                f"This window has more than {most:,} {what}: ask for a shorter one, or for one service or resource.",
                code="WINDOW_TOO_LARGE",
                details={f"max_{what}": most},
            )
        detail = f"The provider's answer makes more than {most:,} {what}, more than the gateway takes."
        return GatewayError(detail, code=AnswerMismatch.CODE)

    def late(self, computed: float) -> GatewayError:
        """Give the error of a call whose time is used up after it has computed for so many seconds."""
        if self.windowed and computed >= _LONG_SECONDS:
            return GatewayError(
                "Computing this window takes longer than the call has time: ask for a shorter one, or for one service"
                " or resource.",
                code="WINDOW_TOO_LARGE",
            )
        detail = "The time for this call was used up before its answer was computed: ask for less at a time."
        return ProviderUnavailable(detail, sent=True, timed_out=True)

    def at_once(self, function: Callable[[], _T], clock: Callable[[], float]) -> _T:
        """Compute here, for a short while of this clock; raises HandOver when it takes longer."""
        meter = _Meter(self, clock)
        return checked(self._measure, meter.spend, meter, function)

    def apart(self, function: Callable[[], _T]) -> _T:
        """Compute for as long as somebody waits; raises GatewayError when a bound is reached, Abandoned after that."""
        return self._measure(_Meter(self, None), function)

    def _measure(self, meter: _Meter, function: Callable[[], _T]) -> _T:
        before = _METER.set(meter)
        try:
            found = function()
        finally:
            _METER.reset(before)
        self.steps += meter.steps
        return found


class _Meter:
    """Counts the steps of one computation; with a clock, it may only be a brief one.

    `memory` is what words remember of lists while it lasts.
    """

    __slots__ = ("_begun", "_clock", "_effort", "_look", "memory", "steps")

    def __init__(self, effort: Effort, clock: Callable[[], float] | None) -> None:
        self._effort = effort
        self._clock = clock
        self._begun = clock() if clock is not None else 0.0
        self._look = _LOOK
        self.steps = 0
        self.memory: dict[tuple[Json, ...], Json] = {}

    def spend(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps < self._look:
            return
        self._look = self.steps + _LOOK
        if self._clock is None:
            checkpoint()
        elif self.steps > AT_ONCE_STEPS or self._clock() - self._begun > AT_ONCE_SECONDS:
            raise HandOver
        if self._effort.steps + self.steps > MOST_STEPS:
            raise self._effort.large("steps", MOST_STEPS)

    def rows(self, count: int) -> None:
        if count > MOST_ROWS:
            raise self._effort.large("rows", MOST_ROWS)


class _Budget:
    """The steps that one evaluation has left."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_EVALUATION_STEPS


_METER: ContextVar[_Meter | None] = ContextVar("_METER", default=None)
_BUDGET: ContextVar[_Budget | None] = ContextVar("_BUDGET", default=None)


def spend(steps: int = 1) -> None:
    """Count steps of the computation and of the evaluation that this is part of, if there are any.

    Raises GatewayError when the call has computed too much, BudgetSpent when the evaluation has; what else it raises,
    whoever began the computation knows.
    """
    budget = _BUDGET.get()
    if budget is not None:
        budget.left -= steps
        if budget.left < 0:
            raise BudgetSpent(f"takes more than {MOST_EVALUATION_STEPS:,} steps")
    meter = _METER.get()
    if meter is not None:
        meter.spend(steps)


def budgeted(evaluate: Callable[[], _T], origin: str, what: str) -> _T:
    """Evaluate a part of a mapping within a budget of steps; what is evaluated inside of it shares its budget.

    Raises OverBudget, naming the place (`file:line`) and `what` stands there.
    """
    token = _BUDGET.set(_Budget()) if _BUDGET.get() is None else None
    try:
        return evaluate()
    except BudgetSpent as spent:
        raise over_budget(spent, origin, what) from None
    finally:
        if token is not None:
            _BUDGET.reset(token)


def over_budget(spent: BudgetSpent, origin: str, what: str) -> OverBudget:
    """Give the error of an evaluation at this place."""
    return OverBudget(f"{origin}: `{what}` {spent}, more than one evaluation may", origin=origin)


def check_rows(count: int) -> None:
    """Refuse a list of more rows than MOST_ROWS while it is made; raises GatewayError (WINDOW_TOO_LARGE)."""
    meter = _METER.get()
    if meter is not None:
        meter.rows(count)


def remember(values: list[Json], key: tuple[Json, ...], make: Callable[[], _T]) -> _T | None:
    """Give what was made of this very list before in the same computation, or make it; None where nothing is measured.

    The list must not change while the computation lasts.
    """
    meter = _METER.get()
    if meter is None:
        return None
    place = (id(values), *key)
    kept = meter.memory.get(place)
    if kept is None:
        kept = meter.memory[place] = (values, make())  # the list is kept as well, so that its id stays its own
    found: _T = kept[1]
    return found
