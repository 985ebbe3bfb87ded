"""Hooks compiled: what a provider sends to us, how its sender is known, what a message means, what is answered.

Nothing here looks at a message; `hooks_translate` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.header_names import received
from gateway.mapping.checks.hooks_named import COMPARE, check_names
from gateway.mapping.compiler.context import BASE, Context
from gateway.mapping.compiler.hooks.proofs import compile_verified
from gateway.mapping.compiler.hooks.replies import compile_replies, compile_reply
from gateway.mapping.compiler.hooks.requests import compile_requests
from gateway.mapping.compiler.http.calls import Http
from gateway.mapping.compiler.operations.alternatives import Ways, compile_needs
from gateway.mapping.compiler.operations.runs import compile_run
from gateway.mapping.compiler.records.rows import RowsRequirement, compile_one
from gateway.mapping.compiler.scene import Scene
from gateway.mapping.expressions import Path
from gateway.mapping.language import hooks as written
from gateway.mapping.nodes.hooks import (
    CHANGED,
    IGNORE,
    EventHook,
    EventPlan,
    FetchPlan,
    Hook,
    NamePlan,
    ReplyPlan,
    RequestHook,
)
from gateway.mapping.nodes.trees import RecordPlan
from gateway.values.messages import Effect, Json

MESSAGE: Final = BASE | {"body", "row", "query", "headers", "token"}
"""Names that templates see which read a message."""
_NONE: Final = "none"
_BODY: Final = "body"
_GET_BODY: Final = "a GET has no body: write `body: none`"


def compile_hooks(
    context: Context, nodes: dict[str, written.Hook], http: Http, operations: Mapping[str, Ways]
) -> dict[str, Hook]:
    """Compile all hooks of a file; one with findings may be missing. `operations` are those that are mapped."""
    found: dict[str, Hook] = {}
    for name, node in nodes.items():
        plan: Hook | None = None
        if not node.sound:
            continue
        if isinstance(node, written.RequestHook):
            plan = _compile_asking(context, name, node)
        else:
            plan = _compile_telling(context, name, node, http, operations)
        if plan is not None:
            found[name] = plan
    return found


def _compile_telling(
    context: Context, name: str, node: written.EventHook, http: Http, operations: Mapping[str, Ways]
) -> EventHook | None:
    place = node.place
    verified = compile_verified(context, node)
    type_ = _compile_type(context, node.type, (*place, "type"))
    resources = _resources(context, type_)
    record, at = _compile_record(context, node, resources)
    fetch = _compile_fetch(context, node.fetch, http, operations) if node.fetch is not None else None
    _check_ways(context, node, fetch, operations, resources)
    needs = compile_needs(context, node.needs, place)
    reply = _compile_taken(context, node)
    replies = compile_replies(context, node.replies or {}, (*place, "replies"))
    dedupe = _compile_dedupe(context, node.dedupe, (*place, "dedupe"))
    rows = context.path(node.rows, (*place, "rows")) if node.rows is not None else None
    if type_ is not None:
        check_names(context, node, dedupe, type_, record)
    if type_ is None or at is None or reply is None or (record is None and fetch is None):
        return None
    return EventHook(
        name=name,
        methods=node.methods,
        needs=needs,
        verify=verified.plans,
        equals=verified.equals,
        forged=verified.forged,
        body=node.body,
        rows=rows,
        dedupe=dedupe,
        compares=node.repeats == COMPARE,
        type=type_,
        at=at,
        record=record.name if record is not None else "",
        reads=record,
        omits=_compile_omits(context, node.omits or {}, (*place, "omits"), type_, record),
        fetch=fetch,
        reply=reply,
        replies=replies,
        origin=context.origin(place),
    )


def _check_ways(
    context: Context,
    node: written.EventHook,
    fetch: FetchPlan | None,
    operations: Mapping[str, Ways],
    resources: list[str],
) -> None:
    """Check how the object of a message comes: in its body, or fetched."""
    if "GET" in node.methods and node.body != _NONE:
        context.report((*node.place, "body"), "wrong-value", _GET_BODY)
    if fetch is not None:
        _check_fetch(context, fetch, node, operations, resources)


def _compile_taken(context: Context, node: written.EventHook) -> ReplyPlan | None:
    """Compile the answer to a message that was taken: 204 without a body where nothing is written."""
    if node.reply is not None:
        return compile_reply(context, node.reply, BASE)
    return ReplyPlan(204, "none", None, context.origin((*node.place, "reply")))


def _compile_asking(context: Context, name: str, node: written.RequestHook) -> RequestHook:
    """Compile a hook that asks something of us, instead of telling what happened."""
    place = node.place
    if node.methods == {"GET"} and node.body != _NONE:
        context.report((*place, "body"), "wrong-value", _GET_BODY)
    verified = compile_verified(context, node)
    if verified.equals and "GET" in node.methods and node.body != _NONE:
        message = "a GET has no body to be compared: tell the requests apart by `when:`"
        context.report((*place, "verify"), "wrong-value", message)
    return RequestHook(
        name=name,
        methods=node.methods,
        needs=compile_needs(context, node.needs, place),
        verify=verified.plans,
        equals=verified.equals,
        body=node.body,
        replies=compile_replies(context, node.replies or {}, (*place, "replies")),
        origin=context.origin(place),
        requests=compile_requests(context, node.requests),
    )


def _compile_type(context: Context, node: written.HookType | str, place: Place) -> EventPlan | None:
    """Compile `type`: one event always, or an enum of the provider's words that leaves none open."""
    origin = context.origin(place)
    if isinstance(node, str):
        _check_event(context, node, place, {CHANGED, IGNORE})
        return EventPlan(None, None, node, (), "", origin)
    if not node.sound:
        return None
    at, where = context.path(node.at, (*place, "at")), (*place, "as")
    codec = context.codec(node.as_, where)
    if at is None or codec is None:
        return None
    spec = _enum(context, node.as_)
    if spec is None:
        context.report(where, "bad-codec", "the word of an event is read by an enum: {enum: {…}, else: ignore}")
        return None
    table = spec["enum"]
    pairs = table.items() if isinstance(table, dict) else table
    words = tuple((word, str(event)) for word, event in pairs)
    for event in dict.fromkeys(event for _, event in words):
        _check_event(context, event, where, {CHANGED, IGNORE})
    if spec.get("else") not in {CHANGED, IGNORE}:
        message = "say what any other word means: `else: ignore`, or `else: changed`"
        context.report(where, "event-words-open", message)
    return EventPlan(at, codec, "", words, str(spec.get("else")), origin)


def _enum(context: Context, spec: Json) -> dict[str, Json] | None:
    """The specification of an enum, also of a named one; None of any other codec."""
    named = context.document.data.get("codecs", {})
    while isinstance(spec, str) and spec in named:
        spec = named[spec]
    return spec if isinstance(spec, dict) and "enum" in spec else None


def _check_event(context: Context, event: str, place: Place, besides: set[str]) -> None:
    if event not in context.model.events and event not in besides:
        hint = suggestion(event, [*context.model.events, *besides])
        context.report(place, "unknown-event-type", f"the contract has no event `{event}`{hint}")


def _resources(context: Context, type_: EventPlan | None) -> list[str]:
    """The resources that a hook's events are about; those of all events where it names none."""
    told = [type_.constant, *(event for _, event in type_.words)] if type_ is not None else []
    events = context.model.events
    found = [events[event] for event in told if event in events] or list(events.values())
    return list(dict.fromkeys(event.data.name for event in found))


def _compile_record(
    context: Context, node: written.EventHook, resources: list[str]
) -> tuple[RecordPlan | None, Path | None]:
    """Compile `record` and `at`: the record must read what the events are about."""
    if node.record is None:
        return None, context.path(node.at, (*node.place, "at"))
    named = context.records.get(node.record)
    fits = [name for name in resources if named is not None and named.resource.name == name]
    wanted = RowsRequirement((fits or resources)[0], None, MESSAGE)
    row = compile_one(context, node, wanted)
    return (row.record, row.levels[0].at) if row else (None, None)


def _compile_omits(
    context: Context, nodes: dict[str, list[str]], place: Place, type_: EventPlan, record: RecordPlan | None
) -> dict[str, frozenset[str]]:
    """Compile `omits`: of events that the hook has, fields that its record has, but never the id."""
    events = {type_.constant, type_.other, *(event for _, event in type_.words)}
    fields = {line.name.split(".")[0] for line in record.fields} - {"id"} if record is not None else set()
    for event, names in nodes.items():
        if event not in events:
            message = f"no message of the hook is `{event}`{suggestion(event, events)}"
            context.report((*place, event), "unknown-event-type", message, key=True)
        for index, name in enumerate(names):
            if name not in fields:
                message = f"the hook's record has no field `{name}` to be left out{suggestion(name, fields)}"
                context.report((*place, event, index), "unknown-field", message)
    return {event: frozenset(names) for event, names in nodes.items()}


def _compile_fetch(
    context: Context, node: written.Fetch, http: Http, operations: Mapping[str, Ways]
) -> FetchPlan | None:
    if not node.sound:
        return None
    scene = Scene(context, http, Effect.SAFE, frozenset(operations), MESSAGE, None, {})
    run = compile_run(scene, node.run, node.with_, node.place)
    return FetchPlan(run.operation, run.arguments, run.origin) if run.arguments is not None else None


def _check_fetch(
    context: Context,
    fetch: FetchPlan,
    node: written.EventHook,
    operations: Mapping[str, Ways],
    resources: list[str],
) -> None:
    """What is fetched changes nothing, is what the events are about, and can be had wherever the hook can."""
    where, operation = (*node.place, "fetch", "run"), context.model.operations.get(fetch.operation)
    if operation is None or fetch.operation not in operations:
        return
    if operation.effect is not Effect.SAFE:
        context.report(where, "fetch-changes", f"{operation.name} changes something: fetch by an operation that reads")
    elif operation.gives != "one" or operation.resource is None or operation.resource.name not in resources:
        message = f"{operation.name} does not give one {' or '.join(resources)}, which the events are about"
        context.report(where, "wrong-result", message)
    needs = (node.needs or {}).keys()
    if not any(way.needs.keys() <= needs for way in operations[fetch.operation]):
        needed = ", ".join(f"`{setting}`" for setting in operations[fetch.operation][-1].needs)
        message = f"it runs {fetch.operation}, which a connection without {needed} does not have"
        context.report(node.place, "run-not-given", message)


def _compile_dedupe(context: Context, node: list[str | written.HookHeader] | str, place: Place) -> tuple[NamePlan, ...]:
    """Compile `dedupe`: what names a delivery, so that one that comes twice is seen once."""
    if isinstance(node, str):
        if node != _BODY:
            context.report(place, "wrong-value", "`dedupe` is a list of paths, or `body`")
        return (NamePlan(_BODY, None, "", context.origin(place)),)
    parts = []
    for index, one in enumerate(node):
        where = (*place, index)
        if isinstance(one, str):
            path = context.path(one, where)
            if path is not None:
                parts.append(NamePlan("path", path, "", context.origin(where)))
        elif one.sound:
            name = received(context, one.header, (*where, "header"))
            parts.append(NamePlan("header", None, name, context.origin(where)))
    return tuple(parts)
