"""Every key of a mapping file: type, default, meaning, example. The one description of the language's grammar.

Shapes are checked one level at a time: `compile` walks the file and has each part it meets checked, so that a finding
names exactly the key that is wrong. What a key *means* beyond its type is checked where it is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.mapping import schema_calls, schema_hooks, schema_operations, schema_verify, schema_watch
from gateway.mapping.keys import Part
from gateway.mapping.schema_calls import LANGUAGE
from gateway.shape import Shape

__all__ = ["LANGUAGE", "PARTS", "SHAPES"]

PARTS: Final[Mapping[str, Part]] = {
    **schema_calls.PARTS,
    **schema_operations.PARTS,
    **schema_hooks.PARTS,
    **schema_verify.PARTS,
    **schema_watch.PARTS,
}
"""Part of a mapping file → where it stands and its keys, in the order of the reference."""
SHAPES: Final[Mapping[str, Shape]] = {name: Shape(part.keys) for name, part in PARTS.items()}
"""Part of a mapping file → its keys, to be checked against."""
