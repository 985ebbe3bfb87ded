"""What a part of a mapping reads: names of templates and of paths. Collected while it is compiled, for the checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Reads:
    """What a part of a file reads.

    `names` are the names of its templates with their keys, `whole` those of which the value itself is used and not only
    whether it is there; `roots` are the first names of its paths.
    """

    names: set[tuple[str, ...]] = field(default_factory=set)
    whole: set[tuple[str, ...]] = field(default_factory=set)
    roots: set[str] = field(default_factory=set)

    def add(self, other: Reads) -> None:
        """Read all that another part reads."""
        self.names |= other.names
        self.whole |= other.whole
        self.roots |= other.roots

    def forget(self, *names: str) -> None:
        """Drop names that are only known inside the part."""
        self.names = {use for use in self.names if use[0] not in names}
        self.whole = {use for use in self.whole if use[0] not in names}

    def of_args(self) -> Iterator[tuple[str, ...]]:
        """The arguments that are read, with the keys read of them."""
        return (use[1:] for use in self.names if use[0] == "args" and len(use) > 1)
