"""The words of the template language, in one table. A provider that needs another word gets it here, never in code.

Words are pure: no clock, no randomness, no I/O. They are written `word(a, b)` or `a | word(b)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.mapping import list_functions, signature_functions, text_functions, time_functions
from gateway.mapping.words import Function

FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function
    for group in (
        text_functions.FUNCTIONS,
        list_functions.FUNCTIONS,
        time_functions.FUNCTIONS,
        signature_functions.FUNCTIONS,
    )
    for function in group
}
