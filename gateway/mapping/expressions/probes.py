"""Probes: who looks on while a mapping is run, to learn what of it is used.

`gateway check` and `gateway test` hand one in while they play examples. A mapping that runs without a probe pays one
look at a variable for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from gateway.values.messages import Json


class Probe:
    """Is told of what is evaluated, by its node. This one takes no notice; others say what they want to know."""

    def looked_up(self, path: object, data: Json, found: Json) -> None:
        """A path was evaluated on data, and gave this or MISSING."""

    def rendering(self, template: object, scope: Mapping[str, Json]) -> None:
        """A template is about to be evaluated with these names."""

    def caught(self, rule: object) -> None:
        """An error rule has caught an answer."""

    def answered(self, call: object, body: Json) -> None:
        """A call was answered with this, decoded."""

    def read(self, record: object, row: Json, scope: Mapping[str, Json]) -> None:
        """A record has read a row with these names around it."""

    def wrote(self, record: object, written: Json, scope: Mapping[str, Json]) -> None:
        """A record has written an object of the provider."""


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
