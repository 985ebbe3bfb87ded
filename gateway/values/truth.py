"""What counts as true, and what is not there. The one meaning of truth in the language.

A path is true by JMESPath's own rule, in whatever `when:`, `success:` or `renew_when:` it stands: null, false and what
is empty are false, anything else is true, and so is every number. A template says true or false, and nothing else.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from gateway.values.errors import MappingFault
from gateway.values.messages import Json


class Missing(Enum):
    """The type of MISSING."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""There is no such key. Distinct from None, which is a value a provider or caller wrote down."""


def truth(value: Json, origin: str) -> bool:
    """Give what a template said: true or false, since nothing is guessed from emptiness. Raises MappingFault."""
    if isinstance(value, bool):
        return value
    raise MappingFault(f"{origin}: the condition must give true or false", origin=origin)


def is_true(value: Json) -> bool:
    """Tell whether what a path gave is true (JMESPath, "Boolean values")."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return True
    return value is not MISSING and bool(value)
