"""One step of an operation, and what is done before, around and after it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from gateway.documents.part_rules import Choice, exactly_one, not_beside
from gateway.documents.parts import (
    NAME,
    CodecSpec,
    ConditionText,
    ErrorCode,
    Name,
    Node,
    OnBody,
    OperationName,
    PathText,
    Takes,
    TemplateText,
    Tree,
    TreeObject,
    key,
    limits,
    part,
    share,
)
from gateway.mapping.language.http import Call
from gateway.mapping.language.results import Level

WHEN = "{{ args.quantity | default(1) > 1 }}"
"""A condition as examples show it."""
_ID = {"id": "{{ args.id }}"}
_ITS_ARGUMENTS = "its arguments; without it, the same id"
_ANOTHER = "another canonical operation"
_NAME = "the name its value is known by"


@part("variable", "one of `vars`; a template alone is its `from`", short="from")
class Variable(Node):
    """A name for a value."""

    from_: TemplateText = key("the value", example="{{ args.start }}")
    as_: CodecSpec | None = key("the codec that writes it", required=True, example="local_time")


@part(
    "kept",
    "one of `keep` of a step that calls, where that is an object; a text is its `at`",
    exactly_one("at", "header", "status", code="wrong-form", what="what is kept"),
    short="at",
)
class Kept(Node):
    """One part of an answer that is kept."""

    at: PathText | None = key("path on the body", example="data[0].id")
    header: str | None = key("the header, null where the answer has none", minlength=1, example="ETag")
    status: bool | None = key("true: the status", example=True)


@part("for_each", "`for_each` of a step")
class ForEach(Node):
    """One call for each element of a list."""

    in_: TemplateText | list[Level] = key("one expression giving the list, or named levels", example="{{ services }}")
    as_: Name | None = key("the name of each element of one list", example="service")
    concurrency: int = key("so many calls at the same time", min=1, max=16, default=4, example=2)


@part(
    "undo",
    "`undo` of a step; exactly one of `call` and `run`",
    exactly_one("call", "run", code="step-without-kind", what="an undo"),
    not_beside("with", "call"),
)
class Undo(Node):
    """What is done when a later step fails."""

    call: Call | None = key("one call", example={"get": "/api/services"})
    run: OperationName | None = key(_ANOTHER, example="bookings.cancel")
    with_: TreeObject | None = key(_ITS_ARGUMENTS, example=_ID)


@part(
    "recover",
    "`recover` of a step; exactly one of `call` and `run`",
    exactly_one("call", "run", code="step-without-kind", what="a `recover`"),
    not_beside("with", "call"),
)
class Recover(Node):
    """How it is seen whether a step that failed was done all the same."""

    call: Call | None = key("one call", example={"get": "/api/services"})
    run: OperationName | None = key("another canonical operation, one that reads", example="bookings.get")
    with_: TreeObject | None = key(_ITS_ARGUMENTS, example=_ID)
    keep: PathText | None = key("path on its answer: what of it is `body`", example="response")
    done: OnBody = key(
        "what holds of its answer where the step was done; null: that cannot be told",
        example="{{ body.status == 'cancelled' }}",
    )


@part("refusal", "one of `refuse` of a step")
class Refusal(Node):
    """A guard: when it holds the operation ends."""

    when: ConditionText = key("what must hold for it", example=WHEN)
    is_: ErrorCode = key("the canonical error code", example="INSUFFICIENT_CAPACITY")
    message: str = key("one sentence for the caller", example="One place at a time.")
    details: TreeObject | None = key("details for the caller", example={"remaining": 1})


@share
class _Any(Node):
    """What every step may say."""

    when: ConditionText | None = key("where it does not hold the step is skipped, its value null", example=WHEN)


@share
class _Asking(_Any):
    """What a step that asks the provider may say."""

    name: Name = key(_NAME, example="details")
    for_each: ForEach | None = key(
        "one call for each element of a list", example={"in": "{{ services }}", "as": "service"}
    )
    keep: PathText | dict[str, Kept] | None = key(
        "path on the body: what is captured; or names, each with a path, a header or the status",
        example={"etag": {"header": "ETag"}, "body": "@"},
        keysrules=limits(
            type="string", regex=NAME, meta={"meaning": "a name begins with a letter; a-z, 0-9 and _ follow"}
        ).rules,
    )
    ignore_errors: list[ErrorCode] | None = key(
        "error codes that do not end the operation; the value is then null", example=["BOOKING_NOT_FOUND"]
    )
    safe: bool | None = key("a reading step of a writing operation", example=True)
    keep_on_failure: bool | None = key(
        "what it made may stay when a later step fails; it is never sent twice", example=True
    )
    undo: Undo | None = key("done when a later step fails", example={"call": {"delete": "/bookings/{{ details.id }}"}})
    recover: Recover | None = key(
        "looked at when the step failed: whether it was done all the same",
        example={"run": "bookings.get", "done": "{{ body.status == 'cancelled' }}"},
    )


@part("call_step", "one of `steps` that calls the provider", known_by="call")
class CallStep(_Asking):
    """A call of the provider."""

    call: Call = key("one call", example={"get": "/api/services"})


@part("run_step", "one of `steps` that runs another operation", known_by="run")
class RunStep(_Asking):
    """A run of another operation."""

    run: OperationName = key(_ANOTHER, example="bookings.get")
    with_: TreeObject | None = key(_ITS_ARGUMENTS, example=_ID)


@part("refuse_step", "one of `steps` that may end the operation", known_by="refuse")
class RefuseStep(_Any):
    """Guards."""

    refuse: list[Refusal] = key(
        "guards; the first that holds ends the operation",
        example=[{"when": WHEN, "is": "INSUFFICIENT_CAPACITY", "message": "One at a time."}],
    )
    takes_back: bool | None = key("what the steps above wrote is undone before the operation ends", example=True)


@part("vars_step", "one of `steps` that names values", known_by="vars")
class VarsStep(_Any):
    """More names for values."""

    vars: Annotated[dict[str, Variable], Takes("template")] = key(
        "more names for values, computed here", example={"first": "{{ all[0] }}"}
    )


@part("compute_step", "one of `steps` that builds a value", known_by="compute")
class ComputeStep(_Any):
    """A value made of what is known."""

    name: Name = key(_NAME, example="details")
    compute: Tree = key("the value itself, built here", example={"name": "{{ args.id }}"})


@part("exclusive_step", "one of `steps` that waits for other writes", known_by="exclusive")
class ExclusiveStep(_Any):
    """A wait for other writes of the same thing."""

    exclusive: TemplateText = key(
        "one expression, text or a list of texts: other writes that name one of them wait for this one",
        example="{{ args.resource_id }}",
    )


AskingStep: TypeAlias = CallStep | RunStep
Step: TypeAlias = Annotated[
    AskingStep | RefuseStep | VarsStep | ComputeStep | ExclusiveStep, Choice("a step", "step-without-kind")
]
"""One step of an operation: what it does tells which."""
