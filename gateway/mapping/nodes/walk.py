"""All nodes of a mapping, one after the other: for whoever looks into one without running it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

_OURS = "gateway.mapping."
"""What is made elsewhere, such as the types of the contract, is no node."""


def nodes_in(root: object) -> Iterator[object]:
    """Give a node and all that it holds, each once: what holds others before them, otherwise as it is written."""
    seen = set[int]()
    waiting: list[object] = [root]
    while waiting:
        held = waiting.pop()
        if isinstance(held, Mapping):
            waiting.extend(reversed(list(held.values())))
        elif isinstance(held, tuple | list):
            waiting.extend(reversed(held))
        elif is_dataclass(held) and type(held).__module__.startswith(_OURS) and id(held) not in seen:
            seen.add(id(held))
            yield held
            waiting.extend(reversed([getattr(held, one.name) for one in fields(held)]))
