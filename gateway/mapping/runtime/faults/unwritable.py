"""Values that a record cannot write: whose they are decides what is told. Pure, and no message holds a value."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.mapping.runtime.faults.blame import unfit
from gateway.values.errors import GatewayError, MappingFault, Unsupported


class Unwritable(MappingFault):
    """A record cannot write a field of its object: what its codec takes is not there, or has no word at the provider.

    `path` are the keys of the field in the object; `lost` is why a value of the contract has no word, else empty.
    """

    def __init__(self, problem: str, origin: str, *, lost: str = "", path: tuple[str, ...] = ()) -> None:
        super().__init__(f"{origin}: cannot be written: {problem}", origin=origin)
        self.path = path
        self.problem = problem
        self.lost = lost


def not_kept(name: str, reason: str, origin: str | None = None) -> Unsupported:
    """Give the error of a value of the contract that the provider has no word for, under its name."""
    details = {"capability": name, "reason": reason}
    return Unsupported(f"This `{name}` cannot be kept: {reason}", details=details, origin=origin)


def refused_by(fault: Unwritable, fields: Sequence[str]) -> GatewayError:
    """Give the error of what a record cannot write; `fields` are the caller's that it was made of, if it was."""
    if fault.lost:
        return not_kept(next(iter(fields), ".".join(fault.path)), fault.lost, fault.origin)
    return unfit(fields, f"is {fault.problem}", origin=fault.origin) if fields else fault
