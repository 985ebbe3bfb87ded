"""Hooks compiled: what a provider sends to us, how its sender is known, what a message means, what is answered.

Nothing here looks at a message; `hooks_translate` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.document import Place, suggestion
from gateway.mapping.asks import compile_asks
from gateway.mapping.calls import Http
from gateway.mapping.context import BASE, Context
from gateway.mapping.expressions import Path
from gateway.mapping.header_names import received
from gateway.mapping.hooks_named import COMPARE, check_names
from gateway.mapping.language import PARTS
from gateway.mapping.nodes.trees import RecordPlan
from gateway.mapping.plan_hooks import (
    CHANGED,
    IGNORE,
    AskingHook,
    EventPlan,
    FetchPlan,
    Hook,
    NamePlan,
    TellingHook,
)
from gateway.mapping.proofs import compile_verified
from gateway.mapping.replies import compile_replies, compile_reply
from gateway.mapping.rows import Wanted, compile_rows
from gateway.mapping.runs import compile_run
from gateway.mapping.scene import Scene
from gateway.mapping.ways import Ways, compile_needs
from gateway.values.messages import Effect, Json

MESSAGE: Final = BASE | {"body", "row", "query", "headers", "token"}
"""Names that templates see which read a message."""
_NONE: Final = "none"
_BODY: Final = "body"
_GET_BODY: Final = "a GET has no body: write `body: none`"
_TELLING: Final = PARTS["hook"].keys.keys() - PARTS["asking_hook"].keys.keys()
"""Keys of a hook that tells of events, and of no hook that asks."""


def compile_hooks(
    context: Context, nodes: dict[str, Json], http: Http, operations: Mapping[str, Ways]
) -> dict[str, Hook]:
    """Compile all hooks of a file; one with findings may be missing. `operations` are those that are mapped."""
    found: dict[str, Hook] = {}
    for name, node in nodes.items():
        plan: Hook | None = None
        if isinstance(node, dict) and "asks" in node:
            plan = _compile_asking(context, name, node)
        else:
            shape = context.check("hook", node, ("hooks", name))
            plan = _compile_hook(context, name, shape, http, operations) if shape is not None else None
        if plan is not None:
            found[name] = plan
    return found


def _compile_hook(
    context: Context, name: str, shape: dict[str, Json], http: Http, operations: Mapping[str, Ways]
) -> TellingHook | None:
    place: Place = ("hooks", name)
    verified = compile_verified(context, shape, place)
    type_ = _compile_type(context, shape["type"], (*place, "type"))
    resources = _resources(context, type_)
    record, at = _compile_record(context, shape, place, resources)
    fetch = _compile_fetch(context, shape, place, http, operations)
    _check_source(context, shape, place)
    if fetch is not None:
        _check_fetch(context, fetch, shape, place, operations, resources)
    needs = compile_needs(context, shape.get("needs"), place)
    reply = compile_reply(context, shape.get("reply", {"status": 204}), (*place, "reply"), BASE)
    replies = compile_replies(context, shape.get("replies", {}), (*place, "replies"))
    dedupe = _compile_dedupe(context, shape["dedupe"], (*place, "dedupe"))
    rows = context.path(shape["rows"], (*place, "rows")) if "rows" in shape else None
    if type_ is not None:
        check_names(context, shape, place, dedupe, type_, record)
    if type_ is None or at is None or reply is None or (record is None and fetch is None):
        return None
    return TellingHook(
        name=name,
        methods=frozenset(method.upper() for method in _listed(shape["method"])),
        needs=needs,
        verify=verified.plans,
        equals=verified.equals,
        forged=verified.forged,
        body=shape["body"],
        rows=rows,
        dedupe=dedupe,
        compares=shape["repeats"] == COMPARE,
        type=type_,
        at=at,
        record=record.name if record is not None else "",
        reads=record,
        untold=_compile_untold(context, shape.get("untold", {}), (*place, "untold"), type_, record),
        fetch=fetch,
        reply=reply,
        replies=replies,
        origin=context.origin(place),
    )


def _compile_asking(context: Context, name: str, node: dict[str, Json]) -> AskingHook | None:
    """Compile a hook that asks something of us, instead of telling what happened."""
    place: Place = ("hooks", name)
    for key in sorted(node.keys() & _TELLING):
        message = f"`{key}` is of a hook that tells of events, and this one asks: make two hooks of it"
        context.report((*place, key), "beside-asks", message, key=True)
    shape = context.check("asking_hook", {key: node[key] for key in node if key not in _TELLING}, place)
    if shape is None:
        return None
    methods = _listed(shape["method"])
    if methods == ["get"] and shape["body"] != _NONE:
        context.report((*place, "body"), "wrong-value", _GET_BODY)
    verified = compile_verified(context, shape, place)
    if verified.equals and "get" in methods and shape["body"] != _NONE:
        message = "a GET has no body to be compared: tell the asks apart by `when:`"
        context.report((*place, "verify"), "wrong-value", message)
    return AskingHook(
        name=name,
        methods=frozenset(method.upper() for method in methods),
        needs=compile_needs(context, shape.get("needs"), place),
        verify=verified.plans,
        equals=verified.equals,
        body=shape["body"],
        replies=compile_replies(context, shape.get("replies", {}), (*place, "replies")),
        origin=context.origin(place),
        asks=compile_asks(context, shape["asks"], (*place, "asks")),
    )


def _listed(methods: str | list[str]) -> list[str]:
    return methods if isinstance(methods, list) else [methods]


def _check_source(context: Context, shape: dict[str, Json], place: Place) -> None:
    """A message is read or its object fetched, and a method that sends no body has none that is read."""
    if ("row" in shape) == ("fetch" in shape):
        message = "a message is read by a `row:`, or its object fetched by a `fetch:`; write one of them"
        context.report(place, "message-without-source", message)
    if "get" in _listed(shape["method"]) and shape["body"] != _NONE:
        context.report((*place, "body"), "wrong-value", _GET_BODY)


def _compile_type(context: Context, node: Json, place: Place) -> EventPlan | None:
    """Compile `type`: one event always, or an enum of the provider's words that leaves none open."""
    origin = context.origin(place)
    if isinstance(node, str):
        _check_event(context, node, place, {CHANGED, IGNORE})
        return EventPlan(None, None, node, (), "", origin)
    shape = context.check("hook_type", node, place)
    if shape is None:
        return None
    at, where = context.path(shape["at"], (*place, "at")), (*place, "as")
    codec = context.codec(shape["as"], where)
    if at is None or codec is None:
        return None
    spec = _enum(context, shape["as"])
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
    context: Context, shape: dict[str, Json], place: Place, resources: list[str]
) -> tuple[RecordPlan | None, Path | None]:
    """Compile `row` and `at`: the record must read what the events are about."""
    named = context.records.get(str(shape.get("row")))
    if "row" not in shape:
        return None, context.path(shape["at"], (*place, "at"))
    fits = [name for name in resources if named is not None and named.resource.name == name]
    wanted = Wanted((fits or resources)[0], None, MESSAGE)
    rows = compile_rows(context, {"at": shape["at"], "row": shape["row"]}, place, wanted)
    return (rows[0].record, rows[0].levels[0].at) if rows else (None, None)


def _compile_untold(
    context: Context, nodes: dict[str, list[str]], place: Place, type_: EventPlan, record: RecordPlan | None
) -> dict[str, frozenset[str]]:
    """Compile `untold`: of events that the hook has, fields that its record has, but never the id."""
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
    context: Context, shape: dict[str, Json], place: Place, http: Http, operations: Mapping[str, Ways]
) -> FetchPlan | None:
    if "fetch" not in shape:
        return None
    where = (*place, "fetch")
    node = context.check("hook_fetch", shape["fetch"], where)
    if node is None:
        return None
    scene = Scene(context, http, Effect.SAFE, frozenset(operations), MESSAGE, None, {})
    run = compile_run(scene, node, where)
    return FetchPlan(run.operation, run.arguments, run.origin) if run.arguments is not None else None


def _check_fetch(
    context: Context,
    fetch: FetchPlan,
    shape: dict[str, Json],
    place: Place,
    operations: Mapping[str, Ways],
    resources: list[str],
) -> None:
    """What is fetched changes nothing, is what the events are about, and can be had wherever the hook can."""
    where, operation = (*place, "fetch", "run"), context.model.operations.get(fetch.operation)
    if operation is None or fetch.operation not in operations:
        return
    if operation.effect is not Effect.SAFE:
        context.report(where, "fetch-changes", f"{operation.name} changes something: fetch by an operation that reads")
    elif operation.gives != "one" or operation.resource is None or operation.resource.name not in resources:
        message = f"{operation.name} does not give one {' or '.join(resources)}, which the events are about"
        context.report(where, "wrong-result", message)
    needs = shape.get("needs", {}).keys()
    if not any(way.needs.keys() <= needs for way in operations[fetch.operation]):
        needed = ", ".join(f"`{setting}`" for setting in operations[fetch.operation][-1].needs)
        message = f"it runs {fetch.operation}, which a connection without {needed} does not have"
        context.report(place, "run-not-given", message)


def _compile_dedupe(context: Context, node: Json, place: Place) -> tuple[NamePlan, ...]:
    """Compile `dedupe`: what names a delivery, so that one that comes twice is seen once."""
    if isinstance(node, str):
        if node != _BODY:
            context.report(place, "wrong-value", "`dedupe` is a list of paths, or `body`")
        return (NamePlan(_BODY, None, "", context.origin(place)),)
    parts = []
    for index, one in enumerate(node):
        where = (*place, index)
        if isinstance(one, dict):
            shape = context.check("hook_header", one, where)
            if shape is not None:
                name = received(context, shape["header"], (*where, "header"))
                parts.append(NamePlan("header", None, name, context.origin(where)))
            continue
        path = context.path(one, where)
        if path is not None:
            parts.append(NamePlan("path", path, "", context.origin(where)))
    return tuple(parts)
