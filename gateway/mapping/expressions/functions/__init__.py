"""The words of the template language, in one table. A provider that needs another word gets it here, never in code.

Words are pure: no clock, no randomness, no I/O. They are written `word(a, b)` or `a | word(b)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.mapping.expressions.functions import lists, signatures, texts, times
from gateway.mapping.expressions.functions.kind import Function

FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function
    for group in (
        texts.FUNCTIONS,
        lists.FUNCTIONS,
        times.FUNCTIONS,
        signatures.FUNCTIONS,
    )
    for function in group
}
