"""What the writes of one call did so far, and when it may be taken back.

A step that failed may have been done, and what came before it may be all that somebody has left: the new booking of one
that is moved. So only the latest write is ever taken back, then the one before it; the first that stays ends it.

The state here is one call's and dies with it. Nothing here sends by itself: an undo is handed in, ready to be run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.engine.catalog import Connection
from gateway.model.model import Model
from gateway.values.errors import (
    AnswerMismatch,
    GatewayError,
    OutcomeUnknown,
    ProviderRedirected,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
    StepRefused,
)

MAY_BE_DONE = "may_have_been_done"
"""The member of an error's details that says so: the call failed, and what it was to do may be done."""
_UNFINISHED = frozenset({502, 503, 504})
"""The statuses of a server in front, behind which the provider may still be at work (RFC 9110, section 15.6)."""


Undo: TypeAlias = Callable[[], Awaitable[None]]
"""Takes back what one step did."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write. `done` is False where nobody knows whether it was done; without an `undo` it stays."""

    done: bool
    undo: Undo | None = None


@dataclass(slots=True)
class Writes:
    """The writes of a call, or of one step of it, in their order."""

    log: list[Write] = field(default_factory=list)

    def any(self) -> bool:
        """Tell whether anything was written, or may have been."""
        return bool(self.log)

    def note(self, *, done: bool = True) -> None:
        """Add one that nothing takes back so far."""
        self.log.append(Write(done))

    def undone_by(self, undo: Undo) -> None:
        """Let one undo stand for them all."""
        self.log = [Write(done=True, undo=undo)]

    def add(self, others: Writes) -> None:
        """Add those of a step."""
        self.log += others.log

    def forget(self) -> None:
        """Forget them, since they may stay."""
        self.log.clear()

    def keep(self) -> None:
        """Leave what was written as it is: nothing of it will be undone."""
        self.log = [Write(write.done) for write in self.log]

    def seen(self, *, done: bool) -> None:
        """Note what a look has shown: what was in doubt is done, or it is not."""
        self.log = [Write(done=True, undo=write.undo) for write in self.log if write.done or done]

    async def take_back(self) -> bool:
        """Run the undo of the last write, then of the one before it; True when nothing is left.

        While one is in doubt nothing is taken back, nor anything before one that stays or cannot be taken back.
        """
        if not all(write.done for write in self.log):
            return False
        while self.log and self.log[-1].undo is not None:
            try:
                await self.log[-1].undo()
            except GatewayError:
                return False
            self.log.pop()
        return not self.log


def may_be_done(error: GatewayError) -> bool:
    """Tell whether a write that ended so may have been done: its answer is lost, not read, a bare 5xx or 303."""
    if isinstance(error, ProviderUnavailable):
        return error.sent
    if isinstance(error, AnswerMismatch | ProviderRedirected):
        return True
    # The mapping failed on the answer, or it was too much to be computed: only a provider's own refusal says no.
    return error.answered and not isinstance(error, ProviderRejected | ProviderUnauthorised)


def is_unexplained(error: GatewayError) -> bool:
    """Tell whether a provider refused a call in a way that no error rule of the mapping knows."""
    return isinstance(error, ProviderRejected) and error.rule is None and error.code == ProviderRejected.CODE


def is_over(error: GatewayError) -> bool:
    """Tell whether the provider has certainly ended its work on a step that failed so.

    What is seen after a call without an answer, or with one of a server in front, may still change.
    """
    cause = error.__cause__ if isinstance(error, OutcomeUnknown) else error
    if isinstance(cause, ProviderUnavailable):
        return not cause.sent or (cause.status is not None and cause.status not in _UNFINISHED)
    return isinstance(cause, GatewayError) and not isinstance(cause, OutcomeUnknown)


def leaves_doubt(error: GatewayError) -> bool:
    """Tell whether a call that failed so, as its caller is told, may have been done."""
    return isinstance(error, OutcomeUnknown) or bool(error.details.get(MAY_BE_DONE))


def mark(error: GatewayError, status: int) -> GatewayError | None:
    """The error of a call that may be repeated, saying that it may be done; `status` is that of the error's code.

    None for a guard's verdict on the booking (4xx), which stays what it is: a repeat is answered the same.
    """
    if isinstance(error, StepRefused) and status < 500:  # noqa: PLR2004 - the caller's
        return None
    detail = f"It may have been done all the same: repeat it. {error.detail}".strip()
    return error.copy_with(detail=detail, details={**error.details, MAY_BE_DONE: True})


def unknown(error: GatewayError, what: str, look: Mapping[str, str]) -> OutcomeUnknown:
    """Give what a failure after a write becomes: what happened, and which operation shows it."""
    detail = f"{what}: look before you repeat. {error.detail}".strip()
    return OutcomeUnknown(detail, details={"cause": error.code, **look}, origin=error.origin)


def look_with(model: Model, connection: Connection, name: str) -> dict[str, str]:
    """Tell, as details of an unknown outcome, which operation of the connection shows whether a write was done."""
    operation = model.operations.get(name)
    shows = operation.reconcile if operation is not None else None
    return {"reconcile_with": shows} if shows and shows in connection.provider.operations else {}
