"""Keys of hooks: what a provider sends to us, how it is read, and what it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.mapping.keys import REASONS, TREE, Part, key

METHODS: Final = ("get", "post", "put")
_EVENTS = {"at": "event", "as": {"enum": {"created": "booking.created"}, "else": "ignore"}}
_GET = {"run": "bookings.get", "with": {"id": "{{ body.booking_id }}"}}
_NEEDS: Final = key(
    "dict",
    "settings without which a connection does not have it: reason",
    example={"hook_token": "the sender is known by it"},
    **REASONS,
)
_METHOD: dict[str, Any] = key(
    ["string", "list"],
    "the HTTP method it is sent with, or several",
    allowed=list(METHODS),
    minlength=1,
    default="post",
    example="post",
)
_VERIFY: Final = key(
    ["dict", "list", "string"],
    "how the sender is known, or `none`; blocks of several kinds may stand in a list",
    example={"equals": {"company": "{{ settings.company }}"}, "fetch": {"forged": ["BOOKING_NOT_FOUND"]}},
)
_BODY: Final = key(
    "string",
    "how the body is read, once verified",
    allowed=["json", "form", "none"],
    default="json",
    example="form",
)
_REPLIES: Final = key(
    "dict",
    "error code, or `default`: what is answered instead of the gateway's own",
    example={"UNAUTHORIZED": {"status": 401, "text": "no"}},
)

PARTS: Final[Mapping[str, Part]] = {
    "hook": Part(
        "one of `hooks`",
        {
            "needs": _NEEDS,
            "method": _METHOD,
            "verify": _VERIFY,
            "body": _BODY,
            "rows": key(
                "string", "path to the messages in a body that holds several", takes="path", example="notifications"
            ),
            "dedupe": key(
                ["list", "string"],
                "paths on the message, or `{header: NAME}`, that together name a delivery; or `body`, the whole of it",
                takes="paths",
                required=True,
                minlength=1,
                example=["event", "data.id"],
            ),
            "repeats": key(
                "string",
                "what becomes of a message whose name came before: it is dropped, or compared with what is known, since"
                " it may tell of a change that happened again",
                allowed=["drop", "compare"],
                default="drop",
                example="compare",
            ),
            "type": key(
                ["dict", "string"],
                "the canonical event, `changed`, or where it is told",
                required=True,
                example=_EVENTS,
            ),
            "at": key(
                "string", "path to the row inside the message", takes="path", default="@", example="data.booking"
            ),
            "row": key("string", "the record that reads it", example="booking"),
            "untold": key(
                "dict",
                "event: fields that its messages do not tell, though the record has them; what is known of them stays",
                valuesrules={"type": "list", "minlength": 1, "schema": {"type": "string"}},
                example={"booking.rescheduled": ["status"]},
            ),
            "fetch": key("dict", "of a thin message: the operation that gives its object", example=_GET),
            "reply": key("dict", "what a message that was taken is answered", example={"status": 200, "text": "OK"}),
            "replies": _REPLIES,
        },
    ),
    "asking_hook": Part(
        "one of `hooks` that asks something of us, instead of telling what happened",
        {
            "needs": _NEEDS,
            "method": _METHOD,
            "verify": _VERIFY,
            "body": _BODY,
            "asks": key(
                "list",
                "what may be asked, in order: the first whose `when:` holds",
                required=True,
                minlength=1,
                example=[{"request": "booking.requested", "row": "booking", "reply": {"status": 200}}],
            ),
            "replies": _REPLIES,
        },
    ),
    "ask": Part(
        "one of `asks` of a hook",
        {
            "request": key("string", "the canonical request", required=True, example="booking.requested"),
            "when": key(
                "string",
                "whether the message asks for this; without it every message does",
                takes="template",
                example="{{ method == 'GET' }}",
            ),
            "at": key("string", "path to the row inside the message", takes="path", example="data.booking"),
            "row": key("string", "the record that reads it", example="booking"),
            "with": key(
                "dict",
                "fields of the request, laid over what the record reads",
                takes="tree",
                example={"days": {"$optional": "{{ int(query.date) }}"}},
            ),
            "reply": key(
                "dict",
                "what is answered once it is done; its JSON sees the request and what it is given",
                required=True,
                example={"status": 200, "json": {"id": "{{ booking.id }}"}},
            ),
        },
    ),
    "hook_type": Part(
        "`type` of a hook",
        {
            "at": key("string", "path on the message to its word", takes="path", required=True, example="event"),
            "as": key(
                ["dict", "string"],
                "an enum of the provider's words; `else:` says what any other word means",
                required=True,
                example=_EVENTS["as"],
            ),
        },
    ),
    "hook_header": Part(
        "one of `dedupe` of a hook",
        {"header": key("string", "a header's name", required=True, minlength=1, example="X-Delivery-Id")},
    ),
    "hook_fetch": Part(
        "`fetch` of a hook",
        {
            "run": key("string", "a canonical operation that reads", required=True, example="bookings.get"),
            "with": key("dict", "its arguments", takes="tree", required=True, example=_GET["with"]),
        },
    ),
    "hook_proof": Part(
        "`verify.fetch` of a hook: the fetch shows whether the message is true",
        {
            "forged": key(
                "list",
                "errors of the fetch that mean a forged message; after any other it is to be sent again",
                required=True,
                minlength=1,
                schema={"type": ["string", "dict"]},
                example=["BOOKING_NOT_FOUND"],
            ),
        },
    ),
    "hook_forged": Part(
        "one of `forged`, where the code alone does not say it",
        {
            "is": key("string", "the error code", required=True, example="PROVIDER_AUTH_FAILED"),
            "code": key("string", "the provider's own code", required=True, example="-32085"),
        },
    ),
    "hook_reply": Part(
        "`reply` of a hook, or one of its `replies`",
        {
            "status": key("integer", "the HTTP status", min=200, max=599, required=True, example=200),
            "text": key("string", "a body of plain text", example="OK"),
            "json": key(TREE, "a JSON body", takes="tree", example={"received": True}),
        },
    ),
}
