"""How a key of the configuration is described: its type, what it means, an example, and cerberus rules."""

from __future__ import annotations

from gateway.documents.schema_check import Rules
from gateway.values.messages import Json


def key(kind: str | list[str], meaning: str, *, example: Json = None, **rules: Json) -> Rules:
    """Describe one key."""
    return {"type": kind, **rules, "meta": {"meaning": meaning, "example": example}}
