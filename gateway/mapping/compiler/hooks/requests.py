"""What a hook may be asked, compiled: for a marketplace that calls us, to see what is free, to book and to cancel.

Nothing here looks at a message; `asks_translate` does. How the sender is known is compiled with every other hook.
"""

from __future__ import annotations

import json
from typing import Final

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.type_checks import check_fields
from gateway.mapping.checks.usage import Reads
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import BASE, Context
from gateway.mapping.compiler.hooks.replies import compile_reply
from gateway.mapping.compiler.records.rows import RowsRequirement, compile_one
from gateway.mapping.compiler.trees import compile_object
from gateway.mapping.language.hooks import HookRequest
from gateway.mapping.nodes.calls import RowsPlan
from gateway.mapping.nodes.hooks import RequestPlan
from gateway.mapping.nodes.trees import RecordPlan
from gateway.model.model import Request
from gateway.values.messages import Json

ASKING: Final = BASE | {"method", "body", "query", "headers", "token"}
"""Names that templates see which read what is asked."""
_REQUEST: Final = "request"
"""The canonical request, as templates of its answer see it."""


def compile_requests(context: Context, nodes: list[HookRequest]) -> tuple[RequestPlan, ...]:
    """Compile `requests`, in their order; one with findings may be missing."""
    asks = [_compile_request(context, node) for node in nodes]
    _check_reached(context, nodes)
    return tuple(ask for ask in asks if ask is not None)


def _compile_request(context: Context, ask: HookRequest) -> RequestPlan | None:
    if not ask.sound:
        return None
    place = ask.place
    request = context.model.requests.get(ask.request)
    if request is None:
        hint = suggestion(ask.request, context.model.requests)
        message = f"the contract has no request `{ask.request}`{hint}"
        context.report((*place, "request"), "unknown-request", message)
        return None
    when = condition_of(context, ask, "when", ASKING)
    row = _compile_row(context, request, ask)
    given = ask.with_ or {}
    check_fields(context, request.resource.name, request.resource.fields, given, (*place, "with"))
    if row or "record" not in ask:  # else the record has a finding of its own
        _check_required(context, request, given, row.record if row else None, place)
    laid = compile_object(context, given, (*place, "with"), ASKING) if given else None
    with context.collecting() as reads:
        reply = compile_reply(context, ask.reply, BASE | {_REQUEST, *request.gives})
    _check_answer(context, request, reads, (*place, "reply"))
    if reply is None or ("record" in ask and not row):
        return None
    return RequestPlan(
        request=request.name,
        shape=request.resource,
        when=when,
        at=row.levels[0].at if row else None,
        record=row.record.name if row else "",
        reads=row.record if row else None,
        laid=laid,
        sources={name: _write(one) for name, one in given.items()},
        reply=reply,
        origin=context.origin(place),
    )


def _write(node: Json) -> str:
    """A tree as the file has it, for people."""
    return node if isinstance(node, str) else json.dumps(node, ensure_ascii=False)


def _compile_row(context: Context, request: Request, ask: HookRequest) -> RowsPlan | None:
    """Compile `at` and `record`: the record must read the object that the request has."""
    if ask.record is None:
        if "at" in ask:
            message = "`at` is where the row is: `record` is missing (the record that reads it)"
            context.report((*ask.place, "at"), "missing-key", message, key=True)
        return None
    return compile_one(context, ask, RowsRequirement(request.resource.name, None, ASKING))


def _check_required(
    context: Context, request: Request, given: dict[str, Json], record: RecordPlan | None, place: Place
) -> None:
    """What the contract requires has a source. A record that reads has them all, or a finding of its own."""
    if record is not None and any(line.mode != "write" for line in record.fields):
        return
    for field in request.resource.fields.values():
        if field.required and field.name not in given:
            name = f"{request.resource.name}.{field.name}"
            message = f"{name} is required by the contract ({field.meaning}) and has no source"
            context.report(place, "required-field-missing", message)


def _check_answer(context: Context, request: Request, reads: Reads, place: Place) -> None:
    """What the answer reads of the request is a field of it."""
    for name in sorted({use[1] for use in reads.names if use[0] == _REQUEST and len(use) > 1}):
        if name not in request.resource.fields:
            message = f"{request.resource.name} has no field `{name}`{suggestion(name, request.resource.fields)}"
            context.report(place, "unknown-field", message)


def _check_reached(context: Context, nodes: list[HookRequest]) -> None:
    """No ask comes after one that always fits, or that has the same condition."""
    always: Place | None = None
    seen: dict[str, Place] = {}
    for node in nodes:
        earlier = always or seen.get(str(node.when))
        if earlier is not None:
            message = f"never reached: {context.origin(earlier)} fits whenever this one does; move it up, or remove it"
            context.report(node.place, "unreachable-request", message)
        elif node.when is not None:
            seen[node.when] = node.place
        elif node.sound and "when" not in node:
            always = node.place
