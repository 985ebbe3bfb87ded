"""Keys of the configuration that have another name now: still read, each with a warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.documents.yaml import Document, Finding, Place

RENAMED: Final[Mapping[str, str]] = {"watch": "polling"}
"""A key as it was called → its name."""


def with_new_names(document: Document) -> tuple[Document, list[Finding]]:
    """Give a configuration with today's keys, every value at the place where it stands; a warning for each old key.

    Of a key that stands there under both names the old one is left, and is then a key that is not known.
    """
    data = document.data
    if not isinstance(data, dict):
        return document, []
    old = {name: new for name, new in RENAMED.items() if name in data and new not in data}
    findings = [
        document.finding((name,), "renamed-key", f"`{name}` is called `{new}` now", key=True)
        for name, new in old.items()
    ]

    def moved(places: Mapping[Place, tuple[int, int]]) -> dict[Place, tuple[int, int]]:
        return {(old.get(str(place[0]), place[0]), *place[1:]) if place else place: at for place, at in places.items()}

    renamed = {old.get(name, name): value for name, value in data.items()}
    return replace(document, data=renamed, values=moved(document.values), keys=moved(document.keys)), findings
