"""Which intervals of a list meet another one, found by bisection. Pure.

A list of bookings is asked about by every slot of a month: looking at all of them each time takes minutes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Any


class Intervals:
    """Half-open intervals `(start, end)`, all texts or all numbers; one that ends before it begins may be among them.

    `sample` is the first of them, as a list of its two bounds: what is compared with them must be of its kind.
    """

    __slots__ = ("_by_start", "_ends", "_latest", "_starts", "sample")

    def __init__(self, bounds: Sequence[tuple[Any, Any]]) -> None:
        self._by_start = sorted(range(len(bounds)), key=lambda at: bounds[at][0])
        self._starts = [bounds[at][0] for at in self._by_start]
        self._ends = [bounds[at][1] for at in self._by_start]
        self._latest = list(accumulate(self._ends, max))
        self.sample = list(bounds[0]) if bounds else []

    def meeting(self, start: Any, end: Any) -> list[int]:
        """Give the places, in the order of the list, of the intervals that begin before `end` and end after `start`."""
        found = []
        at = bisect_left(self._starts, end) - 1
        while at >= 0 and self._latest[at] > start:  # none before it ends any later
            if self._ends[at] > start:
                found.append(self._by_start[at])
            at -= 1
        return sorted(found)
