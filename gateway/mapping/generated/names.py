"""What the names of a mapping are in generated code: parts of the row, lines above, elements of loops, the scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.mapping.generated.codecs import CONNECTION
from gateway.mapping.generated.source import STOP, Source
from gateway.mapping.nodes.calls import Scope
from gateway.mapping.runtime.writing import put_at
from gateway.values.messages import Json
from gateway.values.truth import MISSING

FIELDS: Final = "fields"
"""The name by which a record's lines know those above them."""


@dataclass(slots=True)
class Names:
    """What is known while a function is written. `local` names stand for Python's own, the others are in the scope."""

    source: Source
    local: dict[str, str] = field(default_factory=dict)
    above: list[tuple[tuple[str, ...], str]] | None = None
    """Of a record the lines above: their keys, and the name of the value, which may be MISSING."""

    def within(self, name: str, value: str) -> Names:
        """Give what is known inside a loop."""
        return Names(self.source, {**self.local, name: value}, self.above)

    def chain(self, keys: tuple[str, ...]) -> str:
        """Write the look-up of a name with its keys; gives the name of what it finds, or of MISSING."""
        root = keys[0]
        if root == FIELDS and self.above is not None:
            return self._of_fields(keys[1:])
        if root in self.local:
            return self.keys(self.local[root], keys[1:])
        if root in CONNECTION:
            found = self.source.cell("_".join(keys), keys, lambda scope: _settle(scope, keys))
            self.source.stop_where(f"{found} is STOP")
            return found
        return self.keys(self.source.root(root), keys[1:])

    def keys(self, held: str, keys: Iterable[str]) -> str:
        """Write look-ups by keys: in null, and in what is missing, all is missing; other kinds have no keys."""
        source = self.source
        for key in keys:
            found = source.name(key)
            with source.block(f"if {held}.__class__ is dict:"):
                source.add(f"{found} = {held}.get({source.constant(key)}, MISSING)")
            with source.block(f"elif {held} is None or {held} is MISSING:"):
                source.add(f"{found} = MISSING")
            with source.block("else:"):
                source.add("return STOP")
            held = found
        return held

    def _of_fields(self, keys: tuple[str, ...]) -> str:
        above = self.above or []
        for path, value in reversed(above):
            if keys[: len(path)] == path:
                return self.keys(value, keys[len(path) :])
        inside = [(path[len(keys) :], value) for path, value in above if path[: len(keys)] == keys]
        return self._object(inside, whole=not keys) if inside or not keys else "MISSING"

    def _object(self, members: list[tuple[tuple[str, ...], str]], *, whole: bool) -> str:
        """Write an object of the lines above, as far as they are read."""
        source = self.source
        found = source.name("object")
        pairs = ", ".join(f"({source.bind('keys', path)}, {value})" for path, value in members)
        source.add(f"{found} = {source.bind('object_of', _object_of if whole else _object_or_missing)}([{pairs}])")
        return found

    def scope(self, uses: Iterable[tuple[str, ...]]) -> str:
        """Write the names as the evaluator sees them, for a part that it is asked for and that uses these."""
        source, roots = self.source, {use[0] for use in uses}
        pairs = [f"{source.constant(name)}: {value}" for name, value in self.local.items() if name in roots]
        if FIELDS in roots and self.above is not None:
            pairs.append(f"'{FIELDS}': {self._object(self.above, whole=True)}")
        if not pairs:
            return "scope"
        names = source.name("names")
        source.add(f"{names} = {{**scope, {', '.join(pairs)}}}")
        return names


def _settle(scope: Scope, keys: tuple[str, ...]) -> Json:
    """What a connection settles; STOP where the look-up fails."""
    held: Json = scope
    for key in keys:
        if held is None or held is MISSING:
            return MISSING
        if not isinstance(held, Mapping):
            return STOP
        held = held.get(key, MISSING)
    return held


def _object_of(members: list[tuple[tuple[str, ...], Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for path, value in members:
        if value is not MISSING:
            put_at(found, path, value)
    return found


def _object_or_missing(members: list[tuple[tuple[str, ...], Json]]) -> Json:
    return _object_of(members) or MISSING
