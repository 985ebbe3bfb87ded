"""How a key of a file is described: its type, what it means, which language it takes, an example. No key is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gateway.messages import Json
from gateway.shape import Rules

TREE: Final = ["dict", "list", "string", "integer", "float", "boolean"]
"""Types of a value that may be a tree."""
SCALAR: Final = ["string", "integer", "float", "boolean"]
NAME: Final = r"[a-z][a-z0-9_]*"
"""Names that a mapping gives to steps, levels and elements."""
REASONS: Final[dict[str, Any]] = {"valuesrules": {"type": "string", "empty": False}}
"""Of an object of texts, none of them empty."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a file: where it stands, in words that fit after its name, and its keys."""

    where: str
    keys: Rules


def key(
    kind: str | list[str], meaning: str, *, takes: str = "literal", example: Json = None, **rules: Json
) -> dict[str, Any]:
    """Describe one key: its type, what it means, which language it takes, an example, and cerberus rules."""
    return {"type": kind, **rules, "meta": {"meaning": meaning, "takes": takes, "example": example}}
