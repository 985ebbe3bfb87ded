"""The compiled form of rates. Nothing here counts or waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `amount` calls in any `seconds`. `text` is how the mapping writes it: `10/m`."""

    amount: int
    seconds: int
    text: str


@dataclass(frozen=True, slots=True)
class LimitsPlan:
    """How much of a connection may be asked: rates by class, and so many calls at once."""

    rates: Mapping[str, Rate] = field(default_factory=dict)
    concurrency: int | None = None
