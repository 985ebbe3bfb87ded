"""The functions of the language, in one table for templates and one for paths: what is declared in a file of this room.

A provider that needs another function gets it here, never in code: a function that is declared with `@function` in a
file beside this one is found, and stands in nothing else. Functions are pure: no clock, no randomness, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.mapping.discovery import declared
from gateway.mapping.expressions.functions.kind import PATHS, TEMPLATES, Function

_ALL: Final = tuple(declared(__name__, __path__, Function))


def _of(language: str) -> dict[str, Function]:
    """Give the functions of one language by name. Raises ValueError for a name that is declared twice."""
    found: dict[str, Function] = {}
    for function in _ALL:
        if language not in function.languages:
            continue
        if function.name in found:
            raise ValueError(f"the function `{function.name}` is declared twice for {language}")
        found[function.name] = function
    return found


FUNCTIONS: Final[Mapping[str, Function]] = _of(TEMPLATES)
"""The functions of templates by name."""
PATH_FUNCTIONS: Final[Mapping[str, Function]] = _of(PATHS)
"""The functions of paths by name, besides those of JMESPath's own specification."""
