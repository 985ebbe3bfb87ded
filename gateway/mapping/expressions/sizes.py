"""How much an evaluation may make: values are counted with all that is in them, as often as they stand there.

A list that holds one list twice takes no room, but whoever writes, compares or walks it goes through all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from gateway.computation.budget import BudgetSpent, spend
from gateway.mapping.expressions.functions.kind import ExpressionFailed
from gateway.values.messages import Json
from gateway.values.strictjson import MAX_DIGITS

MOST_VALUES: Final = 2_000_000
"""Values that one value may hold: about what the largest answer of a provider holds."""
MOST_LEVELS: Final = 128
"""Levels that what is made may be nested: twice those of an answer, far below where Python ends."""
_CHARACTERS: Final = 32
"""Characters of a text that count as one value."""
_LIGHT: Final = 8
"""Values that are counted in the time of one step."""
_OFTEN: Final = 4_096
"""Values between two steps."""
_MOST_WHOLE: Final = 10**MAX_DIGITS


def check_length(count: int, since: int = 0) -> None:
    """Refuse so many values, of which `since` have been counted before; raises BudgetSpent."""
    spend((count - since) // _LIGHT)
    if count > MOST_VALUES:
        raise BudgetSpent(f"makes more than {MOST_VALUES:,} values")


def check_whole(number: float) -> None:
    """Refuse a whole number that no answer could hold either; raises BudgetSpent."""
    if isinstance(number, int) and not -_MOST_WHOLE < number < _MOST_WHOLE:
        raise BudgetSpent(f"makes a whole number of more than {MAX_DIGITS} digits")


def check_size(value: Json, check_odd: Callable[[object], None] | None = None) -> None:
    """Refuse a value that holds too much, is nested too deeply or has too long a whole number in it.

    With `check_odd` also keys of objects that are no texts; it is shown what is neither a text, a whole number, a list
    nor an object, and may refuse it. Raises BudgetSpent, ExpressionFailed, and what `check_odd` raises.
    """
    if not isinstance(value, dict | list):
        _weigh(value, check_odd)
        return
    count = counted = levels = 0
    level: list[Json] = [value]
    while level:
        levels += 1
        if levels > MOST_LEVELS:
            raise BudgetSpent(f"makes a value nested deeper than {MOST_LEVELS} levels")
        below: list[Json] = []
        for held in level:
            kind = type(held)
            if kind is bool or (kind is str and len(held) < _CHARACTERS):
                continue  # most of what there is: one value, and never an odd one
            if isinstance(held, dict):
                if check_odd is not None and not _has_texts(held):
                    raise ExpressionFailed("the keys of an object are texts")
                below.extend(held.values())
            elif isinstance(held, list):
                below.extend(held)
            else:
                count += _weigh(held, check_odd)
            if count + len(below) - counted > _OFTEN:
                check_length(count + len(below), since=counted)
                counted = count + len(below)
        count += len(below)
        level = below
    check_length(count, since=counted)


def _has_texts(keys: Iterable[object]) -> bool:
    """Tell whether keys are all texts: at once by their types, which few texts have of their own."""
    return {*map(type, keys)} <= {str} or all(isinstance(key, str) for key in keys)


def _weigh(held: Json, check_odd: Callable[[object], None] | None) -> int:
    """Check what holds nothing else, and give what it counts for besides being one value."""
    if isinstance(held, str):
        return len(held) // _CHARACTERS
    if isinstance(held, int):
        check_whole(held)
    elif check_odd is not None:
        check_odd(held)
    return 0
