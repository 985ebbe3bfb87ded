"""What a provider sends to us: what it tells, what it asks, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from gateway.documents.part_rules import Choice, exactly_one, not_both
from gateway.documents.parts import (
    ErrorCode,
    Names,
    Node,
    OnMessage,
    OperationName,
    PathText,
    Reasons,
    Takes,
    Tree,
    TreeObject,
    key,
    part,
    share,
)
from gateway.mapping.language.verification import Method, Verify
from gateway.values.messages import Json

_EVENTS = {"at": "event", "as": {"enum": {"created": "booking.created"}, "else": "ignore"}}
_GET = {"run": "bookings.get", "with": {"id": "{{ body.booking_id }}"}}


@part("hook_reply", "`reply` of a hook, or one of its `replies`", not_both("text", "json", code="two-bodies"))
class Reply(Node):
    """What a message is answered."""

    status: int = key("the HTTP status", min=200, max=599, example=200)
    text: str | None = key("a body of plain text", example="OK")
    json: Tree | None = key("a JSON body", example={"received": True})


@part("hook_type", "`type` of a hook")
class HookType(Node):
    """Where a message tells what happened."""

    at: PathText = key("path on the message to its word", example="event")
    as_: dict[str, Json] | str = key(
        "an enum of the provider's words; `else:` says what any other word means", example=_EVENTS["as"]
    )


@part("hook_header", "one of `dedupe` of a hook")
class HookHeader(Node):
    """A header that names a delivery."""

    header: str = key("a header's name", minlength=1, example="X-Delivery-Id")


@part("hook_fetch", "`fetch` of a hook")
class Fetch(Node):
    """Where the object of a thin message is read."""

    run: OperationName = key("a canonical operation that reads", example="bookings.get")
    with_: TreeObject = key("its arguments", example=_GET["with"])


@share
class AnyHook(Node):
    """What hooks of either kind say."""

    needs: Reasons | None = key(
        "settings without which a connection does not have it: reason",
        example={"hook_token": "the sender is known by it"},
    )
    method: Method | list[Method] = key(
        "the HTTP method it is sent with, or several", minlength=1, default="post", example="post"
    )
    verify: Verify | list[Verify] | str | None = key(
        "how the sender is known, or `none`; blocks of several kinds may stand in a list",
        example={
            "hmac": "sha256",
            "keys": ["{{ settings.hook_secret }}"],
            "signature": {"header": "X-Signature"},
            "signed": ["body"],
        },
    )
    body: Literal["json", "form", "none"] = key("how the body is read, once verified", default="json", example="form")
    replies: dict[ErrorCode, Reply] | None = key(
        "error code, or `default`: what is answered instead of the gateway's own",
        example={"UNAUTHORIZED": {"status": 401, "text": "no"}},
    )

    @property
    def methods(self) -> frozenset[str]:
        """The methods that it is sent with, in capitals."""
        return frozenset(one.upper() for one in (self.method if isinstance(self.method, list) else [self.method]))


@part(
    "hook",
    "one of `hooks`",
    exactly_one(
        "record",
        "fetch",
        code="message-without-source",
        message="a message is read by a `record:`, or its object fetched by a `fetch:`; write one of them",
    ),
)
class EventHook(AnyHook):
    """A hook whose messages tell what happened."""

    rows: PathText | None = key("path to the messages in a body that holds several", example="notifications")
    dedupe: Annotated[list[str | HookHeader], Takes("paths")] | str = key(
        "paths on the message, or `{header: NAME}`, that together name a delivery; or `body`, the whole of it",
        minlength=1,
        example=["event", "data.id"],
    )
    repeats: Literal["drop", "compare"] = key(
        "what becomes of a message whose name came before: it is dropped, or compared with what is known, since"
        " it may tell of a change that happened again",
        default="drop",
        example="compare",
    )
    type: HookType | str = key("the canonical event, `changed`, or where it is told", example=_EVENTS)
    at: PathText = key("path to the row inside the message", default="@", example="data.booking")
    record: str | None = key("the record that reads it", example="booking")
    omits: dict[str, list[str]] | None = key(
        "event: fields that its messages do not tell, though the record has them; what is known of them stays",
        valuesrules={"type": "list", "minlength": 1, "schema": {"type": "string"}},
        example={"booking.rescheduled": ["status"]},
    )
    fetch: Fetch | None = key("of a thin message: the operation that gives its object", example=_GET)
    reply: Reply | None = key("what a message that was taken is answered", example={"status": 200, "text": "OK"})


@part("hook_request", "one of `requests` of a hook")
class HookRequest(Node):
    """Something that may be asked of us."""

    request: Annotated[str, Names("request")] = key("the canonical request", example="booking.requested")
    when: OnMessage | None = key(
        "what holds of a message that asks for this; without it every message does", example="{{ method == 'GET' }}"
    )
    at: PathText | None = key("path to the row inside the message", example="data.booking")
    record: str | None = key("the record that reads it", example="booking")
    with_: TreeObject | None = key(
        "fields of the request, laid over what the record reads",
        example={"days": {"$optional": "{{ int(query.date) }}"}},
    )
    reply: Reply = key(
        "what is answered once it is done; its JSON sees the request and what it is given",
        example={"status": 200, "json": {"id": "{{ booking.id }}"}},
    )


@part("asking_hook", "one of `hooks` that asks something of us, instead of telling what happened", known_by="requests")
class RequestHook(AnyHook):
    """A hook whose messages ask something of us."""

    requests: list[HookRequest] = key(
        "what may be asked, in order: the first whose `when:` holds",
        minlength=1,
        example=[{"request": "booking.requested", "record": "booking", "reply": {"status": 200}}],
    )


_STRANGER = "`{key}` is of a hook that tells of events, and this one asks: make two hooks of it"
Hook: TypeAlias = Annotated[
    EventHook | RequestHook, Choice("a hook", "beside-requests", ("beside-requests", _STRANGER))
]
"""What a provider sends to us under one name."""
