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

    def join(self, other: Writes, *, undos: bool = True) -> None:
        """Take up what an operation wrote that this one ran; without its `undos` where this one has its own."""
        self.accepted = self.accepted or other.accepted
        if undos:
            self.undos += other.undos

    def keep(self) -> None:
        """Leave what was written as it is: nothing of it will be undone."""
        self.accepted = self.any()
        self.undos = []

    async def take_back(self) -> bool:
        """Run every undo, the last step's first; True when there was one and all of them succeeded.

        Then nothing is written any more. A call that is cut off in the middle has written something.
        """
        pending, self.undos, self.accepted = list(reversed(self.undos)), [], True
        undone = bool(pending)
        for undo in pending:
            try:
                await undo.run()
            except GatewayError:
                undone = False
        self.accepted = not undone
        return undone
