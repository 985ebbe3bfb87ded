"""What is known of one call while it goes on. It is made when the call begins and dies with it.

What the steps of a plan say to do is not known here (`interpreter/`), nor how a provider is asked (`way_out/`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.computation.workers import Compute
from gateway.engine.catalog import Connection
from gateway.engine.compensation import Writes
from gateway.engine.tracing import Trace
from gateway.engine.turns import Turn
from gateway.mapping.compiler.context import REMEMBERED
from gateway.mapping.expressions.ids import uuid_of
from gateway.values.messages import Call, Json


@dataclass(slots=True)
class AnswerAge:
    """The oldest part of an answer that was kept from an earlier call.

    `said` is the clock's reading, in seconds, when the provider said it; None when all of it is of this call.
    """

    said: float | None = None

    def note(self, said: float | None) -> None:
        """Take up one more part."""
        if said is not None:
            self.said = said if self.said is None else min(said, self.said)


@dataclass(slots=True)
class CallState:
    """The state of one call, as the operation that it asks for sees it, or one that this runs."""

    call: Call
    """What is asked, of whom, and until when."""
    connection: Connection
    now: datetime
    """When the call began, aware of its zone."""
    turn: Turn
    """What the call waits for before it writes; given back when the call is over."""
    compute: Compute
    """Where what is pure is computed; each function handed to it may be run more than once."""
    trace: Trace | None
    ids: Mapping[str, str]
    """The ids that are this operation's own; one that it runs has others, which these make."""
    remembered: Mapping[str, Json] = field(default_factory=dict)
    """What the gateway knows of the booking that is written, of what the provider cannot tell."""
    writes: Writes = field(default_factory=Writes)
    """What this operation wrote, or one step of it, with what those wrote that it ran."""
    oldest: AnswerAge = field(default_factory=AnswerAge)
    runs: Counter[str] = field(default_factory=Counter)
    """How often it has run the same operation with the same arguments."""

    @property
    def shows_raw(self) -> bool:
        """Whether the provider's own objects are wanted beside the canonical ones."""
        return "provider_data" in self.call.include

    @property
    def is_parted(self) -> bool:
        """Whether a part of the asked list is of use, where the provider tells no more of it."""
        return self.call.partial or self.call.parted

    def names(self, arguments: Mapping[str, Json]) -> dict[str, Json]:
        """Give what templates of an operation see before its first step."""
        known = {name: self.remembered.get(name) for name in self.connection.provider.remembered}
        now = self.now.isoformat(timespec="seconds")
        return {**self.connection.scope, "args": arguments, "now": now, **self.ids, REMEMBERED: known}

    def of_step(self) -> CallState:
        """Give the same for a step, whose writes are known apart, also among others at once."""
        return self._with(self.ids, self.remembered, Writes(), self.oldest, self.runs)

    def of_kept(self) -> CallState:
        """Give the same for what others may wait for, and what may outlive this call."""
        return self._with(self.ids, self.remembered, Writes(), AnswerAge(), self.runs)

    def of_run(self, operation: str, arguments: Mapping[str, Json], *, same_thing: bool) -> CallState:
        """Give the same for another operation that is run, and adds to the writes.

        Its ids are none twice, and the same again when the call is repeated. What is remembered is of one booking:
        `same_thing` says that it is of this one.
        """
        told = json.dumps([operation, arguments], sort_keys=True)
        self.runs[told] += 1
        ids = {name: uuid_of(own, told, self.runs[told]) for name, own in self.ids.items()}
        return self._with(ids, self.remembered if same_thing else {}, self.writes, self.oldest, Counter())

    def _with(
        self,
        ids: Mapping[str, str],
        remembered: Mapping[str, Json],
        writes: Writes,
        oldest: AnswerAge,
        runs: Counter[str],
    ) -> CallState:
        ours = (self.call, self.connection, self.now, self.turn, self.compute, self.trace)
        return CallState(*ours, ids, remembered, writes, oldest, runs)
