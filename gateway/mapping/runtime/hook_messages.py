"""A received request + a hook's plan → what its messages mean, and what the sender is answered. Pure.

Who sent it is proved before: nothing here verifies a signature, fetches, or remembers. No error holds a value of the
message, which a stranger may have written.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final
from urllib.parse import parse_qsl

from gateway.mapping.codecs import CodecRefused
from gateway.mapping.expressions import ExpressionFailed, Path
from gateway.mapping.generated.binding import reader
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.hooks import CHANGED, DEFAULT, IGNORE, EventHook, FetchPlan, Hook, NamePlan, ReplyPlan
from gateway.mapping.runtime.expressions import read
from gateway.mapping.runtime.trees import LEFT_OUT
from gateway.values.errors import AnswerMismatch, GatewayError, MappingFault, OverBudget
from gateway.values.messages import Json, Message, Received, Response
from gateway.values.strictjson import Unreadable, decode_json, decode_text
from gateway.values.truth import MISSING

_TYPES: Final = {"text": "text/plain; charset=utf-8", "json": "application/json"}


def to_messages(plan: EventHook, received: Received, scope: Scope) -> list[tuple[str, Message]]:
    """Give each message of a request with the text that names its delivery: the same for the same one sent again.

    `scope` is the connection's: settings, connection and now. A message that only says `changed` has the time in its
    name, since two that are alike may tell of two changes; the name of one that is to be ignored has null for what the
    message lacks. Raises AnswerMismatch where the request does not fit the mapping, MappingFault where a
    template of the mapping fails.
    """
    body = body_of(plan, received)
    rows = body if plan.rows is None else read(plan.rows, body, plan.origin)
    if plan.rows is None:
        rows = [body]
    elif not isinstance(rows, list):
        raise _mismatch(plan.origin, f"`{plan.rows.text}` is not a list")
    names = names_of(received, scope) | {"body": body}
    found = []
    for index, row in enumerate(rows):
        message = _message(plan, row, {**names, "row": row})
        name = _name(plan, received, row, index, wanted=message.type != IGNORE)
        found.append((_write([*name, scope["now"]] if message.type == CHANGED else name), message))
    return found


def words(plan: EventHook, received: Received) -> list[Json]:
    """The word for the event in each message, as the provider writes it; none where one event is meant always."""
    at = plan.type.at
    if at is None:
        return []
    body = body_of(plan, received)
    rows = [body] if plan.rows is None else read(plan.rows, body, plan.origin)
    return [read(at, row, plan.type.origin) for row in rows] if isinstance(rows, list) else []


def is_equal(plan: Hook, received: Received, scope: Scope) -> bool:
    """Whether every cheap check of a hook holds: else the message is forged, and nothing need be asked about it.

    Raises AnswerMismatch where the body cannot be read, MappingFault where a template fails.
    """
    if not plan.equals:
        return True
    body = body_of(plan, received)
    for check in plan.equals:
        try:
            wanted = check.value.render(scope)
        except ExpressionFailed as failed:
            raise MappingFault(f"{check.origin}: `{check.value.text}`: {failed}", origin=check.origin) from None
        value = read(check.at, body, check.origin)
        if type(value) is not type(wanted) or value != wanted:
            return False
    return True


def is_forged(plan: EventHook, error: GatewayError) -> bool:
    """Whether the error of a hook's fetch says that the message which asked for it is forged."""
    own = str(error.provider.get("code"))
    return plan.forged is not None and not plan.forged.isdisjoint({(error.code, ""), (error.code, own)})


def to_reply(plan: Hook, code: str | None, scope: Scope, *, again: bool = False) -> Response | None:
    """What the sender is answered: None for `code` when the message was taken, else the error code.

    A hook that asks says with each ask how it is answered.

    With `again` the message shall come again after this error; `default` is not asked then, since it would end that.
    Gives None where the mapping says nothing of this code, so that the gateway's own answer stands. Raises
    MappingFault where a template of the answer fails.
    """
    taken = plan.reply if isinstance(plan, EventHook) else None
    reply = taken if code is None else plan.replies.get(answering(plan, code, again=again))
    return None if reply is None else response_of(reply, scope)


def answering(plan: Hook, code: str, *, again: bool) -> str:
    """Name the row of `replies` that answers an error; empty where none does. `again` is as for `to_reply`."""
    if code in plan.replies:
        return code
    return DEFAULT if DEFAULT in plan.replies and not again else ""


def response_of(reply: ReplyPlan, scope: Scope) -> Response:
    """Build one answer to a message. Raises MappingFault where a template of it fails."""
    if reply.body is None:
        return Response(reply.status, {}, b"")
    value = build(reply.body, scope)
    text = value if reply.kind == "text" else json.dumps(None if value is LEFT_OUT else value, ensure_ascii=False)
    return Response(reply.status, {"content-type": _TYPES[reply.kind]}, text.encode())


def body_of(plan: Hook, received: Received) -> Json:
    """Give the message as data: the decoded body, or null of a GET; with `body: none` the query, an object of texts.

    Raises AnswerMismatch.
    """
    if plan.body == "none":
        return _fields(plan, "query", list(received.query))
    if received.method == "GET":  # what its content means is not defined (RFC 9110 section 9.3.1)
        return None
    try:
        if plan.body == "json":
            return decode_json(received.body)
        text = decode_text(received.body)
    except Unreadable as refused:
        raise _mismatch(plan.origin, f"the body {refused.reason}") from None
    text = "&".join(part for part in text.split("&") if part)  # empty parts are none (WHATWG URL, section 5.1)
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=1000, errors="strict")
    except ValueError:
        raise _mismatch(plan.origin, "the body is no form") from None
    return _fields(plan, "body", pairs)


def names_of(received: Received, scope: Scope) -> dict[str, Json]:
    """Give what templates see of the request; of what comes twice, the first."""
    query, headers = dict(reversed(received.query)), dict(reversed(received.headers))
    return {**scope, "query": query, "headers": headers, "token": received.token}


def _mismatch(origin: str, what: str) -> AnswerMismatch:
    return AnswerMismatch(f"{origin}: {what}", origin=origin)


def _fields(plan: Hook, where: str, pairs: list[tuple[str, str]]) -> dict[str, Json]:
    """Named texts as an object; a name that comes twice would leave open which is meant."""
    found: dict[str, Json] = dict(pairs)
    if len(found) != len(pairs):
        raise _mismatch(plan.origin, f"the {where} repeats a name")
    return found


def _message(plan: EventHook, row: Json, names: Scope) -> Message:
    event = _event(plan, row, names)
    if event == IGNORE:
        return Message(event, None)
    if plan.fetch is not None:
        return Message(event, None, (plan.fetch.operation, _arguments(plan.fetch, names)))
    inner = read(plan.at, row, plan.origin)
    if plan.reads is None or inner is MISSING or inner is None:
        raise _mismatch(plan.origin, f"`{plan.at.text}` is missing in the message")
    omitted = plan.omits.get(event, frozenset())
    told = reader(plan.reads, names)(inner, names)
    return Message(event, {name: value for name, value in told.items() if name not in omitted})


def _event(plan: EventHook, row: Json, names: Scope) -> str:
    told = plan.type
    if told.at is None or told.codec is None:
        return told.constant
    word = _present(told.at, row, told.origin)
    try:
        return str(told.codec.decode(word, names))
    except CodecRefused as refused:
        raise _mismatch(told.origin, f"`{told.at.text}` is not {refused}") from None


def _arguments(fetch: FetchPlan, names: Scope) -> Json:
    """The arguments of a fetch, which are taken from the message: what they fail on, the message lacks."""
    try:
        return build(fetch.arguments, names)
    except OverBudget:
        raise  # which no other message mends
    except MappingFault as fault:
        raise AnswerMismatch(fault.detail, origin=fault.origin) from None


def _present(path: Path, data: Json, origin: str) -> Json:
    value = read(path, data, origin)
    if value is MISSING or value is None:
        raise _mismatch(origin, f"`{path.text}` is missing in the message")
    return value


def _write(name: list[Json]) -> str:
    """The name of a delivery as JSON that is always the same."""
    return json.dumps(name, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _name(plan: EventHook, received: Received, row: Json, index: int, *, wanted: bool) -> list[Json]:
    """What names a delivery. Parts that all rows of a body share are followed by the row's place among them."""
    parts: list[Json] = []
    for part in plan.dedupe:
        try:
            parts.append(_part(part, received, row))
        except AnswerMismatch:
            if wanted:
                raise
            parts.append(None)
    if plan.rows is not None and all(part.path is None for part in plan.dedupe):
        parts.append(index)
    return parts


def _part(part: NamePlan, received: Received, row: Json) -> Json:
    if part.path is not None:
        return _present(part.path, row, part.origin)
    if part.kind == "body":
        return hashlib.sha256(received.body).hexdigest()
    values = [value for name, value in received.headers if name == part.header]
    if len(values) != 1:
        raise _mismatch(part.origin, f"there is not exactly one header {part.header}")
    return values[0]
