"""Links as values: what a marketplace is told of a club, and how players are booked there. Nothing here reads a file.

A link joins two connections: `peer`, a marketplace that calls us, and `club`, the booking system that holds the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from gateway.values.messages import Json

_UNITS: Final[Mapping[str, int]] = MappingProxyType({"s": 1, "m": 60, "h": 3600, "d": 86400})


@dataclass(frozen=True, slots=True)
class GridSettings:
    """When slots begin, in the clock times of the link's zone: at `first` and every `step` minutes from there.

    The last slot ends at `last`; `24:00` is midnight at the end of the day.
    """

    first: str
    last: str
    step: int


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """What a slot costs: `amount` in ISO 4217 minor units."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class FacilitySettings:
    """One court as the marketplace knows it (`facility_id`), and what it is at the club (`resource_id`, `service_id`).

    What is None is not told to the marketplace; instead of `price` and `grid` those of club and link hold then.
    """

    facility_id: str
    name: str
    resource_id: str
    service_id: str | None = None
    sport: str | None = None
    surface: str | None = None
    indoor: bool | None = None
    description: str | None = None
    price: PriceSettings | None = None
    grid: GridSettings | None = None


@dataclass(frozen=True, slots=True)
class CustomerSettings:
    """Who books at the club: texts in which `{player}` and `{key}` are put in (`str.format`), and no other name.

    `{player}` is the player's name as the marketplace tells it, `{key}` is short and differs with every booking.
    """

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """What the link does at its limits."""

    min_notice: int = 0
    """Minutes before its start until which a slot can be booked."""
    serve_stale_max: float = 900.0
    """Seconds for which the marketplace is told what was known before, while the club cannot be asked."""
    on_unknown_outcome: Literal["compensate", "keep"] = "compensate"
    """What becomes of a booking at the club that comes to light after its answer was lost."""
    cancel_without_booking: int = 404
    """The status for a cancellation where nothing was ever booked: 404, 409 or 200."""


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """One marketplace and one club, kept in step. `peer` and `club` are names of connections."""

    name: str
    peer: str
    club: str
    center_id: str
    """The club as the marketplace names it."""
    time_zone: str | None
    """The zone of the marketplace's times; None for that of the peer's connection."""
    slot_duration: int | None
    """Minutes that a slot lasts; None where the club's own slots say it."""
    horizon_days: int
    """Days that the marketplace is told of, today among them."""
    interval: float
    """Seconds from one look at the club to the next."""
    debounce: float
    """Seconds that a change waits for others before the marketplace is told."""
    facilities: tuple[FacilitySettings, ...]
    grid: GridSettings | None
    customer: CustomerSettings
    policy: PolicySettings

    def grid_of(self, facility: FacilitySettings) -> GridSettings | None:
        """Give the grid of a facility: its own, else that of the link."""
        return facility.grid or self.grid


def seconds(text: str) -> float:
    """Read a duration of the configuration, such as `90s`, `15m`, `2h` or `1d`."""
    return float(text[:-1]) * _UNITS[text[-1]]


def link_of(one: Mapping[str, Json]) -> LinkSettings:
    """Make a link of its checked keys, whose defaults are in."""
    policy = {**one["policy"], "serve_stale_max": seconds(one["policy"]["serve_stale_max"])}
    return LinkSettings(
        name=one["name"],
        peer=one["peer"],
        club=one["club"],
        center_id=one["center_id"],
        time_zone=one.get("time_zone"),
        slot_duration=one.get("slot_duration"),
        horizon_days=one["horizon_days"],
        interval=seconds(one["interval"]),
        debounce=seconds(one["debounce"]),
        facilities=tuple(map(_facility, one["facilities"])),
        grid=_grid(one),
        customer=CustomerSettings(**one["customer"]),
        policy=PolicySettings(**policy),
    )


def _facility(one: Mapping[str, Json]) -> FacilitySettings:
    price = PriceSettings(**one["price"]) if "price" in one else None
    return FacilitySettings(**{**one, "price": price, "grid": _grid(one)})


def _grid(one: Mapping[str, Json]) -> GridSettings | None:
    return GridSettings(**one["grid"]) if "grid" in one else None
