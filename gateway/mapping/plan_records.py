"""The compiled form of records: a provider's row to a canonical object, and back. `records.py` makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from gateway.model.model import Resource
from gateway.values.messages import Json

_Scope: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One line of a field table, for `gateway explain` and for the static checks."""

    name: str
    source: str
    codec: str | None
    law: str
    mode: str
    origin: str
    embeds: str
    """The record of an embedded object or list of objects, else empty."""
    unwritable: tuple[Json, ...]
    """Canonical values that its codec has no word for, though the contract allows them."""
    targets: tuple[tuple[str, ...], ...] = ()
    """Where in the provider's object it is written, as keys; of an embedded object all that this writes."""
    from_row: bool = True
    """Whether a path reads it; false of what is constant, computed or joined."""
    conditional: bool = False
    """Whether it is read only where its `when:` holds."""


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """A field table compiled to two functions: provider's row → canonical object, and back."""

    name: str
    resource: Resource
    read: Callable[[Json, _Scope], dict[str, Json]]
    write: Callable[[Json, _Scope], dict[str, Json]]
    fields: tuple[FieldPlan, ...]
    private: frozenset[str]

    @property
    def lapsing(self) -> frozenset[str]:
        """The fields of its objects that are left out where a `when:` does not hold: then they have no value."""
        return frozenset(line.name.split(".")[0] for line in self.fields if line.conditional)
