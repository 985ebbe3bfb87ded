"""The club's side of a link: what is asked of it, and nothing of what follows. No other flow of links calls a club."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.config import FacilitySettings
from gateway.links.context import LinkContext, RequestScope
from gateway.links.link import BookingRequest, Link, can, slot_arguments
from gateway.links.slots.payloads import create_key, customer_key
from gateway.links.slots.slot_grid import MINUTE, Window, clock_end, instant, milliseconds
from gateway.values.errors import GatewayError
from gateway.values.messages import Json

OVER: Final = frozenset({"cancelled", "rejected", "expired"})
"""Where a booking stands that holds no time any more."""
GONE: Final = "BOOKING_NOT_FOUND"
"""What a club says that does not have a booking, or no longer."""
REFUSALS: Final = frozenset({"CANCELLATION_NOT_PERMITTED", "INVALID_STATE", "VALIDATION_ERROR"})
"""By these the club itself says that a booking stays, whatever is asked of it."""
_DAY: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Club:
    """The club of a link, asked for one piece of work: whatever is asked, `asking` says for whom and until when.

    Every call raises GatewayError as the club or its mapping has it. Moments are milliseconds since 1970.
    """

    context: LinkContext
    link: Link
    asking: RequestScope

    @property
    def lists_bookings(self) -> bool:
        """Whether `find` can find anything."""
        return can(self.link.club, "bookings.list")

    @property
    def reads_bookings(self) -> bool:
        """Whether one booking can be read by its id."""
        return can(self.link.club, "bookings.get")

    @property
    def confirms_bookings(self) -> bool:
        """Whether a booking that waits can be confirmed."""
        return can(self.link.club, "bookings.confirm")

    async def slots(self, courts: Sequence[FacilitySettings], window: Window) -> dict[str, Sequence[Json]]:
        """Give the slots of these courts, all of one service, by facility id."""
        listed = list(await self._call("slots.list", slot_arguments(self.link, courts, window)))
        return {court.facility_id: self._slots_of(court, listed) for court in courts}

    def _slots_of(self, court: FacilitySettings, slots: Sequence[Json]) -> Sequence[Json]:
        """Give the slots as those of a court: where the club knows no resources, its service is all that tells them."""
        if can(self.link.club, "slots.list", "resource_id"):
            return slots
        return [{**slot, "resource_id": court.resource_id} for slot in slots if slot.get("resource_id") is None]

    async def find(self, resource: str | None, start: int, end: int) -> list[Mapping[str, Json]]:
        """List the bookings of a court that stand and share this time; none where the club lists no bookings.

        An error that does not pass by itself is one to come again later: see `LinkContext.refusal`.
        """
        if not self.lists_bookings:
            return []
        given: dict[str, Json] = {
            "from": instant(start - _DAY, self.link.club.zone),  # by the start, and a booking may have begun before
            "to": instant(end, self.link.club.zone),
        }
        if resource is not None and can(self.link.club, "bookings.list", "resource_id"):
            given["resource_id"] = [resource]
        try:
            listed = await self._call("bookings.list", given)
        except GatewayError as error:
            raise self.context.refusal(error) from error
        return [
            one
            for one in listed
            if one["status"] not in OVER
            and one["start"] is not None
            and milliseconds(one["start"]) < end
            and milliseconds(one["end"]) > start
        ]

    async def read(self, booking: str | None) -> Mapping[str, Json] | None:
        """Read a booking; None when the club does not have it."""
        try:
            found: Mapping[str, Json] = await self._call("bookings.get", {"id": booking})
        except GatewayError as error:
            if error.code == GONE:
                return None
            raise
        return found

    async def create(self, request: BookingRequest, slot_id: str | None, entry_id: str) -> Mapping[str, Json]:
        """Book: the club's own slot where there is one, else court and times. Repetitions are known by the entry.

        An end that the club's clocks show for the second time is given as a length: a club that counts by the clock
        would read it as the first time.
        """
        given: dict[str, Json] = {"customer": self.link.customer(request.customer, customer_key(entry_id))}
        if slot_id is not None and self._takes("slot_id"):
            return await self._booked("bookings.create", given | {"slot_id": slot_id}, create_key(entry_id))
        start, end = request.start_ms, request.end_ms
        given |= {"resource_id": request.facility.resource_id, "start": request.start, "end": request.end}
        if clock_end(start, end, self.link.club.zone) != end and self._takes("duration"):
            del given["end"]
            given["duration"] = (end - start) // MINUTE
        if request.facility.service_id is not None:
            given["service_id"] = request.facility.service_id
        given = {name: value for name, value in given.items() if self._takes(name)}
        return await self._booked("bookings.create", given, create_key(entry_id))

    async def confirm(self, booking: str) -> Mapping[str, Json]:
        """Confirm a booking that waits, and give it as it is now."""
        return await self._booked("bookings.confirm", {"id": booking})

    async def cancel(self, booking: str | None, reason: str | None = None) -> None:
        """Cancel a booking, as its customer does."""
        given: dict[str, Json] = {"id": booking, "reason": reason, "cancelled_by": "customer"}
        taken = {
            name: text
            for name, text in given.items()
            if text is not None and can(self.link.club, "bookings.cancel", name)
        }
        await self._call("bookings.cancel", taken, self.link.channel)

    def _takes(self, argument: str) -> bool:
        return can(self.link.club, "bookings.create", argument)

    async def _booked(self, operation: str, given: Mapping[str, Json], key: str = "") -> Mapping[str, Json]:
        booking: Mapping[str, Json] = await self._call(operation, given, self.link.channel, key)
        return booking

    async def _call(self, operation: str, given: Mapping[str, Json], channel: str | None = None, key: str = "") -> Json:
        return await self.context.call(self.link.club, operation, given, self.asking, channel, key)
