"""Operations, canonical and native: arguments, variants, and how well they are done."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Final, Literal, TypeAlias

from gateway.documents.part_rules import Rule, Violation, not_both
from gateway.documents.parts import (
    CodecSpec,
    ConditionText,
    Duration,
    Node,
    Reasons,
    Takes,
    TreeObject,
    key,
    part,
    share,
)
from gateway.mapping.language.errors import ErrorRule
from gateway.mapping.language.http import Call
from gateway.mapping.language.results import NativeResult, Result
from gateway.mapping.language.steps import WHEN, Step, Variable
from gateway.values.messages import Json

ArgumentType: TypeAlias = Literal["string", "integer", "number", "boolean", "date", "object", "list", "id"]
"""What an argument of a native operation is."""

_DOING: Final = ("call", "steps", "errors", "result", "set", "filters")
"""Keys that say what is done and given: of an operation, or of each of its variants."""


def _choose(given: Collection[str]) -> Iterator[Violation]:
    """Beside `choose` stands nothing that its variants say."""
    for key_ in _DOING if "choose" in given else ():
        if key_ in given:
            yield Violation("beside-choose", f"`{key_}` belongs into the variants of `choose:`", key_)


def _doing(given: Collection[str]) -> Iterator[Violation]:
    """Something is done, or given."""
    if not {"choose", "call", "steps", "result"} & {*given}:
        yield Violation("nothing-to-do", "`call`, `steps` or `result` is needed")


_BODY: Final[tuple[Rule, ...]] = (_doing, not_both("call", "steps", code="two-bodies"))


@share
class Body(Node):
    """What is done."""

    call: Call | None = key("one call", example={"get": "/api/services"})
    steps: list[Step] | None = key(
        "several steps, one after the other", minlength=1, example=[{"name": "all", "call": {"get": "/all"}}]
    )
    errors: list[ErrorRule] | None = key(
        "error rules tried before the file's", example=[{"status": 409, "is": "BOOKING_CONFLICT"}]
    )


@share
class Extras(Node):
    """What an operation of either kind says besides."""

    notes: str | None = key("a sentence for the capability document", example="Free slots only.")
    needs: Reasons | None = key(
        "settings without which a connection does not have it: reason",
        example={"user_login": "only a user may list"},
    )
    vars: Annotated[dict[str, Variable], Takes("template")] | None = key(
        "names for values used below, in order", example={"local": {"from": "{{ args.start }}", "as": "local_time"}}
    )
    rate_class: str | None = key("the rate class that its calls count against", example="create")
    cache: Duration | None = key("how long an answer is kept, of an operation that reads", example="60s")


@share
class Outcome(Body):
    """What a canonical operation does and gives."""

    result: Result | None = key(
        "what it gives; several sources of rows stand in a list, one after the other",
        example={"rows": "values(result)", "record": "service"},
    )
    set: TreeObject | None = key("fields of the result that are known better here", example={"status": "cancelled"})
    filters: TreeObject | None = key(
        "of a list: what an argument stands for where rows are chosen by it; null leaves the choice to the provider",
        example={"resource_id": "{{ parts }}"},
    )


@part("variant", "one of `choose`", *_BODY)
class Variant(Outcome):
    """What is done where a condition holds."""

    when: ConditionText | None = key("what must hold for it", example=WHEN)


@part("window", "`window` of an operation")
class Window(Node):
    """Local days asked from the provider."""

    max_days: int | None = key("most days in one call; longer windows are split", min=1, example=31)
    default_days: int | None = key("days from today when the caller gives no window", min=1, example=60)


@part("operation", "one of `operations`, or one of its ways", _choose, *_BODY)
class Operation(Outcome, Extras):
    """A canonical operation."""

    support: Literal["native", "emulated", "degraded"] | None = key("how well this is done", example="emulated")
    choose: list[Variant] | None = key(
        "variants; the first whose `when` holds",
        minlength=2,
        example=[{"when": WHEN, "call": {"post": "/group"}}, {"call": {"post": "/single"}}],
    )
    unsupported: Reasons | None = key(
        "arguments, or members such as `customer.phone`, that cannot be honoured: reason; sending one is a 501. "
        "`customer.*` are all members that are left: neither used nor declared by name",
        example={"hold": "it holds nothing"},
    )
    partial: Reasons | None = key(
        "arguments, or members, that are taken without their full effect: reason, told in the capabilities. "
        "`customer.*` are those that are left, beside an `unsupported:` of it those that only describe",
        example={"hold.minutes": "a draft is not released by itself"},
    )
    requires: Reasons | None = key(
        "optional arguments this provider needs: reason; leaving one out is a 400",
        example={"service_id": "a slot is one of a service"},
    )
    args_from: dict[str, CodecSpec] | None = key(
        "argument: the join codec that takes it apart into other arguments",
        example={"slot_id": {"join": {"by": "~", "parts": ["service_id", "resource_id"]}}},
    )
    window: Window | None = key("local days asked from the provider", example={"max_days": 31})


@part("argument", "one of `args` of a native operation")
class Argument(Node):
    """An argument of a native operation."""

    type: ArgumentType = key("what it is", example="integer")
    required: bool | None = key("it must be given", example=True)
    default: Json | None = key("used when it is not given", example=1)
    allowed: list[Json] | None = key("the only values it may have", example=[0, 1])
    meaning: str | None = key("one sentence", example="How many places.")


@part("native", "one of `native`", *_BODY)
class Native(Body, Extras):
    """An operation of the vendor's own."""

    result: NativeResult | None = key("what of the answer it gives; all of it without", example={"at": "result"})
    safe: bool = key("it changes nothing; it is then a GET for callers", default=False, example=True)
    args: dict[str, Argument] | None = key(
        "its arguments by name", example={"code": {"type": "string", "required": True}}
    )
