"""What an answer means: conditions on it, and error rules."""

from __future__ import annotations

from gateway.documents.parts import ErrorCode, Node, OnBody, PathText, Reasons, TreeObject, key, part


@part("condition", "one of `renew_when`; `success` of a call or of `http`")
class Condition(Node):
    """All that is given must hold."""

    status: int | list[int] | None = key("the HTTP status, or several", example=404, schema={"type": "integer"})
    header: Reasons | None = key("header name: regular expression its value must match", example={"X-Limit": "^0$"})
    when: OnBody | None = key(
        "what must hold of the body; a template sees `body`, `status` and `headers`", example="error.code == 'taken'"
    )


@part("rule", "one of `errors`")
class ErrorRule(Condition):
    """What an answer that the condition holds of means."""

    is_: ErrorCode = key("the canonical error code", example="BOOKING_CONFLICT")
    code: PathText | None = key("path to the provider's own code", example="error.code")
    message: PathText | None = key("path to the provider's own words", example="error.message")
    details: TreeObject | None = key(
        "details for the caller; templates see `body`, `status`, `headers` and `args`",
        example={"requested_time": "{{ args.start }}"},
    )
