"""The compiled form of polling: what is polled, how often, and which changes count. Nothing here reads the clock."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.mapping.nodes.trees import Tree


@dataclass(frozen=True, slots=True)
class PollingPlan:
    """How changes are found by listing: `polling.py` is the only constructor."""

    operation: str
    """The canonical operation that lists, with a window."""
    arguments: Tree | None
    """What it is given besides its window."""
    interval: float
    """Seconds from one list to the next, at least."""
    before: int
    after: int
    """Local days before and after today that are listed."""
    tracked: tuple[str, ...]
    """Canonical fields whose changes are told."""
    vanishes: bool
    """Whether what is still to come and is listed no more has become the contract's `vanished`."""
    digest: str
    """Changes when something else is listed, or is read in another way."""
