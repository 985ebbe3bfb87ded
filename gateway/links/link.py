"""A link as it is now, and what a marketplace wants of it. No I/O, no clock, no store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.config import FacilitySettings, LinkSettings
from gateway.engine.catalog import Connection
from gateway.links.slots.payloads import ledger_key, parse_slot_id
from gateway.links.slots.slot_grid import Window, clock_end, instant, milliseconds
from gateway.model.types.times import to_zone
from gateway.values.errors import CallInvalid, NotMapped
from gateway.values.messages import Json

_PASSED_ON = ("email", "phone")
"""What a club is told of a player as the marketplace tells it, where the configuration says nothing."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its connections as they are now."""

    settings: LinkSettings
    peer: Connection
    club: Connection

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.settings.name

    @property
    def zone(self) -> str:
        """The zone in which the marketplace counts days and writes times."""
        return self.settings.time_zone or self.peer.zone

    @property
    def channel(self) -> str:
        """What bookings that come in by the link are told to have come through."""
        return self.peer.provider.name

    def same_time(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        """Tell whether two intervals, beginning and end in milliseconds since 1970, are told alike by some clock.

        On the night when the clocks go back one that counts them tells the first hour from 02:00 on as 02:00 to 03:00,
        and so does a marketplace without offsets: read again, that is two hours.
        """
        zones = {self.zone, self.club.zone}
        return one[0] == other[0] and (
            one[1] == other[1] or any(clock_end(*one, zone) == clock_end(*other, zone) for zone in zones)
        )

    def facility(self, key: str) -> FacilitySettings:
        """Give the facility that the marketplace calls so; ids are compared exactly. Raises NotMapped."""
        for one in self.settings.facilities:
            if one.facility_id == key:
                return one
        raise NotMapped("The link sells no such court.", code="INVALID_RESOURCE")

    def customer(self, player: Mapping[str, Json], key: str) -> dict[str, Json]:
        """Give the customer whom the club is told for a booking of this player.

        What the configuration says comes first; a customer whom the club has is told as he is there.
        """
        wanted = self.settings.customer
        names = {"player": player.get("name") or f"{self.peer.provider.title} player", "key": key}
        texts = {"name": wanted.name or "{player}", "email": wanted.email, "phone": wanted.phone, "id": wanted.id}
        ours = {name: text.format(**names) for name, text in texts.items() if text is not None}
        theirs = {
            name: player.get(name) for name in _PASSED_ON if wanted.id is None and _keeps(self.club, f"customer.{name}")
        }
        return {name: text for name, text in (theirs | ours).items() if text}


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """What a marketplace wants to book or cancel, checked: `start` and `end` are canonical, in the link's zone.

    `reference` is the marketplace's own id of the booking; without one `key` is what the booking is known by.
    """

    facility: FacilitySettings
    start: str
    end: str
    slot_id: str | None
    customer: Mapping[str, Json]
    key: str
    reference: str | None

    @property
    def player(self) -> str | None:
        """The name of who plays, as far as the marketplace tells it."""
        return self.customer.get("name")

    @property
    def start_ms(self) -> int:
        """The beginning, in milliseconds since 1970."""
        return milliseconds(self.start)

    @property
    def end_ms(self) -> int:
        """The end, not included, in milliseconds since 1970."""
        return milliseconds(self.end)


def booking_request(link: Link, data: Mapping[str, Json]) -> BookingRequest:
    """Check a canonical request for one slot.

    A slot's id must be one that we gave and agree with the times. Raises NotMapped (INVALID_RESOURCE, SLOT_NOT_FOUND)
    and CallInvalid.
    """
    facility = link.facility(data["resource_id"])
    start, end = (to_zone(data[name], link.zone) for name in ("start", "end"))
    if milliseconds(end) <= milliseconds(start):
        raise invalid("end", "must be after the start")
    slot_id = data.get("slot_id")
    if slot_id is not None:
        found = parse_slot_id(slot_id, [one.facility_id for one in link.settings.facilities], link.zone)
        if found is None:
            raise NotMapped("There is no slot of this id.", code="SLOT_NOT_FOUND")
        if found[0] != facility.facility_id or milliseconds(found[1]) != milliseconds(start):
            raise invalid("slot_id", "is the id of another slot than the one that is described")
    told_end = instant(clock_end(milliseconds(start), milliseconds(end), link.zone), link.zone)
    key = ledger_key(link.settings.center_id, facility.facility_id, start, told_end)
    return BookingRequest(facility, start, end, slot_id, data.get("customer") or {}, key, data.get("reference"))


def invalid(name: str, problem: str) -> CallInvalid:
    """Give the error that says what is wrong with a field of a request."""
    return CallInvalid(f"`{name}` {problem}.", details={"fields": [{"field": name, "problem": problem}]})


def can(connection: Connection, operation: str, argument: str = "") -> bool:
    """Tell whether a connection has an operation and, of that, an argument."""
    plan = connection.provider.operations.get(operation)
    return plan is not None and argument not in plan.unsupported


def _keeps(club: Connection, argument: str) -> bool:
    """Tell whether a club that books an argument keeps it: what is lost there need not be told."""
    plan = club.provider.operations.get("bookings.create")
    return plan is not None and argument not in plan.unsupported and argument not in plan.partial


def slot_arguments(link: Link, courts: Sequence[FacilitySettings], of: Window) -> dict[str, Json]:
    """Give the arguments with which the club is asked for the slots of courts, all of one service."""
    given: dict[str, Json] = {"from": of.first, "to": of.end}
    if can(link.club, "slots.list", "resource_id"):
        given["resource_id"] = list(dict.fromkeys(court.resource_id for court in courts))
    if courts[0].service_id is not None:
        given["service_id"] = courts[0].service_id
    if link.settings.slot_duration is not None:
        given["duration"] = link.settings.slot_duration
    return given
