"""What is posted to those who subscribe to events, in the OpenAPI document.

Pure. The contract's events say what is posted; nothing is told of an event that they do not have.
"""

from __future__ import annotations

from gateway.model.model import EventType, Model
from gateway.surface.openapi.components import ref
from gateway.values.messages import Json

_ALSO: dict[str, Json] = {
    "copy": {"type": "string"},
    "minutes": {"type": "integer"},
    "utc": {"type": "string", "format": "date-time"},
}
_SIGNED = {
    "webhook-id": "The event's id: the same in every attempt and every replay. Take each id once.",
    "webhook-timestamp": "When this attempt was signed, in seconds since 1970.",
    "webhook-signature": "`v1,` and the signature in base64; several, with blanks between them, after a new secret.",
    "Gateway-Delivery": "The delivery's id.",
    "Gateway-Attempt": "1 for the first attempt.",
}


def schemas(model: Model) -> dict[str, Json]:
    """Give the schemas of what events hold: as the resource is told elsewhere, but for what a source cannot tell."""
    told: dict[str, Json] = {}
    for event in model.events.values():
        definition = event.data.type.definition()
        also = model.changes.also if event.data.name == model.changes.resource else {}
        more = {name: _ALSO[word] | _describe(fields) for name, (word, *fields) in also.items()}
        told[_schema(event)] = {
            "description": f"{event.data.meaning} Fields that the source of the event cannot tell are missing.",
            "type": "object",
            "properties": definition.get("properties", {}) | more,
            "required": ["id"] if "id" in event.data.fields else [],
            "additionalProperties": False,
        }
    return told


def webhooks_of(model: Model) -> dict[str, Json]:
    """Give the `webhooks` of the document: one for every event of the contract."""
    return {name: {"post": _post(event)} for name, event in model.events.items()}


def _post(event: EventType) -> dict[str, Json]:
    return {
        "operationId": f"on.{event.name}",
        "summary": event.meaning,
        "tags": ["webhooks"],
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": meaning, "schema": {"type": "string"}}
            for name, meaning in _SIGNED.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _native(event)},
                "application/cloudevents+json": {"schema": _cloudevent(event)},
            },
        },
        "responses": {
            "2XX": {"description": "Taken. Whatever the body says, it is not read."},
            "410": {"description": "No more of them: the subscription is disabled."},
            "default": {"description": "Not taken: it is tried again, not before the time of Retry-After (429, 503)."},
        },
    }


def _native(event: EventType) -> dict[str, Json]:
    """Describe the body as `format: native` has it."""
    data = {"event": {"const": event.name}, "data": ref("schemas", _schema(event))}
    return {"allOf": [ref("schemas", "ChangeEvent"), {"type": "object", "properties": data}]}


def _cloudevent(event: EventType) -> dict[str, Json]:
    """Describe the body as `format: cloudevents` has it (CloudEvents 1.0.2 §3.1)."""
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text,
            "source": {"type": "string", "format": "uri-reference"},
            "type": {"const": event.name},
            "subject": text,
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "sequence": text,
            "origin": text,
            "data": {
                "description": f"As `{_schema(event)}`, with `previous` where fields changed.",
                "type": "object",
            },
        },
        "required": ["specversion", "id", "source", "type", "data"],
    }


def _schema(event: EventType) -> str:
    return f"Told{event.data.name}"


def _describe(fields: list[str]) -> dict[str, Json]:
    return {"description": f"Made of {' and '.join(f'`{name}`' for name in fields)}."}
