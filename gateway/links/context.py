"""What every flow of links works with: the two connections of a link, calls to them, the store and the clocks.

Nothing here decides. A link is looked up anew for every request, so that it follows the catalog.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from gateway.config import LinkSettings
from gateway.engine.catalog import Connection
from gateway.engine.engine import Engine
from gateway.events.recorded_calls import RecordedCalls
from gateway.links.link import Link, invalid
from gateway.links.slots.slot_grid import instant, local, window
from gateway.model.model import arguments
from gateway.store.database import Database
from gateway.store.links.ledger import Entry
from gateway.values.errors import GatewayError, NotMapped, ProviderUnavailable
from gateway.values.messages import Call, Json

LEDGER = "ledger"
"""The topic of commits that changed the ledger or the slots of a link."""
AGAIN_SECONDS = 30.0
"""When a marketplace shall come again, where the club does not say it."""


@dataclass(frozen=True, slots=True)
class RequestScope:
    """For whom the club is asked: a request by its id, and a reading of the event loop's clock as its deadline."""

    request_id: str
    deadline: float


@dataclass(frozen=True, slots=True)
class LinkContext:
    """Engine, store and clocks. `now` gives milliseconds since 1970, `fresh` a new id, `clock` the engine's seconds.

    `chance` gives numbers from 0 to below 1.
    """

    engine: Engine
    database: Database
    recorded_calls: RecordedCalls
    now: Callable[[], int]
    fresh: Callable[[str], str]
    clock: Callable[[], float]
    links: Mapping[str, LinkSettings]
    chance: Callable[[], float] = lambda: 0.5
    _woken: dict[str, asyncio.Event] = field(default_factory=dict)
    _touched: dict[str, set[date]] = field(default_factory=dict)

    def link(self, name: str) -> Link:
        """Give a link with its connections. Raises NotMapped."""
        found = self.links.get(name)
        if found is None:
            raise NotMapped("There is no link of this name.")
        return Link(found, self.engine.connection(found.peer), self.engine.connection(found.club))

    def asked_of(self, peer: Connection, data: Mapping[str, Json]) -> Link:
        """Give the link that a request of a marketplace is for: by its center, else by its court.

        Raises NotMapped when no link sells there, and CallInvalid when it could be for several.
        """
        center, court = data.get("center_id"), data.get("resource_id")
        mine = [one for one in self.links.values() if one.peer == peer.name]
        here = [one for one in mine if center is None or one.center_id == center]
        if not here:
            raise NotMapped("No link sells there.")
        if len(here) > 1 and court is not None:
            with_it = [one for one in here if any(court == facility.facility_id for facility in one.facilities)]
            here = with_it or here[:1]
        if len(here) > 1:
            raise invalid("center_id", "is needed: there are several centers")
        return self.link(here[0].name)

    async def call(
        self,
        connection: Connection,
        operation: str,
        given: Mapping[str, Json],
        asking: RequestScope,
        channel: str | None = None,
        key: str = "",
    ) -> Json:
        """Run a canonical operation and give its data; its events are told as those of callers are.

        `channel` is how what it is about came in, `key` what its repetitions are known by. Raises GatewayError.
        """
        checked = arguments(self.engine.model.operations[operation], given, connection.zone)
        about = (connection.name, operation, checked, asking.request_id, asking.deadline)
        call = Call(*about, idempotency_key=key)
        return (await self.recorded_calls.run(call, channel=channel)).data

    def passing(self, error: GatewayError) -> bool:
        """Tell whether the same call may succeed later."""
        return self.engine.model.errors[error.code].retryable

    def refusal(self, error: GatewayError) -> GatewayError:
        """Give the error of a call as a marketplace may have it: itself where it may pass, else to come again later."""
        return error if self.passing(error) else later(error)

    def until(self, asking: RequestScope, margin: float) -> int:
        """Give the moment, in milliseconds since 1970, so many seconds after a request is over at the latest."""
        return self.now() + int((asking.deadline - self.clock() + margin) * 1000)

    def asking(self, seconds: float) -> RequestScope:
        """Give what a call of the link's own work is made with."""
        return RequestScope(self.fresh("link"), self.clock() + seconds)

    def touch(self, link: Link, start_ms: int, end_ms: int) -> None:
        """Have the local days of an interval read again, soon."""
        sold = window(self.now(), link.settings.horizon_days + 1, link.zone)  # a club may tell of the year 9999
        start_ms, end_ms = max(start_ms, sold.start_ms), min(end_ms, sold.end_ms)
        if start_ms >= end_ms:
            return
        first, last = (local(moment, link.zone).date() for moment in (start_ms, end_ms - 1))
        count = (last - first).days + 1
        self._touched.setdefault(link.name, set()).update(first + timedelta(days=number) for number in range(count))
        self.woken(link.name).set()

    def is_touched(self, name: str) -> bool:
        """Tell whether days of a link are to be read again."""
        return bool(self._touched.get(name))

    def touched(self, name: str) -> set[date]:
        """Take the days of a link that are to be read again."""
        return self._touched.pop(name, set())

    def woken(self, name: str) -> asyncio.Event:
        """Give the event that is set when there is something to do for a link."""
        return self._woken.setdefault(name, asyncio.Event())


def payload_of(link: Link, entry: Entry) -> dict[str, Json]:
    """Give what a marketplace is told of a booking."""
    return {
        "id": entry.booking,
        "status": "confirmed" if entry.state == "confirmed" else "cancelled",
        "resource_id": entry.facility,
        "start": instant(entry.start_at, link.zone),
        "end": instant(entry.end_at, link.zone),
    }


def later(error: GatewayError) -> ProviderUnavailable:
    """Give the error by which a marketplace learns that the club cannot be asked now: nothing else would be true."""
    wait = error.retry_after if error.retry_after is not None else AGAIN_SECONDS
    return ProviderUnavailable("The club cannot be asked now.", sent=False, retry_after=wait)


def pack(record: Mapping[str, Json]) -> bytes:
    """Write a canonical slot or customer as the store keeps it."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(states: Sequence[bytes]) -> list[dict[str, Json]]:
    """Read canonical slots as the store keeps them."""
    return [json.loads(one) for one in states]
