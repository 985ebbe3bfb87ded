"""What a link tells of a court: its cells, made of what the club offers and what was told before. No I/O, no clock.

A cell is what a marketplace sells: one court, from a local time to another. A court has one cell at most at each local
time, since marketplaces write times without offset. What was told once is told again as long as the window has it: as
not available when the club no longer offers it, since a marketplace may take silence for "as before". Free offers that
touch or overlap are never joined: a club sells what it offers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.config import FacilitySettings, LinkSettings, PriceSettings
from gateway.links.slots.slot_grid import MINUTE, Window, grid_cells, instant, local, milliseconds, sayable, showings
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class Cell:
    """A court (its id at the marketplace) from `start` to `end`: canonical instants in the link's zone, `end` excluded.

    `price` is canonical and flat: what the cell costs as a whole.
    """

    facility: str
    start: str
    end: str
    available: bool
    price: Mapping[str, Json] | None = None

    @property
    def start_ms(self) -> int:
        """The beginning, in milliseconds since 1970."""
        return milliseconds(self.start)

    @property
    def end_ms(self) -> int:
        """The end, not included, in milliseconds since 1970."""
        return milliseconds(self.end)

    @property
    def day(self) -> date:
        """The local day it belongs to: that of its beginning, also when it ends on the next."""
        return date.fromisoformat(self.start[:10])


@dataclass(frozen=True, slots=True)
class _Stretch:
    """An interval in milliseconds since 1970, and what is said of it; `price` as the club or an earlier cell has it."""

    start: int
    end: int
    available: bool
    price: Mapping[str, Json] | None


def cells(
    link: LinkSettings,
    facility: FacilitySettings,
    window: Window,
    offers: Iterable[Mapping[str, Json]],
    known: Iterable[Cell],
    currency: str,
) -> list[Cell]:
    """Give the cells of a court that begin in the window, in order of time.

    `offers` are canonical slots of the club, of any resource and status; `known` are cells told before, of any court;
    a price in another currency than `currency` is left out. A cell is available only inside one free offer.

    With a grid, the facility's or the link's, the cells are those of the grid, as long as a slot of the link. Without
    one they are the offers as they are or, where the link says how long a slot is, those of that length and the parts
    of longer ones, from their beginning on. Known cells that are none of these come besides, as not available.

    Of a local time that the clocks show twice only the first is told, as not available if the second is taken; what
    begins or ends on no whole minute is not told, since a time without offset cannot say it.
    """
    stretches = [_stretch(slot) for slot in offers if _sells(facility, slot)]
    length = link.slot_duration and link.slot_duration * MINUTE
    grid = link.grid_of(facility)
    if grid is not None:
        intervals = grid_cells(grid, link.slot_duration or grid.step, window)
        found = _on_grid(intervals, [one for one in stretches if one.available])
    else:
        found = (part for one in stretches for part in _parts(one, length, window))
    told = _tell(found, window)
    for cell in known:
        if cell.facility == facility.facility_id and window.start_ms <= cell.start_ms < window.end_ms:
            _recall(told, cell, window.zone)
    return [_cell(facility, one, window.zone, currency) for one in sorted(told.values(), key=lambda one: one.start)]


def block_cells(cells: Iterable[Cell], start_ms: int, end_ms: int) -> list[Cell]:
    """Give the cells with those not available that overlap `[start_ms, end_ms)`; to touch it is not to overlap it."""
    return [
        replace(cell, available=False) if max(cell.start_ms, start_ms) < min(cell.end_ms, end_ms) else cell
        for cell in cells
    ]


def _sells(facility: FacilitySettings, slot: Mapping[str, Json]) -> bool:
    """Whether a slot is one of the court: of its resource and, where both name one, of its service.

    One that ends before it begins is nobody's: such times are refused from callers, not from providers.
    """
    service = slot.get("service_id")
    return (
        slot.get("resource_id") == facility.resource_id
        and (service is None or facility.service_id is None or service == facility.service_id)
        and milliseconds(slot["start"]) < milliseconds(slot["end"])
    )


def _stretch(slot: Mapping[str, Json]) -> _Stretch:
    free = slot["status"] == "free" and slot["available"] is True
    return _Stretch(milliseconds(slot["start"]), milliseconds(slot["end"]), free, slot.get("price"))


def _parts(offer: _Stretch, length: int | None, window: Window) -> Iterator[_Stretch]:
    """Give what is sold of an offer in the window: itself, or its parts of `length` milliseconds."""
    length = length or offer.end - offer.start
    skipped = max(0, -(-(window.start_ms - offer.start) // length))
    for start in range(offer.start + skipped * length, min(offer.end - length + 1, window.end_ms), length):
        yield _part(offer, start, start + length)


def _part(offer: _Stretch, start: int, end: int) -> _Stretch:
    """Give a part of an offer. Only a price by the hour is a part's too: that of the whole says nothing of it."""
    price = offer.price
    if (start, end) != (offer.start, offer.end) and price is not None and price["type"] != "hourly":
        price = None
    return _Stretch(start, end, offer.available, price)


def _on_grid(intervals: Iterable[tuple[int, int]], free: Sequence[_Stretch]) -> Iterator[_Stretch]:
    """Give the cells of a grid: part of the shortest offer that each lies in, or not available."""
    offers = sorted(free, key=lambda one: one.start)
    starts = [one.start for one in offers]
    longest = max((one.end - one.start for one in offers), default=0)
    for start, end in intervals:
        near = offers[bisect_left(starts, end - longest) : bisect_right(starts, start)]
        around = [one for one in near if one.end >= end]
        if around:
            yield _part(min(around, key=lambda one: one.end - one.start), start, end)
        else:
            yield _Stretch(start, end, available=False, price=None)


def _tell(found: Iterable[_Stretch], window: Window) -> dict[datetime, _Stretch]:
    """Give one stretch for each local time: of several an available one, of those the shortest."""
    at: dict[datetime, list[_Stretch]] = {}
    for one in found:
        at.setdefault(local(one.start, window.zone), []).append(one)
    told = {}
    for clock, ones in at.items():
        first = showings(clock, window.zone)[0]
        here = [one for one in ones if one.start == first and sayable(one.start, one.end, window.zone)]
        later = [one.available for one in ones if one.start != first]
        if here:
            best = min(here, key=lambda one: (not one.available, one.end))
            told[clock] = replace(best, available=best.available and (not later or any(later)))
    return told


def _recall(told: dict[datetime, _Stretch], cell: Cell, zone: str) -> None:
    """Add a cell told before, as not available, if nothing is told of its time; one that still is keeps its price."""
    old = _Stretch(cell.start_ms, cell.end_ms, available=False, price=cell.price)
    new = told.setdefault(local(old.start, zone), old)
    if not new.available and new.price is None and (new.start, new.end) == (old.start, old.end):
        told[local(old.start, zone)] = old


def _cell(facility: FacilitySettings, one: _Stretch, zone: str, currency: str) -> Cell:
    price = _price(facility.price, one, currency)
    return Cell(facility.facility_id, instant(one.start, zone), instant(one.end, zone), one.available, price)


def _price(own: PriceSettings | None, one: _Stretch, currency: str) -> dict[str, Json] | None:
    """Give what a cell costs: the facility's own price, else that of the offer, by the hour for the time it lasts."""
    if own is not None:
        return _flat(own.amount, currency) if own.currency == currency else None
    if one.price is None or one.price["currency"] != currency or one.price["type"] == "custom":
        return None
    amount = one.price["amount"]
    if one.price["type"] == "hourly":
        hour = 60 * MINUTE
        amount = (2 * amount * (one.end - one.start) + hour) // (2 * hour)  # half up
    return _flat(amount, currency)


def _flat(amount: int, currency: str) -> dict[str, Json]:
    return {"amount": amount, "currency": currency, "type": "flat"}
