"""What a marketplace asks of us, once its message is read: handed to the links, and answered. Nothing is stored.

Whether something is asked twice, and what is done, is the links' business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from gateway.engine.catalog import Connection
from gateway.values.errors import NotMapped
from gateway.values.messages import Json, MarketplaceRequest, Response
from gateway.webhooks.inbound.session import Question, Session


class Links(Protocol):
    """Whatever sells what marketplaces ask for."""

    async def answer(
        self, connection: Connection, asked: MarketplaceRequest, request_id: str, deadline: float
    ) -> Mapping[str, Json]:
        """Do what is asked by this connection and give what the contract says that the request is given.

        `deadline` is a reading of the event loop's clock, in seconds. Raises GatewayError.
        """
        ...


async def answer_request(
    session: Session, question: Question, links: Links | None, request_id: str, deadline: float
) -> Response:
    """Have it done, and give the answer that the mapping says. Raises GatewayError.

    `deadline` is a reading of the event loop's clock, in seconds.
    """
    if links is None:
        raise NotMapped("No link sells what is asked for.")
    given = await links.answer(session.connection, question.asked, request_id, deadline)
    # In a thread, since the calendar of a large club has thousands of slots, and other callers shall not wait for them.
    return await asyncio.to_thread(session.answer, question, given)
