"""The compiled form of what is given to a mapping: settings of a connection, windows, arguments of native operations.

Nothing here reads a file, the clock or YAML, and no plan keeps a value that a connection gives.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Local days: at most `max_days` in one provider call, `default_days` from today when the caller gives none."""

    max_days: int | None
    default_days: int | None


@dataclass(frozen=True, slots=True)
class NativeArgument:
    """One argument of a native operation."""

    type: str
    required: bool
    default: Json
    allowed: tuple[Json, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing a connection must or may give."""

    name: str
    type: str
    required: bool
    default: Json
    allowed: tuple[Json, ...]
    meaning: str
