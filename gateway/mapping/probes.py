"""Probes: who looks on while a mapping is run, to learn what of it is used.

`gateway check` and `gateway test` hand one in while they play examples. A mapping that runs without a probe pays one
look at a variable for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final


class Probe:
    """Is told of what is evaluated, by its node. This one takes no notice; others say what they want to know."""

    def caught(self, rule: object) -> None:
        """An error rule has caught an answer."""


PROBE: Final[ContextVar[Probe | None]] = ContextVar("PROBE", default=None)
"""The probe of what is evaluated now, also in the threads and tasks that it begins."""


@contextmanager
def probed(probe: Probe) -> Iterator[None]:
    """Let a probe look on at everything that is evaluated meanwhile."""
    token = PROBE.set(probe)
    try:
        yield
    finally:
        PROBE.reset(token)
