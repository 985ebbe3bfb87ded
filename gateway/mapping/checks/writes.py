"""What writes must hold: a no after a write says what becomes of it, and what is asked of the memory is remembered.

Pure: compiled parts and what they read come in, findings go out through the Context.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.usage import Reads
from gateway.mapping.compiler.context import REMEMBERED, Context
from gateway.mapping.nodes.calls import AskingStep, CallPlan, CallStep, RefuseStep, RunStep, Step
from gateway.values.messages import Effect


def check_taking_back(context: Context, before: Sequence[Step], guard: RefuseStep, place: Place) -> None:
    """A step that refuses says what becomes of the writes of the steps before it; each can then be undone.

    Whatever a step runs has undos of its own.
    """
    writing = [step for step in before if isinstance(step, CallStep | RunStep) and _writes(context, step)]
    undone = [step.name for step in writing if step.undo is not None]
    stays = [step.name for step in writing if isinstance(step, CallStep) and step.undo is None]
    if guard.takes_back is None:
        if undone:
            message = f"`{undone[-1]}` was done before, and can be undone: say whether `takes_back` is true or false"
            context.report(place, "refusal-after-write", message)
    elif not writing:
        context.report((*place, "takes_back"), "nothing-to-take-back", "no step above it writes", key=True)
    elif guard.takes_back and stays:
        message = f"`{stays[-1]}` writes and has no `undo`: what it did would stay"
        context.report((*place, "takes_back"), "nothing-to-take-back", message, key=True)


def _writes(context: Context, step: AskingStep) -> bool:
    """Whether a step leaves something behind that matters: what only reads, or says `keep_on_failure`, does not."""
    if isinstance(step, CallStep):
        return step.undo is not None or step.effect is Effect.UNSAFE
    other = context.model.operations.get(step.run.operation)
    return step.undo is not None or (other is not None and other.effect is Effect.UNSAFE)


def check_success(context: Context, call: CallPlan, place: Place) -> None:
    """A call that writes and reads a text knows what one looks like that says that it was done.

    Any text with a status of 2xx is taken otherwise, and any page of a proxy or of maintenance is one. JSON that cannot
    be read is never taken for a success.
    """
    if call.success is None and call.body_kind != "jsonrpc":
        message = (
            "it writes, and any text with a status of 2xx is taken for done: say in `success:` what one looks like"
        )
        context.report(place, "any-answer-succeeds", message, key=True)


def check_remembered(context: Context, reads: Reads, place: Place) -> None:
    """Every field that is asked of the memory is one that is remembered, by its name."""
    for use in sorted(use for use in reads.names if use[0] == REMEMBERED):
        if len(use) == 1:
            message = f"name the field: `{REMEMBERED}.FIELD`"
            context.report(place, "unknown-name", message)
        elif use[1] not in context.remembered:
            hint = suggestion(use[1], context.remembered)
            message = f"`{REMEMBERED}.{use[1]}`: no record has a field of this name with `remember: true`{hint}"
            context.report(place, "unknown-name", message)
