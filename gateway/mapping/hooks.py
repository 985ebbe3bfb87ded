"""Hooks compiled: what a provider sends to us, how its sender is known, what a message means, what is answered.

Nothing here looks at a message; `hooks_translate` does. What a block under `verify:` asks for besides `equals` and
`fetch` is compiled where verification is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.document import Place, suggestion
from gateway.mapping.calls import Http
from gateway.mapping.context import BASE, Context
from gateway.mapping.expressions import Path
from gateway.mapping.plan import RecordPlan
from gateway.mapping.plan_hooks import (
    CHANGED,
    DEFAULT,
    IGNORE,
    EqualPlan,
    EventPlan,
    FetchPlan,
    HookPlan,
    NamePlan,
    ReplyPlan,
)
from gateway.mapping.rows import Wanted, compile_rows
from gateway.mapping.steps import Scene, compile_run
from gateway.mapping.trees import compile_tree
from gateway.mapping.verification import VerifyPlan, compile_block, compile_verify
from gateway.mapping.ways import Ways, compile_needs
from gateway.messages import Effect, Json

MESSAGE: Final = BASE | {"body", "row", "query", "headers", "token"}
"""Names that templates see which read a message."""
_NONE: Final = "none"
_BODY: Final = "body"
_OWN: Final = frozenset({"equals", "fetch"})
"""Words of a block under `verify:` that look at the message, and not at how it was sent."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """What `verify:` of a hook asks for."""

    plans: tuple[VerifyPlan, ...] = ()
    equals: tuple[EqualPlan, ...] = ()
    forged: frozenset[tuple[str, str]] | None = None


def compile_hooks(
    context: Context, nodes: dict[str, Json], http: Http, operations: Mapping[str, Ways]
) -> dict[str, HookPlan]:
    """Compile all hooks of a file; one with findings may be missing. `operations` are those that are mapped."""
    found = {}
    for name, node in nodes.items():
        place: Place = ("hooks", name)
        shape = context.check("hook", node, place)
        plan = _compile_hook(context, name, shape, http, operations) if shape is not None else None
        if plan is not None:
            found[name] = plan
    return found


def _compile_hook(
    context: Context, name: str, shape: dict[str, Json], http: Http, operations: Mapping[str, Ways]
) -> HookPlan | None:
    place: Place = ("hooks", name)
    verified = _compile_verify(context, shape, place)
    type_ = _compile_type(context, shape["type"], (*place, "type"))
    resources = _resources(context, type_)
    record, at = _compile_record(context, shape, place, resources)
    fetch = _compile_fetch(context, shape, place, http, operations)
    _check_source(context, shape, place)
    if fetch is not None:
        _check_fetch(context, fetch, shape, place, operations, resources)
    needs = compile_needs(context, shape, place)
    reply = _compile_reply(context, shape.get("reply", {"status": 204}), (*place, "reply"))
    replies = _compile_replies(context, shape.get("replies", {}), (*place, "replies"))
    dedupe = _compile_dedupe(context, shape["dedupe"], (*place, "dedupe"))
    rows = context.path(shape["rows"], (*place, "rows")) if "rows" in shape else None
    if type_ is None or at is None or reply is None or (record is None and fetch is None):
        return None
    return HookPlan(
        name=name,
        methods=frozenset(method.upper() for method in _listed(shape["method"])),
        needs=needs,
        verify=verified.plans,
        equals=verified.equals,
        forged=verified.forged,
        body=shape["body"],
        rows=rows,
        dedupe=dedupe,
        type=type_,
        at=at,
        record=record.name if record is not None else "",
        read=record.read if record is not None else None,
        untold=_compile_untold(context, shape.get("untold", {}), (*place, "untold"), type_, record),
        fetch=fetch,
        reply=reply,
        replies=replies,
        origin=context.origin(place),
    )


def _listed(methods: str | list[str]) -> list[str]:
    return methods if isinstance(methods, list) else [methods]


def _check_source(context: Context, shape: dict[str, Json], place: Place) -> None:
    """A message is read or its object fetched, and a method that sends no body has none that is read."""
    if ("row" in shape) == ("fetch" in shape):
        message = "a message is read by a `row:`, or its object fetched by a `fetch:`; write one of them"
        context.report(place, "message-without-source", message)
    if "get" in _listed(shape["method"]) and shape["body"] != _NONE:
        context.report((*place, "body"), "wrong-value", "a GET has no body: write `body: none`")


def _compile_verify(context: Context, shape: dict[str, Json], place: Place) -> _Verified:
    """Compile `verify`: the words that look at the message here, the others where signatures are known."""
    node, where = shape.get("verify"), (*place, "verify")
    if node is None:
        message = "`verify` is missing (how the sender is known): write verify: none if anybody may send"
        context.report(place, "unverified-hook", message, key=True)
        return _Verified()
    blocks = list(enumerate(node)) if isinstance(node, list) else [(None, node)]
    if not any(isinstance(block, dict) and block.keys() & _OWN for _, block in blocks):
        return _Verified(compile_verify(context, node, where) or ())
    plans: list[VerifyPlan] = []
    equals: list[EqualPlan] = []
    forged = set[tuple[str, str]]()
    for index, block in blocks:
        at = where if index is None else (*where, index)
        own = block.keys() & _OWN if isinstance(block, dict) else set()
        if "equals" in own:
            equals += _compile_equals(context, block["equals"], (*at, "equals"))
        if "fetch" in own:
            forged.update(_compile_proof(context, block["fetch"], (*at, "fetch")))
        rest = {key: value for key, value in block.items() if key not in own} if own else block
        plan = compile_block(context, rest, at) if rest or not own else None
        if plan is not None:
            plans.append(plan)
    proved = any(isinstance(block, dict) and "fetch" in block for _, block in blocks)
    if proved and "fetch" not in shape:
        context.report(where, "proof-without-fetch", "the fetch is to prove the message, and there is no `fetch:`")
    if not proved and all(plan.needs for plan in plans):
        message = "what `equals` compares anybody can write: a block beside it must prove who sent it, and need nothing"
        context.report(where, "equals-alone", message)
    return _Verified(tuple(plans), tuple(equals), frozenset(forged) if proved else None)


def _compile_equals(context: Context, node: Json, place: Place) -> Iterator[EqualPlan]:
    if not isinstance(node, dict) or not node:
        context.report(place, "wrong-type", "`equals` is an object: a path on the body, and what must stand there")
        return
    for text, value in node.items():
        where = (*place, text)
        path, template = context.path(text, where, whole=True), context.template(value, where, BASE)
        if path is not None and template is not None:
            yield EqualPlan(path, template, context.origin(where))


def _compile_proof(context: Context, node: Json, place: Place) -> Iterator[tuple[str, str]]:
    """Give each error that means a forged message: its code, and the provider's own where only that one does."""
    shape = context.check("hook_proof", node, place)
    for index, written in enumerate(shape["forged"] if shape is not None else []):
        where = (*place, "forged", index)
        told = {"is": written} if isinstance(written, str) else context.check("hook_forged", written, where)
        if told is not None:
            context.error_code(told["is"], where)
            yield told["is"], told.get("code", "")


def _compile_type(context: Context, node: Json, place: Place) -> EventPlan | None:
    """Compile `type`: one event always, or an enum of the provider's words that leaves none open."""
    origin = context.origin(place)
    if isinstance(node, str):
        _check_event(context, node, place, {CHANGED})
        return EventPlan(None, None, node, (), "", origin)
    shape = context.check("hook_type", node, place)
    if shape is None:
        return None
    at, where = context.path(shape["at"], (*place, "at"), whole=True), (*place, "as")
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
    return EventPlan(at, codec.decode, "", words, str(spec.get("else")), origin)


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
                parts.append(NamePlan("header", None, shape["header"].lower(), context.origin(where)))
            continue
        path = context.path(one, where, whole=True)
        if path is not None:
            parts.append(NamePlan("path", path, "", context.origin(where)))
    return tuple(parts)


def _compile_replies(context: Context, nodes: dict[str, Json], place: Place) -> dict[str, ReplyPlan]:
    replies = {}
    for code, node in nodes.items():
        where = (*place, code)
        if code not in context.model.errors and code != DEFAULT:
            hint = suggestion(code, [*context.model.errors, DEFAULT])
            message = f"`{code}` is not an error code of the contract{hint}"
            context.report(where, "unknown-error-code", message, key=True)
        reply = _compile_reply(context, node, where)
        if reply is not None:
            replies[code] = reply
    return replies


def _compile_reply(context: Context, node: Json, place: Place) -> ReplyPlan | None:
    shape = context.check("hook_reply", node, place)
    if shape is None:
        return None
    if "text" in shape and "json" in shape:
        context.report(place, "two-bodies", "`text` or `json`, not both")
    kind = next((kind for kind in ("text", "json") if kind in shape), "none")
    if kind == "text":
        text = shape["text"]
        return ReplyPlan(shape["status"], kind, lambda _scope: text, context.origin(place))
    body = compile_tree(context, shape["json"], (*place, "json"), BASE) if kind == "json" else None
    return ReplyPlan(shape["status"], kind, body, context.origin(place))
