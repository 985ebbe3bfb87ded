"""What the writes of one call did so far, and how it is taken back: each accepted write, and the undos of its steps.

The state here is one call's and dies with it. Nothing here sends by itself: an undo is handed in, ready to be run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Undo:
    """How what one step did is taken back; `origin` is the step's place in the mapping, `file:line`."""

    run: Callable[[], Awaitable[None]]
    origin: str


@dataclass(slots=True)
class Writes:
    """The writes of one call, in their order."""

    accepted: bool = False
    """Whether an unsafe call has been accepted by the provider, or may have been."""
    undos: list[Undo] = field(default_factory=list)

    def any(self) -> bool:
        """Tell whether anything was written."""
        return self.accepted or bool(self.undos)

    async def take_back(self) -> bool:
        """Run every undo, the last step's first; True when there was one and all of them succeeded."""
        pending, self.undos = list(reversed(self.undos)), []
        undone = bool(pending)
        for undo in pending:
            try:
                await undo.run()
            except GatewayError:
                undone = False
        return undone
