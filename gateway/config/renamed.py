"""Keys of the configuration that have another name now: still read, each with a warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.documents.yaml import Document, Finding, Place
from gateway.values.messages import Json

RENAMED: Final[Mapping[tuple[str, ...], str]] = {("watch",): "polling", ("deliveries", "at_once"): "concurrency"}
"""A key as it was called, below the keys it stands in → its name."""


def with_new_names(document: Document) -> tuple[Document, list[Finding]]:
    """Give a configuration with today's keys, every value at the place where it stands; a warning for each old key.

    Of a key that stands there under both names the old one is left, and is then a key that is not known.
    """
    findings = []
    for old, new in RENAMED.items():
        inside = _inside(document.data, old[:-1])
        if old[-1] in inside and new not in inside:
            findings.append(
                document.finding(old, "renamed-key", f"`{old[-1]}` is called `{new}` now", key=True),
            )
            document = _rename(document, old, new)
    return document, findings


def _inside(data: Json, place: tuple[str, ...]) -> Mapping[str, Json]:
    """Give what stands at a place; nothing where that is no mapping."""
    for key in place:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _rename(document: Document, old: tuple[str, ...], new: str) -> Document:
    """Give a document in which the key at this place is called otherwise."""
    renamed = (*old[:-1], new)

    def moved(places: Mapping[Place, tuple[int, int]]) -> dict[Place, tuple[int, int]]:
        deep = len(old)
        return {renamed + one[deep:] if one[:deep] == old else one: where for one, where in places.items()}

    def within(data: Json, keys: tuple[str, ...]) -> Json:
        if len(keys) == 1:
            return {new if name == keys[0] else name: value for name, value in data.items()}
        return {name: within(value, keys[1:]) if name == keys[0] else value for name, value in data.items()}

    return replace(document, data=within(document.data, old), values=moved(document.values), keys=moved(document.keys))
