"""An event as consumers read it: the native body, and the same as a CloudEvent. The same values give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from gateway.model.model import Changes
from gateway.values.messages import Json
from gateway.values.strictjson import encode_json

_MINUTE = 60


def native(
    about: Mapping[str, Json], data: Mapping[str, Json], previous: Mapping[str, Json], changes: Changes
) -> Callable[[int], bytes]:
    """Give the function that makes an event's body once its place in the sequence is known.

    `about` holds id, event, created_at, connection, provider and origin. The data has the contract's further fields.
    """
    told = {**data, **_also(data, changes)}

    def body(sequence: int) -> bytes:
        whole = {**about, "sequence": sequence, "data": told}
        return _bytes(whole | {"previous": _nest(previous)} if previous else whole)

    return body


def cloudevent(body: bytes) -> bytes:
    """Make the structured CloudEvent (CloudEvents 1.0.2 §3.1) of a native body: the same event, the same id."""
    event = json.loads(body)
    told = {
        "specversion": "1.0",
        "id": event["id"],
        "source": f"/v1/{event['connection']}",
        "type": event["event"],
        "subject": event["data"].get("id"),
        "time": event["created_at"],
        "datacontenttype": "application/json",
        "sequence": str(event["sequence"]),
        "origin": event["origin"],
        "data": event["data"],
    }
    if "previous" in event:
        told["data"] = {**event["data"], "previous": event["previous"]}
    return _bytes({name: value for name, value in told.items() if value is not None})


def instant(milliseconds: int) -> str:
    """Write a moment, milliseconds since 1970, as RFC 3339 in UTC, with seconds."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _also(data: Mapping[str, Json], changes: Changes) -> dict[str, Json]:
    """Make the further fields of an event's data, as far as the data holds what they are made of."""
    found: dict[str, Json] = {}
    for name, (word, *fields) in changes.also.items():
        values = [data.get(field) for field in fields]
        if None not in values:
            found[name] = _ALSO[word](*values)
    return found


def _minutes(start: str, end: str) -> int:
    return int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() // _MINUTE)


def _utc(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_ALSO: Mapping[str, Callable[..., Json]] = {"copy": lambda value: value, "minutes": _minutes, "utc": _utc}


def _nest(previous: Mapping[str, Json]) -> dict[str, Json]:
    """Write dotted names as embedded objects, as `data` has them."""
    found: dict[str, Json] = {}
    for dotted, value in previous.items():
        inner = found
        *parents, last = dotted.split(".")
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return found


def _bytes(value: Mapping[str, Json]) -> bytes:
    return encode_json(dict(value))
