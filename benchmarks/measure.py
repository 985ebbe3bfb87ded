"""Rounds of measurements that alternate between the sides, and what is made of them: medians, spread and ratios.

Sides are measured A B A B, never A A B B, so that whatever the machine does meanwhile meets all of them.
"""

import statistics
from dataclasses import dataclass, field

GATEWAY = "gateway"
BEFORE = "before"


@dataclass
class Row:
    """What one benchmark showed: the figure of each side in each round, and what else was seen of each side."""

    group: str
    name: str
    about: str
    unit: str
    sides: dict[str, list[float]] = field(default_factory=dict)
    more: dict[str, dict[str, float]] = field(default_factory=dict)
    """By side: further figures, such as requests a second, which are shown and never compared."""

    def median(self, side):
        """Give the median of a side."""
        return statistics.median(self.sides[side])

    def spread(self, side):
        """Give how far the middle half of a side's rounds lies apart, as a part of their median."""
        return spread(self.sides[side])

    def ratio(self, side, over):
        """Give how many times what `over` needs `side` needs, round by round: the median, and the spread of it."""
        ratios = [one / other for one, other in zip(self.sides[side], self.sides[over], strict=True)]
        return statistics.median(ratios), spread(ratios)

    def others(self):
        """Give the sides that the gateway is compared with."""
        return [side for side in self.sides if side != GATEWAY]

    def as_json(self):
        """Give it as JSON has it."""
        sides = {
            side: {
                "median": self.median(side),
                "spread": self.spread(side),
                "rounds": rounds,
                **self.more.get(side, {}),
            }
            for side, rounds in self.sides.items()
        }
        ratios = {
            over: dict(zip(("median", "spread"), self.ratio(GATEWAY, over), strict=True)) for over in self.others()
        }
        about = {"group": self.group, "name": self.name, "about": self.about, "unit": self.unit}
        return {**about, "sides": sides, "ratios": ratios}


def spread(values):
    """Give how far the middle half of values lies apart, as a part of their median; 0 for fewer than three."""
    if len(values) < 3:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle if middle else 0.0


def turns(sides, number):
    """Give the order in which sides are measured in a round: another one is first in each."""
    names = list(sides)
    first = number % len(names)
    return names[first:] + names[:first]


def alternated(row, sides, rounds):
    """Measure each side once a round, by its function, and add to the row."""
    row.sides |= {name: [] for name in sides}
    for number in range(rounds):
        for name in turns(sides, number):
            row.sides[name].append(sides[name]())
    return row
