"""What a marketplace asks of us, once its message is verified: read, handed to the links, answered. Nothing is stored.

Whether something is asked twice, and what is done, is the links' business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.catalog import Connection
from gateway.mapping.asks_translate import to_answer, to_asked
from gateway.mapping.plan import Scope
from gateway.mapping.plan_hooks import AskingHook, AskPlan
from gateway.values.errors import NotMapped
from gateway.values.messages import Asked, Json, Received, Response


class Links(Protocol):
    """Whatever sells what marketplaces ask for."""

    async def answer(
        self, connection: Connection, asked: Asked, request_id: str, deadline: float
    ) -> Mapping[str, Json]:
        """Do what is asked by this connection and give what the contract says that the request is given.

        `deadline` is a reading of the event loop's clock, in seconds. Raises GatewayError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """A verified message that asks for something: the ask that fitted, and the canonical request."""

    ask: AskPlan
    asked: Asked


def question(plan: AskingHook, received: Received, scope: Scope) -> Question:
    """Read what is asked; raises CallInvalid."""
    return Question(*to_asked(plan, received, scope))


async def answered(
    question: Question, links: Links | None, connection: Connection, scope: Scope, request_id: str, deadline: float
) -> Response:
    """Have it done, and give the answer that the mapping says. Raises GatewayError.

    `scope` is the connection's with `now`; `deadline` a reading of the event loop's clock, in seconds.
    """
    if links is None:
        raise NotMapped("No link sells what is asked for.")
    given = await links.answer(connection, question.asked, request_id, deadline)
    # In a thread, since the calendar of a large club has thousands of slots, and other callers shall not wait for them.
    return await asyncio.to_thread(to_answer, question.ask, question.asked, given, scope)
