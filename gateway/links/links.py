"""Every link of the gateway: marketplaces are answered, what clubs change is told, and the operator sees both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateway.engine.catalog import Connection
from gateway.links.bookings.booking import book
from gateway.links.bookings.cancellation import cancel
from gateway.links.context import Asking, LinkContext
from gateway.links.link import wanted
from gateway.links.slots.calendar import pull
from gateway.links.status import diff, resync, status
from gateway.links.worker import Worker
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, NotMapped
from gateway.values.messages import Asked, Json


class Links:
    """Answers marketplaces and, while `run` runs, keeps both sides of every link in step."""

    def __init__(self, desk: LinkContext) -> None:
        self._desk = desk

    async def answer(self, connection: Connection, asked: Asked, request_id: str, deadline: float) -> dict[str, Json]:
        """Answer a canonical request of a marketplace with the names that its reply may use. Raises GatewayError.

        `deadline` is a reading of the event loop's clock, in seconds.
        """
        link = self._desk.asked_of(connection, asked.data)
        asking = Asking(request_id, deadline)
        about = {"request": request_id, "link": link.name, "asked": asked.request}
        try:
            answer = await self._answered(link.name, asked, asking)
        except GatewayError as error:
            logs.link_answered(**about, outcome=error.code)
            raise
        logs.link_answered(**about, outcome="done")
        return answer

    async def _answered(self, name: str, asked: Asked, asking: Asking) -> dict[str, Json]:
        desk, link = self._desk, self._desk.link(name)
        match asked.request:
            case "availability.requested":
                return await pull(desk, link, asked.data, asking)
            case "booking.requested":
                return {"booking": await book(desk, link, wanted(link, asked.data), asking)}
            case "cancellation.requested":
                return {"booking": await cancel(desk, link, wanted(link, asked.data), asking)}
        raise NotMapped(f"Links do not know what to make of {asked.request}.")

    async def run(self) -> None:
        """Work for every link until cancelled. A defect that one of them meets makes that one wait."""
        async with asyncio.TaskGroup() as group:
            for name in self._desk.links:
                group.create_task(Worker(self._desk, name).run())

    async def step(self, name: str) -> None:
        """Do once what there is to do for a link, as the worker does. Raises StoreUnavailable, NotMapped."""
        self._desk.link(name)
        await Worker(self._desk, name).turn()

    async def statuses(self) -> list[dict[str, Json]]:
        """Tell how every link fares. Raises StoreUnavailable."""
        return [await self.status(name) for name in sorted(self._desk.links)]

    async def status(self, name: str) -> dict[str, Json]:
        """Tell how a link fares: moments in UTC. Raises NotMapped, StoreUnavailable."""
        return await status(self._desk, self._desk.link(name))

    async def diff(self, name: str, deadline: float) -> dict[str, Json]:
        """Read the club and tell where the marketplace was told something else. Raises GatewayError."""
        return await diff(self._desk, self._desk.link(name), Asking(self._desk.fresh("link"), deadline))

    async def resync(self, name: str) -> Mapping[str, Json]:
        """Have the club read and the marketplace told anew, by whoever works for the link. Raises NotMapped."""
        return await resync(self._desk, self._desk.link(name))
