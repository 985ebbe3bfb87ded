"""What a record means when it is written: a canonical object in, the provider's object out.

Absent fields are left out; null is what the provider wants for it, or left out too.
"""

from __future__ import annotations

from gateway.mapping.codecs import Codec, CodecRefused, CodecUnsupported
from gateway.mapping.expressions import ExpressionFailed
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.nodes.trees import Embedded, FieldPlan, FromPath, RecordPlan
from gateway.mapping.runtime.faults.unwritable import Unwritable
from gateway.values.errors import MappingFault
from gateway.values.messages import Json
from gateway.values.truth import MISSING


def write_record(record: RecordPlan, canonical: Json, scope: Scope) -> dict[str, Json]:
    """Write the fields of a canonical object that the record can write.

    Raises Unwritable, with the field's keys, for what the provider has no word for, and MappingFault.
    """
    out: dict[str, Json] = {}
    inner = {**scope, "row": {}, "fields": canonical}
    for line in record.writes:
        value: Json = canonical
        for step in line.path:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
        if value is MISSING:
            continue
        if value is not None:
            _put(line, value, inner, out)
        elif record.null_as is not None and not line.embeds:
            for target in line.targets:
                put_at(out, target, record.null_as)
    probe = PROBE.get()
    if probe is not None:
        probe.wrote(record, out, scope)
    return out


def put_at(out: dict[str, Json], target: tuple[str, ...], value: Json) -> None:
    """Write a value into an object, making the objects on the way."""
    for step in target[:-1]:
        out = out.setdefault(step, {})
    out[target[-1]] = value


def _put(line: FieldPlan, value: Json, scope: Scope, out: dict[str, Json]) -> None:
    """Write one field; what it cannot write is told with where in the object that stands."""
    try:
        if isinstance(line.source, FromPath):
            _put_paths(line.source, value, scope, out)
        elif isinstance(line.source, Embedded):
            _put_record(line.source, value, scope, out)
    except Unwritable as fault:
        path = (*line.path, *fault.path)
        raise Unwritable(fault.problem, fault.origin or "", lost=fault.lost, path=path) from None


def _put_paths(source: FromPath, value: Json, scope: Scope, out: dict[str, Json]) -> None:
    if source.codec is not None:
        value = _encode(source.codec, value, scope, source.origin)
    targets = [path.steps or () for path in source.paths]
    if len(targets) == 1:
        put_at(out, targets[0], value)
        return
    parts = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(parts, list) or len(parts) != len(targets):
        raise MappingFault(f"{source.origin}: cannot be written: not {len(targets)} values", origin=source.origin)
    for target, part in zip(targets, parts, strict=True):
        put_at(out, target, part)


def _encode(codec: Codec, value: Json, scope: Scope, origin: str) -> Json:
    if codec.encode is None:
        raise MappingFault(f"{origin}: cannot be written: codec {codec.name} only reads", origin=origin)
    try:
        return codec.encode(value, scope)
    except CodecUnsupported as lost:
        raise Unwritable("not known to the provider", origin, lost=lost.reason) from None
    except CodecRefused as refused:
        raise Unwritable(f"not {refused}", origin) from None
    except ExpressionFailed as failed:
        raise MappingFault(f"{origin}: cannot be written: {failed}", origin=origin) from None


def _put_record(source: Embedded, value: Json, scope: Scope, out: dict[str, Json]) -> None:
    written = write_record(source.record, value, scope)
    for step in reversed(source.path.steps or ()):
        written = {step: written}
    lay(out, written)


def lay(out: dict[str, Json], written: dict[str, Json]) -> None:
    """Add what an embedded record writes, into objects that fields beside it have begun."""
    for key, value in written.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            lay(out[key], value)
        else:
            out[key] = value
