"""What a marketplace is told: cells and courts as canonical objects, and what slots and bookings are known by.

No I/O, no clock. Names are made of what both sides know: most marketplaces send no id of their own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping

from gateway.config import FacilitySettings, LinkSettings
from gateway.links.slots.slots import Cell
from gateway.mapping.expressions.ids import uuid_of
from gateway.model.types.times import TimeRefused, parse_instant, to_zone, wall_clock
from gateway.values.messages import Json

KEY_LENGTH = 12
"""Characters of a key that stand in texts: enough to tell the bookings of a link apart."""
_SLOT_ID = re.compile(r"(?s)(.+)-([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")


def slot(cell: Cell, zone: str) -> dict[str, Json]:
    """Give the canonical Slot of a cell; its resource is the court as the marketplace names it."""
    told: dict[str, Json] = {
        "id": slot_id(cell.facility, cell.start, zone),
        "resource_id": cell.facility,
        "start": cell.start,
        "end": cell.end,
        "time_zone": zone,
        "status": "free" if cell.available else "busy",
        "available": cell.available,
    }
    return told if cell.price is None else {**told, "price": dict(cell.price)}


def resource(facility: FacilitySettings, zone: str) -> dict[str, Json]:
    """Give the canonical Resource of a court; what the configuration does not say is left out."""
    attributes = {"sport": facility.sport, "surface": facility.surface, "indoor": facility.indoor}
    told: dict[str, Json] = {
        "id": facility.facility_id,
        "name": facility.name,
        "type": "other" if facility.sport is None else "court",
        "bookable": True,
        "attributes": {name: value for name, value in attributes.items() if value is not None},
        "time_zone": zone,
    }
    return told if facility.description is None else {**told, "description": facility.description}


def with_courts(given: Mapping[str, Json], links: Iterable[LinkSettings], zone: str) -> dict[str, Json]:
    """Add to the arguments of a push what links say of courts of its slots that the caller says nothing of.

    `links` are those of the connection that is pushed to, `zone` is its time zone.
    """
    slots, resources = given.get("slots"), given.get("resources") or []
    if not isinstance(slots, list) or not isinstance(resources, list):
        return dict(given)  # what is wrong with them is told where arguments are checked
    known, asked = _texts(resources, "id"), _texts(slots, "resource_id")
    courts = [
        resource(court, link.time_zone or zone)
        for link in links
        for court in link.facilities
        if court.facility_id in asked and court.facility_id not in known
    ]
    return {**given, "resources": [*resources, *courts]} if courts else dict(given)


def _texts(rows: Iterable[Json], key: str) -> set[str]:
    """Give the texts that stand under a key of a caller's rows, which nobody has checked yet."""
    return {row[key] for row in rows if isinstance(row, dict) and isinstance(row.get(key), str)}


def slot_id(facility_id: str, start: str, zone: str) -> str:
    """Give the id of a court's slot: `49-202603190830` begins at 08:30 on the clocks of `zone`."""
    clock = wall_clock(start, zone).isoformat(timespec="minutes")
    return f"{facility_id}-{re.sub('[-T:]', '', clock)}"


def parse_slot_id(text: str, facility_ids: Collection[str], zone: str) -> tuple[str, str] | None:
    """Give court and start of a slot's id, the first start where the clocks show it twice.

    None when it is no id of a slot of these courts: their ids are compared exactly, `049` is not `49`.
    """
    found = _SLOT_ID.fullmatch(text)
    if found is None or found[1] not in facility_ids:
        return None
    try:
        return found[1], parse_instant("{1}-{2}-{3}T{4}:{5}".format(*found.groups()), zone)
    except TimeRefused:
        return None  # no such day, no such hour, or one that the clocks skip


def digest(told: Mapping[str, Json]) -> str:
    """Give the SHA-256 of what is told, in hex: the same for the same content, in whatever order its keys stand."""
    return _hash(told)


def ledger_key(center_id: str, facility_id: str, start: str, end: str) -> str:
    """Give what a booking without a reference is known by: SHA-256 in hex of center, court and UTC times."""
    return _hash([center_id, facility_id, to_zone(start, "UTC"), to_zone(end, "UTC")])


def customer_key(entry_id: str) -> str:
    """Give what tells the customer of an entry of the ledger from that of every other one: 12 characters of a hash."""
    return hashlib.sha256(entry_id.encode()).hexdigest()[:KEY_LENGTH]


def create_key(entry_id: str) -> str:
    """Give the UUID by which a club knows the booking of an entry, however often it is asked to make it."""
    return uuid_of("link", entry_id)


def _hash(value: Json) -> str:
    """Hash canonical JSON, in which no two lists of texts are written alike."""
    written = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()
