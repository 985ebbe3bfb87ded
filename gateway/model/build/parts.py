"""What every part of the contract's file is checked with: which keys it has, and that names are known."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from gateway.documents.yaml import Place, suggestion
from gateway.values.messages import Json


class PartInvalid(Exception):
    """A part that cannot be built, and where."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


def keys(node: Json, place: Place, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()) -> None:
    """Refuse a node that is no object, lacks a key, or has one too many."""
    if not isinstance(node, dict):
        raise PartInvalid(place, "must be an object")
    for key in node:
        if key not in required | optional:
            raise PartInvalid((*place, key), f"`{key}` is not known here{suggestion(key, required | optional)}")
    for key in sorted(required - node.keys()):
        raise PartInvalid(place, f"`{key}` is missing")


def find(name: Json, names: Mapping[str, object], place: Place) -> str:
    """Refuse a name that is not among the names."""
    if not isinstance(name, str) or name not in names:
        raise PartInvalid(place, f"`{name}` is not known here{suggestion(str(name), names)}")
    return name


def one_of(node: Mapping[str, Json], place: Place) -> tuple[str, Json]:
    """Give the one key of a node and what stands there; refuses a node with none or several."""
    if len(node) != 1:
        raise PartInvalid(place, "must have exactly one key")
    ((key, value),) = node.items()
    return key, value
