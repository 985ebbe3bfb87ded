"""Parts of a mapping that are written once, under `fragments:`, and used by name. Of trees: `trees.py`."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.documents.yaml import Document
from gateway.values.messages import Json


def fragment_named(raw: Json) -> str | None:
    """Give the name of the fragment that a value stands for, None where it is a value of its own."""
    name = raw.get("$fragment") if isinstance(raw, dict) and len(raw) == 1 else None
    return name if isinstance(name, str) else None


def fragments_of(document: Document) -> Mapping[str, Json]:
    """Give the fragments as they stand in a file."""
    written = document.data.get("fragments") if isinstance(document.data, dict) else None
    return written if isinstance(written, dict) else {}


def used_within(node: Json, fragments: Mapping[str, Json]) -> frozenset[str]:
    """Give the names of the fragments that a value uses, and of those that these use."""
    return _use(node, fragments, frozenset())


def _use(node: Json, fragments: Mapping[str, Json], seen: frozenset[str]) -> frozenset[str]:
    name = fragment_named(node)
    if name is not None:
        return seen if name in seen else _use(fragments.get(name), fragments, seen | {name})
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        seen = _use(inner, fragments, seen)
    return seen
