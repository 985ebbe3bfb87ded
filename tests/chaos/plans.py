"""A plan: what is to happen, in order, as plain data. It can be printed, kept, played again and made smaller.

A step is an object whose `do` says what happens; a step `together` has `steps` of its own that happen at once. What a
step refers to by name may be missing: then the step is passed over, so that every part of a plan is a plan.
"""

import json
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Plan:
    """What happens to one provider. `kind`: `calls` or `links`. `lies`: what the provider is made to lie about."""

    kind: str
    provider: str
    seed: int
    steps: tuple = ()
    lies: str = ""

    def written(self):
        """Write it as JSON, a line for each step; `read` gives it back."""
        lines = ",\n  ".join(json.dumps(step) for step in self.steps)
        about = {"kind": self.kind, "provider": self.provider, "seed": self.seed, "lies": self.lies}
        return json.dumps(about)[:-1] + f', "steps": [\n  {lines}\n]}}\n'


def read(text):
    """Give the plan that `Plan.written` wrote. Raises ValueError for what is none."""
    told = json.loads(text)
    if not isinstance(told, dict) or not {"kind", "provider", "steps"} <= told.keys():
        raise ValueError("a plan is an object with `kind`, `provider` and `steps`")
    return Plan(told["kind"], told["provider"], told.get("seed", 0), tuple(told["steps"]), told.get("lies", ""))


@dataclass
class Books:
    """What came of a plan. `wrong` are the claims that did not hold, as `name: what was seen`."""

    plan: Plan
    wrong: list = field(default_factory=list)
    log: list = field(default_factory=list)
    counts: dict = field(default_factory=dict)

    def claim(self, holds, name, seen=""):
        """Note a claim that does not hold."""
        if not holds:
            self.wrong.append(f"{name}: {seen}")

    def names(self):
        """Give the names of what did not hold."""
        return {one.partition(":")[0] for one in self.wrong}


async def shrunk(plan, fails, most=120):
    """Give a small plan that still fails: steps are left out, many at first, then those within `together`.

    `fails` plays a plan and says whether it fails in the same way; it is asked `most` times at most.
    """
    left = [most]

    async def still(steps):
        left[0] -= 1
        return left[0] >= 0 and await fails(replace(plan, steps=tuple(steps)))

    steps, size = list(plan.steps), max(1, len(plan.steps) // 2)
    while size:
        at, before = 0, len(steps)
        while at < len(steps):
            shorter = steps[:at] + steps[at + size :]
            if await still(shorter):
                steps = shorter
            else:
                at += size
        if size == 1 and len(steps) == before:
            break
        size = max(1, size // 2)
    for at, step in enumerate(steps):
        for inner in step.get("steps", ()):
            if await still([*steps[:at], inner, *steps[at + 1 :]]):
                steps[at] = inner
                break
    return replace(plan, steps=tuple(steps))
