"""Polling compiled: which list shows the changes of a provider that tells none, and what it cannot tell either.

Nothing here asks a provider or compares anything. (What is seen while examples are played is
`coverage_probe.py`.)
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.paging import check_pages
from gateway.mapping.compiler.context import BASE, Context
from gateway.mapping.compiler.http.calls import Http, seconds
from gateway.mapping.compiler.operations.alternatives import Ways
from gateway.mapping.compiler.operations.runs import compile_run
from gateway.mapping.compiler.scene import Scene
from gateway.mapping.language.file import File
from gateway.mapping.language.operations import Operation as Part
from gateway.mapping.language.polling import PollingBookings
from gateway.mapping.nodes.polling import PollingPlan
from gateway.model.model import Operation
from gateway.values.messages import Effect

_PLACE: Place = ("polling", "bookings")
_READ_FROM = ("records", "codecs")
"""Sections that say how a list is read."""


def compile_polling(context: Context, file: File, http: Http, operations: Mapping[str, Ways]) -> PollingPlan | None:
    """Compile the polling of a file; None when there is none, or with findings."""
    if file.polling is None or not file.polling.all_sound:
        return None
    node = file.polling.bookings
    scene = Scene(context, http, Effect.SAFE, frozenset(operations), BASE, None, {})
    run = compile_run(scene, node.run, node.with_, _PLACE)
    operation = context.model.operations.get(run.operation)
    if operation is None or run.operation not in operations:
        return None
    _check_list(context, operation, operations[run.operation], node)
    if node.missing == "cancelled":
        check_pages(context, operations[run.operation], (*_PLACE, "missing"))
    listed = [node.with_ or {}, file.raw["operations"][run.operation], *(file.raw.get(name) for name in _READ_FROM)]
    return PollingPlan(
        operation=run.operation,
        arguments=run.arguments,
        interval=seconds(node.interval),
        before=_days(node.before),
        after=_days(node.after),
        tracked=_compile_tracked(context, operations[run.operation], node.tracked),
        vanishes=node.missing == "cancelled",
        digest=hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest(),
    )


def remembered_names(context: Context, file: File) -> frozenset[str]:
    """Give the fields that a record has the gateway remember, rightly or not: `compile_remembered` tells."""
    tables = [one.fields for name, one in (file.records or {}).items() if name in context.records]
    return frozenset(name for fields in tables for name, field in fields.items() if field.remember)


def compile_remembered(context: Context, file: File) -> dict[str, frozenset[str]]:
    """Give the fields that a provider cannot tell, each with the operations that say it of what they did."""
    changes, found, records = context.model.changes, set[str](), file.records or {}
    lines = [
        (name, line.name, line.mode, records[name].fields[line.name].remember)
        for name, record in context.records.items()
        for line in record.fields
        if record.resource.name == changes.resource
    ]
    for name, record in context.records.items():
        for field, written in records[name].fields.items():
            if not written.remember:
                continue
            place = ("records", name, "fields", field, "remember")
            if record.resource.name != changes.resource:
                message = f"only fields of {changes.resource} are remembered"
                context.report(place, "remember-misplaced", message, key=True)
            elif "." in field or field == "id" or written.mode == "write":
                message = f"`{field}` cannot be remembered: only a whole field that is read can, and never the id"
                context.report(place, "remember-misplaced", message, key=True)
            else:
                found.add(field)
    for name, field, mode, remembered in lines:
        if field in found and mode != "write" and not remembered:
            message = f"`{field}` is remembered in another record: the provider tells it or it does not"
            context.report(("records", name, "fields", field), "remember-misplaced", message, key=True)
    return {field: frozenset(_setting(file.operations, field)) for field in sorted(found)}


def _check_list(context: Context, operation: Operation, ways: Ways, node: PollingBookings) -> None:
    """What is polled lists the things that change, in a window of its own, and says what is true now."""
    place, of = (*_PLACE, "run"), context.model.changes.resource
    if operation.gives != "list" or operation.resource is None or operation.resource.name != of:
        context.report(place, "wrong-result", f"{operation.name} does not list {of}, whose changes are told")
    elif operation.window is None:
        context.report(place, "wrong-result", f"{operation.name} has no from and to")
    for name in operation.window or ():
        if name in (node.with_ or {}):
            context.report((*_PLACE, "with", name), "reserved-name", f"`{name}` is given by the poll", key=True)
    if any(way.cache is not None for way in ways):
        message = f"the answers of {operation.name} are kept: a poll would see what was, not what is"
        context.report(place, "polling-cached", message)


def _compile_tracked(context: Context, ways: Ways, names: list[str] | None) -> tuple[str, ...]:
    """Give the fields whose changes are told; they must be read from the list."""
    records = [rows.record for way in ways for variant in way.variants for rows in variant.rows]
    lines = [line for record in records for line in record.fields if line.mode != "write"]
    read = {line.name for line in lines if not line.embeds}
    inner = {line.name: context.records[line.embeds].fields for line in lines if line.embeds in context.records}
    read |= {f"{name}.{one.name}" for name, fields in inner.items() for one in fields}
    resource = context.model.resources[context.model.changes.resource]

    def is_read(name: str) -> bool:
        return not records or any(f"{name}.".startswith(f"{one}.") or one.startswith(f"{name}.") for one in read)

    if names is None:
        return tuple(name for name in context.model.changes.tracked if is_read(name))
    for index, name in enumerate(names):
        place = (*_PLACE, "tracked", index)
        if resource.field(name) is None:
            hint = suggestion(name, resource.fields)
            context.report(place, "unknown-field", f"{resource.name} has no field `{name}`{hint}")
        elif not is_read(name):
            context.report(place, "tracked-not-read", f"the list tells no `{name}`: its changes would never be seen")
    return tuple(names)


def _setting(operations: Mapping[str, Part | list[Part]], field: str) -> Iterator[str]:
    """Give the operations one of whose ways or variants lays this field over its result."""
    for name, node in operations.items():
        ways = node if isinstance(node, list) else [node]
        if any(field in (one.set or {}) for way in ways for one in (way, *(way.choose or ()))):
            yield name


def _days(text: str) -> int:
    return int(re.sub(r"\D", "", text))
