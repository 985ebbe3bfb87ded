"""The language of mapping files: every part of it, each declared once, in the order of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.documents.parts import Part, parts_in
from gateway.mapping.language import (
    auth,
    errors,
    file,
    hooks,
    http,
    operations,
    polling,
    records,
    results,
    steps,
    verification,
)

__all__ = ["PARTS"]

_MODULES: Final = (file, auth, http, errors, records, operations, steps, results, hooks, verification, polling)
PARTS: Final[Mapping[str, Part]] = {one.name: one for module in _MODULES for one in parts_in(module)}
"""Part of a mapping file → its declaration."""
