"""What the names stand for that every mapping knows: their types, so that a key that none of them has is found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.mapping.nodes.given import Setting
from gateway.model.types.types import Field, Type


def _type(kind: str) -> Type:
    return Type(kind, lambda value: value)


def object_of(fields: Mapping[str, Field]) -> Type:
    """Give the type of an object that has these fields."""
    return Type("object", lambda value: value, fields=fields)


def record_of(fields: Mapping[str, Type]) -> Type:
    """Give the type of an object that has these keys and no others, each of them always there."""
    return object_of({name: Field(name, type_, required=True, meaning="") for name, type_ in fields.items()})


_TEXT: Final = _type("text")
COMMON: Final[Mapping[str, Type]] = MappingProxyType(
    {
        "connection": record_of({"id": _TEXT, "time_zone": _TEXT, "currency": _TEXT}),
        "window": record_of({"first_date": _type("date"), "last_date": _type("date")}),
        "now": _type("instant"),
        "sent_at": _type("instant"),
        "serial": _type("integer"),
        "idempotency_key": _TEXT,
    }
)
"""Name → its type, of the names that stand for the same in every mapping."""
_SETTINGS: Final = {"integer": "integer", "boolean": "boolean", "object": "any", "list": "list"}
"""Type of a setting → the kind of its value; all others are texts."""


def type_of_setting(setting: Setting) -> Type:
    """Give the type of what a connection gives for a setting."""
    return _type(_SETTINGS.get(setting.type, "text"))
