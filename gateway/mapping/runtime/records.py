"""What a record means when it is read: the provider's row in, the canonical object out.

A message names the line and what was wanted, never what was there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.computation.budget import spend
from gateway.mapping.codecs import Codec, CodecRefused
from gateway.mapping.expressions import ExpressionFailed
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.trees import (
    Computed,
    Constant,
    Embedded,
    EmbeddedRows,
    FieldPlan,
    FromPath,
    Group,
    Joined,
    RecordPlan,
)
from gateway.mapping.runtime.expressions import decides, read
from gateway.mapping.runtime.rows import walk
from gateway.mapping.runtime.trees import LEFT_OUT, evaluate
from gateway.mapping.runtime.writing import put_at
from gateway.model.types.types import TypeRefused
from gateway.values.errors import AnswerMismatch, MappingFault, OverBudget
from gateway.values.messages import Json
from gateway.values.truth import MISSING


def read_record(record: RecordPlan, row: Json, scope: Scope) -> dict[str, Json]:
    """Read a row; raises AnswerMismatch with the line that it does not fit, and OverBudget."""
    out: dict[str, Json] = {}
    inner = {**scope, "row": row, "fields": out}
    spend(len(record.reads))
    for line in record.reads:
        value = _accept(line, _value(line, row, inner))
        if value is not MISSING:
            put_at(out, line.path, value)
    for group in record.groups:
        _complete(out, group)
    found = {name: out[name] for name in record.order if name in out}
    probe = PROBE.get()
    if probe is not None:
        probe.read(record, row, scope)
    return found


def _value(line: FieldPlan, row: Json, scope: Scope) -> Json:
    """The value before the canonical type is asked, or MISSING."""
    if line.when is not None and not decides(line.when, row, scope, line.origin):
        return MISSING
    value = MEANING[type(line.source)](line.source, row, scope)
    if line.default is not MISSING and (value is MISSING or value is None or value == ""):
        return line.default
    return value


def _from_path(source: FromPath, row: Json, scope: Scope) -> Json:
    value = _several(source, row) if source.several else read(source.paths[0], row, source.origin)
    return _decode(source.codec, value, scope, source) if source.codec is not None else value


def _several(source: FromPath, row: Json) -> Json:
    values = [read(path, row, source.origin) for path in source.paths]
    if any(value is MISSING for value in values):
        return MISSING
    return None if any(value is None or value == "" for value in values) else values


def _decode(codec: Codec, value: Json, scope: Scope, source: FromPath | Joined) -> Json:
    if value is MISSING or value is None:
        return value
    try:
        return codec.decode(value, scope)
    except CodecRefused as refused:
        if value == "":
            return None  # an empty text that the codec does not know is a provider's way to write nothing
        raise AnswerMismatch(f"{source.origin}: `{source.text}` is not {refused}", origin=source.origin) from None
    except ExpressionFailed as failed:
        raise AnswerMismatch(f"{source.origin}: `{source.text}`: {failed}", origin=source.origin) from None


def _constant(source: Constant, _row: Json, _scope: Scope) -> Json:
    return source.value


def _compute(source: Computed, _row: Json, scope: Scope) -> Json:
    try:
        value = evaluate(source.tree, scope)
    except OverBudget:
        raise  # which no other answer mends
    except MappingFault as failed:
        raise AnswerMismatch(failed.detail, origin=failed.origin) from None
    return MISSING if value is LEFT_OUT else value


def _join(source: Joined, _row: Json, scope: Scope) -> Json:
    values = []
    for name in source.names:
        value: Json = scope["fields"]
        for step in name:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
        if value is MISSING or value is None:
            return MISSING
        values.append(value)
    return _decode(source.codec, values, scope, source)


def _embed(source: Embedded, row: Json, scope: Scope) -> Json:
    value = read(source.path, row, source.origin)
    if value is MISSING or value is None:
        return value
    if value == []:
        return None  # PHP writes an empty object as []
    if not isinstance(value, dict):
        raise AnswerMismatch(f"{source.origin}: `{source.path.text}` is not an object", origin=source.origin)
    return read_record(source.record, value, scope)


def _embedded_rows(source: EmbeddedRows, row: Json, scope: Scope) -> Json:
    if source.named:
        found = walk(source.levels, row, scope)
        return [read_record(source.record, {"row": row, **names}, scope) for names in found]
    first = source.levels[0]
    listed = read(first.at, row, first.origin)
    if listed is MISSING or listed is None:
        return listed
    return [read_record(source.record, names[first.name], scope) for names in walk(source.levels, row, scope)]


MEANING: Final[Mapping[type, Callable[[Any, Json, Scope], Json]]] = {
    FromPath: _from_path,
    Constant: _constant,
    Computed: _compute,
    Joined: _join,
    Embedded: _embed,
    EmbeddedRows: _embedded_rows,
}
"""Kind of source → what it means."""


def _accept(line: FieldPlan, value: Json) -> Json:
    """The canonical value, or a mismatch that names the line and what was wanted, never what was there."""
    if value is not MISSING and value is not None and line.type is not None:
        try:
            value = line.type.accept(value)
        except TypeRefused as refused:
            message = f"{line.origin}: `{line.text}` for {line.name} is not {refused}"
            raise AnswerMismatch(message, origin=line.origin) from None
    if line.required and (value is MISSING or (value is None and not line.nullable)):
        message = f"{line.origin}: `{line.text}` is missing, and {line.name} is required"
        raise AnswerMismatch(message, origin=line.origin)
    return value


def _complete(out: dict[str, Json], group: Group) -> None:
    """An embedded object without a required member cannot be told: left out, or a mismatch when it is required."""
    value = out.get(group.name)
    if isinstance(value, dict) and all(value.get(member) is not None for member in group.members):
        return
    if group.required is not None:
        message = f"{group.required}: {group.name} is required and the answer does not hold all of it"
        raise AnswerMismatch(message, origin=group.required)
    if isinstance(value, dict):
        known_empty = any(member in value and value[member] is None for member in group.members)
        if known_empty:
            out[group.name] = None
        else:
            del out[group.name]
