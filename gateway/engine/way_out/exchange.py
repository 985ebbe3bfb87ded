"""What goes down the way out: a call of a step over all its attempts, and one HTTP exchange of an attempt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from gateway.engine.state import CallState
from gateway.engine.tracing import Watch
from gateway.mapping.nodes.calls import CallPlan, ErrorRule, Scope
from gateway.values.messages import Call, Effect, Json, Request, Response


@dataclass(slots=True)
class ProviderCall:
    """A call of a step: what is sent, made of which names, what its answer may mean, and for whom."""

    plan: CallPlan
    scope: Scope
    rules: tuple[ErrorRule, ...]
    """Those of the operation, which come before the mapping's own."""
    effect: Effect
    """Says whether it may be sent again when there is no answer."""
    state: CallState
    attempts: int = 0
    """How many were begun so far."""


Ask: TypeAlias = Callable[[ProviderCall], Awaitable[Json]]
"""Sends a call and gives the decoded body of a success, or raises what the rules make of the answer."""


@dataclass(slots=True)  # not frozen: several are made in each call, and freezing makes that cost twice
class Exchange:
    """One HTTP exchange. Its request is made when its turn has come.

    What a request says of its time, a signature above all, is of that moment.
    """

    make: Callable[[], Request]
    limit: str
    """The class of rate that it counts against."""
    call: Call
    """For whom it is, and until when it may take."""
    watch: Watch | None = None
    """What tells the call's trace of it."""

    @property
    def deadline(self) -> float:
        """A reading of the event loop's clock, in seconds."""
        return self.call.deadline

    @property
    def caller(self) -> str:
        """Who asks."""
        return self.call.caller

    def making(self, make: Callable[[], Request], limit: str | None = None) -> Exchange:
        """Give the same with another request, of another class of rate if one is given."""
        return Exchange(make, self.limit if limit is None else limit, self.call, self.watch)


Dispatch: TypeAlias = Callable[[Exchange], Awaitable[Response]]
"""Makes an exchange, however many others that takes. A layer of the way out is made of one and is one."""
