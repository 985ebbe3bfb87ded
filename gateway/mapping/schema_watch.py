"""Keys of a watch: how changes are found where a provider tells none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.mapping.keys import Part, key

_DAYS: Final = r"(0|[1-9]\d{0,2})d"
BOOKINGS: Final = {"run": "bookings.list", "interval": "60s", "before": "1d", "after": "60d", "absent": "vanished"}
"""A watch as examples show it."""

PARTS: Final[Mapping[str, Part]] = {
    "watch": Part(
        "`watch`", {"bookings": key("dict", "how changes of bookings are found", required=True, example=BOOKINGS)}
    ),
    "watch_bookings": Part(
        "`bookings` of a watch",
        {
            "run": key(
                "string", "a canonical operation that lists what changes", required=True, example="bookings.list"
            ),
            "with": key(
                "dict", "its arguments besides the window", takes="tree", example={"status": ["pending", "confirmed"]}
            ),
            "interval": key(
                "string",
                "not listed more often than this, in s, m or h",
                regex=r"[1-9]\d*(s|m|h)",
                required=True,
                example="60s",
            ),
            "before": key(
                "string", "the window begins so many days before today", regex=_DAYS, default="1d", example="1d"
            ),
            "after": key(
                "string", "the window ends so many days after today", regex=_DAYS, default="60d", example="60d"
            ),
            "tracked": key(
                "list",
                "canonical fields whose changes are told; without it those of the contract that are read",
                minlength=1,
                schema={"type": "string"},
                example=["status", "start", "end"],
            ),
            "absent": key(
                "string",
                "what it means that a booking still to come is listed no more: it was cancelled, or nothing",
                allowed=["vanished", "nothing"],
                required=True,
                example="vanished",
            ),
        },
    ),
}
