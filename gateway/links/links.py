"""Every link of the gateway: marketplaces are answered, what clubs change is told, and the operator sees both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateway.engine.catalog import Connection
from gateway.links.bookings.booking import book
from gateway.links.bookings.cancellation import cancel
from gateway.links.context import LinkContext, RequestScope
from gateway.links.link import booking_request
from gateway.links.session import Session, booking_session, session_of
from gateway.links.slots.calendar import pull
from gateway.links.status import diff, resync, status
from gateway.links.worker import Worker
from gateway.telemetry import logs
from gateway.values.errors import GatewayError, NotMapped
from gateway.values.messages import Json, MarketplaceRequest


class Links:
    """Answers marketplaces and, while `run` runs, keeps both sides of every link in step."""

    def __init__(self, context: LinkContext) -> None:
        self.context = context

    async def answer(
        self, connection: Connection, asked: MarketplaceRequest, request_id: str, deadline: float
    ) -> dict[str, Json]:
        """Answer a canonical request of a marketplace with the names that its reply may use. Raises GatewayError.

        `deadline` is a reading of the event loop's clock, in seconds.
        """
        link = self.context.asked_of(connection, asked.data)
        session = session_of(self.context, link, RequestScope(request_id, deadline))
        about = {"request": request_id, "link": link.name, "asked": asked.request}
        try:
            answer = await _answer(session, asked)
        except GatewayError as error:
            logs.link_answered(**about, outcome=error.code)
            raise
        logs.link_answered(**about, outcome="done")
        return answer

    async def run(self) -> None:
        """Work for every link until cancelled. A defect that one of them meets makes that one wait."""
        async with asyncio.TaskGroup() as group:
            for name in self.context.links:
                group.create_task(Worker(self.context, name).run())

    async def step(self, name: str) -> None:
        """Do once what there is to do for a link, as the worker does. Raises StoreUnavailable, NotMapped."""
        self.context.link(name)
        await Worker(self.context, name).turn()

    async def statuses(self) -> list[dict[str, Json]]:
        """Tell how every link fares. Raises StoreUnavailable."""
        return [await self.status(name) for name in sorted(self.context.links)]

    async def status(self, name: str) -> dict[str, Json]:
        """Tell how a link fares: moments in UTC. Raises NotMapped, StoreUnavailable."""
        return await status(self.context, self.context.link(name))

    async def diff(self, name: str, deadline: float) -> dict[str, Json]:
        """Read the club and tell where the marketplace was told something else. Raises GatewayError."""
        asking = RequestScope(self.context.fresh("link"), deadline)
        return await diff(session_of(self.context, self.context.link(name), asking))

    async def resync(self, name: str) -> Mapping[str, Json]:
        """Have the club read and the marketplace told anew, by whoever works for the link. Raises NotMapped."""
        return await resync(self.context, self.context.link(name))


async def _answer(session: Session, asked: MarketplaceRequest) -> dict[str, Json]:
    match asked.request:
        case "availability.requested":
            return await pull(session, asked.data)
        case "booking.requested":
            return {"booking": await book(booking_session(session, booking_request(session.link, asked.data)))}
        case "cancellation.requested":
            return {"booking": await cancel(booking_session(session, booking_request(session.link, asked.data)))}
    raise NotMapped(f"Links do not know what to make of {asked.request}.")
