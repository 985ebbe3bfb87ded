"""How changes are found where a provider tells none."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from gateway.documents.parts import Duration, Node, OperationName, TreeObject, key, limits, part

Days: TypeAlias = Annotated[str, limits(regex=r"(0|[1-9]\d{0,2})d")]
"""A number of days, `0d` to `999d`."""
BOOKINGS: Final = {"run": "bookings.list", "interval": "60s", "before": "1d", "after": "60d", "missing": "cancelled"}
"""Polling as examples show it."""


@part("polling_bookings", "`bookings` of `polling`")
class PollingBookings(Node):
    """How changes of bookings are found."""

    run: OperationName = key("a canonical operation that lists what changes", example="bookings.list")
    with_: TreeObject | None = key("its arguments besides the window", example={"status": ["pending", "confirmed"]})
    interval: Duration = key("not listed more often than this", example="60s")
    before: Days = key("the window begins so many days before today", default="1d", example="1d")
    after: Days = key("the window ends so many days after today", default="60d", example="60d")
    tracked: list[str] | None = key(
        "canonical fields whose changes are told; without it those of the contract that are read",
        minlength=1,
        example=["status", "start", "end"],
    )
    missing: Literal["cancelled", "ignore"] = key(
        "what it means that a booking still to come is listed no more: it was cancelled, or that says nothing",
        example="cancelled",
    )


@part("polling", "`polling`")
class Polling(Node):
    """How changes are found."""

    bookings: PollingBookings = key("how changes of bookings are found", example=BOOKINGS)
